"""Answers that are asked for once: kept for a while, and shared by all who wait for the same one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Key = tuple[str, str]
MANY = 5_000  # answers kept before the old ones are cleared away


@dataclass(frozen=True)
class _Kept:
    """A call that was made, or is on its way, and until when its answer counts."""

    until: float
    task: asyncio.Task[Any]


class Once:
    """Keeps each answer for `seconds`, counted from when it was asked for; a failure is not kept."""

    def __init__(self, seconds: float, now: Callable[[], float]) -> None:
        self._seconds, self._now = seconds, now
        self._kept: dict[Key, _Kept] = {}

    async def get(self, key: Key, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer that is kept or on its way, else a new one.

        Waiters are shielded from each other: one that is cancelled does not take the answer from the others.
        """
        kept, now = self._kept.get(key), self._now()
        if kept is None or kept.until <= now:
            self._clear_away(now)
            kept = self._kept[key] = _Kept(now + self._seconds, asyncio.create_task(_run(ask)))
            kept.task.add_done_callback(lambda task: self._drop_failed(key, task))
        answer: T = await asyncio.shield(kept.task)
        return answer

    def forget(self, about: Callable[[Key], bool]) -> None:
        """Whatever is kept or on its way about this is asked anew by the next one who wants it."""
        self._kept = {key: kept for key, kept in self._kept.items() if not about(key)}

    def _drop_failed(self, key: Key, task: asyncio.Task[Any]) -> None:
        if (task.cancelled() or task.exception()) and key in self._kept and self._kept[key].task is task:
            del self._kept[key]

    def _clear_away(self, now: float) -> None:
        if len(self._kept) >= MANY:
            self._kept = {key: kept for key, kept in self._kept.items() if kept.until > now}


async def _run(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()
