"""Link and unlink as people do it: the slash command, words, shortcut, buttons and modals, and the rule's answer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from bot.errors import BotError, LastLink, LinkedElsewhere, NotLinked, TicketArchived, TicketNotFound
from bot.inbox import posts
from bot.inbox.claim import Claim, Item, finish
from bot.sessions import linking
from bot.sessions.listing import active_elsewhere
from bot.sessions.session import ChatSession, find_by_thread, set_state
from bot.slack.parts import Parts
from bot.slack.sessions.briefing import brief_for
from bot.slack.sessions.opening import open_session, permalink, refresh_header
from bot.slack.sessions.roots import open_thread
from bot.slack.views import blocks, session_blocks
from bot.slack.views.ticket_entity import with_ticket
from bot.slack.workspaces import Workspace
from bot.tickets.change import Value
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Ticket


async def link(parts: Parts, claim: Claim, item: Item) -> None:
    """Links the thread to a ticket, whichever door it came through.

    Body: {user, ticket_id, replace?, begun?}; a thread `begun` on the ticket opens with a hand-over brief.
    Can be run again from the top after a crash: the link's row knows the item that made it, and the ticket's
    history knows the link's op.
    """
    user = str(item.body["user"])
    await may_work_here(parts, claim, user)
    workspace = await parts.workspace_of(claim, item)
    ticket = await linkable(workspace, str(item.body["ticket_id"]))
    title = f"{ticket.id} {ticket.title}"
    session = await open_session(parts, claim, workspace, by=user, until=item.order_ts, title=title)
    try:
        new = await tie(parts, claim, item, session, ticket)
    except LinkedElsewhere as elsewhere:
        await ask_replace(parts, claim, item, user, elsewhere)
        return
    await refresh_header(parts, claim, session.id)
    if not new:
        await answer(parts, claim, item, blocks.said(f"This thread is linked to {ticket.id} already."))
        return
    begun = bool(item.body.get("begun"))
    shown = await brief_for(parts, claim, session, ticket, always=False) if begun else None
    if shown is None:
        shown = blocks.linked_notice(ticket.id, ticket.title, user)
        shown = shown if begun else with_ticket(shown, session.workspace, ticket.id, ticket.title)
    await notice(parts, claim, item, shown)
    await offer_active(parts, claim, session, ticket, user)


async def offer_active(parts: Parts, claim: Claim, session: ChatSession, ticket: Ticket, user: str) -> None:
    """Tells who linked another thread, alone, where the ticket is being worked on already, as far as they may see."""
    audience = await parts.people.audience_of(user)
    others = await claim.read(lambda c: active_elsewhere(c, audience, session, ticket.id))
    if others:
        found = [(other.title, await permalink(parts, other.channel, other.thread_ts)) for other in others]
        shown = session_blocks.active_already(ticket.id, found)
        await parts.tell(user, claim.channel, shown, thread_ts=claim.thread_ts)


async def tie(parts: Parts, claim: Claim, item: Item, session: ChatSession, ticket: Ticket) -> bool:
    """Makes the link that the item asks for, with its lines of history; False when another made it before.

    Raises LinkedElsewhere, unless the person was asked and `replace` stands in the item.
    """
    user, replace = str(item.body["user"]), bool(item.body.get("replace"))
    made, replaced = await claim.write(
        "link",
        lambda c: linking.link_session(
            c,
            session,
            ticket.id,
            ticket.epic_id,
            key=item.key,
            by=user,
            now_ms=parts.now_ms(),
            replace=replace,
        ),
    )
    if made.key == item.key:
        await write_link(parts.workspaces.named(session.workspace), session, made, replaced, user)
    return made.key == item.key


async def unlink(parts: Parts, claim: Claim, item: Item) -> None:
    """Ends the thread's link; the last one of an archived session when the person is sure. Body: {user, sure?}."""
    user = str(item.body["user"])
    await may_work_here(parts, claim, user)
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session is None:
        raise NotLinked("This thread is not linked to a ticket.")
    workspace = parts.workspaces.named(session.workspace)
    ended = await claim.read(lambda c: ended_by(c, session, item))
    if ended is None:
        now, sure = parts.now_ms(), bool(item.body.get("sure"))
        try:
            ended = await claim.write(
                "unlink",
                lambda c: linking.unlink_session(c, session, key=item.key, by=user, now_ms=now, sure=sure),
            )
        except LastLink as last:
            await answer(parts, claim, item, session_blocks.ask_unlink(last.ticket_id))
            return
    await write_unlink(workspace, session, ended, user)
    await refresh_header(parts, claim, session.id)
    await notice(parts, claim, item, blocks.unlinked_notice(ended.ticket_id, user))


def ended_by(connection: Connection, session: ChatSession, item: Item) -> linking.Link | None:
    """The link that this very item ended before, when it is done again after a crash."""
    return next((one for one in linking.links_of(connection, session.id) if one.end_key == item.key), None)


async def start(parts: Parts, claim: Claim, item: Item) -> None:
    """A new thread on a ticket, in this channel, linked from birth. Body: {user, ticket_id}."""
    user = str(item.body["user"])
    await may_work_here(parts, claim, user)
    workspace = await parts.workspace_of(claim, item)
    ticket = await linkable(workspace, str(item.body["ticket_id"]))
    shown = with_ticket(blocks.root(ticket.id, ticket.title, user), workspace.name, ticket.id, ticket.title)
    body = {"user": user, "ticket_id": ticket.id, "workspace": workspace.name, "begun": True}
    await open_thread(parts, claim, item, shown, "link", body)


async def linkable(workspace: Workspace, ticket_id: str) -> Ticket:
    """The ticket, if a session may be linked to it; raises TicketNotFound, TicketUnreadable, TicketArchived."""
    ticket = await workspace.in_store(lambda store: store.get(ticket_id))
    if ticket.archived:
        raise TicketArchived(ticket.id)
    return ticket


async def may_work_here(parts: Parts, claim: Claim, user: str) -> None:
    """Checked when the thing is done, not when its button was drawn: a member of this team, and of the channel."""
    parts.people.forget(user=user)  # what was true a minute ago does not count
    await parts.people.may_write(user)
    if claim.channel not in (await parts.people.audience_of(user)).channels:
        if await parts.people.is_member(user, claim.channel):
            return
        if claim.channel not in await parts.people.channels():
            raise parts.not_in_channel()
        raise BotError("You are not a member of that channel, so you cannot change its threads.")


async def write_link(
    workspace: Workspace, session: ChatSession, made: linking.Link, replaced: linking.Link | None, user: str
) -> None:
    """The link in the history of the ticket (and its end in that of the former one): ids alone, no words."""
    if replaced:
        await write_unlink(workspace, session, replaced, user)
    await record(workspace, made.ticket_id, "session_linked", session, user, made.op)


async def write_unlink(workspace: Workspace, session: ChatSession, ended: linking.Link, user: str) -> None:
    """The end of a link in the ticket's history; a ticket that is gone meanwhile has none to write to."""
    try:
        await record(workspace, ended.ticket_id, "session_unlinked", session, user, ended.end_op)
    except TicketNotFound:
        return


async def record(
    workspace: Workspace,
    ticket_id: str,
    action: str,
    session: ChatSession,
    user: str,
    op: str,
    more: Mapping[str, Value] = MappingProxyType({}),
) -> None:
    """Writes what happened to a session into a ticket's history, once for each op; `more` goes into its details."""
    by = Actor("user", user)
    latest = session.id if action == "session_linked" else None

    def write(store: TicketStore) -> object:
        return store.change(
            ticket_id,
            lambda ticket, now: ticket.record(
                action, {"sessionId": session.id, **more}, by=by, at=now, last_session_id=latest
            ),
            op=op,
        )

    await workspace.in_store(write)


async def ask_replace(parts: Parts, claim: Claim, item: Item, user: str, elsewhere: LinkedElsewhere) -> None:
    """Another ticket is linked: the person decides."""
    await answer(parts, claim, item, blocks.ask_replace(elsewhere.linked, elsewhere.wanted))


async def answer(parts: Parts, claim: Claim, item: Item, shown: blocks.Shown, *, instead: bool = False) -> None:
    """Tells the person who asked, alone (`instead` of what was clicked), and is done with the item.

    `elsewhere` in the item says that they asked in another place than this thread: they are told there.
    """
    user, url = str(item.body["user"]), item.body.get("response_url")
    thread_ts = "" if item.body.get("elsewhere") else claim.thread_ts
    await parts.tell(user, claim.channel, shown, thread_ts=thread_ts, response_url=url, instead=instead)
    await claim.write("item done", lambda c: finish(c, [item]))


async def notice(parts: Parts, claim: Claim, item: Item, shown: blocks.Shown) -> None:
    """Says in the thread what was done, once, and is done with the item."""

    def done(connection: Connection) -> None:
        want: dict[str, Any] = shown.as_want()
        posts.put(connection, key=f"notice.{item.id}", thread_id=claim.thread_id, role="notice", want=want)
        finish(connection, [item])

    await claim.write("notice", done)


async def resume(parts: Parts, claim: Claim, session: ChatSession, by: str, item: Item) -> None:
    """An archived session, or a run that has ended, goes on; its thread says so."""

    def go_on(connection: Connection) -> None:
        set_state(connection, session.id, "active", parts.now_ms())
        want = session_blocks.resumed(by).as_want()
        posts.put(connection, key=f"resume.{item.id}", thread_id=claim.thread_id, role="notice", want=want)

    await claim.write("resume", go_on)
    await refresh_header(parts, claim, session.id)
