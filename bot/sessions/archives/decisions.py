"""What people were asked by the agent's tools, and what they decided: approvals, answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from bot.sessions.models import question, tool_call


@dataclass(frozen=True)
class Decision:
    """A question that is no longer open: what was shown, what became of it, who decided and when."""

    shown: object
    state: str  # answered, superseded, expired
    answer: object
    by: str | None
    at_ms: int | None


def decisions_of(connection: Connection, turn_ids: Sequence[int]) -> dict[str, Decision]:
    """The decisions on these turns' tool calls, by the op of the call."""
    asked = (
        select(question, tool_call.c.op)
        .join(tool_call, tool_call.c.id == question.c.tool_call_id)
        .where(tool_call.c.turn_id.in_(turn_ids), question.c.state != "open")
    )
    return {
        row.op: Decision(_json(row.shown), row.state, _json(row.answer), row.by, row.at_ms)
        for row in connection.execute(asked)
    }


def _json(text: str | None) -> object:
    """What a column holds: JSON, or a plain text."""
    try:
        found: object = json.loads(text) if text else None
    except ValueError:
        return text
    return found
