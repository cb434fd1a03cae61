"""What every feature works with: the parts that app.py joined, and a few words with the person who asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.agent.model import Model
from bot.config_sections import Access, AgentChoice, Limits, Price
from bot.database import Database
from bot.errors import NotInChannel, OtherWorkspace
from bot.inbox.claim import Claim, Item
from bot.inbox.intake import Arrival, take_in
from bot.inbox.worker import Pace
from bot.mcp_servers.outside import OutsideServers
from bot.sessions.choice import chosen_workspace, former_ids
from bot.sessions.session import find_at
from bot.slack.intake.arrivals import Identity
from bot.slack.pace import Appends
from bot.slack.people import People
from bot.slack.tickets.looks import Looks
from bot.slack.views.blocks import Shown
from bot.slack.workspaces import Workspace, Workspaces

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
    workspaces: Workspaces
    private_folder: Path
    client: AsyncWebClient
    people: People
    me: Identity
    model: Model
    commands: CommandNames
    pace: Pace
    now_ms: Callable[[], int]
    appends: Appends
    files: ThreadPoolExecutor  # the threads in which ticket files are read and written
    wake: Callable[[], None] = lambda: None
    stop_thread: Callable[[int], None] = lambda thread_id: None
    looks: Looks = field(default_factory=Looks)
    access: Access = field(default_factory=Access)
    prices: Mapping[str, Price] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    private_paths: tuple[Path, ...] = ()  # what no agent reads, wherever it lies
    agents: AgentChoice = field(default_factory=AgentChoice)
    outside: OutsideServers = field(default_factory=lambda: OutsideServers({}))
    no_entities_until: int = 0  # ms: until then Slack is sent no Work Objects, since it refused one

    async def workspace_at(
        self, channel: str, user: str, thread_ts: str = "", *, seen: str = "", at_ms: int | None = None
    ) -> Workspace:
        """The ticket workspace at a place in Slack, for this person.

        A thread that is a session keeps the one it began with. Otherwise `seen` counts, the one whose tickets the
        person was shown; then what the settings say of the channel; in a direct message what the person has chosen
        (by `at_ms`); elsewhere the default. Raises OtherWorkspace where session and `seen` disagree, and
        WorkspaceUnknown for one that the settings no longer name.
        """
        session = await self.db.read(lambda c: find_at(c, self.me.team, channel, thread_ts)) if thread_ts else None
        if session and seen and seen != session.workspace:
            raise OtherWorkspace(session.workspace, seen)
        if session or seen:
            return self.workspaces.named(session.workspace if session else seen)
        if len(self.workspaces) == 1:
            return self.workspaces.default
        return await self._workspace_of_channel(channel) or (
            await self.workspace_chosen(user, at_ms) if await self.is_direct(channel) else self.workspaces.default
        )

    async def _workspace_of_channel(self, channel: str) -> Workspace | None:
        """What the settings say of the channel, also under an id that it had before."""
        found = self.workspaces.of_channel(channel)
        if found:
            return found
        former = await self.db.read(lambda c: former_ids(c, self.me.team, channel))
        return next((known for old in former if (known := self.workspaces.of_channel(old))), None)

    async def is_direct(self, channel: str) -> bool:
        """Whether the channel is a person's direct message with the bot, as Slack says."""
        try:
            return (await self.people.channel(channel)).im
        except NotInChannel:
            return False

    async def workspace_chosen(self, user: str, at_ms: int | None = None) -> Workspace:
        """What the person chose for direct messages and App Home (by `at_ms`); the default until then."""
        name = await self.db.read(lambda c: chosen_workspace(c, self.me.team, user, at_ms))
        chosen = self.workspaces.find(name) if name else None
        return chosen if chosen and await self.may_choose(user, chosen) else self.workspaces.default

    async def may_choose(self, user: str, workspace: Workspace) -> bool:
        """Full members may choose any workspace; guests and strangers one that a channel of theirs has."""
        if workspace is self.workspaces.default or (await self.people.person(user)).full_member:
            return True
        return not (await self.people.audience_of(user)).own.isdisjoint(workspace.channels)

    async def workspace_of(self, claim: Claim, item: Item) -> Workspace:
        """As workspace_at, for what waits in the inbox."""
        seen, user = str(item.body.get("workspace") or ""), str(item.body["user"])
        return await self.workspace_at(claim.channel, user, claim.thread_ts, seen=seen)

    async def take_in(self, arrival: Arrival) -> bool:
        """Writes an arrival down and wakes the worker; False when it had come before."""
        new = await self.db.write("intake", lambda c: take_in(c, arrival, self.now_ms()))
        self.wake()
        return new is not None

    async def tell(
        self,
        user: str,
        channel: str,
        shown: Shown,
        *,
        thread_ts: str = "",
        response_url: str | None = None,
        instead: bool = False,
    ) -> None:
        """Shows something to one person alone, where that person is. Such a message arrives at most once.

        By the response_url of a command or click where there is one (it works where the bot is no member; with
        `instead` it takes the place of what was clicked), else as an ephemeral message, else as a direct message.
        """
        content: dict[str, Any] = {"text": shown.text, "blocks": shown.blocks}
        if response_url and instead and await self._replace(response_url, content):
            return
        if response_url and not thread_ts and await self._respond(response_url, content):
            return
        if not channel:
            await self._tell_directly(user, content)
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

    async def _replace(self, url: str, content: dict[str, Any]) -> bool:
        answer = await AsyncWebhookClient(url).send(replace_original=True, **content)
        return answer.status_code == 200

    async def direct_channel(self, user: str) -> str:
        """The id of the person's direct message with the bot, opened if need be."""
        opened = await self.client.conversations_open(users=user)
        return str(opened["channel"]["id"])

    async def _tell_directly(self, user: str, content: dict[str, Any]) -> None:
        try:
            await self.client.chat_postMessage(channel=await self.direct_channel(user), **content)
        except SlackApiError as error:
            log.warning("could not tell %s: %s", user, error.response.get("error"))

    def not_in_channel(self) -> NotInChannel:
        """The sentence for a place the bot cannot read or write."""
        return NotInChannel(
            f"I am not a member of this channel. Invite me with `/invite @{self.me.name}`, then try again."
        )
