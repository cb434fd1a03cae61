"""Which of a session's messages its turns have taken up, and which wait for one."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, select

from bot.sessions.models import message, step, turn
from bot.sessions.turn import Turn


def taken_up(connection: Connection, session_id: str, *, turn_id: int | None = None) -> set[int]:
    """The ids of the messages that the session's turns, or one of them, have taken up."""
    asks = select(step.c.body).join(turn, turn.c.id == step.c.turn_id)
    here = turn.c.session_id == session_id if turn_id is None else turn.c.id == turn_id
    bodies = connection.execute(asks.where(here, step.c.role == "user")).scalars()
    return {int(i) for body in bodies for i in json.loads(body)["messages"]}


def still_asked(connection: Connection, of: Turn) -> bool:
    """Whether anything is left of what the turn is to answer: what was deleted is not, and with its own answer all."""
    if connection.execute(select(turn.c.deleted_ms).where(turn.c.id == of.id)).scalar_one() is not None:
        return False
    ids = taken_up(connection, of.session_id, turn_id=of.id)
    left = select(message.c.id).where(message.c.id.in_(ids), message.c.deleted_ms.is_(None))
    return connection.execute(left.limit(1)).first() is not None


def times_of(connection: Connection, session_id: str, among: Sequence[str]) -> set[str]:
    """Those of these ts that belong to stored messages of the session."""
    found = select(message.c.ts).where(message.c.session_id == session_id, message.c.ts.in_(among))
    return set(connection.execute(found).scalars())


def not_taken_up(connection: Connection, session_id: str) -> list[int]:
    """The ids of the session's messages that no turn has taken up, in the order of Slack's ts."""
    ids = select(message.c.id).where(message.c.session_id == session_id).order_by(message.c.ts, message.c.id)
    seen = taken_up(connection, session_id)
    return [i for i in connection.execute(ids).scalars() if i not in seen]
