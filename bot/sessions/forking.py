"""Forks: sessions that begin with what another one had come to. The parent's rows are referred to, not copied.

So an edit or a deletion in the parent holds in its forks too, and nothing that was said is kept twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bot.sessions.models import message, post, session
from bot.sessions.session import ChatSession, Origin
from bot.sessions.transcript import ENDED, turns_of

FORK_OF = "Fork of "


@dataclass(frozen=True)
class Inherited:
    """A part of another session that comes before a fork's own: messages up to `ts`, turns up to `turn`."""

    session_id: str
    ts: str
    turn: int


def fork_of(connection: Connection, parent: ChatSession, ts: str, title: str = "") -> Origin:
    """What a fork of the session after the message of this ts begins with; a ts later than all means its end.

    A turn belongs to it when it has ended and its answer stands no later than that message.
    """
    last = 0
    for turn in turns_of(connection, parent.id):
        first = select(post.c.ts).where(post.c.turn_id == turn.id, post.c.ts.is_not(None)).order_by(post.c.part)
        answered = connection.execute(first.limit(1)).scalar()
        at = str(answered) if answered else f"{turn.began_ms // 1000}.{turn.began_ms % 1000:03d}000"
        if turn.state in (*ENDED, "answered") and at <= ts:
            last = turn.n
    return Origin(title or fork_title(parent.title), parent.id, ts, last)


def end_of(connection: Connection, parent: ChatSession) -> str:
    """The ts of what stands last in the session's thread. Slack's clock, not ours: what is said later is not of it."""
    said = connection.execute(select(func.max(message.c.ts)).where(message.c.session_id == parent.id)).scalar()
    posted = connection.execute(select(func.max(post.c.ts)).where(post.c.thread_id == parent.thread_id)).scalar()
    return max(said or "", posted or "", parent.thread_ts)


def fork_title(title: str) -> str:
    """The title of a fork that nobody named."""
    return title if title.startswith(FORK_OF) else FORK_OF + title


def inherited(connection: Connection, session_id: str) -> list[Inherited]:
    """What comes before the session's own words: nothing, its parent's, or its parent's parent's before that."""
    found: list[Inherited] = []
    seen = {session_id}
    while True:
        of = select(session.c.parent_id, session.c.fork_ts, session.c.fork_turn).where(session.c.id == session_id)
        row = connection.execute(of).first()
        if row is None or row.parent_id is None or row.parent_id in seen:
            return found[::-1]
        found.append(Inherited(row.parent_id, row.fork_ts or "", row.fork_turn or 0))
        seen.add(row.parent_id)
        session_id = row.parent_id
