"""The recent threads of a person in a channel, for the picker of `/link`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.slack.parts import Parts
from bot.slack.sessions.opening import plain_words

log = logging.getLogger(__name__)
MOST = 25
PATIENCE = 1.5  # seconds: the modal has to be open within three


async def recent_threads(parts: Parts, channel: str, user: str) -> list[tuple[str, str]]:
    """(thread_ts, first words) of the threads which the person began or wrote in, newest first.

    Empty where the bot cannot read the channel, or Slack is slow: a new thread can always be chosen.
    """
    try:
        asked = parts.client.conversations_history(channel=channel, limit=100)
        page = await asyncio.wait_for(asked, PATIENCE)
    except (SlackApiError, TimeoutError) as error:
        log.info("no recent threads to offer: %s", type(error).__name__)
        return []
    found = [m for m in page.get("messages") or () if _is_theirs(m, user)]
    found.sort(key=lambda m: str(m.get("latest_reply") or m["ts"]), reverse=True)
    return [(str(m["ts"]), plain_words(str(m.get("text") or "")) or "(no text)") for m in found[:MOST]]


def _is_theirs(message: dict[str, Any], user: str) -> bool:
    """Whether a root message is of a thread that the person takes part in."""
    if message.get("subtype") not in (None, "file_share", "thread_broadcast", "bot_message"):
        return False
    return message.get("user") == user or user in (message.get("reply_users") or ())
