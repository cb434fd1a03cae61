"""The server under other people's clients: a coding agent's configuration, an inspector, the conformance scenarios."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp import Client, StdioServerParameters

from bot.mcp_servers.answers import SessionLine
from bot.mcp_servers.tickets import ticket_server
from bot.tickets.store import TicketStore
from tests.mcp_servers.processes import COMMAND, ROOT, environment, over_http
from tests.npm import Tools, npm_tools

__all__ = ["npm_tools"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON_OF_README = "/where/this/repository/is/.venv/bin/python"
WORKSPACE_OF_README = "/the/folder/that/holds/.sciorex"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".sciorex/tickets").mkdir(parents=True)
    (tmp_path / ".sciorex/tickets/T-001.yaml").write_text("id: T-001\ntitle: Add avatars\nstatus: planned\n")
    return tmp_path


def of_readme() -> dict[str, Any]:
    """The server as the `.mcp.json` in the README starts it."""
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", README, re.S)]
    (server,) = [block["mcpServers"]["sciorex-tickets"] for block in blocks if "mcpServers" in block]
    started: dict[str, Any] = server
    return started


async def test_the_configuration_in_the_readme_starts_the_server(folder: Path) -> None:
    text = json.dumps(of_readme()).replace(PYTHON_OF_README, sys.executable).replace(WORKSPACE_OF_README, str(folder))
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    async with Client(StdioServerParameters(**json.loads(text), cwd=elsewhere)) as client:
        result = await client.call_tool("sciorex_get_ticket", {"ticketId": "t1"})
        names = {tool.name for tool in (await client.list_tools()).tools}
    assert isinstance(result.structured_content, dict)
    assert result.structured_content["title"] == "Add avatars"
    assert "sciorex_list_sessions" not in names


async def test_all_schemas_are_json_schema_of_2020(folder: Path) -> None:
    async def none(ticket_id: str) -> list[SessionLine]:
        return []

    async with Client(ticket_server(TicketStore(folder), sessions=none)) as client:
        tools = (await client.list_tools()).tools
    assert len(tools) == 21
    for tool in tools:
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None and schema["type"] == "object"
            Draft202012Validator.check_schema(schema)
            assert "$ref" not in json.dumps(schema)


@pytest.mark.parametrize("more", [[], ["--core"]])
def test_an_inspector_finds_nothing_to_complain_of(folder: Path, npm_tools: Tools, more: list[str]) -> None:
    given = environment(folder)
    handed = [part for name in ("PYTHONPATH", "SCIOREX_WORKSPACE") for part in ("-e", f"{name}={given[name]}")]
    strictly = ["--method", "tools/list", "--strict"]
    done = npm_tools.run("mcp-inspector", "--cli", *handed, sys.executable, *COMMAND, *more, *strictly)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["tools"]) == (8 if more else 20)


async def test_the_public_scenarios_pass(folder: Path, npm_tools: Tools) -> None:
    async with over_http(folder) as address:
        for scenario in ("server-initialize", "ping", "tools-list", "dns-rebinding-protection"):
            done = npm_tools.run("conformance", "server", "--url", address, "--scenario", scenario)
            assert done.returncode == 0, done.stdout[-2_000:]
            assert re.search(r"Passed: ([1-9]\d*)/\1, 0 failed, 0 warnings", done.stdout), done.stdout[-2_000:]
