"""Takes threads that have something to do, one lease a thread, many threads side by side."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, func, select, update

from bot.database import Database
from bot.inbox.claim import Claim, ClaimLost, bury, claim_next, release
from bot.sessions.models import thread, worker

log = logging.getLogger(__name__)
SOONEST = select(func.min(thread.c.ready_ms)).where(thread.c.owner.is_(None))


@dataclass(frozen=True)
class Pace:
    """How long the worker waits for what; milliseconds but for `side_by_side` (threads at once)."""

    beat: int = 10_000
    dead_after: int = 30_000
    stop: int = 150  # how often it is looked for stops that another process took in
    alone: int = 500  # the same while no other process is known
    look: int = 1_000  # how often it looks for threads nobody woke it for
    grace: int = 25_000  # how long running turns may go on after the order to stop
    settle: int = 10_000  # how long a dead process's request may still land in Slack (durability)
    side_by_side: int = 40


class Worker:
    """Runs `work(claim)` for every ready thread until closed. `work` gives None, or when to come back (ms)."""

    def __init__(
        self,
        db: Database,
        work: Callable[[Claim], Awaitable[int | None]],
        *,
        now_ms: Callable[[], int],
        pace: Pace | None = None,
    ) -> None:
        self.id = f"w-{secrets.token_hex(6)}"
        self._db, self._work, self._now_ms = db, work, now_ms
        self._pace = pace or Pace()
        self._awake = asyncio.Event()
        self._running: dict[int, tuple[Claim, asyncio.Task[None]]] = {}
        self._closing, self._alone = False, True
        self._lock = FileLock(self._lock_file(self.id)) if db.sqlite_file else None

    def wake(self) -> None:
        """Something has come: look now."""
        self._awake.set()

    def stop_thread(self, thread_id: int) -> None:
        """Asks the turn that runs in this thread, if it runs here, to end."""
        if thread_id in self._running:
            self._running[thread_id][0].stop.set()

    async def run(self) -> None:
        """Works until `close` is called."""
        if self._lock:
            self._lock.acquire()
        await self._beat()
        beside = [asyncio.create_task(task) for task in (self._keep_beating(), self._hear_stops())]
        try:
            while not self._closing:
                self._awake.clear()
                await self._sleep_until_woken(await self._take_ready())
        finally:
            for task in beside:
                task.cancel()

    async def close(self) -> None:
        """Takes nothing more, lets running turns end within the grace, hands the others back as they stand."""
        self._closing = True
        self._awake.set()
        tasks = [task for _, task in self._running.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._pace.grace / 1000)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._db.write("worker leaves", lambda c: bury(c, [self.id], self._now_ms()))
        if self._lock:
            self._lock.release()
            Path(self._lock.lock_file).unlink(missing_ok=True)

    async def _take_ready(self) -> int | None:
        """Takes the threads that are ready, as many as there is room for; gives when the next one will be."""
        while not self._closing:
            due = await self._db.look(_next_due)
            if due is None or due > self._now_ms() or len(self._running) >= self._pace.side_by_side:
                return due
            claim = await self._db.write("claim", self._claim_next)
            if claim is None:
                return due
            self._running[claim.thread_id] = (claim, asyncio.create_task(self._hold(claim)))
        return None

    def _claim_next(self, connection: Connection) -> Claim | None:
        return claim_next(connection, self._db, self.id, self._now_ms())

    async def _hold(self, claim: Claim) -> None:
        """One lease from beginning to end."""
        again: int | None = None
        try:
            again = await self._work(claim)
        except ClaimLost:
            log.warning("lost the lease of thread %s", claim.thread_id)
            return
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("work on thread %s failed", claim.thread_id)
            again = self._now_ms() + 5_000
        finally:
            self._running.pop(claim.thread_id, None)
        try:
            await claim.write("release", lambda c: release(c, claim, self._now_ms(), again_ms=again))
        except ClaimLost:
            log.warning("lost the lease of thread %s", claim.thread_id)
        self._awake.set()

    async def _sleep_until_woken(self, due: int | None) -> None:
        wait = self._pace.look if due is None else min(self._pace.look, max(5, due - self._now_ms()))
        if len(self._running) >= self._pace.side_by_side:
            wait = self._pace.look
        try:
            await asyncio.wait_for(self._awake.wait(), wait / 1000)
        except TimeoutError:
            return

    async def _hear_stops(self) -> None:
        """A stop that was taken in by another process reaches the turn that runs here."""
        mine = select(thread.c.id).where(thread.c.owner == self.id, thread.c.stop_ms.is_not(None))
        while True:
            await asyncio.sleep((self._pace.alone if self._alone else self._pace.stop) / 1000)
            if self._running:
                try:
                    for thread_id in await self._db.look(lambda c: c.execute(mine).scalars().all()):
                        self.stop_thread(thread_id)
                except Exception:
                    log.exception("whether somebody stopped a turn could not be looked up")

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._pace.beat / 1000)
            try:
                await self._beat()
            except Exception:
                log.exception("the heartbeat could not be written")

    async def _beat(self) -> None:
        """Says that this worker lives, and frees the threads of those that do not."""
        now = self._now_ms()
        others = await self._db.read(lambda c: c.execute(select(worker).where(worker.c.id != self.id)).all())
        oldest = now - self._pace.dead_after
        gone = [other.id for other in others if other.beat_ms < oldest or self._lock_is_free(other.id)]
        self._alone = len(gone) == len(others)

        def beat(connection: Connection) -> None:
            alive = update(worker).where(worker.c.id == self.id).values(beat_ms=now)
            if connection.execute(alive).rowcount == 0:
                connection.execute(worker.insert().values(id=self.id, beat_ms=now))
            bury(connection, gone, now)

        await self._db.write("heartbeat", beat)
        if gone:
            log.info("workers %s are gone; their threads are free", gone)
            self._awake.set()

    def _lock_file(self, worker_id: str) -> str:
        return f"{self._db.sqlite_file}.{worker_id}.lock"

    def _lock_is_free(self, worker_id: str) -> bool:
        """On SQLite each worker holds a file lock: the system frees it the moment the process dies."""
        if self._lock is None:
            return False
        other = FileLock(self._lock_file(worker_id))
        try:
            other.acquire(timeout=0)
        except Timeout:
            return False
        other.release()
        Path(other.lock_file).unlink(missing_ok=True)
        return True


def _next_due(connection: Connection) -> int | None:
    """When the next thread that nobody holds has something to do."""
    due = connection.execute(SOONEST).scalar_one_or_none()
    return None if due is None else int(due)
