"""What Slack sends is written down once, whatever is in it and however often it comes."""

import asyncio

import pytest
from sqlalchemy import Connection, func, select

from bot.database import Database
from bot.inbox.claim import finish, waiting_items
from bot.inbox.intake import Arrival, clean, served, take_in, thread_for
from bot.sessions.models import inbox, thread
from bot.sessions.session import start_session
from tests.inbox.arrived import claimed, message, take, the_thread


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(inbox)).scalar_one()


async def test_a_message_that_comes_twice_is_one_row(db: Database) -> None:
    first, again = await take(db, message("1.000001"), message("1.000001", "as app_mention"))
    assert first is not None and again is None
    assert await db.read(count) == 1


async def test_many_deliveries_at_once_are_one_row_in_one_thread(db: Database, database_url: str) -> None:
    other = Database(database_url)
    rows = await asyncio.gather(
        *(
            door.write("intake", lambda c: take_in(c, message("1.000001"), 1_000))
            for _ in range(25)
            for door in (db, other)
        )
    )
    await other.close()
    assert len([row for row in rows if row is not None]) == 1
    assert await db.read(count) == 1
    assert (await db.read(the_thread)).ready_ms == 1_000


async def test_a_late_redelivery_of_what_is_done_is_known(db: Database) -> None:
    await take(db, message("1.000001"))
    claim = await claimed(db)
    items = await claim.read(lambda c: waiting_items(c, claim.thread_id))
    await claim.write("done", lambda c: finish(c, items))
    assert await take(db, message("1.000001")) == [None]


async def test_the_same_ts_in_two_workspaces_is_two_messages(db: Database) -> None:
    rows = await take(db, message("1.000001"), message("1.000001", team="T2"))
    assert None not in rows
    assert await db.read(lambda c: c.execute(select(func.count()).select_from(thread)).scalar_one()) == 2


async def test_a_thread_is_ready_from_the_first_of_its_arrivals_on(db: Database) -> None:
    await take(db, message("1.000002"), now_ms=2_000)
    await take(db, message("1.000001"), now_ms=1_000)
    await take(db, message("1.000003"), now_ms=3_000)
    assert (await db.read(the_thread)).ready_ms == 1_000


async def test_only_stop_asks_the_running_turn_to_end_and_a_redelivery_does_not(db: Database) -> None:
    await take(db, message("1.000001"))
    assert (await db.read(the_thread)).stop_ms is None
    stop = Arrival("T1", "C1", "1.000001", "m:C1:1.000002", "stop", "1.000002", {"user": "UADA"})
    await take(db, stop, now_ms=5_000)
    await take(db, stop, now_ms=6_000)
    assert (await db.read(the_thread)).stop_ms == 5_000


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("nul\x00 and \ud83d half", "nul and  half"),
        ("whole 🐛 and ü", "whole 🐛 and ü"),
        ("'; DROP TABLE inbox; -- %s {x}", "'; DROP TABLE inbox; -- %s {x}"),
        ("x" * 40_000, "x" * 40_000),
    ],
    ids=["unstorable", "unicode", "quotes", "long"],
)
async def test_any_text_can_be_stored(db: Database, sent: str, stored: str) -> None:
    await take(db, message("1.000001", sent))
    claim = await claimed(db)
    (item,) = await claim.read(lambda c: waiting_items(c, claim.thread_id))
    assert item.body == {"ts": "1.000001", "text": stored}


def test_cleaning_reaches_every_depth_and_leaves_the_rest() -> None:
    body = {"k\x00": [1, None, True, ("a\x00", {"b": "\udfff"})], "n": 1.5}
    assert clean(body) == {"k": [1, None, True, ["a", {"b": ""}]], "n": 1.5}


async def test_only_sessions_and_what_may_become_one_are_served(db: Database) -> None:
    def here(connection: Connection) -> bool:
        return served(connection, "T1", "C1", "1.000001")

    assert not await db.read(here)
    await take(db, message("1.000001"))
    assert await db.read(here)
    claim = await claimed(db)
    items = await claim.read(lambda c: waiting_items(c, claim.thread_id))
    await claim.write("done", lambda c: finish(c, items))
    assert not await db.read(here)
    await db.write(
        "session",
        lambda c: start_session(
            c,
            session_id="s-1",
            team="T1",
            workspace="main",
            thread_id=claim.thread_id,
            title="t",
            agent="a",
            model="m",
            by="U",
            now_ms=1,
        ),
    )
    assert await db.read(here)
    assert not await db.read(lambda c: served(c, "T2", "C1", "1.000001"))


async def test_a_slack_thread_has_one_row(db: Database) -> None:
    ids = await asyncio.gather(
        *(db.write("thread", lambda c: thread_for(c, "T1", "C1", "1.000001")) for _ in range(10))
    )
    assert len(set(ids)) == 1
    assert await db.write("thread", lambda c: thread_for(c, "T1", "C1", "")) not in ids
