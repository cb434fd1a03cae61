"""The agent that a person means."""

from pathlib import Path

import pytest

from bot.definitions.agents import DEFAULT_AGENT, Agent, Agents
from bot.definitions.finding import find_agent
from bot.errors import BotError
from tests.definitions.test_agents import agents_of

REVIEWER = Agent("code-reviewer-e5f6a7b8", "Code Reviewer")
TESTER, OTHER_TESTER = Agent("tester-00000001", "Unit Tester"), Agent("tester-00000002", "Load Tester")
AGENTS = Agents({agent.id: agent for agent in (REVIEWER, TESTER, OTHER_TESTER)})


@pytest.mark.parametrize(
    "words", ["code-reviewer-e5f6a7b8", "code-reviewer", "Code-Reviewer", " code reviewer ", "CODE REVIEWER"]
)
def test_an_agent_is_found_by_id_by_id_without_its_end_and_by_name(words: str) -> None:
    assert find_agent(AGENTS, words) is REVIEWER


def test_the_built_in_agent_is_found_unless_a_file_takes_its_place() -> None:
    assert find_agent(AGENTS, "Sciorex") is DEFAULT_AGENT
    own = Agent("sciorex", "Ours")
    assert find_agent(Agents({"sciorex": own}), "sciorex") is own


def test_an_id_goes_before_a_name() -> None:
    a, b = Agent("one", "two"), Agent("two", "one")
    assert find_agent(Agents({"one": a, "two": b}), "two") is b
    assert find_agent(Agents({"A": Agent("A", "x"), "a": Agent("a", "y")}), "a").name == "y"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("tester", "“tester” may be tester-00000001 (Unit Tester) or tester-00000002 (Load Tester). Say the id."),
        ("code-revewer", "There is no agent “code-revewer”. Did you mean code-reviewer-e5f6a7b8 (Code Reviewer)?"),
        (
            "zzz",
            "There is no agent “zzz”. There are: sciorex, code-reviewer-e5f6a7b8 (Code Reviewer), "
            "tester-00000001 (Unit Tester), tester-00000002 (Load Tester).",
        ),
    ],
)
def test_what_is_unknown_or_ambiguous_is_answered_with_the_nearest(words: str, sentence: str) -> None:
    with pytest.raises(BotError) as error:
        find_agent(AGENTS, words)
    assert error.value.text == sentence


@pytest.mark.parametrize("words", ["Twin", "twin-e5f6a7b8"])
def test_an_id_that_two_files_have_is_told_with_both(tmp_path: Path, words: str) -> None:
    agents = agents_of(tmp_path, one="id: twin-e5f6a7b8\n", two="id: twin-e5f6a7b8\n")
    with pytest.raises(BotError) as error:
        find_agent(agents, words)
    assert error.value.text == (
        "The agent twin-e5f6a7b8 stands in more than one file: .sciorex/agents/one.yaml, .sciorex/agents/two.yaml. "
        "Keep one of them."
    )
