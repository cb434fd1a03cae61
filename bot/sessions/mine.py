"""A person's own work: the sessions they take part in, those that wait for them, and the tickets of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from bot.sessions.archives.entries import ts_ms
from bot.sessions.audience import Audience, visible
from bot.sessions.models import link, message, session, thread, turn
from bot.sessions.questions import open_questions
from bot.sessions.session import ChatSession
from bot.sessions.transcript import steps_of


@dataclass(frozen=True)
class Mine:
    """A session of mine: the ticket it is linked to, and whether it waits for me to answer."""

    session: ChatSession
    ticket_id: str | None
    waits: bool


def my_sessions(connection: Connection, audience: Audience, user_id: str, limit: int = 30) -> list[Mine]:
    """The active sessions that the person started or said something in, as far as they may see them; newest first."""
    linked = select(link.c.ticket_id).where(link.c.session_id == session.c.id, link.c.unlinked_ms.is_(None)).limit(1)
    rows = connection.execute(
        select(session, thread.c.channel, thread.c.thread_ts, linked.scalar_subquery().label("linked"))
        .join(thread, thread.c.id == session.c.thread_id)
        .where(visible(audience), session.c.state == "active", took_part(user_id))
        .order_by(session.c.updated_ms.desc(), session.c.id)
        .limit(limit)
    ).all()
    waiting = _waiting(connection, [row.id for row in rows], user_id)
    return [
        Mine(ChatSession(**{f.name: getattr(row, f.name) for f in fields(ChatSession)}), row.linked, row.id in waiting)
        for row in rows
    ]


def my_tickets(connection: Connection, audience: Audience, workspace: str, user_id: str, limit: int = 10) -> list[str]:
    """The ids of the tickets that sessions of theirs are or were linked to, the latest session first."""
    latest = func.max(session.c.updated_ms)
    rows = connection.execute(
        select(link.c.ticket_id)
        .join(session, session.c.id == link.c.session_id)
        .join(thread, thread.c.id == session.c.thread_id)
        .where(visible(audience), link.c.workspace == workspace, took_part(user_id))
        .group_by(link.c.ticket_id)
        .order_by(latest.desc(), link.c.ticket_id)
        .limit(limit)
    )
    return [str(ticket_id) for ticket_id in rows.scalars()]


def took_part(user_id: str) -> ColumnElement[bool]:
    """Whether the person started the session or said something in it."""
    spoke = exists().where(
        message.c.session_id == session.c.id, message.c.user_id == user_id, message.c.deleted_ms.is_(None)
    )
    return or_(session.c.started_by == user_id, spoke)


def _waiting(connection: Connection, ids: Sequence[str], user_id: str) -> set[str]:
    """Those whose last turn asks this person something: it waits for a click, or ended with a question."""
    last = select(turn.c.session_id, func.max(turn.c.n).label("n")).where(turn.c.session_id.in_(ids))
    newest = last.group_by(turn.c.session_id).subquery()
    joined = and_(turn.c.session_id == newest.c.session_id, turn.c.n == newest.c.n)
    turns = connection.execute(select(turn).join(newest, joined).where(turn.c.asked_by == user_id)).all()
    asking = {row.session_id for row in turns if row.state == "waiting"}
    asking |= {one.session_id for one in open_questions(connection, ids) if user_id in one.who_may}
    ended = {row.id: row for row in turns if row.state == "done"}
    steps = steps_of(connection, list(ended)) if ended else {}
    said = _last_said(connection, [row.session_id for row in ended.values()])
    for turn_id, row in ended.items():
        text = steps[turn_id][-1].text if steps.get(turn_id) else ""
        if text.rstrip("*_ \n").endswith("?") and said.get(row.session_id, 0) <= (row.ended_ms or 0):
            asking.add(row.session_id)
    return asking


def _last_said(connection: Connection, ids: Sequence[str]) -> Mapping[str, int]:
    """When somebody said something in each of these sessions last."""
    query = select(message.c.session_id, func.max(message.c.ts).label("ts")).where(message.c.session_id.in_(ids))
    rows = connection.execute(query.where(message.c.deleted_ms.is_(None)).group_by(message.c.session_id))
    return {row.session_id: ts_ms(row.ts) for row in rows}
