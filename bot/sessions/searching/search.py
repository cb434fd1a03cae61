"""Search over all that was said: for one audience, the newest hits first found, then ranked.

However many hits there are, the newest 2,000 that the audience may see are ranked and nothing is counted, so that the
work stays the same at any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    column,
    false,
    literal_column,
    select,
    table,
)

from bot.sessions.audience import Audience, visible
from bot.sessions.models import archive, message, post, session, step, thread
from bot.sessions.searching.newest import FEW_PLACES, NEWEST, Found, found, in_places, shown
from bot.sessions.searching.on_postgresql import newest_on_postgresql
from bot.sessions.searching.said import names_of, text_of
from bot.sessions.searching.said_tables import place, said
from bot.sessions.searching.wanted import Wanted, for_sqlite, matching_line, scorer

KINDS = {"session": 2.0, "archive": 1.5, "message": 1.0, "step": 0.9}
MANY = 4_000  # hits, of which each one is not looked at any more
MONTH_MS = 30 * 86_400_000
FTS = table("said_fts", column("rowid"))


@dataclass(frozen=True)
class Hit:
    """Something that was said: where, by whom (None: the agent), when, and the line that answers.

    `kind`: message, step (the agent's answer), archive (a note) or session (its title). `ts` is the message in Slack
    that holds it; of a title, and of an answer that does not show, the thread's root.
    """

    kind: str
    session_id: str
    title: str
    channel: str
    thread_ts: str
    ts: str
    ms: int
    by: str | None
    bot_name: str | None
    line: str


def search(connection: Connection, audience: Audience, wanted: Wanted, *, limit: int, offset: int = 0) -> list[Hit]:
    """The best hits that the audience may see, and there is no telling from them that there are others."""
    seen, hidden = _places(connection, audience) if wanted else ([], [])
    if not seen:
        return []
    on_sqlite = connection.dialect.name == "sqlite"
    newest = (newest_on_sqlite if on_sqlite else newest_on_postgresql)(connection, wanted, seen, hidden)
    best = _ranked(wanted, newest)[offset : offset + limit]
    return _hits(connection, audience, best, wanted) if best else []


def _ranked(wanted: Wanted, rows: Sequence[Found]) -> list[int]:
    """The ids of what was found (id, kind, ms, words), best first; of two that answer alike the newer one.

    What stands past the part that is looked at counts as said once, in passing.
    """
    score = scorer(wanted)
    latest = max((ms for _, _, ms, _ in rows), default=0)
    ranked = [
        ((score(words) or 0.3) * KINDS[kind] * (1.0 + 0.3 * 0.5 ** ((latest - ms) / MONTH_MS)), ms, number)
        for number, kind, ms, words in rows
    ]
    ranked.sort(reverse=True)
    return [number for _, _, number in ranked]


def _places(connection: Connection, audience: Audience) -> tuple[list[int], list[int]]:
    """The audience as the index knows it: channels in which something was said that it may see, and the others.

    `visible` is asked all the same of each hit before it is shown.
    """
    channels = sorted(audience.channels)
    sees = and_(place.c.team == audience.team, place.c.channel.in_(channels)) if channels else false()
    rows = connection.execute(select(place.c.id, case((sees, 1), else_=0).label("seen"))).all()
    return [row.id for row in rows if row.seen], [row.id for row in rows if not row.seen]


def newest_on_sqlite(connection: Connection, wanted: Wanted, seen: Sequence[int], hidden: Sequence[int]) -> list[Found]:
    """FTS5 goes through the hits from the newest on.

    Each of the first MANY is looked at; only where the reader may see too few of them, or few channels at all, FTS5 is
    asked for the channels too, and leaps from one list to the other: that costs for every channel.
    """
    words = f"words : ({for_sqlite(wanted)})"
    if not hidden:
        return found(connection, _matching(words), NEWEST)
    if len(seen) > FEW_PLACES:
        last = select(FTS.c.rowid).where(_matches(words)).order_by(FTS.c.rowid.desc()).offset(MANY - 1).limit(1)
        oldest = connection.execute(last).scalar()
        first = _matching(words).where(in_places(said, seen, hidden), FTS.c.rowid >= (oldest or 0))
        rows = found(connection, first, NEWEST)
        if oldest is None or len(rows) == NEWEST:
            return rows
    fewer = len(hidden) < len(seen)
    places = " OR ".join(f'"{number}"' for number in (hidden if fewer else seen))
    both = f"({words}) {'NOT' if fewer else 'AND'} place_id : ({places})"
    return found(connection, _matching(both).where(in_places(said, seen, hidden)), NEWEST)


def _matching(asked: str) -> Select[Any]:
    return shown().join_from(FTS, said, said.c.id == FTS.c.rowid).where(_matches(asked)).order_by(FTS.c.rowid.desc())


def _matches(asked: str) -> ColumnElement[bool]:
    return literal_column("said_fts").op("MATCH")(asked)


def _hits(connection: Connection, audience: Audience, ids: Sequence[int], wanted: Wanted) -> list[Hit]:
    rows = connection.execute(
        select(said.c.id, said.c.kind, said.c.of_id, said.c.ms, session.c.id.label("session_id"), session.c.title)
        .add_columns(session.c.started_by, thread.c.channel, thread.c.thread_ts)
        .join(session, session.c.id == said.c.session_id)
        .join(thread, thread.c.id == session.c.thread_id)
        .where(said.c.id.in_(ids), visible(audience))
    ).all()
    by_id = {row.id: row for row in rows}
    return [_hit(connection, by_id[number], wanted) for number in ids if number in by_id]


def _hit(connection: Connection, row: Any, wanted: Wanted) -> Hit:
    ts, by, bot_name, words = row.thread_ts, row.started_by, None, row.title
    if row.kind == "message":
        one = connection.execute(select(message).where(message.c.id == int(row.of_id))).one()
        ts, by, bot_name = one.ts, one.user_id, one.name if one.bot else None
        words = "\n".join([one.text, *names_of(one.files)])
    elif row.kind == "step":
        asked = select(step.c.body, _shown_ts()).where(step.c.id == int(row.of_id))
        found = connection.execute(asked).one()
        ts, by, words = found.ts or row.thread_ts, None, text_of(found.body)
    elif row.kind == "archive":
        noted = connection.execute(select(archive.c.note, archive.c.by).where(archive.c.id == int(row.of_id))).one()
        by, words = noted.by, noted.note
    return Hit(
        kind=row.kind,
        session_id=row.session_id,
        title=row.title,
        channel=row.channel,
        thread_ts=row.thread_ts,
        ts=ts,
        ms=row.ms,
        by=by,
        bot_name=bot_name,
        line=matching_line(wanted, words),
    )


def _shown_ts() -> ColumnElement[str | None]:
    """The message in Slack that shows the answer of a step's turn."""
    shown = select(post.c.ts).where(post.c.turn_id == step.c.turn_id, post.c.role == "answer", post.c.ts.is_not(None))
    return shown.order_by(post.c.part).limit(1).scalar_subquery().label("ts")
