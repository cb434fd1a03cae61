"""Summaries that are kept until something new is said: what they are of, and what was said there when they were made.

The database's own triggers take a summary away when something it may repeat is edited or deleted (migration 0006).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from bot.sessions.forking import Inherited
from bot.sessions.searching.said_tables import summary, summary_of
from bot.sessions.session import ChatSession, get_session
from bot.sessions.spending import note_spent
from bot.sessions.transcript import Step, messages_of, steps_of, turns_of

LONGEST_INPUT = 200  # characters of what a tool was given


@dataclass(frozen=True)
class SaidLine:
    """One thing that was said or done. `who`: a person's or bot's name, None for the agent; `ms`: when."""

    ms: int
    who: str | None
    text: str
    bot: bool = False
    tool: bool = False


@dataclass(frozen=True)
class SaidThere:
    """A session with all that was said and done in it, oldest first."""

    session: ChatSession
    lines: tuple[SaidLine, ...]


@dataclass(frozen=True)
class Kept:
    """A summary that is kept, and when it was made."""

    text: str
    ms: int


def said_there(
    connection: Connection, sessions: Iterable[ChatSession], before: Sequence[Inherited] = ()
) -> list[SaidThere]:
    """What was said in these sessions, and `before` in those that a fork goes on from, without what was deleted."""
    earlier = [
        SaidThere(get_session(connection, part.session_id), tuple(_lines(connection, part.session_id, part)))
        for part in before
    ]
    return earlier + [SaidThere(one, tuple(_lines(connection, one.id))) for one in sessions]


def covers(said: Sequence[SaidThere]) -> str:
    """A hash of all that was said: another one means that there is something new."""
    everything = [(one.session.id, [(line.ms, line.who, line.text) for line in one.lines]) for one in said]
    return hashlib.sha256(json.dumps(everything).encode()).hexdigest()


def key_of_thread(of: ChatSession) -> str:
    """What the summary of one session is kept under."""
    return f"session:{of.id}"


def key_of_ticket(team: str, workspace: str, ticket_id: str, sessions: Sequence[ChatSession]) -> str:
    """What the summary of a ticket's sessions is kept under: of these very sessions, so nobody gets another's."""
    seen = hashlib.sha256("\n".join(sorted(one.id for one in sessions)).encode()).hexdigest()
    return f"ticket:{team}:{workspace}:{ticket_id}:{seen}"


def find_summary(connection: Connection, key: str, covered: str) -> Kept | None:
    """The summary of exactly this, if it was made already."""
    found = select(summary.c.text, summary.c.ms).where(summary.c.key == key, summary.c.covers == covered)
    row = connection.execute(found).first()
    return Kept(row.text, row.ms) if row else None


def keep_summary(
    connection: Connection,
    key: str,
    covered: str,
    sessions: Sequence[ChatSession],
    text: str,
    *,
    model: str,
    usage: Mapping[str, object],
    now_ms: int,
    before: Sequence[Inherited] = (),
) -> bool:
    """Keeps a summary in the place of the one before; False, and nothing kept, when something was said meanwhile."""
    if covers(said_there(connection, sessions, before)) != covered:
        return False
    connection.execute(delete(summary).where(summary.c.key == key))
    row = {"key": key, "covers": covered, "text": text, "model": model, "usage": json.dumps(usage), "ms": now_ms}
    number = connection.execute(summary.insert().values(row).returning(summary.c.id)).scalar_one()
    one = sessions[0].id if len(sessions) == 1 else None
    note_spent(connection, one, "summary", model, usage, now_ms, team=sessions[0].team)
    ids = [*(one.id for one in sessions), *(part.session_id for part in before)]
    connection.execute(summary_of.insert(), [{"summary_id": number, "session_id": one} for one in ids])
    return True


def _lines(connection: Connection, session_id: str, upto: Inherited | None = None) -> list[SaidLine]:
    lines = [
        SaidLine(int(float(one.ts) * 1000), one.name, one.text + _files(one.files), bot=one.bot)
        for one in messages_of(connection, session_id)
        if one.deleted_ms is None and (upto is None or one.ts <= upto.ts)
    ]
    turns = [turn for turn in turns_of(connection, session_id) if upto is None or turn.n <= upto.turn]
    for steps in steps_of(connection, [turn.id for turn in turns]).values():
        lines += [line for step in steps if step.role == "assistant" for line in _step(step)]
    return sorted(lines, key=lambda line: line.ms)


def _files(files: Sequence[Mapping[str, object]]) -> str:
    return "".join(f"\n(file: {file.get('name')})" for file in files)


def _step(step: Step) -> list[SaidLine]:
    """The agent's words, and the tools it called."""
    said = [SaidLine(step.ms, None, step.text)] if step.text.strip() else []
    calls = [
        SaidLine(
            step.ms,
            None,
            f"{call.name.rpartition('__')[2]} {json.dumps(call.input, ensure_ascii=False)[:LONGEST_INPUT]}"
            + (" (failed)" if call.is_error else ""),
            tool=True,
        )
        for call in step.calls
    ]
    return [*said, *calls]
