"""The verdict on each archived transcript: as it was archived, changed (and where), without a chain, or not here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.sessions.archives.anchors import Known, in_stub
from bot.sessions.archives.shelves import Filed
from bot.sessions.archives.verify import Anchor, Change, Checked, check, compare, shown

MOST_CHANGES = 20


@dataclass(frozen=True)
class Verdict:
    """What is said of one transcript. `state`: ok, bad, old (no chain, so nothing to check) or away (not here)."""

    state: str
    file: str
    told: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """As people read it: state, file, and the place of each change."""
        return [f"{self.state:4} {shown(self.file, 200)}{told}" for told in self.told]


def verdict(filed: Filed, histories: Sequence[Anchor], known: Known | None) -> Verdict:
    """Judges one file by itself, and by what the ticket's history, the stub and the database know of it."""
    anchors = [*histories, *([known.anchor] if known and known.anchor else [])]
    if filed.stub is not None and (stub := in_stub(filed.stub)):
        anchors.append(stub)
    if filed.problem:
        return Verdict("bad", filed.shown, (f": {filed.problem}",))
    if filed.away and known:
        return gone(filed.session_id, known.file, "the database")
    if filed.away:
        return Verdict("away", filed.shown, (": private, and kept on another machine",))
    found = check(filed.content)
    changes = [*found.changes, *_named_otherwise(filed)] or list(_compared(found, anchors))
    if not found.chained and not changes:
        return Verdict("old", filed.shown, (": it has no chain, so nothing can be proved",))
    if changes:
        told = [f", {change}" for change in changes[:MOST_CHANGES]]
        more = len(changes) - MOST_CHANGES
        return Verdict("bad", filed.shown, (*told, f": and {more} more changes") if more > 0 else tuple(told))
    return Verdict("ok", filed.shown, (f": {_counted(found)}; {_agreed(anchors)}",))


def gone(session_id: str, file: str, who: str) -> Verdict:
    """A transcript that somebody knows of, and that is not there."""
    return Verdict("bad", file, (f": the file is not there, and {who} knows that {shown(session_id)} was archived",))


def _named_otherwise(filed: Filed) -> Iterator[Change]:
    id_ = filed.content.get("id") if isinstance(filed.content, dict) else None
    if id_ != filed.session_id:
        yield Change("id", "it is not the one in the file's name")


def _compared(found: Checked, anchors: Sequence[Anchor]) -> Iterator[Change]:
    for anchor in anchors:
        if change := compare(found, anchor):
            yield change
            return


def _counted(found: Checked) -> str:
    marks = [f"{n} {word}" for n, word in ((found.deleted, "deleted"), (found.erased, "erased")) if n]
    return f"{len(found.joints)} entries" + (f" ({', '.join(marks)})" if marks else "")


def _agreed(anchors: Sequence[Anchor]) -> str:
    where = list(dict.fromkeys(anchor.where for anchor in anchors))
    if not where:
        return "in itself as archived, and nobody else to ask"
    return "as " + (", ".join(where[:-1]) + " and " if where[1:] else "") + f"{where[-1]} know" + "s" * (not where[1:])
