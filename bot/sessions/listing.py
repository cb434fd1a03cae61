"""Lists of sessions: those of a ticket, and those a person took part in; each filtered for who will read it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)

from bot.sessions.audience import Audience, visible
from bot.sessions.models import archive, inbox, link, message, session, thread, turn
from bot.sessions.session import ChatSession

State = Literal["active", "archived", "completed", "failed", "cancelled", "past"]
Doing = Literal["running", "waiting", "idle"]


@dataclass(frozen=True)
class Listed:
    """A session as a ticket lists it.

    `past`: its link to the ticket has ended. `doing` is what an active one does: it runs, it waits for a person, or
    neither. `last_ms`: when something was said or done in it last. `messages`: what people have said (what they deleted
    is not counted) and the agent's answers. `note`: of the newest archive to this ticket. `number` counts from the
    ticket's oldest session on, among those that the reader may see.
    """

    session: ChatSession
    state: State
    linked_by: str
    last_ms: int
    messages: int
    note: str | None
    doing: Doing | None = None
    number: int = 1

    @property
    def state_in_words(self) -> str:
        """Such as `archived`, or `active (waiting for a person)`."""
        doing = "waiting for a person" if self.doing == "waiting" else self.doing
        return f"{self.state} ({doing})" if doing else self.state


def sessions_of_ticket(
    connection: Connection,
    audience: Audience,
    team: str,
    workspace: str,
    ticket_id: str,
    limit: int = 50,
    offset: int = 0,
) -> list[Listed]:
    """The sessions linked or archived to the ticket, past ones too, that the audience may see; newest first."""
    every = _of_ticket(audience, team, workspace, ticket_id)
    latest = (session.c.updated_ms.desc(), session.c.id)
    # What is counted and looked up for each comes after the page was cut, or a page would cost as much as all of them.
    page = (
        select(every)
        .join(session, session.c.id == every.c.session_id)
        .order_by(*latest)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    links = select(link).where(link.c.session_id == session.c.id, link.c.ticket_id == ticket_id)
    archives = select(archive).where(archive.c.session_id == session.c.id, archive.c.ticket_id == ticket_id)
    newest_link = links.with_only_columns(link.c.linked_by).order_by(link.c.n.desc()).limit(1).scalar_subquery()
    newest_archive = archives.order_by(archive.c.n.desc()).limit(1)
    linked_now = exists(links.where(link.c.unlinked_ms.is_(None)))
    kept_alone = and_(~exists(links), session.c.state == "archived")  # archived to the ticket without a link
    query = (
        select(session, page.c.channel, page.c.thread_ts, page.c.number)
        .join(page, page.c.session_id == session.c.id)
        .add_columns(
            case((or_(linked_now, kept_alone), session.c.state), else_=literal("past")).label("shown_state"),
            func.coalesce(newest_link, newest_archive.with_only_columns(archive.c.by).scalar_subquery()).label(
                "linked_by"
            ),
            _messages().label("messages"),
            newest_archive.with_only_columns(archive.c.note).scalar_subquery().label("note"),
            _doing().label("doing"),
        )
        .order_by(*latest)
    )
    return [
        Listed(
            _session(row),
            row.shown_state,
            row.linked_by,
            row.updated_ms,
            row.messages,
            row.note or None,
            row.doing if row.shown_state == "active" else None,
            row.number,
        )
        for row in connection.execute(query)
    ]


def count_of_ticket(connection: Connection, audience: Audience, team: str, workspace: str, ticket_id: str) -> int:
    """How many sessions `sessions_of_ticket` has in all."""
    every = _of_ticket(audience, team, workspace, ticket_id)
    return int(connection.execute(select(func.count()).select_from(every)).scalar_one())


def _of_ticket(audience: Audience, team: str, workspace: str, ticket_id: str) -> Subquery:
    """What the audience may see of a ticket's sessions, numbered in the order in which they began."""
    of_ticket = union(
        *(
            select(table.c.session_id).where(
                table.c.team == team, table.c.workspace == workspace, table.c.ticket_id == ticket_id
            )
            for table in (link, archive)
        )
    )
    number = func.row_number().over(order_by=(session.c.started_ms, session.c.id)).label("number")
    return (
        select(session.c.id.label("session_id"), thread.c.channel, thread.c.thread_ts, number)
        .join(thread, thread.c.id == session.c.thread_id)
        .where(visible(audience), session.c.id.in_(of_ticket))
        .subquery()
    )


def active_elsewhere(
    connection: Connection, audience: Audience, of: ChatSession, ticket_id: str, limit: int = 3
) -> list[ChatSession]:
    """Other active sessions that are linked to the ticket now, as far as the audience may see them; newest first."""
    linked = exists().where(
        link.c.session_id == session.c.id, link.c.ticket_id == ticket_id, link.c.unlinked_ms.is_(None)
    )
    query = (
        _sessions(audience)
        .where(session.c.team == of.team, session.c.workspace == of.workspace, session.c.state == "active")
        .where(linked, session.c.id != of.id)
        .limit(limit)
    )
    return [_session(row) for row in connection.execute(query)]


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
    """How much was said: by people, and by the agent, without what was deleted."""
    said = select(func.count()).where(
        message.c.session_id == session.c.id, message.c.bot.is_(False), message.c.deleted_ms.is_(None)
    )
    stands = (turn.c.state.in_(("answered", "done")), turn.c.deleted_ms.is_(None))
    answered = select(func.count()).where(turn.c.session_id == session.c.id, *stands)
    return said.scalar_subquery() + answered.scalar_subquery()


def _doing() -> ColumnElement[str]:
    """What a session does just now, as its turns and what waits for it say."""
    last = select(turn.c.state).where(turn.c.session_id == session.c.id).order_by(turn.c.n.desc()).limit(1)
    state = last.scalar_subquery()
    said = exists().where(inbox.c.thread_id == session.c.thread_id, inbox.c.state == "new", inbox.c.kind == "message")
    return case(
        (state == "waiting", literal("waiting")),
        (or_(state.in_(("running", "answered")), said), literal("running")),
        else_=literal("idle"),
    )


def _session(row: Row[tuple[object, ...]]) -> ChatSession:
    return ChatSession(**{field.name: getattr(row, field.name) for field in fields(ChatSession)})
