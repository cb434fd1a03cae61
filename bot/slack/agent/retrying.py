"""**Retry** below an answer that failed: the turn goes on from its saved steps."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.errors import BotError
from bot.inbox.claim import Claim, Item, finish
from bot.inbox.intake import Arrival
from bot.sessions.running import Failed, find_turn, restart_turn
from bot.sessions.session import find_by_thread
from bot.sessions.transcript import get_turn
from bot.slack.agent.turns import run
from bot.slack.intake import clicks
from bot.slack.intake.arrivals import as_ts, team_of
from bot.slack.intake.place import place_of
from bot.slack.parts import Parts
from bot.slack.sessions.link import may_work_here

UNKNOWN = "I do not know that answer any more. Ask again."
RUNNING = "I am trying again already."


async def clicked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The button: one row for each time that the turn failed, whoever clicks how often."""
    key, place, user = clicks.value(body), place_of(body), str(body["user"]["id"])
    failed = refused_unless_failed(await parts.db.read(lambda c: find_turn(c, key)))
    await parts.people.may_write(user)
    said = {"user": user, "turn": key, "response_url": body.get("response_url")}
    once, now = f"retry:{key}:{failed.ended_ms}", as_ts(parts.now_ms())
    arrival = Arrival(team_of(body, parts.me), place.channel, place.thread_ts, once, "retry", now, said)
    if not await parts.take_in(arrival):
        raise BotError(RUNNING)
    await ack()


async def retry(parts: Parts, claim: Claim, item: Item) -> None:
    """Runs the failed turn again. Body: {user, turn}."""
    await may_work_here(parts, claim, str(item.body["user"]))
    key = str(item.body["turn"])
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    failed = refused_unless_failed(await claim.read(lambda c: find_turn(c, key)))
    if session is None or failed.session_id != session.id:
        raise BotError(UNKNOWN)

    def restart(connection: Connection) -> bool:
        finish(connection, [item])
        return restart_turn(connection, failed.id)

    if await claim.write("retry", restart):
        await run(parts, claim, session, await claim.read(lambda c: get_turn(c, failed.id)))


def refused_unless_failed(turn: Failed | None) -> Failed:
    """The turn, if it can be tried again; raises BotError, with what became of it."""
    if turn is None:
        raise BotError(UNKNOWN)
    if turn.state in ("running", "waiting", "answered"):
        raise BotError(RUNNING)
    if turn.state != "failed":
        raise BotError("That has been answered by now." if turn.state == "done" else "That was stopped. Ask again.")
    if not turn.newest:
        raise BotError("Something else was asked here since. Ask again, if you still want an answer to this.")
    return turn
