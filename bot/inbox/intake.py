"""Writes down what Slack sends, once, before it is acknowledged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, exists, select, update

from bot.database import insert_once
from bot.sessions.models import inbox, message, session, thread, worker

# NUL is refused by PostgreSQL and lone surrogates by both databases: such a row would be redelivered for ever.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Arrival:
    """Something that happened in Slack and changes something here.

    `key` is unique within the team: the same thing arriving again is dropped. `thread_ts` is '' for what
    happens in a channel outside its threads. `order_ts` has the form of Slack's ts and sorts as text.
    """

    team: str
    channel: str
    thread_ts: str
    key: str
    kind: str
    order_ts: str
    body: Mapping[str, object]


def storable(text: str) -> str:
    """The text without what no database takes."""
    return UNSTORABLE.sub("", text)


def clean(value: object) -> object:
    """The same JSON value with every text made storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {str(clean(key)): clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner) for inner in value]
    return value


def storable_in(body: Mapping[str, object]) -> dict[str, object]:
    """A whole payload, made storable."""
    return {storable(name): clean(value) for name, value in body.items()}


def served(connection: Connection, team: str, channel: str, thread_ts: str) -> bool:
    """Whether the thread is a session, or something that may make it one still waits to be done."""
    here = (thread.c.team == team, thread.c.channel == channel, thread.c.thread_ts == thread_ts)
    waiting = select(inbox.c.id).where(inbox.c.thread_id == thread.c.id, inbox.c.state == "new")
    is_session = select(session.c.id).where(session.c.thread_id == thread.c.id)
    found = select(thread.c.id).where(*here, exists(is_session) | exists(waiting))
    return connection.execute(found).first() is not None


def kept(connection: Connection, arrival: Arrival) -> bool:
    """Whether the message is stored in its thread's session already."""
    here = (thread.c.team == arrival.team, thread.c.channel == arrival.channel)
    found = (
        select(message.c.id)
        .join(session, session.c.id == message.c.session_id)
        .join(thread, thread.c.id == session.c.thread_id)
        .where(*here, thread.c.thread_ts == arrival.thread_ts, message.c.ts == arrival.order_ts)
    )
    return connection.execute(found).first() is not None


def take_in(connection: Connection, arrival: Arrival, now_ms: int) -> int | None:
    """Writes the arrival down and makes its thread ready; gives the row's id, or None when it came before."""
    thread_id = thread_for(connection, arrival.team, arrival.channel, arrival.thread_ts)
    inbox_id = insert_once(
        connection,
        inbox,
        team=arrival.team,
        key=arrival.key,
        thread_id=thread_id,
        kind=arrival.kind,
        order_ts=arrival.order_ts,
        body=json.dumps(clean(arrival.body), ensure_ascii=False),
        received_ms=now_ms,
    )
    if inbox_id is not None:
        ready(connection, thread_id, now_ms)
        if arrival.kind == "stop":
            connection.execute(update(thread).where(thread.c.id == thread_id).values(stop_ms=now_ms))
    return inbox_id


def is_done(connection: Connection, team: str, key: str) -> bool:
    """Whether the arrival of this key was taken up, and is done with."""
    state = select(inbox.c.state).where(inbox.c.team == team, inbox.c.key == key)
    return connection.execute(state).scalar_one_or_none() == "done"


def somebody_works(connection: Connection, since_ms: int) -> bool:
    """Whether a worker has given a sign of life since then."""
    return connection.execute(select(worker.c.id).where(worker.c.beat_ms >= since_ms)).first() is not None


def thread_for(connection: Connection, team: str, channel: str, thread_ts: str) -> int:
    """The id of the row of a Slack thread, made when it is not there."""
    new = insert_once(connection, thread, team=team, channel=channel, thread_ts=thread_ts)
    if new is not None:
        return new
    here = (thread.c.team == team, thread.c.channel == channel, thread.c.thread_ts == thread_ts)
    return int(connection.execute(select(thread.c.id).where(*here)).scalar_one())


def ready(connection: Connection, thread_id: int, at_ms: int) -> None:
    """Says that the thread has something to do from this time on."""
    sooner = thread.c.ready_ms.is_(None) | (thread.c.ready_ms > at_ms)
    connection.execute(update(thread).where(thread.c.id == thread_id, sooner).values(ready_ms=at_ms))
