"""The catalogue: what the files of a workspace hold, in a disposable sqlite3 file outside the workspace.

It is derived from the files and shared by every process that works on them. Deleted, it comes back.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from bot.tickets import files

_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS folder (name TEXT PRIMARY KEY, listed_ns INTEGER NOT NULL, swept INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY, folder TEXT NOT NULL, name TEXT NOT NULL,
    mtime_ns INTEGER NOT NULL, size INTEGER NOT NULL, inode INTEGER NOT NULL, settled INTEGER NOT NULL,
    digest TEXT NOT NULL, written TEXT NOT NULL, prefix TEXT, number INTEGER, sole INTEGER NOT NULL DEFAULT 1,
    line INTEGER, cause TEXT,
    title TEXT, type TEXT, priority INTEGER, status TEXT, labels TEXT, epic TEXT, epic_prefix TEXT,
    epic_number INTEGER, completed INTEGER, subtasks INTEGER, created INTEGER, updated INTEGER, archived INTEGER,
    latest INTEGER GENERATED ALWAYS AS (coalesce(updated, created)) VIRTUAL,
    UNIQUE (name, folder));
CREATE INDEX IF NOT EXISTS file_key ON file (prefix, number, folder);
CREATE INDEX IF NOT EXISTS file_number ON file (number);
CREATE INDEX IF NOT EXISTS ticket_latest ON file (latest DESC, prefix DESC, number DESC)
    WHERE folder = 'tickets' AND sole AND cause IS NULL AND NOT archived;
CREATE INDEX IF NOT EXISTS ticket_status ON file (status, latest DESC, prefix DESC, number DESC)
    WHERE folder = 'tickets' AND sole AND cause IS NULL AND NOT archived;
CREATE INDEX IF NOT EXISTS ticket_epic ON file (epic_prefix, epic_number, status) WHERE epic_number IS NOT NULL;
CREATE INDEX IF NOT EXISTS file_wrong ON file (name) WHERE cause IS NOT NULL OR NOT sole;
CREATE TABLE IF NOT EXISTS heading (file INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS words (file INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS blocker (file INTEGER NOT NULL, prefix TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (file, prefix, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS made (op TEXT NOT NULL, file INTEGER NOT NULL, PRIMARY KEY (op, file)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS made_file ON made (file);
"""
_BUSY_SECONDS, _TRIES = 30.0, 50


class Catalogue:
    """The sqlite3 file of one workspace; a connection a thread. Everything may raise sqlite3.Error."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self._local = threading.local()

    @cached_property
    def file(self) -> Path:
        """Where it is kept; a newer form gets another name."""
        return files.cache_folder("index") / f"{files.workspace_name(self.workspace)}-{_VERSION}.sqlite3"

    def connection(self) -> sqlite3.Connection:
        """This thread's connection; opened anew when the file was deleted or the process forked."""
        file, known = self.file, getattr(self._local, "opened", None)
        with contextlib.suppress(FileNotFoundError):
            if known is not None and known[:3] == (file, os.getpid(), file.stat().st_ino):
                found: sqlite3.Connection = known[3]
                return found
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            opened = _open(file)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            self.discard()
            opened = _open(file)
        self._local.opened = (file, os.getpid(), file.stat().st_ino, opened)
        return opened

    def discard(self) -> None:
        """Deletes the file: the next connection makes a new one, empty."""
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                Path(f"{self.file}{ending}").unlink()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, alone among all processes."""
        connection = self.connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def damaged(error: sqlite3.Error) -> bool:
    """Whether the catalogue must be made anew; else others were only working on it."""
    return not (isinstance(error, sqlite3.OperationalError) and "locked" in str(error))


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = OFF")
    for again in reversed(range(_TRIES)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:  # two at once: SQLite does not wait here, whatever it is told
            if not again:
                raise
            time.sleep(0.02)
    if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    return connection


def listed(connection: sqlite3.Connection, folder: str) -> tuple[int, bool]:
    """The folder's time when its names were last looked at, and whether every file was read since the beginning."""
    found = connection.execute("SELECT listed_ns, swept FROM folder WHERE name = ?", (folder,)).fetchone()
    return (found[0], bool(found[1])) if found else (-1, False)


def set_listed(connection: sqlite3.Connection, folder: str, at_ns: int, *, swept: bool) -> None:
    """Keeps the folder's time, once its names (and with `swept` its files too) have been looked at."""
    connection.execute(
        "INSERT INTO folder VALUES (?, ?, ?) ON CONFLICT (name)"
        " DO UPDATE SET listed_ns = excluded.listed_ns, swept = max(swept, excluded.swept)",
        (folder, at_ns, swept),
    )
