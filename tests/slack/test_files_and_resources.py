"""What an agent is given of the workspace's files, and of agents and flows, when it works in a thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import update

from bot.local_model import Reply, ToolCall, say
from bot.sessions.models import tool_call
from tests.bench import Bench, bench, everything_in
from tests.mcp_servers.test_files import absent
from tests.slack.asked import at_rest
from tests.slack.test_agent_and_tickets import results

SAVE = "mcp__sciorex-resources__sciorex_save_agent"
ANSWER, SECRET = "I was told:", "swordfish"


def calls(*made: ToolCall) -> Any:
    """A script that makes one call after the other, and then says what it was told."""

    def script(request: dict[str, Any]) -> Reply:
        told = results(request)
        return say(made[len(told)]) if len(told) < len(made) else say(f"{ANSWER} {told[-1]}")

    return script


def agent(here: Bench, text: str) -> None:
    """The agent with which sessions begin here."""
    file = here.folder / ".sciorex" / "agents" / "sciorex.yaml"
    file.write_text(f"id: sciorex\nsystemPrompt: Work.\n{text}")


def offered(here: Bench) -> list[str]:
    """The tools that the model was offered last, those of tickets left out."""
    names = [tool["name"] for tool in here.model.requests[-1].get("tools", [])]
    return [name for name in names if "-tickets__" not in name and "-interactions__" not in name]


async def test_an_agent_has_the_file_tools_that_its_file_names(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=calls()) as here:

        async def has(text: str) -> list[str]:
            agent(here, text)
            await here.ask(here.alice, here.general, f"{here.at} hello", ANSWER)
            return offered(here)

        here.model.script = lambda request: say(ANSWER)
        assert await has("") == ["Read", "Glob", "Grep"]
        assert await has("allowedTools: [Grep, 'Read(src/*)']\n") == ["Read", "Grep"]
        assert await has("allowedTools: [sciorex_get_ticket, Bash]\n") == []
        assert await has("allowedTools: [{tool: Read}, {tool: Glob, allowed: false}]\n") == ["Read"]
        resources = await has("allowedTools: [sciorex_save_flow]\nmcpServers: [sciorex-resources]\n")
        assert resources == ["mcp__sciorex-resources__sciorex_save_flow"]


async def test_files_are_read_and_the_bots_own_are_not_there(tmp_path: Path, database_url: str) -> None:
    def settings(here: Bench) -> dict[str, str]:
        (here.folder / "notes.md").write_text("the plan\n")
        (here.folder / "bot.yml").write_text(f"# {SECRET}\naccess: {{days: 3}}\n")
        return {"SCIOREX_CONFIG": str(here.folder / "bot.yml")}

    hidden, ticket = "bot.yml", ".sciorex/tickets/T-042.yaml"  # tickets tell of sessions, and have tools of their own
    reads = [ToolCall("Read", {"file_path": path}) for path in (hidden, ticket)]
    reads.append(ToolCall("Grep", {"pattern": f"^the plan$|T-042|{SECRET}"}))
    async with bench(tmp_path, database_url, script=calls(*reads), more=settings) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} what is planned?", "notes.md:1: the plan")
        told = results(here.model.requests[-1])
        assert told == [
            absent(hidden),
            absent(ticket),
            "notes.md:1: the plan",
        ]
        assert SECRET not in everything_in(here.own(here.general, root))


async def test_another_workspace_within_the_folder_is_not_there(tmp_path: Path, sqlite_url: str) -> None:
    def settings(here: Bench) -> dict[str, str]:
        inner = here.folder / "inner"
        (inner / ".sciorex").mkdir(parents=True)
        (inner / "notes.md").write_text(SECRET)
        config = tmp_path / "bot.yml"
        config.write_text(
            f"workspaces:\n  outer: {{folder: {here.folder}, default: true}}\n  inner: {{folder: {inner}}}\n"
        )
        return {"SCIOREX_CONFIG": str(config)}

    search = ToolCall("Grep", {"pattern": SECRET, "path": "."})
    async with bench(tmp_path, sqlite_url, script=calls(search), more=settings) as here:
        await here.ask(here.alice, here.general, f"{here.at} look", f"{ANSWER} Nothing was found.")


async def test_an_agents_file_is_changed_only_as_it_was_approved(tmp_path: Path, database_url: str) -> None:
    new = "id: helper\nname: Helper\n"
    save = ToolCall(SAVE, {"id": "helper", "content": new})
    async with bench(tmp_path, database_url, script=calls(save)) as here:
        agent(here, "mcpServers: [sciorex-resources]\n")
        file = here.folder / ".sciorex" / "agents" / "by-hand.yaml"
        file.write_text("id: helper\nname: Old\n")
        root = await here.slack.say(here.alice, here.general, f"{here.at} rename the helper")
        first = await here.seen(here.general, root, "May the agent do this?")
        assert "-name: Old\n+name: Helper" in everything_in(first)
        await at_rest(here)
        file.write_text("id: helper\nname: Older\n")
        await here.slack.click(here.alice, here.general, str(first["ts"]), "question_approve")
        second = await here.seen(here.general, root, "-name: Older\n+name: Helper")
        await at_rest(here)
        assert file.read_text() == "id: helper\nname: Older\n"
        await here.slack.click(here.alice, here.general, str(second["ts"]), "question_approve")
        await here.seen(here.general, root, ANSWER)
        assert file.read_text() == new


async def test_a_deletion_after_which_the_bot_died_is_told_as_done(tmp_path: Path, database_url: str) -> None:
    delete = ToolCall("mcp__sciorex-resources__sciorex_delete_agent", {"id": "code-reviewer"})
    async with bench(tmp_path, database_url, script=calls(delete)) as here:
        agent(here, "mcpServers: [sciorex-resources]\n")
        root = await here.slack.say(here.alice, here.general, f"{here.at} we need no reviewer")
        card = await here.seen(here.general, root, "May the agent do this?")
        await at_rest(here)
        assert here.bot is not None
        begun = update(tool_call).values(state="started", started_ms=1)
        await here.bot.parts.db.write("died", lambda c: c.execute(begun).rowcount)
        (here.folder / ".sciorex" / "agents" / "code-reviewer.yaml").unlink()
        await here.slack.click(here.alice, here.general, str(card["ts"]), "question_approve")
        await here.seen(here.general, root, f"{ANSWER} Deleted: there is no file of an agent “code-reviewer” any more.")
