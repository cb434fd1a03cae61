"""A thread is in one worker's hands at a time, and nothing that comes meanwhile is forgotten."""

import asyncio
import threading

import pytest
from sqlalchemy import select, update

from bot.database import Database
from bot.inbox import posts
from bot.inbox.claim import (
    Claim,
    ClaimLost,
    Item,
    bury,
    change_waiting,
    claim_next,
    count_attempt,
    finish,
    release,
    waiting_items,
)
from bot.inbox.intake import take_in
from bot.sessions.models import inbox, thread, worker
from tests.inbox.arrived import claimed, maybe_claimed, message, take, the_thread


async def items_of(claim: Claim) -> list[Item]:
    return await claim.read(lambda c: waiting_items(c, claim.thread_id))


async def let_go(claim: Claim, now_ms: int = 3_000, again_ms: int | None = None) -> None:
    await claim.write("release", lambda c: release(c, claim, now_ms, again_ms=again_ms))


async def done(claim: Claim) -> None:
    items = await items_of(claim)
    await claim.write("done", lambda c: finish(c, items))


async def test_the_thread_that_has_waited_longest_goes_first(db: Database) -> None:
    await take(db, message("3.000001", thread_ts="3.000001"), now_ms=300)
    await take(db, message("1.000001", thread_ts="1.000001"), now_ms=100)
    await take(db, message("2.000001", thread_ts="2.000001"), now_ms=200)
    order = [(await claimed(db)).thread_ts for _ in range(3)]
    assert order == ["1.000001", "2.000001", "3.000001"]
    assert await maybe_claimed(db) is None


async def test_what_is_to_be_done_later_is_not_taken_now(db: Database) -> None:
    await take(db, message("1.000001"), now_ms=5_000)
    assert await maybe_claimed(db, now_ms=4_999) is None
    assert await maybe_claimed(db, now_ms=5_000) is not None


async def test_the_items_of_a_thread_are_in_slacks_order_whatever_came_first(db: Database) -> None:
    await take(db, message("1.000003", "third"), message("1.000001", "first"), message("1.000002", "second"))
    items = await items_of(await claimed(db))
    assert [item.body["text"] for item in items] == ["first", "second", "third"]


async def test_workers_that_take_at_once_never_take_the_same_thread(db: Database, database_url: str) -> None:
    stamps = [f"{number}.000001" for number in range(1, 31)]
    await take(db, *(message(ts, thread_ts=ts) for ts in stamps))
    other = Database(database_url)

    async def worker(door: Database, owner: str) -> list[tuple[str, str]]:
        found = []
        while claim := await door.write("claim", lambda c: claim_next(c, door, owner, 2_000)):
            found.append((claim.thread_ts, owner))
        return found

    taken = await asyncio.gather(*(worker(door, f"w-{n}") for n, door in enumerate((db, other, db, other))))
    await other.close()
    # One that finds every ready row locked for the moment stops early; what it leaves is there for the next look.
    taken.append(await worker(db, "w-9"))
    assert sorted(ts for one in taken for ts, _ in one) == sorted(stamps)
    owners = await db.read(lambda c: {r.thread_ts: r.owner for r in c.execute(select(thread))})
    assert owners == dict(pair for one in taken for pair in one)


async def test_a_thread_with_nothing_left_rests(db: Database) -> None:
    await take(db, message("1.000001"))
    claim = await claimed(db)
    await done(claim)
    await let_go(claim)
    assert (await db.read(the_thread)).ready_ms is None
    assert await maybe_claimed(db, now_ms=10**12) is None


async def test_what_came_while_the_thread_was_held_makes_it_ready_again(db: Database) -> None:
    await take(db, message("1.000001"))
    claim = await claimed(db)
    await done(claim)
    await take(db, message("1.000002", "and this"), now_ms=2_500)
    await let_go(claim, now_ms=3_000)
    again = await claimed(db, "w-2", now_ms=3_000)
    assert [item.body["text"] for item in await items_of(again)] == ["and this"]
    assert again.fence == claim.fence + 1


async def test_a_message_not_shown_yet_makes_the_thread_ready_again(db: Database) -> None:
    await take(db, message("1.000001"))
    claim = await claimed(db)
    await done(claim)
    want = {"text": "hello"}
    post = await claim.write(
        "post", lambda c: posts.put(c, key="k", thread_id=claim.thread_id, role="notice", want=want)
    )
    await let_go(claim)
    again = await claimed(db, now_ms=3_000)
    await again.write("shown", lambda c: posts.shown(c, post.id, post.want_rev))
    await let_go(again)
    assert (await db.read(the_thread)).ready_ms is None


async def test_a_thread_may_ask_to_be_taken_later(db: Database) -> None:
    await take(db, message("1.000001"))
    await let_go(await claimed(db), again_ms=9_000)
    assert await maybe_claimed(db, now_ms=8_999) is None
    assert await maybe_claimed(db, now_ms=9_000) is not None


async def test_a_worker_that_lost_its_thread_writes_nothing_more(db: Database) -> None:
    await take(db, message("1.000001"))
    frozen = await claimed(db, "w-frozen")
    await db.write("bury", lambda c: bury(c, ["w-frozen"], 40_000))
    for _ in range(2):  # first in nobody's hands, then in another's
        with pytest.raises(ClaimLost):
            await done(frozen)
        with pytest.raises(ClaimLost):
            await let_go(frozen)
        next_owner = await maybe_claimed(db, "w-2", now_ms=40_000)
    assert next_owner is None  # it was taken in the first round
    held = await db.read(the_thread)
    assert (held.owner, held.fence) == ("w-2", frozen.fence + 1)
    assert [item.key for item in await items_of(frozen)] == ["m:C1:1.000001"]


async def test_the_same_worker_taking_a_thread_again_does_not_revive_its_old_claim(db: Database) -> None:
    await take(db, message("1.000001"))
    old = await claimed(db)
    await let_go(old)
    await claimed(db, now_ms=3_000)
    with pytest.raises(ClaimLost):
        await done(old)


async def test_the_threads_of_the_dead_are_taken_up_and_the_others_stay(db: Database) -> None:
    await take(db, message("1.000001"), message("2.000001", thread_ts="2.000001"))
    await db.write("workers", lambda c: c.execute(worker.insert(), [{"id": w, "beat_ms": 1} for w in "ab"]).rowcount)
    dead, _ = await claimed(db, "a"), await claimed(db, "b")
    # Its thread rested when it died: what it had in hand may still be to be finished.
    await db.write("rest", lambda c: c.execute(update(thread).values(ready_ms=None)).rowcount)
    await db.write("bury", lambda c: bury(c, ["a"], 50_000))
    taken = await claimed(db, "c", now_ms=50_000)
    assert (taken.thread_id, taken.fence) == (dead.thread_id, dead.fence + 1)
    assert await maybe_claimed(db, "c", now_ms=50_000) is None
    assert await db.read(lambda c: c.execute(select(worker.c.id)).scalars().all()) == ["b"]


async def test_burying_nobody_frees_nothing(db: Database) -> None:
    await take(db, message("1.000001"))
    await claimed(db)
    await db.write("bury", lambda c: bury(c, [], 50_000))
    assert (await db.read(the_thread)).owner == "w-1"


async def test_what_is_done_keeps_its_key_and_not_its_words(db: Database) -> None:
    await take(db, message("1.000001", "a secret"))
    claim = await claimed(db)
    items = await items_of(claim)
    await claim.write("tried", lambda c: count_attempt(c, items))
    assert [item.attempts for item in await items_of(claim)] == [1]
    await claim.write("done", lambda c: finish(c, items, turn_id=7))
    assert await items_of(claim) == []
    row = await db.read(lambda c: c.execute(select(inbox)).one())
    assert (row.key, row.state, row.body, row.turn_id) == ("m:C1:1.000001", "done", "{}", 7)


@pytest.mark.parametrize(("kind", "left"), [("edit", ["changed"]), ("delete", [])])
async def test_a_waiting_message_follows_its_edit_or_deletion(db: Database, kind: str, left: list[str]) -> None:
    await take(db, message("1.000001", "as it was"))
    claim = await claimed(db)
    change = Item(0, "e:1", kind, "2", {"ts": "1.000001", "text": "changed", "edited_ts": "2.000001"}, 0, 0)
    await claim.write("change", lambda c: change_waiting(c, claim, change))
    assert [item.body["text"] for item in await items_of(claim)] == left
    row = await db.read(lambda c: c.execute(select(inbox)).one())
    assert "as it was" not in row.body


async def test_what_is_just_being_taken_in_is_not_overlooked_by_a_release(postgres_url: str) -> None:
    """The intake has not committed when the thread is let go: one of the two must see the other."""
    db, other = Database(postgres_url), Database(postgres_url)
    await take(db, message("1.000001"))
    claim = await claimed(db)
    await done(claim)
    written, commit = threading.Event(), threading.Event()

    def slow_intake() -> None:
        with other.engine.begin() as connection:
            take_in(connection, message("1.000002", "late"), 2_500)
            written.set()
            assert commit.wait(10)

    intake = asyncio.create_task(asyncio.to_thread(slow_intake))
    assert await asyncio.to_thread(written.wait, 10)
    leaving = asyncio.create_task(let_go(claim, now_ms=3_000))
    await asyncio.wait([leaving], timeout=0.2)  # it waits for the intake; where it did not, it has overlooked it
    commit.set()
    await asyncio.gather(intake, leaving)
    again = await claimed(db, "w-2", now_ms=3_000)
    assert [item.body["text"] for item in await items_of(again)] == ["late"]
    await db.close()
    await other.close()
