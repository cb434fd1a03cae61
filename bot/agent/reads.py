"""What the model has read of tickets in a turn: a change it asks for is refused where somebody changed the field since.

All of it comes from saved rows, so that a turn taken up after a crash knows the same: the context of the last request
(its revision stands in the turn's receipt), and the results of the turn's tool calls.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bot.mcp_servers.reads import read_in
from bot.sessions.transcript import JsonObject, Step

Reads: TypeAlias = dict[str, str]  # the revision of each ticket, by its id


@dataclass(frozen=True)
class Context:
    """What the model is told of the linked ticket before it answers, and what it has read of tickets by that."""

    text: str
    read: Mapping[str, str] = field(default_factory=dict)


GetContext: TypeAlias = Callable[[], Awaitable[Context | None]]


def receipt_of(context: Context | None) -> JsonObject:
    """What is kept with the turn of the context that its last request had."""
    return {"read": dict(context.read)} if context else {}


def known(receipt: str | None, steps: Sequence[Step]) -> Reads:
    """What the model had read when it asked for the calls of the last step, and by those of them that are done.

    The context was read anew for that step, so it goes before the results of earlier ones.
    """
    *before, last = steps
    read = _by(before)
    kept = json.loads(receipt or "{}").get("read", {})
    return read | {str(ticket): str(revision) for ticket, revision in kept.items()} | _by([last])


def _by(steps: Sequence[Step]) -> Reads:
    read: Reads = {}
    for step in steps:
        for call in step.calls:
            read |= read_in(call.result or "")
    return read
