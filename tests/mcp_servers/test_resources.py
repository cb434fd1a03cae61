"""sciorex-resources over the wire: agents and flows listed, read, saved and deleted by id."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult

from bot.agent.toolbox import Offered
from bot.definitions import saving
from bot.mcp_servers import resources
from bot.mcp_servers.resources import resources_server
from bot.mcp_servers.server import InProcess
from tests.definitions.test_agents import agents_of
from tests.definitions.test_flows import flows_of

NAMES = {
    *("sciorex_list_agents", "sciorex_get_agent", "sciorex_save_agent", "sciorex_delete_agent"),
    *("sciorex_list_flows", "sciorex_get_flow", "sciorex_save_flow", "sciorex_delete_flow"),
}


async def called(folder: Path, tool: str, **arguments: Any) -> CallToolResult:
    async with Client(resources_server(folder)) as client:
        return await client.call_tool(f"sciorex_{tool}", arguments)


async def answer(folder: Path, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await called(folder, tool, **arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return dict(result.structured_content)


async def refusal(folder: Path, tool: str, **arguments: Any) -> str:
    result = await called(folder, tool, **arguments)
    assert result.is_error
    return str(getattr(result.content[0], "text", ""))


def files_in(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


async def test_names_and_effects_are_those_of_sciorex(tmp_path: Path) -> None:
    server = InProcess("sciorex-resources", resources_server(tmp_path))
    tools = await server.tools()
    offered = [Offered(tool.name, server, tool) for tool in tools]
    assert {tool.name for tool in tools} == NAMES
    writes = {tool.name for tool in tools if "save" in tool.name or "delete" in tool.name}
    assert {one.name for one in offered if one.dangerous} == writes
    assert {tool.name for tool in tools if tool.annotations and tool.annotations.destructive_hint} == writes
    required = {tool.name: tool.input_schema.get("required", []) for tool in tools}
    assert required["sciorex_save_flow"] == required["sciorex_save_agent"] == ["id", "content"]
    assert (required["sciorex_get_agent"], required["sciorex_list_flows"]) == (["id"], [])


async def test_agents_and_flows_are_listed_with_what_cannot_be_read(tmp_path: Path) -> None:
    agents_of(tmp_path, a="id: a\nname: A\ndescription: Does.\nsystemPrompt: Not listed.\n", bad="name: x\n")
    flows_of(tmp_path, f_json='{"id": "f", "nodes": []}')
    assert await answer(tmp_path, "list_agents") == {
        "found": [{"id": "a", "name": "A", "description": "Does."}],
        "problems": ["The agent file .sciorex/agents/bad.yaml cannot be read: it has no id."],
        "more": 0,
    }
    assert (await answer(tmp_path, "list_flows"))["found"] == [{"id": "f", "name": "f", "description": ""}]


async def test_an_agent_is_made_read_changed_and_deleted(tmp_path: Path) -> None:
    (tmp_path / ".sciorex").mkdir()
    one, two = "id: a\nname: One\n", "id: a  # kept as it is\nname: Two\n"
    made = await answer(tmp_path, "save_agent", id="a", content=one)
    assert made == {"id": "a", "file": ".sciorex/agents/a.yaml", "changed": True}
    assert (await answer(tmp_path, "save_agent", id="a", content=one))["changed"] is False
    assert (await answer(tmp_path, "save_agent", id="a", content=two))["changed"] is True
    assert (await answer(tmp_path, "get_agent", id="a"))["content"] == two
    assert files_in(tmp_path) == {".sciorex/agents/a.yaml": two}
    await answer(tmp_path, "delete_agent", id="a")
    assert files_in(tmp_path) == {}
    assert await refusal(tmp_path, "get_agent", id="a") == "There is no file of an agent “a” (any more)."


async def test_an_existing_file_keeps_its_name_and_its_mode(tmp_path: Path) -> None:
    flows_of(tmp_path, deep__name_json='{"id": "f"}')
    file = tmp_path / ".sciorex" / "flows" / "deep" / "name.json"
    file.chmod(0o640)
    saved = await answer(tmp_path, "save_flow", id="f", content='{"id": "f", "name": "[1, 2]"}')
    assert saved["file"] == ".sciorex/flows/deep/name.json"
    assert files_in(tmp_path) == {saved["file"]: '{"id": "f", "name": "[1, 2]"}\n'}
    assert file.stat().st_mode & 0o777 == 0o640


async def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    agents_of(tmp_path, a="id: a\n")
    before = files_in(tmp_path)
    for arguments in ({"id": "../../x", "content": "id: ../../x\n"}, {"id": "a", "content": "id: b\n"}):
        await refusal(tmp_path, "save_agent", **arguments)
    assert "at most 200,000" in await refusal(tmp_path, "save_agent", id="a", content="x" * 200_001)
    await refusal(tmp_path, "delete_flow", id="a")
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("tool", ["save_agent", "delete_agent"])
async def test_an_edit_in_the_last_moment_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    agents_of(tmp_path, a="id: a\n")
    file = tmp_path / ".sciorex" / "agents" / "a.yaml"

    def edited(change: saving.Change) -> saving.Change:
        file.write_text("id: a\nname: By hand\n")
        return change

    for name in ("saving", "deleting"):
        planned = getattr(saving, name)
        monkeypatch.setattr(resources, name, lambda *given, planned=planned: edited(planned(*given)))
    content = {"content": "id: a\nname: By the agent\n"} if tool == "save_agent" else {}
    assert "was changed meanwhile" in await refusal(tmp_path, tool, id="a", **content)
    assert files_in(tmp_path) == {".sciorex/agents/a.yaml": "id: a\nname: By hand\n"}


async def test_a_disk_that_refuses_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agents_of(tmp_path, a="id: a\n")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "the disk is full" in await refusal(tmp_path, "save_agent", id="a", content="id: a\nname: New\n")
    assert files_in(tmp_path) == {".sciorex/agents/a.yaml": "id: a\n"}
