"""Slack's own pace, which all that runs here shares."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

MINUTE = 60.0


class Appends:
    """The pace of appends, which all streams of the app share: about 100 a minute (slack-facts 14).

    Each running stream may send as often as every other. First signs, stops and ends are other methods of Slack's, with
    budgets of their own: nothing here holds them up.
    """

    def __init__(
        self,
        a_minute: int = 90,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._a_minute, self._now, self._sleep = a_minute, now, sleep
        self._running = 0
        self._sent: deque[float] = deque()
        self._gate = asyncio.Lock()  # lets those who wait through in the order in which they came

    @property
    def seconds(self) -> float:
        """How long each running stream waits between two appends."""
        return max(0.7, MINUTE / self._a_minute * self._running)

    async def may_send(self) -> None:
        """Returns when one more append keeps within the minute's budget; short streams that come one after the other
        share it too."""
        async with self._gate:
            while len(self._sent) >= self._a_minute and (wait := self._sent[0] + MINUTE - self._now()) > 0:
                await self._sleep(wait)
            if len(self._sent) >= self._a_minute:
                self._sent.popleft()
            self._sent.append(self._now())

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Counts a stream while it runs."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
