"""Deleting what the agent answered: its words go, that there was an answer and when it was deleted stays."""

from __future__ import annotations

import json

from sqlalchemy import Connection, delete, select, update

from bot.sessions.models import compaction, session, step, summary, summary_of, turn
from bot.sessions.transcript import JsonObject


def delete_answer(connection: Connection, turn_id: int, now_ms: int) -> None:
    """Takes away all that the agent wrote and thought in a turn; again, it changes nothing.

    What its tools were given and gave back stays: it was done, and never stood in the message.
    """
    answered = update(turn).where(turn.c.id == turn_id, turn.c.deleted_ms.is_(None)).values(deleted_ms=now_ms)
    session_id = connection.execute(answered.returning(turn.c.session_id)).scalar()
    if session_id is None:
        return
    steps = select(step.c.id, step.c.body).where(step.c.turn_id == turn_id, step.c.role == "assistant")
    for row in connection.execute(steps).all():
        body = json.dumps(_without_words(json.loads(row.body)), ensure_ascii=False)
        connection.execute(update(step).where(step.c.id == row.id).values(body=body))
    forget_repeated(connection, session_id)


def forget_repeated(connection: Connection, session_id: str) -> None:
    """Takes away what may repeat something that was said in the session: summaries, compactions, those of its forks."""
    told = select(summary_of.c.summary_id).where(summary_of.c.session_id == session_id)
    connection.execute(delete(summary).where(summary.c.id.in_(told)))
    forks = select(session.c.id).where(session.c.parent_id == session_id)
    connection.execute(
        delete(compaction).where((compaction.c.session_id == session_id) | compaction.c.session_id.in_(forks))
    )


def _without_words(content: list[JsonObject]) -> list[JsonObject]:
    """A step's tool calls, behind an empty text where there was one: its place in the transcript stays."""
    spoken = any(block.get("type") == "text" and block.get("text") for block in content)
    empty: list[JsonObject] = [{"type": "text", "text": ""}] if spoken else []
    return [*empty, *(block for block in content if block.get("type") == "tool_use")]
