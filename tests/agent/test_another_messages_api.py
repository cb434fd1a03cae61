"""The whole bot against a Messages API that nobody here wrote: @copilotkit/aimock, from npm."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.bench import Bench, bench, everything_in
from tests.npm import Tools, npm_tools

__all__ = ["npm_tools"]
UPDATE = "mcp__sciorex-tickets__sciorex_update_subtask"
STARTED = {"ticketId": "T-042", "title": "Add image processing", "status": "in_progress"}
FIXTURES = [
    {
        "match": {"userMessage": "say hello", "hasToolResult": False},
        "response": {"content": "Hello from elsewhere. " * 30},
    },
    {"match": {"userMessage": "begin", "hasToolResult": True}, "response": {"content": "The subtask has begun."}},
    {
        "match": {"userMessage": "begin", "hasToolResult": False},
        "response": {"content": "I begin. ", "toolCalls": [{"name": UPDATE, "arguments": json.dumps(STARTED)}]},
    },
]


@asynccontextmanager
async def another_model(tools: Tools, tmp_path: Path, *more: str) -> AsyncIterator[str]:
    """Serves the fixtures; gives the address."""
    file = tmp_path / "fixtures.json"
    file.write_text(json.dumps({"fixtures": FIXTURES}))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = tools.start("llmock", "--port", str(port), "--fixtures", str(file), "--strict", *more)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx2.AsyncClient() as client, asyncio.timeout(20):
            while True:
                try:
                    await client.get(f"{url}/health")
                    break
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


async def journal(url: str) -> list[dict[str, Any]]:
    """The requests that were made of it."""
    async with httpx2.AsyncClient() as client:
        entries: list[dict[str, Any]] = (await client.get(f"{url}/__aimock/journal")).json()
    return entries


def asking(url: str) -> Any:
    def settings(here: Bench) -> dict[str, str]:
        return {"ANTHROPIC_BASE_URL": url}

    return settings


@pytest.mark.parametrize("chunks", ["20", "3"])
async def test_an_answer_of_another_api_is_whole(
    tmp_path: Path, sqlite_url: str, npm_tools: Tools, chunks: str
) -> None:
    async with (
        another_model(npm_tools, tmp_path, "--chunk-size", chunks) as url,
        bench(tmp_path, sqlite_url, more=asking(url)) as here,
    ):
        root = await here.slack.say(here.alice, here.general, f"{here.at} say hello")
        answer = await here.seen(here.general, root, "Hello from elsewhere.")
        assert everything_in(answer["blocks"][0]).count("Hello from elsewhere.") == 30
        assert here.model.requests == []


async def test_a_tool_call_of_another_api_changes_the_ticket(
    tmp_path: Path, database_url: str, npm_tools: Tools
) -> None:
    async with another_model(npm_tools, tmp_path) as url, bench(tmp_path, database_url, more=asking(url)) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
        await here.seen(here.general, root, "Unlink")
        await here.slack.say(here.alice, here.general, f"{here.at} begin", root)
        answer = await here.seen(here.general, root, "The subtask has begun.")
        assert "I begin." in everything_in(answer)
        assert "subtask_updated" in here.ticket("T-042")
        assert len(await journal(url)) >= 2


async def test_an_api_that_refuses_everybody_is_said_in_one_sentence(
    tmp_path: Path, sqlite_url: str, npm_tools: Tools
) -> None:
    async with (
        another_model(npm_tools, tmp_path, "--chaos-disconnect", "1") as url,
        bench(tmp_path, sqlite_url, more=asking(url)) as here,
    ):
        root = await here.slack.say(here.alice, here.general, f"{here.at} say hello")
        answer = await here.seen(here.general, root, "⚠️", timeout=40)
        assert "turn_retry" in json.dumps(answer["blocks"])
        assert "Traceback" not in everything_in(answer)
