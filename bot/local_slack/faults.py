"""Web API calls: what was called, and failures put in their way by a test."""

import asyncio
from dataclasses import dataclass

from bot.local_slack.refusals import Json


@dataclass(frozen=True)
class Call:
    """One answered Web API call: its arguments without the token, and the answer."""

    method: str
    args: Json
    answer: Json
    at: float


@dataclass(frozen=True)
class Fault:
    """`after`: the work is done, then the connection breaks and the caller never sees the answer."""

    error: str
    retry_after: int | None
    after: bool


class Faults:
    """Failures waiting for calls, and calls waiting for release."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Fault]] = {}
        self._held: dict[str, asyncio.Event] = {}

    def put(self, method: str, fault: Fault, times: int) -> None:
        self._waiting.setdefault(method, []).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        faults = self._waiting.get(method)
        return faults.pop(0) if faults else None

    def hold(self, method: str) -> None:
        self._held.setdefault(method, asyncio.Event())

    def release(self, method: str) -> None:
        held = self._held.pop(method, None)
        if held is not None:
            held.set()

    def release_all(self) -> None:
        for method in list(self._held):
            self.release(method)

    async def passed(self, method: str) -> None:
        """Returns at once, or when a held method is released."""
        held = self._held.get(method)
        if held is not None:
            await held.wait()
