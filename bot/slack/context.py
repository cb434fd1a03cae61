"""The linked ticket as the agent of a thread is told of it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.agent.prompt import ticket_context
from bot.agent.reads import Context
from bot.errors import BotError
from bot.slack.workspaces import Workspace
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Ticket


async def context(workspace: Workspace, ticket_id: str | None) -> Context | None:
    """The linked ticket as the agent is to know it, fresh from its file; why not, where it cannot be read."""
    if ticket_id is None:
        return None
    try:
        return await workspace.in_store(lambda store: _context(store, ticket_id))
    except BotError as error:
        return Context(f"The linked ticket {ticket_id} cannot be read now: {error.text}")


def _context(store: TicketStore, ticket_id: str) -> Context:
    ticket = store.get(ticket_id)
    related = _tickets(store, [*ticket.relates_to, *([ticket.parent_id] if ticket.parent_id else [])])
    epic = store.epic(ticket.epic_id) if ticket.epic_id else None
    text = ticket_context(ticket, related, _tickets(store, ticket.blocked_by), epic)
    return Context(text, {ticket.id: ticket.revision})


def _tickets(store: TicketStore, ids: Sequence[str]) -> dict[str, Ticket | None]:
    found: dict[str, Ticket | None] = {}
    for ticket_id in ids:
        try:
            found[ticket_id] = store.find(ticket_id)
        except BotError:
            found[ticket_id] = None
    return found
