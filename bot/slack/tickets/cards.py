"""A ticket as people see it: its card, and the list of its sessions."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Connection

from bot.errors import BotError, NotLinked
from bot.inbox.claim import Claim, Item
from bot.sessions.audience import Audience
from bot.sessions.linking import current_link
from bot.sessions.listing import Listed, count_of_ticket, sessions_of_ticket
from bot.sessions.planning import Planned, count_upcoming, upcoming
from bot.sessions.session import find_by_thread
from bot.slack.help import help_text
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, may_work_here, notice
from bot.slack.sessions.opening import permalink
from bot.slack.views import blocks, session_blocks, ticket_blocks
from bot.slack.views.session_blocks import PAGE, Page, PlannedEntry, SessionEntry
from bot.slack.views.ticket_entity import with_ticket
from bot.slack.workspaces import Workspace
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Ticket


def help_for(parts: Parts) -> blocks.Shown:
    """What the bot offers, with the names its commands have here."""
    names = parts.commands
    return help_text(names.link, names.unlink, names.ticket, several=len(parts.workspaces) > 1)


async def card(parts: Parts, workspace: Workspace, ticket_id: str, audience: Audience) -> blocks.Shown:
    """The ticket's card as this audience may see it."""

    def read(store: TicketStore) -> tuple[Ticket, str | None, list[Any], list[Any]]:
        ticket = store.get(ticket_id)
        epic = store.epic(ticket.epic_id) if ticket.epic_id else None
        return (
            ticket,
            epic.title if epic else None,
            named(store, ticket.blocked_by),
            named(store, ticket.relates_to),
        )

    ticket, epic_title, blockers, related = await workspace.in_store(read)
    of = (parts.me.team, workspace.name, ticket.id)
    count = await parts.db.read(lambda c: count_of_ticket(c, audience, *of) + count_upcoming(c, audience, *of))
    return ticket_blocks.ticket_card(
        ticket, epic_title=epic_title, blockers=blockers, related=related, session_count=count
    )


def named(store: TicketStore, ids: tuple[str, ...]) -> list[tuple[str, str | None, str | None]]:
    """Other tickets by title and status; None where the id leads nowhere, or to a file that cannot be read."""
    named: list[tuple[str, str | None, str | None]] = []
    for ticket_id in ids:
        try:
            found = store.find(ticket_id)
        except BotError:
            found = None
        named.append((ticket_id, found.title if found else None, str(found.status) if found else None))
    return named


async def show_sessions(parts: Parts, claim: Claim, item: Item, ticket_id: str | None = None) -> None:
    """A ticket's sessions, to the person who asked, as that person may see them.

    Body: {user, ticket_id?, page?, instead?}; a page takes the place of the one that was looked at.
    """
    user, page = str(item.body["user"]), int(item.body.get("page") or 1)
    wanted = ticket_id or item.body.get("ticket_id") or await linked_ticket(claim)
    workspace, audience = await parts.workspace_of(claim, item), await parts.people.audience_of(user)
    shown = await sessions_list(parts, workspace, str(wanted), audience, page, can_post=True)
    await answer(parts, claim, item, shown, instead=bool(item.body.get("instead")))


async def post_sessions(parts: Parts, claim: Claim, item: Item) -> None:
    """**Post here**: the list as everybody in this channel may see it. Body: {user, ticket_id}."""
    await may_work_here(parts, claim, str(item.body["user"]))
    audience = await parts.people.audience_in(claim.channel)
    workspace = await parts.workspace_of(claim, item)
    ticket = await workspace.in_store(lambda store: store.get(str(item.body["ticket_id"])))
    shown = await sessions_list(parts, workspace, ticket.id, audience, can_post=False)
    await notice(parts, claim, item, with_ticket(shown, workspace.name, ticket.id, ticket.title))


async def sessions_list(
    parts: Parts, workspace: Workspace, ticket_id: str, audience: Audience, page: int = 1, *, can_post: bool
) -> blocks.Shown:
    """A page of the ticket's sessions that this audience may see: what is planned first, then most recent first."""
    ticket = await workspace.in_store(lambda store: store.get(ticket_id))
    of = (parts.me.team, workspace.name, ticket.id)
    skip = (page - 1) * PAGE

    def read(connection: Connection) -> tuple[int, int, list[Planned], list[Listed]]:
        begun, to_be = count_of_ticket(connection, audience, *of), count_upcoming(connection, audience, *of)
        planned = upcoming(connection, audience, *of, limit=PAGE, offset=skip)
        room = PAGE - len(planned)
        listed = sessions_of_ticket(connection, audience, *of, limit=room, offset=max(0, skip - to_be)) if room else []
        return begun, to_be, planned, listed

    begun, to_be, planned, listed = await parts.db.read(read)
    entries: list[SessionEntry | PlannedEntry] = [
        PlannedEntry(one.id, begun + skip + n, one.title, one.by) for n, one in enumerate(planned, 1)
    ]
    entries += await asyncio.gather(*(_entry(parts, one) for one in listed))
    shown = Page(page, begun + to_be)
    return session_blocks.sessions_list(
        ticket.id, ticket.title, entries, shown, can_post=can_post, can_plan=not ticket.archived
    )


async def _entry(parts: Parts, one: Listed) -> SessionEntry:
    return SessionEntry(
        session_id=one.session.id,
        number=one.number,
        title=one.session.title,
        kind=one.session.kind,
        state=one.state_in_words,
        started_by=one.session.started_by,
        last_ms=one.last_ms,
        messages=one.messages,
        note=one.note,
        permalink=await permalink(parts, one.session.channel, one.session.thread_ts),
    )


async def linked_ticket(claim: Claim) -> str:
    """The id of the ticket that the thread is linked to; raises NotLinked."""
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    link = await claim.read(lambda c: current_link(c, session.id)) if session else None
    if link is None:
        raise NotLinked("This thread is not linked to a ticket. Name one: `link T-042`.")
    return link.ticket_id
