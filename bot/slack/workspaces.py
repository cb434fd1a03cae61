"""The ticket workspaces of a company: which one a channel, a person or a session works in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from bot.definitions.agents import DEFAULT_AGENT, Agent, Agents
from bot.errors import WorkspaceUnknown
from bot.tickets.store import TicketStore

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workspace:
    """A folder with .sciorex/ in it, under the name by which sessions remember it. `channels` are ids of Slack's."""

    name: str
    folder: Path
    store: TicketStore
    agents: Callable[[], Agents]
    files: ThreadPoolExecutor
    channels: tuple[str, ...] = ()

    async def in_store(self, fn: Callable[[TicketStore], T]) -> T:
        """Runs fn(store) beside the event loop: ticket files are read and written in threads of their own."""
        return await asyncio.get_running_loop().run_in_executor(self.files, fn, self.store)

    async def in_files(self, fn: Callable[[], T]) -> T:
        """Runs fn() in those threads, for other files of the folder."""
        return await asyncio.get_running_loop().run_in_executor(self.files, fn)

    def offered(self) -> Agents:
        """The agents that a thread can choose, as their files stand now; the built-in one among them."""
        found = self.agents()
        return replace(found, by_id={DEFAULT_AGENT.id: DEFAULT_AGENT, **found.by_id})

    def agent(self, agent_id: str) -> Agent:
        """The agent of this id as its file stands now; the built-in one where no file defines it."""
        return self.agents().get(agent_id) or DEFAULT_AGENT


class Workspaces:
    """Every workspace that the settings name; the default one is for places that none of them names."""

    def __init__(self, workspaces: Sequence[Workspace], default: str) -> None:
        self._by_name = {workspace.name: workspace for workspace in workspaces}
        self._of_channel = {channel: workspace for workspace in workspaces for channel in workspace.channels}
        self.default = self._by_name[default]

    def __iter__(self) -> Iterator[Workspace]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def names(self) -> list[str]:
        """The names of all, in the order of the settings."""
        return list(self._by_name)

    def find(self, name: str) -> Workspace | None:
        """The workspace of this name, if the settings have it (still)."""
        return self._by_name.get(name)

    def named(self, name: str) -> Workspace:
        """The workspace of this name; raises WorkspaceUnknown."""
        found = self.find(name)
        if found is None:
            raise WorkspaceUnknown(name)
        return found

    def of_channel(self, channel: str) -> Workspace | None:
        """The workspace that the settings give to this channel, if they name it."""
        return self._of_channel.get(channel)

    def warn_of_move(self, old: str, new: str) -> None:
        """Says in the log which setting to change when a channel that the settings name has another id."""
        workspace = self.of_channel(old)
        if workspace and not self.of_channel(new):
            log.warning(
                "the channel %s has the id %s now: change workspaces.%s.channels in the file of SCIOREX_CONFIG "
                "(until then the old id counts for it)",
                old,
                new,
                workspace.name,
            )
