"""The connection to an outside MCP server: entered, kept and left by one task; after a failure there is a pause."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, TextIO, cast

import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client import Transport
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client
from mcp.types import Implementation

from bot.config_sections import ServerEntry
from bot.mcp_servers.outside_failures import CUT_OFF, FORGOTTEN, REFUSED, UNREACHABLE, ServerDown, hidden, why_down
from bot.mcp_servers.own_version import own_version

log = logging.getLogger(__name__)
PAUSES = (0.0, 1.0, 5.0, 20.0, 60.0)  # seconds after the first failure in a row, the second …
CONNECT_SECONDS = 30.0
SESSION_HEADER = "mcp-session-id"
FOLDER = "/"  # where commands start: none in which somebody's files could be taken for programs


class Connection:
    """`client()` connects when it is first needed, and again after the connection was lost.

    `answered()` says that the server works (the pauses begin anew), `leave()` that it does not.
    """

    def __init__(self, name: str, entry: ServerEntry, asked: ElicitationFnT, clock: Callable[[], float]) -> None:
        self._name, self._entry, self._asked, self._clock = name, entry, asked, clock
        self._one_at_a_time = asyncio.Lock()
        self._owner: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Client] | None = None
        self._end = asyncio.Event()
        self._failures, self._not_before = 0, 0.0
        self._down: ServerDown | None = None
        self._last_words: deque[str] = deque(maxlen=5)
        self._closed = False

    async def client(self) -> Client:
        """The client, connected. Raises ServerDown, which says why there is none and what to mend."""
        async with self._one_at_a_time:
            if self._owner is not None and (self._end.is_set() or self._owner.done()):
                await asyncio.wait({self._owner})
                self._owner = self._ready = None
            return await asyncio.shield(self._ready or self._begin())

    def answered(self) -> None:
        """The server answered something."""
        self._failures = 0

    def leave(self, cause: str) -> None:
        """Ends the connection; the next need makes a new one."""
        self._down = ServerDown(self._name, cause, "see the log")
        self._end.set()

    async def close(self) -> None:
        """Ends the connection for good; a process of ours is gone when this returns."""
        self._closed = True
        self._end.set()
        if self._owner is not None:
            if self._ready is not None and not self._ready.done():
                self._owner.cancel()
            await asyncio.wait({self._owner})

    def _begin(self) -> asyncio.Future[Client]:
        """Starts the owner. Raises ServerDown while the pause after a failure lasts."""
        if self._closed:
            raise ServerDown(self._name, "the bot is stopping", "start the bot")
        if self._down is not None and self._clock() < self._not_before:
            raise self._down
        self._ready, self._end, self._down = asyncio.Future(), asyncio.Event(), None
        self._owner = asyncio.create_task(self._own(self._ready, self._end), name=f"mcp server {self._name}")
        return self._ready

    async def _own(self, ready: asyncio.Future[Client], end: asyncio.Event) -> None:
        """Enters the connection, waits for its end and leaves it, all in this task."""
        owner = asyncio.current_task()
        assert owner is not None
        alarm = asyncio.get_running_loop().call_later(self._entry.timeout, owner.cancel)
        down = ServerDown(self._name, "it ended", "it is started again when it is needed")
        try:
            for mode in ("auto", "legacy"):  # some older servers end at the question which MCP they speak
                try:
                    async with self._connected(mode, end) as client:
                        alarm.cancel()
                        ready.set_result(client)
                        await end.wait()
                        return
                except (Exception, asyncio.CancelledError, BaseExceptionGroup) as error:
                    down = why_down(self._name, self._entry, error, tuple(self._last_words))
                if ready.done() or self._closed or not down.early_end:
                    return
                end.clear()
        finally:
            alarm.cancel()
            end.set()
            self._failed(self._down or down, ready)

    def _connected(self, mode: str, end: asyncio.Event) -> Client:
        return Client(
            cast(Transport, _streams(self._name, self._entry, end, self._last_words)),
            mode=mode,
            elicitation_callback=self._asked,
            client_info=Implementation(name="sciorex-slack", version=own_version()),
            cache=None,
        )

    def _failed(self, down: ServerDown, ready: asyncio.Future[Client]) -> None:
        self._down = down
        if not self._closed:
            self._not_before = self._clock() + PAUSES[min(self._failures, len(PAUSES) - 1)]
            self._failures += 1
            log.warning("%s Mend it: %s.", down.text, down.mend)
        if not ready.done():
            ready.set_exception(down)
            ready.exception()  # nobody may be waiting for it any more


@asynccontextmanager
async def _streams(
    name: str, entry: ServerEntry, end: asyncio.Event, last_words: deque[str]
) -> AsyncIterator[tuple[Any, Any]]:
    """The streams to and from the server; `end` is set when there is nothing more to read."""
    async with AsyncExitStack() as stack:
        if entry.command is not None:
            transport = stdio_client(
                StdioServerParameters(
                    command=entry.command,
                    args=list(entry.args),
                    env={name: secret.get_secret_value() for name, secret in entry.env.items()},
                    cwd=FOLDER,
                    encoding_error_handler="replace",
                ),
                stack.enter_context(_words(name, entry, last_words)),
            )
        else:
            headers = {name: secret.get_secret_value() for name, secret in entry.headers.items()}
            timeout = httpx2.Timeout(CONNECT_SECONDS, read=None)  # how long a call may take is ours to say
            http = await stack.enter_async_context(_Http(headers=headers, timeout=timeout))
            transport = streamable_http_client(entry.url or "", http_client=http)
        read, write = await stack.enter_async_context(transport)
        yield _Watched(read, end), write


@contextmanager
def _words(name: str, entry: ServerEntry, last: deque[str]) -> Iterator[TextIO]:
    """Where a command writes what goes wrong: into our log; its last lines are kept for whoever runs the bot."""
    reading, writing = os.pipe()

    def keep() -> None:
        with open(reading, encoding="utf-8", errors="replace") as lines:
            while line := lines.readline(2_000):
                if said := hidden(line.strip()[:300], entry):
                    last.append(said)
                    log.info("the MCP server %s says: %s", name, said)

    last.clear()
    threading.Thread(target=keep, daemon=True).start()
    with open(writing, "w", encoding="utf-8") as errors:
        yield errors


class _Watched:
    """What a server sends, as the MCP client reads it; sets `end` when it sends no more."""

    def __init__(self, stream: Any, end: asyncio.Event) -> None:
        self._stream, self._end = stream, end

    @property
    def last_context(self) -> Any:
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> Any:
        try:
            return await self._stream.receive()
        except BaseException:
            self._end.set()
            raise

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._stream.__anext__()
        except BaseException:
            self._end.set()
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> _Watched:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _Http(httpx2.AsyncClient):
    """Requests that nobody answers fail one by one: the MCP client would give up all that are under way."""

    async def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        try:
            response = await super().send(request, **how)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol):
            return _instead(request, UNREACHABLE, "nobody answers at its address")
        except httpx2.TransportError:
            return _instead(request, CUT_OFF, "the connection was lost")
        status, kind = response.status_code, response.headers.get("content-type", "")
        if status in (401, 403):
            await response.aclose()
            return _instead(request, REFUSED, f"it answers {status}")
        if status == 404 and SESSION_HEADER in request.headers:
            await response.aclose()
            return _instead(request, FORGOTTEN, "it was started anew")
        if status >= 500 and not kind.lower().startswith("application/json"):
            await response.aclose()
            return _instead(request, CUT_OFF, f"it answers {status}")
        return response


def _instead(request: httpx2.Request, code: int, message: str) -> httpx2.Response:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return httpx2.Response(503, json=error, request=request)
