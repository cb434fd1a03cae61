"""The entries of the catalogue: what is kept of each file, put in, dropped, and looked up."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.tickets.ids import IdKey

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Facts:
    """What is found by of a ticket (or epic): `priority` 0 most urgent, times in µs since 1970, `text` folded."""

    title: str
    status: str
    words: tuple[str, str, str]  # id, title and all of the text, in folded case
    type: str = ""
    priority: int = 0
    labels: tuple[str, ...] = ()
    epic: str | None = None
    epic_key: IdKey | None = None
    completed: int = 0
    subtasks: int = 0
    created: int | None = None
    updated: int | None = None
    archived: bool = False
    blockers: frozenset[IdKey] = frozenset()
    made_by: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seen:
    """A file as it was last seen: `stamp` is (time of change in ns, size, inode), `digest` a hash of its bytes.

    `settled` tells whether the stamp alone shows that the file has not changed since.
    """

    name: str
    stamp: Stamp
    settled: bool
    digest: str
    id: str
    key: IdKey | None


@dataclass(frozen=True)
class Row:
    """What the catalogue keeps of a file: its facts, or the line and cause why it cannot be read."""

    seen: Seen
    facts: Facts | None
    line: int | None = None
    cause: str | None = None


_OLD = "SELECT id, prefix, number FROM file WHERE folder = ? AND name = ?"


def put(connection: sqlite3.Connection, folder: str, rows: Iterable[Row]) -> None:
    """Keeps what files hold now, in place of what they held before."""
    for row in rows:
        _put(connection, folder, row)


def _put(connection: sqlite3.Connection, folder: str, row: Row) -> None:
    old = connection.execute(_OLD, (folder, row.seen.name)).fetchone()
    columns = _columns(row)
    if old is None:
        marks = ", ".join("?" * (len(columns) + 1))
        inserted = connection.execute(
            f"INSERT INTO file (folder, {', '.join(columns)}) VALUES ({marks})", (folder, *columns.values())
        )
        file, old_key = inserted.lastrowid or 0, None
    else:
        file, old_key = old[0], old[1:3]
        changes = ", ".join(f"{column} = ?" for column in columns)
        connection.execute(f"UPDATE file SET {changes} WHERE id = ?", (*columns.values(), file))
        _empty(connection, file)
    facts = row.facts
    if facts is not None:
        connection.execute("INSERT INTO heading VALUES (?, ?, ?)", (file, *facts.words[:2]))
        connection.execute("INSERT INTO words VALUES (?, ?)", (file, facts.words[2]))
        connection.executemany("INSERT INTO blocker VALUES (?, ?, ?)", [(file, *key) for key in facts.blockers])
        connection.executemany("INSERT INTO made VALUES (?, ?)", [(op, file) for op in facts.made_by])
    for key in {old_key} ^ {tuple(row.seen.key) if row.seen.key else None}:
        _count(connection, folder, key)


def touch(connection: sqlite3.Connection, folder: str, seen: Seen) -> None:
    """The file holds what it held, though its stamp is another one."""
    connection.execute(
        "UPDATE file SET mtime_ns = ?, size = ?, inode = ?, settled = ? WHERE folder = ? AND name = ?",
        (*seen.stamp, seen.settled, folder, seen.name),
    )


def drop(connection: sqlite3.Connection, folder: str, name: str) -> None:
    """The file is no more."""
    old = connection.execute(_OLD, (folder, name)).fetchone()
    if old is None:
        return
    _empty(connection, old[0])
    connection.execute("DELETE FROM file WHERE id = ?", (old[0],))
    _count(connection, folder, old[1:3])


def stamps(connection: sqlite3.Connection, folder: str) -> dict[str, Stamp | None]:
    """Every known file of a folder by name: its stamp, None where that alone does not tell that it has not changed."""
    rows = connection.execute("SELECT name, settled, mtime_ns, size, inode FROM file WHERE folder = ?", (folder,))
    return {name: (mtime, size, inode) if settled else None for name, settled, mtime, size, inode in rows}


def seen_named(connection: sqlite3.Connection, folder: str, names: list[str]) -> dict[str, Seen]:
    """The known files among these."""
    chosen = "folder = ? AND name IN (SELECT value FROM json_each(?))"
    return {seen.name: seen for seen in _seen(connection, chosen, folder, json.dumps(names))}


def seen_with_key(connection: sqlite3.Connection, folder: str, key: IdKey) -> list[Seen]:
    """The known files that have an id."""
    return list(_seen(connection, "folder = ? AND prefix = ? AND number = ?", folder, *key))


def seen_made_by(connection: sqlite3.Connection, folder: str, op: str) -> list[Seen]:
    """The known files that an operation made."""
    return list(_seen(connection, "folder = ? AND id IN (SELECT file FROM made WHERE op = ?)", folder, op))


def _seen(connection: sqlite3.Connection, chosen: str, *values: object) -> Iterator[Seen]:
    columns = "name, mtime_ns, size, inode, settled, digest, written, prefix, number"
    for row in connection.execute(f"SELECT {columns} FROM file WHERE {chosen}", values):
        name, mtime, size, inode, settled, digest, written, prefix, number = row
        key = IdKey(prefix, number) if prefix is not None else None
        yield Seen(name, (mtime, size, inode), bool(settled), digest, written, key)


def _columns(row: Row) -> dict[str, object]:
    seen, facts = row.seen, row.facts
    prefix, number = seen.key or (None, None)
    known: dict[str, object] = {
        "name": seen.name,
        "mtime_ns": seen.stamp[0],
        "size": seen.stamp[1],
        "inode": seen.stamp[2],
        "settled": seen.settled,
        "digest": seen.digest,
        "written": seen.id,
        "prefix": prefix,
        "number": number,
        "line": row.line,
        "cause": row.cause,
    }
    epic_prefix, epic_number = (facts.epic_key if facts and facts.epic_key else None) or (None, None)
    return known | {
        "title": facts and facts.title,
        "type": facts and facts.type,
        "priority": facts and facts.priority,
        "status": facts and facts.status,
        "labels": facts and json.dumps(facts.labels, ensure_ascii=False),
        "epic": facts and facts.epic,
        "epic_prefix": epic_prefix,
        "epic_number": epic_number,
        "completed": facts and facts.completed,
        "subtasks": facts and facts.subtasks,
        "created": facts and facts.created,
        "updated": facts and facts.updated,
        "archived": bool(facts and facts.archived),
    }


def _empty(connection: sqlite3.Connection, file: int) -> None:
    for table in ("heading", "words", "blocker", "made"):
        connection.execute(f"DELETE FROM {table} WHERE file = ?", (file,))


def _count(connection: sqlite3.Connection, folder: str, key: tuple[object, ...] | None) -> None:
    """Notes for all files with an id whether it is theirs alone."""
    if key is None or key[0] is None:
        return
    where = (folder, *key)
    files_with_it = connection.execute(
        "SELECT count(*) FROM file WHERE folder = ? AND prefix = ? AND number = ?", where
    ).fetchone()[0]
    connection.execute(
        "UPDATE file SET sole = ? WHERE folder = ? AND prefix = ? AND number = ? AND sole != ?",
        (files_with_it == 1, *where, files_with_it == 1),
    )
