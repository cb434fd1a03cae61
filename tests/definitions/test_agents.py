"""Agents as real files define them, in both dialects."""

import os
from pathlib import Path
from typing import Any

import pytest

from bot.definitions import reading
from bot.definitions.agents import DEFAULT_AGENT, Agent, Agents, read_agents

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "extensions" / "agents"
SAMPLE = Path(__file__).resolve().parents[2] / "bot" / "sample_workspace"


def agents_of(folder: Path, **files: str) -> Agents:
    for name, text in files.items():
        path = folder / ".sciorex" / "agents" / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_agents(folder)


def test_a_workspace_without_agents_has_the_built_in_one(tmp_path: Path) -> None:
    agents = agents_of(tmp_path)
    assert agents == Agents({}, ())
    assert agents.get("sciorex") is DEFAULT_AGENT
    assert agents.get("reviewer") is None


def test_a_file_takes_the_place_of_the_built_in_agent(tmp_path: Path) -> None:
    agents = agents_of(tmp_path, own="id: sciorex\nsystemPrompt: Ours.\n")
    assert agents.get("sciorex") == Agent(id="sciorex", name="sciorex", system_prompt="Ours.")


def test_the_dialect_with_tables_is_read(tmp_path: Path) -> None:
    text = """
id: executor
name: Executor
icon: ⚡
systemPrompt: |
  You execute.
model: claude-sonnet-4-5-20250929
temperature: 0.2
maxTokens: 32768
thinkingLevel: think-hard
allowedTools:
  - tool: Read
    allowed: true
  - tool: Write
    allowed: false
  - tool: Bash
    constraints: {allowedCommands: [npm]}
mcpServers: [sciorex-tickets]
autoApprove: true
requiresHumanApproval: [Bash]
"""
    assert agents_of(tmp_path, deep__down__x=text).by_id == {
        "executor": Agent(
            id="executor",
            name="Executor",
            icon="⚡",
            system_prompt="You execute.",
            model="claude-sonnet-4-5-20250929",
            max_tokens=32768,
            thinking_level="think-hard",
            allowed_tools=("Read", "Bash"),
            denied_tools=("Write",),
            mcp_servers=("sciorex-tickets",),
            auto_approve=True,
            requires_human_approval=("Bash",),
        )
    }


def test_the_dialect_with_lists_is_read(tmp_path: Path) -> None:
    text = "id: r\nallowedTools: [Read, 'Bash:*']\nmcpServers: []\nautoApprove: [Read]\nautoApproveTools: [Grep]\n"
    assert agents_of(tmp_path, r=text).by_id["r"] == Agent(
        id="r", name="r", allowed_tools=("Read", "Bash:*"), mcp_servers=(), auto_approve_tools=("Read", "Grep")
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id: a\nname: [\n", ".sciorex/agents/bad.yaml, line 3 cannot be read: "),
        ("name: nobody\n", ".sciorex/agents/bad.yaml cannot be read: it has no id."),
        ("- id: a\n", "bad.yaml cannot be read: it is not a mapping of keys to values."),
        ("id: a\nmaxTokens: many\n", "bad.yaml cannot be read: maxTokens is not a whole number above 0."),
        ("id: a\nallowedTools: Read\n", "bad.yaml cannot be read: allowedTools is not a list."),
    ],
)
def test_a_bad_file_is_named_and_hides_no_other(tmp_path: Path, text: str, problem: str) -> None:
    agents = agents_of(tmp_path, bad=text, good="id: good\n")
    assert list(agents.by_id) == ["good"]
    assert [problem in one.text for one in agents.problems] == [True]


def test_two_files_with_one_id_are_both_named_and_neither_is_taken(tmp_path: Path) -> None:
    agents = agents_of(tmp_path, one="id: twin\n", two="id: twin\n")
    assert agents.by_id == {}
    assert [problem.text for problem in agents.problems] == [
        "The agent twin stands in more than one file: .sciorex/agents/one.yaml, .sciorex/agents/two.yaml. "
        "Keep one of them."
    ]


def test_the_agents_of_the_sample_workspace_load() -> None:
    agents = read_agents(SAMPLE)
    assert (sorted(agents.by_id), agents.problems) == (["code-reviewer", "sciorex"], ())
    assert agents.by_id["code-reviewer"].allowed_tools == (
        "Read",
        "sciorex_get_ticket",
        "sciorex_list_subtasks",
        "sciorex_add_comment",
    )


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of real agents is not on this machine")
def test_all_thirty_real_agents_load(tmp_path: Path) -> None:
    (tmp_path / ".sciorex").mkdir()
    (tmp_path / ".sciorex" / "agents").symlink_to(CORPUS)
    agents = read_agents(tmp_path)
    assert (len(agents.by_id), agents.problems) == (30, ())
    assert all(agent.system_prompt and agent.allowed_tools for agent in agents.by_id.values())


@pytest.mark.parametrize(
    ("level", "tokens"),
    [
        ("off", None),
        ("think", 1_024),
        ("Think Hard", 10_000),
        ("think-harder", 16_000),
        ("ultrathink", 32_000),
        ("very much", None),
        ("", None),
    ],
)
def test_a_thinking_level_is_a_number_of_tokens(tmp_path: Path, level: str, tokens: int | None) -> None:
    agent = agents_of(tmp_path, a=f"id: a\nthinkingLevel: {level}\n").by_id["a"]
    assert agent.thinking_budget == tokens
    assert agent.thinking_level == (level or None)


def test_keys_that_are_for_others_are_accepted(tmp_path: Path) -> None:
    text = "id: a\nprovider: anthropic\nadapter: claude-code\ntemperature: warm\ninputSchema: {type: object}\n"
    assert agents_of(tmp_path, a=text) == Agents({"a": Agent(id="a", name="a")})


@pytest.mark.parametrize(
    ("said", "auto", "tools"),
    [("", None, ()), ("autoApprove: true", True, ()), ("autoApprove: false", False, ()), ("autoApprove: []", None, ())],
)
def test_what_is_approved_by_itself_may_be_absent_a_bool_or_a_list(
    tmp_path: Path, said: str, auto: bool | None, tools: tuple[str, ...]
) -> None:
    agent = agents_of(tmp_path, a=f"id: a\n{said}\n").by_id["a"]
    assert (agent.auto_approve, agent.auto_approve_tools) == (auto, tools)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"[" * 100_000, "cannot be read: "),
        (b"id: a\nname: \xff\n", "cannot be read: it is not UTF-8 text."),
        (b"id: 2024-99-99\n", "cannot be read: it is not valid YAML."),
        (b"id: a\n#" + b"x" * 1_000_000, "cannot be read: it is larger than 1 MB."),
    ],
    ids=["deep", "no text", "no date", "large"],
)
def test_a_hostile_file_is_named_and_hides_no_other(tmp_path: Path, content: bytes, cause: str) -> None:
    agents_of(tmp_path, good="id: good\n")
    (tmp_path / ".sciorex" / "agents" / "bad.yaml").write_bytes(content)
    agents = read_agents(tmp_path)
    assert list(agents.by_id) == ["good"]
    assert [cause in one.text for one in agents.problems] == [True]


def test_a_file_is_parsed_anew_only_when_it_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parse, parsed = reading.parse, list[bytes]()

    def counted(content: bytes, ending: str, make: Any) -> Any:
        parsed.append(content)
        return parse(content, ending, make)

    monkeypatch.setattr(reading, "parse", counted)
    agents_of(tmp_path, a="id: a\nname: One\n")
    file = tmp_path / ".sciorex" / "agents" / "a.yaml"
    os.utime(file, (1_000_000, 1_000_000))
    parsed.clear()
    assert [read_agents(tmp_path).by_id["a"].name for _ in range(3)] == ["One"] * 3
    assert len(parsed) == 1
    file.write_text("id: a\nname: Two\n")
    assert read_agents(tmp_path).by_id["a"].name == "Two"
    lately = file.stat().st_mtime_ns
    file.write_text("id: a\nname: Six\n")  # as long, and within one tick of the disk's clock
    os.utime(file, ns=(lately, lately))
    assert read_agents(tmp_path).by_id["a"].name == "Six"
