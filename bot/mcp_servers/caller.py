"""Who calls a tool, for what, and what they have read: from the `_meta` of the request, and from calls before."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import get_args

from mcp.server.mcpserver import Context

from bot.mcp_servers.arguments import fit
from bot.mcp_servers.reads import Reads, by_key
from bot.tickets.change import Actor, ActorType
from bot.tickets.difference import Changed
from bot.tickets.ids import IdKey, id_key
from bot.tickets.revision import seen
from bot.tickets.ticket import Ticket

OP, ACTOR, LINKED_TICKET, READ = "sciorex/op", "sciorex/actor", "sciorex/linkedTicket", "sciorex/read"
MOVED = "sciorex/moved"  # in the meta of a result: the digests of a ticket's file before and after an approved change
NOBODY_SAID = Actor("agent", "mcp")
LONGEST_NAME = 200


@dataclass(frozen=True)
class Caller:
    """The actor of a call, its op (the same one twice changes nothing), the session's linked ticket, and its reads.

    `told` is what the request itself says was read (`sciorex/read`); it goes before what the server remembers.
    """

    actor: Actor = NOBODY_SAID
    op: str | None = None
    linked_ticket: str | None = None
    session: str = ""
    reads: Reads = field(default_factory=Reads)
    told: Mapping[IdKey, str] = field(default_factory=dict)

    def has_read(self, ticket_id: str) -> str | None:
        """The revision of the ticket that the caller has read last, None when it has read none."""
        key = id_key(ticket_id)
        told = self.told.get(key) if key is not None else None
        return told or self.reads.last((self.session, key))

    def reads_whole(self, ticket: Ticket) -> None:
        """The caller is given all of the ticket."""
        self.reads.renew((self.session, ticket.key), lambda last: ticket.revision)

    def reads_part(self, ticket: Ticket, shown: Collection[str]) -> str:
        """The caller is given some fields; gives the revision that says what it knows by now."""
        return self._sees(ticket, ticket, shown)

    def made(self, changed: Changed, shown: Collection[str]) -> str:
        """The caller changed the ticket and is given some fields; gives the revision that says what it knows by now."""
        after = changed.after
        if not changed.changed and self.op is not None and after.has_op(self.op):
            self.reads_whole(after)  # done before, and what else it saw then is not known any more
            return after.revision
        return self._sees(changed.before, after, shown)

    def moved(self, changed: Changed) -> tuple[str, str] | None:
        """The digests of the ticket's file before and after a change that a person approved; None for any other."""
        if not changed.changed or self.actor.approved_by is None:
            return None
        return changed.before.digest, changed.after.digest

    def _sees(self, before: Ticket, after: Ticket, shown: Collection[str]) -> str:
        told = self.told.get(after.key)
        return self.reads.renew((self.session, after.key), lambda last: seen(told or last, before, after, shown))


def caller(ctx: Context) -> Caller:
    """What the request says of its caller; a client that says nothing, or what no file can keep, is the agent `mcp`."""
    meta: Mapping[str, object] = dict(ctx.request_context.meta or {})
    reads: object = ctx.request_context.lifespan_context
    return Caller(
        _actor(meta.get(ACTOR)),
        _text(meta.get(OP)),
        _text(meta.get(LINKED_TICKET)),
        _session(ctx),
        reads if isinstance(reads, Reads) else Reads(),
        by_key(meta.get(READ)),
    )


def given(ctx: Context, name: str) -> bool:
    """Whether the caller sent this argument at all: null takes a value away, absent leaves it."""
    arguments: object = (ctx.request_context.params or {}).get("arguments")
    return isinstance(arguments, Mapping) and name in arguments


def _session(ctx: Context) -> str:
    """Tells clients of one server apart: over HTTP by MCP session, or where the protocol has none by their name.

    Over stdio and in the same process each client has a server of its own, so there is nothing to tell apart.
    """
    request = ctx.request_context.request
    if request is None:
        return ""
    client = ctx.request_context.session.client_params
    name = f"{client.client_info.name} {client.client_info.version}" if client else ""
    return str(request.headers.get("mcp-session-id") or f"{name} {request.headers.get('user-agent')}")[:LONGEST_NAME]


def _actor(said: object) -> Actor:
    if not isinstance(said, Mapping):
        return NOBODY_SAID
    kind: ActorType = next((kind for kind in get_args(ActorType) if kind == said.get("type")), "agent")
    names = (_text(said.get(key)) for key in ("onBehalfOf", "approvedBy"))
    return Actor(kind, _text(said.get("id")) or NOBODY_SAID.id, *names)


def _text(said: object) -> str | None:
    return said if isinstance(said, str) and 0 < len(said) <= LONGEST_NAME and fit(said) else None
