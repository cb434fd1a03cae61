"""A server of tools as the bot reaches it: in this process, or outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

from mcp import Client
from mcp.server import MCPServer
from mcp.types import CallToolResult, InputRequiredResult, InputResponses, RequestParamsMeta, Tool

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


@asynccontextmanager
async def in_process(name: str, server: MCPServer[Any]) -> AsyncIterator[Server]:
    """A server of ours; entered and left by the task that runs the turn."""
    async with Client(server) as client:
        yield InProcess(name, client)


class InProcess:
    """A server in this process, by its client."""

    outside = False

    def __init__(self, name: str, client: Client) -> None:
        self.name, self._client = name, client

    async def tools(self) -> Sequence[Tool]:
        """All of them, as the server lists them."""
        return (await self._client.list_tools()).tools

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
        return await self._client.session.call_tool(
            tool,
            dict(arguments),
            input_responses=answers,
            request_state=state,
            meta=cast(RequestParamsMeta, dict(meta)),
            allow_input_required=True,
        )
