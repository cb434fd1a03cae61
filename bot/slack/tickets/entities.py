"""A ticket opened as a Work Object: its pane, for the person who opens it, as things are now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.errors import BotError
from bot.sessions.listing import count_of_ticket
from bot.sessions.planning import count_upcoming
from bot.slack.parts import Parts
from bot.slack.tickets.cards import named
from bot.slack.views import ticket_entity
from bot.slack.views.ticket_entity import NO_SUCH, Entity, Panel
from bot.slack.workspaces import Workspace
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Ticket


@dataclass(frozen=True)
class _Found:
    ticket: Ticket
    epic: str | None
    blockers: list[str]


async def opened(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """A person opened a ticket's card: its details as things are now, or the sentence that says why not."""
    event = body["event"]
    try:
        shown: dict[str, Any] = {"metadata": await _details(parts, str(event["user"]), event.get("external_ref"))}
    except BotError as error:
        shown = {"error": ticket_entity.failed(error.text)}
    await parts.client.entity_presentDetails(trigger_id=str(event["trigger_id"]), **shown)
    await ack()


async def _details(parts: Parts, user: str, reference: object) -> Entity:
    await parts.people.may_look(user)
    name, ticket_id = ticket_entity.reference(reference)
    workspace = await _workspace(parts, user, name)
    found = await workspace.in_store(lambda store: _read(store, ticket_id))
    audience, of = await parts.people.audience_of(user), (parts.me.team, workspace.name, found.ticket.id)
    count = await parts.db.read(lambda c: count_of_ticket(c, audience, *of) + count_upcoming(c, audience, *of))
    return ticket_entity.details(workspace.name, Panel(found.ticket, found.epic, found.blockers, count))


async def _workspace(parts: Parts, user: str, name: str) -> Workspace:
    """The workspace, if its tickets are for this person; the same words where it is gone and where they are not."""
    workspace = parts.workspaces.find(name)
    if workspace is None or not await parts.may_choose(user, workspace):
        raise BotError(NO_SUCH)
    return workspace


def _read(store: TicketStore, ticket_id: str) -> _Found:
    ticket = store.get(ticket_id)
    epic = store.epic(ticket.epic_id) if ticket.epic_id else None
    blockers = [f"{one} {title or ''}".strip() for one, title, _ in named(store, ticket.blocked_by)]
    return _Found(ticket, epic.title if epic else None, blockers)
