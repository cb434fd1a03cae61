"""The hand-over brief: what earlier sessions of a ticket came to, for those who go on, people and agent alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from bot.sessions.audience import Audience
from bot.sessions.listing import sessions_of_ticket
from bot.sessions.models import session, step, turn
from bot.sessions.session import ChatSession
from bot.sessions.transcript import steps_of
from bot.tickets.ticket import Ticket

MOST_SESSIONS = 8
MOST_SUBTASKS = 30
LONGEST_ANSWER = 400
LONGEST_NOTE = 400


@dataclass(frozen=True)
class Earlier:
    """An earlier session of the ticket: its number, title and state, the note left at archiving, its last answer."""

    number: int
    title: str
    state: str
    note: str | None
    answer: str | None


def earlier_sessions(connection: Connection, audience: Audience, of: ChatSession, ticket_id: str) -> list[Earlier]:
    """The latest sessions of the ticket beside `of` that the audience may see, oldest first."""
    listed = sessions_of_ticket(connection, audience, of.team, of.workspace, ticket_id, MOST_SESSIONS + 1)
    others = [one for one in listed if one.session.id != of.id and one.session.started_ms <= of.started_ms]
    return [
        Earlier(one.number, one.session.title, one.state_in_words, one.note, last_answer(connection, one.session.id))
        for one in sorted(others[:MOST_SESSIONS], key=lambda one: one.number)
    ]


def last_answer(connection: Connection, session_id: str) -> str | None:
    """What the agent wrote last in a turn that came to its end; None where no answer stands."""
    stands = (turn.c.state.in_(("answered", "done")), turn.c.deleted_ms.is_(None))
    ended = select(turn.c.id).where(turn.c.session_id == session_id, *stands)
    answered = ended.where(select(step.c.id).where(step.c.turn_id == turn.c.id, step.c.role == "assistant").exists())
    turn_id = connection.execute(answered.order_by(turn.c.n.desc()).limit(1)).scalar()
    if turn_id is None:
        return None
    texts = [one.text for one in steps_of(connection, [turn_id])[turn_id] if one.text.strip()]
    return texts[-1] if texts else None


def brief(ticket: Ticket, earlier: Sequence[Earlier]) -> str:
    """The brief as plain lines, the same for people and for the agent."""
    lines = [f"Hand-over for {ticket.id} {_short(ticket.title, 150)} ({ticket.status})"]
    if not earlier:
        lines.append("No earlier session of this ticket is to be seen here.")
    for one in earlier:
        lines.append(f"Session {one.number}: {_short(one.title, 150)} ({one.state})")
        if one.note:
            lines.append(f"    note: {_short(one.note, LONGEST_NOTE)}")
        if one.answer:
            lines.append(f"    last answer: {_short(one.answer, LONGEST_ANSWER)}")
    if ticket.subtasks:
        lines.append(f"Subtasks ({ticket.completed_subtasks} of {len(ticket.subtasks)} completed):")
        lines += [f"    {_short(s.title, 100)} ({s.status})" for s in ticket.subtasks[:MOST_SUBTASKS]]
        if len(ticket.subtasks) > MOST_SUBTASKS:
            lines.append(f"    … and {len(ticket.subtasks) - MOST_SUBTASKS} more")
    return "\n".join(lines)


def keep_brief(connection: Connection, session_id: str, text: str) -> str:
    """Keeps the brief with its session, once; gives the one that is kept."""
    kept = connection.execute(select(session.c.brief).where(session.c.id == session_id)).scalar()
    if kept is None:
        connection.execute(session.update().where(session.c.id == session_id).values(brief=text))
    return str(kept) if kept is not None else text


def _short(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
