"""`python -m bot run` as a process: it answers, says how it is, and goes when it is told to."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.demo import SAMPLE
from bot.local_model import LocalModel
from bot.local_slack import LocalSlack
from bot.settings import read_manifest
from tests.bench import everything_in


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@asynccontextmanager
async def running(
    slack: LocalSlack, model: LocalModel, folder: Path, port: int, *, http: bool
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The bot as a process, from its readiness until it is told to end, which it must do with exit code 0."""
    way = {"SLACK_SIGNING_SECRET": slack.signing_secret} if http else {"SLACK_APP_TOKEN": slack.app_token}
    environ = {
        "PATH": "/usr/bin:/bin",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "ANTHROPIC_API_KEY": "scripted",
        "ANTHROPIC_BASE_URL": model.url,
        "SCIOREX_WORKSPACE": str(folder),
        "PORT": str(port),
        **way,
    }
    where = Path(__file__).parent.parent
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "run", env=environ, cwd=where)
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as web:
            while await status(web, port, "readyz") != 200:
                await asyncio.sleep(0.05)
        yield process
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 25) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def status(web: aiohttp.ClientSession, port: int, path: str) -> int:
    """The HTTP status of one of the bot's doors; 0 while nobody listens."""
    try:
        async with web.get(f"http://127.0.0.1:{port}/{path}") as answer:
            await answer.read()
            return answer.status
    except aiohttp.ClientError:
        return 0


@pytest.mark.parametrize("http", [True, False], ids=["http", "socket mode"])
async def test_it_runs_answers_and_ends_when_told_to(tmp_path: Path, http: bool) -> None:
    folder = tmp_path / "workspace"
    shutil.copytree(SAMPLE, folder)
    slack, model, port = LocalSlack(read_manifest()), LocalModel(), free_port()
    await slack.start()
    await model.start()
    try:
        alice = slack.add_user("Alice")
        general = slack.add_channel("general", members=(alice, slack.bot_user_id))
        if http:
            slack.request_url = f"http://127.0.0.1:{port}/slack/events"
        async with running(slack, model, folder, port, http=http):
            async with aiohttp.ClientSession() as web:
                assert [await status(web, port, path) for path in ("healthz", "metrics")] == [200, 200]
            root = await slack.say(alice, general, f"<@{slack.bot_user_id}> hello")
            await slack.until(lambda s: "scripted" in everything_in(s.messages(general, root)), timeout=10)
            (folder / ".sciorex").rename(folder / "gone")
            async with aiohttp.ClientSession() as web:
                assert await status(web, port, "readyz") == 503
        assert (folder / ".sciorex-slack" / ".gitignore").read_text() == "*\n"
    finally:
        await model.stop()
        await slack.stop()


async def test_the_demo_tells_where_it_is_and_what_to_do_and_nothing_else(tmp_path: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", str(port), "--data", str(tmp_path / "demo")),
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parent.parent)},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while b"Stop with" not in (line := await process.stdout.readline()):
            assert line, await process.communicate()
        process.send_signal(signal.SIGINT)
        assert (await process.communicate(), process.returncode) == ((b"\n", b""), 0)
