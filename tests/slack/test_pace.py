"""Slack's budget of appends, shared by all streams of the app."""

from __future__ import annotations

import asyncio
from collections import Counter

from bot.slack.pace import Appends


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


async def test_no_minute_has_more_appends_than_the_budget_however_short_the_streams() -> None:
    clock = Clock()
    appends = Appends(90, now=lambda: clock.now, sleep=clock.sleep)
    sent: list[float] = []
    for _ in range(400):
        with appends.one_more():
            await appends.may_send()
            sent.append(clock.now)
            clock.now += 0.1
    for n, at in enumerate(sent):
        assert sum(1 for other in sent[n:] if other < at + 60) <= 90
    assert clock.now < 400 / 90 * 60 + 60  # and the budget is used


async def test_those_who_wait_take_turns() -> None:
    clock = Clock()
    appends = Appends(10, now=lambda: clock.now, sleep=clock.sleep)
    shares: Counter[int] = Counter()

    async def stream(n: int) -> None:
        while sum(shares.values()) < 100:
            await appends.may_send()
            shares[n] += 1
            await asyncio.sleep(0)  # the call

    await asyncio.gather(*(stream(n) for n in range(5)))
    assert max(shares.values()) - min(shares.values()) <= 2


def test_each_running_stream_waits_as_long_as_every_other() -> None:
    appends = Appends(90)
    with appends.one_more():
        assert appends.seconds == 0.7
        with appends.one_more(), appends.one_more():
            assert appends.seconds == 2.0
