"""Reads what Slack sends: each event, command and click that changes something becomes one Arrival."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.inbox.intake import Arrival, storable
from bot.slack.intake.words import command_in, mentioned

SAID = (None, "", "file_share", "thread_broadcast", "me_message", "bot_message")
TS = re.compile(r"\d{6,12}\.\d{1,6}\Z")


@dataclass(frozen=True)
class Identity:
    """Who the bot is in a Slack team."""

    team: str
    user: str
    bot: str
    name: str
    url: str


@dataclass(frozen=True)
class Heard:
    """An arrival, and whether it counts only in a thread that is a session already."""

    arrival: Arrival
    only_served: bool


def heard(body: Mapping[str, Any], me: Identity, slash: tuple[str, ...]) -> Heard | None:
    """What an event_callback of `message` or `app_mention` says, or None where there is nothing to do."""
    event = body.get("event")
    if not isinstance(event, Mapping) or not _is_text(event.get("channel")):
        return None
    team = team_of(body, me)
    kind = event.get("subtype") if event.get("type") == "message" else None
    if kind == "message_changed":
        return _edit(body, event, team, me)
    if kind == "message_deleted":
        return _deletion(body, event, team, me)
    if kind not in SAID or not _is_ts(event.get("ts")):
        return None
    return _message(event, team, me, slash)


def team_of(body: Mapping[str, Any], me: Identity) -> str:
    """The team whose bot this was sent to (in a shared channel the writer's may be another)."""
    for entry in body.get("authorizations") or ():
        if isinstance(entry, Mapping) and _is_text(entry.get("team_id")):
            return str(entry["team_id"])
    return str(body.get("team_id") or me.team)


def as_ts(ms: int) -> str:
    """Our clock in the form of Slack's ts."""
    return f"{ms // 1000}.{ms % 1000:03d}000"


def said_in(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a message of Slack's (an event's or a fetched one) says, in the form our rows keep."""
    files = [f for f in event.get("files") or () if isinstance(f, Mapping)]
    bot = bool(event.get("bot_id"))
    return {
        "ts": str(event["ts"]),
        "user": str(event.get("user") or event.get("bot_id") or ""),
        "bot": bot,
        "name": storable(str(event.get("username") or "")) if bot else "",
        "text": storable(str(event.get("text") or "")),
        "files": [[storable(str(f.get("name") or "file")), storable(str(f.get("permalink") or ""))] for f in files],
        "about_files": [about_file(f) for f in files],
        "edited_ts": str(event["edited"]["ts"]) if isinstance(event.get("edited"), Mapping) else None,
    }


def _message(event: Mapping[str, Any], team: str, me: Identity, slash: tuple[str, ...]) -> Heard | None:
    said = said_in(event)
    if not said["user"] or _is_own(event, me):
        return None
    thread_ts = str(event.get("thread_ts") or event["ts"])
    direct = event.get("channel_type") == "im"
    word = None if said["bot"] else command_in(said["text"], me.user, direct=direct, slash=slash)
    in_thread = thread_ts != said["ts"]
    called = me.user in mentioned(said["text"]) or (word is not None and in_thread)
    return Heard(
        Arrival(
            team=team,
            channel=str(event["channel"]),
            thread_ts=thread_ts,
            key=f"m:{event['channel']}:{event['ts']}",
            kind="stop" if word and word.verb == "stop" else "message",
            order_ts=said["ts"],
            body={**said, "direct": direct},
        ),
        only_served=said["bot"] or not (direct or called),
    )


def _edit(body: Mapping[str, Any], event: Mapping[str, Any], team: str, me: Identity) -> Heard | None:
    now, before = event.get("message"), event.get("previous_message")
    if not isinstance(now, Mapping) or not _is_ts(now.get("ts")) or _is_own(now, me):
        return None
    if now.get("subtype") == "tombstone":  # the root of a thread with replies was deleted
        return _deletion(body, {**event, "deleted_ts": now["ts"]}, team, me)
    left = _ids_of_files(now)
    if isinstance(before, Mapping) and before.get("text") == now.get("text") and _ids_of_files(before) == left:
        return None  # a link was unfurled, nothing was said
    at = str((now.get("edited") or {}).get("ts") or event.get("event_ts") or now["ts"])
    said = {"ts": str(now["ts"]), "text": str(now.get("text") or ""), "edited_ts": at, "files_left": left}
    return _about(body, event, team, "edit", str(now.get("thread_ts") or now["ts"]), said)


def _deletion(body: Mapping[str, Any], event: Mapping[str, Any], team: str, me: Identity) -> Heard | None:
    before = event.get("previous_message")
    before = before if isinstance(before, Mapping) else {}
    if not _is_ts(event.get("deleted_ts")):
        return None
    ts = str(event["deleted_ts"])
    said = {"ts": ts, "own": _is_own(before, me)}
    return _about(body, event, team, "delete", str(before.get("thread_ts") or ts), said)


def _about(
    body: Mapping[str, Any], event: Mapping[str, Any], team: str, kind: str, thread_ts: str, said: dict[str, Any]
) -> Heard:
    key = f"e:{body.get('event_id') or event.get('event_ts')}"
    order = str(event.get("event_ts") or said["ts"])
    arrival = Arrival(team, str(event["channel"]), thread_ts, key, kind, order, said)
    return Heard(arrival, only_served=True)


def about_file(file: Mapping[str, Any]) -> dict[str, Any]:
    """What must be known of a file to fetch it; nothing of one that Slack has no more, or that lies elsewhere."""
    if not _is_text(file.get("id")) or file.get("mode") == "tombstone" or file.get("is_external"):
        return {}
    size, address = file.get("size"), file.get("url_private_download") or file.get("url_private")
    return {
        "id": str(file["id"]),
        "mimetype": str(file.get("mimetype") or "").partition(";")[0].strip().lower(),
        "size": size if isinstance(size, int) else 0,
        "download": str(address or ""),
    }


def _ids_of_files(message: Mapping[str, Any]) -> list[str]:
    files = [f for f in message.get("files") or () if isinstance(f, Mapping)]
    return [str(about["id"]) for f in files if (about := about_file(f))]


def _is_own(message: Mapping[str, Any], me: Identity) -> bool:
    """Whether a message is the bot's own."""
    return message.get("user") == me.user or (bool(me.bot) and message.get("bot_id") == me.bot)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_ts(value: object) -> bool:
    return isinstance(value, str) and TS.match(value) is not None
