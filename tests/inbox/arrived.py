"""Things that arrive, to test with."""

from functools import partial

from sqlalchemy import Connection, Row, select

from bot.database import Database
from bot.inbox.claim import Claim, claim_next
from bot.inbox.intake import Arrival, take_in
from bot.sessions.models import thread


def message(ts: str, text: str = "hello", *, thread_ts: str = "1.000001", team: str = "T1") -> Arrival:
    return Arrival(team, "C1", thread_ts, f"m:C1:{ts}", "said", ts, {"ts": ts, "text": text})


async def take(db: Database, *arrivals: Arrival, now_ms: int = 1_000) -> list[int | None]:
    """Takes these in, one write each."""
    found = []
    for arrival in arrivals:
        found.append(await db.write("intake", partial(take_in, arrival=arrival, now_ms=now_ms)))
    return found


async def claimed(db: Database, owner: str = "w-1", now_ms: int = 2_000) -> Claim:
    """The claim of a thread that must be ready."""
    claim = await maybe_claimed(db, owner, now_ms)
    assert claim is not None
    return claim


async def maybe_claimed(db: Database, owner: str = "w-1", now_ms: int = 2_000) -> Claim | None:
    return await db.write("claim", lambda c: claim_next(c, db, owner, now_ms))


def the_thread(connection: Connection) -> Row[tuple[object, ...]]:
    """The only thread there is."""
    return connection.execute(select(thread)).one()
