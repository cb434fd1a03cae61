"""A server of tools as the bot reaches it: in this process, or outside."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from mcp.server import MCPServer
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.session import ServerSession
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    InputResponses,
    RequestParamsMeta,
    TextContent,
    Tool,
)
from mcp.types.version import LATEST_MODERN_VERSION

log = logging.getLogger(__name__)

UNKNOWN = "sciorex/unknown"  # in the meta of a result: nobody can tell whether the call was done


class Server(Protocol):
    """Tools under the name by which agents' files know them; `outside` ones belong to somebody else.

    `call` gives an InputRequiredResult where a person must answer first: the same call is made again with `answers`
    (and the result's `request_state`), perhaps days later and by another process. What is expected to fail (the server
    is down, the call was cut off) comes back as a CallToolResult with is_error and a sentence for the model, and with
    UNKNOWN in its meta where it may have been done.
    """

    @property
    def name(self) -> str: ...

    @property
    def outside(self) -> bool: ...

    async def tools(self) -> Sequence[Tool]: ...

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        meta: Mapping[str, Any],
        answers: InputResponses | None = None,
        state: str | None = None,
    ) -> CallToolResult | InputRequiredResult: ...


class InProcess:
    """A server of ours, reached without a client and its session: a turn begins and ends with none to open or close.

    Its tools speak to nobody but by their results, and know of a request what `_meta` says. Who cancels a call ends it
    at once: nothing stands between.
    """

    outside = False

    def __init__(self, name: str, server: MCPServer[Any]) -> None:
        self.name, self._server = name, server

    async def tools(self) -> Sequence[Tool]:
        """All of them, as the server lists them."""
        return await self._server.list_tools()

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        meta: Mapping[str, Any],
        answers: InputResponses | None = None,
        state: str | None = None,
    ) -> CallToolResult | InputRequiredResult:
        """As Server.call."""
        given = CallToolRequestParams(
            name=tool, arguments=dict(arguments), input_responses=answers, request_state=state
        )
        request = ServerRequestContext(
            session=cast(ServerSession, None),
            lifespan_context=None,
            protocol_version=LATEST_MODERN_VERSION,
            method="tools/call",
            params={"name": tool, "arguments": given.arguments},
            meta=cast(RequestParamsMeta, dict(meta)),
        )
        context = Context(request_context=request, mcp_server=self._server, input_params=given)
        try:
            return await self._server.call_tool(tool, dict(arguments), context)
        except ToolError as error:
            if isinstance(error, UnexpectedToolError):
                log.exception("the tool %s failed", tool)
            return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
