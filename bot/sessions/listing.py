"""Lists of sessions: those of a ticket, and those a person took part in; each filtered for who will read it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, func, literal, or_, select

from bot.sessions.audience import Audience, visible
from bot.sessions.models import archive, link, message, session, thread, turn
from bot.sessions.session import ChatSession

State = Literal["active", "archived", "past"]


@dataclass(frozen=True)
class Listed:
    """A session as a ticket lists it.

    `past`: its link to the ticket has ended. `last_ms`: when something was said or done in it last. `messages`:
    what people have said (what they deleted is not counted) and the agent's answers. `note`: of the newest
    archive to this ticket.
    """

    session: ChatSession
    state: State
    linked_by: str
    last_ms: int
    messages: int
    note: str | None


def sessions_of_ticket(
    connection: Connection, audience: Audience, team: str, workspace: str, ticket_id: str, limit: int = 50
) -> list[Listed]:
    """The sessions linked or archived to the ticket, past ones too, that the audience may see; newest first."""
    links = select(link).where(link.c.session_id == session.c.id, link.c.ticket_id == ticket_id)
    archives = select(archive).where(archive.c.session_id == session.c.id, archive.c.ticket_id == ticket_id)
    newest_link = links.with_only_columns(link.c.linked_by).order_by(link.c.n.desc()).limit(1).scalar_subquery()
    newest_archive = archives.order_by(archive.c.n.desc()).limit(1)
    linked_now = exists(links.where(link.c.unlinked_ms.is_(None)))
    kept_alone = and_(~exists(links), session.c.state == "archived")  # archived to the ticket without a link
    query = (
        _sessions(audience)
        .add_columns(
            case((or_(linked_now, kept_alone), session.c.state), else_=literal("past")).label("shown_state"),
            func.coalesce(newest_link, newest_archive.with_only_columns(archive.c.by).scalar_subquery()).label(
                "linked_by"
            ),
            _messages().label("messages"),
            newest_archive.with_only_columns(archive.c.note).scalar_subquery().label("note"),
        )
        .where(session.c.team == team, session.c.workspace == workspace, or_(exists(links), exists(archives)))
        .limit(limit)
    )
    return [
        Listed(_session(row), row.shown_state, row.linked_by, row.updated_ms, row.messages, row.note or None)
        for row in connection.execute(query)
    ]


def recent_sessions(
    connection: Connection, audience: Audience, team: str, channel: str, user_id: str, limit: int = 20
) -> list[ChatSession]:
    """The sessions of the channel that this person started or said something in; newest first."""
    spoke = exists().where(
        message.c.session_id == session.c.id, message.c.user_id == user_id, message.c.deleted_ms.is_(None)
    )
    query = (
        _sessions(audience)
        .where(session.c.team == team, thread.c.channel == channel)
        .where(or_(session.c.started_by == user_id, spoke))
        .limit(limit)
    )
    return [_session(row) for row in connection.execute(query)]


def _sessions(audience: Audience) -> Select[tuple[object, ...]]:
    """What the audience may see, most recent first."""
    return (
        select(session, thread.c.channel, thread.c.thread_ts)
        .join(thread, thread.c.id == session.c.thread_id)
        .where(visible(audience))
        .order_by(session.c.updated_ms.desc(), session.c.id)
    )


def _messages() -> ColumnElement[int]:
    """How much was said: by people (not deleted), and by the agent."""
    said = select(func.count()).where(
        message.c.session_id == session.c.id, message.c.bot.is_(False), message.c.deleted_ms.is_(None)
    )
    answered = select(func.count()).where(turn.c.session_id == session.c.id, turn.c.state.in_(("answered", "done")))
    return said.scalar_subquery() + answered.scalar_subquery()


def _session(row: Row[tuple[object, ...]]) -> ChatSession:
    return ChatSession(**{field.name: getattr(row, field.name) for field in fields(ChatSession)})
