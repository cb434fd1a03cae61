"""Who calls a tool, and for what: read from the `_meta` of the request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from mcp.server.mcpserver import Context

from bot.tickets.change import Actor, ActorType

OP, ACTOR, LINKED_TICKET = "sciorex/op", "sciorex/actor", "sciorex/linkedTicket"
NOBODY_SAID = Actor("agent", "mcp")


@dataclass(frozen=True)
class Caller:
    """The actor of a call, its op (the same one twice changes nothing) and the session's linked ticket."""

    actor: Actor = NOBODY_SAID
    op: str | None = None
    linked_ticket: str | None = None


def caller(ctx: Context) -> Caller:
    """What the request says of its caller; a client that says nothing is the agent `mcp`."""
    meta: Mapping[str, object] = dict(ctx.request_context.meta or {})
    return Caller(_actor(meta.get(ACTOR)), _text(meta.get(OP)), _text(meta.get(LINKED_TICKET)))


def given(ctx: Context, name: str) -> bool:
    """Whether the caller sent this argument at all: null takes a value away, absent leaves it."""
    arguments: object = (ctx.request_context.params or {}).get("arguments")
    return isinstance(arguments, Mapping) and name in arguments


def _actor(said: object) -> Actor:
    if not isinstance(said, Mapping):
        return NOBODY_SAID
    kind: ActorType = next((kind for kind in get_args(ActorType) if kind == said.get("type")), "agent")
    return Actor(kind, _text(said.get("id")) or NOBODY_SAID.id, _text(said.get("onBehalfOf")))


def _text(said: object) -> str | None:
    return said if isinstance(said, str) and said else None
