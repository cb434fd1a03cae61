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
    func,
    literal_column,
    select,
    table,
    text,
    true,
)

from bot.sessions.audience import Audience, visible
from bot.sessions.models import archive, message, post, session, step, thread
from bot.sessions.said import names_of, text_of
from bot.sessions.said_tables import place, said
from bot.sessions.wanted import Wanted, for_postgresql, for_sqlite, matching_line, score

NEWEST = 2_000
RANKED = 3_000  # characters of a text that its rank looks at
KINDS = {"session": 2.0, "archive": 1.5, "message": 1.0, "step": 0.9}
MONTH_MS = 30 * 86_400_000


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
    if not wanted:
        return []
    ranked = sorted(_newest(connection, audience, wanted), key=lambda row: (-row[0], -row[1], row[2]))
    best = [row_id for _, _, row_id in ranked[offset : offset + limit]]
    return _hits(connection, best, wanted) if best else []


def _newest(connection: Connection, audience: Audience, wanted: Wanted) -> list[tuple[float, int, int]]:
    """The newest hits: (rank, when, id)."""
    on_sqlite = connection.dialect.name == "sqlite"
    if not on_sqlite:
        # A plan made for every word alike would be wrong for most: a rare one by the index, a common one by time.
        connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    here = _sqlite(connection, audience, wanted) if on_sqlite else _postgresql(connection, audience, wanted)
    if here is None:
        return []
    newest = here.limit(NEWEST).subquery()
    rows = connection.execute(
        select(said.c.id, said.c.kind, said.c.ms, func.substr(said.c.words, 1, RANKED).label("words"))
        .select_from(newest)
        .join(said, said.c.id == newest.c.id)
        .join(session, session.c.id == said.c.session_id)
        .join(thread, thread.c.id == session.c.thread_id)
        .where(visible(audience))
    ).all()
    latest = max((row.ms for row in rows), default=0)
    return [(_rank(wanted, row.kind, row.words, latest - row.ms), row.ms, row.id) for row in rows]


def _rank(wanted: Wanted, kind: str, words: str, age_ms: int) -> float:
    """A hit's rank. What is past the part that is looked at counts as said once."""
    answers = score(wanted, words) or 0.3
    return float(answers * KINDS[kind] * (1.0 + 0.3 * 0.5 ** (age_ms / MONTH_MS)))


def _sqlite(connection: Connection, audience: Audience, wanted: Wanted) -> Select[Any] | None:
    """Words and places in one question to FTS5, which goes through both lists from the newest on."""
    fts = table("said_fts", column("rowid"))
    seen, hidden = _places(connection, audience)
    if not seen:
        return None
    asked = f"words : ({for_sqlite(wanted)})"
    if hidden and len(hidden) < len(seen):
        asked = f"({asked}) NOT place_id : ({_any(hidden)})"
    elif hidden:
        asked = f"({asked}) AND place_id : ({_any(seen)})"
    match: ColumnElement[bool] = literal_column("said_fts").op("MATCH")(asked)
    return select(fts.c.rowid.label("id")).where(match).order_by(fts.c.rowid.desc())


def _any(places: Sequence[int]) -> str:
    return " OR ".join(f'"{number}"' for number in places)


def _postgresql(connection: Connection, audience: Audience, wanted: Wanted) -> Select[Any] | None:
    """The planner goes by the words' index or back through time, by how common it knows the words to be."""
    seen, hidden = _places(connection, audience)
    if not seen:
        return None
    match = text("said.vector @@ CAST(:asked AS tsquery)").bindparams(asked=for_postgresql(wanted))
    near: ColumnElement[bool] = true()
    if hidden:
        fewer = len(hidden) < len(seen)
        near = said.c.place_id.not_in(hidden) if fewer else said.c.place_id.in_(seen)
    return select(said.c.id).where(match, near).order_by(said.c.id.desc())


def _places(connection: Connection, audience: Audience) -> tuple[list[int], list[int]]:
    """The channels in which something was said: those the audience may see, and the others.

    They narrow the search to where `visible` will hold, which is asked of each hit all the same.
    """
    channels = sorted(audience.channels)
    sees = and_(place.c.team == audience.team, place.c.channel.in_(channels)) if channels else false()
    rows = connection.execute(select(place.c.id, case((sees, 1), else_=0).label("seen"))).all()
    return [row.id for row in rows if row.seen], [row.id for row in rows if not row.seen]


def _hits(connection: Connection, ids: Sequence[int], wanted: Wanted) -> list[Hit]:
    rows = connection.execute(
        select(said.c.id, said.c.kind, said.c.of_id, said.c.ms, session.c.id.label("session_id"), session.c.title)
        .add_columns(session.c.started_by, thread.c.channel, thread.c.thread_ts)
        .join(session, session.c.id == said.c.session_id)
        .join(thread, thread.c.id == session.c.thread_id)
        .where(said.c.id.in_(ids))
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
