"""The ticket server in a process of its own, for tests: over stdio line by line, or over HTTP on a free port."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import StdioServerParameters

ROOT = Path(__file__).parent.parent.parent
COMMAND = ["-m", "bot", "mcp"]
Message = dict[str, Any]
HELLO: Message = {
    "jsonrpc": "2.0",
    "id": "hello",
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
READY: Message = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def environment(folder: Path, **more: str) -> dict[str, str]:
    """What the server is started with: the workspace in `folder`, and no setting of this machine's own."""
    ours = ("SLACK_", "ANTHROPIC_", "SCIOREX_", "LOG_", "DATABASE_URL", "PORT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONPATH": str(ROOT), "SCIOREX_WORKSPACE": str(folder), **more}


def over_stdio(folder: Path, *arguments: str) -> StdioServerParameters:
    """How an MCP client starts the server."""
    return StdioServerParameters(
        command=sys.executable, args=[*COMMAND, *arguments], env=environment(folder), cwd=folder
    )


def call(number: int | str, tool: str, **arguments: object) -> Message:
    """A request for a tool."""
    params = {"name": f"sciorex_{tool}", "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def lines(*messages: Message | bytes) -> bytes:
    """Messages as they go over the wire; bytes as they are."""
    return b"".join((m if isinstance(m, bytes) else json.dumps(m).encode()) + b"\n" for m in messages)


async def started(folder: Path, *arguments: str, stderr: int = DEVNULL) -> Process:
    """A server process with pipes."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *COMMAND, *arguments),
        cwd=folder,
        env=environment(folder),
        stdin=PIPE,
        stdout=PIPE,
        stderr=stderr,
    )


async def said(server: Process, count: int) -> dict[str | int, Message]:
    """The next answers of a server, by the ids of their requests."""
    assert server.stdout is not None
    answers = [json.loads(await asyncio.wait_for(server.stdout.readline(), 30)) for _ in range(count)]
    return {answer["id"]: answer for answer in answers}


@asynccontextmanager
async def over_http(folder: Path, *arguments: str) -> AsyncIterator[str]:
    """A server on a free port; gives its address, and checks that it ends well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = await started(folder, "--http", str(port), *arguments, stderr=PIPE)
    assert server.stderr is not None
    try:
        while b"is at http" not in (line := await asyncio.wait_for(server.stderr.readline(), 30)):
            assert line, "the server ended"
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(server.communicate(), 30)
        assert (server.returncode, b"Traceback" in log) == (0, False), log.decode()
