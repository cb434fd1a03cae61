"""A thread in the hands of one worker: every write inside checks that it still is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, exists, or_, select, update

from bot.database import Database
from bot.sessions.models import inbox, post, thread, worker
from bot.sessions.questions import questions_due

T = TypeVar("T")
# What is asked several times in every turn is built once: SQLAlchemy takes longer to build it than SQLite to answer it.
HELD = select(thread.c.owner, thread.c.fence).where(thread.c.id == bindparam("thread_id")).with_for_update()
STOP = select(thread.c.stop_ms).where(thread.c.id == bindparam("thread_id"))
WAITING = (
    select(inbox)
    .where(inbox.c.thread_id == bindparam("of_thread"), inbox.c.state == "new")
    .order_by(inbox.c.order_ts, inbox.c.id)
)


class ClaimLost(Exception):
    """Another worker has the thread now; whatever this one was doing, the other does."""


class NotYet(Exception):
    """Something else has to come first, and is on its way: the item is looked at again in a moment."""


@dataclass(frozen=True)
class Item:
    """A row of the inbox, taken up."""

    id: int
    key: str
    kind: str
    order_ts: str
    body: dict[str, Any]
    attempts: int
    received_ms: int


@dataclass
class Claim:
    """The lease of one thread. `stop` is set when somebody asks for the running turn to end."""

    db: Database
    thread_id: int
    team: str
    channel: str
    thread_ts: str
    owner: str
    fence: int
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, name: str, fn: Callable[[Connection], T]) -> T:
        """As Database.write, with the thread's row locked; raises ClaimLost when the lease has passed on."""
        return await self.db.write(name, lambda connection: fn(self._checked(connection)))

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """As Database.read."""
        return await self.db.read(fn)

    async def look(self, fn: Callable[[Connection], T]) -> T:
        """As Database.look."""
        return await self.db.look(fn)

    def _checked(self, connection: Connection) -> Connection:
        row = connection.execute(HELD, {"thread_id": self.thread_id}).one()
        if (row.owner, row.fence) != (self.owner, self.fence):
            raise ClaimLost(f"thread {self.thread_id}")
        return connection


def claim_next(connection: Connection, db: Database, owner: str, now_ms: int) -> Claim | None:
    """Leases the thread that has waited longest, if any is ready and in nobody's hands."""
    candidate = (
        select(thread)
        .where(thread.c.ready_ms <= now_ms, thread.c.owner.is_(None))
        .order_by(thread.c.ready_ms, thread.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(candidate).first()
    if row is None:
        return None
    fence = row.fence + 1
    connection.execute(update(thread).where(thread.c.id == row.id).values(owner=owner, fence=fence))
    return Claim(db, row.id, row.team, row.channel, row.thread_ts, owner, fence)


def release(connection: Connection, claim: Claim, now_ms: int, *, again_ms: int | None = None) -> None:
    """Lets the thread go; it is ready again at `again_ms`, or at once when something came meanwhile (an answer to what
    a turn waits for, too), or when a question runs out."""
    more = select(inbox.c.id).where(inbox.c.thread_id == claim.thread_id, inbox.c.state == "new")
    unshown = select(post.c.id).where(
        post.c.thread_id == claim.thread_id, post.c.want.is_not(None), post.c.want_rev > post.c.shown_rev
    )
    if again_ms is None and connection.execute(select(exists(more) | exists(unshown))).scalar_one():
        again_ms = now_ms
    if again_ms is None:
        again_ms = questions_due(connection, claim.thread_id, now_ms)
    connection.execute(update(thread).where(thread.c.id == claim.thread_id).values(owner=None, ready_ms=again_ms))


def waiting_items(connection: Connection, thread_id: int) -> list[Item]:
    """What has come for this thread and is not done, in the order in which it happened in Slack."""
    rows = connection.execute(WAITING, {"of_thread": thread_id})
    return [Item(r.id, r.key, r.kind, r.order_ts, json.loads(r.body), r.attempts, r.received_ms) for r in rows]


def beginning_waits(connection: Connection, thread_id: int, thread_ts: str) -> bool:
    """Whether the item with which a thread of the bot's own begins (it has the root's ts) is still to be done."""
    begins = (inbox.c.thread_id == thread_id, inbox.c.order_ts == thread_ts, inbox.c.kind != "message")
    return connection.execute(select(inbox.c.id).where(*begins, inbox.c.state == "new")).first() is not None


def finish(connection: Connection, items: Sequence[Item], *, turn_id: int | None = None) -> None:
    """Marks items as done. Their keys stay, so that a late redelivery is known; what they said does not."""
    ids = [item.id for item in items]
    connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(state="done", body="{}", turn_id=turn_id))


def note_on(connection: Connection, item: Item, **more: object) -> None:
    """Notes how far an item has come, for whoever does it again after a crash."""
    text = json.dumps({**item.body, **more}, ensure_ascii=False)
    connection.execute(update(inbox).where(inbox.c.id == item.id).values(body=text))


def count_attempt(connection: Connection, items: Sequence[Item]) -> None:
    """Notes that these items are being tried (again)."""
    ids = [item.id for item in items]
    connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(attempts=inbox.c.attempts + 1))


def bury(connection: Connection, dead: Sequence[str], now_ms: int) -> None:
    """Frees the threads of workers that are no more, so that others go on with them."""
    if not dead:
        return
    freed = update(thread).where(thread.c.owner.in_(dead))
    still = or_(thread.c.ready_ms.is_(None), thread.c.ready_ms > now_ms)
    connection.execute(freed.where(still).values(ready_ms=now_ms))
    connection.execute(freed.values(owner=None))
    connection.execute(worker.delete().where(worker.c.id.in_(dead)))


def change_waiting(connection: Connection, claim: Claim, change: Item) -> None:
    """A message was edited or deleted before it was taken up: it waits with its new text, or no more."""
    key = f"m:{claim.channel}:{change.body['ts']}"
    row = connection.execute(
        select(inbox).where(inbox.c.team == claim.team, inbox.c.key == key, inbox.c.state == "new")
    ).first()
    if row is None:
        return
    if change.kind == "delete":
        connection.execute(update(inbox).where(inbox.c.id == row.id).values(state="done", body="{}"))
        return
    body = {**json.loads(row.body), "text": change.body["text"], "edited_ts": change.body["edited_ts"]}
    left = change.body.get("files_left")
    if left is not None and body.get("about_files"):
        pairs = zip(body["files"], body["about_files"], strict=False)
        kept = [(file, about) for file, about in pairs if not about.get("id") or about["id"] in left]
        body |= {"files": [file for file, _ in kept], "about_files": [about for _, about in kept]}
    text = json.dumps(body, ensure_ascii=False)
    connection.execute(update(inbox).where(inbox.c.id == row.id).values(body=text))


def stop_asked(connection: Connection, thread_id: int) -> bool:
    """Whether somebody has asked the turn that runs here to end."""
    return connection.execute(STOP, {"thread_id": thread_id}).scalar_one() is not None


def stop_heard(connection: Connection, thread_id: int) -> None:
    """The turn has ended; the next one is not to be stopped."""
    connection.execute(update(thread).where(thread.c.id == thread_id).values(stop_ms=None))
