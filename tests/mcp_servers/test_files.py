"""Read, Glob and Grep over real files: what they give, what is not there for them, and what cannot hold them up."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from bot.errors import BotError
from bot.mcp_servers import files_inside, files_search
from bot.mcp_servers.files import Files, files_server
from bot.mcp_servers.files_inside import Inside

SECRET = "swordfish"
HIDDEN = (
    *(".env", ".env.local", "sub/.ENV", "prod.env", ".env~", ".env.bak", ".Env.swp", ".git/config", "sub/.git/HEAD"),
    *(
        "server.pem",
        "SERVER.PEM.old",
        "a.key",
        "b.p12",
        "id_rsa",
        "keys/id_ed25519.pub",
        "deploy_rsa",
        ".ssh/known_hosts",
    ),
    *(".sciorex/sessions/session-x.json", "sub/.sciorex/Sessions/s.json", ".sciorex/config.json", ".mcp.json"),
    *(
        ".sciorex-slack/bot.db",
        ".netrc",
        "credentials.json",
        "secrets.yml.bak",
        ".vscode/mcp.json",
        "x/.claude/settings.json",
    ),
    *("own/bot.db", "own/bot.db-wal", "own/BOT.db", "own/sciorex.yml", "other/notes.txt"),
)
PRIVATE = ("own/bot.db", "own/sciorex.yml", "other")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with secrets in every hidden place, and three ordinary files."""
    made = tmp_path / "workspace"
    for name in HIDDEN:
        put(made, name, f"{SECRET} in {name}\n")
    put(made, "README.md", "one\ntwo\nthree\n")
    put(made, "src/app.py", "import os\nprint('hello')\n")
    put(made, "src/deep/er/x.ts", "const x = 1\r\nconst hello = 2\r\n")
    return made


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


async def called(
    folder: Path, tool: str, private: Collection[Path] | None = None, **arguments: Any
) -> tuple[str, bool]:
    hidden = [folder / name for name in PRIVATE] if private is None else private
    async with Client(files_server(folder, private=hidden)) as client:
        result = await client.call_tool(tool, arguments)
        return str(getattr(result.content[0], "text", "")), bool(result.is_error)


async def given(folder: Path, tool: str, **arguments: Any) -> str:
    text, failed = await called(folder, tool, **arguments)
    assert not failed, text
    return text


async def refused(folder: Path, tool: str, **arguments: Any) -> str:
    text, failed = await called(folder, tool, **arguments)
    assert failed, text
    return text


def absent(path: str) -> str:
    return f"There is nothing at “{path}” that could be read. Paths begin in the workspace's folder."


async def test_the_tools_have_the_names_that_agents_files_use(folder: Path) -> None:
    async with Client(files_server(folder, private=())) as client:
        tools = (await client.list_tools()).tools
    assert {tool.name: list(tool.input_schema["properties"]) for tool in tools} == {
        "Read": ["file_path", "offset", "limit"],
        "Glob": ["pattern", "path"],
        "Grep": ["pattern", "path", "glob", "limit"],
    }
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)


async def test_a_file_is_read_with_its_lines_numbers(folder: Path) -> None:
    assert await given(folder, "Read", file_path="README.md") == "1\tone\n2\ttwo\n3\tthree"
    assert await given(folder, "Read", file_path=str(folder / "src" / "app.py"), offset=2) == "2\tprint('hello')"
    part = await given(folder, "Read", file_path="./README.md", offset=0, limit=2)
    assert part == "1\tone\n2\ttwo\n(Lines 1 to 2 of 3; go on with offset 3.)"
    assert await refused(folder, "Read", file_path="README.md", offset=9) == "The file has 3 lines; there is no line 9."
    assert await refused(folder, "Read", file_path="src") == "“src” is a folder. Glob lists the files in it."


async def test_what_is_no_text_or_too_much_is_said(folder: Path) -> None:
    put(folder, "logo.png", b"\x89PNG\0\0" + b"x" * 94)
    put(folder, "empty", "")
    put(folder, "large", "x" * 5_000_001)
    put(folder, "wide", "y" * 3_000 + "\n" + "z\n" * 50_000)
    put(folder, "latin", b"caf\xe9\n")
    assert await given(folder, "Read", file_path="logo.png") == "(A binary file of 100 bytes; it is not shown.)"
    assert await given(folder, "Read", file_path="empty") == "(The file is empty.)"
    assert await given(folder, "Read", file_path="latin") == "1\tcaf\N{REPLACEMENT CHARACTER}"
    assert "has 5,000,001 bytes, more than the 5,000,000 that are read." in await refused(
        folder, "Read", file_path="large"
    )
    wide = await given(folder, "Read", file_path="wide", limit=5_000)
    assert wide.startswith("1\t" + "y" * 2_000 + "… (cut: 3,000 characters)\n2\tz\n")
    assert "of 50,001; go on with offset" in wide
    assert len(wide) < 51_000
    assert await given(folder, "Grep", pattern="PNG|zzz") == "Nothing was found."


async def test_files_are_found_by_their_paths(folder: Path) -> None:
    found = await given(folder, "Glob", pattern="**/*")
    assert found.splitlines() == ["README.md", "src/app.py", "src/deep/er/x.ts"]
    assert await given(folder, "Glob", pattern="src/**/*.{ts,py}") == "src/app.py\nsrc/deep/er/x.ts"
    assert await given(folder, "Glob", pattern="*.py", path="src") == "src/app.py"
    assert await given(folder, "Glob", pattern="*.py") == "No file fits."
    assert "is a file. Glob looks into folders." in await refused(folder, "Glob", pattern="*", path="README.md")
    assert "too many alternatives" in await refused(folder, "Glob", pattern="{a,b}" * 20)


async def test_lines_are_found_by_what_stands_in_them(folder: Path) -> None:
    assert await given(folder, "Grep", pattern="(?i)HELLO") == (
        "src/app.py:2: print('hello')\nsrc/deep/er/x.ts:2: const hello = 2"
    )
    assert await given(folder, "Grep", pattern="hello", glob="*.ts") == "src/deep/er/x.ts:2: const hello = 2"
    assert await given(folder, "Grep", pattern="hello", path="src/app.py") == "src/app.py:2: print('hello')"
    assert await given(folder, "Grep", pattern="hello", path="src", glob="deep/**/*.ts") == (
        "src/deep/er/x.ts:2: const hello = 2"
    )
    few = await given(folder, "Grep", pattern=".", limit=2)
    assert few.splitlines()[2] == "(Not all: there are more than 2. Name a folder with path, or be more exact.)"
    assert "no regular expression of Python's: " in await refused(folder, "Grep", pattern="(")
    assert await given(folder, "Grep", pattern="[1]") == "src/deep/er/x.ts:1: const x = 1"


@pytest.mark.parametrize("name", HIDDEN)
async def test_a_secret_is_as_if_it_were_not_there(folder: Path, name: str) -> None:
    for path in (name, f"./{name}", str(folder / name)):
        assert await refused(folder, "Read", file_path=path) == absent(path)


async def test_no_search_finds_a_secret_or_says_that_it_is_there(folder: Path) -> None:
    assert await given(folder, "Grep", pattern=SECRET) == "Nothing was found."
    private = [str(folder / name) for name in PRIVATE]
    for pattern in ("**/.env*", "**/*.pem", ".git/**", "own/*", "other/**", "**/sessions/*"):
        assert search_in(folder, "Glob", pattern=pattern, private=private) == {"text": "No file fits."}
    for tool in ("Glob", "Grep"):
        for path in (".git", ".sciorex/sessions", "other", "not-there", "../workspace", "/etc", "own/bot.db"):
            assert search_in(folder, tool, pattern="x", path=path, private=private) == {"error": absent(path)}


@pytest.mark.parametrize(
    "spelled", [".ENV", "README.md/../.env", ".git/../.env", "\uff0eenv", ".e\u200bnv", ".env.", "a/../x"]
)
async def test_no_other_spelling_leads_there(folder: Path, spelled: str) -> None:
    assert await refused(folder, "Read", file_path=spelled) == absent(spelled)
    assert ".." in spelled or Inside(folder).hides((spelled,))  # whatever this disk takes it for


async def test_no_link_leads_out_or_to_a_secret(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "outside.txt", SECRET)
    (folder / "out").symlink_to(tmp_path)
    (folder / "out.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "fine.txt").symlink_to(folder / ".env")
    (folder / "docs").symlink_to(folder / ".git")
    (folder / "plain.txt").symlink_to(folder / "server.pem")
    (folder / "hosts").symlink_to(folder / ".ssh")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "good.txt").symlink_to(folder / "README.md")
    os.link(folder / ".env", folder / "hard.txt")
    os.link(folder / "own" / "bot.db", folder / "hard.bin")
    leading = ("out/outside.txt", "out.txt", "out", "fine.txt", "plain.txt", "docs/config", "hosts/known_hosts", "loop")
    for path in (*leading, "hard.txt", "hard.bin"):
        assert await refused(folder, "Read", file_path=path) == absent(path)
    assert await given(folder, "Read", file_path="good.txt", limit=1) == (
        "1\tone\n(Lines 1 to 1 of 3; go on with offset 2.)"
    )
    assert await given(folder, "Grep", pattern=SECRET) == "Nothing was found."
    assert "hard" not in await given(folder, "Glob", pattern="*")
    for tool in ("Glob", "Grep"):
        assert await refused(folder, tool, pattern="x", path="out") == absent("out")


async def test_the_folder_may_itself_be_called_by_a_link(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "by-link"
    link.symlink_to(folder)
    private = [link / name for name in PRIVATE]
    for path in ("README.md", str(link / "README.md"), str(folder / "README.md")):
        assert (await called(link, "Read", private, file_path=path, limit=3))[0].startswith("1\tone")
    assert (await called(link, "Grep", private, pattern=SECRET))[0] == "Nothing was found."


async def test_what_is_no_file_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(os.path.relpath(folder / "door"))
        for path in ("pipe", "door"):
            assert await refused(folder, "Read", file_path=path) == absent(path)
        assert await given(folder, "Grep", pattern="hello", glob="*.py") == "src/app.py:2: print('hello')"


def test_what_is_put_in_the_place_of_a_checked_file_is_not_read(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/app.py", SECRET)
    inside = Inside(folder)
    parts, _is_folder = inside.look("src/app.py")
    (folder / "src").rename(folder / "before")
    (folder / "src").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="src"):
        inside.content(parts, 100)
    (folder / "src").unlink()
    (folder / "src").mkdir()
    (folder / "src" / "app.py").symlink_to(folder / ".env")
    with pytest.raises(OSError, match=r"app\.py"):
        inside.content(parts, 100)


async def test_a_pattern_that_never_ends_is_ended_and_holds_nobody_up(folder: Path) -> None:
    put(folder, "evil.txt", "a" * 60 + "!")
    files = Files(folder, (), seconds=-1.5)  # the process is ended half a second later
    begun, turns = time.monotonic(), 0
    search = asyncio.create_task(files.grep("(a+)+$", path="evil.txt"))
    while not search.done():
        await asyncio.sleep(0)
        turns += 1
    with pytest.raises(BotError, match=r"The search was ended after 0\.5 seconds\. Use a simpler"):
        await search
    assert time.monotonic() - begun < 5
    assert turns > 10


async def test_who_does_not_wait_any_more_ends_the_search(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "evil.txt", "a" * 60 + "!")
    started: list[asyncio.subprocess.Process] = []
    make = asyncio.create_subprocess_exec

    async def kept(*command: str, **how: Any) -> asyncio.subprocess.Process:
        assert not any("SECRET" in name or "TOKEN" in name for name in how["env"])
        started.append(await make(*command, **how))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", kept)
    search = asyncio.create_task(Files(folder, (), 60).grep("(a+)+$", path="evil.txt"))
    while not started:
        await asyncio.sleep(0)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    assert started[0].returncode == -9


def search_in(folder: Path, tool: str, **given: Any) -> dict[str, str]:
    """What the process answers, in this one."""
    request = {"tool": tool, "folder": str(folder), "private": [], "seconds": 5, "path": ".", "glob": "", "limit": 100}
    return files_search.answer(request | given)


def test_only_so_much_is_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_search, "MOST_ENTRIES", 3)
    assert "(Not all: it ended after 3 entries." in search_in(folder, "Glob", pattern="**/*")["text"]
    monkeypatch.setattr(files_search, "MOST_ENTRIES", 1_000)
    assert "(Not all: it ended since it took too long." in search_in(folder, "Glob", pattern="**", seconds=-1)["text"]
    monkeypatch.setattr(files_search, "MOST_BYTES", 20)
    assert "(Not all: it ended after " in search_in(folder, "Grep", pattern="hello")["text"]
    monkeypatch.setattr(files_search, "MOST_BYTES", 1_000_000)
    put(folder, "wide.txt", f"{'w' * 1_000}\n" * 500)
    wide = search_in(folder, "Grep", pattern="www", limit=500)["text"]
    assert len(wide) < 41_000
    assert "the answer would be too long" in wide


def test_a_name_cannot_break_out_of_its_line(folder: Path) -> None:
    put(folder, "a\nb\x1b[31m.txt", "x")
    os.close(os.open(os.fsencode(folder) + b"/\xff.txt", os.O_CREAT))
    text = search_in(folder, "Glob", pattern="*.txt")["text"]
    assert text.splitlines() == ["a?b?[31m.txt", "\N{REPLACEMENT CHARACTER}.txt"]
    json.dumps(text).encode()


def test_what_nobody_wrote_is_searched_only_when_it_is_named(folder: Path) -> None:
    put(folder, "node_modules/lib/index.js", "hello")
    assert "node_modules" not in search_in(folder, "Glob", pattern="**/*")["text"]
    assert search_in(folder, "Glob", pattern="**/*", path="node_modules")["text"] == "node_modules/lib/index.js"
    assert "node_modules" in files_inside._HEAVY
