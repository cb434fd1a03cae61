"""The file in which a local Slack outlives its process: rows of (kind, id, JSON)."""

import json
import sqlite3
from pathlib import Path

from bot.local_slack.refusals import Json


class Store:
    """Rows written together at commit(), so that a killed process leaves whole calls behind, or nothing.

    Without a folder nothing is written, and everything ends with the process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._pending: dict[tuple[str, str], Json | None] = {}
        self._connection: sqlite3.Connection | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(folder / "slack.db", isolation_level=None)
            # Against SIGKILL the operating system's cache is enough; only a power cut needs more.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=OFF")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS kept"
                " (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID"
            )

    def read(self, kind: str) -> dict[str, Json]:
        if self._connection is None:
            return {}
        rows = self._connection.execute("SELECT id, body FROM kept WHERE kind = ? ORDER BY id", (kind,))
        return {row[0]: json.loads(row[1]) for row in rows}

    def put(self, kind: str, row_id: str, body: Json | None) -> None:
        """Notes a row for the next commit; None removes it."""
        if self._connection is not None:
            self._pending[kind, row_id] = body

    def commit(self) -> None:
        if self._connection is None or not self._pending:
            return
        pending, self._pending = self._pending, {}
        gone = [key for key, body in pending.items() if body is None]
        kept = [(*key, json.dumps(body)) for key, body in pending.items() if body is not None]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("DELETE FROM kept WHERE kind = ? AND id = ?", gone)
        self._connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", kept)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        if self._connection is not None:
            self.commit()
            self._connection.close()
            self._connection = None


class Table(dict[str, Json]):
    """One kind of row as a dict. put() and drop() reach the store; a row changed in place needs put()."""

    def __init__(self, store: Store, kind: str) -> None:
        super().__init__(store.read(kind))
        self._store, self._kind = store, kind

    def put(self, row_id: str, body: Json) -> Json:
        self[row_id] = body
        self._store.put(self._kind, row_id, body)
        return body

    def drop(self, row_id: str) -> None:
        if self.pop(row_id, None) is not None:
            self._store.put(self._kind, row_id, None)
