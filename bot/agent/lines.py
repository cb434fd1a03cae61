"""A session's rows as lines for the model: what it was forked from, what it began with, and its turns so far."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bot.agent.prompt import FORKED, AgentStep, Line, Note, PersonLine, ToolResult, ToolResults, hand_over
from bot.sessions import transcript
from bot.sessions.forking import Inherited, inherited
from bot.sessions.session import get_session
from bot.sessions.transcript import Message, Step, Turn


@dataclass(frozen=True)
class Lines:
    """The whole session up to a turn, what this turn is to answer, and its steps."""

    all: list[Line]
    asked: list[PersonLine]  # what this turn is to answer, without what was deleted
    steps: list[Step]
    receipt: str | None


def lines_of(connection: Connection, turn: Turn) -> Lines:
    """The whole session as lines for the model, what it was forked from first, and this turn's own part of them."""
    said = {m.id: m for m in transcript.messages_of(connection, turn.session_id)}
    turns = [t for t in transcript.turns_of(connection, turn.session_id) if t.n <= turn.n]
    steps = transcript.steps_of(connection, [t.id for t in turns])
    everything: list[Line] = []
    for part in inherited(connection, turn.session_id):
        everything += [*_inherited_lines(connection, part), Note(FORKED)]
    if brief := get_session(connection, turn.session_id).brief:
        everything.append(hand_over(brief))
    asked: list[PersonLine] = []
    for one in turns:
        lines = [line for s in steps.get(one.id, []) for line in _step_lines(s, said)]
        everything += lines
        if one.id == turn.id:
            asked = [line for line in lines if isinstance(line, PersonLine) and not line.deleted]
    return Lines(everything, asked, steps[turn.id], turns[-1].receipt)


def _inherited_lines(connection: Connection, part: Inherited) -> list[Line]:
    """What a fork has of its parent, as the parent's rows stand now: an edit or a deletion there holds here too."""
    said = {m.id: m for m in transcript.messages_of(connection, part.session_id) if m.ts <= part.ts}
    turns = [t for t in transcript.turns_of(connection, part.session_id) if t.n <= part.turn]
    steps = transcript.steps_of(connection, [t.id for t in turns])
    of_turns = [step for t in turns for step in steps.get(t.id, [])]
    answered = {i for step in of_turns for i in step.message_ids}
    lines = [line for step in of_turns for line in _step_lines(step, said)]
    return lines + [_person_line(m) for m in said.values() if m.id not in answered]


def _step_lines(step: Step, said: dict[int, Message]) -> list[Line]:
    if step.role == "user":
        return [_person_line(said[i]) for i in step.message_ids if i in said]
    results = [
        ToolResult(call.tool_use_id, call.result or "", call.is_error) for call in step.calls if call.result is not None
    ]
    return [AgentStep(step.content), *([ToolResults(results)] if results else [])]


def _person_line(said: Message) -> PersonLine:
    files = "".join(f"\n(file: {file.get('name')})" for file in said.files)
    return PersonLine(
        name=said.name,
        user_id=said.user_id,
        ts=said.ts,
        text=said.text + files,
        deleted=said.deleted_ms is not None,
        edited=said.edited_ts is not None,
        other_bot=said.bot,
    )
