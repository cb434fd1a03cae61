"""What was archived of a session, as a chain in the database: only added to, and the file is made of it alone.

What was archived stays as it was then, though rows and code change: an edit, a deletion or an erasure puts a new entry
in the old one's place (see bot.sessions.chain), archiving again adds what is new. The same rows of the chain give the
same file, byte for byte, however often it is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select, update

from bot.sessions.archives.archive import ArchiveRow, newest_archive, record_archive
from bot.sessions.archives.chain import Joint, chain_of, head, new_salt, rest_hashes, salted_hash
from bot.sessions.archives.entries import deleted_answers, entries_of, iso, said_entry, without_erased
from bot.sessions.archives.export import erased_of, joined, rest_of, rows_of, source_of, summed
from bot.sessions.models import archive, archive_entry
from bot.sessions.session import ChatSession, get_session
from bot.sessions.transcript import JsonObject, messages_of, steps_of, turns_of

MARKS = ("editedAt", "deletedAt", "erasedAt")  # where one of these differs, an entry is another one


@dataclass(frozen=True)
class Kept:
    """A session's chain as the database has it: its joints, and what those hold that still stand, by entry id."""

    joints: list[Joint]
    contents: dict[str, JsonObject]
    rest_salt: str = ""
    rest: JsonObject | None = None


def archive_session(
    connection: Connection,
    session: ChatSession,
    *,
    key: str,
    ticket_id: str,
    note: str,
    by: str,
    until: str,
    now_ms: int,
) -> ArchiveRow:
    """Records an archiving, and takes into the chain what was said and done since the last one.

    The same key again gives what was made before and takes in nothing. Raises SessionArchived.
    """
    row = record_archive(
        connection, session, key=key, ticket_id=ticket_id, note=note, by=by, until=until, now_ms=now_ms
    )
    return row if row.entries is not None else _take_in(connection, session, row)


def follow(connection: Connection, session: ChatSession) -> bool:
    """Takes into what was archived before: edits, deletions, erasures, and messages that came late.

    False where nothing was archived, or nothing has changed. Work that was done since waits for the next archiving.
    """
    row = newest_archive(connection, session.id)
    if row is None:
        return False
    if row.entries is None:  # made by a version that knew no chain
        _take_in(connection, session, row, before=iso(row.ms))
        return True
    kept, erased = chain_in(connection, session.id), erased_of(connection, session.id)
    now = {
        f"m-{said.ts}": said_entry(said)
        for said in messages_of(connection, session.id)
        if f"m-{said.ts}" in kept.contents or said.ts <= (row.until or "")
    }
    turns = [turn for turn in turns_of(connection, session.id) if turn.deleted_ms is not None]
    answers = deleted_answers(turns, steps_of(connection, [turn.id for turn in turns]))
    now |= {str(entry["id"]): entry for entry in answers if entry["id"] in kept.contents}
    revised = [without_erased(now.get(id_, entry), erased) for id_, entry in kept.contents.items()]
    revised = [entry for entry in revised if _differs(entry, kept.contents[str(entry["id"])])]
    late = [without_erased(entry, erased) for id_, entry in now.items() if id_ not in kept.contents]
    if not revised and not late:
        return False
    _append(connection, session.id, kept, [*revised, *late])
    assert kept.rest is not None
    known = {"title": session.title, "note": row.note or None, "source": source_of(session)}
    _put_rest(connection, session.id, kept.rest | known | summed(list(kept.contents.values())))
    return True


def follow_late(connection: Connection, session: ChatSession, ts: Sequence[str]) -> None:
    """Takes into what was archived those of these messages that were said before it, and came late."""
    row = newest_archive(connection, session.id)
    if row and row.until and any(one <= row.until for one in ts):
        follow(connection, get_session(connection, session.id))


def chain_in(connection: Connection, session_id: str) -> Kept:
    """The session's chain; empty where nothing was archived."""
    kept = Kept([], {})
    rows = select(archive_entry).where(archive_entry.c.session_id == session_id).order_by(archive_entry.c.n)
    for row in connection.execute(rows):
        if row.n == 0:
            kept = replace(kept, rest_salt=row.salt, rest=json.loads(row.content))
            continue
        kept.joints.append(Joint(row.entry_id, row.hash, row.salt))
        # An id keeps the place where it came first.
        kept.contents.setdefault(row.entry_id, {})
        if row.content is not None:
            kept.contents[row.entry_id] = json.loads(row.content)
    return kept


def archived_file(connection: Connection, session_id: str) -> JsonObject | None:
    """The content of the session's file; None where nothing was archived with a chain."""
    kept = chain_in(connection, session_id)
    if kept.rest is None:
        return None
    whole = joined(kept.rest, list(kept.contents.values()))
    return {**whole, "chain": chain_of(session_id, kept.joints, kept.rest_salt, kept.rest)}


def length(content: JsonObject) -> int:
    """How many entries the chain of a file has."""
    chain = content["chain"]
    assert isinstance(chain, dict)
    return len(chain["entries"])


def behind(connection: Connection, session_id: str) -> ArchiveRow | None:
    """The session's newest archiving, where its file lacks something that the chain has (cut off in between).

    Not one that was never finished: what asked for it waits in the inbox and is done again.
    """
    row = newest_archive(connection, session_id)
    if row is None or row.file is None or row.entries is None:
        return None
    long = select(func.max(archive_entry.c.n)).where(archive_entry.c.session_id == session_id)
    return row if connection.execute(long).scalar_one() != row.written else None


def _take_in(connection: Connection, session: ChatSession, row: ArchiveRow, *, before: str = "") -> ArchiveRow:
    """Everything that is new (where `before` is given: up to that time), this archiving last; gives its row."""
    kept, rows = chain_in(connection, session.id), rows_of(connection, session)
    entries, own = entries_of(rows), f"a-{row.n}"
    new = [
        entry
        for entry in entries
        if _differs(entry, kept.contents.get(str(entry["id"])))
        and (not before or entry["id"] == own or str(entry["timestamp"]) <= before)
    ]
    new.sort(key=lambda entry: entry["id"] == own)
    _append(connection, session.id, kept, new)
    _put_rest(connection, session.id, rest_of(connection, session, rows, list(kept.contents.values()), row))
    chained = {"entries": len(kept.joints), "head": head(session.id, kept.joints)}
    connection.execute(update(archive).where(archive.c.id == row.id).values(**chained))
    return replace(row, entries=len(kept.joints), head=str(chained["head"]))


def _differs(now: JsonObject, before: JsonObject | None) -> bool:
    """Whether an entry must be taken in: it is new, or was edited, deleted or erased since.

    Nothing else counts: what a later version of the bot would write otherwise stays as it was archived.
    """
    return before is None or any(now.get(mark) != before.get(mark) for mark in MARKS)


def _append(connection: Connection, session_id: str, kept: Kept, entries: Sequence[JsonObject]) -> None:
    """Adds entries to the chain; those in whose place they come lose what they said."""
    made = []
    for entry in entries:
        salt = new_salt()
        kept.joints.append(Joint(str(entry["id"]), salted_hash(salt, entry), salt))
        text = json.dumps(entry, ensure_ascii=False)
        made.append(
            {
                "session_id": session_id,
                "n": len(kept.joints),
                "entry_id": entry["id"],
                "hash": kept.joints[-1].hash,
                "salt": salt,
                "content": text,
            }
        )
    replaced = [str(entry["id"]) for entry in entries if entry["id"] in kept.contents]
    for id_ in replaced:
        old = (archive_entry.c.session_id == session_id, archive_entry.c.entry_id == id_)
        connection.execute(update(archive_entry).where(*old).values(content=None, salt=None))
    if made:
        connection.execute(archive_entry.insert(), made)
    gone = set(replaced)
    first_new = len(kept.joints) - len(made)
    kept.joints[:first_new] = [
        Joint(joint.id, joint.hash, None if joint.id in gone else joint.salt) for joint in kept.joints[:first_new]
    ]
    kept.contents.update({str(entry["id"]): entry for entry in entries})


def _put_rest(connection: Connection, session_id: str, rest: JsonObject) -> None:
    """What the file holds beside the messages; with a new salt, since what it said before may be gone."""
    salt = new_salt()
    proof = salted_hash(salt, rest_hashes(salt, rest))
    values = {"hash": proof, "salt": salt, "content": json.dumps(rest, ensure_ascii=False)}
    here = (archive_entry.c.session_id == session_id, archive_entry.c.n == 0)
    if not connection.execute(update(archive_entry).where(*here).values(**values)).rowcount:
        row = {"session_id": session_id, "n": 0, "entry_id": "", **values}
        connection.execute(archive_entry.insert().values(**row))
