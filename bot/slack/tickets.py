"""`/ticket …` and what a thread may ask of tickets: the card, the sessions list, the status."""

from __future__ import annotations

import re
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.errors import BotError, NotLinked
from bot.inbox.claim import Claim, Item
from bot.sessions.audience import Audience
from bot.sessions.linking import current_link
from bot.sessions.listing import Listed, sessions_of_ticket
from bot.sessions.session import find_by_thread
from bot.slack import blocks
from bot.slack.help import help_text
from bot.slack.link import answer, may_work_here, notice
from bot.slack.opening import refresh_header
from bot.slack.parts import Parts
from bot.slack.words import TICKET_ID
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Ticket
from bot.tickets.vocabulary import Status, spelled


async def slash_ticket(parts: Parts, claim: Claim, item: Item) -> None:
    """`/ticket T-042`, `/ticket T-042 sessions`, `/ticket T-042 status in_review`, `/ticket T-042 done`, `help`."""
    text = str(item.body["text"]).strip()
    match = re.match(rf"({TICKET_ID})(?:\s+(.*))?\Z", text, re.DOTALL)
    if not match:
        await answer(parts, claim, item, help_for(parts))
        return
    ticket_id, rest = match[1], (match[2] or "").strip().lower()
    if rest == "sessions":
        await show_sessions(parts, claim, item, ticket_id)
    elif rest.startswith("status ") or rest in set(Status):
        await change_status(parts, claim, item, ticket_id, rest.removeprefix("status "))
    elif rest:
        await answer(parts, claim, item, help_for(parts))
    else:
        user = str(item.body["user"])
        audience = await parts.people.audience_of(user)
        await answer(parts, claim, item, await card(parts, ticket_id, audience))


def help_for(parts: Parts) -> blocks.Shown:
    """What the bot offers, with the names its commands have here."""
    names = parts.commands
    return help_text(names.link, names.unlink, names.ticket)


async def card(parts: Parts, ticket_id: str, audience: Audience) -> blocks.Shown:
    """The ticket's card as this audience may see it."""

    def read(store: TicketStore) -> tuple[Ticket, str | None, list[Any], list[Any]]:
        ticket = store.get(ticket_id)
        epic = store.epic(ticket.epic_id) if ticket.epic_id else None
        return (
            ticket,
            epic.title if epic else None,
            _named(store, ticket.blocked_by),
            _named(store, ticket.relates_to),
        )

    ticket, epic_title, blockers, related = await parts.in_store(read)
    listed = await _sessions(parts, ticket.id, audience)
    return blocks.ticket_card(
        ticket, epic_title=epic_title, blockers=blockers, related=related, session_count=len(listed)
    )


def _named(store: TicketStore, ids: tuple[str, ...]) -> list[tuple[str, str | None, str | None]]:
    """Other tickets by title and status; None where the id leads nowhere, or to a file that cannot be read."""
    named: list[tuple[str, str | None, str | None]] = []
    for ticket_id in ids:
        try:
            found = store.find(ticket_id)
        except BotError:
            found = None
        named.append((ticket_id, found.title if found else None, str(found.status) if found else None))
    return named


async def _sessions(parts: Parts, ticket_id: str, audience: Audience) -> list[Listed]:
    return await parts.db.read(lambda c: sessions_of_ticket(c, audience, parts.me.team, parts.workspace, ticket_id))


async def show_sessions(parts: Parts, claim: Claim, item: Item, ticket_id: str | None = None) -> None:
    """The threads of a ticket, to the person who asked, as that person may see them. Body: {user, ticket_id?}."""
    user = str(item.body["user"])
    wanted = ticket_id or item.body.get("ticket_id") or await _linked_ticket(claim)
    shown = await sessions_list(parts, str(wanted), await parts.people.audience_of(user), can_post=True)
    await answer(parts, claim, item, shown)


async def post_sessions(parts: Parts, claim: Claim, item: Item) -> None:
    """**Post here**: the list as everybody in this channel may see it. Body: {user, ticket_id}."""
    await may_work_here(parts, claim, str(item.body["user"]))
    audience = await parts.people.audience_in(claim.channel)
    shown = await sessions_list(parts, str(item.body["ticket_id"]), audience, can_post=False)
    await notice(parts, claim, item, shown)


async def sessions_list(parts: Parts, ticket_id: str, audience: Audience, *, can_post: bool) -> blocks.Shown:
    """The ticket's sessions that this audience may see, most recent first."""
    ticket = await parts.in_store(lambda store: store.get(ticket_id))
    listed = await _sessions(parts, ticket.id, audience)
    entries = [
        blocks.SessionEntry(
            title=one.session.title,
            kind_icon="💬",
            state=one.state,
            started_by=one.session.started_by,
            last_ms=one.last_ms,
            messages=one.messages,
            note=one.note,
            permalink=await permalink(parts, one.session.channel, one.session.thread_ts),
        )
        for one in listed
    ]
    return blocks.sessions_list(ticket.id, ticket.title, entries, can_post=can_post)


async def permalink(parts: Parts, channel: str, ts: str) -> str | None:
    """The address of a thread; None where Slack gives none (any more)."""
    try:
        answer = await parts.client.chat_getPermalink(channel=channel, message_ts=ts)
    except SlackApiError:
        return None
    return str(answer["permalink"])


async def _linked_ticket(claim: Claim) -> str:
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    link = await claim.read(lambda c: current_link(c, session.id)) if session else None
    if link is None:
        raise NotLinked("This thread is not linked to a ticket. Name one: `link T-042`.")
    return link.ticket_id


async def status(parts: Parts, claim: Claim, item: Item, wanted: str) -> None:
    """`status` says how the linked ticket stands; `status in_review` changes it."""
    ticket_id = await _linked_ticket(claim)
    if wanted:
        await change_status(parts, claim, item, ticket_id, wanted)
        return
    ticket = await parts.in_store(lambda store: store.get(ticket_id))
    allowed = ", ".join(ticket.next_statuses())
    await answer(parts, claim, item, blocks.said(f"{ticket.id} is {ticket.status}. It can become {allowed}."))


async def change_status(parts: Parts, claim: Claim, item: Item, ticket_id: str, wanted: str) -> None:
    """A person moves a ticket; raises TransitionNotAllowed with what is allowed."""
    user = str(item.body["user"])
    await parts.people.may_write(user)
    by, to = Actor("user", user), spelled(Status, wanted)
    changed = await parts.in_store(
        lambda store: store.change(
            ticket_id, lambda ticket, now: ticket.change_status(to, by=by, at=now), op=f"status:{item.key}"
        )
    )
    if claim.thread_ts:
        session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
        if session:
            await refresh_header(parts, claim, session.id)
    before, after = changed.before, changed.after
    if not changed.changed and not _did(after, f"status:{item.key}"):
        await answer(parts, claim, item, blocks.said(f"{after.id} is {after.status} already."))
        return
    shown = blocks.status_notice(after.id, after.title, str(before.status), str(after.status), user)
    await (notice if claim.thread_ts else answer)(parts, claim, item, shown)


def _did(ticket: Ticket, op: str) -> bool:
    """Whether the ticket's history holds this op."""
    return any(entry.details.get("op") == op for entry in ticket.history)
