"""Files of messages: fetched from Slack once, kept with their message, and gone with it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import Connection, delete, func, select, update

from bot.database import insert_once
from bot.sessions.forking import inherited
from bot.sessions.models import attachment, message
from bot.sessions.session import ChatSession
from bot.sessions.transcript import JsonObject

REFUSED = "refused"


@dataclass(frozen=True)
class Attachment:
    """A file as the model is shown it: base64 of an image or PDF, a text; or why it is not shown (`refused`)."""

    message_id: int
    file_id: str
    name: str
    kind: str  # image, pdf, text, refused
    media_type: str
    content: str
    size: int  # bytes


@dataclass(frozen=True)
class Wanted:
    """A file that nobody has looked at yet: Slack's own words on it (id, name, mimetype, size, address)."""

    message_id: int
    file_id: str
    name: str
    mimetype: str
    size: int
    address: str


def attachments_of(connection: Connection, message_ids: Collection[int]) -> Mapping[int, list[Attachment]]:
    """The files of these messages, in the order in which they were posted."""
    if not message_ids:
        return {}
    columns = [attachment.c[field.name] for field in fields(Attachment)]
    query = select(*columns).where(attachment.c.message_id.in_(message_ids)).order_by(attachment.c.id)
    found: dict[int, list[Attachment]] = {}
    for row in connection.execute(query):
        found.setdefault(row.message_id, []).append(Attachment(*row))
    return found


def not_looked_at(connection: Connection, session_id: str) -> list[Wanted]:
    """The files of the session's messages that have no row yet, oldest first."""
    with_files = (message.c.session_id == session_id, message.c.files != "[]", message.c.deleted_ms.is_(None))
    said = connection.execute(select(message.c.id, message.c.files).where(*with_files).order_by(message.c.ts)).all()
    if not said:
        return []
    have = select(attachment.c.message_id, attachment.c.file_id).where(attachment.c.session_id == session_id)
    known = {(row.message_id, row.file_id) for row in connection.execute(have)}
    return [
        Wanted(
            one.id,
            str(file["id"]),
            str(file.get("name") or "file"),
            str(file.get("mimetype") or ""),
            size if isinstance(size := file.get("size"), int) else 0,
            str(file.get("download") or ""),
        )
        for one in said
        for file in json.loads(one.files)
        if file.get("id") and (one.id, str(file["id"])) not in known
    ]


def shown_bytes(connection: Connection, session_id: str) -> tuple[int, int]:
    """How many files of the session, and of those it was forked from, the model is shown, and how many bytes."""
    ids = [session_id, *(part.session_id for part in inherited(connection, session_id))]
    of = (attachment.c.session_id.in_(ids), attachment.c.kind != REFUSED)
    row = connection.execute(select(func.count(), func.coalesce(func.sum(attachment.c.size), 0)).where(*of)).one()
    return int(row[0]), int(row[1])


def keep_attachment(connection: Connection, session_id: str, one: Attachment, now_ms: int) -> None:
    """Keeps the file, once; nothing when its message was deleted, or lost the file, meanwhile."""
    row = connection.execute(
        select(message.c.deleted_ms, message.c.files).where(message.c.id == one.message_id).with_for_update()
    ).first()
    if row is None or row.deleted_ms is not None or one.file_id not in ids_in(json.loads(row.files)):
        return
    values = {field.name: getattr(one, field.name) for field in fields(Attachment)}
    insert_once(connection, attachment, session_id=session_id, ms=now_ms, **values)


def files_left(connection: Connection, of: ChatSession, ts: str, left: Sequence[str]) -> None:
    """The message of this ts has these files left (Slack's ids): the others are gone, their content too."""
    here = (message.c.session_id == of.id, message.c.ts == ts, message.c.deleted_ms.is_(None))
    row = connection.execute(select(message.c.id, message.c.files).where(*here).with_for_update()).first()
    files: list[JsonObject] = json.loads(row.files) if row else []
    kept = [file for file in files if not file.get("id") or file["id"] in left]
    if row is not None and kept != files:
        text = json.dumps(kept, ensure_ascii=False)
        connection.execute(update(message).where(message.c.id == row.id).values(files=text))
        gone = (attachment.c.message_id == row.id, attachment.c.file_id.not_in(list(left)))
        connection.execute(delete(attachment).where(*gone))


def ids_in(files: Iterable[Mapping[str, object]]) -> list[str]:
    """Slack's ids of a message's files."""
    return [str(file["id"]) for file in files if file.get("id")]
