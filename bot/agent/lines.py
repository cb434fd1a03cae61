"""A session's rows as lines for the model: what it was forked from, what it began with, and its turns so far."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection

from bot.agent.attachments import block_of, named
from bot.agent.prompt import (
    DELETED,
    FORKED,
    AgentStep,
    Given,
    Line,
    Note,
    PersonLine,
    ToolResult,
    ToolResults,
    hand_over,
    summed_up,
)
from bot.agent.reads import context_of
from bot.sessions import transcript
from bot.sessions.attachments import Attachment, attachments_of
from bot.sessions.compactions import find_compaction
from bot.sessions.forking import Inherited, inherited
from bot.sessions.linking import current_link
from bot.sessions.session import get_session
from bot.sessions.transcript import Message, Step, Turn

LONGEST_MESSAGE = 40_000  # characters of a message; Slack takes no longer ones


@dataclass(frozen=True)
class Part:
    """The lines of one turn, by its number; those before the session's own turns have the number 0."""

    n: int
    lines: Sequence[Line]


@dataclass(frozen=True)
class Lines:
    """The whole session up to a turn, what this turn is to answer, and its steps.

    `parts` are the same lines as `all`, turn by turn; the first of them may be a summary of all that came before.
    """

    all: list[Line]
    asked: list[PersonLine]  # what this turn is to answer: nothing of what was deleted, nor where its answer was
    steps: list[Step]
    receipt: str | None
    parts: Sequence[Part] = ()
    tokens: int = 0  # what the model counted when it was asked last


def lines_of(connection: Connection, turn: Turn) -> Lines:
    """The whole session as lines for the model, what it was forked from first, and this turn's own part of them."""
    turns, steps = _turns(connection, turn)
    parts = _parts(connection, turn, turns, steps)
    compaction = find_compaction(connection, turn.session_id, turn.n)
    since = 0
    if compaction and covers([part for part in parts if part.n <= compaction.turn_n]) == compaction.covers:
        newer = [part for part in parts if part.n > compaction.turn_n]
        parts, since = [Part(compaction.turn_n, [summed_up(compaction.text)]), *newer], compaction.ms
    asked = [line for line in parts[-1].lines if isinstance(line, PersonLine) and not line.deleted]
    asked = asked if turns[-1].deleted_ms is None else []
    tokens = _tokens([step for t in turns for step in steps.get(t.id, []) if step.ms > since])
    return Lines(_all(parts), asked, steps[turn.id], turns[-1].receipt, parts, tokens)


def further(connection: Connection, turn: Turn, lines: Lines) -> Lines:
    """The same lines with what the turn has done since, where nothing that was said has changed: long threads are not
    read again for every call of a tool."""
    steps = transcript.steps_of(connection, [turn.id])[turn.id]
    asked = [line for line in lines.parts[-1].lines if isinstance(line, PersonLine)]
    done = [line for step in steps if step.role == "assistant" for line in _step_lines(step, {}, {})]
    parts = [*lines.parts[:-1], Part(turn.n, [*asked, *done])]
    return replace(lines, all=_all(parts), steps=steps, parts=parts, tokens=_tokens(steps) or lines.tokens)


def whole_parts(connection: Connection, turn: Turn) -> list[Part]:
    """All of it as it was said and done, without any compaction."""
    return _parts(connection, turn, *_turns(connection, turn))


def covers(parts: Sequence[Part]) -> str:
    """A hash of what was said and done: another one means that something of it was edited, deleted or erased."""
    said = [[asdict(line) for line in part.lines if not isinstance(line, Given)] for part in parts]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _turns(connection: Connection, turn: Turn) -> tuple[list[Turn], dict[int, list[Step]]]:
    turns = [t for t in transcript.turns_of(connection, turn.session_id) if t.n <= turn.n]
    return turns, transcript.steps_of(connection, [t.id for t in turns])


def _parts(connection: Connection, turn: Turn, turns: Sequence[Turn], steps: Mapping[int, list[Step]]) -> list[Part]:
    said = {m.id: m for m in transcript.messages_of(connection, turn.session_id)}
    files = attachments_of(connection, [one.id for one in said.values() if one.files])
    before: list[Line] = []
    for part in inherited(connection, turn.session_id):
        before += [*_inherited_lines(connection, part), Note(FORKED)]
    if brief := get_session(connection, turn.session_id).brief:
        before.append(hand_over(brief))
    parts = [Part(0, before)] if before else []
    linked = current_link(connection, turn.session_id)
    for one in turns:
        lines = _turn_lines(one, steps.get(one.id, []), said, files)
        given = context_of(one.receipt) if one.id != turn.id else None
        if given and given.text and linked and given.ticket_id == linked.ticket_id:
            people = next((n for n, line in enumerate(lines) if not isinstance(line, PersonLine)), len(lines))
            lines.insert(people, Given(given.text))
        parts.append(Part(one.n, lines))
    return parts


def _inherited_lines(connection: Connection, part: Inherited) -> list[Line]:
    """What a fork has of its parent, as the parent's rows stand now: an edit or a deletion there holds here too."""
    said = {m.id: m for m in transcript.messages_of(connection, part.session_id) if m.ts <= part.ts}
    files = attachments_of(connection, [one.id for one in said.values() if one.files])
    turns = [t for t in transcript.turns_of(connection, part.session_id) if t.n <= part.turn]
    steps = transcript.steps_of(connection, [t.id for t in turns])
    answered = {i for t in turns for step in steps.get(t.id, []) for i in step.message_ids}
    lines = [line for t in turns for line in _turn_lines(t, steps.get(t.id, []), said, files)]
    return lines + [_person_line(m, files.get(m.id, ())) for m in said.values() if m.id not in answered]


def _turn_lines(
    turn: Turn, steps: Sequence[Step], said: dict[int, Message], files: Mapping[int, Sequence[Attachment]]
) -> list[Line]:
    """What was said and done in a turn; where its answer was deleted, what its tools did and a word on that."""
    lines = [line for step in steps for line in _step_lines(step, said, files)]
    return lines if turn.deleted_ms is None else [*lines, Note(DELETED)]


def _step_lines(step: Step, said: dict[int, Message], files: Mapping[int, Sequence[Attachment]]) -> list[Line]:
    if step.role == "user":
        return [_person_line(said[i], files.get(i, ())) for i in step.message_ids if i in said]
    results = [
        ToolResult(call.tool_use_id, call.result or "", call.is_error) for call in step.calls if call.result is not None
    ]
    return [AgentStep(step.content), *([ToolResults(results)] if results else [])]


def _person_line(said: Message, files: Sequence[Attachment]) -> PersonLine:
    cut = "" if len(said.text) <= LONGEST_MESSAGE else "… (cut: the message is longer)"
    return PersonLine(
        name=said.name,
        user_id=said.user_id,
        ts=said.ts,
        text=said.text[:LONGEST_MESSAGE] + cut + named(said.files, files),
        deleted=said.deleted_ms is not None,
        edited=said.edited_ts is not None,
        other_bot=said.bot,
        files=[block for one in files if (block := block_of(one))],
    )


def _all(parts: Sequence[Part]) -> list[Line]:
    return [line for part in parts for line in part.lines]


def _tokens(steps: Sequence[Step]) -> int:
    """What the model counted for the newest of these steps."""
    counted = [step for step in steps if step.usage]
    return sum(_whole(counted[-1].usage)) if counted else 0


def _whole(usage: Mapping[str, object]) -> list[int]:
    kinds = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    return [count for kind in kinds if isinstance(count := usage.get(kind), int)]
