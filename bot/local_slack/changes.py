"""Waiting for something to change, without polling."""

import asyncio
import time
from collections.abc import Callable


class Changes:
    """A revision number that grows with each change and wakes everybody who waits."""

    def __init__(self) -> None:
        # Begins at the time, so that a page that outlived a restart sees a greater number at once.
        self.revision = int(time.time() * 1000)
        self._waiters: set[asyncio.Future[None]] = set()

    def happened(self) -> None:
        self.revision += 1
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def next(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    async def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Whether it became true within the seconds; it is asked now, and again after each change.

        A LookupError means: what it looks for is not there yet.
        """
        try:
            async with asyncio.timeout(seconds):
                while not _holds(true):
                    await self.next()
        except TimeoutError:
            return _holds(true)
        return True


def _holds(true: Callable[[], bool]) -> bool:
    try:
        return true()
    except LookupError:
        return False
