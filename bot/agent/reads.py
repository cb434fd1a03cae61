"""What the model has read of tickets in a turn: a change it asks for is refused where somebody changed the field since.

All of it comes from saved rows, so that a turn taken up after a crash knows the same: what the turn was given (its
revision stands in the turn's receipt), and the results of the turn's tool calls.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bot.mcp_servers.reads import read_in
from bot.sessions.transcript import JsonObject, Step
from bot.tickets.change import Value

Reads: TypeAlias = dict[str, str]  # the revision of each ticket, by its id


@dataclass(frozen=True)
class Context:
    """What the model is told of the linked ticket in a turn, and what it has read of tickets by that.

    `text` is '' where it was told the same before. `about` is what the receipt shows, `ticket_id` the ticket; `look`
    is the ticket as it was told now. `at` is the step before which it was told, None for the one that comes next.
    """

    text: str
    read: Mapping[str, str] = field(default_factory=dict)
    ticket_id: str = ""
    about: Mapping[str, Value] = field(default_factory=dict)
    look: Mapping[str, Value] | None = None
    at: int | None = None


GetContext: TypeAlias = Callable[[], Awaitable[Context | None]]


def receipt_of(context: Context | None) -> JsonObject:
    """What is kept with the turn of what it was given beside the transcript."""
    if context is None:
        return {}
    kept: JsonObject = {"read": dict(context.read), "ticket": context.ticket_id, "given": context.text}
    kept |= {"about": dict(context.about), "at": context.at, "look": dict(context.look) if context.look else None}
    return {key: value for key, value in kept.items() if value not in ("", None, {})} | {"read": kept["read"]}


def context_of(receipt: str | None) -> Context | None:
    """The context that a turn's receipt tells of; None where it had none."""
    kept = json.loads(receipt or "{}")
    if "read" not in kept:
        return None
    return Context(
        text=kept.get("given", ""),
        read=kept["read"],
        ticket_id=kept.get("ticket", ""),
        about=kept.get("about", {}),
        look=kept.get("look"),
        at=kept.get("at"),
    )


def known(receipt: str | None, steps: Sequence[Step]) -> Reads:
    """What the model had read when it asked for the calls of the last step, and by those of them that are done.

    What it was given goes before the results of steps that came earlier than that.
    """
    had = context_of(receipt)
    at = had.at if had and had.at is not None else steps[-1].n
    given = {str(ticket): str(revision) for ticket, revision in had.read.items()} if had else {}
    return read_by([s for s in steps if s.n < at]) | given | read_by([s for s in steps if s.n >= at])


def read_by(steps: Sequence[Step]) -> Reads:
    """What the results of these steps' tool calls tell of tickets."""
    read: Reads = {}
    for step in steps:
        for call in step.calls:
            read |= read_in(call.result or "")
    return read
