"""What every feature works with: the parts that app.py joined, and a few words with the person who asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.agent.definition import Agent
from bot.agent.model import Model
from bot.database import Database
from bot.errors import NotInChannel
from bot.inbox.intake import Arrival, take_in
from bot.inbox.worker import Pace
from bot.slack.arrivals import Identity
from bot.slack.blocks import Shown
from bot.slack.pace import Appends
from bot.slack.people import People
from bot.tickets.store import TicketStore

T = TypeVar("T")
log = logging.getLogger(__name__)
CANNOT_POST = ("not_in_channel", "channel_not_found", "user_not_in_channel", "messages_tab_disabled")


@dataclass(frozen=True)
class CommandNames:
    """What the slash commands are called here (slack-facts: names are not namespaced)."""

    link: str = "/link"
    unlink: str = "/unlink"
    ticket: str = "/ticket"


@dataclass
class Parts:
    """The parts of the bot that its features share. `wake` and `stop_thread` are the worker's."""

    db: Database
    store: TicketStore
    workspace: str  # the key of the ticket workspace
    workspace_folder: Path
    private_folder: Path
    client: AsyncWebClient
    people: People
    me: Identity
    model: Model
    agents: Callable[[], Mapping[str, Agent]]
    commands: CommandNames
    pace: Pace
    now_ms: Callable[[], int]
    appends: Appends
    wake: Callable[[], None] = lambda: None
    stop_thread: Callable[[int], None] = lambda thread_id: None
    files: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, thread_name_prefix="tickets"))

    async def in_store(self, fn: Callable[[TicketStore], T]) -> T:
        """Runs fn(store) beside the event loop: ticket files are read and written in threads of their own."""
        return await asyncio.get_running_loop().run_in_executor(self.files, fn, self.store)

    async def take_in(self, arrival: Arrival) -> bool:
        """Writes an arrival down and wakes the worker; False when it had come before."""
        new = await self.db.write("intake", lambda c: take_in(c, arrival, self.now_ms()))
        self.wake()
        return new is not None

    async def tell(
        self, user: str, channel: str, shown: Shown, *, thread_ts: str = "", response_url: str | None = None
    ) -> None:
        """Shows something to one person alone, where that person is. Such a message arrives at most once.

        By the response_url of a command or click where there is one (it works where the bot is no member), else
        as an ephemeral message, else as a direct message.
        """
        content: dict[str, Any] = {"text": shown.text, "blocks": shown.blocks}
        if response_url and not thread_ts and await self._respond(response_url, content):
            return
        try:
            await self.client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread_ts or None, **content)
        except SlackApiError as error:
            if error.response.get("error") not in CANNOT_POST:
                log.warning("could not tell %s: %s", user, error.response.get("error"))
                return
            if response_url and await self._respond(response_url, content):
                return
            await self._tell_directly(user, content)

    async def _respond(self, url: str, content: dict[str, Any]) -> bool:
        answer = await AsyncWebhookClient(url).send(response_type="ephemeral", replace_original=False, **content)
        return answer.status_code == 200

    async def _tell_directly(self, user: str, content: dict[str, Any]) -> None:
        try:
            opened = await self.client.conversations_open(users=user)
            await self.client.chat_postMessage(channel=opened["channel"]["id"], **content)
        except SlackApiError as error:
            log.warning("could not tell %s: %s", user, error.response.get("error"))

    def not_in_channel(self) -> NotInChannel:
        """The sentence for a place the bot cannot read or write."""
        return NotInChannel(
            f"I am not a member of this channel. Invite me with `/invite @{self.me.name}`, then try again."
        )
