"""Which agent answers: by word, in the header, by the settings; and what happens when its file goes away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.definitions.agents import Agent, Agents
from bot.errors import BotError
from bot.local_model import Reply, ToolCall, say
from bot.local_model.reply import Thinking
from bot.slack.agent.agents import meant
from bot.slack.views.agent_blocks import agent_select
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered

REVIEWER = "You review code and plans"


def header(here: Bench, root: str) -> dict[str, Any]:
    """The header of a thread."""
    return next(m for m in here.own(here.general, root) if "session_menu" in everything_in(m))


def select(here: Bench, root: str) -> dict[str, Any]:
    elements = header(here, root)["blocks"][1]["elements"]
    return next(one for one in elements if one["action_id"] == "agent_choose")


def system(here: Bench) -> str:
    return everything_in(here.model.requests[-1]["system"])


@pytest.mark.parametrize("words", ["<at> use code-reviewer", "!use Code Reviewer", "<at> use agent code reviewer"])
async def test_the_chosen_agent_answers_from_the_next_turn_on(tmp_path: Path, sqlite_url: str, words: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        assert REVIEWER not in system(here)
        assert select(here, root)["initial_option"]["value"] == "sciorex"
        await here.slack.say(here.alice, here.general, words.replace("<at>", here.at), root)
        await here.seen(here.general, root, f"<@{here.alice}> chose the agent")
        await here.ask(here.alice, here.general, "and now?", "Answer 2.", root)
        assert REVIEWER in system(here)
        await at_rest(here)
        assert select(here, root)["initial_option"]["value"] == "code-reviewer"
        assert "🤖 Code Reviewer" in everything_in(header(here, root))


async def test_the_headers_menu_chooses_too_and_the_same_again_changes_nothing(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await at_rest(here)
        for _ in range(2):
            ts = header(here, root)["ts"]
            await here.slack.click(here.bob, here.general, ts, "agent_choose", selected="code-reviewer")
            await at_rest(here)
        said = [m for m in here.own(here.general, root) if "chose the agent" in everything_in(m)]
        assert len(said) == 1
        await here.told(here.bob, "Code Reviewer answers here already.")


async def test_a_turn_under_way_keeps_its_agent(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await here.model.hold()
        root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
        await here.model.until(lambda m: len(m.requests) == 1)
        await here.slack.say(here.alice, here.general, "!use code-reviewer", root)
        await here.slack.say(here.alice, here.general, "go on", root)
        await here.model.release()
        await here.seen(here.general, root, "Answer 2.")
        asked = [everything_in(request["system"]) for request in here.model.requests]
        assert [REVIEWER in one for one in asked] == [False, True]


async def test_use_alone_lists_the_agents_and_says_what_speaks_against_one_that_cannot_be_chosen(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.slack.say(here.alice, here.general, "!use", root)
        listed = everything_in(await here.told(here.alice, "Agents here"))
        assert "`code-reviewer` Code Reviewer: Reads what is proposed" in listed
        assert "`sciorex` Sciorex (answers here)" in listed
        await here.slack.say(here.alice, here.general, "!use code-reviwer", root)
        await here.told(here.alice, "There is no agent “code-reviwer”. Did you mean code-reviewer")
        original = here.folder / ".sciorex" / "agents" / "code-reviewer.yaml"
        original.with_name("copy.yaml").write_text(original.read_text(), encoding="utf-8")
        await here.slack.say(here.alice, here.general, "!use code-reviewer", root)
        both = ".sciorex/agents/code-reviewer.yaml, .sciorex/agents/copy.yaml. Keep one of them."
        await here.told(here.alice, f"The agent code-reviewer stands in more than one file: {both}")


async def test_somebody_of_another_workspace_chooses_no_agent(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        eve = here.slack.add_user("Eve", team_id="T0OTHER")
        shared = here.slack.add_channel("shared", shared=True, members=(here.alice, eve, here.slack.bot_user_id))
        root = await here.ask(here.alice, shared, f"{here.at} hello", "Answer 1.")
        await here.slack.say(eve, shared, "!use code-reviewer", root)
        await here.told(eve, "Only members of the workspace")
        await here.ask(here.alice, shared, f"{here.at} and now?", "Answer 2.", root)
        assert REVIEWER not in system(here)


async def test_an_agents_file_counts_from_the_next_turn_and_its_going_is_said_once(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        file = here.folder / ".sciorex" / "agents" / "code-reviewer.yaml"
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.slack.say(here.alice, here.general, "!use code-reviewer", root)
        await here.seen(here.general, root, "chose the agent")
        file.write_text(file.read_text().replace(REVIEWER, "You look at plans"), encoding="utf-8")
        await here.ask(here.alice, here.general, "and now?", "Answer 2.", root)
        assert "You look at plans" in system(here)
        file.write_text("id: code-reviewer\nname: [broken\n", encoding="utf-8")
        await here.ask(here.alice, here.general, "and now?", "Answer 3.", root)
        await here.ask(here.alice, here.general, "and now?", "Answer 4.", root)
        assert "You look at plans" not in system(here)
        gone = [m for m in here.own(here.general, root) if "its file cannot be read" in everything_in(m)]
        assert len(gone) == 1


@pytest.mark.parametrize(("wanted", "reviews"), [("Code Reviewer", True), ("nobody", False)])
async def test_a_channel_has_the_agent_that_the_settings_name(
    tmp_path: Path, sqlite_url: str, wanted: str, reviews: bool, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "config.yaml"

    def more(here: Bench) -> dict[str, str]:
        config.write_text(f"agents:\n  channels:\n    {here.general}: {wanted}\n", encoding="utf-8")
        return {"SCIOREX_CONFIG": str(config)}

    async with bench(tmp_path, sqlite_url, script=numbered(), more=more) as here:
        await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        assert (REVIEWER in system(here)) is reviews
        assert ("There is no agent “nobody”" in caplog.text) is not reviews


async def test_a_model_that_is_gone_is_said_once_in_a_thread(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered(), models=("claude-sonnet-5-5",)) as here:
        agent = here.folder / ".sciorex" / "agents" / "sciorex.yaml"
        agent.write_text("id: sciorex\nmodel: claude-sonnet-4-20250514\n", encoding="utf-8")
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.ask(here.alice, here.general, "and now?", "Answer 2.", root)
        said = [m for m in here.own(here.general, root) if "is not served any more" in everything_in(m)]
        assert len(said) == 1
        other = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 3.")
        assert "is not served any more" in everything_in(here.own(here.general, other))


async def test_an_agent_that_thinks_sends_its_thoughts_back_with_the_tools_result(
    tmp_path: Path, sqlite_url: str
) -> None:
    def script(request: dict[str, Any]) -> Reply:
        if len(request["messages"]) == 1:
            call = ToolCall("mcp__sciorex-tickets__sciorex_get_ticket", {"ticketId": "T-042"})
            return say(Thinking("Hm."), "I look.", call)
        return say(Thinking("Aha."), "Seen.")

    async with bench(tmp_path, sqlite_url, script=script) as here:
        agent = here.folder / ".sciorex" / "agents" / "sciorex.yaml"
        agent.write_text("id: sciorex\nthinkingLevel: think-hard\ntemperature: 0.2\n", encoding="utf-8")
        await here.ask(here.alice, here.general, f"{here.at} look at T-042", "Seen.")
        second = here.model.requests[1]
        assert second["thinking"] == {"type": "enabled", "budget_tokens": 10_000}
        assert second["messages"][1]["content"][0]["type"] == "thinking"
        assert "temperature" not in second


def test_an_agent_is_found_also_where_its_id_was_typed_as_code() -> None:
    agents = Agents({"a-b": Agent("a-b", "First"), "c": Agent("c", "Second")})
    assert [meant(agents, words).id for words in ("`a-b`", "“second”")] == ["a-b", "c"]
    with pytest.raises(BotError, match="There is no agent “zzzzzz”"):
        meant(agents, "zzzzzz")


def test_the_menu_holds_a_hundred_with_the_current_one_among_them() -> None:
    made = agent_select([Agent(f"a{n}", f"Agent {n}") for n in range(150)], "a149")
    assert made is not None
    assert len(made["options"]) == 100
    assert made["initial_option"]["value"] == "a149"
    assert agent_select([Agent("only", "Only")], "only") is None
