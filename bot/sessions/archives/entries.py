"""A transcript's entries, made of rows: what was said, linked, archived and done, each as Sciorex's files have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.sessions.archives.archive import ArchiveRow
from bot.sessions.archives.decisions import Decision
from bot.sessions.linking import Link
from bot.sessions.transcript import JsonObject, Message, Step, ToolCall, Turn

ENDED = {"stopped": "Stopped.", "failed": "Failed: "}


@dataclass(frozen=True)
class Rows:
    """Everything in the database that a session's transcript is made of. `erased`: when, by the entry's id."""

    messages: Sequence[Message] = ()
    turns: Sequence[Turn] = ()
    steps: Mapping[int, Sequence[Step]] = field(default_factory=dict)
    links: Sequence[Link] = ()
    archives: Sequence[ArchiveRow] = ()
    decisions: Mapping[str, Sequence[Decision]] = field(default_factory=dict)
    erased: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Done:
    """Something said or done, and its place in time; its parts stay together."""

    ms: int
    parts: tuple[JsonObject, ...]


def entries_of(rows: Rows) -> list[JsonObject]:
    """Everything that was said and done, in order. The same rows give the same entries.

    What people and other bots said is in it, answered or not; of a deleted or erased entry only that it was.
    """
    done = [
        *(_Done(ts_ms(message.ts), (said_entry(message),)) for message in rows.messages),
        *_linked(rows.links),
        *_steps(rows),
        *(_Done(row.ms, (archive_entry(row),)) for row in rows.archives),
    ]
    done.sort(key=lambda one: one.ms)  # stable: what people said goes before what was done at that moment
    return [without_erased(part, rows.erased) for one in done for part in one.parts]


def said_entry(message: Message) -> JsonObject:
    """What somebody said, as it stands now; what was deleted has lost its text and files, and says when."""
    entry: JsonObject = {
        "id": f"m-{message.ts}",
        "role": "user",
        "content": message.text if message.deleted_ms is None else "",
        "timestamp": iso(ts_ms(message.ts)),
        "author": {"id": message.user_id, "name": message.name, "bot": message.bot},
    }
    if message.edited_ts:
        entry["editedAt"] = iso(ts_ms(message.edited_ts))
    if message.deleted_ms is not None:
        entry["deletedAt"] = iso(message.deleted_ms)
    elif message.files:
        entry["files"] = [{"name": file.get("name"), "url": file.get("url")} for file in message.files]
    return entry


def deleted_answers(turns: Sequence[Turn], steps: Mapping[int, Sequence[Step]]) -> Iterator[JsonObject]:
    """What is left of the answers that were deleted, as `entries_of` has them."""
    for turn in turns:
        for step in steps.get(turn.id, ()) if turn.deleted_ms is not None else ():
            if step.role == "assistant" and (entry := _answered(turn, step)):
                yield entry | ({"usage": step.usage} if step.usage else {})


def archive_entry(row: ArchiveRow) -> JsonObject:
    """One archiving: to which ticket, by whom, with which note."""
    return _system(
        row.ms, f"a-{row.n}", f"Archived to {row.ticket_id}.", by=row.by, ticketId=row.ticket_id, note=row.note or None
    )


def without_erased(entry: JsonObject, erased: Mapping[str, int]) -> JsonObject:
    """The entry; of one that was erased on request only its id, kind, time and cost, and when it was erased."""
    if entry["id"] not in erased:
        return entry
    kept = ("id", "role", "timestamp", "toolUseId", "toolName", "usage")
    left: JsonObject = {key: entry[key] for key in kept if key in entry}
    return {**left, "content": "", "erasedAt": iso(erased[str(entry["id"])])}


def said_first(entries: Iterable[JsonObject]) -> object:
    """What a person asked first, of what still stands."""
    for entry in entries:
        author = entry.get("author")
        by_person = entry["role"] == "user" and not (isinstance(author, Mapping) and author.get("bot"))
        if by_person and not gone(entry):
            return entry["content"]
    return None


def answered_last(entries: Sequence[JsonObject]) -> object:
    """What the agent answered last, of what still stands."""
    answers = (entry["content"] for entry in reversed(entries) if entry["role"] == "assistant" and not gone(entry))
    return next(answers, None)


def usage_of(entries: Iterable[JsonObject]) -> dict[str, int]:
    """What the model counted in all steps together: tokens, by their kind."""
    total: dict[str, int] = {}
    for entry in entries:
        usage = entry.get("usage")
        for kind, count in usage.items() if isinstance(usage, Mapping) else ():
            if type(count) is int:
                total[kind] = total.get(kind, 0) + count
    return total


def gone(entry: JsonObject) -> bool:
    """Whether the entry was deleted or erased."""
    return "deletedAt" in entry or "erasedAt" in entry


def iso(ms: int) -> str:
    """Milliseconds since 1970 as Sciorex writes times."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def ts_ms(ts: str) -> int:
    """Slack's ts in milliseconds, without the detour over a float."""
    seconds, _, parts = ts.partition(".")
    return int(seconds) * 1000 + int(f"{parts:0<3}"[:3])


def _linked(links: Sequence[Link]) -> Iterator[_Done]:
    for link in links:
        began = _system(link.linked_ms, f"l-{link.n}", f"Linked to {link.ticket_id}.", by=link.linked_by)
        yield _Done(link.linked_ms, (began,))
        if link.unlinked_ms is not None:
            text = f"The link to {link.ticket_id} ended."
            yield _Done(link.unlinked_ms, (_system(link.unlinked_ms, f"l-{link.n}.end", text, by=link.unlinked_by),))


def _system(ms: int, id_: str, text: str, **more: object) -> JsonObject:
    given = {key: value for key, value in more.items() if value is not None}
    return {"id": id_, "role": "system", "content": text, "timestamp": iso(ms), **given}


def _steps(rows: Rows) -> Iterator[_Done]:
    """The agent's part. A step never stands before what it answers, though Slack's clock is not ours."""
    said = {message.id: ts_ms(message.ts) for message in rows.messages}
    floor = 0
    for turn in rows.turns:
        for step in rows.steps.get(turn.id, ()):
            if step.role == "user":
                floor = max([floor, *(said[i] for i in step.message_ids if i in said)])
                continue
            floor = max(floor, step.ms)
            yield _Done(floor, tuple(_answer(turn, step, rows.decisions)))
        if turn.state in ENDED:
            why = (turn.error or "no answer") if turn.state == "failed" else ""
            end = max(floor, turn.began_ms)
            yield _Done(end, (_system(end, f"t-{turn.key}.end", ENDED[turn.state] + why),))


def _answer(turn: Turn, step: Step, decisions: Mapping[str, Sequence[Decision]]) -> Iterator[JsonObject]:
    """What the model wrote in one step, and each tool call with its result; the first part says what it cost."""
    parts = [entry] if (entry := _answered(turn, step)) else []
    for call in step.calls:
        parts += _tool(call, step.ms, decisions.get(call.op, ()))
    if step.usage:
        parts[0]["usage"] = step.usage
    yield from parts


def _answered(turn: Turn, step: Step) -> JsonObject | None:
    """The model's words; of an answer that was deleted only that there was one, and when. None where it wrote none."""
    deleted = {"deletedAt": iso(turn.deleted_ms)} if turn.deleted_ms is not None else {}
    spoke = any(block.get("type") == "text" for block in step.content) if deleted else bool(step.text)
    if not spoke and step.calls:
        return None
    by = {"agentId": turn.agent, "model": turn.model, "askedBy": turn.asked_by}
    note = {"note": step.note} if step.note else {}
    what = {"role": "assistant", "content": "" if deleted else step.text, "timestamp": iso(step.ms)}
    return {"id": f"t-{turn.key}.{step.n}", **what, **by, **note, **deleted}


def _tool(call: ToolCall, asked_ms: int, decisions: Sequence[Decision]) -> Iterator[JsonObject]:
    tool = {"toolUseId": call.tool_use_id, "toolName": call.name}
    asked = {"role": "tool_use", "content": call.name, "timestamp": iso(call.started_ms or asked_ms)}
    yield {"id": call.op, **asked, **tool, "toolInput": call.input}
    for n, decision in enumerate(decisions, 1):
        more = {"shown": decision.shown, "state": decision.state, "answer": decision.answer, "by": decision.by}
        ms, entry_id = decision.at_ms or asked_ms, f"{call.op}.question" + (str(n) if n > 1 else "")
        yield _system(ms, entry_id, decision.sentence, **tool, **more)
    if call.result is not None:
        answered = {"role": "tool_result", "content": call.result, "timestamp": iso(call.ended_ms or asked_ms)}
        yield {"id": f"{call.op}.result", **answered, **tool, "isError": call.is_error, "state": call.state}
