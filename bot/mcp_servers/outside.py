"""The MCP servers that the operator's settings name: started or reached when first needed, with tools for agents."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.types import (
    CONNECTION_CLOSED,
    PARSE_ERROR,
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    InputRequiredResult,
    InputResponses,
    Tool,
)
from pydantic import ValidationError

from bot.config_sections import ServerEntry
from bot.errors import BotError
from bot.mcp_servers import outside_questions
from bot.mcp_servers.outside_connection import Connection
from bot.mcp_servers.outside_failures import CUT_OFF, FORGOTTEN, REFUSED, UNREACHABLE, ServerDown
from bot.mcp_servers.outside_questions import Answers
from bot.mcp_servers.outside_tools import MOST_TOOLS, bounded, clean, failed, usable
from bot.mcp_servers.server import Server

log = logging.getLogger(__name__)
T = TypeVar("T")
LOOK_FIRST = "It may have been done or not: look before you do it again."
TOO_LATE = (
    "It may have forgotten what it had asked a person before they answered. Call the tool again where it matters: they "
    "are asked again."
)
POLL_SECONDS = 0.25
DECLINED = (
    "(While this ran, the server wanted to ask a person something{what}. It was declined: in the middle of a call an "
    "answer cannot be waited for. Where it matters, ask the person yourself.)"
)


class OutsideServers:
    """All of them, by name; nothing is started before an agent needs it."""

    def __init__(self, entries: Mapping[str, ServerEntry], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._servers = {name: OutsideServer(name, entries[name], clock) for name in sorted(entries)}

    def get(self, name: str) -> Server | None:
        """The server that the settings call so, None where they name none."""
        return self._servers.get(name)

    def all(self) -> tuple[Server, ...]:
        """Every server of the settings, by name."""
        return tuple(self._servers.values())

    async def close(self) -> None:
        """Leaves all connections; processes that were started are gone when this returns."""
        await asyncio.gather(*(server.close() for server in self._servers.values()))


class _Cut(Exception):
    """A call to which there is no answer; `again`: the server may be asked once more, where that is safe. `down`: it
    was, and could not be reached any more."""

    def __init__(self, text: str, *, again: bool, never_ran: bool = False, down: BotError | None = None) -> None:
        super().__init__(text)
        self.again, self.never_ran, self.down = again, never_ran, down


class OutsideServer:
    """One of them, as Server. Calls run side by side; each ends at the timeout that the settings give the server."""

    outside = True

    def __init__(self, name: str, entry: ServerEntry, clock: Callable[[], float]) -> None:
        self.name, self._entry = name, entry
        self._connection = Connection(name, entry, self._declines, clock)
        self._safe: frozenset[str] = frozenset()  # tools that are declared safe to call twice
        self._told: set[str] = set()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._wanted: dict[object, list[str]] = {}  # for each call under way, what was declined meanwhile
        self._answered = 0.0

    async def tools(self) -> Sequence[Tool]:
        """Those that can be offered, by name. Raises BotError when the server cannot be used."""
        try:
            listed = await self._twice(self._pages, again=True)
        except _Cut as cut:
            raise cut.down or ServerDown(self.name, str(cut), "see the log") from None
        found: dict[str, Tool] = {}
        for tool in listed[:MOST_TOOLS]:
            try:
                found.setdefault(tool.name, usable(tool))
            except ValueError as error:
                self._left_out(tool.name, str(error))
        if len(listed) > MOST_TOOLS:
            self._left_out("", f"it has more than {MOST_TOOLS} tools")
        self._safe = frozenset(name for name, tool in found.items() if _declared_safe(tool))
        return [found[name] for name in sorted(found)]

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        meta: Mapping[str, Any],
        answers: InputResponses | None = None,
        state: str | None = None,
    ) -> CallToolResult | InputRequiredResult:
        """As Server.call. `meta`, which says who acts where, stays with the bot."""
        stands = outside_questions.resumed(answers, state)
        if stands.left:
            return stands.ask()
        this = object()
        wanted = self._wanted[this] = []
        try:
            made = lambda client: _called(client, tool, arguments, stands)  # noqa: E731
            result = await self._twice(made, again=tool in self._safe)
        except _Cut as cut:
            if cut.never_ran:
                return failed(f"{self.name}: {cut}. It was not done.")
            return failed(f"{self.name}: {cut}. {LOOK_FIRST}", unknown=True)
        except BotError as error:
            late = f" {TOO_LATE}" if stands.state is not None else ""
            return failed(f"Not done. {error.text}{late}")
        finally:
            del self._wanted[this]
        if isinstance(result, CallToolResult):
            return bounded(result, "\n".join(wanted))
        try:
            return outside_questions.questions_in(result).ask()
        except ValueError as error:
            return failed(f"{self.name} did not go on, since {error}.")

    async def close(self) -> None:
        """Leaves the connection."""
        await self._connection.close()

    async def _twice(self, made: Callable[[Client], Coroutine[Any, Any, T]], *, again: bool) -> T:
        """Asks the server; once more where it has certainly done nothing, or where `again` says that this is safe."""
        try:
            return await self._once(made)
        except _Cut as cut:
            if not cut.again or not (again or cut.never_ran):
                raise
            first = cut
        try:
            return await self._once(made)
        except _Cut as cut:
            cut.never_ran = cut.never_ran and first.never_ran
            raise
        except BotError as error:
            if first.never_ran:
                raise
            raise _Cut(str(first), again=False, down=error) from error

    async def _once(self, made: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        client = await self._connection.client()
        begun, task = time.monotonic(), asyncio.create_task(made(client))
        self._under_way.add(task)
        task.add_done_callback(self._over)
        try:
            await asyncio.wait({task}, timeout=self._entry.timeout)
        finally:
            if not (in_time := task.done()):
                task.cancel()  # which tells the server; nobody waits till that is out
        if not in_time:
            self._hangs(task, begun)
            raise _Cut(f"it did not answer within {self._entry.timeout:g} seconds", again=False)
        try:
            result = task.result()
        except (MCPError, ValidationError, RuntimeError) as error:
            raise self._meant(error) from error
        self._answered = time.monotonic()
        self._connection.answered()
        return result

    def _meant(self, error: Exception) -> Exception:
        """What became of a request that ended in an error."""
        if isinstance(error, ValidationError):
            return _Cut("it answered with something that is not MCP", again=False)
        if not isinstance(error, MCPError):
            return _Cut("what it gave back is not what the tool declares", again=False)
        code, said = error.error.code, " ".join(error.error.message.split())[:1_000]
        if code in (CONNECTION_CLOSED, CUT_OFF):
            why = said if code == CUT_OFF else "it ended, or the connection to it, in the middle"
            return _Cut(why, again=True)
        if code == FORGOTTEN:
            self._connection.leave(said)
            return _Cut(said, again=True, never_ran=True)
        if code == PARSE_ERROR:
            return _Cut("its answer could not be read", again=False)
        if code in (UNREACHABLE, REFUSED):
            return ServerDown(self.name, said, "look at its url and headers in SCIOREX_CONFIG")
        self._answered = time.monotonic()
        return BotError(f"{self.name} refused: {clean(said).rstrip('.')}.")

    def _hangs(self, task: asyncio.Task[Any], begun: float) -> None:
        """A process that answers nothing at all, and that nobody else waits for, is started anew next time."""
        if self._entry.command and self._answered < begun and not self._under_way - {task}:
            self._connection.leave(f"it did not answer within {self._entry.timeout:g} seconds")

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # a call that nobody waits for any more may end as it likes

    async def _pages(self, client: Client) -> list[Tool]:
        found: list[Tool] = []
        cursor = None
        while len(found) <= MOST_TOOLS:
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if not cursor:
                break
        return found

    async def _declines(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        """A question in the middle of a call: it could outlive neither the connection nor the bot."""
        alone = len(self._wanted) == 1  # else nobody knows whose question it is, and threads do not read each other's
        what = f": “{' '.join(params.message.split())[:500]}”" if alone else ""
        for call in self._wanted.values():
            call.append(DECLINED.format(what=clean(what)))
        return ElicitResult(action="decline")

    def _left_out(self, name: str, why: str) -> None:
        if name not in self._told:
            self._told.add(name)
            log.warning("a tool of the MCP server %s is left out: %r: %s", self.name, clean(name)[:80], why)


async def _called(
    client: Client, tool: str, arguments: Mapping[str, Any], stands: Answers
) -> CallToolResult | InputRequiredResult:
    """The call; a server that only wants to be asked again is asked again."""
    answers: InputResponses | None = dict(stands.given) or None
    state = stands.state
    while True:
        result = await client.session.call_tool(
            tool, dict(arguments), input_responses=answers, request_state=state, allow_input_required=True
        )
        if not isinstance(result, InputRequiredResult) or result.input_requests:
            return result
        answers, state = None, result.request_state
        await asyncio.sleep(POLL_SECONDS)


def _declared_safe(tool: Tool) -> bool:
    effects = tool.annotations
    return effects is not None and bool(effects.read_only_hint or effects.idempotent_hint)
