"""What a script may answer: texts, thinking, tool calls, and the ways in which an answer can fail."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Text:
    """A block of text, sent in pieces of a word or two unless the pieces are given."""

    text: str
    pieces: tuple[str, ...] = ()

    def split(self) -> tuple[str, ...]:
        return self.pieces or tuple(re.findall(r"\s*\S+(?:\s+\S+)?\s*", self.text))


@dataclass(frozen=True)
class Thinking:
    """A block of thinking with the signature that has to come back unchanged."""

    text: str
    signature: str = "c2lnbmF0dXJl"


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool; without an id it gets one that no other call of the thread has.

    `written` is the JSON as it is streamed, for an input that max_tokens cut off in the middle.
    """

    name: str
    input: Json = field(default_factory=dict)
    id: str | None = None
    written: str | None = None


Part = str | Text | Thinking | ToolCall


class Ending(StrEnum):
    """How a stream ends: the real API has shown every one of these."""

    WHOLE = "whole"
    SILENT = "silent"  # tidy end of the HTTP body without message_delta: stop_reason stays null
    BROKEN = "broken"  # the connection breaks in the middle
    ERROR = "error"  # an error event inside a stream that began with 200


@dataclass(frozen=True)
class Reply:
    """An answer of the model. `after` is the number of deltas sent before an ending that is not WHOLE."""

    parts: tuple[Part, ...]
    ending: Ending = Ending.WHOLE
    after: int = 1
    stop_reason: str | None = None

    @property
    def reason(self) -> str:
        called = any(isinstance(part, ToolCall) for part in self.parts)
        return self.stop_reason or ("tool_use" if called else "end_turn")


@dataclass(frozen=True)
class Refusal:
    """An HTTP error in the API's shape, instead of any answer."""

    status: int
    kind: str
    message: str
    retry_after: float | None = None


Script = Callable[[Json], Reply | Refusal]


def say(*parts: Part, ending: Ending = Ending.WHOLE, after: int = 1, stop_reason: str | None = None) -> Reply:
    """The answer made of these parts, in this order."""
    return Reply(parts, ending, after, stop_reason)


def overloaded() -> Refusal:
    return Refusal(529, "overloaded_error", "Overloaded")


def rate_limited(retry_after: float | None = None) -> Refusal:
    return Refusal(429, "rate_limit_error", "This request would exceed your rate limit.", retry_after)


def in_turn(*answers: Reply | Refusal) -> Script:
    """A script that gives these answers one after the other, and 500 once they are used up."""
    left = list(answers)

    def script(_request: Json) -> Reply | Refusal:
        return left.pop(0) if left else Refusal(500, "api_error", "The script has no more answers.")

    return script
