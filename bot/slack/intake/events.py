"""Events: each that changes something is a row before it is acknowledged; all else is dropped at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.inbox.intake import Arrival, kept, served, take_in, thread_for
from bot.sessions.session import move_channel
from bot.slack.intake.arrivals import Heard, as_ts, heard, team_of
from bot.slack.parts import Parts


async def message(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Something was said, edited or deleted (`message`), perhaps to the bot (`app_mention`): one row for the pair."""
    found = heard(body, parts.me, tuple(n.lstrip("/") for n in (parts.commands.link, parts.commands.unlink)))
    if found:
        new = await parts.db.write("intake", lambda c: _take_in(c, found, parts.now_ms()))
        if new and found.arrival.kind == "stop":
            here = found.arrival
            thread_id = await parts.db.write("thread", lambda c: thread_for(c, here.team, here.channel, here.thread_ts))
            parts.stop_thread(thread_id)
        if new:
            parts.wake()
    await ack()


def _take_in(connection: Connection, found: Heard, now_ms: int) -> bool:
    here = found.arrival
    if found.only_served and not served(connection, here.team, here.channel, here.thread_ts):
        return False
    if found.only_served and here.kind == "message" and kept(connection, here):
        return False  # it came late: it was fetched when the thread became a session
    return take_in(connection, here, now_ms) is not None


async def member_joined(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The bot was invited to a channel."""
    event = body["event"]
    if event["user"] == parts.me.user:
        team, now = team_of(body, parts.me), as_ts(parts.now_ms())
        key = f"e:{body['event_id']}"
        await parts.take_in(Arrival(team, event["channel"], "", key, "joined", now, {"user": event.get("inviter")}))
    else:
        parts.people.forget(user=event["user"])
    await ack()


async def member_left(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Somebody left a channel: from now on they see no more of it than others."""
    event = body["event"]
    parts.people.forget(channel=event["channel"], user=event["user"])
    await ack()


async def channel_id_changed(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """A channel has another id (it was shared): everything of it moves along, in the one write."""
    event = body["event"]
    team, old, new = team_of(body, parts.me), str(event["old_channel_id"]), str(event["new_channel_id"])
    await parts.db.write("channel moved", lambda c: move_channel(c, team, old, new))
    parts.people.forget(channel=old)
    parts.workspaces.warn_of_move(old, new)
    await ack()
