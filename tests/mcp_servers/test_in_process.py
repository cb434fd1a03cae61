"""A server of ours without a client gives what it gives by one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult

from bot.mcp_servers.files import files_server
from bot.mcp_servers.files_inside import Inside
from bot.mcp_servers.server import InProcess, Server

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("Read", {"file_path": "a.txt"}),
    ("Read", {"file_path": "gone"}),
    ("Read", {"file_path": "a.txt", "more": 1}),
    ("Read", {"file_path": "a.txt", "limit": "many"}),
    ("Read", {}),
    ("Glob", {"pattern": "*"}),
]


async def test_tools_and_answers_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text\n")
    direct: Server = InProcess("files", files_server(tmp_path, private=()))
    async with Client(files_server(tmp_path, private=())) as by_client:
        for mine, theirs in zip(await direct.tools(), (await by_client.list_tools()).tools, strict=True):
            assert (mine.name, mine.input_schema, mine.annotations) == (
                theirs.name,
                theirs.input_schema,
                theirs.annotations,
            )
        for name, arguments in CALLS:
            one, other = await direct.call(name, arguments, meta={"x": 1}), await by_client.call_tool(name, arguments)
            assert isinstance(one, CallToolResult)
            assert (one.content, one.is_error) == (other.content, other.is_error)


async def test_what_nobody_expected_stays_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(inside: Inside, path: str) -> None:
        raise RuntimeError("the cause")

    monkeypatch.setattr(Inside, "look", broken)
    with caplog.at_level(logging.ERROR):
        result = await InProcess("files", files_server(tmp_path, private=())).call("Read", {"file_path": "a"}, meta={})
    text = str(getattr(result, "content", ""))
    assert "Something went wrong in Read" in text
    assert "the cause" not in text
    assert "the cause" in caplog.text
