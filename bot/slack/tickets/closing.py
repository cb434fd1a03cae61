"""Review before closing: what speaks against moving a ticket to done, shown first, whichever door it came through."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.errors import BotError
from bot.inbox import posts
from bot.inbox.claim import Claim
from bot.mcp_servers.review import Review
from bot.sessions.audience import Audience
from bot.sessions.listing import sessions_of_ticket
from bot.sessions.questions import open_questions
from bot.sessions.reading import Whereabouts, unread
from bot.sessions.session import ChatSession, find_by_thread
from bot.sessions.transcript import Turn
from bot.slack.intake import clicks, forms
from bot.slack.intake.place import Place, place_of, remembered
from bot.slack.parts import Parts
from bot.slack.views.activity_view import named
from bot.slack.views.review_blocks import Against, note_modal, review, spoken
from bot.slack.workspaces import Workspace
from bot.tickets.closing import ACTIVE, UNREAD, WAITING, still_open
from bot.tickets.ticket import Ticket

MOST_SESSIONS = 5_000
KEPT = ("ticket_id", "read", "shown", "view_id", "turn_key", "response_url")


class NotReviewed(BotError):
    """Something speaks against closing the ticket; a person may go on."""

    def __init__(self, against: Against) -> None:
        self.against = against
        super().__init__(f"{against.ticket.id} is not done yet: {'; '.join(spoken(against))}.")


async def speaks_against(
    parts: Parts, workspace: Workspace, ticket: Ticket, audience: Audience, closer: str, here: ChatSession | None
) -> Against:
    """What is open when this person closes the ticket: in its file, and in the sessions that this audience may see.

    `here` is the session in which it is being closed: whoever is at work there needs not be told of it.
    """

    def read(connection: Connection) -> Against:
        of = (parts.me.team, workspace.name, ticket.id)
        listed = sessions_of_ticket(connection, audience, *of, limit=MOST_SESSIONS)
        sessions = [one for one in listed if one.state != "past" and (here is None or one.session.id != here.id)]
        active = [one for one in sessions if one.state == "active"]
        asked = {one.session_id for one in open_questions(connection, [one.session.id for one in sessions])}
        waiting = [one for one in sessions if one.session.id in asked]
        missed = unread(connection, sessions, closer)
        found = {ACTIVE: active, WAITING: waiting, UNREAD: missed}
        lines = [f"{kind}: {one.session.id}" for kind, several in found.items() for one in several]
        names = {
            s.id: named(Whereabouts(s.id, s.title, s.channel, s.thread_ts), parts.me.url)
            for s in (one.session for several in found.values() for one in several)
        }
        return Against(ticket, (*still_open(ticket), *lines), names)

    return await parts.db.read(read)


async def session_of(claim: Claim) -> ChatSession | None:
    """The session in whose thread it is being done."""
    return await claim.read(lambda c: find_by_thread(c, claim.thread_id)) if claim.thread_ts else None


async def anyway(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Move to done anyway**: at once."""
    await clicks.take_in(parts, body, "status", place_of(body), **_wanted(body))
    await ack()


async def with_note(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**… with a note**: asks for it."""
    wanted: dict[str, object] = {**_wanted(body), "response_url": body.get("response_url")}
    place = await forms.seen_from(parts, body)
    kept = {key: str(wanted[key]) for key in KEPT if wanted.get(key)}
    await forms.open_view(parts, body, note_modal(str(wanted["ticket_id"]), place.remember(**kept)))
    await ack()


async def noted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The note was written."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    more = {key: kept[key] for key in KEPT if key in kept}
    note = str(values["note"]["note"].get("value") or "").strip()
    place = Place(kept["channel"], kept["thread_ts"], kept["workspace"])
    await forms.take_in(parts, body, "status", place, **more, status="done", anyway=True, note=note)
    await ack()


def _wanted(body: dict[str, Any]) -> dict[str, object]:
    """What a button below a review asks for: from what was seen, and where."""
    _, ticket_id, read = body["actions"][0]["block_id"].split(" ")
    turn_key = clicks.value(body).partition(" ")[2]
    wanted: dict[str, object] = {"ticket_id": ticket_id, "read": read, "status": "done", "anyway": True}
    if forms.in_modal(body):
        return wanted | {"shown": "modal", "view_id": body["view"]["id"]}
    return wanted | {"shown": "review"} | ({"turn_key": turn_key} if turn_key else {})


def review_key(turn_key: str) -> str:
    """The key of the card that a turn of the agent's put into its thread."""
    return f"review.{turn_key}"


def for_agent(parts: Parts, claim: Claim, workspace: Workspace, session: ChatSession, turn: Turn) -> Review:
    """The same for the agent's tool: it is told what is open as its channel may see it, and a person decides."""

    async def against(ticket: Ticket) -> Against:
        audience = await parts.people.audience_in(claim.channel)
        found = await speaks_against(parts, workspace, ticket, audience, turn.asked_by, session)
        return Against(found.ticket, found.lines, found.names, for_all=True)

    async def told(ticket: Ticket) -> list[str]:
        return spoken(await against(ticket))

    async def ask(ticket: Ticket) -> None:
        shown = review(await against(ticket), turn.key)
        key = review_key(turn.key)
        await claim.write(
            "review",
            lambda c: posts.put(c, key=key, thread_id=claim.thread_id, role="notice", want=shown.as_want()),
        )

    return Review(told, ask)
