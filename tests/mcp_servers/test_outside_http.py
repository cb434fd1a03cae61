"""Outside MCP servers over HTTP that answer as some do: with sessions that they forget, and with errors of HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.config_sections import ServerEntry
from bot.errors import BotError
from bot.mcp_servers.outside import OutsideServers
from tests.mcp_servers.old_server import OBJECT

UNKNOWN = "It may have been done or not: look before you do it again."


class Place:
    """A server from before 2026: `sessions` it knows, `done` calls, and the HTTP statuses of the next calls."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.done: list[str] = []
        self.statuses: list[int] = []
        self.key = "Bearer right"
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != self.key:
            return web.Response(status=401)
        if request.method != "POST":
            return web.Response(status=405)
        said = await request.json()
        if "id" not in said:
            return web.Response(status=202)
        if said["method"] == "initialize":
            name = f"s{len(self.done)}"
            self.sessions.add(name)
            info = {"name": "place", "version": "1"}
            result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
            return self._result(said, result, {"Mcp-Session-Id": name})
        if request.headers.get("Mcp-Session-Id") not in self.sessions:
            return web.Response(status=404, text="no such session")
        if said["method"] == "tools/list":
            safe = {"name": "look", "inputSchema": OBJECT, "annotations": {"readOnlyHint": True}}
            return self._result(said, {"tools": [{"name": "deploy", "inputSchema": OBJECT}, safe]})
        if said["method"] == "tools/call" and self.statuses:
            return web.Response(status=self.statuses.pop(0), text="<h1>Bad gateway</h1>")
        self.done.append(said["params"]["name"])
        return self._result(said, {"content": [{"type": "text", "text": "done"}]})

    @staticmethod
    def _result(said: dict[str, Any], result: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
        return web.json_response({"jsonrpc": "2.0", "id": said["id"], "result": result}, headers=headers)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    place = Place()
    app = web.Application()
    app.router.add_route("*", "/mcp", place.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    place.url = f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    yield place
    await runner.cleanup()


async def called(place: Place, *tools: str, key: str = "Bearer right", forgets: bool = False) -> list[str]:
    """What calls of these tools give, one after the other, after the list of tools."""
    entry = ServerEntry.model_validate({"url": place.url, "headers": {"Authorization": key}})
    servers = OutsideServers({"place": entry})
    [server] = servers.all()
    try:
        assert [tool.name for tool in await server.tools()] == ["deploy", "look"]
        if forgets:
            place.sessions.clear()
        results = [await server.call(tool, {}, meta={}) for tool in tools]
        return [result.content[0].text for result in results]  # type: ignore[union-attr]
    finally:
        await servers.close()


async def test_a_server_that_forgot_the_session_is_met_anew_and_each_call_is_made_once(place: Place) -> None:
    assert await called(place, "deploy", "deploy", forgets=True) == ["done", "done"]
    assert place.done == ["deploy", "deploy"]


async def test_a_gateway_that_fails_leaves_open_what_was_done(place: Place) -> None:
    place.statuses = [502, 504]
    assert await called(place, "deploy", "look", "deploy") == [f"place: it answers 502. {UNKNOWN}", "done", "done"]
    assert place.done == ["look", "deploy"]  # 504 was for the first try of what may be repeated


async def test_refused_headers_are_said_and_not_shown(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BotError) as caught:
        await called(place, key="Bearer wrong")
    assert caught.value.text == "The MCP server place is not available: it answers 401."
    assert "look at its headers in SCIOREX_CONFIG" in caplog.text and "wrong" not in caplog.text


async def test_an_address_without_a_server_is_said(place: Place) -> None:
    place.url = place.url.replace("/mcp", "/nothing")
    with pytest.raises(BotError) as caught:
        await called(place)
    assert caught.value.text == "The MCP server place is not available: there is no MCP server at its address."
