"""The doctor, against real files, a real database and a local Slack: what it finds, and how it says so."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.database import Database
from bot.doctor import examine
from bot.inbox.intake import thread_for
from bot.local_slack import LocalSlack
from bot.sessions.linking import link_session
from bot.sessions.session import new_session_id, start_session
from bot.settings import read_manifest

TICKETS = {
    "T-042": "id: T-042\ntitle: Add avatars\n",
    "T-050": "id: T-050\ntitle: Old\narchived: true\n",
}
WHO = ["ok   Agents with the Read tool enabled: sciorex", "ok   Agents with sciorex-tickets configured: sciorex"]
PERMISSIONS = [
    "ok   Approvals are given by: whoever asked the agent (a question stays open 14 days)",
    "ok   Sessions begin in the mode: auto-approve edits",
    "ok   Modes are chosen by: ask for all: full members; auto-approve edits: full members; YOLO: nobody",
]


@pytest.fixture
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = read_manifest()
    return loaded


@pytest.fixture
async def slack(manifest: dict[str, Any]) -> AsyncIterator[LocalSlack]:
    slack = LocalSlack(manifest)
    await slack.start()
    yield slack
    await slack.stop()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "work/.sciorex/tickets"
    folder.mkdir(parents=True)
    for name, text in TICKETS.items():
        (folder / f"{name}.yaml").write_text(text)
    return tmp_path / "work"


@pytest.fixture
def environ(slack: LocalSlack, workspace: Path, database_url: str) -> dict[str, str]:
    """Everything as it should be."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "ANTHROPIC_API_KEY": "sk-1",
        "SCIOREX_WORKSPACE": str(workspace),
        "DATABASE_URL": database_url,
    }


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    asyncio.run(database.close())


async def told(environ: dict[str, str], ticket: str | None = None) -> tuple[int, list[str]]:
    lines: list[str] = []
    code = await examine(environ, ticket=ticket, tell=lines.append, env_file=Path("/nowhere/.env"))
    return code, lines


def bad(lines: list[str]) -> list[str]:
    return [line.removeprefix("bad  ") for line in lines if line.startswith("bad  ")]


async def link(database: Database, ticket_id: str, thread_ts: str) -> None:
    """Links a thread with a telling title to a ticket, as a click in Slack would."""

    def write(connection: Any) -> None:
        session = start_session(
            connection,
            session_id=new_session_id(),
            team="T1",
            workspace="default",
            thread_id=thread_for(connection, "T1", "C1", thread_ts),
            title="A secret title",
            agent="sciorex",
            model="claude",
            by="UADA",
            now_ms=1,
        )
        link_session(connection, session, ticket_id, None, key=f"k{thread_ts}", by="UADA", now_ms=2)

    await database.write("link", write)


async def test_all_is_well_where_all_is_well(environ: dict[str, str], database: Database) -> None:
    await link(database, "T-042", "1.1")
    code, lines = await told(environ)
    assert (code, bad(lines)) == (0, [])
    assert [line for line in lines if "not set" not in line] == [
        "ok   SLACK_BOT_TOKEN",
        "ok   SLACK_APP_TOKEN",
        "ok   SLACK_API_URL",
        "ok   ANTHROPIC_API_KEY",
        "ok   DATABASE_URL",
        "ok   SCIOREX_WORKSPACE",
        "ok   Slack takes SLACK_BOT_TOKEN (workspace Local, bot sciorex)",
        "ok   The app has the scopes of manifest.yml",
        "ok   Slack takes SLACK_APP_TOKEN",
        "ok   The database opens and takes writes",
        "ok   The database's tables are up to date",
        "ok   The tickets folder can be read and written",
        "ok   Every ticket file is valid YAML, and its id is its own",
        "ok   Every link leads to a ticket that can be read",
        "ok   The MCP server sciorex-tickets starts",
        "ok   Every file of an agent or flow can be read",
        *WHO,
        "ok   Every MCP server that agents name is offered",
        *PERMISSIONS,
    ]


async def test_limits_that_do_not_count_a_model_are_a_warning_and_nothing_wrong(
    environ: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "config.yml"
    config.write_text("limits: {day: {cost: 50}}\n")
    code, lines = await told({**environ, "SCIOREX_CONFIG": str(config), "ANTHROPIC_MODEL": "claude-new"})
    assert (code, bad(lines)) == (0, [])
    [warned] = [line for line in lines if not line.startswith("ok   ")]
    assert warned.startswith("warn Limits on cost (day) count every model in use: no price for claude-new, ")


async def test_broken_links_are_named_by_ticket_alone(environ: dict[str, str], database: Database) -> None:
    for number, ticket_id in enumerate(("T-042", "T-404", "T-050", "T-404")):
        await link(database, ticket_id, f"1.{number}")
    code, lines = await told(environ)
    assert code == 1
    assert [line.split(":")[0] for line in bad(lines)] == ["Link to T-050", "Link to T-404"]
    assert "secret" not in "".join(lines)


async def test_unreadable_and_double_tickets_are_named_with_file_and_line(
    environ: dict[str, str], workspace: Path
) -> None:
    folder = workspace / ".sciorex/tickets"
    (folder / "T-060.yaml").write_text("id: T-060\ntitle: [\n")
    (folder / "copy.yaml").write_text(TICKETS["T-042"])
    code, lines = await told(environ)
    found = "\n".join(bad(lines))
    assert code == 1
    assert ".sciorex/tickets/T-060.yaml, line" in found
    assert ".sciorex/tickets/copy.yaml" in found


async def test_every_problem_of_the_settings_has_its_line_and_the_rest_is_looked_at(
    environ: dict[str, str],
) -> None:
    del environ["ANTHROPIC_API_KEY"]
    code, lines = await told({**environ, "PORT": "many", "LOG_FORMAT": "xml"})
    assert code == 1
    assert [line.split(":")[0] for line in bad(lines)] == ["ANTHROPIC_API_KEY", "PORT", "LOG_FORMAT"]
    assert "ok   The MCP server sciorex-tickets starts" in lines


async def test_a_missing_workspace_is_said_once(environ: dict[str, str], tmp_path: Path) -> None:
    code, lines = await told({**environ, "SCIOREX_WORKSPACE": str(tmp_path)})
    assert (code, [line.split(":")[0] for line in bad(lines)]) == (1, ["SCIOREX_WORKSPACE"])


async def test_tokens_that_slack_refuses_are_named_and_not_shown(environ: dict[str, str]) -> None:
    wrong = {"SLACK_BOT_TOKEN": "xoxb-1-wrong", "SLACK_APP_TOKEN": "xapp-1-wrong"}
    code, lines = await told({**environ, **wrong})
    assert code == 1
    assert bad(lines) == [
        "Slack takes SLACK_BOT_TOKEN: Slack answers invalid_auth; copy it once more from the app's page",
        "Slack takes SLACK_APP_TOKEN: Slack answers invalid_auth; copy it once more from the app's page",
    ]
    assert "-1-wrong" not in "".join(lines)


async def test_a_slack_that_cannot_be_reached_is_said(environ: dict[str, str], slack: LocalSlack) -> None:
    await slack.stop()
    code, lines = await told(environ)
    assert code == 1
    assert [line.split(":")[0] for line in bad(lines)] == ["Slack takes SLACK_BOT_TOKEN", "Slack takes SLACK_APP_TOKEN"]
    assert all("cannot be reached" in line for line in bad(lines))


@pytest.mark.parametrize(
    ("left_out", "wrong"),
    [
        ("users:read", ["The app has the scopes of manifest.yml: missing: users:read."]),
        ("assistant:write", []),
    ],
)
async def test_scopes_are_compared_with_those_in_use(
    environ: dict[str, str], manifest: dict[str, Any], left_out: str, wrong: list[str]
) -> None:
    manifest["oauth_config"]["scopes"]["bot"].remove(left_out)
    slack = LocalSlack(manifest)
    await slack.start()
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    _, lines = await told({**environ, **tokens, "SLACK_API_URL": slack.api_url})
    await slack.stop()
    assert [line[: len(wrong[0])] for line in bad(lines)] == wrong if wrong else bad(lines) == []


async def test_a_database_that_does_not_open_is_said(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "not.db").write_text("this is no database, and long enough to be seen as none" * 50)
    code, lines = await told({**environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'not.db'}"})
    assert code == 1
    assert bad(lines) == [
        "The database opens and takes writes: file is not a database. Look at DATABASE_URL and its rights"
    ]


async def test_a_database_that_is_not_there_yet_is_not_made(environ: dict[str, str], tmp_path: Path) -> None:
    code, lines = await told({**environ, "DATABASE_URL": f"sqlite:///{tmp_path}/new/bot.db"})
    assert (code, bad(lines)) == (0, [])
    assert "ok   The database will be made at the first run" in lines
    assert not (tmp_path / "new").exists()


async def test_a_database_that_is_behind_is_said(environ: dict[str, str], database: Database) -> None:
    await database.write(
        "age it", lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    )
    code, lines = await told(environ)
    assert code == 1
    assert [line.split(":")[0] for line in bad(lines)] == ["The database's tables are up to date"]


async def test_one_ticket_is_looked_at_alone(environ: dict[str, str], database: Database) -> None:
    await link(database, "T-042", "1.1")
    code, lines = await told(environ, "t-42")
    assert (code, lines) == (
        0,
        [
            "ok   T-042 exists, is valid YAML and is not archived",
            "ok   The tickets folder can be read and written",
            "ok   The database opens and takes writes",
            "ok   The database's tables are up to date",
            "ok   Threads where the agent knows the ticket: 1 linked to it (@Sciorex link t-42 links one)",
            "ok   The MCP server sciorex-tickets starts",
            *WHO,
            *PERMISSIONS,
        ],
    )


@pytest.mark.parametrize(
    ("ticket_id", "said"),
    [
        ("T-43", "T-43: There is no ticket T-043. Did you mean T-042"),
        ("T-050", "T-050: T-050 is archived, so it cannot be linked."),
        ("T-061", "T-061: The ticket file .sciorex/tickets/T-061.yaml, line "),
        ("nonsense", "nonsense: There is no ticket nonsense."),
    ],
)
async def test_what_is_wrong_with_one_ticket_is_said(
    environ: dict[str, str], workspace: Path, ticket_id: str, said: str
) -> None:
    (workspace / ".sciorex/tickets/T-061.yaml").write_text("id: T-061\nlabels: {a: [\n")
    code, lines = await told(environ, ticket_id)
    assert code == 1
    [line] = bad(lines)
    assert line.startswith(said)


@pytest.fixture
def several(environ: dict[str, str], workspace: Path, tmp_path: Path) -> dict[str, str]:
    """Two workspaces; the second has a T-042 of its own and a broken file."""
    folder = tmp_path / "app/.sciorex/tickets"
    folder.mkdir(parents=True)
    (folder / "T-042.yaml").write_text("id: T-042\ntitle: Rotate keys\narchived: true\n")
    config = tmp_path / "sciorex-slack.yml"
    config.write_text("workspaces:\n  default: {folder: work, default: true}\n  app: {folder: app}\n")
    return {**environ, "SCIOREX_CONFIG": str(config)}


async def test_every_workspace_is_looked_at(several: dict[str, str], database: Database, tmp_path: Path) -> None:
    (tmp_path / "app/.sciorex/tickets/T-043.yaml").write_text("id: [")
    await link(database, "T-042", "1.1")
    code, lines = await told(several)
    assert code == 1
    assert [line.split(":")[:2] for line in bad(lines)] == [["app", " A file of the workspace"]]
    assert "ok   SCIOREX_WORKSPACE (does not count: SCIOREX_CONFIG names the workspaces)" in lines
    for name in ("default", "app"):
        assert f"ok   {name}: The tickets folder can be read and written" in lines
        assert f"ok   {name}: Every link leads to a ticket that can be read" in lines
        assert f"ok   {name}: The MCP server sciorex-tickets starts" in lines


async def test_a_ticket_is_looked_for_in_every_workspace(several: dict[str, str], database: Database) -> None:
    await link(database, "T-042", "1.1")
    code, lines = await told(several, "T-042")
    assert code == 1
    assert bad(lines) == ["app: T-042: T-042 is archived, so it cannot be linked."]
    assert "ok   default: T-042 exists, is valid YAML and is not archived" in lines
    threads = [line for line in lines if "Threads where" in line]
    assert ["1 linked to it" in line for line in threads] == [True, False]
    code, lines = await told(several, "T-050")
    assert [line.startswith("ok   app:") for line in lines].count(True) == 0


async def test_threads_of_a_workspace_that_no_setting_names_are_found(
    several: dict[str, str], database: Database, tmp_path: Path
) -> None:
    await link(database, "T-042", "1.1")
    (tmp_path / "sciorex-slack.yml").write_text("workspaces:\n  website: {folder: work}\n")
    code, lines = await told(several)
    assert (code, bad(lines)) == (
        1,
        [
            "The workspace default: no setting names it, and 1 linked thread belongs to it. "
            "Put it back into SCIOREX_CONFIG"
        ],
    )


async def test_all_that_is_wrong_with_the_configuration_file_stands_in_its_line(
    several: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "sciorex-slack.yml").write_text("workspaces:\n  app: {folder: app, channels: ['#app']}\n  b: {}\n")
    _, lines = await told(several)
    [line] = bad(lines)
    assert line.startswith("SCIOREX_CONFIG: ")
    for words in ("#app is no id", "workspaces.b has no folder", "none of the workspaces is the default"):
        assert words in line
