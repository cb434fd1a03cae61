"""Threads are worked on side by side, each in order; what a dead worker held is taken over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from filelock import FileLock
from sqlalchemy import Connection, select

from bot.database import Database
from bot.inbox.claim import Claim, finish, waiting_items
from bot.inbox.worker import Pace, Worker
from bot.sessions.models import thread, worker
from tests.inbox.arrived import claimed, message, take, the_thread

NOW = 100_000
QUICK = Pace(look=20, grace=50)


@asynccontextmanager
async def working(
    db: Database, work: Callable[[Claim], Awaitable[int | None]], pace: Pace = QUICK
) -> AsyncIterator[Worker]:
    one = Worker(db, work, now_ms=lambda: NOW, pace=pace)
    running = asyncio.create_task(one.run())
    yield one
    await one.close()
    await running


async def items_done(claim: Claim) -> list[str]:
    """Marks everything that waits as done, and gives the texts."""
    items = await claim.read(lambda c: waiting_items(c, claim.thread_id))
    await claim.write("done", lambda c: finish(c, items))
    return [item.body["text"] for item in items]


async def test_a_long_turn_in_one_thread_does_not_keep_another_waiting(db: Database) -> None:
    together = asyncio.Barrier(2)

    async def work(claim: Claim) -> None:
        await together.wait()  # passed only when both threads are in hand at once
        await items_done(claim)
        ended.release()

    ended = asyncio.Semaphore(0)
    await take(db, message("1.000001"), message("2.000001", thread_ts="2.000001"))
    async with working(db, work):
        for _ in range(2):
            await asyncio.wait_for(ended.acquire(), 5)


async def test_a_thread_is_worked_on_by_one_at_a_time_and_in_order(db: Database) -> None:
    seen: list[str] = []
    inside = 0
    ended = asyncio.Event()

    async def work(claim: Claim) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        seen.extend(await items_done(claim))
        inside -= 1
        if len(seen) == 30:
            ended.set()

    async with working(db, work) as one, working(db, work) as two:
        for number in range(30):
            await take(db, message(f"1.{number:06}", str(number)))
            one.wake()
            two.wake()
        await asyncio.wait_for(ended.wait(), 5)
    assert seen == [str(number) for number in range(30)]


async def taken_over(db: Database) -> None:
    """Returns when a new worker has done what the one called `gone` had in hand."""
    ended = asyncio.Event()

    async def work(claim: Claim) -> None:
        assert await items_done(claim) == ["hello"]
        ended.set()

    async with working(db, work):
        await asyncio.wait_for(ended.wait(), 5)


def row_of(name: str, beat_ms: int) -> Callable[[Connection], int]:
    return lambda c: c.execute(worker.insert().values(id=name, beat_ms=beat_ms)).rowcount


async def test_a_worker_without_a_heartbeat_for_half_a_minute_is_dead(db: Database) -> None:
    await take(db, message("1.000001"))
    await claimed(db, "gone")
    await db.write("worker", row_of("gone", NOW - 30_001))
    await taken_over(db)


async def test_on_sqlite_a_restart_takes_over_at_once(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    await take(db, message("1.000001"))
    await claimed(db, "gone")
    await db.write("worker", row_of("gone", NOW))
    await taken_over(db)
    await db.close()


async def test_a_worker_that_lives_keeps_its_threads(db: Database) -> None:
    await take(db, message("1.000001"))
    await claimed(db, "alive")
    await db.write("worker", row_of("alive", NOW))
    held = FileLock(f"{db.sqlite_file}.alive.lock") if db.sqlite_file else None
    if held:
        held.acquire()
    seen = asyncio.Event()

    async def work(claim: Claim) -> None:
        await items_done(claim)
        seen.set()

    async with working(db, work) as one:
        await take(db, message("2.000001", thread_ts="2.000001"))
        one.wake()
        await asyncio.wait_for(seen.wait(), 5)  # by now it has looked at who lives
        workers = await db.read(lambda c: c.execute(select(worker.c.id)).scalars().all())
        owner = await db.read(lambda c: c.execute(select(thread.c.owner).order_by(thread.c.id)).scalars().first())
    assert (set(workers), owner) == ({"alive", one.id}, "alive")
    if held:
        held.release()


async def test_a_worker_that_leaves_hands_back_what_it_has_not_finished(db: Database) -> None:
    begun = asyncio.Event()

    async def work(claim: Claim) -> None:
        begun.set()
        await asyncio.Event().wait()

    await take(db, message("1.000001"))
    async with working(db, work):
        await asyncio.wait_for(begun.wait(), 5)
    left = await db.read(the_thread)
    assert (left.owner, left.ready_ms) == (None, 1_000)
    assert await db.read(lambda c: c.execute(select(worker.c.id)).scalars().all()) == []


async def test_work_that_fails_is_tried_again_a_little_later(db: Database) -> None:
    async def work(claim: Claim) -> None:
        raise RuntimeError("a bug")

    def again(connection: Connection) -> bool:
        held = the_thread(connection)
        return (held.owner, held.ready_ms) == (None, NOW + 5_000)

    await take(db, message("1.000001"))
    async with working(db, work):
        await asyncio.wait_for(until(db, again), 5)


async def test_a_running_turn_hears_that_it_is_to_stop(db: Database) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    held: list[int] = []

    async def work(claim: Claim) -> None:
        held.append(claim.thread_id)
        begun.set()
        await claim.stop.wait()
        await items_done(claim)
        ended.set()

    await take(db, message("1.000001"))
    async with working(db, work) as one:
        await asyncio.wait_for(begun.wait(), 5)
        one.stop_thread(held[0])
        await asyncio.wait_for(ended.wait(), 5)


@pytest.mark.parametrize(("others", "pace"), [(1, Pace(stop=20, alone=600_000)), (0, Pace(stop=600_000, alone=20))])
async def test_a_stop_that_another_process_took_in_is_looked_for_at_the_pace_for_it(
    db: Database, others: int, pace: Pace
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work(claim: Claim) -> None:
        begun.set()
        await claim.stop.wait()
        await items_done(claim)
        ended.set()

    async with AsyncExitStack() as stack:
        for _ in range(others):
            await stack.enter_async_context(working(db, work, Pace(side_by_side=0)))
        await until(db, lambda c: len(c.execute(select(worker)).all()) == others)
        await stack.enter_async_context(working(db, work, pace))
        await take(db, message("1.000001"))
        await asyncio.wait_for(begun.wait(), 5)
        await take(db, replace(message("1.000002"), kind="stop"))
        await asyncio.wait_for(ended.wait(), 5)


async def until(db: Database, so: Callable[[Connection], bool]) -> None:
    while not await db.read(so):
        await asyncio.sleep(0.01)
