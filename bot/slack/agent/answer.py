"""What a turn's answer is made of: a stretch up to each wait for people, each in messages of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from bot.sessions.transcript import Step, ToolCall, Turn
from bot.slack.views.markdown import Piece, Shown, answer_parts, answer_text

PARTS = 100  # numbers of messages that each stretch may have


@dataclass(frozen=True)
class Answer:
    """The messages that shall stand in the thread, by their numbers, and the text of the last stretch as it is
    streamed; `first` is the number of that one's first message."""

    wants: dict[int, dict[str, Any]]
    last: str
    first: int


def answer_of(
    turn: Turn, steps: Sequence[Step], asked: Collection[str], *, note: str = "", actions: Sequence[dict[str, Any]] = ()
) -> Answer:
    """The answer as its steps stand, none where it was deleted; `asked` are the ops of calls that people were asked
    about, `note` ends it, and `actions` stand below it."""
    if turn.deleted_ms is not None:
        return Answer({}, "", 0)
    parts = stretches(steps, asked)
    wants: dict[int, dict[str, Any]] = {}
    whole = ""
    for n, stretch in enumerate(parts):
        pieces = pieces_of(stretch)
        last = n == len(parts) - 1
        if last and note:
            pieces.append(("text", note))
        whole = answer_text(pieces)
        shown = answer_parts(whole) if pieces else []
        if last and shown and actions:
            shown[-1] = Shown(shown[-1].text, [*shown[-1].blocks, *actions])
        wants |= {n * PARTS + k: one.as_want() for k, one in enumerate(shown[:PARTS])}
    return Answer(wants, whole, (len(parts) - 1) * PARTS)


def stretches(steps: Sequence[Step], asked: Collection[str]) -> list[list[Step]]:
    """The steps, cut behind each one that people were asked about: what comes after their answer is news."""
    parts: list[list[Step]] = [[]]
    for step in steps:
        parts[-1].append(step)
        if any(call.op in asked for call in step.calls):
            parts.append([])
    return parts if parts[-1] or len(parts) == 1 else parts[:-1]


def pieces_of(steps: Sequence[Step]) -> list[Piece]:
    """What the answer is made of, in order: the model's texts and its tool calls."""
    pieces: list[Piece] = []
    for step in steps:
        if step.text:
            pieces.append(("text", step.text))
        if step.note:
            pieces.append(("text", f"\n\n_{step.note}_\n\n"))
        pieces += [tool_piece(call) for call in step.calls]
    return pieces


def tool_piece(call: ToolCall) -> Piece:
    """A tool call as it shows in the answer."""
    if call.state == "waiting":
        return ("tool", call.name, call.input, "waiting")
    state = "started" if call.result is None else "failed" if call.is_error else "done"
    return ("tool", call.name, call.input, state)
