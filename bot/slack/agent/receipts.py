"""**Receipt** under an answer: what the agent was given in that turn, and what it used."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.agent.reads import context_of
from bot.errors import SessionNotFound
from bot.sessions.spending import Spending, spent_in_turn
from bot.sessions.transcript import ENDED, Turn, find_turn, steps_of
from bot.slack.intake import clicks, forms
from bot.slack.parts import Parts
from bot.slack.sessions.seeing import GONE, session_of
from bot.slack.views.receipt_view import receipt


async def opened(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Opens it for whoever may see the session, at the moment of the click."""
    key = clicks.value(body)
    turn = await parts.db.read(lambda c: find_turn(c, key))
    if turn is None:
        raise SessionNotFound(GONE)
    await session_of(parts, body, turn.session_id)
    spending, tools = await parts.db.read(lambda c: _used(c, turn))
    running = turn.state not in (*ENDED, "answered")
    view = receipt(context_of(turn.receipt), spending, parts.prices, tools=tools, running=running)
    await forms.open_view(parts, body, view)
    await ack()


def _used(connection: Connection, turn: Turn) -> tuple[Spending, list[str]]:
    steps = steps_of(connection, [turn.id]).get(turn.id, [])
    return spent_in_turn(connection, turn.id), [call.name for step in steps for call in step.calls]
