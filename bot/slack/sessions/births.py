"""A thread that the bot opened begins: a planned session with its hand-over brief, or a fork."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.errors import BotError, LinkedElsewhere
from bot.inbox.claim import Claim, Item, finish
from bot.sessions.planning import not_started, started
from bot.sessions.session import ChatSession, Origin, came_from
from bot.slack.parts import Parts
from bot.slack.sessions.briefing import brief_for
from bot.slack.sessions.link import answer, ask_replace, linkable, notice, tie
from bot.slack.sessions.opening import open_session, refresh_header
from bot.slack.views import blocks
from bot.slack.views.ticket_entity import with_ticket
from bot.slack.workspaces import Workspace
from bot.tickets.ticket import Ticket


async def born(parts: Parts, claim: Claim, item: Item) -> None:
    """The session of a new thread, linked from birth.

    Body: {user, title, workspace, ticket_id, planned_id} or {user, title, workspace, ticket_id?, parent_id, fork_ts,
    fork_turn}. Can be run again from the top after a crash: each step changes nothing the second time.
    """
    body, user = item.body, str(item.body["user"])
    workspace = await parts.workspace_of(claim, item)
    session = await _session(parts, claim, item, workspace)
    ticket: Ticket | None = None
    if body.get("ticket_id"):
        try:
            ticket = await linkable(workspace, str(body["ticket_id"]))
            await tie(parts, claim, item, session, ticket)
        except LinkedElsewhere as elsewhere:
            await ask_replace(parts, claim, item, user, elsewhere)
        except BotError as error:
            await refresh_header(parts, claim, session.id)
            await answer(parts, claim, item, blocks.error(error.text))
            return
    planned = bool(body.get("planned_id"))
    shown = await brief_for(parts, claim, session, ticket, always=True) if ticket and planned else None
    await refresh_header(parts, claim, session.id)
    if shown is None and ticket:
        shown = blocks.linked_notice(ticket.id, ticket.title, user)
        shown = with_ticket(shown, workspace.name, ticket.id, ticket.title)
    if shown:
        await notice(parts, claim, item, shown)
    else:
        await claim.write("item done", lambda c: finish(c, [item]))


async def _session(parts: Parts, claim: Claim, item: Item, workspace: Workspace) -> ChatSession:
    body, user, planned_id = item.body, str(item.body["user"]), item.body.get("planned_id")
    origin = Origin(str(body["title"]), body.get("parent_id"), body.get("fork_ts"), body.get("fork_turn"))
    try:
        made = await open_session(parts, claim, workspace, by=user, until=item.order_ts, title=origin.title)
    except BotError:
        if planned_id:
            await claim.write("planned again", lambda c: not_started(c, int(planned_id)))
        raise

    def begin(connection: Connection) -> ChatSession:
        if planned_id:
            started(connection, int(planned_id), made.id)
        return came_from(connection, made.id, origin, user)

    return await claim.write("session's origin", begin)
