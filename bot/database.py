"""One door to SQLite or PostgreSQL: `await db.read(fn)`, `await db.write(name, fn)`; fn(connection) is plain code.

Promise: when `write` returns, the change is on disk (SQLite: WAL with synchronous=FULL). On SQLite one writer
thread commits a batch of waiting writes at once, so a function may be run twice: no I/O in it, plain values back.
`settle(connection)`, where there is one, is called behind every write before it is committed.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

from filelock import FileLock
from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

T = TypeVar("T")
log = logging.getLogger(__name__)
BATCH = 64
MIGRATION_LOCK = 7_042_042  # any number that no other program takes as its advisory lock in this database


class _Writes(Protocol):
    def submit(self, fn: Callable[[Connection], T]) -> Future[T]: ...
    def close(self) -> None: ...


class Database:
    """A SQLite file (`sqlite:///path`) or a PostgreSQL server (`postgresql://…`), chosen by the URL alone."""

    def __init__(
        self, url: str, *, threads: int = 6, settle: Callable[[Connection], None] = lambda connection: None
    ) -> None:
        self.url = make_url(url)
        self.sqlite_file = Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None
        self._readers = ThreadPoolExecutor(threads, thread_name_prefix="db-read")
        self._writes: _Writes
        if self.sqlite_file:
            self.engine = _sqlite_engine(url, "BEGIN")
            self._writer_engine = _sqlite_engine(url, "BEGIN IMMEDIATE")
            self._writes = _BatchWriter(self._writer_engine, settle)
        else:
            self.engine = self._writer_engine = create_engine(
                self.url.set(drivername="postgresql+psycopg"), pool_size=threads * 2, pool_pre_ping=True
            )
            self._writes = _PoolWriter(self.engine, threads, settle)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Runs fn in a transaction of its own and gives what it gives; fn changes nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, fn)

    async def look(self, fn: Callable[[Connection], T]) -> T:
        """As read, for a few rows by their keys: on SQLite where it is called, since the way to another thread and back
        takes longer than such a read."""
        return self._read(fn) if self.sqlite_file else await self.read(fn)

    def _read(self, fn: Callable[[Connection], T]) -> T:
        with self.engine.begin() as connection:
            return fn(connection)

    async def write(self, name: str, fn: Callable[[Connection], T]) -> T:
        """Runs fn in a transaction and commits it; `name` says what it does, for logs and crash tests.

        Cancelling the caller does not undo a write that is under way: it is shielded.
        """
        return await asyncio.shield(asyncio.wrap_future(self._writes.submit(fn)))

    def migrate(self) -> None:
        """Brings the tables up to date (Alembic), one process at a time."""
        if self.sqlite_file:
            self.sqlite_file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.sqlite_file}.migrating"), self._writer_engine.begin() as connection:
                _upgrade(connection)
            return
        with self.engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            _upgrade(connection)

    async def close(self) -> None:
        """Finishes what was begun and lets the connections go."""
        await asyncio.to_thread(self._writes.close)
        self._readers.shutdown(wait=True)
        self.engine.dispose()
        self._writer_engine.dispose()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    stands = MigrationContext.configure(connection)
    before = stands.get_current_revision()
    command.upgrade(config, "head")
    if before != (after := stands.get_current_revision()):
        log.info("the database's tables were brought from %s to %s", before or "nothing", after)


def insert_once(connection: Connection, table: Table, **values: object) -> int | None:
    """Inserts a row unless one with the same unique key is there; gives its id, or None when it was there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing().returning(table.c.id)
    return connection.execute(statement).scalar_one_or_none()


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Inserts rows, each unless one with the same unique key is there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    if rows:
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows))


def _sqlite_engine(url: str, begin: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30}, pool_size=8)

    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions are begun by the listener below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class _BatchWriter:
    """The one thread that writes to SQLite: what waits is run and committed together."""

    def __init__(self, engine: Engine, settle: Callable[[Connection], None]) -> None:
        self._engine, self._settle = engine, settle
        self._queue: queue.Queue[tuple[Callable[[Connection], object], Future[object]] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the database is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="db-write", daemon=True)
                self._thread.start()
            self._queue.put((fn, future))  # type: ignore[arg-type]
        return future

    def close(self) -> None:
        with self._lock:
            closed, self._closed = self._closed, True
            if self._thread and not closed:
                self._queue.put(None)
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            last = False
            while len(batch) < BATCH and not self._queue.empty():
                job = self._queue.get()
                if job is None:
                    last = True
                    break
                batch.append(job)
            self._commit(batch)
            if last:
                return

    def _commit(self, batch: list[tuple[Callable[[Connection], object], Future[object]]]) -> None:
        """All in one transaction; when one of several fails, each again by itself, so that only it fails."""
        try:
            with self._engine.begin() as connection:
                results = [fn(connection) for fn, _ in batch]
                self._settle(connection)
        except BaseException as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for job in batch:
                self._commit([job])
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)


class _PoolWriter:
    """Writes to PostgreSQL from a few threads; a deadlock is tried again."""

    def __init__(self, engine: Engine, threads: int, settle: Callable[[Connection], None]) -> None:
        self._engine, self._settle = engine, settle
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="db-write")

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        return self._pool.submit(self._run, fn)

    def close(self) -> None:
        self._pool.shutdown(wait=True)

    def _run(self, fn: Callable[[Connection], T]) -> T:
        for _ in range(3):
            try:
                return self._once(fn)
            except OperationalError as error:
                if "deadlock" not in str(error).lower():
                    raise
        return self._once(fn)

    def _once(self, fn: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            result = fn(connection)
            self._settle(connection)
            return result
