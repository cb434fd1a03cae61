"""An outside MCP server in a thread: its tools need approval, and what it asks is a card that outlives restarts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.config_sections import ServerEntry
from bot.local_model import Reply, ToolCall, say
from bot.sessions.models import tool_call
from tests.bench import Bench, bench, everything_in
from tests.mcp_servers.outside_servers import did, over_stdio, until
from tests.slack.asked import at_rest
from tests.slack.test_agent_and_tickets import results
from tests.slack.test_asking import card, now, press


def named(entry: ServerEntry, tmp_path: Path) -> Any:
    """The settings with a server `else`, which the agent's file names."""

    def more(here: Bench) -> Mapping[str, str]:
        agent = here.folder / ".sciorex/agents/sciorex.yaml"
        agent.write_text("id: sciorex\nname: Sciorex\nmcpServers: [sciorex-tickets, else]\n", encoding="utf-8")
        config = tmp_path / "config.yml"
        config.write_text(json.dumps({"servers": {"else": entry.model_dump(mode="json", exclude_unset=True)}}))
        return {"SCIOREX_CONFIG": str(config)}

    return more


def calls(tool: str, **arguments: str) -> Any:
    """A script that calls one of its tools and says what it was told."""

    def script(request: dict[str, Any]) -> Reply:
        if told := results(request):
            return say(f"I was told: {told[-1]}")
        return say(ToolCall(f"mcp__else__{tool}", dict(arguments)))

    return script


async def fill(here: Bench, shown: dict[str, Any], field: str, value: str) -> None:
    """Answers what a server asks, in its form."""
    await press(here, here.alice, shown, "question_write")
    [view] = here.slack.views(here.alice)
    await here.slack.submit(here.alice, view["id"], {f"field {field}": {"value": value}})


async def test_a_tool_of_an_outside_server_runs_when_a_person_approves_it(tmp_path: Path, database_url: str) -> None:
    more = named(over_stdio(tmp_path), tmp_path)
    async with bench(tmp_path, database_url, script=calls("look", at="the moon"), more=more) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} look")
        shown = await card(here, root)
        assert did(tmp_path) == []
        await press(here, here.alice, shown, "question_approve")
        await here.seen(here.general, root, "I was told: I see the moon.")
        assert did(tmp_path) == ["look the moon"]


async def test_what_an_outside_server_asks_is_a_card_and_is_answered_after_a_restart(
    tmp_path: Path, database_url: str
) -> None:
    more = named(over_stdio(tmp_path), tmp_path)
    async with bench(tmp_path, database_url, script=calls("release", what="bot"), more=more) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} release it")
        await press(here, here.alice, await card(here, root), "question_approve")
        version = await card(here, root, "Which version?")
        await here.stop()
        await here.start()
        await fill(here, version, "version", "2.0")
        day = await card(here, root, "On which day?")
        assert "answered: *version: 2.0*" in now(here, version, root)
        await fill(here, day, "day", "Monday")
        await here.seen(here.general, root, "I was told: bot 2.0 on Monday")
        await at_rest(here)
        assert did(tmp_path) == ["release bot"]


async def test_a_call_that_died_is_told_to_the_model_and_not_made_again(tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "next").write_text("die")
    more = named(over_stdio(tmp_path), tmp_path)
    async with bench(tmp_path, sqlite_url, script=calls("deploy", where="live"), more=more) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} deploy it")
        await press(here, here.alice, await card(here, root), "question_approve")
        await here.seen(here.general, root, "It may have been done or not: look before you do it again.")
        assert did(tmp_path) == ["deploy live"]
        await at_rest(here)
        assert here.bot is not None
        states = await here.bot.parts.db.read(lambda c: list(c.execute(select(tool_call.c.state)).scalars()))
        assert states == ["unknown"]


async def test_a_call_in_which_the_bot_was_stopped_is_not_made_again(tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "next").write_text("hang")
    more = named(over_stdio(tmp_path), tmp_path)
    async with bench(tmp_path, sqlite_url, script=calls("deploy", where="live"), more=more) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} deploy it")
        await press(here, here.alice, await card(here, root), "question_approve")
        await until(lambda: did(tmp_path) == ["deploy live"])
        await here.stop()
        assert did(tmp_path) == ["deploy live", "cancelled"]
        await here.start()
        await here.seen(here.general, root, "may have been done or not")
        await at_rest(here)
        assert did(tmp_path) == ["deploy live", "cancelled"]


async def test_why_a_server_is_away_is_told_in_the_thread_and_to_the_model_that_wants_it(
    tmp_path: Path, sqlite_url: str
) -> None:
    more = named(ServerEntry(command="no-such-command"), tmp_path)
    async with bench(tmp_path, sqlite_url, script=calls("deploy", where="live"), more=more) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} deploy it")
        answer = await here.seen(here.general, root, "I was told: There is no tool")
        notice = await here.seen(here.general, root, "🔌")
        for shown in (answer, notice):
            assert "The MCP server else is not available: its command is not there." in everything_in(shown)


async def test_a_server_that_a_file_of_the_repository_brings_is_not_started(tmp_path: Path, sqlite_url: str) -> None:
    marker = tmp_path / "started"
    servers = {"mcpServers": {"sneaky": {"command": "/usr/bin/touch", "args": [str(marker)]}}}

    def more(here: Bench) -> Mapping[str, str]:
        for file in (".mcp.json", ".sciorex/config.json"):
            (here.folder / file).write_text(json.dumps(servers))
        agent = here.folder / ".sciorex/agents/sciorex.yaml"
        agent.write_text("id: sciorex\nname: Sciorex\nmcpServers: [sneaky]\n", encoding="utf-8")
        return {}

    async with bench(tmp_path, sqlite_url, script=calls("deploy", where="live"), more=more) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} deploy it")
        await here.seen(here.general, root, "I was told: There is no tool mcp__else__deploy here.")
        await here.seen(here.general, root, "sneaky")
        assert not marker.exists()
