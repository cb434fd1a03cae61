"""Archiving a session to a ticket: the row that says so, and the file that keeps what was said.

The archived transcript is the file; it can be written again from the rows at any time, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from sqlalchemy import Connection, Row, func, select, update

from bot.errors import SessionArchived
from bot.sessions.models import archive
from bot.sessions.session import ChatSession, get_session, set_state
from bot.tickets.files import TEMPORARY, remove_stale, unavailable

FOLDER = ".sciorex/sessions"


@dataclass(frozen=True)
class ArchiveRow:
    """One archiving: to which ticket, with which note, by whom. `file` and `sha256` once it is written."""

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

    @property
    def op(self) -> str:
        """The name of this archiving in the ticket's history: the same one is written there once."""
        return f"archive:{self.session_id}:{self.ticket_id}:{self.n}"


@dataclass(frozen=True)
class Written:
    """Where a transcript is (see `transcript_path`), and the SHA-256 of its bytes."""

    file: str
    sha256: str


def record_archive(
    connection: Connection, session: ChatSession, *, key: str, ticket_id: str, note: str, by: str, now_ms: int
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
    }
    return _row(connection.execute(archive.insert().values(made).returning(archive)).one())


def finish_archive(connection: Connection, row: ArchiveRow, file: str, sha256: str, now_ms: int) -> None:
    """The transcript is written: the session is archived from now on.

    Done again for an archive that was finished before, it notes the file's new hash and no more: the session may
    have been resumed since.
    """
    this = archive.c.id == row.id
    finished = connection.execute(select(archive.c.sha256).where(this)).scalar_one() is not None
    connection.execute(update(archive).where(this).values(file=file, sha256=sha256))
    if not finished:
        set_state(connection, row.session_id, "archived", now_ms)


def newest_archive(connection: Connection, session_id: str) -> ArchiveRow | None:
    """The session's last archiving, if there was one."""
    rows = select(archive).where(archive.c.session_id == session_id).order_by(archive.c.n.desc()).limit(1)
    row = connection.execute(rows).first()
    return _row(row) if row else None


def write_transcript(content: Mapping[str, object], *, workspace: Path, private_folder: Path, public: bool) -> Written:
    """Writes a session's file; the same content again gives the same bytes.

    `public`: into the workspace, which others clone and read. Else into `private_folder` (readable by the bot
    alone), and the workspace gets a stub with id and hash. What was private once stays private, whatever its
    channel has become. Raises WorkspaceUnavailable when the disk refuses.
    """
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    session_id = str(content["id"])
    name = f"session-{session_id}.json"
    open_file, private_file = workspace / FOLDER / name, private_folder / name
    try:
        open_file.parent.mkdir(exist_ok=True)
        if public and not private_file.exists() and not _is_stub(open_file):
            _put(open_file, text, mode=None)
            return Written(f"{FOLDER}/{name}", sha256)
        private_folder.mkdir(parents=True, exist_ok=True)
        private_folder.chmod(0o700)
        _put(private_file, text, mode=0o600)
        stub = {"id": session_id, "status": "archived", "sha256": sha256, "private": True}
        _put(open_file, json.dumps(stub, indent=2) + "\n", mode=None)
    except OSError as error:
        raise unavailable("written", error) from error
    return Written(name, sha256)


def transcript_path(file: str, *, workspace: Path, private_folder: Path) -> Path:
    """Where a transcript's `file` lies: in the workspace, or (a bare name) in the private folder."""
    return workspace / file if file.startswith(f"{FOLDER}/") else private_folder / file


def _is_stub(path: Path) -> bool:
    """Whether the file stands for a private transcript; one that cannot be read is taken for one."""
    try:
        content: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except (ValueError, RecursionError):
        return True
    return not isinstance(content, dict) or content.get("private") is True


def _put(path: Path, text: str, *, mode: int | None) -> None:
    """The whole file or the one before: written beside it, synced, renamed. `mode` None: as a new file gets."""
    remove_stale(list(path.parent.glob(f"{TEMPORARY}*.tmp")))
    if mode is None:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _row(row: Row[tuple[object, ...]]) -> ArchiveRow:
    return ArchiveRow(**{field.name: getattr(row, field.name) for field in fields(ArchiveRow)})
