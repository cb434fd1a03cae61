"""A session's transcript in the form of Sciorex's session files (sciorex-workspace: Sessions)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from bot.sessions.archives.archive import ArchiveRow, archives_of
from bot.sessions.archives.decisions import decisions_of
from bot.sessions.archives.entries import Rows, answered_last, entries_of, iso, said_first, usage_of
from bot.sessions.linking import Link, links_of, references_of
from bot.sessions.models import erased
from bot.sessions.session import ChatSession
from bot.sessions.transcript import JsonObject, Turn, messages_of, steps_of, turns_of


def transcript_of(connection: Connection, session: ChatSession, archived: ArchiveRow | None = None) -> JsonObject:
    """The session's transcript as its rows stand now; without `archived` that of a session that goes on."""
    rows = rows_of(connection, session)
    entries = entries_of(rows)
    return joined(rest_of(connection, session, rows, entries, archived), entries)


def rows_of(connection: Connection, session: ChatSession) -> Rows:
    """What the session's transcript is made of."""
    turns = turns_of(connection, session.id)
    ids = [turn.id for turn in turns]
    return Rows(
        messages=messages_of(connection, session.id),
        turns=turns,
        steps=steps_of(connection, ids),
        links=links_of(connection, session.id),
        archives=archives_of(connection, session.id),
        decisions=decisions_of(connection, ids),
        erased=erased_of(connection, session.id),
    )


def erased_of(connection: Connection, session_id: str) -> dict[str, int]:
    """The ids of what was erased on request, and when."""
    rows = connection.execute(select(erased.c.entry_id, erased.c.ms).where(erased.c.session_id == session_id))
    return {entry_id: ms for entry_id, ms in rows}


def rest_of(
    connection: Connection,
    session: ChatSession,
    rows: Rows,
    entries: Sequence[JsonObject],
    archived: ArchiveRow | None,
) -> JsonObject:
    """What the file holds beside the messages: Sciorex's keys, and ours."""
    ticket_id, epic_id = _ticket(rows.links, archived)
    return {
        "id": session.id,
        "agentId": session.agent,
        "status": "completed" if archived else _status(rows.turns),
        **summed(entries),
        "linkedTicketId": ticket_id,
        "linkedEpicId": epic_id,
        "previousSessionId": session.parent_id,
        "startedAt": iso(session.started_ms),
        "completedAt": iso(archived.ms) if archived else None,
        "title": session.title,
        "model": session.model,
        "startedBy": session.started_by,
        "references": references_of(connection, session.id),
        "note": archived.note or None if archived else None,
        "archivedAt": iso(archived.ms) if archived else None,
        "archivedBy": archived.by if archived else None,
        "source": source_of(session),
    }


def summed(entries: Sequence[JsonObject]) -> JsonObject:
    """What the rest of the file repeats of its entries."""
    return {"input": said_first(entries), "output": answered_last(entries), "usage": usage_of(entries)}


def source_of(session: ChatSession) -> JsonObject:
    """Where in Slack the session takes place."""
    place = {"team": session.team, "channel": session.channel, "threadTs": session.thread_ts}
    return {"type": "slack", **place}


def joined(rest: JsonObject, entries: Sequence[JsonObject]) -> JsonObject:
    """The whole file, the messages where Sciorex has them."""
    whole: JsonObject = {}
    for key, value in rest.items():
        whole[key] = value
        if key == "output":
            whole["messages"] = list(entries)
    return whole


def _ticket(links: Sequence[Link], archived: ArchiveRow | None) -> tuple[str | None, str | None]:
    """The ticket the file belongs to, with its epic: the one archived to, else the one linked now."""
    now = next((link for link in links if link.unlinked_ms is None), None)
    ticket_id = archived.ticket_id if archived else now.ticket_id if now else None
    known = [link for link in links if link.ticket_id == ticket_id]
    return ticket_id, known[-1].epic_id if known else None


def _status(turns: Sequence[Turn]) -> str:
    """One of Sciorex's statuses for a session that goes on."""
    last = turns[-1].state if turns else ""
    return {"running": "running", "answered": "running", "waiting": "waiting_input"}.get(last, "paused")
