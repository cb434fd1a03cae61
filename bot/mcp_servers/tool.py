"""A tool as the server runs it: arguments looked at first, failures told with what to do next, a compact answer."""

import functools
import json
from collections.abc import Callable
from types import MethodType
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools.base import Tool
from mcp.types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ValidationError

from bot.errors import BotError, EditConflict, EditRefused, TicketNotFound, TicketUnreadable, WorkspaceUnavailable
from bot.mcp_servers.answers import Write
from bot.mcp_servers.arguments import refusal, wrong_types
from bot.mcp_servers.caller import MOVED
from bot.mcp_servers.schema import lean

ASK_AGAIN = "Something went wrong in {}, and it was not this call's fault. Tell the person; the server's log says more."


class TicketTool(Tool):
    """A tool that gives a pydantic model, or a text. Its method's docstring is written for the model."""

    @classmethod
    def of(
        cls, method: Callable[..., object], effects: ToolAnnotations, *, typed: bool = True, name: str = ""
    ) -> "TicketTool":
        """The tool that a method of the same name (without `sciorex_`) does, unless it has a `name` of its own.

        Clients check what a `typed` one answers against its schema: the bot's own agent need not, and pays for it at
        each turn."""
        assert isinstance(method, MethodType)
        shape = _shape(method.__func__, name or f"sciorex_{method.__name__}", typed)
        return shape.model_copy(update={"fn": method, "annotations": effects})

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """Runs it. Every failure is a ToolError whose text is for the model; what nobody expected stays in the log."""
        if wrong := refusal(self.name, arguments, list(self.parameters.get("properties", {}))):
            raise ToolError(wrong)
        try:
            checked = self.fn_metadata.validate_arguments(arguments)
        except ValidationError as error:
            raise ToolError(wrong_types(self.name, error)) from error
        more = {self.context_kwarg: context} if self.context_kwarg else {}
        try:
            result = await self.fn_metadata.call_fn(self.fn, self.is_async, checked, more)
            return _answer(result) if convert_result else result
        except BotError as error:
            raise ToolError(" ".join(filter(None, (error.text, _advice(error))))) from error
        except Exception as error:
            raise UnexpectedToolError(ASK_AGAIN.format(self.name)) from error


@functools.cache
def _shape(function: Callable[..., object], name: str, typed: bool) -> TicketTool:
    """What the model is shown of a tool; made once a process, for pydantic takes its time (a server is made a turn)."""
    described = " ".join((function.__doc__ or "").split())
    bound = MethodType(function, object())
    tool = TicketTool.from_function(bound, name=name, description=described)
    assert isinstance(tool, TicketTool)
    tool.parameters = lean(tool.parameters)
    tool.fn_metadata.output_schema = lean(tool.fn_metadata.output_schema or {}) if typed else None
    return tool


def _answer(result: BaseModel | str) -> CallToolResult | InputRequiredResult:
    """The result both ways: as values, and as the text that models read, without the blanks they would pay for."""
    if isinstance(result, InputRequiredResult):
        return result
    if isinstance(result, str):
        return CallToolResult(content=[TextContent(type="text", text=result)])
    values = result.model_dump(mode="json")
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    whole = CallToolResult(content=[TextContent(type="text", text=text)], structured_content=values)
    moved = result.moved if isinstance(result, Write) else None
    return whole.model_copy(update={"meta": {MOVED: list(moved)}}) if moved else whole


def _advice(error: BotError) -> str:
    if isinstance(error, TicketNotFound):
        return "Use sciorex_search_tickets to find it."
    if isinstance(error, EditConflict):
        return "Call sciorex_get_ticket again first."
    if isinstance(error, TicketUnreadable | EditRefused):
        return "Tell the person; do not try again unchanged."
    if isinstance(error, WorkspaceUnavailable):
        return "Tell the person."
    return ""
