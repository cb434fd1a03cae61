"""Modals: opened and checked on the spot, since Slack gives three seconds; what they ask for is done by the worker."""

from __future__ import annotations

from typing import Any

from bot.errors import BotError, NotLinked
from bot.inbox.intake import Arrival
from bot.sessions.linking import current_link
from bot.sessions.listing import recent_sessions
from bot.sessions.session import find_at
from bot.slack import blocks, modals
from bot.slack.arrivals import as_ts, team_of
from bot.slack.link import linkable
from bot.slack.parts import Parts
from bot.slack.place import Place, place_of, remembered
from bot.slack.threads import recent_threads
from bot.slack.tickets import card

TOO_LATE = {
    "trigger_expired",
    "expired_trigger_id",
    "trigger_exchanged",
    "exchanged_trigger_id",
    "invalid_trigger_id",
}


async def open_link(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Link to ticket**, on a message or in the header: a picker for this thread."""
    place = place_of(body)
    linked = await _linked(parts, body, place)
    await _open(parts, body, modals.link_modal(metadata=place.remember(), ticket=linked, threads=None))
    await ack()


async def open_link_from_composer(parts: Parts, body: dict[str, Any], wanted: str) -> None:
    """`/link`: which of the caller's recent threads here, or a new one on the ticket."""
    ticket = await linkable(parts, wanted) if wanted else None
    place = Place(str(body["channel_id"]), "")
    threads = await recent_threads(parts, place.channel, str(body["user_id"]))
    modal = modals.link_modal(
        metadata=place.remember(), ticket=(ticket.id, ticket.title) if ticket else None, threads=threads
    )
    await _open(parts, body, modal)


async def open_unlink_from_composer(parts: Parts, body: dict[str, Any]) -> None:
    """`/unlink`: which of the linked threads here."""
    channel, user, team = str(body["channel_id"]), str(body["user_id"]), team_of(body, parts.me)
    audience = await parts.people.audience_of(user)
    sessions = await parts.db.read(lambda c: recent_sessions(c, audience, team, channel, user))
    links = await parts.db.read(lambda c: {s.id: current_link(c, s.id) for s in sessions})
    linked = [(s.thread_ts, f"{link.ticket_id} · {s.title}") for s in sessions if (link := links[s.id])]
    if not linked:
        raise NotLinked("None of your recent threads in this channel is linked to a ticket.")
    await _open(parts, body, modals.unlink_modal(metadata=Place(channel, "").remember(), threads=linked))


async def open_archive(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Archive to ticket**, on a message or in the header: ticket and notes."""
    place = place_of(body)
    channel = (await parts.people.channels()).get(place.channel)
    modal = modals.archive_modal(
        metadata=place.remember(),
        ticket=await _linked(parts, body, place),
        private=channel is None or not channel.public,
    )
    await _open(parts, body, modal)
    await ack()


async def open_ticket(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**View ticket**: its card, as the person who clicks may see it."""
    ticket_id, place = str(body["actions"][0]["value"]), place_of(body)
    audience = await parts.people.audience_of(str(body["user"]["id"]))
    shown = await card(parts, ticket_id, audience)
    await _open(parts, body, modals.ticket_modal(ticket_id, shown, metadata=place.remember()))
    await ack()


async def ticket_options(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The ticket picker: best matches first, archived ones absent."""
    query = str(body.get("value") or "").strip()
    tickets = await parts.in_store(lambda store: store.search(query, limit=50) if query else store.list(limit=50))
    await ack(options=modals.ticket_options(tickets))


async def link_submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The link modal: refused in its field, or asked again where another ticket is linked, or written down."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    ticket = await linkable(parts, _chosen(values, "ticket"))
    thread_ts = _chosen(values, "thread") if "thread" in values else kept["thread_ts"]
    if thread_ts == modals.NEW_THREAD:
        await _take_in(parts, body, "start", Place(kept["channel"], ""), ticket_id=ticket.id)
        await ack()
        return
    place = Place(kept["channel"], thread_ts)
    linked = await _linked(parts, body, place)
    if linked and linked[0] != ticket.id:
        more = place.remember(ticket_id=ticket.id)
        await ack(response_action="push", view=modals.confirm_replace("link", linked[0], ticket.id, more))
        return
    await _take_in(parts, body, "link", place, ticket_id=ticket.id)
    await ack()


async def link_confirmed(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The person was asked, and wants the other ticket."""
    kept = remembered(body)
    place = Place(kept["channel"], kept["thread_ts"])
    await _take_in(parts, body, "link", place, ticket_id=kept["ticket_id"], replace=True)
    await ack(response_action="clear")


async def unlink_submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """`/unlink`'s modal."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    await _take_in(parts, body, "unlink", Place(kept["channel"], _chosen(values, "thread")))
    await ack()


async def archive_submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The archive modal, likewise."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    place = Place(kept["channel"], kept["thread_ts"])
    ticket = await linkable(parts, _chosen(values, "ticket"))
    note = str(values["note"]["note"].get("value") or "")
    linked = await _linked(parts, body, place)
    if linked and linked[0] != ticket.id:
        more = place.remember(ticket_id=ticket.id, note=note[:2000])
        await ack(response_action="push", view=modals.confirm_replace("archive", linked[0], ticket.id, more))
        return
    await _take_in(parts, body, "archive", place, ticket_id=ticket.id, note=note)
    await ack()


async def archive_confirmed(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The person was asked, and archives to the other ticket."""
    kept = remembered(body)
    place = Place(kept["channel"], kept["thread_ts"])
    more = {"ticket_id": kept["ticket_id"], "note": kept.get("note", ""), "replace": True}
    await _take_in(parts, body, "archive", place, **more)
    await ack(response_action="clear")


async def refuse(parts: Parts, ack: Any, body: dict[str, Any], error: BotError) -> None:
    """Says what is wrong where the person is: in the modal's field, at the composer, or to them in the thread."""
    kind = body.get("type")
    if kind == "view_submission":
        values = body["view"].get("state", {}).get("values", {})
        field = "ticket" if "ticket" in values else next(iter(values), None)
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
        if kind in ("block_actions", "message_action") and body.get("channel"):
            place, user = place_of(body), str(body["user"]["id"])
            await parts.tell(
                user,
                place.channel,
                blocks.error(error.text),
                thread_ts=place.thread_ts,
                response_url=body.get("response_url"),
            )


def slack_said(reason: str) -> str:
    """A sentence for what Slack refused in a handler."""
    if reason in TOO_LATE:
        return "That took too long, and Slack let the click expire. Please try again."
    return "Slack did not take that just now. Please try again."


async def _open(parts: Parts, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Opens a modal, or puts it on top of the one the click came from."""
    if "view" in body and "message" not in body:
        await parts.client.views_push(trigger_id=body["trigger_id"], view=view)
    else:
        await parts.client.views_open(trigger_id=body["trigger_id"], view=view)


async def _linked(parts: Parts, body: dict[str, Any], place: Place) -> tuple[str, str] | None:
    """The ticket that the thread is linked to, as (id, title)."""
    session = await parts.db.read(lambda c: find_at(c, team_of(body, parts.me), place.channel, place.thread_ts))
    link = await parts.db.read(lambda c: current_link(c, session.id)) if session else None
    if link is None:
        return None
    try:
        ticket = await parts.in_store(lambda store: store.get(link.ticket_id))
    except BotError:
        return link.ticket_id, "(cannot be read)"
    return ticket.id, ticket.title


def _chosen(values: dict[str, Any], name: str) -> str:
    """What was picked in a select; its block and its action have the same name."""
    picked = values[name][name].get("selected_option")
    if not picked:
        raise BotError("Choose one.")
    return str(picked["value"])


async def _take_in(parts: Parts, body: dict[str, Any], kind: str, place: Place, **more: object) -> None:
    view, user = body["view"], str(body["user"]["id"])
    key, now = f"v:{view['id']}:{view['hash']}", as_ts(parts.now_ms())
    said = {"user": user, **more}
    await parts.take_in(Arrival(team_of(body, parts.me), place.channel, place.thread_ts, key, kind, now, said))
