"""Edits and deletions that came before the message they are about, since Slack promises no order: they wait for it."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from bot.database import insert_once
from bot.sessions.models import early, message

SECONDS = 3_600  # Slack sends a message again for some minutes; what is older than this waits for nothing


def wait_for(
    connection: Connection, session_id: str, ts: str, at_s: int, *, text: str, edited_ts: str | None, deleted: bool
) -> None:
    """Notes what became of a message that is not here (yet); the newest counts, and a deletion above all."""
    connection.execute(delete(early).where(early.c.session_id == session_id, early.c.at_s < at_s - SECONDS))
    known = select(message.c.id).where(message.c.session_id == session_id, message.c.ts == ts)
    if connection.execute(known).first() or int(ts.split(".")[0]) < at_s - SECONDS:
        return
    values = {"text": text, "edited_ts": edited_ts, "deleted": deleted, "at_s": at_s}
    if insert_once(connection, early, session_id=session_id, ts=ts, **values) is None:
        older = early.c.edited_ts.is_(None) | (early.c.edited_ts < (edited_ts or ""))
        mine = (early.c.session_id == session_id, early.c.ts == ts, early.c.deleted.is_(False))
        connection.execute(update(early).where(*mine, older if not deleted else early.c.id > 0).values(**values))


def take_early(connection: Connection, session_id: str, ts: str, edited_ts: str | None) -> None:
    """The message is here: it is at once what became of it."""
    row = connection.execute(select(early).where(early.c.session_id == session_id, early.c.ts == ts)).first()
    if row is None:
        return
    here = update(message).where(message.c.session_id == session_id, message.c.ts == ts)
    if row.deleted:
        connection.execute(here.values(text="", files="[]", deleted_ms=row.at_s * 1000))
    elif (row.edited_ts or "") > (edited_ts or ""):
        connection.execute(here.values(text=row.text, edited_ts=row.edited_ts))
    connection.execute(delete(early).where(early.c.id == row.id))
