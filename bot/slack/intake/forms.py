"""Modals: opened and checked on the spot, since Slack gives three seconds; what they ask for is done by the worker."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.errors import BotError, NotLinked
from bot.inbox.intake import Arrival
from bot.sessions.linking import current_link
from bot.sessions.listing import recent_sessions
from bot.sessions.session import find_at
from bot.slack.intake.arrivals import as_ts, team_of
from bot.slack.intake.place import Place, place_of, remembered, workspace_here
from bot.slack.parts import Parts
from bot.slack.sessions.link import linkable
from bot.slack.sessions.threads import recent_threads
from bot.slack.views import blocks, modals

log = logging.getLogger(__name__)
TOO_LATE = {
    "trigger_expired",
    "expired_trigger_id",
    "trigger_exchanged",
    "exchanged_trigger_id",
    "invalid_trigger_id",
}


async def open_link(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Link to ticket**, on a message or in the header: a picker for this thread."""
    place = await seen_from(parts, body)
    linked = await _linked(parts, body, place)
    await open_view(parts, body, modals.link_modal(metadata=place.remember(), ticket=linked, threads=None))
    await ack()


async def open_link_from_composer(parts: Parts, body: dict[str, Any], wanted: str) -> None:
    """`/link`: which of the caller's recent threads here, or a new one on the ticket."""
    channel, user = str(body["channel_id"]), str(body["user_id"])
    workspace = await parts.workspace_at(channel, user)
    place = Place(channel, "", workspace.name)
    ticket = await linkable(workspace, wanted) if wanted else None
    threads = await recent_threads(parts, place.channel, user)
    modal = modals.link_modal(
        metadata=place.remember(), ticket=(ticket.id, ticket.title) if ticket else None, threads=threads
    )
    await open_view(parts, body, modal)


async def open_unlink_from_composer(parts: Parts, body: dict[str, Any]) -> None:
    """`/unlink`: which of the linked threads here."""
    channel, user, team = str(body["channel_id"]), str(body["user_id"]), team_of(body, parts.me)
    audience = await parts.people.audience_of(user)
    sessions = await parts.db.read(lambda c: recent_sessions(c, audience, team, channel, user))
    links = await parts.db.read(lambda c: {s.id: current_link(c, s.id) for s in sessions})
    linked = [(s.thread_ts, f"{link.ticket_id} · {s.title}") for s in sessions if (link := links[s.id])]
    if not linked:
        raise NotLinked("None of your recent threads in this channel is linked to a ticket.")
    await open_view(parts, body, modals.unlink_modal(metadata=Place(channel, "").remember(), threads=linked))


async def open_archive(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Archive to ticket**, on a message or in the header: ticket and notes."""
    place = await seen_from(parts, body)
    channel = (await parts.people.channels()).get(place.channel)
    modal = modals.archive_modal(
        metadata=place.remember(),
        ticket=await _linked(parts, body, place),
        private=channel is None or not channel.public,
    )
    await open_view(parts, body, modal)
    await ack()


async def ticket_options(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The ticket picker: best matches first, archived ones absent."""
    await parts.people.may_look(str(body["user"]["id"]))
    query = str(body.get("value") or "").strip()
    workspace = await workspace_here(parts, body, place_of(body))
    tickets = await workspace.in_store(lambda store: store.search(query, limit=50) if query else store.list(limit=50))
    await ack(options=modals.ticket_options(tickets))


async def link_submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The link modal: refused in its field, or asked again where another ticket is linked, or written down."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    thread_ts = chosen(values, "thread") if "thread" in values else kept["thread_ts"]
    new = thread_ts == modals.NEW_THREAD
    place = replace(place_of(body), thread_ts="" if new else thread_ts)
    ticket = await linkable(await workspace_here(parts, body, place), chosen(values, "ticket"))
    if new:
        await take_in(parts, body, "start", place, ticket_id=ticket.id)
        await ack()
        return
    linked = await _linked(parts, body, place)
    if linked and linked[0] != ticket.id:
        more = place.remember(ticket_id=ticket.id)
        await ack(response_action="push", view=modals.confirm_replace("link", linked[0], ticket.id, more))
        return
    await take_in(parts, body, "link", place, ticket_id=ticket.id)
    await ack()


async def link_confirmed(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The person was asked, and wants the other ticket."""
    kept, place = remembered(body), place_of(body)
    await take_in(parts, body, "link", place, ticket_id=kept["ticket_id"], replace=True)
    await ack(response_action="clear")


async def unlink_submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """`/unlink`'s modal."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    await take_in(parts, body, "unlink", Place(kept["channel"], chosen(values, "thread")))
    await ack()


async def archive_submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The archive modal, likewise."""
    place, values = place_of(body), body["view"]["state"]["values"]
    ticket = await linkable(await workspace_here(parts, body, place), chosen(values, "ticket"))
    note = str(values["note"]["note"].get("value") or "")
    linked = await _linked(parts, body, place)
    if linked and linked[0] != ticket.id:
        more = place.remember(ticket_id=ticket.id, note=note[:2000])
        await ack(response_action="push", view=modals.confirm_replace("archive", linked[0], ticket.id, more))
        return
    await take_in(parts, body, "archive", place, ticket_id=ticket.id, note=note)
    await ack()


async def archive_confirmed(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The person was asked, and archives to the other ticket."""
    kept, place = remembered(body), place_of(body)
    more = {"ticket_id": kept["ticket_id"], "note": kept.get("note", ""), "replace": True}
    await take_in(parts, body, "archive", place, **more)
    await ack(response_action="clear")


async def refuse(parts: Parts, ack: Any, body: dict[str, Any], error: BotError) -> None:
    """Says what is wrong where the person is: in the modal's field, at the composer, or to them in the thread."""
    kind = body.get("type")
    if kind == "view_submission":
        values = body["view"].get("state", {}).get("values", {})
        field = next((name for name in ("ticket", "title") if name in values), next(iter(values), None))
        if field:
            await ack(response_action="errors", errors={field: error.text})
        else:
            await ack(response_action="update", view=modals.message_modal("That did not work", error.text))
    elif kind == "block_suggestion":
        await ack(options=[])
    elif "command" in body:
        await ack(text=error.text, blocks=blocks.error(error.text).blocks, response_type="ephemeral")
    else:
        await ack()
        if kind == "shortcut":
            await parts.tell(str(body["user"]["id"]), "", blocks.error(error.text))
        elif kind == "block_actions" and body.get("view") and not body.get("message"):
            await _refuse_in_view(parts, body, error)
        elif kind in ("block_actions", "message_action") and body.get("channel"):
            place, user = place_of(body), str(body["user"]["id"])
            await parts.tell(
                user,
                place.channel,
                blocks.error(error.text),
                thread_ts=place.thread_ts,
                response_url=body.get("response_url"),
            )


async def _refuse_in_view(parts: Parts, body: dict[str, Any], error: BotError) -> None:
    """Says it in the modal that was clicked in, in place of what stood there; in App Home, in one of its own."""
    view = modals.message_modal("That did not work", error.text)
    try:
        if in_modal(body):
            await parts.client.views_update(view_id=body["view"]["id"], view=view)
        else:
            await parts.client.views_open(trigger_id=body["trigger_id"], view=view)
    except SlackApiError as gone:
        log.info("nobody could be told: %s", gone.response.get("error"))


def slack_said(reason: str) -> str:
    """A sentence for what Slack refused in a handler."""
    if reason in TOO_LATE:
        return "That took too long, and Slack let the click expire. Please try again."
    return "Slack did not take that just now. Please try again."


async def seen_from(parts: Parts, body: dict[str, Any]) -> Place:
    """Where a shortcut or button was pressed, for a modal that shows the tickets of that place's workspace."""
    place = place_of(body)
    return replace(place, workspace=(await workspace_here(parts, body, place)).name)


async def open_view(parts: Parts, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Opens a modal, or puts it on top of the one the click came from."""
    if in_modal(body):
        await parts.client.views_push(trigger_id=body["trigger_id"], view=view)
    else:
        await parts.client.views_open(trigger_id=body["trigger_id"], view=view)


def in_modal(body: dict[str, Any]) -> bool:
    """Whether something was clicked in a modal: not in a message, and not in App Home."""
    return "message" not in body and body.get("view", {}).get("type") == "modal"


async def _linked(parts: Parts, body: dict[str, Any], place: Place) -> tuple[str, str] | None:
    """The ticket that the thread is linked to, as (id, title)."""
    session = await parts.db.read(lambda c: find_at(c, team_of(body, parts.me), place.channel, place.thread_ts))
    link = await parts.db.read(lambda c: current_link(c, session.id)) if session else None
    if link is None:
        return None
    try:
        workspace = await workspace_here(parts, body, place)
        ticket = await workspace.in_store(lambda store: store.get(link.ticket_id))
    except BotError:
        return link.ticket_id, "(cannot be read)"
    return ticket.id, ticket.title


def chosen(values: dict[str, Any], name: str) -> str:
    """What was picked in a select; its block and its action have the same name."""
    picked = values[name][name].get("selected_option")
    if not picked:
        raise BotError("Choose one.")
    return str(picked["value"])


async def take_in(parts: Parts, body: dict[str, Any], kind: str, place: Place, **more: object) -> None:
    """Writes a filled form down, once, as an item of this kind; `more` goes into its body."""
    view, user = body["view"], str(body["user"]["id"])
    key, now = f"v:{view['id']}:{view['hash']}", as_ts(parts.now_ms())
    said = {"user": user, **more, **({"workspace": place.workspace} if place.workspace else {})}
    await parts.take_in(Arrival(team_of(body, parts.me), place.channel, place.thread_ts, key, kind, now, said))
