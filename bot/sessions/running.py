"""How a session runs: which agent answers, whether it waits to be mentioned, and a failed turn taken up again."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from bot.sessions.models import session, step, turn


@dataclass(frozen=True)
class Failed:
    """A turn as its **Retry** button finds it. `newest`: nothing was asked in its session since."""

    id: int
    session_id: str
    state: str
    ended_ms: int | None
    newest: bool


def choose_agent(connection: Connection, session_id: str, agent: str, model: str, *, kind: str) -> bool:
    """The agent that answers from the next turn on; False when it is that one already."""
    other = update(session).where(session.c.id == session_id, session.c.agent != agent)
    return connection.execute(other.values(agent=agent, model=model, kind=kind)).rowcount > 0


def set_quiet(connection: Connection, session_id: str, quiet: bool) -> bool:
    """Whether the session is answered only when the bot is mentioned; False when it was so already."""
    other = update(session).where(session.c.id == session_id, session.c.quiet.is_(not quiet))
    return connection.execute(other.values(quiet=quiet)).rowcount > 0


def find_turn(connection: Connection, key: str) -> Failed | None:
    """The turn of a **Retry** button; none whose answer was deleted: nobody wants that one."""
    row = connection.execute(select(turn).where(turn.c.key == key, turn.c.deleted_ms.is_(None))).first()
    if row is None:
        return None
    last = select(func.max(turn.c.n)).where(turn.c.session_id == row.session_id)
    newest = connection.execute(last).scalar_one() == row.n
    return Failed(row.id, row.session_id, row.state, row.ended_ms, newest)


def restart_turn(connection: Connection, turn_id: int) -> bool:
    """A failed turn goes on from its saved steps; False when it is no longer a failed one."""
    failed = update(turn).where(turn.c.id == turn_id, turn.c.state == "failed")
    return connection.execute(failed.values(state="running", attempts=0, error=None, ended_ms=None)).rowcount > 0


def stopped_since(connection: Connection, session_id: str, ms: int) -> bool:
    """Whether a turn of the session was stopped at this time or later."""
    stopped = select(turn.c.id).where(turn.c.session_id == session_id, turn.c.state == "stopped", turn.c.ended_ms >= ms)
    return connection.execute(stopped.limit(1)).first() is not None


def noted(connection: Connection, session_id: str, note: str) -> bool:
    """Whether the session's people were told this beside an answer already."""
    usages = select(step.c.usage).join(turn, turn.c.id == step.c.turn_id)
    rows = connection.execute(usages.where(turn.c.session_id == session_id, step.c.usage.like('%"note"%')))
    return any(note in str(json.loads(text).get("note")) for text in rows.scalars())
