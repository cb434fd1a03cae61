"""The tools that reach an agent: those its file allows of the servers there are, under the names the model knows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp.types import Tool

from bot.definitions.agents import INTERACTIONS_SERVER, RESOURCES_SERVER, TICKETS_SERVER, Agent
from bot.errors import BotError
from bot.mcp_servers.server import Server

log = logging.getLogger(__name__)
FILES_SERVER = "files"
LONGEST_NAME = 64  # of a tool, in the Messages API


@dataclass(frozen=True)
class Offered:
    """A tool as the model is offered it; `name` is what it calls, `tool` what the server calls it."""

    name: str
    server: Server
    tool: Tool

    @property
    def writes(self) -> bool:
        """Whether it may change something. What an outside server says of its own tools is not relied on."""
        effects = self.tool.annotations
        return self.server.outside or effects is None or effects.read_only_hint is not True

    @property
    def dangerous(self) -> bool:
        """More than tickets may change: every tool of an outside server, every write of agents and flows."""
        return self.server.outside or (self.server.name == RESOURCES_SERVER and self.writes)

    @property
    def asks_itself(self) -> bool:
        """It does nothing but speak to people."""
        return self.server.name == INTERACTIONS_SERVER

    @property
    def of_tickets(self) -> bool:
        """Whether it reads and changes tickets."""
        return self.server.name == TICKETS_SERVER

    @property
    def repeatable(self) -> bool:
        """Whether a call that may have been made already may be made again."""
        effects = self.tool.annotations
        declared = effects is not None and bool(effects.read_only_hint or effects.idempotent_hint)
        return not self.server.outside or declared

    def for_model(self) -> dict[str, Any]:
        """As the Messages API takes it."""
        return {
            "name": self.name,
            "description": self.tool.description or "",
            "input_schema": self.tool.input_schema,
        }


@dataclass(frozen=True)
class Toolbox:
    """What an agent works with. `missing` are names in its file that nobody offers, `down` why servers are away."""

    tools: Mapping[str, Offered]
    missing: tuple[str, ...] = ()
    down: tuple[str, ...] = ()

    def for_model(self) -> list[dict[str, Any]]:
        """All tools as the Messages API takes them, in an order that stays."""
        return [offered.for_model() for offered in self.tools.values()]


async def toolbox(agent: Agent, servers: Sequence[Server]) -> Toolbox:
    """The tools of those servers that the agent's file names (or, where it names none, of the bot's everyday ones).

    All are asked at once: the slowest says how long it takes.
    """
    chosen = [server for server in servers if _serves(agent, server)]
    tools: dict[str, Offered] = {}
    down: list[str] = []
    for server, listed in zip(chosen, await asyncio.gather(*map(_listed, chosen)), strict=True):
        if isinstance(listed, str):
            down.append(listed)
            continue
        for tool in listed:
            offered = Offered(model_name(server, tool), server, tool)
            if len(offered.name) > LONGEST_NAME:
                log.warning("the tool %s of %s has too long a name and is left out", tool.name[:80], server.name)
            elif allowed(agent, server, tool, listed):
                tools.setdefault(offered.name, offered)
    return Toolbox(tools, _missing(agent, servers, tools), tuple(down))


async def _listed(server: Server) -> Sequence[Tool] | str:
    """The server's tools, or why there are none; no server takes another with it."""
    try:
        return await server.tools()
    except BotError as error:
        return error.text
    except Exception:
        log.exception("the MCP server %s could not list its tools", server.name)
        return f"The MCP server {server.name} is not available: it could not list its tools; the bot's log says why."


def model_name(server: Server, tool: Tool) -> str:
    """What the model calls it."""
    return tool.name if server.name == FILES_SERVER else f"mcp__{server.name}__{tool.name}"


def allowed(agent: Agent, server: Server, tool: Tool, others: Sequence[Tool]) -> bool:
    """Whether the agent's file lets the tool through.

    A list that names tools of a server means these alone; one that names none of them leaves the server as it is,
    since naming it under mcpServers is what allows it. Read, Glob and Grep belong to no server that could be named.
    """
    if _in(agent.denied_tools, server, tool):
        return False
    if agent.allowed_tools is None or _in(agent.allowed_tools, server, tool):
        return True
    return server.name != FILES_SERVER and not any(_in(agent.allowed_tools, server, other) for other in others)


def _serves(agent: Agent, server: Server) -> bool:
    if server.name == FILES_SERVER:
        return True
    if agent.mcp_servers is None:
        return server.name in (TICKETS_SERVER, INTERACTIONS_SERVER)
    return server.name in agent.mcp_servers


def _in(names: Sequence[str], server: Server, tool: Tool) -> bool:
    own = {tool.name, model_name(server, tool), f"mcp__{server.name}__{tool.name}", f"mcp__{server.name}__*"}
    return any(name in own or name.partition(":")[0].partition("(")[0] in own for name in names)


def _missing(agent: Agent, servers: Sequence[Server], tools: Mapping[str, Offered]) -> tuple[str, ...]:
    """What the file names and the agent does not have."""
    have = {name for offered in tools.values() for name in (offered.name, offered.tool.name, offered.server.name)}
    have |= {server.name for server in servers}
    wanted = [*(agent.mcp_servers or ()), *(agent.allowed_tools or ())]
    names = (name.partition(":")[0].partition("(")[0].strip() for name in wanted)
    return tuple(dict.fromkeys(name for name in names if name and name not in have and not name.startswith("mcp__")))
