"""What the tests of threads look at: what the model was asked, what the database keeps; and another bot to talk."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Table, func, select

from bot.local_model import Reply, Script, say
from bot.local_slack import messages
from bot.sessions.models import inbox, message, session, thread
from tests.bench import Bench, everything_in


def numbered(ending: str = "") -> Script:
    """A model that says "Answer 1.", "Answer 2." …, each with this ending."""
    given = 0

    def script(_request: dict[str, Any]) -> Reply:
        nonlocal given
        given += 1
        return say(f"Answer {given}.{ending}")

    return script


def asked(here: Bench, n: int = -1) -> str:
    """All that a request to the model says of the thread."""
    return everything_in(here.model.requests[n]["messages"])


async def count(here: Bench, table: Table) -> int:
    """How many rows a table has."""
    assert here.bot is not None
    found = await here.bot.parts.db.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())
    return int(found)


async def kept(here: Bench) -> dict[str, int]:
    """How many rows the thread tables have."""
    return {table.name: await count(here, table) for table in (inbox, message, session, thread)}


async def texts(here: Bench) -> list[str]:
    """The stored messages' texts, oldest first."""
    assert here.bot is not None
    query = select(message.c.text).order_by(message.c.ts)
    return await here.bot.parts.db.read(lambda c: [str(text) for text in c.execute(query).scalars()])


def other_bot_says(here: Bench, channel: str, text: str, thread_ts: str | None = None) -> str:
    """A message of another app's bot."""
    workspace = here.slack._workspace
    said = {"subtype": "bot_message", "bot_id": "B0OTHER", "username": "Deploys", "text": text}
    posted = messages.post(workspace, workspace.world.channels[channel], said, thread_ts)
    workspace.changed()
    return str(posted["ts"])


async def told(here: Bench) -> None:
    """Waits till the bot has acknowledged every event."""
    await here.slack.until(lambda s: not list(s._workspace.deliveries._kept.values()))


async def at_rest(here: Bench) -> None:
    """Waits till everything that has happened in Slack is taken in and done."""
    await told(here)
    assert here.bot is not None
    db = here.bot.parts.db
    waiting = select(func.count()).select_from(inbox).where(inbox.c.state == "new")
    held = select(func.count()).select_from(thread).where(thread.c.owner.is_not(None))

    def busy(connection: Any) -> int:
        return int(connection.execute(waiting).scalar_one()) + int(connection.execute(held).scalar_one())

    async with asyncio.timeout(10):
        while await db.read(busy):
            await asyncio.sleep(0.01)


async def told_by(here: Bench, user: str, channel: str, command: str) -> str:
    """What a command tells whoever gave it, alone."""
    before, said = len(here.slack.ephemerals(user)), here.slack.messages(channel)
    await here.slack.command(user, channel, command)
    await here.slack.until(lambda s: len(s.ephemerals(user)) > before, timeout=10)
    assert here.slack.messages(channel) == said
    return everything_in(here.slack.ephemerals(user)[-1])
