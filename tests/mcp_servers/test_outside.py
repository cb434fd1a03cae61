"""Outside MCP servers as real processes: over stdio and HTTP, dying, hanging, asking, and offering nonsense."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.types import CallToolResult, ElicitResult, InputRequiredResult, TextContent

from bot.config_sections import ServerEntry
from bot.errors import BotError
from bot.mcp_servers.outside import OutsideServers
from bot.mcp_servers.server import Server
from tests.mcp_servers.outside_servers import did, old, over_http, over_stdio, until

UNKNOWN = "It may have been done or not: look before you do it again."


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def server(entry: ServerEntry, clock: Clock | None = None) -> AsyncIterator[Server]:
    servers = OutsideServers({"else": entry}, clock=clock or Clock())
    try:
        found = servers.get("else")
        assert found is not None and found.outside and servers.all() == (found,)
        yield found
    finally:
        await servers.close()


async def call(server: Server, tool: str, **arguments: Any) -> tuple[str, bool]:
    """The text of a result, and whether it failed."""
    result = await server.call(tool, arguments, meta={"sciorex/actor": "not for others"})
    assert isinstance(result, CallToolResult)
    [part] = result.content
    assert isinstance(part, TextContent)
    return part.text, bool(result.is_error)


async def test_nothing_is_started_before_it_is_needed(tmp_path: Path) -> None:
    marker = tmp_path / "started"
    async with server(ServerEntry(command="/usr/bin/touch", args=(str(marker),))) as outside:
        await asyncio.sleep(0)
        assert not marker.exists()
        with pytest.raises(BotError):
            await outside.tools()
        assert marker.exists()


async def test_tools_are_listed_and_called_many_at_once(tmp_path: Path) -> None:
    async with server(over_stdio(tmp_path)) as outside:
        assert [tool.name for tool in await outside.tools()] == ["deploy", "look", "much", "release", "surroundings"]
        told = await asyncio.gather(*(call(outside, "deploy", where=str(n)) for n in range(20)))
        assert told == [(f"It is on {n}.", False) for n in range(20)]


async def test_a_command_gets_its_own_environment_and_none_of_the_bots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_BOT_TOKEN", "ANTHROPIC_API_KEY", "DATABASE_URL", "SOMETHING_ELSE"):
        monkeypatch.setenv(name, "secret of the bot")
    async with server(over_stdio(tmp_path, env={"ITS_KEY": "its own"})) as outside:
        told, _ = await call(outside, "surroundings")
    assert "secret of the bot" not in told
    assert "ITS_KEY=its own" in told and f"PATH={os.environ['PATH']}" in told
    assert told.partition("cwd=")[2].startswith("/\n")


async def test_a_result_is_cut_and_cleaned(tmp_path: Path) -> None:
    async with server(over_stdio(tmp_path)) as outside:
        told, failed = await call(outside, "much")
    assert not failed and len(told) < 61_000 and told.startswith("a\N{REPLACEMENT CHARACTER}b")
    assert told.endswith("(cut: the result is longer)")


async def test_a_process_that_dies_in_mid_call_leaves_it_open_and_is_started_again(tmp_path: Path) -> None:
    async with server(over_stdio(tmp_path)) as outside:
        await outside.tools()
        (tmp_path / "next").write_text("die")
        told, failed = await call(outside, "deploy", where="live")
        assert failed and told.endswith(UNKNOWN)
        assert did(tmp_path) == ["deploy live"]
        assert await call(outside, "deploy", where="test") == ("It is on test.", False)


async def test_what_is_declared_safe_to_repeat_is_repeated_once(tmp_path: Path) -> None:
    async with server(over_stdio(tmp_path)) as outside:
        await outside.tools()
        (tmp_path / "next").write_text("die")
        assert await call(outside, "look", at="the moon") == ("I see the moon.", False)
        assert did(tmp_path) == ["look the moon", "look the moon"]


async def test_what_was_cut_off_and_cannot_be_repeated_is_not_said_to_be_undone(tmp_path: Path) -> None:
    script = tmp_path / "once.sh"
    entry = over_stdio(tmp_path)
    script.write_text(f'mv "$0" "$0.gone"; exec {entry.command} {" ".join(entry.args)}')
    async with server(ServerEntry(command="/bin/sh", args=(str(script),))) as outside:
        await outside.tools()
        (tmp_path / "next").write_text("die")
        told, failed = await call(outside, "look", at="it")
        assert failed and told.endswith(UNKNOWN)
        told, failed = await call(outside, "look", at="it")
        assert failed and told.startswith("Not done.")


async def test_a_server_that_hangs_ends_at_its_timeout_and_is_started_again() -> None:
    async with server(old("hangs", timeout=2)) as outside:
        first, _ = await call(outside, "number")
        told, failed = await call(outside, "ask")
        assert failed and told == f"else: it did not answer within 2 seconds. {UNKNOWN}"
        second, failed = await call(outside, "number")
        assert not failed and second != first


async def test_cancelling_a_call_cancels_it_at_the_server_and_frees_others(tmp_path: Path) -> None:
    async with server(over_stdio(tmp_path)) as outside:
        await outside.tools()
        (tmp_path / "next").write_text("hang")
        hanging = asyncio.create_task(call(outside, "deploy", where="live"))
        await until(lambda: did(tmp_path) == ["deploy live"])
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        await until(lambda: did(tmp_path) == ["deploy live", "cancelled"])
        assert await call(outside, "deploy", where="test") == ("It is on test.", False)


async def test_failures_are_followed_by_longer_and_longer_pauses(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    entry = ServerEntry(command="/bin/sh", args=("-c", f"echo started >> {starts}"))
    clock = Clock()

    async def tries() -> int:
        before = len(did_start())
        with pytest.raises(BotError) as caught:
            await outside.tools()
        assert caught.value.text == "The MCP server else is not available: it ended right after it was started."
        return len(did_start()) - before

    def did_start() -> list[str]:
        return starts.read_text().splitlines() if starts.exists() else []

    async with server(entry, clock) as outside:
        assert await tries() > 0
        assert await tries() > 0  # at once: many ends are a matter of the moment
        assert await tries() == 0
        clock.now += 1.1
        assert await tries() > 0
        clock.now += 1.1
        assert await tries() == 0
        told, failed = await call(outside, "anything")
        assert failed and told.startswith("Not done. The MCP server else is not available")


@pytest.mark.parametrize(
    ("entry", "cause", "mend"),
    [
        (ServerEntry(command="no-such-command"), "its command is not there", "install no-such-command"),
        (ServerEntry(command="/etc"), "its command may not be run", "make /etc executable"),
        (old("says nothing", timeout=0.5), "it did not answer within 0.5 seconds", "run its command by hand"),
        (old("dies at once", env={"T": "token-123"}), "it ended right after", "it said: no license for ***"),
        (ServerEntry(url="http://127.0.0.1:9/mcp"), "nobody answers at its address", "mend url"),
    ],
)
async def test_why_a_server_is_not_there_is_said_to_users_and_how_to_mend_it_to_the_operator(
    entry: ServerEntry, cause: str, mend: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(entry) as outside:
        with pytest.raises(BotError) as caught:
            await outside.tools()
    assert caught.value.text.startswith(f"The MCP server else is not available: {cause}")
    assert mend in getattr(caught.value, "mend", "")
    assert mend in caplog.text and "token-123" not in caplog.text


async def test_older_servers_are_spoken_to_in_their_way_and_unusable_tools_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for flaw in ("", "knows one greeting"):
        async with server(old(flaw)) as outside:
            caplog.clear()
            with caplog.at_level(logging.WARNING):
                assert [tool.name for tool in await outside.tools()] == ["ask", "number"]
                assert [tool.name for tool in await outside.tools()] == ["ask", "number"]
            assert caplog.text.count("is left out") == 6


async def test_a_question_in_the_middle_of_a_call_is_declined_and_the_model_told() -> None:
    async with server(old()) as outside:
        told, failed = await call(outside, "ask")
    assert not failed and told.startswith("I was told: decline\n(While this ran, the server wanted to ask a person")
    assert "“Which color?”" in told


async def asked(outside: Server, state: str | None = None, **answers: ElicitResult) -> tuple[str, str]:
    """A call that must ask: the question, and the state that goes with it."""
    result = await outside.call("release", {"what": "bot"}, meta={}, answers=dict(answers) or None, state=state)
    assert isinstance(result, InputRequiredResult) and result.input_requests and result.request_state
    [key] = result.input_requests
    return key, result.request_state


async def test_questions_are_asked_one_by_one_and_answered_by_another_process(tmp_path: Path) -> None:
    entry = over_stdio(tmp_path)
    async with server(entry) as outside:
        key, state = await asked(outside)
        assert key == "version"
    version, day = (ElicitResult(action="accept", content={key: key.upper()}) for key in ("version", "day"))
    async with server(entry) as outside:
        key, state = await asked(outside, state, version=version)
        assert key == "day"
    async with server(entry) as outside:
        result = await outside.call("release", {"what": "bot"}, meta={}, answers={"day": day}, state=state)
        assert isinstance(result, CallToolResult) and result.content == [TextContent(text="bot VERSION on DAY")]
    assert did(tmp_path) == ["release bot"]


async def test_a_server_that_forgot_what_it_asked_is_to_be_called_anew(tmp_path: Path) -> None:
    entry = over_stdio(tmp_path, env={"forgetful": "yes"})
    async with server(entry) as outside:
        _, state = await asked(outside)
    answer = {key: ElicitResult(action="accept", content={key: "1"}) for key in ("version", "day")}
    async with server(entry) as outside:
        result = await outside.call("release", {"what": "bot"}, meta={}, answers=dict(answer), state=state)
    assert isinstance(result, CallToolResult) and isinstance(result.content[0], TextContent)
    assert result.content[0].text.endswith("Call the tool again where it matters: they are asked again.")
    assert did(tmp_path) == []


async def test_who_declines_one_question_declines_all(tmp_path: Path) -> None:
    async with server(over_stdio(tmp_path)) as outside:
        _, state = await asked(outside)
        no = {"version": ElicitResult(action="decline")}
        result = await outside.call("release", {"what": "bot"}, meta={}, answers=dict(no), state=state)
        assert isinstance(result, CallToolResult) and result.content == [TextContent(text="declined, declined")]


async def test_over_http_a_server_is_called_lost_in_mid_call_and_found_again(tmp_path: Path) -> None:
    async with over_http(tmp_path) as http, server(http.entry) as outside:
        assert "deploy" in [tool.name for tool in await outside.tools()]
        (tmp_path / "next").write_text("hang")
        hanging = asyncio.create_task(call(outside, "deploy", where="live"))
        await until(lambda: did(tmp_path) == ["deploy live"])
        assert await call(outside, "deploy", where="beside") == ("It is on beside.", False)
        await http.kill()
        told, failed = await hanging
        assert failed and told.endswith(UNKNOWN)
        told, failed = await call(outside, "deploy", where="nowhere")
        assert failed and told == "Not done. The MCP server else is not available: nobody answers at its address."
        await http.start()
        assert await call(outside, "deploy", where="test") == ("It is on test.", False)
        assert did(tmp_path) == ["deploy live", "deploy beside", "deploy test"]


async def test_over_http_a_cancelled_call_is_cancelled_at_the_server(tmp_path: Path) -> None:
    async with over_http(tmp_path) as http, server(http.entry) as outside:
        await outside.tools()
        (tmp_path / "next").write_text("hang")
        hanging = asyncio.create_task(call(outside, "look", at="it"))
        await until(lambda: did(tmp_path) == ["look it"])
        hanging.cancel()
        await until(lambda: did(tmp_path) == ["look it", "cancelled"])


async def test_a_process_that_ended_between_calls_is_started_again_unnoticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(over_stdio(tmp_path)) as outside:
        told, _ = await call(outside, "surroundings")
        os.kill(int(told.rpartition("pid=")[2]), signal.SIGKILL)
        await until(lambda: "not available: it ended." in caplog.text)
        assert await call(outside, "deploy", where="b") == ("It is on b.", False)


async def test_closing_ends_the_processes(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"echo $$ > {pid}; exec {over_stdio(tmp_path).command} {' '.join(over_stdio(tmp_path).args)}"
    async with server(ServerEntry(command="/bin/sh", args=("-c", script))) as outside:
        await outside.tools()
        os.kill(int(pid.read_text()), 0)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
