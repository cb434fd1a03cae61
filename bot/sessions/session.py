"""What a session is: one Slack thread's work with an agent, under an id of our own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields

from sqlalchemy import Connection, Row, Select, select, update

from bot.database import insert_once
from bot.errors import SessionNotFound
from bot.sessions.choice import note_moved
from bot.sessions.models import inbox, message, session, thread

TITLE_WORDS = 15  # a session without a title of its own shows this many words of its first message


@dataclass(frozen=True)
class ChatSession:
    """A session and where it takes place; channel and thread_ts may change, the id never does."""

    id: str
    team: str
    workspace: str
    thread_id: int
    channel: str
    thread_ts: str
    state: str  # active, archived
    title: str
    agent: str
    model: str
    started_by: str
    started_ms: int
    updated_ms: int


@dataclass(frozen=True)
class Said:
    """A message as Slack has it: by a person, or by a bot other than ours."""

    ts: str
    user_id: str
    name: str
    bot: bool
    text: str
    files: tuple[tuple[str, str], ...] = ()  # (name, link)
    edited_ts: str | None = None


def new_session_id() -> str:
    """An id that says nothing of the thread, the channel or the person."""
    return f"s-{secrets.token_hex(6)}"


def title_from(text: str) -> str:
    """The first 15 words of a message, as Sciorex titles a session."""
    words = text.split()
    return " ".join(words[:TITLE_WORDS]) + (" …" if len(words) > TITLE_WORDS else "")


def start_session(
    connection: Connection,
    *,
    session_id: str,
    team: str,
    workspace: str,
    thread_id: int,
    title: str,
    agent: str,
    model: str,
    by: str,
    now_ms: int,
) -> ChatSession:
    """Makes the thread a session, or gives the one it is already."""
    found = find_by_thread(connection, thread_id)
    if found:
        return found
    connection.execute(
        session.insert().values(
            id=session_id,
            team=team,
            workspace=workspace,
            thread_id=thread_id,
            kind="chat",
            state="active",
            title=title,
            agent=agent,
            model=model,
            started_by=by,
            started_ms=now_ms,
            updated_ms=now_ms,
        )
    )
    return get_session(connection, session_id)


def get_session(connection: Connection, session_id: str) -> ChatSession:
    """The session of this id; raises SessionNotFound."""
    row = connection.execute(_sessions().where(session.c.id == session_id)).first()
    if row is None:
        raise SessionNotFound("There is no such session.")
    return _session(row)


def find_by_thread(connection: Connection, thread_id: int) -> ChatSession | None:
    """The session that takes place in the thread, if it is one."""
    row = connection.execute(_sessions().where(session.c.thread_id == thread_id)).first()
    return _session(row) if row else None


def find_at(connection: Connection, team: str, channel: str, thread_ts: str) -> ChatSession | None:
    """The session at a place in Slack, if there is one."""
    here = (thread.c.team == team, thread.c.channel == channel, thread.c.thread_ts == thread_ts)
    row = connection.execute(_sessions().where(*here)).first()
    return _session(row) if row else None


def set_state(connection: Connection, session_id: str, state: str, now_ms: int) -> None:
    """Archives a session, or makes it active again."""
    connection.execute(update(session).where(session.c.id == session_id).values(state=state, updated_ms=now_ms))


def move_channel(connection: Connection, team: str, old: str, new: str) -> None:
    """A channel has another id from now on (Slack: channel_id_changed); everything else stays."""
    twin = thread.alias()
    both = select(thread.c.id, twin.c.id).join(
        twin, (twin.c.team == thread.c.team) & (twin.c.thread_ts == thread.c.thread_ts) & (twin.c.channel == new)
    )
    for kept, early in connection.execute(both.where(thread.c.team == team, thread.c.channel == old)).all():
        # Something came under the new id before we knew of it: it goes on in the thread that was there first.
        connection.execute(update(inbox).where(inbox.c.thread_id == early).values(thread_id=kept))
        connection.execute(update(thread).where(thread.c.id == kept).values(ready_ms=0))
        # Its row stays, since sessions and posts may refer to it; no message of Slack's has such a ts.
        aside = update(thread).where(thread.c.id == early)
        connection.execute(aside.values(thread_ts=thread.c.thread_ts + f"#moved-{early}", ready_ms=None))
    connection.execute(update(thread).where(thread.c.team == team, thread.c.channel == old).values(channel=new))
    note_moved(connection, team, old, new)


def keep_message(connection: Connection, of: ChatSession, said: Said, now_ms: int) -> int:
    """Stores what was said, once for each ts; gives the message's id."""
    new = insert_once(
        connection,
        message,
        session_id=of.id,
        team=of.team,
        workspace=of.workspace,
        ts=said.ts,
        user_id=said.user_id,
        name=said.name,
        bot=said.bot,
        text=said.text,
        files=json.dumps([{"name": name, "url": url} for name, url in said.files], ensure_ascii=False),
        edited_ts=said.edited_ts,
    )
    if new is not None:
        connection.execute(update(session).where(session.c.id == of.id).values(updated_ms=now_ms))
        return new
    stored = select(message.c.id).where(message.c.session_id == of.id, message.c.ts == said.ts)
    return int(connection.execute(stored).scalar_one())


def edit_message(connection: Connection, of: ChatSession, ts: str, text: str, edited_ts: str) -> bool:
    """The author changed what was said; an older edit that comes late changes nothing."""
    older = message.c.edited_ts.is_(None) | (message.c.edited_ts < edited_ts)
    found = update(message).where(message.c.session_id == of.id, message.c.ts == ts, older)
    return connection.execute(found.values(text=text, edited_ts=edited_ts)).rowcount > 0


def delete_message(connection: Connection, of: ChatSession, ts: str, now_ms: int) -> bool:
    """What was said is taken back: its text goes, a dated mark stays."""
    found = update(message).where(message.c.session_id == of.id, message.c.ts == ts)
    return connection.execute(found.values(text="", files="[]", deleted_ms=now_ms)).rowcount > 0


def speakers(connection: Connection, session_id: str) -> Sequence[str]:
    """The people (not bots) who have said something in the session, each once."""
    said = select(message.c.user_id).where(
        message.c.session_id == session_id, message.c.bot.is_(False), message.c.deleted_ms.is_(None)
    )
    return connection.execute(said.distinct()).scalars().all()


def _sessions() -> Select[tuple[object, ...]]:
    return select(session, thread.c.channel, thread.c.thread_ts).join(thread, thread.c.id == session.c.thread_id)


def _session(row: Row[tuple[object, ...]]) -> ChatSession:
    return ChatSession(**{field.name: getattr(row, field.name) for field in fields(ChatSession)})
