"""The bot in a process of its own that kills itself (SIGKILL) at one of its doors: database, Slack, tickets, model."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic  # noqa: F401 - loaded before the processes are forked, not in each of them
import mcp.server  # noqa: F401
from slack_sdk.web.async_client import AsyncWebClient

from bot.agent.model import Model
from bot.app import create_app, listening
from bot.database import Database
from bot.settings import read_settings
from bot.tickets.store import TicketStore
from tests.bench import QUICK

Name = str


@dataclass(frozen=True)
class Kill:
    """Dies at the nth crossing of a door, before its effect, or after it and before anybody hears of it."""

    door: Name
    nth: int
    when: str  # before, after


class Doors:
    """Counts the crossings of every door from the moment the arming file is there; notes them, or dies at one."""

    def __init__(self, armed: Path, kill: Kill | None, notes: Path) -> None:
        self._armed, self._kill, self._notes = armed, kill, notes
        self._count: Counter[Name] = Counter()

    def before(self, door: Name) -> int:
        if not self._armed.exists():
            return 0
        self._count[door] += 1
        with self._notes.open("a") as notes:
            notes.write(f"{door}\n")
        self._die_if(door, self._count[door], "before")
        return self._count[door]

    def after(self, door: Name, nth: int) -> None:
        if nth:
            self._die_if(door, nth, "after")

    def _die_if(self, door: Name, nth: int, when: str) -> None:
        if self._kill == Kill(door, nth, when):
            os.kill(os.getpid(), signal.SIGKILL)


def guard(doors: Doors) -> None:
    """Puts the doors around everything that has an effect outside this process."""
    write, call, ask = Database.write, AsyncWebClient.api_call, Model.ask

    async def guarded_write(self: Database, name: str, fn: Callable[..., Any]) -> Any:
        if name in ("heartbeat", "claim"):  # these come again and again, whatever happens
            return await write(self, name, fn)
        return await _through(doors, f"write {name}", lambda: write(self, name, fn))

    async def guarded_call(self: AsyncWebClient, method: str, **arguments: Any) -> Any:
        return await _through(doors, f"slack {method}", lambda: call(self, method, **arguments))

    async def guarded_ask(self: Model, **arguments: Any) -> Any:
        on_text = arguments.pop("on_text")

        async def text(piece: str) -> None:
            nth = doors.before("model text")
            await on_text(piece)
            doors.after("model text", nth)

        return await _through(doors, "model ask", lambda: ask(self, on_text=text, **arguments))

    Database.write = guarded_write  # type: ignore[method-assign]
    AsyncWebClient.api_call = guarded_call  # type: ignore[assignment]
    Model.ask = guarded_ask  # type: ignore[method-assign]
    for name in ("change", "create"):
        setattr(TicketStore, name, _guarded_file(doors, f"ticket {name}", getattr(TicketStore, name)))


def _guarded_file(doors: Doors, door: Name, change: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(*arguments: Any, **named: Any) -> Any:
        nth = doors.before(door)
        result = change(*arguments, **named)
        doors.after(door, nth)
        return result

    return guarded


async def _through(doors: Doors, door: Name, effect: Callable[[], Awaitable[Any]]) -> Any:
    nth = doors.before(door)
    result = await effect()
    doors.after(door, nth)
    return result


def live(environ: dict[str, str], armed: Path, kill: Kill | None, notes: Path) -> None:
    """The bot until it is killed."""
    guard(Doors(armed, kill, notes))
    settings = read_settings(environ, need="run", env_file=notes.with_suffix(".env"))

    async def forever() -> None:
        async with create_app(settings, pace=QUICK) as bot, listening(bot):
            await asyncio.Event().wait()

    asyncio.run(forever())
