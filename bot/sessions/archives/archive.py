"""Archiving a session to a ticket: the row that says so. What was archived is in archive_chain and archive_file."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import Connection, Row, bindparam, func, select, update

from bot.errors import SessionArchived
from bot.sessions.models import archive
from bot.sessions.session import ChatSession, get_session, set_state

NEWEST = select(archive).where(archive.c.session_id == bindparam("of_session")).order_by(archive.c.n.desc()).limit(1)


@dataclass(frozen=True)
class ArchiveRow:
    """One archiving: to which ticket, with which note, by whom.

    `until`: messages up to this ts belong to it, however late they come. `entries` and `head`: how long the chain was
    with this archiving as its end, and its last link. `file`, `sha256` and `written` (entries) once it is written.
    """

    id: int
    session_id: str
    n: int
    key: str
    ticket_id: str
    note: str
    by: str
    ms: int
    file: str | None
    sha256: str | None
    until: str | None
    entries: int | None
    head: str | None
    written: int | None

    @property
    def op(self) -> str:
        """The name of this archiving in the ticket's history: the same one is written there once."""
        return f"archive:{self.session_id}:{self.ticket_id}:{self.n}"


def record_archive(
    connection: Connection,
    session: ChatSession,
    *,
    key: str,
    ticket_id: str,
    note: str,
    by: str,
    now_ms: int,
    until: str | None = None,
) -> ArchiveRow:
    """Writes down that the session is to be archived; the same key again gives the row made before.

    Raises SessionArchived when it is archived already and this is another request.
    """
    of_session = select(archive).where(archive.c.session_id == session.id)
    known = connection.execute(of_session.where(archive.c.key == key)).first()
    if known:
        return _row(known)
    if get_session(connection, session.id).state == "archived":
        raise SessionArchived("This session is archived already.")
    last = select(func.coalesce(func.max(archive.c.n), 0)).where(archive.c.session_id == session.id)
    made = {
        "session_id": session.id,
        "team": session.team,
        "workspace": session.workspace,
        "n": connection.execute(last).scalar_one() + 1,
        "key": key,
        "ticket_id": ticket_id,
        "note": note,
        "by": by,
        "ms": now_ms,
        "until": until,
    }
    return _row(connection.execute(archive.insert().values(made).returning(archive)).one())


def finish_archive(
    connection: Connection, row: ArchiveRow, file: str, sha256: str, now_ms: int, written: int | None = None
) -> None:
    """The transcript is written, with so many entries: the session is archived from now on.

    Done again for an archive that was finished before, it notes the file's new hash and no more: the session may
    have been resumed since.
    """
    this = archive.c.id == row.id
    finished = connection.execute(select(archive.c.sha256).where(this)).scalar_one() is not None
    connection.execute(update(archive).where(this).values(file=file, sha256=sha256, written=written))
    if not finished:
        set_state(connection, row.session_id, "archived", now_ms)


def newest_archive(connection: Connection, session_id: str) -> ArchiveRow | None:
    """The session's last archiving, if there was one."""
    row = connection.execute(NEWEST, {"of_session": session_id}).first()
    return _row(row) if row else None


def archives_of(connection: Connection, session_id: str) -> list[ArchiveRow]:
    """Every archiving of the session, in order."""
    rows = select(archive).where(archive.c.session_id == session_id).order_by(archive.c.n)
    return [_row(row) for row in connection.execute(rows)]


def _row(row: Row[tuple[object, ...]]) -> ArchiveRow:
    return ArchiveRow(**{field.name: getattr(row, field.name) for field in fields(ArchiveRow)})
