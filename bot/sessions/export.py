"""A session's transcript in the form of Sciorex's session files (sciorex-workspace: Sessions)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from bot.sessions.archive import ArchiveRow
from bot.sessions.linking import Link, links_of, references_of
from bot.sessions.session import ChatSession
from bot.sessions.transcript import (
    JsonObject,
    Message,
    Step,
    ToolCall,
    Turn,
    messages_of,
    steps_of,
    turns_of,
)


@dataclass(frozen=True)
class _Entry:
    """Something said or done, and its place: when, and after how many others of the same moment."""

    ms: int
    content: tuple[JsonObject, ...]


def transcript_of(connection: Connection, session: ChatSession, archived: ArchiveRow | None = None) -> JsonObject:
    """The session's file as its rows stand now; without `archived` that of a session that goes on."""
    turns = turns_of(connection, session.id)
    return transcript_file(
        session,
        messages=messages_of(connection, session.id),
        turns=turns,
        steps=steps_of(connection, [turn.id for turn in turns]),
        links=links_of(connection, session.id),
        references=references_of(connection, session.id),
        archived=archived,
    )


def transcript_file(
    session: ChatSession,
    *,
    messages: Sequence[Message],
    turns: Sequence[Turn],
    steps: Mapping[int, Sequence[Step]],
    links: Sequence[Link],
    references: Sequence[str] = (),
    archived: ArchiveRow | None = None,
) -> JsonObject:
    """The content of `session-<id>.json`: Sciorex's keys, and title, note, archivedAt, archivedBy, source.

    Everything said by people and other bots is in it, answered or not; of a deleted message only that it was.
    Tool calls stand with their inputs and results. The same rows give the same file.
    """
    entries = [*_said(messages), *_linked(links), *_done(turns, steps, messages)]
    entries.sort(key=lambda entry: entry.ms)  # stable: what people said goes before what was done at that moment
    written = [one for entry in entries for one in entry.content]
    said = [m for m in messages if m.deleted_ms is None and not m.bot]
    answers = [one["content"] for one in written if one["role"] == "assistant"]
    ticket_id, epic_id = _ticket(links, archived)
    return {
        "id": session.id,
        "agentId": session.agent,
        "status": "completed" if archived else _status(turns),
        "input": said[0].text if said else None,
        "output": answers[-1] if answers else None,
        "messages": written,
        "linkedTicketId": ticket_id,
        "linkedEpicId": epic_id,
        "previousSessionId": None,
        "startedAt": iso(session.started_ms),
        "completedAt": iso(archived.ms) if archived else None,
        "title": session.title,
        "model": session.model,
        "startedBy": session.started_by,
        "references": list(references),
        "note": archived.note or None if archived else None,
        "archivedAt": iso(archived.ms) if archived else None,
        "archivedBy": archived.by if archived else None,
        "source": {
            "type": "slack",
            "team": session.team,
            "channel": session.channel,
            "threadTs": session.thread_ts,
        },
    }


def iso(ms: int) -> str:
    """Milliseconds since 1970 as Sciorex writes times."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def ts_ms(ts: str) -> int:
    """Slack's ts in milliseconds, without the detour over a float."""
    seconds, _, parts = ts.partition(".")
    return int(seconds) * 1000 + int(f"{parts:0<3}"[:3])


def _said(messages: Sequence[Message]) -> Iterator[_Entry]:
    for message in messages:
        ms = ts_ms(message.ts)
        one: JsonObject = {
            "id": f"m-{message.ts}",
            "role": "user",
            "content": message.text if message.deleted_ms is None else "",
            "timestamp": iso(ms),
            "author": {"id": message.user_id, "name": message.name, "bot": message.bot},
        }
        if message.edited_ts:
            one["editedAt"] = iso(ts_ms(message.edited_ts))
        if message.deleted_ms is not None:
            one["deletedAt"] = iso(message.deleted_ms)
        elif message.files:
            one["files"] = list(message.files)
        yield _Entry(ms, (one,))


def _linked(links: Sequence[Link]) -> Iterator[_Entry]:
    for link in links:
        yield _system(link.linked_ms, f"l-{link.n}", f"Linked to {link.ticket_id}.", link.linked_by)
        if link.unlinked_ms is not None:
            text = f"The link to {link.ticket_id} ended."
            yield _system(link.unlinked_ms, f"l-{link.n}.end", text, link.unlinked_by)


def _system(ms: int, id_: str, text: str, by: str | None = None) -> _Entry:
    one: JsonObject = {"id": id_, "role": "system", "content": text, "timestamp": iso(ms)}
    return _Entry(ms, ({**one, "by": by} if by else one,))


def _done(turns: Sequence[Turn], steps: Mapping[int, Sequence[Step]], messages: Sequence[Message]) -> Iterator[_Entry]:
    """The agent's part. A step never stands before what it answers, though Slack's clock is not ours."""
    said = {message.id: ts_ms(message.ts) for message in messages}
    floor = 0
    for turn in turns:
        for step in steps.get(turn.id, ()):
            if step.role == "user":
                floor = max([floor, *(said[i] for i in step.message_ids if i in said)])
                continue
            floor = max(floor, step.ms)
            yield _Entry(floor, tuple(_answer(turn, step)))
        if turn.state in ("failed", "stopped"):
            text = "Stopped." if turn.state == "stopped" else f"Failed: {turn.error or 'no answer'}"
            yield _system(max(floor, turn.began_ms), f"t-{turn.key}.end", text)


def _answer(turn: Turn, step: Step) -> Iterator[JsonObject]:
    """What the model wrote in one step, and each tool call with its result."""
    id_ = f"t-{turn.key}.{step.n}"
    if step.text:
        yield {
            "id": id_,
            "role": "assistant",
            "content": step.text,
            "timestamp": iso(step.ms),
            "agentId": turn.agent,
            "model": turn.model,
            "askedBy": turn.asked_by,
        }
    for call in step.calls:
        yield from _tool(call, step.ms)


def _tool(call: ToolCall, asked_ms: int) -> Iterator[JsonObject]:
    yield {
        "id": call.op,
        "role": "tool_use",
        "content": call.name,
        "timestamp": iso(call.started_ms or asked_ms),
        "toolUseId": call.tool_use_id,
        "toolName": call.name,
        "toolInput": call.input,
    }
    if call.result is not None:
        yield {
            "id": f"{call.op}.result",
            "role": "tool_result",
            "content": call.result,
            "timestamp": iso(call.ended_ms or asked_ms),
            "toolUseId": call.tool_use_id,
            "toolName": call.name,
            "isError": call.is_error,
            "state": call.state,
        }


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
