"""A server of ours in this process whose tools need nothing of a session: reached without a client, for less."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.types import CallToolResult, InputRequiredResult, InputResponses, TextContent, Tool

log = logging.getLogger(__name__)


class Direct:
    """As server.Server. Who cancels a call ends it at once: nothing stands between."""

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
        """As Server.call; these tools ask nobody, and are not told who calls."""
        try:
            return await self._server.call_tool(tool, dict(arguments))
        except ToolError as error:
            if isinstance(error, UnexpectedToolError):
                log.exception("the tool %s failed", tool)
            return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
