"""Where in Slack something was clicked, typed or chosen, and how a modal remembers it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A channel and a thread in it; thread_ts is '' for the channel itself."""

    channel: str
    thread_ts: str

    def remember(self, **more: str) -> dict[str, str]:
        """The place as a modal's private_metadata keeps it, with what else it must not forget."""
        return {"channel": self.channel, "thread_ts": self.thread_ts, **more}


def place_of(body: dict[str, Any]) -> Place:
    """The thread of a message shortcut or of a button in a message; a modal's own, from its private_metadata.

    The root of a message's thread is `thread_ts`, or the message itself (slack-facts 3). An ephemeral message
    outside any thread belongs to the channel, not to a thread of its own.
    """
    if "view" in body and "message" not in body:
        kept = remembered(body)
        return Place(kept["channel"], kept.get("thread_ts", ""))
    channel, message, container = (
        str(body["channel"]["id"]),
        body.get("message") or {},
        body.get("container") or {},
    )
    thread_ts = message.get("thread_ts") or container.get("thread_ts")
    if not thread_ts and not container.get("is_ephemeral"):
        thread_ts = message.get("ts") or container.get("message_ts")
    return Place(channel, str(thread_ts or ""))


def remembered(body: dict[str, Any]) -> dict[str, Any]:
    """What a modal was given to remember."""
    found = json.loads(body["view"].get("private_metadata") or "{}")
    if not isinstance(found, dict):
        raise ValueError("private_metadata is not ours")
    return found
