"""The agent's loop: asks the model, runs the tools it asks for, saves each step before the next.

run_turn starts from saved rows: a first run, a restart after a crash and a turn taken up later are one path.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from mcp import Client
from mcp.server import MCPServer
from mcp.types import RequestParamsMeta, TextContent

from bot.agent.lines import Lines, lines_of
from bot.agent.model import Model, Reply
from bot.agent.prompt import (
    request_messages,
    system_blocks,
)
from bot.agent.reads import Context, GetContext, known, receipt_of
from bot.definitions.agents import TICKETS_SERVER, Agent
from bot.errors import AgentUnavailable
from bot.inbox.claim import Claim
from bot.mcp_servers.caller import OP, READ
from bot.mcp_servers.reads import read_in
from bot.sessions import transcript
from bot.sessions.transcript import Step, ToolCall, Turn

MOST_STEPS = 24
MAX_TOKENS = 8_000
PREFIX = f"mcp__{TICKETS_SERVER}__"
TOO_MANY_STEPS = f"I stopped after {MOST_STEPS} steps. Tell me to go on, if I should."


class Show(Protocol):
    """Draws what happens while it happens. It may be lost at any moment: the saved steps decide."""

    async def started(self) -> None: ...
    async def text(self, piece: str) -> None: ...
    async def again(self, steps: Sequence[Step]) -> None: ...
    async def tool(self, call: ToolCall) -> None: ...


@dataclass(frozen=True)
class Setting:
    """What a turn works with: the agent, the model, the tools' server, and the linked ticket for this turn.

    `context` reads the linked ticket afresh (None without one); `acting` is what goes into each call's _meta.
    """

    agent: Agent
    model: Model
    tools: Client
    context: GetContext
    acting: dict[str, Any]
    now_ms: Callable[[], int]
    catch_up: Callable[[], Awaitable[None]]  # edits and deletions that came meanwhile


@dataclass(frozen=True)
class Outcome:
    """How a turn ended, or that it stopped on the way: answered, stopped or failed; `error` for the person."""

    state: str
    error: str | None = None


def tools_of(server: MCPServer) -> Client:
    """A connection to a server in this process; entered and left by the task that runs the turn."""
    return Client(server)


async def run_turn(claim: Claim, turn: Turn, setting: Setting, show: Show) -> Outcome:
    """Runs the turn from where its rows stand to its end."""
    await show.started()
    work = asyncio.ensure_future(_loop(claim, turn, setting, show))
    stopped = asyncio.ensure_future(claim.stop.wait())
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            return Outcome("stopped")
        return work.result()
    except AgentUnavailable as error:
        return Outcome("failed", error.text)
    finally:
        work.cancel()
        stopped.cancel()


async def _loop(claim: Claim, turn: Turn, setting: Setting, show: Show) -> Outcome:
    tools = [_offered(tool) for tool in (await setting.tools.list_tools()).tools]
    while True:
        await setting.catch_up()
        lines = await claim.read(lambda c: lines_of(c, turn))
        last = lines.steps[-1]
        if last.role == "assistant" and not last.calls:
            return Outcome("answered")
        if not lines.asked:
            return Outcome("stopped")  # everything that was asked has been deleted
        if unrun := [call for call in last.calls if call.state in ("planned", "started")]:
            read = known(lines.receipt, lines.steps)
            for call in unrun:
                read |= read_in(await _run_tool(claim, call, read, setting, show))
            continue
        if len(lines.steps) > MOST_STEPS:
            return Outcome("failed", TOO_MANY_STEPS)
        context = await setting.context()
        reply = await _ask(lines, context, setting, tools, show)
        await setting.catch_up()
        if not (await claim.read(lambda c: lines_of(c, turn))).asked:
            return Outcome("stopped")  # what was deleted meanwhile is not answered
        save = functools.partial(_save, turn=turn, reply=reply, context=context, setting=setting)
        await claim.write("save step", save)


async def _ask(
    lines: Lines, context: Context | None, setting: Setting, tools: list[dict[str, Any]], show: Show
) -> Reply:
    return await setting.model.ask(
        model=setting.agent.model,
        system=system_blocks(setting.agent),
        tools=tools,
        messages=request_messages(lines.all, context.text if context else None),
        max_tokens=setting.agent.max_tokens or MAX_TOKENS,
        on_text=show.text,
        on_restart=lambda: show.again(lines.steps),
    )


async def _run_tool(claim: Claim, call: ToolCall, read: Mapping[str, str], setting: Setting, show: Show) -> str:
    """One tool call, and its result; its op makes a second run of the same call change nothing (durability)."""
    await claim.write("tool started", lambda c: transcript.start_tool(c, call.op, setting.now_ms()))
    await show.tool(call)
    result, failed = await _call(call, read, setting)
    await claim.write(
        "tool result",
        lambda c: transcript.save_result(c, call.op, result, is_error=failed, now_ms=setting.now_ms()),
    )
    await show.tool(_with_result(call, result, failed))
    return result


async def _call(call: ToolCall, read: Mapping[str, str], setting: Setting) -> tuple[str, bool]:
    if not call.name.startswith(PREFIX):
        return f"There is no tool {call.name} here.", True
    name = call.name.removeprefix(PREFIX)
    meta = cast(RequestParamsMeta, {**setting.acting, OP: call.op, READ: dict(read)})
    answer = await setting.tools.call_tool(name, dict(call.input), meta=meta)
    texts = [part.text for part in answer.content if isinstance(part, TextContent)]
    return "\n".join(texts) or json.dumps(answer.structured_content or {}), bool(answer.is_error)


def _save(connection: Any, *, turn: Turn, reply: Reply, context: Context | None, setting: Setting) -> Step:
    return transcript.save_answer(
        connection,
        turn,
        reply.content,
        stop_reason=reply.stop_reason,
        usage=reply.usage | ({"note": reply.note} if reply.note else {}),
        model=reply.model,
        now_ms=setting.now_ms(),
        receipt=receipt_of(context),
    )


def _offered(tool: Any) -> dict[str, Any]:
    return {"name": PREFIX + tool.name, "description": tool.description or "", "input_schema": tool.input_schema}


def _with_result(call: ToolCall, result: str, failed: bool) -> ToolCall:
    return ToolCall(
        call.op, call.tool_use_id, call.name, call.input, "done", result, failed, call.started_ms, call.ended_ms
    )
