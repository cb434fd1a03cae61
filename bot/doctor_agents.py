"""What `doctor` looks at of agents: their files, their tools, outside MCP servers, and who may decide what.

Each check is what was looked at, and what is wrong with how to mend it (None where nothing is).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bot.errors import BotError
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.agent.toolbox import Toolbox
    from bot.definitions.agents import Agent, Agents

Found: TypeAlias = tuple[str, str | None]
READ = "Read"
PEOPLE = {"asker": "whoever asked the agent", "members": "full members"}


async def outside_servers(settings: Settings) -> AsyncIterator[Found]:
    """Starts or reaches each server that the settings name, one after the other, and lists its tools."""
    from bot.mcp_servers.outside import OutsideServers
    from bot.mcp_servers.outside_failures import ServerDown

    servers = OutsideServers(settings.servers)
    try:
        for name in sorted(settings.servers):
            server = servers.get(name)
            assert server is not None
            problem, tools = None, 0
            try:
                tools = len(await server.tools())
            except ServerDown as down:
                problem = f"{down.cause}; {down.mend}" if down.mend else down.cause
            except BotError as error:
                problem = error.text
            if problem is None and not tools:
                problem = "it has no tools that a model can be given; the log says why"
            count = f"{tools} tool{'' if tools == 1 else 's'}"
            yield (f"The outside MCP server {name} starts" + (f" and has {count}" if tools else ""), problem)
    finally:
        await servers.close()


async def agents_of_workspace(folder: Path, settings: Settings) -> AsyncIterator[Found]:
    """The agents' and flows' files of a workspace, and what the tools of its agents are."""
    from bot.definitions.agents import DEFAULT_AGENT, read_agents
    from bot.definitions.flows import read_flows

    agents = read_agents(folder)
    unreadable = [*agents.problems, *read_flows(folder).problems]
    for problem in unreadable:
        yield "A file of an agent or flow", problem.text
    if not unreadable:
        yield "Every file of an agent or flow can be read", None
    for found in await tools_of_agents(folder, agents):
        yield found
    everybody = [DEFAULT_AGENT, *agents.by_id.values()]
    for found in _nobody_offers(everybody, settings):
        yield found
    for found in _begun_with(agents, folder, settings):
        yield found


async def tools_of_agents(folder: Path, agents: Agents | None = None) -> list[Found]:
    """Which agents can read files, and which can work on tickets."""
    from bot.definitions.agents import DEFAULT_AGENT, read_agents

    known = agents or read_agents(folder)
    boxes = await _toolboxes(folder, {DEFAULT_AGENT.id: DEFAULT_AGENT, **known.by_id})
    has_read = {agent_id: READ in box.tools for agent_id, box in boxes.items()}
    has_tickets = {agent_id: any(one.of_tickets for one in box.tools.values()) for agent_id, box in boxes.items()}
    return [
        _who(f"the {READ} tool enabled", has_read, f"allowedTools: {READ}"),
        _who("sciorex-tickets configured", has_tickets, "mcpServers: sciorex-tickets"),
    ]


def permissions(settings: Settings) -> Iterator[Found]:
    """Who decides on what agents want to do, and who may let them do more. Nothing here is wrong in itself."""
    from bot.agent.permissions import Mode

    access = settings.access
    yield f"Approvals are given by: {_people(access.approvers)} (a question stays open {access.days:g} days)", None
    yield f"Sessions begin in the mode: {Mode(access.mode).words}", None
    may = "; ".join(f"{mode.words}: {_people(getattr(access.modes, mode.value))}" for mode in Mode)
    yield f"Modes are chosen by: {may}", None


def cost_limits(folders: Sequence[Path], settings: Settings) -> Iterator[Found]:
    """Where limits in dollars are set: whether they count every model of the workspaces' agents (only priced ones do).

    Nothing is said where no such limit is set.
    """
    from bot.agent.prices import price_of
    from bot.definitions.agents import read_agents

    limited = [name for name, limit in settings.limits if limit.cost is not None]
    if not limited:
        return
    named = {agent.model for folder in folders for agent in read_agents(folder).by_id.values() if agent.model}
    unpriced = [model for model in sorted({settings.anthropic_model, *named}) if not price_of(settings.prices, model)]
    names = ", ".join(model[:60] for model in unpriced)
    problem = f"no price for {names}, so these limits do not count what it costs" if unpriced else None
    mend = "; give prices in SCIOREX_CONFIG, or set limits on tokens as well"
    yield f"Limits on cost ({', '.join(limited)}) count every model in use", problem and problem + mend


async def _toolboxes(folder: Path, agents: Mapping[str, Agent]) -> dict[str, Toolbox]:
    """What each agent would be given in a turn, outside servers left aside."""
    from bot.agent.toolbox import FILES_SERVER, toolbox
    from bot.definitions.agents import TICKETS_SERVER
    from bot.mcp_servers.files import files_server
    from bot.mcp_servers.server import InProcess
    from bot.mcp_servers.tickets import ticket_server
    from bot.tickets.store import TicketStore

    ours = {TICKETS_SERVER: ticket_server(TicketStore(folder)), FILES_SERVER: files_server(folder, private=())}
    servers = [InProcess(name, server) for name, server in ours.items()]
    return {agent_id: await toolbox(agent, servers) for agent_id, agent in agents.items()}


def _who(what: str, has: Mapping[str, bool], line: str) -> Found:
    """Which agents have something: no fault of those that have it not, for their files may mean it so."""
    with_it, without = [one for one, yes in has.items() if yes], [one for one, yes in has.items() if not yes]
    rest = f"; not: {', '.join(sorted(without))} (their files would need {line})" if without else ""
    return f"Agents with {what}: {', '.join(sorted(with_it)) or 'none'}{rest}", None


def _nobody_offers(agents: Sequence[Agent], settings: Settings) -> Iterator[Found]:
    """The servers that agents name, and neither the bot nor the settings have."""
    from bot.config_sections import OURS

    wanted: dict[str, list[str]] = {}
    for agent in agents:
        for name in agent.mcp_servers or ():
            if name not in OURS and name not in settings.servers:
                wanted.setdefault(name, []).append(agent.id)
    for name, by in sorted(wanted.items()):
        mend = "name it in SCIOREX_CONFIG under servers, or take it out of the agents' files"
        yield f"The MCP server {name[:60]} that agents name ({', '.join(sorted(by))})", f"nobody offers it; {mend}"
    if not wanted:
        yield "Every MCP server that agents name is offered", None


def _begun_with(agents: Agents, folder: Path, settings: Settings) -> Iterator[Found]:
    """The agents with which the settings have sessions begin: everywhere, and in channels of this workspace."""
    from bot.definitions.finding import find_agent

    wanted = {"": settings.agents.default, **settings.agents.channels}
    for channel, name in wanted.items():
        if name is None or (channel and not _is_in(channel, folder, settings)):
            continue
        what = f"Sessions{f' in {channel}' if channel else ''} begin with the agent {name}"
        try:
            find_agent(agents, name)
        except BotError as error:
            key = f"agents.channels.{channel}" if channel else "agents.default"
            yield what, f"{error.text} Mend {key} in SCIOREX_CONFIG"
        else:
            yield what, None


def _is_in(channel: str, folder: Path, settings: Settings) -> bool:
    """Whether the channel's tickets and agents are those of the workspace in this folder."""
    entries = settings.ticket_workspaces
    own = next((entry for entry in entries if channel in entry.channels), settings.default_workspace)
    return len(entries) == 1 or own.folder == folder


def _people(people: Sequence[str]) -> str:
    return ", ".join(PEOPLE.get(one, one) for one in people) or "nobody"
