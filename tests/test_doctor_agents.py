"""The doctor on agents: their files and tools, outside servers that it really starts, and who may decide what."""

import json
import sys
from pathlib import Path

import pytest

from bot.config_file import WorkspaceEntry
from bot.config_sections import Access, AgentChoice, Limit, Limits, Price, ServerEntry
from bot.doctor_agents import Found, agents_of_workspace, cost_limits, outside_servers, permissions
from bot.settings import Settings, look_at_settings

ROOT = Path(__file__).parent.parent
TICKETS_OVER_STDIO = ["-m", "bot", "mcp"]


def workspace(folder: Path, **agents: str) -> Path:
    (folder / ".sciorex/agents").mkdir(parents=True)
    for name, text in agents.items():
        (folder / f".sciorex/agents/{name}.yaml").write_text(text)
    return folder


async def told(folder: Path, settings: Settings | None = None) -> list[Found]:
    return [found async for found in agents_of_workspace(folder, settings or Settings())]


async def servers(**entries: ServerEntry) -> list[Found]:
    return [found async for found in outside_servers(Settings(servers=entries))]


async def test_who_has_read_and_who_has_tickets_is_information(tmp_path: Path) -> None:
    reader = "id: reader\nallowedTools: [Read, Grep]\nmcpServers: []\n"
    writer = (
        "id: writer\nallowedTools: [{tool: Read, allowed: false}, sciorex_add_comment]\nmcpServers: [sciorex-tickets]"
    )
    assert await told(workspace(tmp_path, reader=reader, writer=writer)) == [
        ("Every file of an agent or flow can be read", None),
        (
            "Agents with the Read tool enabled: reader, sciorex; "
            "not: writer (their files would need allowedTools: Read)",
            None,
        ),
        (
            "Agents with sciorex-tickets configured: sciorex, writer; "
            "not: reader (their files would need mcpServers: sciorex-tickets)",
            None,
        ),
        ("Every MCP server that agents name is offered", None),
    ]


async def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = workspace(tmp_path, broken="id: a\nname: [\n")
    (folder / ".sciorex/flows").mkdir()
    (folder / ".sciorex/flows/bad.json").write_text("{")
    wrong = [problem for _, problem in await told(folder) if problem]
    assert [".sciorex/agents/broken.yaml, line 3" in wrong[0], ".sciorex/flows/bad.json" in wrong[1]] == [True, True]
    assert len(wrong) == 2


async def test_an_agent_in_two_files_is_told_with_both(tmp_path: Path) -> None:
    folder = workspace(tmp_path, one="id: twin\n", two="id: twin\n")
    both = ".sciorex/agents/one.yaml, .sciorex/agents/two.yaml"
    said = f"The agent twin stands in more than one file: {both}. Keep one of them."
    assert ("A file of an agent or flow", said) in await told(folder)


async def test_a_server_that_agents_name_and_nobody_offers_is_wrong(tmp_path: Path) -> None:
    folder = workspace(tmp_path, a="id: a\nmcpServers: [github, sciorex-tickets]\n", b="id: b\nmcpServers: [github]\n")
    mend = "nobody offers it; name it in SCIOREX_CONFIG under servers, or take it out of the agents' files"
    assert ("The MCP server github that agents name (a, b)", mend) in await told(folder)
    known = Settings(servers={"github": ServerEntry(command="github-mcp")})
    assert ("Every MCP server that agents name is offered", None) in await told(folder, known)


async def test_the_agent_that_sessions_begin_with_must_be_there(tmp_path: Path) -> None:
    folder = workspace(tmp_path, r="id: code-reviewer-e5f6a7b8\n")
    assert (await told(folder, Settings(agents=AgentChoice(default="code-reviewer"))))[-1] == (
        "Sessions begin with the agent code-reviewer",
        None,
    )
    what, problem = (await told(folder, Settings(agents=AgentChoice(default="code-revewer"))))[-1]
    assert what == "Sessions begin with the agent code-revewer"
    assert problem is not None
    assert "code-reviewer-e5f6a7b8" in problem
    assert problem.endswith("Mend agents.default in SCIOREX_CONFIG")


async def test_the_agent_of_a_channel_must_be_in_that_channels_workspace(tmp_path: Path) -> None:
    one, two = workspace(tmp_path / "one", r="id: reviewer\n"), workspace(tmp_path / "two")
    entries = (
        WorkspaceEntry("one", one, default=True),
        WorkspaceEntry("two", two, channels=("C0TWO0000",)),
    )
    choice = AgentChoice(channels={"C0ONE0000": "reviewer", "C0TWO0000": "reviewer"})
    settings = Settings(workspaces=entries, agents=choice)
    assert (await told(one, settings))[-1] == ("Sessions in C0ONE0000 begin with the agent reviewer", None)
    what, problem = (await told(two, settings))[-1]
    assert what == "Sessions in C0TWO0000 begin with the agent reviewer"
    assert problem is not None and problem.endswith("Mend agents.channels.C0TWO0000 in SCIOREX_CONFIG")


async def test_an_outside_server_is_really_started_and_counted(tmp_path: Path) -> None:
    (tmp_path / ".sciorex/tickets").mkdir(parents=True)
    env = {"PYTHONPATH": str(ROOT), "SCIOREX_WORKSPACE": str(tmp_path)}
    entry = ServerEntry.model_validate({"command": sys.executable, "args": TICKETS_OVER_STDIO, "env": env})
    assert await servers(tracker=entry) == [("The outside MCP server tracker starts and has 20 tools", None)]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"command": "/nowhere/no-such-program"}, "install /nowhere/no-such-program"),
        (
            {"command": sys.executable, "args": ["-c", "import sys; sys.exit('no licence for s3cret-word')"]},
            "no licence for ***",
        ),
        ({"url": "http://127.0.0.1:9/mcp"}, "127.0.0.1"),
    ],
)
async def test_an_outside_server_that_does_not_start_is_named_with_how_to_mend_it(
    entry: dict[str, object], said: str
) -> None:
    secret = {"env": {"KEY": "s3cret-word"}} if "command" in entry else {"headers": {"X-Key": "s3cret-word"}}
    [(what, problem)] = await servers(tracker=ServerEntry.model_validate(entry | secret))
    assert what == "The outside MCP server tracker starts"
    assert problem is not None
    assert said in problem
    assert "s3cret-word" not in problem


def test_a_file_that_names_commands_lies_where_no_git_pull_brings_it(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    (folder / ".sciorex").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder / "config.yml")
    for file in (folder / "config.yml", tmp_path / "config.yml"):
        file.write_text("servers: {gone: {command: /nowhere/no-such-program}}\n")
    given = {"SCIOREX_WORKSPACE": str(folder)}
    told = []
    for name in ("repository/config.yml", "link", "config.yml"):
        environ = given | {"SCIOREX_CONFIG": str(tmp_path / name)}
        settings, problems = look_at_settings(environ, need="doctor", env_file=Path("/nowhere/.env"))
        told.append((list(settings.servers), any("move it elsewhere" in problem.text for problem in problems)))
    assert told == [([], True), ([], True), (["gone"], False)]


async def test_servers_that_a_repository_names_are_nothing_to_the_bot(tmp_path: Path) -> None:
    folder, marker = workspace(tmp_path), tmp_path / "started"
    named = {"mcpServers": {"evil": {"command": "/usr/bin/touch", "args": [str(marker)]}}}
    for file in (".mcp.json", ".sciorex/config.json"):
        (folder / file).write_text(json.dumps(named))
    settings, _ = look_at_settings({"SCIOREX_WORKSPACE": str(folder)}, need="doctor", env_file=Path("/nowhere/.env"))
    assert settings.servers == {}
    assert [found async for found in outside_servers(settings)] == []
    assert not marker.exists()


def test_who_decides_and_who_may_choose_the_modes_is_told() -> None:
    assert [what for what, _ in permissions(Settings(access=Access(approvers=("asker", "UADA00000"))))] == [
        "Approvals are given by: whoever asked the agent, UADA00000 (a question stays open 14 days)",
        "Sessions begin in the mode: auto-approve edits",
        "Modes are chosen by: ask for all: full members; auto-approve edits: full members; YOLO: nobody",
    ]


def test_models_without_a_price_are_named_where_limits_on_cost_are_set(tmp_path: Path) -> None:
    agents = {"a": "id: a\nmodel: claude-haiku-4-5\n", "b": "id: b\nmodel: claude-opus-4-20250514\n", "c": "id: c\n"}
    folders = [workspace(tmp_path / "one", **agents), workspace(tmp_path / "two", d="id: d\nmodel: other\n")]
    price = Price(input=1, output=5)
    limits = Limits(turn=Limit(cost=2), thread=Limit(tokens=9), day=Limit(cost=50))

    def told_of(*priced: str, limits: Limits = limits) -> list[Found]:
        prices = dict.fromkeys(priced, price)
        return list(cost_limits(folders, Settings(anthropic_model="main", limits=limits, prices=prices)))

    what = "Limits on cost (turn, day) count every model in use"
    assert told_of("claude-opus-4") == [
        (
            what,
            "no price for claude-haiku-4-5, main, other, so these limits do not count what it costs; "
            "give prices in SCIOREX_CONFIG, or set limits on tokens as well",
        )
    ]
    assert told_of("claude-opus-4", "claude-haiku-4-5", "main", "other") == [(what, None)]
    assert told_of(limits=Limits(thread=Limit(tokens=9))) == []
