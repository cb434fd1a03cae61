"""What others than its file know of an archived transcript's chain: the ticket's history, the stub, the database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, func, select

from bot.sessions.archives.chain import Joint, links, rest_hashes
from bot.sessions.archives.verify import Anchor
from bot.sessions.models import archive, archive_entry
from bot.tickets.ids import DEFAULT_PREFIX
from bot.tickets.loading import Loader, Problem
from bot.tickets.reading import read_ticket


@dataclass(frozen=True)
class Known:
    """What the database knows of a session's newest archive; `anchor` is None for one without a chain."""

    session_id: str
    workspace: str
    file: str
    anchor: Anchor | None


@dataclass
class Histories:
    """What the tickets' histories say of archived sessions: anchors, and every session that was archived."""

    anchors: dict[str, list[Anchor]] = field(default_factory=dict)
    archived: dict[str, str] = field(default_factory=dict)  # the ticket, by the session's id
    unreadable: list[str] = field(default_factory=list)


def in_histories(workspace: Path) -> Histories:
    """Reads those tickets that tell of an archived session."""
    found = Histories()
    loader = Loader(workspace, "tickets", DEFAULT_PREFIX, read_ticket)
    for path in sorted(loader.path.glob("*.y*ml")):
        if not path.is_file() or b"session_archived" not in path.read_bytes():
            continue
        loaded = loader.load(path.name)
        if loaded is None:
            continue
        if isinstance(loaded.record, Problem):
            found.unreadable.append(loaded.record.error().text)
            continue
        for line in loaded.record.history:
            if line.action == "session_archived":
                _note(found, loaded.record.id, line.details)
    return found


def _note(found: Histories, ticket_id: str, details: Mapping[str, object]) -> None:
    session_id, entries, head = details.get("sessionId"), details.get("entries"), details.get("chain")
    if not isinstance(session_id, str):
        return
    found.archived.setdefault(session_id, ticket_id)
    if type(entries) is int and entries > 0 and isinstance(head, str):
        found.anchors.setdefault(session_id, []).append(Anchor(f"the history of {ticket_id}", entries, head))


def in_stub(stub: Mapping[str, object]) -> Anchor | None:
    """What the stub in the workspace knows of the private transcript that it stands for."""
    entries, head = stub.get("entries"), stub.get("head")
    if type(entries) is int and entries > 0 and isinstance(head, str):
        return Anchor("the stub in the workspace", entries, head)
    return None


def in_database(connection: Connection, only: str = "") -> Iterator[Known]:
    """Every archive that was written to a file, as the database has it; `only`: that of this session."""
    newest = (
        select(archive.c.session_id, func.max(archive.c.n).label("n"))
        .where(archive.c.file.is_not(None))
        .group_by(archive.c.session_id)
        .subquery()
    )
    this = (archive.c.session_id == newest.c.session_id) & (archive.c.n == newest.c.n)
    written = select(archive).join(newest, this).order_by(archive.c.session_id)
    for row in connection.execute(written.where(archive.c.session_id == only) if only else written).all():
        anchor = _anchor(connection, row.session_id, row.written) if row.written else None
        yield Known(row.session_id, row.workspace, row.file, anchor)


def _anchor(connection: Connection, session_id: str, written: int) -> Anchor:
    """The chain as the database has it; as many entries as were written are in the file for certain."""
    of = archive_entry.c.session_id == session_id
    chained = select(archive_entry.c.entry_id, archive_entry.c.hash).where(of, archive_entry.c.n > 0)
    joints = [Joint(row.entry_id, row.hash, None) for row in connection.execute(chained.order_by(archive_entry.c.n))]
    rest = connection.execute(select(archive_entry).where(of, archive_entry.c.n == 0)).one()
    return Anchor(
        "the database",
        written,
        next(islice(links(session_id, joints), written, None)),
        tuple(joint.hash for joint in joints),
        rest_hashes(rest.salt, json.loads(rest.content)),
    )
