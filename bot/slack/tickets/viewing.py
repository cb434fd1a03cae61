"""The ticket view: opened from a card, a badge or App Home, turned to another tab or page, and drawn anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection

from bot.errors import BotError
from bot.sessions.archives.entries import entries_of
from bot.sessions.archives.export import rows_of
from bot.sessions.audience import Audience, may_see
from bot.sessions.reading import deeds, mark_opened, places_of
from bot.sessions.session import ChatSession, get_session
from bot.slack.intake import clicks, forms
from bot.slack.intake.place import Place, place_of, remembered
from bot.slack.parts import Parts
from bot.slack.sessions.seeing import session_of
from bot.slack.tickets.cards import named, sessions_list
from bot.slack.tickets.looks import Look, look_from
from bot.slack.views import activity_view, ticket_view
from bot.slack.views.blocks import Block, Shown, button
from bot.slack.views.modals import View
from bot.slack.views.session_blocks import page_from
from bot.slack.views.ticket_view import Details
from bot.slack.views.transcript_view import transcript
from bot.slack.workspaces import Workspace
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Ticket

GONE = ("not_found", "view_not_found", "expired_trigger_id")
TURNED = {"sessions_newer": "view_newer", "sessions_older": "view_older"}


async def open_ticket(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Open** on a card, **View ticket** in a header, **View** in a list: the ticket's view."""
    user, place = str(body["user"]["id"]), await forms.seen_from(parts, body)
    await forms.open_view(parts, body, await drawn(parts, user, place, Look(clicks.value(body))))
    await ack()


async def tab_chosen(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Details**, **Sessions**, **Activity**."""
    await _turn(parts, body, Look(look_from(remembered(body)).ticket_id, clicks.value(body)))
    await ack()


async def page_turned(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Another page of the tab."""
    await _turn(parts, body, replace(look_from(remembered(body)), page=int(clicks.value(body))))
    await ack()


async def sessions_turned(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Newer** and **Older** in the tab of sessions."""
    await _turn(parts, body, replace(look_from(remembered(body)), page=page_from(clicks.value(body))[1]))
    await ack()


async def back(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """From a transcript to the sessions."""
    await _turn(parts, body, Look(look_from(remembered(body)).ticket_id, "sessions", int(clicks.value(body))))
    await ack()


async def read_session(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Read**: the session's transcript, in place of the list. From now on the person has read it."""
    session, look = await session_of(parts, body, clicks.value(body)), look_from(remembered(body))
    await _turn(parts, body, Look(look.ticket_id, "transcript", 1, session.id, look.page))
    await note_opened(parts, session, str(body["user"]["id"]))
    await ack()


async def thread_opened(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Open thread** leads there by its address; Slack says that it was pressed, so the person has read it."""
    await note_opened(parts, await session_of(parts, body, clicks.value(body)), str(body["user"]["id"]))
    await ack()


async def note_opened(parts: Parts, session: ChatSession, user: str) -> None:
    """The person has read the session up to now."""
    await parts.db.write("opened", lambda c: mark_opened(c, session.id, user, parts.now_ms()))


async def _turn(parts: Parts, body: dict[str, Any], look: Look) -> None:
    """Draws the view anew as the person wants to see it."""
    user, view_id = str(body["user"]["id"]), str(body["view"]["id"])
    parts.looks.turn(view_id, look)
    await show(parts, view_id, await drawn(parts, user, place_of(body), look))


async def draw_anew(parts: Parts, user: str, view_id: str, place: Place, look: Look, note: Shown | None = None) -> bool:
    """The view as things are now, at the tab that the person has turned to meanwhile; False where it is closed."""
    now = parts.looks.now(view_id, look)
    return await show(parts, view_id, await drawn(parts, user, place, now, note))


async def show(parts: Parts, view_id: str, view: View) -> bool:
    """Puts a view in the place of the one that is open; False where it was closed meanwhile."""
    try:
        await parts.client.views_update(view_id=view_id, view=view)
    except SlackApiError as error:
        if error.response.get("error") not in GONE:
            raise
        return False
    return True


async def drawn(parts: Parts, user: str, place: Place, look: Look, note: Shown | None = None) -> View:
    """The view for this person, from the ticket's file and what its sessions are now; raises as `store.get` does."""
    workspace, audience = parts.workspaces.named(place.workspace), await parts.people.audience_of(user)
    details = await workspace.in_store(lambda store: _details(store, look.ticket_id))
    ticket = details.ticket
    if look.tab == "sessions":
        body = await _sessions(parts, workspace, ticket, audience, look.page)
    elif look.tab == "transcript":
        body = await _transcript(parts, audience, look)
    else:
        done, known = await _history(parts, audience, ticket)
        if look.tab == "activity":
            body = activity_view.activity(ticket.history, done, known, look.page)
        else:
            body = ticket_view.details(replace(details, deeds=done, drawn=f"{parts.now_ms():x}"), look.page)
    kept = replace(look, ticket_id=ticket.id, read=ticket.revision).remember()
    tab = "sessions" if look.tab == "transcript" else look.tab
    return ticket_view.ticket_view(ticket, tab, body, {**place.remember(), **kept}, note)


def _details(store: TicketStore, ticket_id: str) -> Details:
    ticket = store.get(ticket_id)
    epic = store.epic(ticket.epic_id) if ticket.epic_id else None
    progress = f" ({store.progress(epic.id)} done)" if epic else ""
    parent = named(store, (ticket.parent_id,)) if ticket.parent_id else []
    return Details(
        ticket,
        f"{epic.title}{progress}" if epic else None,
        named(store, ticket.blocked_by),
        named(store, ticket.relates_to),
        parent[0] if parent else None,
    )


async def _history(parts: Parts, audience: Audience, ticket: Ticket) -> tuple[dict[str, str], dict[str, str]]:
    """What the viewer may know of the history: of tool calls by op, and of sessions by id."""
    ops = {op for entry in ticket.history if (op := entry.op) and op.startswith("turn.")}
    ids, slack = activity_view.sessions_in(ticket.history), parts.me.url

    def read(connection: Connection) -> tuple[dict[str, str], dict[str, str]]:
        done, known = deeds(connection, audience, ops), places_of(connection, audience, ids)
        return (
            {op: activity_view.in_session(deed, slack) for op, deed in done.items()},
            {i: activity_view.named(where, slack) for i, where in known.items()},
        )

    return await parts.db.read(read)


async def _sessions(parts: Parts, workspace: Workspace, ticket: Ticket, audience: Audience, page: int) -> list[Block]:
    """The list as a message has it, with **Read** at each session, and with pages that are turned in the view."""
    listed = await sessions_list(parts, workspace, ticket.id, audience, page, can_post=True)
    return [_in_view(block) for block in listed.blocks]


def _in_view(block: Block) -> Block:
    name, elements = str(block.get("block_id") or ""), list(block.get("elements") or ())
    if name.startswith("of s-"):
        return {**block, "elements": [button("Read", "session_read", name.removeprefix("of ")), *elements]}
    if name == "sessions":
        kept = [one for one in elements if one["action_id"] != "sessions_post"]
        return {
            **block,
            "elements": [{**one, "action_id": TURNED.get(one["action_id"], one["action_id"])} for one in kept],
        }
    return block


async def _transcript(parts: Parts, audience: Audience, look: Look) -> list[Block]:
    def read(connection: Connection) -> list[Block]:
        session = get_session(connection, look.session_id)
        if not may_see(audience, session):
            raise BotError("You cannot see that session (any more).")
        entries = entries_of(rows_of(connection, session))
        return transcript(session.title, session.state, entries, look.page, look.back)

    return await parts.db.read(read)
