"""LocalSlack: the server and everything a test or a demo may ask of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from bot.local_slack import admin, interactions, messages, modals, people
from bot.local_slack.delivery import Delivery
from bot.local_slack.faults import Call, Fault
from bot.local_slack.methods_agents import session_status
from bot.local_slack.refusals import Json
from bot.local_slack.routes import Server
from bot.local_slack.views import stack_of
from bot.local_slack.work_objects import WorkObjects
from bot.local_slack.workspace import Pace, Workspace

ACTS = (
    *("say", "edit", "delete", "command", "message_shortcut", "global_shortcut", "click", "click_view"),
    *("submit", "close", "options", "open_dm", "stop_agent", "rename_agent", "home_opened"),
)


class LocalSlack:
    """One Slack workspace with one app, over HTTP and WebSocket.

    clock: seconds since the epoch. data: a folder in which everything outlives the process. agent, streaming:
    False gives a workspace without the feature. ack_within: seconds an acknowledgement may take; retries: the
    pauses in seconds before an event is sent again; sleep: how those pauses are slept. mention_first: whether
    app_mention is sent before its message event, or after it.
    """

    def __init__(
        self,
        manifest: dict[str, Any],
        *,
        clock: Callable[[], float] = time.time,
        data: Path | None = None,
        agent: bool = True,
        streaming: bool = True,
        team_id: str = "T000LOCAL",
        ack_within: float = 3.0,
        retries: Sequence[float] = (0.0, 60.0, 300.0),
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        mention_first: bool = True,
    ) -> None:
        pace = Pace(ack_within, retries, sleep, mention_first)
        self._workspace = workspace = Workspace(manifest, clock, data, agent, streaming, team_id, pace)
        self.work_objects = WorkObjects(workspace)
        more = admin.page_acts(workspace) | self.work_objects.acts()
        self._server = Server(workspace, {name: getattr(self, name) for name in ACTS} | more)
        self.team_id, self.app_id = workspace.team_id, workspace.app_id
        self.bot_user_id, self.bot_id = workspace.bot_user_id, workspace.bot_id
        self.bot_token, self.app_token = workspace.bot_token, workspace.app_token
        self.signing_secret = workspace.signing_secret

    # The server

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serves until stop(); port 0 takes a free one. What was not acknowledged before is sent again."""
        await self._server.start(host, port)

    async def stop(self) -> None:
        """Ends every connection at once; with `data`, a new LocalSlack goes on where this one stood."""
        await self._server.stop()

    @property
    def url(self) -> str:
        """The page, once it is started."""
        return self._workspace.url

    @property
    def api_url(self) -> str:
        """For AsyncWebClient(base_url=…)."""
        return f"{self.url}/api/"

    @property
    def request_url(self) -> str | None:
        """Where signed HTTP goes while no socket is connected."""
        return self._workspace.deliveries.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self._workspace.deliveries.request_url = url
        if url is not None:
            self._workspace.deliveries.arrived()

    @property
    def hints(self) -> list[str]:
        """What the page tells newcomers to try, one sentence each."""
        return self._workspace.hints

    @hints.setter
    def hints(self, hints: Sequence[str]) -> None:
        self._workspace.hints = list(hints)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ends the app's sockets as Slack does: warning (they stay), refresh_requested or link_disabled."""
        await self._workspace.deliveries.sockets.disconnect(reason)

    # The world

    def add_user(self, name: str, *, guest: bool = False, is_admin: bool = False, team_id: str | None = None) -> str:
        """A new person's id; another team_id makes a stranger, who is met in shared channels."""
        return admin.add_user(self._workspace, name, guest, is_admin, team_id or self.team_id)

    def add_channel(
        self, name: str, *, private: bool = False, shared: bool = False, members: Sequence[str] = ()
    ) -> str:
        """A new channel's id, with these people (and the bot, when it is among them) in it from the start."""
        return admin.add_channel(self._workspace, name, private, shared, tuple(members))

    def open_dm(self, user: str) -> str:
        """The id of this person's direct message with the bot."""
        return admin.open_dm(self._workspace, user)

    def invite(self, channel: str, user: str) -> None:
        """Adds a person or the bot (member_joined_channel); nothing happens when they are in already."""
        admin.invite(self._workspace, channel, user)

    def remove(self, channel: str, user: str) -> None:
        """Takes a person out (member_left_channel), or the bot (channel_left, group_left)."""
        admin.remove(self._workspace, channel, user)

    def change_channel_id(self, channel: str) -> str:
        """The channel's new id (channel_id_changed), as when it is shared; the old one is unknown from now on."""
        return admin.change_channel_id(self._workspace, channel)

    # Acts of people; each raises SlackRefuses with the sentence Slack shows

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        files: Sequence[Path | tuple[str, bytes]] = (),
    ) -> str:
        """Posts, and gives the message's ts. & < > and addresses arrive as Slack writes them; <@U…> is kept."""
        ts = people.say(self._workspace, user, channel, text, thread_ts, files)
        self._workspace.changed()
        return ts

    async def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        people.edit(self._workspace, user, channel, ts, text)
        self._workspace.changed()

    async def delete(self, user: str, channel: str, ts: str) -> None:
        people.delete(self._workspace, user, channel, ts)
        self._workspace.changed()

    async def home_opened(self, user: str, tab: str = "home") -> None:
        people.home_opened(self._workspace, user, tab)
        self._workspace.changed()

    async def stop_agent(self, user: str, channel: str, thread_ts: str) -> None:
        people.stop_agent(self._workspace, user, channel, thread_ts)
        self._workspace.changed()

    async def rename_agent(self, user: str, channel: str, thread_ts: str, title: str) -> None:
        people.rename_agent(self._workspace, user, channel, thread_ts, title)
        self._workspace.changed()

    async def command(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> None:
        """A slash command ("/link T-042"); returns when the app has acknowledged it."""
        await interactions.command(self._workspace, user, channel, text, thread_ts)

    async def message_shortcut(self, user: str, callback_id: str, channel: str, ts: str) -> None:
        await interactions.message_shortcut(self._workspace, user, callback_id, channel, ts)

    async def global_shortcut(self, user: str, callback_id: str) -> None:
        await interactions.global_shortcut(self._workspace, user, callback_id)

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str | None = None,
        selected: Any = None,
    ) -> None:
        """Uses a button or menu of a message, ephemeral ones included. value picks among buttons of one action_id;
        selected is an option's value, or a list of them, a user's id, a date …"""
        await interactions.click(self._workspace, user, channel, ts, action_id, block_id, value, selected)

    async def click_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str | None = None,
        selected: Any = None,
    ) -> None:
        """The same in a modal or home tab."""
        await modals.click(self._workspace, user, view_id, action_id, block_id, value, selected)

    async def submit(self, user: str, view_id: str, values: Json | None = None) -> Json:
        """Sends a modal and gives the app's response_action, applied: {} when it closed.

        values: {block_id: {action_id: a state as Slack writes it, or simply the text or the option's value}}.
        """
        return await modals.submit(self._workspace, user, view_id, values or {})

    async def close(self, user: str, view_id: str) -> None:
        await modals.close(self._workspace, user, view_id)

    async def options(
        self,
        user: str,
        action_id: str,
        query: str,
        *,
        view_id: str | None = None,
        block_id: str | None = None,
        channel: str | None = None,
        ts: str | None = None,
    ) -> list[Json]:
        """What an external select of a view or message offers for a query."""
        return await interactions.options(
            self._workspace,
            user,
            action_id,
            query,
            view_id=view_id,
            block_id=block_id,
            channel=channel,
            ts=ts,
        )

    # Looking

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """A channel's own messages, or a thread with its root; both oldest first, with metadata."""
        place = self._workspace.world.channels[channel]
        if thread_ts is None:
            return messages.top_level(self._workspace, place)
        found = self._workspace.world.messages[channel].get(thread_ts)
        return ([found] if found else []) + messages.replies_of(self._workspace, place, thread_ts)

    def ephemerals(self, user: str) -> list[Json]:
        """What only this person sees, oldest first; each with channel and, in a thread, thread_ts."""
        return [row for row in self._workspace.world.ephemerals.values() if row["for"] == user]

    def views(self, user: str) -> list[Json]:
        """This person's open modals, the top one last."""
        rows = self._workspace.world.views
        return [rows[view_id]["view"] for view_id in stack_of(self._workspace, user)]

    def home(self, user: str) -> Json | None:
        """This person's home tab, None before it is published."""
        row = self._workspace.world.homes.get(user)
        return row["view"] if row else None

    def agent_status(self, channel: str, thread_ts: str) -> str:
        """The status set with agents.sessions.setStatus, "" when there is none."""
        return session_status(self._workspace, channel, thread_ts)

    @property
    def calls(self) -> list[Call]:
        """Every Web API call, in the order of the answers."""
        return self._workspace.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Every sending of an event, command or interaction, retries included."""
        return self._workspace.deliveries.log

    async def until(self, predicate: Callable[["LocalSlack"], bool], timeout: float = 5) -> None:
        """Returns when predicate(self) is true; TimeoutError, with the last calls, when it does not become so."""
        if not await self._workspace.changes.until(lambda: bool(predicate(self)), timeout):
            last = [(call.method, call.answer.get("error", "ok")) for call in self.calls[-8:]]
            raise TimeoutError(f"not so within {timeout} s; the last calls were {last}")

    # Trouble

    def fail(
        self, method: str, error: str, *, times: int = 1, retry_after: int | None = None, after: bool = False
    ) -> None:
        """The next calls of a method answer this error; after=True does the work and breaks the connection."""
        self._workspace.faults.put(method, Fault(error, retry_after, after), times)

    def hold(self, method: str) -> None:
        """Calls of the method wait until release()."""
        self._workspace.faults.hold(method)

    def release(self, method: str) -> None:
        self._workspace.faults.release(method)

    def redeliver(self, which: int | Callable[[Delivery], bool]) -> asyncio.Task[None]:
        """Sends one of `deliveries` again as a retry: by its index, or the last one a callable is true for."""
        return self._workspace.deliveries.again(which)
