"""Which session or planned session somebody clicked on: found only where that person may see it."""

from __future__ import annotations

from typing import Any

from bot.errors import SessionNotFound
from bot.sessions.audience import may_see
from bot.sessions.planning import Planned, get_planned, may_see_planned
from bot.sessions.session import ChatSession, find_at, get_session
from bot.slack.intake.arrivals import team_of
from bot.slack.intake.place import place_of
from bot.slack.parts import Parts

GONE = "There is no such session that you could see (any more). Look at the ticket's sessions again."


async def session_of(parts: Parts, body: dict[str, Any], session_id: str) -> ChatSession:
    """The session; raises SessionNotFound, in the same words where there is none and where it is hidden."""
    audience = await parts.people.audience_of(str(body["user"]["id"]))
    try:
        found = await parts.db.read(lambda c: get_session(c, session_id))
    except SessionNotFound as error:
        raise SessionNotFound(GONE) from error
    if not may_see(audience, found):
        raise SessionNotFound(GONE)
    return found


async def planned_of(parts: Parts, body: dict[str, Any], planned_id: int) -> Planned:
    """The planned session, likewise."""
    audience = await parts.people.audience_of(str(body["user"]["id"]))
    try:
        found = await parts.db.read(lambda c: get_planned(c, planned_id))
    except SessionNotFound as error:
        raise SessionNotFound(GONE) from error
    if not may_see_planned(audience, found):
        raise SessionNotFound(GONE)
    return found


async def session_here(parts: Parts, body: dict[str, Any]) -> ChatSession:
    """The session of the thread that a message shortcut or a button in its header belongs to."""
    place = place_of(body)
    found = await parts.db.read(lambda c: find_at(c, team_of(body, parts.me), place.channel, place.thread_ts))
    if found is None:
        raise SessionNotFound("This thread is no session yet: mention me in it, or link it to a ticket.")
    return found
