"""Finding among the tickets of a catalogue: lists, search, what is ready or blocked, ids named in a text."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from sqlite3 import Connection
from typing import Any

from bot.tickets.facts import URGENCY, folded
from bot.tickets.ids import IdKey, id_key
from bot.tickets.summary import Progress, TicketSummary
from bot.tickets.ticket import Priority, Status, TicketType
from bot.tickets.vocabulary import CLOSED

_SUMMARY = (
    "f.written, f.title, f.type, f.priority, f.status, f.labels, f.epic, f.completed, f.subtasks,"
    " f.created, f.updated, f.archived"
)
_TICKETS = "f.folder = 'tickets' AND f.sole AND f.cause IS NULL"
_LATEST = "f.latest DESC, f.prefix DESC, f.number DESC"
_URGENT = "f.priority, f.prefix, f.number"
_CLOSED = ", ".join(f"'{status}'" for status in sorted(CLOSED))
_WAITS = f"""EXISTS (SELECT 1 FROM blocker b CROSS JOIN file o ON o.folder = 'tickets' AND o.prefix = b.prefix
    AND o.number = b.number WHERE b.file = f.id AND o.sole AND o.cause IS NULL AND o.status NOT IN ({_CLOSED}))"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES = {one.value: one for one in TicketType}
_STATUSES = {one.value: one for one in Status}
_MOST_LETTERS, _MANY = 200, 2000


def latest(
    connection: Connection,
    *,
    status: Status | None,
    type: TicketType | None,
    priority: Priority | None,
    epic: IdKey | None,
    label: str | None,
    archived: bool,
    limit: int,
    offset: int,
) -> list[TicketSummary]:
    """The tickets that have all that is asked for, most recently updated first, those without a time last."""
    chosen: list[tuple[str, object]] = []
    if not archived:
        chosen.append(("NOT f.archived", None))
    if status is not None:
        chosen.append(("f.status = ?", status.value))
    if type is not None:
        chosen.append(("f.type = ?", type.value))
    if priority is not None:
        chosen.append(("f.priority = ?", URGENCY.index(priority)))
    if epic is not None:
        chosen += [("f.epic_prefix = ?", epic.prefix), ("f.epic_number = ?", epic.number)]
    if label is not None:
        chosen.append(("EXISTS (SELECT 1 FROM json_each(f.labels) WHERE lower(value) = lower(?))", label))
    where = " AND ".join([_TICKETS, *(clause for clause, _ in chosen)])
    return _summaries(connection, where, _LATEST, [value for _, value in chosen if value is not None], limit, offset)


def searched(connection: Connection, query: str, *, archived: bool, limit: int, offset: int) -> list[TicketSummary]:
    """What holds every word of the query in id, title or description, in any case: first the ticket of that id,
    then ids, titles and texts that hold the query as it stands or its words; newer ones first among these."""
    wanted, key = folded(query[:_MOST_LETTERS]), id_key(query) or IdKey("", -1)
    words = wanted.split()
    if not words:
        nothing = {"status": None, "type": None, "priority": None, "epic": None, "label": None}
        return latest(connection, **nothing, archived=archived, limit=limit, offset=offset)
    values: dict[str, object] = {"prefix": key.prefix, "number": key.number, "wanted": wanted}
    values |= {f"w{n}": word for n, word in enumerate(words)}
    among = _TICKETS if archived else f"{_TICKETS} AND NOT f.archived"

    def holds(place: str) -> str:
        return " AND ".join(f"instr({place}, :w{n})" for n in range(len(words)))

    heading = f"""CASE WHEN h.file IN (SELECT id FROM file WHERE prefix = :prefix AND number = :number) THEN 0
        WHEN instr(h.id, :wanted) THEN 1 WHEN instr(h.title, :wanted) THEN 2 WHEN {holds("h.title")} THEN 3 END"""
    found = _rows(
        connection,
        f"""SELECT {_SUMMARY}, {heading} AS rank FROM heading h CROSS JOIN file f ON f.id = h.file
        WHERE rank IS NOT NULL AND {among} ORDER BY rank, {_LATEST}""",
        values,
        offset + limit,
    )
    if len(found) < offset + limit:
        among = f"{among} AND {heading} IS NULL"
        texts = ("instr(w.text, :wanted)", f"NOT instr(w.text, :wanted) AND {holds('w.text')}")[: len(words)]
        found += _in_texts(connection, words, among, texts, values, offset + limit - len(found))
    return [_summary(row) for row in found[offset : offset + limit]]


def _in_texts(
    connection: Connection,
    words: Sequence[str],
    among: str,
    texts: Sequence[str],
    values: dict[str, object],
    limit: int,
) -> list[tuple[object, ...]]:
    """The tickets with such texts, one kind after the other. Where many texts hold all of the words, the newest are
    looked through until there are enough."""
    alike = " AND ".join(["text LIKE ? ESCAPE '!'"] * len(words))  # a third of the time of instr
    patterns = ["%" + re.sub("[!%_]", r"!\g<0>", word) + "%" for word in words]
    few = connection.execute(f"SELECT file FROM words WHERE {alike} LIMIT {_MANY}", patterns).fetchall()
    if len(few) < _MANY:
        among = f"f.id IN (SELECT value FROM json_each(:few)) AND {among}"
        values = values | {"few": json.dumps([file for (file,) in few])}
    found: list[tuple[object, ...]] = []
    for text in texts:
        if len(found) < limit:
            found += _rows(
                connection,
                f"""SELECT {_SUMMARY} FROM file f CROSS JOIN heading h ON h.file = f.id
                CROSS JOIN words w ON w.file = f.id WHERE {among} AND {text} ORDER BY {_LATEST}""",
                values,
                limit - len(found),
            )
    return found


def ready(
    connection: Connection, *, priority: Priority | None, type: TicketType | None, limit: int
) -> list[TicketSummary]:
    """The planned tickets that wait for nothing, most urgent first."""
    where, values = f"{_TICKETS} AND NOT f.archived AND f.status = 'planned' AND NOT {_WAITS}", list[object]()
    if priority is not None:
        where, values = f"{where} AND f.priority = ?", [*values, URGENCY.index(priority)]
    if type is not None:
        where, values = f"{where} AND f.type = ?", [*values, type.value]
    return _summaries(connection, where, _URGENT, values, limit, 0)


def blocked(connection: Connection, limit: int) -> list[TicketSummary]:
    """The tickets still to be done that wait for another, most urgent first."""
    where = f"{_TICKETS} AND NOT f.archived AND f.status NOT IN ({_CLOSED}) AND {_WAITS}"
    return _summaries(connection, where, _URGENT, [], limit, 0)


def progress(connection: Connection, epic: IdKey) -> Progress:
    """How many tickets of an epic are done, archived ones counted too."""
    done, total = connection.execute(
        f"""SELECT count(*) FILTER (WHERE f.status = 'done'), count(*) FROM file f
        WHERE {_TICKETS} AND f.epic_prefix = ? AND f.epic_number = ?""",
        epic,
    ).fetchone()
    return Progress(done, total)


def named(connection: Connection, mentioned: Iterable[str]) -> list[str]:
    """The ids of existing tickets among what a text mentions, as their files spell them, in order and once each."""
    keys = [key for mention in dict.fromkeys(mentioned) if (key := id_key(mention)) is not None]
    known = spelled(connection, "tickets", keys)
    return list(dict.fromkeys(known[key] for key in keys if key in known))


def spelled(connection: Connection, folder: str, keys: Iterable[IdKey]) -> dict[IdKey, str]:
    """The ids there are among these, each as its file spells it."""
    rows = connection.execute(
        """SELECT f.prefix, f.number, min(f.written) FROM json_each(?) wanted
        CROSS JOIN file f ON f.folder = ? AND f.prefix = json_extract(wanted.value, '$[0]')
            AND f.number = json_extract(wanted.value, '$[1]')
        GROUP BY f.prefix, f.number""",
        (json.dumps(list(dict.fromkeys(keys))), folder),
    )
    return {IdKey(prefix, number): written for prefix, number, written in rows}


def numbered(connection: Connection, folder: str, numbers: Iterable[int]) -> dict[IdKey, str]:
    """The ids there are with one of these numbers, whatever their prefix."""
    rows = connection.execute(
        "SELECT prefix, number, min(written) FROM file WHERE folder = ? AND prefix IS NOT NULL"
        " AND number IN (SELECT value FROM json_each(?)) GROUP BY prefix, number",
        (folder, json.dumps(sorted(numbers))),
    )
    return {IdKey(prefix, number): written for prefix, number, written in rows}


def sole_names(connection: Connection, folder: str) -> list[str]:
    """The files that can be read and have their id to themselves, in order of the ids."""
    rows = connection.execute(
        "SELECT name FROM file WHERE folder = ? AND sole AND cause IS NULL ORDER BY prefix, number", (folder,)
    )
    return [name for (name,) in rows]


def last_number(connection: Connection, folder: str, prefix: str) -> int:
    """The highest number that an id with this prefix has, 0 when there is none."""
    found = connection.execute(
        "SELECT max(number) FROM file WHERE folder = ? AND prefix = ?", (folder, prefix)
    ).fetchone()[0]
    return int(found or 0)


def wrong(connection: Connection, folder: str) -> list[tuple[str, int | None, str]]:
    """The files that cannot be read or share their id with another: name, line and cause, in order of their names."""
    rows = connection.execute(
        """SELECT f.name, f.line, f.cause, f.written, (SELECT group_concat(o.name, '|') FROM file o
            WHERE o.folder = f.folder AND o.prefix = f.prefix AND o.number = f.number AND o.id != f.id)
        FROM file f WHERE f.folder = ? AND (f.cause IS NOT NULL OR NOT f.sole) ORDER BY f.name""",
        (folder,),
    )
    found: list[tuple[str, int | None, str]] = []
    for name, line, cause, written, others in rows:
        listed = ", ".join(f".sciorex/{folder}/{other}" for other in sorted((others or "").split("|")))
        found.append((name, line, cause or f"its id {written} stands in {listed} too"))
    return found


def digests(connection: Connection) -> dict[str, str]:
    """Every ticket that can be read, by id, with the hash of its file."""
    rows = connection.execute(f"SELECT f.written, f.digest FROM file f WHERE {_TICKETS}")
    return dict(rows.fetchall())


def _rows(connection: Connection, sql: str, values: dict[str, object], limit: int) -> list[tuple[object, ...]]:
    return connection.execute(f"{sql} LIMIT :limit", values | {"limit": limit}).fetchall()


def _summaries(
    connection: Connection, where: str, order: str, values: Sequence[object], limit: int, offset: int
) -> list[TicketSummary]:
    rows = connection.execute(
        f"SELECT {_SUMMARY} FROM file f WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?", (*values, limit, offset)
    )
    return [_summary(row) for row in rows]


def _summary(row: Sequence[Any]) -> TicketSummary:
    written, title, type_, priority, status, labels, epic, completed, subtasks, created, updated, archived, *_ = row
    return TicketSummary(
        id=written,
        title=title,
        type=_TYPES[type_],
        priority=URGENCY[priority],
        status=_STATUSES[status],
        labels=_labels(labels),
        epic_id=epic,
        completed_subtasks=completed,
        subtask_count=subtasks,
        created_at=_time(created),
        updated_at=_time(updated),
        archived=bool(archived),
    )


@lru_cache(1_000)
def _labels(text: str) -> tuple[str, ...]:
    """The labels of a ticket: few combinations, that come again and again."""
    return tuple(json.loads(text))


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)
