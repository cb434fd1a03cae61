"""The door to the database: what was written is there, and one failure is nobody else's."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.database import Database, insert_once
from bot.sessions.models import inbox, metadata, thread, worker
from tests.postgres import Postgres


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


class Writing:
    """Adds a worker's row and gives its id."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, connection: Connection) -> str:
        connection.execute(worker.insert().values(id=self.name, beat_ms=0))
        return self.name


def names(connection: Connection) -> list[str]:
    return list(connection.execute(select(worker.c.id).order_by(worker.c.id)).scalars())


async def test_what_was_written_is_there_for_another_process(db: Database, database_url: str) -> None:
    assert await db.write("add", Writing("a")) == "a"
    other = Database(database_url)
    assert await other.read(names) == ["a"]
    await other.close()


async def test_each_of_many_writers_gets_its_own_result(db: Database) -> None:
    wanted = [f"w{number:03}" for number in range(150)]
    assert await asyncio.gather(*(db.write("add", Writing(name)) for name in wanted)) == wanted
    assert await db.read(names) == wanted


async def test_a_write_that_fails_fails_alone(db: Database) -> None:
    writes = [Writing("a"), Writing("b"), Writing("b"), Writing("c")]
    results = await asyncio.gather(*(db.write("add", fn) for fn in writes), return_exceptions=True)
    assert [isinstance(result, IntegrityError) for result in results].count(True) == 1
    assert (results[0], results[3]) == ("a", "c")
    assert await db.read(names) == ["a", "b", "c"]


async def test_a_write_that_fails_leaves_nothing_behind(db: Database) -> None:
    def half(connection: Connection) -> None:
        Writing("half")(connection)
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        await db.write("half", half)
    assert await db.read(names) == []


async def test_cancelling_the_caller_does_not_undo_the_write_and_hurts_no_other(db: Database) -> None:
    loop = asyncio.get_running_loop()
    running, cancelled = asyncio.Event(), threading.Event()

    def write(connection: Connection) -> None:
        loop.call_soon_threadsafe(running.set)
        assert cancelled.wait(5)
        Writing("kept")(connection)

    caller = asyncio.create_task(db.write("add", write))
    await running.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    cancelled.set()
    await asyncio.wait_for(db.write("add", Writing("next")), 5)
    await db.close()
    again = Database(db.url.render_as_string(hide_password=False))
    assert await again.read(names) == ["kept", "next"]
    await again.close()


async def test_two_processes_counting_at_once_lose_nothing(db: Database, database_url: str) -> None:
    def count(connection: Connection) -> None:
        row = connection.execute(select(worker.c.beat_ms).where(worker.c.id == "n").with_for_update()).one()
        connection.execute(update(worker).where(worker.c.id == "n").values(beat_ms=row.beat_ms + 1))

    await db.write("add", Writing("n"))
    other = Database(database_url)
    await asyncio.gather(*(door.write("count", count) for _ in range(60) for door in (db, other)))
    await other.close()
    assert await db.read(lambda c: c.execute(select(worker.c.beat_ms)).scalar_one()) == 120


async def test_the_same_key_is_inserted_once(db: Database) -> None:
    def insert(connection: Connection) -> int | None:
        return insert_once(connection, thread, team="T1", channel="C1", thread_ts="1.000001")

    made = await asyncio.gather(*(db.write("thread", insert) for _ in range(20)))
    assert [one for one in made if one is not None] == await db.read(
        lambda c: list(c.execute(select(thread.c.id)).scalars())
    )


async def test_a_row_that_points_nowhere_is_refused(db: Database) -> None:
    row = {"team": "T1", "key": "k", "thread_id": 404, "kind": "said", "order_ts": "1", "body": "{}"}
    with pytest.raises(IntegrityError):
        await db.write("orphan", lambda c: c.execute(inbox.insert().values(**row, received_ms=1)).rowcount)


async def test_writing_after_the_end_is_an_error_and_not_a_wait(db: Database) -> None:
    await db.write("add", Writing("a"))
    await db.close()
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(db.write("add", Writing("b")), 5)


def is_the_models(_object: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
    """Whether the models say it. The full-text index is each database's own (FTS5's tables; a tsvector with its
    index), and SQLAlchemy has no words for it: it stands in migration 0006 alone, and tests of the search hold it."""
    own = str(name).startswith("said_fts") or (kind == "column" and name == "vector") or name == "ix_said_vector"
    return not own


async def test_the_migrations_make_the_tables_of_the_models(db: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_object": is_the_models})
        return list(compare_metadata(context, metadata))

    assert await db.read(differences) == []


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/not/there/yet/bot.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    postgres.run("DROP DATABASE IF EXISTS unmigrated WITH (FORCE)")
    postgres.run("CREATE DATABASE unmigrated")
    return postgres.url("unmigrated")


async def test_processes_that_start_at_once_migrate_one_after_the_other(
    empty_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot")
    doors = [Database(empty_url) for _ in range(3)]
    await asyncio.gather(*(asyncio.to_thread(door.migrate) for door in doors))
    assert await doors[0].read(lambda c: c.execute(select(func.count()).select_from(thread)).scalar_one()) == 0
    for door in doors:
        await door.close()
    [told] = [record.getMessage() for record in caplog.records if record.name == "bot.database"]
    assert told.startswith("the database's tables were brought from nothing to 00")
