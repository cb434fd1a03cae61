"""Where in Slack something was clicked, typed or chosen, and how a modal remembers it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.slack.parts import Parts
from bot.slack.workspaces import Workspace


@dataclass(frozen=True)
class Place:
    """A channel and a thread in it; thread_ts is '' for the channel itself.

    `workspace` is the one whose tickets a modal shows; `shown_ms` is when the message appeared that was clicked.
    """

    channel: str
    thread_ts: str
    workspace: str = ""
    shown_ms: int | None = None

    def remember(self, **more: str) -> dict[str, str]:
        """The place as a modal's private_metadata keeps it, with what else it must not forget."""
        known = {"workspace": self.workspace} if self.workspace else {}
        return {"channel": self.channel, "thread_ts": self.thread_ts, **known, **more}


def place_of(body: dict[str, Any]) -> Place:
    """The thread of a message shortcut or of a button in a message; a modal's own, from its private_metadata.

    The root of a message's thread is `thread_ts`, or the message itself (slack-facts 3). An ephemeral message
    outside any thread belongs to the channel, not to a thread of its own.
    """
    if "view" in body and "message" not in body:
        kept = remembered(body)
        return Place(kept["channel"], kept.get("thread_ts", ""), kept.get("workspace", ""))
    channel, message, container = (
        str(body["channel"]["id"]),
        body.get("message") or {},
        body.get("container") or {},
    )
    thread_ts = message.get("thread_ts") or container.get("thread_ts")
    if not thread_ts and not container.get("is_ephemeral"):
        thread_ts = message.get("ts") or container.get("message_ts")
    shown_ts = str(message.get("ts") or container.get("message_ts") or "")
    shown_ms = int(float(shown_ts) * 1000) if body.get("type") == "block_actions" and shown_ts else None
    return Place(channel, str(thread_ts or ""), shown_ms=shown_ms)


async def workspace_here(parts: Parts, body: dict[str, Any], place: Place) -> Workspace:
    """The ticket workspace at a place, for the person who clicked, chose or typed there."""
    user = str(body["user"]["id"])
    return await parts.workspace_at(place.channel, user, place.thread_ts, seen=place.workspace, at_ms=place.shown_ms)


def remembered(body: dict[str, Any]) -> dict[str, Any]:
    """What a modal was given to remember."""
    found = json.loads(body["view"].get("private_metadata") or "{}")
    if not isinstance(found, dict):
        raise ValueError("private_metadata is not ours")
    return found
