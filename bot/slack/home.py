"""App Home: drawn when a person opens it, for that person alone; search, and the workspace they work in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from bot.errors import BotError, NotAllowed
from bot.sessions.choice import choose_workspace
from bot.sessions.mine import Mine, my_sessions, my_tickets
from bot.sessions.reading import Whereabouts
from bot.slack.intake import clicks, forms
from bot.slack.intake.place import Place, place_of
from bot.slack.parts import Parts
from bot.slack.sessions.searching import said
from bot.slack.tickets.find_tickets import LONGEST_QUERY, page_of
from bot.slack.tickets.viewing import show
from bot.slack.views.activity_view import thread_address
from bot.slack.views.home_blocks import MOST, HomeSession, closed_home, found_view, home_view
from bot.slack.views.modals import View
from bot.slack.views.ticket_blocks import Page, page_from
from bot.tickets.store import TicketStore
from bot.tickets.summary import TicketSummary

LOOKED_THROUGH = 30  # of the workspace's latest tickets, for those that the person changed


async def opened(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """A person opened the Home tab."""
    event = body["event"]
    if event.get("tab") == "home":
        await publish(parts, str(event["user"]), str(event["channel"]))
    await ack()


async def workspace_chosen(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Another workspace, for App Home and direct messages alike."""
    user, chosen = str(body["user"]["id"]), str(body["actions"][0]["selected_option"]["value"])
    if not await parts.may_choose(user, parts.workspaces.named(chosen)):
        raise NotAllowed(f"There is no workspace {chosen} for you to choose.")
    now = parts.now_ms()
    await parts.db.write("choose workspace", lambda c: choose_workspace(c, parts.me.team, user, chosen, now))
    await publish(parts, user, place_of(body).channel)
    await ack()


async def searched(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Words were typed into the search box: what they find, in a modal."""
    words = " ".join(str(body["actions"][0].get("value") or "").split())[:LONGEST_QUERY]
    if words:
        view = await _found(parts, str(body["user"]["id"]), place_of(body), Page("search", words))
        await forms.open_view(parts, body, view)
    await ack()


async def found_page(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Another page of what was found."""
    view = await _found(parts, str(body["user"]["id"]), place_of(body), page_from(clicks.value(body)))
    await show(parts, str(body["view"]["id"]), view)
    await ack()


async def _found(parts: Parts, user: str, place: Place, wanted: Page) -> View:
    await parts.people.may_look(user)
    workspace = parts.workspaces.named(place.workspace)
    below = await said(parts, user, wanted)
    shown = await workspace.in_store(lambda store: page_of(store, wanted, parts.commands.ticket, below))
    return found_view(place.remember(), shown)


async def publish(parts: Parts, user: str, channel: str) -> None:
    """Draws the person's home as things are now; `channel` is their direct message with the bot."""
    try:
        await parts.people.may_look(user)
    except NotAllowed as error:
        await parts.client.views_publish(user_id=user, view=closed_home(error.text))
        return
    workspace, audience = await parts.workspace_chosen(user), await parts.people.audience_of(user)

    def read(connection: Connection) -> tuple[list[Mine], list[str]]:
        mine = my_sessions(connection, audience, user, 3 * MOST)
        return mine, my_tickets(connection, audience, workspace.name, user, MOST)

    mine, ids = await parts.db.read(read)
    tickets = await workspace.in_store(lambda store: _tickets(store, ids, user))
    view = home_view(
        Place(channel, "", workspace.name).remember(),
        workspaces=[one.name for one in parts.workspaces if await parts.may_choose(user, one)],
        chosen=workspace.name,
        waiting=[_session(parts, one) for one in mine if one.waits],
        active=[_session(parts, one) for one in mine if not one.waits],
        tickets=tickets,
    )
    await parts.client.views_publish(user_id=user, view=view)


def _tickets(store: TicketStore, ids: list[str], user: str) -> list[TicketSummary]:
    """The tickets of these ids, and those that the person changed lately; most recently updated first."""
    found: dict[str, TicketSummary] = {}
    latest = [one.id for one in store.list(limit=LOOKED_THROUGH)]
    for ticket_id in (*ids, *latest):
        try:
            ticket = store.find(ticket_id)
        except BotError:
            continue
        if ticket and (ticket_id in ids or any(_did(entry.actor_id, entry.details, user) for entry in ticket.history)):
            found[ticket.id] = ticket.summary
    return sorted(found.values(), key=lambda one: str(one.updated_at or ""), reverse=True)[:MOST]


def _did(actor: str, details: Mapping[str, object], user: str) -> bool:
    """Whether the person did it, or an agent for them."""
    return actor == user or details.get("onBehalfOf") == user


def _session(parts: Parts, one: Mine) -> HomeSession:
    session = one.session
    where = Whereabouts(session.id, session.title, session.channel, session.thread_ts)
    return HomeSession(
        session.id, session.title, one.ticket_id, session.updated_ms, thread_address(where, parts.me.url)
    )
