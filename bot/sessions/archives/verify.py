"""Checks an archived transcript: against itself, and against what others know of its chain. No input or output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.sessions.archives.chain import NOT_REST, VERSION, Joint, links, rest_hashes, salted_hash
from bot.sessions.archives.entries import answered_last, gone, said_first

HASH, SALT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
Object = Mapping[str, object]


@dataclass(frozen=True)
class Change:
    """Something that is not as it was archived: where, and what."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True)
class Anchor:
    """What others know of a chain: after `entries` entries its last link was `head`.

    `hashes`: those of all entries there can be, where they are known. `rest`: hashes of the other keys, which hold for
    a chain of that length (of the entries that are known, else `entries`).
    """

    where: str
    entries: int
    head: str
    hashes: tuple[str, ...] = ()
    rest: Mapping[str, str] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """How long the chain is, as far as this one knows."""
        return len(self.hashes) or self.entries


@dataclass(frozen=True)
class Checked:
    """A transcript as it was found; `chained` is False for one that has no chain, which proves nothing."""

    chained: bool
    changes: tuple[Change, ...] = ()
    joints: tuple[Joint, ...] = ()
    links: tuple[str, ...] = ()
    rest: Mapping[str, str] = field(default_factory=dict)
    deleted: int = 0
    erased: int = 0


def check(content: object) -> Checked:
    """Whether a transcript is in itself what was archived, and if not, every place where it is not."""
    if not isinstance(content, dict):
        return Checked(True, (Change("the file", "it holds no transcript"),))
    if "chain" not in content:
        return Checked(False)
    try:
        return _checked(content)
    except RecursionError:
        return Checked(True, (Change("the file", "it is nested too deeply"),))


def _checked(content: Object) -> Checked:
    found = _Form(content)
    if found.wrong:
        return Checked(True, (found.wrong,))
    told = tuple(links(found.id, found.joints))
    changes = [*_entries(found), *_order(found), *_rest(content, found)]
    if found.head != told[-1]:
        changes.append(Change("chain.head", "it is not the last link of these entries"))
    if not changes:
        changes += _repeated(content, found)
    said = list(found.messages.values())
    return Checked(
        True,
        tuple(changes),
        tuple(found.joints),
        told,
        found.hashes,
        deleted=sum("deletedAt" in one for one in said),
        erased=sum("erasedAt" in one for one in said),
    )


def compare(found: Checked, anchor: Anchor) -> Change | None:
    """Whether the chain is one that others know, and goes on from there if it is longer."""
    if not found.chained:
        return Change("the file", f"its chain was taken out: {anchor.where} knows one")
    if not found.links:
        return None
    if len(found.joints) < anchor.entries:
        return Change(
            f"after entry {len(found.joints)}", f"{anchor.where} knows {anchor.entries} entries: the rest was cut off"
        )
    for n, (joint, known) in enumerate(zip(found.joints, anchor.hashes, strict=False), 1):
        if joint.hash != known:
            return Change(_place(n, joint.id), f"it is not the entry that {anchor.where} knows")
    if anchor.hashes and len(found.joints) > len(anchor.hashes):
        n = len(anchor.hashes) + 1
        return Change(_place(n, found.joints[n - 1].id), f"it was added: {anchor.where} knows {n - 1} entries")
    if found.links[anchor.entries] != anchor.head:
        return Change(f"entries 1 to {anchor.entries}", f"they are not those that {anchor.where} knows")
    if len(found.joints) == anchor.length:
        for key, known in anchor.rest.items():
            if found.rest.get(key) != known:
                return Change(shown(key), f"it is not what {anchor.where} knows")
    return None


def shown(text: str, most: int = 80) -> str:
    """A text of a file, for a terminal: nothing in it steers the terminal, and it is not long."""
    safe = "".join(sign if sign.isprintable() else "·" for sign in text[:most])
    return safe + ("…" if len(text) > most else "")


class _Form:
    """The parts of a file that has a chain; `wrong` says where its form is none of ours."""

    def __init__(self, content: Object) -> None:
        self.wrong: Change | None = None
        self.id, self.head, self.salt = "", "", ""
        self.joints: list[Joint] = []
        self.messages: dict[str, Object] = {}
        self.order: list[str] = []
        self.hashes: dict[str, str] = {}
        self.wrong = self._read(content)

    def _read(self, content: Object) -> Change | None:
        chain, id_, messages = content["chain"], content.get("id"), content.get("messages")
        if not isinstance(id_, str) or not id_:
            return Change("id", "it is missing")
        if not isinstance(chain, dict) or set(chain) != {"version", "entries", "head", "rest"}:
            return Change("chain", "it has not the form that the bot gives it")
        if type(chain["version"]) is not int or chain["version"] != VERSION:
            return Change("chain.version", f"this program knows version {VERSION} alone")
        if not _is(HASH, chain["head"]):
            return Change("chain.head", "it is no hash")
        self.id, self.head = id_, str(chain["head"])
        return self._read_rest(chain["rest"]) or self._read_entries(chain["entries"]) or self._read_messages(messages)

    def _read_rest(self, rest: object) -> Change | None:
        if not isinstance(rest, dict) or set(rest) != {"salt", "hashes"} or not _is(SALT, rest["salt"]):
            return Change("chain.rest", "it has not the form that the bot gives it")
        hashes = rest["hashes"]
        if not isinstance(hashes, dict) or not all(_is(HASH, one) for one in hashes.values()):
            return Change("chain.rest", "it has not the form that the bot gives it")
        self.salt, self.hashes = str(rest["salt"]), hashes
        return None

    def _read_entries(self, entries: object) -> Change | None:
        if not isinstance(entries, list) or not entries:
            return Change("chain.entries", "there are none")
        for n, entry in enumerate(entries, 1):
            keys = set(entry) if isinstance(entry, dict) else set()
            if not isinstance(entry, dict) or not {"id", "hash"} <= keys <= {"id", "hash", "salt"}:
                return Change(f"chain.entries, entry {n}", "it has not the form that the bot gives it")
            if not isinstance(entry["id"], str) or not _is(HASH, entry["hash"]):
                return Change(f"chain.entries, entry {n}", "its id or its hash is none")
            if "salt" in entry and not _is(SALT, entry["salt"]):
                return Change(_place(n, entry["id"]), "its salt is none")
            self.joints.append(Joint(entry["id"], entry["hash"], entry.get("salt")))
        return None

    def _read_messages(self, messages: object) -> Change | None:
        if not isinstance(messages, list):
            return Change("messages", "there are none")
        for n, message in enumerate(messages, 1):
            id_ = message.get("id") if isinstance(message, dict) else None
            if not isinstance(id_, str):
                return Change(f"message {n}", "it has no id")
            if id_ in self.messages:
                return Change(f"message {n} ({shown(id_)})", "it stands there twice")
            self.messages[id_] = message
            self.order.append(id_)
        return None


def _entries(found: _Form) -> Iterator[Change]:
    """Entries whose message is not what was archived, and messages that never were."""
    newest = {joint.id: n for n, joint in enumerate(found.joints)}
    for n, joint in enumerate(found.joints):
        place, message = _place(n + 1, joint.id), found.messages.get(joint.id)
        if newest[joint.id] != n:
            if joint.salt is not None:
                yield Change(place, "it has a salt, though a later entry took its place")
        elif message is None:
            yield Change(place, "its message was taken away")
        elif joint.salt is None:
            yield Change(place, "its salt was taken away, and no later entry took its place")
        elif salted_hash(joint.salt, message) != joint.hash:
            yield Change(place, f"it was changed ({shown(str(message.get('role')))}, message {_nth(found, joint.id)})")
    for n, id_ in enumerate(found.order, 1):
        if id_ not in newest:
            yield Change(f"message {n} ({shown(id_)})", "it was added: the chain has no entry for it")


def _order(found: _Form) -> Iterator[Change]:
    """The first message that does not stand where it was archived."""
    known = dict.fromkeys(joint.id for joint in found.joints)
    order = [id_ for id_ in found.order if id_ in known]
    there = set(order)
    for was, is_ in zip((id_ for id_ in known if id_ in there), order, strict=True):
        if was != is_:
            yield Change(f"message {_nth(found, is_)} ({shown(is_)})", "it was moved: it stood elsewhere")
            return


def _rest(content: Object, found: _Form) -> Iterator[Change]:
    """Keys beside messages and chain that are not what was written."""
    rest = {key: value for key, value in content.items() if key not in NOT_REST}
    now = rest_hashes(found.salt, rest)
    for key in dict.fromkeys([*found.hashes, *now]):
        if key not in now:
            yield Change(shown(key), "it was taken away")
        elif key not in found.hashes:
            yield Change(shown(key), "it was added")
        elif now[key] != found.hashes[key]:
            yield Change(shown(key), "it was changed")


def _repeated(content: Object, found: _Form) -> Iterator[Change]:
    """What the file repeats of its entries, for whoever changed it knew how to make its hash anew."""
    said = [dict(found.messages[id_]) for id_ in found.order]
    if not all(isinstance(one.get("role"), str) and "content" in one for one in said):
        return
    archives = [one for one in said if str(one["id"]).startswith("a-")]
    repeated = {"input": said_first(said), "output": answered_last(said)}
    if archives and not gone(archives[-1]):
        last = archives[-1]
        at, by = last.get("timestamp"), last.get("by")
        repeated |= {"note": last.get("note"), "archivedAt": at, "completedAt": at, "archivedBy": by}
        repeated["linkedTicketId"] = last.get("ticketId")
    for key, value in repeated.items():
        if content.get(key) != value:
            yield Change(key, "it was changed: the entries say otherwise")


def _place(n: int, id_: str) -> str:
    return f"entry {n} ({shown(id_)})"


def _nth(found: _Form, id_: str) -> int:
    return found.order.index(id_) + 1


def _is(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
