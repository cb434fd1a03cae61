"""The command line, run as people run it: help at once, exit codes, and the ticket server over stdio and HTTP."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

COMMANDS: tuple[list[str], ...] = (
    [],
    *([name] for name in ("run", "demo", "mcp", "doctor", "export", "verify", "erase")),
)
HEAVY = ("anthropic", "slack_bolt", "slack_sdk", "sqlalchemy", "mcp", "aiohttp", "pydantic", "yaml", "uvloop")
TICKET = "id: T-001\ntitle: Add avatars\nstatus: planned\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A current folder without .env, and below it a workspace with one ticket."""
    (tmp_path / "work/.sciorex/tickets").mkdir(parents=True)
    (tmp_path / "work/.sciorex/tickets/T-001.yaml").write_text(TICKET)
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    """What this machine has set, less what would be a setting of the bot."""
    ours = ("SLACK_", "ANTHROPIC_", "SCIOREX_", "LOG_", "DATABASE_URL", "PORT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONPATH": str(Path(__file__).parent.parent), **more}


def bot(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment(**more), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0] if command else "bot")
def test_help_of_every_command_answers_in_under_half_a_second(command: list[str], folder: Path) -> None:
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        done = bot(*command, "--help", cwd=folder)
        seconds.append(time.perf_counter() - begun)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Usage: python -m bot")
    assert min(seconds) < 0.5


def test_help_imports_nothing_heavy(folder: Path) -> None:
    script = (
        "import sys\nfrom bot.__main__ import main\nmain(['run', '--help'], standalone_mode=False)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_run_names_all_missing_settings_and_exits_with_2(folder: Path) -> None:
    done = bot("run", cwd=folder, SLACK_SIGNING_SECRET="hush", PORT="none")
    assert (done.returncode, done.stdout) == (2, "")
    named = [line.split(":")[0].strip() for line in done.stderr.splitlines()[1:]]
    assert named == ["PORT", "SLACK_BOT_TOKEN", "ANTHROPIC_API_KEY", "SCIOREX_WORKSPACE"]
    assert "hush" not in done.stderr


def test_an_unknown_command_is_refused(folder: Path) -> None:
    done = bot("frobnicate", cwd=folder)
    assert done.returncode == 2
    assert "No such command 'frobnicate'" in done.stderr


def test_the_ticket_server_needs_a_workspace(folder: Path) -> None:
    done = bot("mcp", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "SCIOREX_WORKSPACE" in done.stderr


async def test_the_ticket_server_answers_over_stdio(folder: Path) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "bot", "mcp", "tickets"],
        env=environment(SCIOREX_WORKSPACE=str(folder / "work")),
        cwd=folder,
    )
    async with Client(server) as client:
        assert await title_of(client, "t-1") == "Add avatars"


async def test_the_ticket_server_serves_the_workspace_of_a_name(folder: Path) -> None:
    tickets = folder / "app/.sciorex/tickets"
    tickets.mkdir(parents=True)
    (tickets / "T-001.yaml").write_text("id: T-001\ntitle: Rotate keys\n")
    config = folder / "sciorex-slack.yml"
    config.write_text("workspaces:\n  website: {folder: work, default: true}\n  app: {folder: app}\n")
    titles = {}
    for extra in ((), ("--workspace", "app"), ("--workspace", "website")):
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "bot", "mcp", *extra],
            env=environment(SCIOREX_CONFIG=str(config)),
            cwd=folder,
        )
        async with Client(server) as client:
            titles[extra[-1] if extra else ""] = await title_of(client, "T-001")
    assert titles == {"": "Add avatars", "app": "Rotate keys", "website": "Add avatars"}
    done = bot("mcp", "--workspace", "webside", cwd=folder, SCIOREX_CONFIG=str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "There is no workspace webside. Known: website, app.\n"
    done = bot("mcp", "--workspace", "app", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the file of SCIOREX_CONFIG names no workspaces" in done.stderr


async def test_core_leaves_only_the_tools_of_one_ticket(folder: Path) -> None:
    names = {}
    for extra in ((), ("--core",)):
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "bot", "mcp", *extra],
            env=environment(SCIOREX_WORKSPACE=str(folder / "work")),
            cwd=folder,
        )
        async with Client(server) as client:
            names[extra] = {tool.name for tool in (await client.list_tools()).tools}
    assert {"sciorex_get_ticket", "sciorex_update_subtask"} <= names["--core",] < names[()]


async def test_stdio_carries_nothing_but_the_protocol(folder: Path) -> None:
    (folder / "work/.sciorex/tickets/T-002.yaml").write_text("id: [")
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "mcp"),
        cwd=folder,
        env=environment(SCIOREX_WORKSPACE=str(folder / "work"), LOG_LEVEL="DEBUG"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    out, _ = await server.communicate(json.dumps(request).encode() + b"\n")
    [answer] = [json.loads(line) for line in out.splitlines()]
    assert answer["id"] == 1
    assert answer["result"]["serverInfo"]["name"] == "sciorex-tickets"


async def test_the_ticket_server_answers_over_http_on_this_machine_alone(folder: Path) -> None:
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "mcp", "--http", str(port)),
        cwd=folder,
        env=environment(SCIOREX_WORKSPACE=str(folder / "work")),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.wait_for(listening(port), 30)
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            assert await title_of(client, "T-001") == "Add avatars"
    finally:
        server.send_signal(signal.SIGINT)
        assert await server.wait() == 0


def test_verify_says_by_its_exit_code_whether_anything_was_changed(folder: Path) -> None:
    sessions = folder / "work/.sciorex/sessions"
    done = bot("verify", cwd=folder, SCIOREX_WORKSPACE="work")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "There are no archived transcripts.")
    sessions.mkdir()
    (sessions / "session-s-1.json").write_text("{")
    done = bot("verify", cwd=folder, SCIOREX_WORKSPACE="work")
    assert (done.returncode, done.stderr) == (1, "")
    assert "bad  .sciorex/sessions/session-s-1.json: " in done.stdout
    done = bot("verify", "s-2", cwd=folder, SCIOREX_WORKSPACE="work")
    assert (done.returncode, done.stderr) == (2, "There is no session s-2.\n")
    assert bot("verify", cwd=folder).returncode == 2


def test_export_writes_a_file_and_prints_where(folder: Path) -> None:
    sessions = folder / "work/.sciorex/sessions"
    sessions.mkdir()
    (sessions / "session-s-1.json").write_text('{"id": "s-1", "title": "Avatars", "messages": []}')
    done = bot("export", "s-1", "--format", "html", "--out", "here", cwd=folder, SCIOREX_WORKSPACE="work")
    assert (done.returncode, done.stdout, done.stderr) == (0, "here/session-s-1.html\n", "")
    assert "<h1" in (folder / "here/session-s-1.html").read_text()
    done = bot("export", "s-9", cwd=folder, SCIOREX_WORKSPACE="work")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no session s-9.")
    assert not (folder / "work/.sciorex-slack").exists()


async def title_of(client: Client, ticket_id: str) -> str:
    answer = await client.call_tool("sciorex_get_ticket", {"ticketId": ticket_id})
    assert not answer.is_error
    [content, *_] = answer.content
    assert isinstance(content, TextContent)
    assert isinstance(answer.structured_content, dict)
    return str(answer.structured_content["title"])


async def listening(port: int) -> None:
    """Comes back when somebody takes connections at the port."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
