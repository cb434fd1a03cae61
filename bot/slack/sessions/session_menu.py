"""The menu of a thread's header: what else can be done with its session."""

from __future__ import annotations

from typing import Any

from bot.slack.agent import permitting, quiet
from bot.slack.parts import Parts
from bot.slack.sessions import exporting, forking, renaming

CHOICES = {
    "rename": renaming.open_from_header,
    "fork": forking.open_from_header,
    "export": exporting.chosen,
    "mode": permitting.open_from_header,
    "quiet": quiet.from_header,
    "always": quiet.from_header,
}


async def chosen(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """One of `blocks.session_menu`."""
    await CHOICES[str(body["actions"][0]["selected_option"]["value"])](parts, body)
    await ack()
