"""Ends the turn that runs in a thread: the word `stop`, the **Stop** button, Slack's own; and says what was done."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.inbox.claim import Claim, Item, finish, stop_heard
from bot.inbox.intake import Arrival, served, take_in, thread_for
from bot.sessions.running import stopped_since
from bot.sessions.session import find_by_thread
from bot.sessions.transcript import Turn, steps_of
from bot.slack.agent.asking import stop_waiting
from bot.slack.intake.arrivals import as_ts, team_of
from bot.slack.intake.place import place_of
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer
from bot.slack.views import blocks
from bot.slack.views.markdown import doing, safe, stopped_note

CLOCKS_MS = 2_000  # what the clocks of two processes may differ by


async def clicked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Stop** in the header, or below a first sign."""
    action, place, user = body["actions"][0], place_of(body), str(body["user"]["id"])
    key = f"a:{user}:stop:{action['action_ts']}"
    await _stop(parts, body, place.channel, place.thread_ts, key, user, body.get("response_url"))
    await ack()


async def pressed(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Slack's own button (agent_session_stopped)."""
    event = body["event"]
    channel, thread_ts, user = str(event["channel"]), str(event["thread_ts"]), str(event["user"])
    await _stop(parts, body, channel, thread_ts, f"e:{body['event_id']}", user, None)
    await ack()


async def _stop(
    parts: Parts, body: dict[str, Any], channel: str, thread_ts: str, key: str, user: str, url: str | None
) -> None:
    """Written down, so that whichever process runs the turn hears of it; told at once where that is this one."""
    team, now = team_of(body, parts.me), parts.now_ms()
    arrival = Arrival(team, channel, thread_ts, key, "stop", as_ts(now), {"user": user, "response_url": url})

    def take(connection: Connection) -> int | None:
        if not served(connection, team, channel, thread_ts) or take_in(connection, arrival, now) is None:
            return None
        return thread_for(connection, team, channel, thread_ts)

    thread_id = await parts.db.write("intake", take)
    if thread_id is not None:
        parts.stop_thread(thread_id)
        parts.wake()


async def stop(parts: Parts, claim: Claim, item: Item) -> None:
    """What is left of a stop once its turn has ended; where none ran, the person is told."""
    claim.stop.clear()
    await claim.write("stop heard", lambda c: stop_heard(c, claim.thread_id))
    since = item.received_ms - CLOCKS_MS
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    ran = bool(session) and await claim.read(lambda c: stopped_since(c, session.id, since))  # type: ignore[union-attr]
    if await stop_waiting(parts, claim, item) or ran:
        await claim.write("item done", lambda c: finish(c, [item]))
    else:
        await answer(parts, claim, item, blocks.said("Nothing is running in this thread."))


def what_was_done(connection: Connection, turn: Turn) -> str:
    """The last line of an answer that was stopped: which tools ran, which were cut off, which not begun."""
    calls = [call for step in steps_of(connection, [turn.id])[turn.id] for call in step.calls]
    done = [call for call in calls if call.state == "done" and not call.is_error]
    cut = [call for call in calls if call.state in ("started", "unknown")]
    rest = [call for call in calls if call.state in ("planned", "waiting", "cancelled")]
    named = [[safe(doing(call.name, call.input)) for call in some] for some in (done, cut, rest)]
    return stopped_note(*named)
