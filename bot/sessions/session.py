"""What a session is: one Slack thread's work with an agent, under an id of our own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import Connection, Row, bindparam, select, update

from bot.database import insert_once
from bot.errors import SessionNotFound, StateNotAllowed
from bot.sessions.choice import note_moved
from bot.sessions.early import take_early, wait_for
from bot.sessions.models import inbox, message, session, thread

TITLE_WORDS = 15  # a session without a title of its own shows this many words of its first message
LONGEST_TITLE = 200  # characters; what Slack takes too (agents.sessions.rename)
UNTITLED = "Chat"
# Which state may follow which (sciorex-workspace: Sessions). Upcoming ones are no sessions yet: planning.py.
FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "active": ("archived", "completed", "failed", "cancelled"),
    "archived": ("active",),
    "completed": ("active", "archived"),
    "failed": ("active", "archived"),
    "cancelled": ("active", "archived"),
}
ENDS_OF_RUNS = ("completed", "failed", "cancelled")  # for sessions of agents that a flow ran

SESSIONS = select(session, thread.c.channel, thread.c.thread_ts).join(thread, thread.c.id == session.c.thread_id)
BY_ID = SESSIONS.where(session.c.id == bindparam("of_session"))
BY_THREAD = SESSIONS.where(session.c.thread_id == bindparam("in_thread"))


@dataclass(frozen=True)
class ChatSession:
    """A session and where it takes place; channel and thread_ts may change, the id never does."""

    id: str
    team: str
    workspace: str
    thread_id: int
    channel: str
    thread_ts: str
    state: str  # one of FOLLOWS
    title: str
    agent: str
    model: str
    started_by: str
    started_ms: int
    updated_ms: int
    kind: str = "chat"  # chat, agent
    titled_by: str | None = None  # who gave it a title of its own
    parent_id: str | None = None
    fork_ts: str | None = None
    fork_turn: int | None = None
    brief: str | None = None
    mode: str | None = None  # the permission mode that somebody chose
    allowed: str = "[]"  # JSON: tools that need not be asked about again
    quiet: bool = False  # answered only when the bot is mentioned


@dataclass(frozen=True)
class Origin:
    """Where a session comes from that was not simply begun: a title of its own, and the session it was forked from.

    `fork_ts` is the last of the parent's messages that belong to it, `fork_turn` the last of its turns (0: none).
    """

    title: str
    parent_id: str | None = None
    fork_ts: str | None = None
    fork_turn: int | None = None


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
    about_files: tuple[Mapping[str, object], ...] = ()  # for each: id, mimetype, size, download; {} if it has none


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
    kind: str = "chat",
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
            kind=kind,
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
    row = connection.execute(BY_ID, {"of_session": session_id}).first()
    if row is None:
        raise SessionNotFound("There is no such session.")
    return _session(row)


def find_by_thread(connection: Connection, thread_id: int) -> ChatSession | None:
    """The session that takes place in the thread, if it is one."""
    row = connection.execute(BY_THREAD, {"in_thread": thread_id}).first()
    return _session(row) if row else None


def find_at(connection: Connection, team: str, channel: str, thread_ts: str) -> ChatSession | None:
    """The session at a place in Slack, if there is one."""
    here = (thread.c.team == team, thread.c.channel == channel, thread.c.thread_ts == thread_ts)
    row = connection.execute(SESSIONS.where(*here)).first()
    return _session(row) if row else None


def set_state(connection: Connection, session_id: str, state: str, now_ms: int) -> None:
    """Moves a session on: archives it, makes it active again, or ends the run it was.

    Raises StateNotAllowed where FOLLOWS does not have it, or a chat would end as only a flow's run does.
    """
    now = get_session(connection, session_id)
    ends = state in ENDS_OF_RUNS and now.kind != "agent"
    if now.state != state and (ends or state not in FOLLOWS.get(now.state, ())):
        raise StateNotAllowed(now.state, state)
    connection.execute(update(session).where(session.c.id == session_id).values(state=state, updated_ms=now_ms))


def came_from(connection: Connection, session_id: str, origin: Origin, by: str) -> ChatSession:
    """Notes where a session comes from; the same again changes nothing."""
    values = {"parent_id": origin.parent_id, "fork_ts": origin.fork_ts, "fork_turn": origin.fork_turn}
    titled = {"title": own_title(origin.title), "titled_by": by} if origin.title else {}
    of = update(session).where(session.c.id == session_id)
    connection.execute(of.values(**values, **titled))
    return get_session(connection, session_id)


def own_title(text: str) -> str:
    """A title as a person gives it: one line, at most LONGEST_TITLE characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1] + "…"


def rename_session(connection: Connection, session_id: str, title: str, by: str) -> bool:
    """Gives the session a title of its own; False when it has that one already."""
    of = update(session).where(session.c.id == session_id, session.c.title != own_title(title))
    return connection.execute(of.values(title=own_title(title), titled_by=by)).rowcount > 0


def first_words(connection: Connection, session_id: str, plain: Callable[[str], str]) -> str:
    """The title that a session has from its first message by a person, as that stands now; '' without one."""
    said = select(message.c.text).where(
        message.c.session_id == session_id, message.c.bot.is_(False), message.c.deleted_ms.is_(None)
    )
    first = connection.execute(said.order_by(message.c.ts).limit(1)).scalar()
    return title_from(plain(first)) if first else ""


def title_follows(connection: Connection, of: ChatSession, before: str, plain: Callable[[str], str]) -> None:
    """A title made of the first message's words (`before`) follows that message's edit, and goes with it."""
    if of.titled_by is None and of.title == before:
        now = first_words(connection, of.id, plain) or UNTITLED
        connection.execute(update(session).where(session.c.id == of.id).values(title=now))


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
        files=json.dumps(_files(said), ensure_ascii=False),
        edited_ts=said.edited_ts,
    )
    if new is not None:
        connection.execute(update(session).where(session.c.id == of.id).values(updated_ms=now_ms))
        take_early(connection, of.id, said.ts, said.edited_ts)
        return new
    stored = select(message.c.id).where(message.c.session_id == of.id, message.c.ts == said.ts)
    return int(connection.execute(stored).scalar_one())


def _files(said: Said) -> list[dict[str, object]]:
    about = [*said.about_files, *({} for _ in said.files)]
    return [{**more, "name": name, "url": url} for (name, url), more in zip(said.files, about, strict=False)]


def edit_message(connection: Connection, of: ChatSession, ts: str, text: str, edited_ts: str) -> bool:
    """The author changed what was said; an older edit that comes late changes nothing."""
    older = message.c.edited_ts.is_(None) | (message.c.edited_ts < edited_ts)
    found = update(message).where(
        message.c.session_id == of.id, message.c.ts == ts, message.c.deleted_ms.is_(None), older
    )
    done = connection.execute(found.values(text=text, edited_ts=edited_ts)).rowcount > 0
    if not done:
        at_s = int(edited_ts.split(".")[0])
        wait_for(connection, of.id, ts, at_s, text=text, edited_ts=edited_ts, deleted=False)
    return done


def delete_message(connection: Connection, of: ChatSession, ts: str, now_ms: int) -> bool:
    """What was said is taken back: its text goes, a dated mark stays; again, it changes nothing."""
    here = (message.c.session_id == of.id, message.c.ts == ts)
    found = update(message).where(*here, message.c.deleted_ms.is_(None))
    done = connection.execute(found.values(text="", files="[]", deleted_ms=now_ms)).rowcount > 0
    if not done:
        wait_for(connection, of.id, ts, now_ms // 1000, text="", edited_ts=None, deleted=True)
    return done


def speakers(connection: Connection, session_id: str) -> Sequence[str]:
    """The people (not bots) who have said something in the session, each once."""
    said = select(message.c.user_id).where(
        message.c.session_id == session_id, message.c.bot.is_(False), message.c.deleted_ms.is_(None)
    )
    return connection.execute(said.distinct()).scalars().all()


def _session(row: Row[tuple[object, ...]]) -> ChatSession:
    return ChatSession(**{field.name: getattr(row, field.name) for field in fields(ChatSession)})
