"""What people were asked by the agent's tools, and what they decided: approvals, answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from bot.sessions.models import question, tool_call
from bot.sessions.questions import FOLLOWS


@dataclass(frozen=True)
class Decision:
    """A question that is no longer open: what was shown, what became of it, who decided and when."""

    shown: object
    state: str  # answered, superseded, expired
    answer: object
    by: str | None
    at_ms: int | None

    @property
    def sentence(self) -> str:
        """What became of it, in words."""
        if self.state != "answered":
            return f"The question was {self.state}."
        given = self.answer if isinstance(self.answer, dict) else {}
        if "approved" not in given:
            return f"{self.by} answered the question."
        comment = f": {given['comment']}" if given.get("comment") else "."
        return f"{self.by} approved this." if given["approved"] else f"{self.by} did not approve this{comment}"


def decisions_of(connection: Connection, turn_ids: Sequence[int]) -> dict[str, list[Decision]]:
    """The decisions on these turns' tool calls, by the op of the call, in the order in which they were asked for."""
    asked = (
        select(question, tool_call.c.op)
        .join(tool_call, tool_call.c.id == question.c.tool_call_id)
        .where(tool_call.c.turn_id.in_(turn_ids), question.c.state != "open")
        .order_by(tool_call.c.id, question.c.n)
    )
    decided: dict[str, list[Decision]] = {}
    for row in connection.execute(asked):
        shown = _json(row.shown)
        if isinstance(shown, dict):
            shown.pop(FOLLOWS, None)  # no one was shown it, and it comes later
        one = Decision(shown, row.state, _json(row.answer), row.by, row.at_ms)
        decided.setdefault(row.op, []).append(one)
    return decided


def _json(text: str | None) -> object:
    """What a column holds: JSON, or a plain text."""
    try:
        found: object = json.loads(text) if text else None
    except ValueError:
        return text
    return found
