"""MCP over standard input and output: whatever ends it, each request that came is answered before.

The SDK's own transport forgets what is in work when the input ends, cannot be ended while it waits for input, and lets
a client wait for ever whose message it cannot read.
"""

import asyncio
import contextlib
import json
import os
import select
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server import MCPServer
from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

Incoming: TypeAlias = SessionMessage | Exception
LAST_ANSWERS = 10.0  # seconds for what is in work when the end comes
CHUNK = 1 << 16
# A request that stays open for as long as the client listens.
ENDLESS = "subscriptions/listen"


async def serve_stdio(server: MCPServer[Any], stop: asyncio.Event) -> None:
    """Serves one client until its input ends, its output breaks, or `stop` is set.

    Standard output belongs to the protocol alone: what anything else prints goes to standard error meanwhile.
    """
    source, sink = _taken(0, os.open(os.devnull, os.O_RDONLY)), _taken(1, _standard_error())
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def came(line: bytes | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to hear it
            loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=_read, args=(source, came), name="mcp-stdin", daemon=True).start()
    into, incoming = anyio.create_memory_object_stream[Incoming](0)
    outgoing, out = anyio.create_memory_object_stream[SessionMessage](0)
    wire = _Wire(lines, into, out, outgoing.clone(), sink)
    low = server._lowlevel_server
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wire.carry_in)
        tasks.start_soon(wire.carry_out, tasks.cancel_scope)
        tasks.start_soon(_when_set, stop, lines)
        await low.run(incoming, outgoing, low.create_initialization_options())
        tasks.cancel_scope.cancel()


class _Wire:
    """The way of messages in and out, and which requests still wait for their answer."""

    def __init__(
        self,
        lines: asyncio.Queue[bytes | None],
        into: MemoryObjectSendStream[Incoming],
        out: MemoryObjectReceiveStream[SessionMessage],
        answers: MemoryObjectSendStream[SessionMessage],
        sink: int,
    ) -> None:
        self._lines, self._into, self._out, self._answers, self._sink = lines, into, out, answers, sink
        self._open: set[int | str] = set()
        self._answered = asyncio.Event()

    async def carry_in(self) -> None:
        """Hands each line to the server; at the end of input waits until what is in work has been answered."""
        async with self._into:
            while (line := await self._lines.get()) is not None:
                if line.strip():
                    await self._hand_in(line)
            with anyio.move_on_after(LAST_ANSWERS):
                while self._open:
                    self._answered.clear()
                    await self._answered.wait()

    async def _hand_in(self, line: bytes) -> None:
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValidationError as error:
            if (refusal := _refusal(line)) is not None:
                await self._answers.send(SessionMessage(refusal))
            await self._into.send(error)
            return
        if isinstance(message, JSONRPCRequest) and message.method != ENDLESS:
            self._open.add(message.id)
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._close((message.params or {}).get("requestId"))
        await self._into.send(SessionMessage(message))

    async def carry_out(self, all_of_it: anyio.CancelScope) -> None:
        """Writes what the server says, a line a message; a client that is gone ends everything."""
        async with self._out:
            async for said in self._out:
                text = said.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
                try:
                    if rest := _write_at_once(self._sink, text):
                        await anyio.to_thread.run_sync(_write, self._sink, rest, abandon_on_cancel=True)
                except OSError:
                    all_of_it.cancel()
                    return
                if isinstance(said.message, JSONRPCResponse | JSONRPCError):
                    self._close(said.message.id)

    def _close(self, request: object) -> None:
        self._open -= {request}
        self._answered.set()


async def _when_set(stop: asyncio.Event, lines: asyncio.Queue[bytes | None]) -> None:
    await stop.wait()
    lines.put_nowait(None)


def _refusal(line: bytes) -> JSONRPCError | None:
    """The answer to a message that is no request, if its sender can be told at all: half characters, wrong shapes."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    request = said.get("id") if isinstance(said, dict) else None
    if not isinstance(request, int | str) or isinstance(request, bool):
        return None
    try:
        json.dumps(said, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        error = ErrorData(code=PARSE_ERROR, message="The message holds half a character (a lone surrogate).")
    else:
        error = ErrorData(code=INVALID_REQUEST, message="This is no JSON-RPC request.")
    return JSONRPCError(jsonrpc="2.0", id=request, error=error) if not isinstance(request, str) or request else None


def _standard_error() -> int:
    try:
        return os.dup(2)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _taken(descriptor: int, instead: int) -> int:
    """The stream behind a standard descriptor, for us alone; whoever else uses the descriptor gets `instead`."""
    ours = os.dup(descriptor)
    os.dup2(instead, descriptor)
    os.close(instead)
    return ours


def _read(source: int, came: Callable[[bytes | None], None]) -> None:
    """Reads lines in a thread that may be left behind: nothing ends a read that waits for a terminal or a pipe."""
    parts: list[bytes] = []
    while chunk := _chunk(source):
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            came(b"".join((*parts, end)))
            parts.clear()
        parts.append(rest)
    came(b"".join(parts))
    came(None)


def _chunk(source: int) -> bytes:
    try:
        return os.read(source, CHUNK)
    except OSError:
        return b""


def _write_at_once(sink: int, text: bytes) -> bytes:
    """Writes as much as the reader has room for, without waiting; gives the rest. A thread would cost more."""
    room = select.poll()
    room.register(sink, select.POLLOUT)
    while text and room.poll(0):
        text = text[os.write(sink, text[: select.PIPE_BUF]) :]
    return text


def _write(sink: int, text: bytes) -> None:
    while text:
        text = text[os.write(sink, text) :]
