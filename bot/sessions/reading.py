"""Who has read which session up to where: marks, what a person has not read, and who did what in which session."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from bot.database import insert_once
from bot.sessions.archives.entries import ts_ms
from bot.sessions.audience import Audience, visible
from bot.sessions.listing import Listed
from bot.sessions.models import message, opened, session, thread, tool_call, turn

ANSWERED = ("answered", "done")


@dataclass(frozen=True)
class Whereabouts:
    """A session by name, and its thread."""

    session_id: str
    title: str
    channel: str
    thread_ts: str


@dataclass(frozen=True)
class Deed:
    """A tool call that changed something: in which session and which of its turns (from 1), and by which tool."""

    where: Whereabouts
    turn: int
    tool: str


def mark_opened(connection: Connection, session_id: str, user_id: str, now_ms: int) -> None:
    """The person reads the session now."""
    if insert_once(connection, opened, session_id=session_id, user_id=user_id, ms=now_ms) is None:
        mine = (opened.c.session_id == session_id, opened.c.user_id == user_id)
        connection.execute(update(opened).where(*mine).values(ms=now_ms))


def unread(connection: Connection, sessions: Collection[Listed], user_id: str) -> list[Listed]:
    """Those of the sessions in which something was said since the person read or wrote in them last.

    An answer to the person's own question is taken as read: Slack tells who asked of it.
    """
    ids = [one.session.id for one in sessions]
    seen: dict[str, int] = {}
    marks = select(opened.c.session_id, opened.c.ms).where(opened.c.user_id == user_id, opened.c.session_id.in_(ids))
    own = _latest(ids, message.c.user_id == user_id)
    said: dict[str, int] = {}
    for row in connection.execute(marks):
        seen[row.session_id] = row.ms
    for mine in connection.execute(own):
        seen[mine.session_id] = max(seen.get(mine.session_id, 0), ts_ms(mine.ts))
    for other in connection.execute(_latest(ids, message.c.user_id != user_id)):
        said[other.session_id] = ts_ms(other.ts)
    answers = (
        select(turn.c.session_id, func.max(turn.c.ended_ms).label("ms"))
        .where(turn.c.session_id.in_(ids), turn.c.state.in_(ANSWERED), turn.c.asked_by != user_id)
        .where(turn.c.deleted_ms.is_(None))
        .group_by(turn.c.session_id)
    )
    for row in connection.execute(answers):
        said[row.session_id] = max(said.get(row.session_id, 0), row.ms or 0)
    return [one for one in sessions if said.get(one.session.id, 0) > seen.get(one.session.id, 0)]


def places_of(connection: Connection, audience: Audience, ids: Collection[str]) -> Mapping[str, Whereabouts]:
    """Those of these sessions that the audience may see, by id: what they are called, and where they are."""
    query = (
        select(session.c.id, session.c.title, thread.c.channel, thread.c.thread_ts)
        .join(thread, thread.c.id == session.c.thread_id)
        .where(visible(audience), session.c.id.in_(sorted(ids)))
    )
    return {r.id: Whereabouts(r.id, r.title, r.channel, r.thread_ts) for r in connection.execute(query)}


def deeds(connection: Connection, audience: Audience, ops: Collection[str]) -> Mapping[str, Deed]:
    """What is known of these tool calls, by their op, in sessions that the audience may see."""
    query = (
        select(tool_call.c.op, tool_call.c.name, turn.c.n, session.c.id, session.c.title)
        .add_columns(thread.c.channel, thread.c.thread_ts)
        .join(turn, turn.c.id == tool_call.c.turn_id)
        .join(session, session.c.id == turn.c.session_id)
        .join(thread, thread.c.id == session.c.thread_id)
        .where(visible(audience), tool_call.c.op.in_(sorted(ops)))
    )
    rows = connection.execute(query)
    return {r.op: Deed(Whereabouts(r.id, r.title, r.channel, r.thread_ts), r.n, r.name) for r in rows}


def _latest(ids: Collection[str], who: ColumnElement[bool]) -> Select[tuple[str, str]]:
    """The ts of the latest message of each of these sessions that was not deleted."""
    said = (message.c.session_id.in_(ids), message.c.deleted_ms.is_(None), who)
    return select(message.c.session_id, func.max(message.c.ts).label("ts")).where(*said).group_by(message.c.session_id)
