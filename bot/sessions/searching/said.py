"""Keeps what was said findable: people's messages, the agent's answers, archive notes, sessions' titles.

Which rows are new, the database's own triggers note (migration 0006), and take away what has changed or gone;
`settle` takes in what they noted, in the same transaction.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, delete, func, select

from bot.database import insert_new
from bot.sessions.models import archive, message, session, step, thread, turn
from bot.sessions.searching.said_tables import place, said, unindexed
from bot.sessions.searching.terms import words_of

log = logging.getLogger(__name__)
AT_ONCE = 500
ANY = select(unindexed.c.id).limit(1)


class Saying(NamedTuple):
    """Something that was said, in whichever table, and where."""

    of: str
    session_id: str
    team: str
    channel: str
    ms: int
    text: str


def settle(connection: Connection) -> None:
    """Takes in all that is new since it was done last; called before every commit (`Database`)."""
    while connection.execute(ANY).first() is not None:
        noted = select(unindexed.c.id).order_by(unindexed.c.id).limit(AT_ONCE).with_for_update(skip_locked=True)
        taken = delete(unindexed).where(unindexed.c.id.in_(noted)).returning(*unindexed.c)
        rows = sorted(connection.execute(taken).all())
        if not rows:
            return
        wanted = dict.fromkeys((row.kind, row.of_id) for row in rows)
        found: dict[tuple[str, str], Saying] = {}
        for kind, read in READ.items():
            ids = [of for of_kind, of in wanted if of_kind == kind]
            found |= {(kind, one.of): one for one in read(connection, ids)} if ids else {}
        _keep(connection, [(kind, found[kind, of]) for kind, of in wanted if (kind, of) in found])
        if len(rows) < AT_ONCE:
            return


def _keep(connection: Connection, sayings: Sequence[tuple[str, Saying]]) -> None:
    """What is there already says the same: a row that changes loses its words at once."""
    places = _places(connection, {(one.team, one.channel) for _, one in sayings})
    rows = [
        {
            "kind": kind,
            "of_id": one.of,
            "session_id": one.session_id,
            "place_id": places[one.team, one.channel],
            "ms": one.ms,
            "words": words,
        }
        for kind, one in sayings
        if (words := words_of(one.text))
    ]
    insert_new(connection, said, rows)


def _places(connection: Connection, wanted: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
    """The numbers of channels, made where they are not there."""
    numbers: dict[tuple[str, str], int] = {}
    for team, channel in wanted:
        here = select(func.min(place.c.id)).where(place.c.team == team, place.c.channel == channel)
        number = connection.execute(here).scalar_one()
        if number is None:
            made = place.insert().values(team=team, channel=channel).returning(place.c.id)
            number = connection.execute(made).scalar_one()
        numbers[team, channel] = number
    return numbers


def _messages(connection: Connection, ids: Sequence[str]) -> Iterator[Saying]:
    rows = _where(
        select(message.c.id, message.c.ts, message.c.text, message.c.files).join(
            session, session.c.id == message.c.session_id
        )
    ).where(message.c.id.in_([int(of) for of in ids]), message.c.deleted_ms.is_(None))
    for row in connection.execute(rows):
        yield _saying(row, int(float(row.ts) * 1000), "\n".join([row.text, *names_of(row.files)]))


def _steps(connection: Connection, ids: Sequence[str]) -> Iterator[Saying]:
    rows = _where(
        select(step.c.id, step.c.ms, step.c.body)
        .join(turn, turn.c.id == step.c.turn_id)
        .join(session, session.c.id == turn.c.session_id)
    ).where(step.c.id.in_([int(of) for of in ids]), step.c.role == "assistant")
    for row in connection.execute(rows):
        yield _saying(row, row.ms, text_of(row.body))


def _archives(connection: Connection, ids: Sequence[str]) -> Iterator[Saying]:
    rows = _where(
        select(archive.c.id, archive.c.ms, archive.c.note).join(session, session.c.id == archive.c.session_id)
    ).where(archive.c.id.in_([int(of) for of in ids]))
    for row in connection.execute(rows):
        yield _saying(row, row.ms, row.note)


def _sessions(connection: Connection, ids: Sequence[str]) -> Iterator[Saying]:
    rows = _where(select(session.c.id, session.c.started_ms, session.c.title)).where(session.c.id.in_(ids))
    for row in connection.execute(rows):
        yield _saying(row, row.started_ms, row.title)


def _where(rows: Select[Any]) -> Select[Any]:
    """The same rows with the session and the channel they belong to."""
    named = rows.add_columns(session.c.id.label("in_session"), thread.c.team, thread.c.channel)
    return named.join(thread, thread.c.id == session.c.thread_id)


def _saying(row: Any, ms: int, text: str) -> Saying:
    return Saying(str(row.id), row.in_session, row.team, row.channel, ms, text)


def names_of(files: str) -> list[str]:
    """The names of a message's files."""
    return [str(file.get("name") or "") for file in _read(files) if isinstance(file, dict)]


def text_of(body: str) -> str:
    """What the model wrote in a step, without its tool calls and its thinking."""
    blocks = [block for block in _read(body) if isinstance(block, dict)]
    return "".join(str(block.get("text") or "") for block in blocks if block.get("type") == "text")


def _read(text: str) -> list[object]:
    """A JSON list; an empty one for anything else: a row that cannot be read must not stop every write."""
    try:
        found: object = json.loads(text)
    except ValueError:
        log.warning("a row cannot be read, and is not to be found")
        return []
    return found if isinstance(found, list) else []


READ: Mapping[str, Callable[[Connection, Sequence[str]], Iterator[Saying]]] = {
    "message": _messages,
    "step": _steps,
    "archive": _archives,
    "session": _sessions,
}
