"""The sciorex-tickets MCP server: tickets and epics of one workspace, for the bot's agents and any MCP client."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools.base import Tool
from mcp.types import ToolAnnotations

from bot.errors import BotError, EditRefused, TicketNotFound, TicketUnreadable, WorkspaceUnavailable
from bot.mcp_servers.epic_tools import EpicTools
from bot.mcp_servers.ticket_reads import TicketReads
from bot.mcp_servers.ticket_writes import TicketWrites
from bot.tickets.store import TicketStore

NAME = "sciorex-tickets"
INSTRUCTIONS = "Tickets are named by id, such as T-042, in any spelling. Search before creating a ticket."

P = ParamSpec("P")
R = TypeVar("R")

_READ = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_ADD = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)
_SET = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_OVERWRITE = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)


@dataclass(frozen=True)
class _Offer:
    """A tool, what a client is told of its effects, and whether a small server has it too."""

    function: Callable[..., object]
    effects: ToolAnnotations
    core: bool = False


def ticket_server(store: TicketStore, *, core: bool = False) -> MCPServer:
    """A server with all tools on tickets, or with `core` the few that most work needs.

    Names and parameters are those of Sciorex's own server. The `_meta` of a call may say `sciorex/op`,
    `sciorex/actor` ({type, id, onBehalfOf}) and `sciorex/linkedTicket`. Tools run in worker threads.
    """
    tools = [_tool(offer) for offer in _offers(store) if offer.core or not core]
    return MCPServer(NAME, instructions=INSTRUCTIONS, tools=tools, log_level="WARNING")


def _offers(store: TicketStore) -> Iterator[_Offer]:
    reads, writes, epics = TicketReads(store), TicketWrites(store), EpicTools(store)
    yield _Offer(reads.get_ticket, _READ, core=True)
    yield _Offer(reads.list_tickets, _READ, core=True)
    yield _Offer(reads.search_tickets, _READ, core=True)
    yield _Offer(writes.create_ticket, _ADD, core=True)
    yield _Offer(writes.update_ticket, _OVERWRITE)
    yield _Offer(writes.change_status, _SET, core=True)
    yield _Offer(reads.list_subtasks, _READ)
    yield _Offer(writes.add_subtask, _ADD)
    yield _Offer(writes.update_subtask, _SET, core=True)
    yield _Offer(writes.complete_subtask, _SET, core=True)
    yield _Offer(writes.add_comment, _ADD, core=True)
    yield _Offer(writes.report_progress, _ADD)
    yield _Offer(reads.get_ready_tickets, _READ)
    yield _Offer(reads.get_blocked_tickets, _READ)
    yield _Offer(writes.add_blocker, _SET)
    yield _Offer(writes.remove_blocker, _SET)
    yield _Offer(epics.create_epic, _ADD)
    yield _Offer(epics.get_epic, _READ)
    yield _Offer(epics.list_epics, _READ)
    yield _Offer(epics.update_epic, _OVERWRITE)


def _tool(offer: _Offer) -> Tool:
    name = f"sciorex_{getattr(offer.function, '__name__', '')}"
    described = " ".join((offer.function.__doc__ or "").split())
    tool = Tool.from_function(_told(offer.function), name=name, description=described, annotations=offer.effects)
    # What a model need not read: a title that repeats the name, and a default that says nothing.
    tool.parameters.pop("title", None)
    for parameter in tool.parameters.get("properties", {}).values():
        parameter.pop("title", None)
        if parameter.get("default", "") is None:
            del parameter["default"]
    return tool


def _told(function: Callable[P, R]) -> Callable[P, R]:
    """A failure that can be expected is told to the model, with what to do next."""

    @functools.wraps(function)
    def telling(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BotError as error:
            raise ToolError(" ".join(filter(None, (error.text, _advice(error))))) from error

    return telling


def _advice(error: BotError) -> str:
    if isinstance(error, TicketNotFound):
        return "Use sciorex_search_tickets to find it."
    if isinstance(error, TicketUnreadable | EditRefused | WorkspaceUnavailable):
        return "Tell the person; do not try again unchanged."
    return ""
