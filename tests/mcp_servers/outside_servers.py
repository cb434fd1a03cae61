"""The settings of outside servers for tests: real processes over stdio, and over HTTP on a free port."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.config_sections import ServerEntry

HERE = Path(__file__).parent


def over_stdio(folder: Path, **more: Any) -> ServerEntry:
    """A server that is started as a command; `folder` is where it writes down what it did."""
    args = (str(HERE / "outside_server.py"), str(folder))
    return ServerEntry.model_validate({"command": sys.executable, "args": args, "timeout": 20, **more})


def old(flaw: str = "", **more: Any) -> ServerEntry:
    """A server from before 2026, with a flaw."""
    args = (str(HERE / "old_server.py"), flaw)
    return ServerEntry.model_validate({"command": sys.executable, "args": args, "timeout": 20, **more})


def did(folder: Path) -> list[str]:
    """What the server did, in order."""
    file = folder / "did"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


async def until(true: Callable[[], bool]) -> None:
    """Waits for what a process does."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


class OverHttp:
    """A server over HTTP that can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._folder = folder
        self._process: Process | None = None

    @property
    def entry(self) -> ServerEntry:
        return ServerEntry.model_validate({"url": f"http://127.0.0.1:{self.port}/mcp", "timeout": 20})

    async def start(self) -> None:
        command = (sys.executable, str(HERE / "outside_server.py"), str(self._folder), str(self.port))
        self._process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL, env=os.environ)
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def over_http(folder: Path) -> AsyncIterator[OverHttp]:
    """A server that listens, and is gone afterwards."""
    server = OverHttp(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
