"""`make demo`: the whole bot on this machine alone, with a local Slack in the browser and a scripted model."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import click

from bot.app import create_app, listening
from bot.config_sections import Price
from bot.local_model import LocalModel
from bot.local_slack import LocalSlack
from bot.settings import Settings, read_manifest, read_settings

log = logging.getLogger(__name__)
SAMPLE = Path(__file__).parent / "sample_workspace"
WORDS_A_SECOND = 0.03  # the scripted model's pause between two pieces of text: one sees the answer stream
PRETENDED = Price(input=3, output=15)  # so that receipts of the scripted model have a cost to show
HINTS = (
    "Ask the agent for help: `@Sciorex Help me implement this feature` – then open the thread under your message.",
    "It asks which ticket. In the thread press *Link to ticket* and choose T-042: now it knows the ticket.",
    "Ask there: `What's left to do on this ticket?`",
    "Then: `Yes, and mark it in progress` – the subtask changes in T-042.yaml, and the history there says who did it.",
    "Done? Press *Archive* in the thread, write a note, and look the ticket's threads up: `/ticket T-042 sessions`",
)


async def demo(port: int, data: Path, environ: Mapping[str, str] = os.environ) -> int:
    """Runs until interrupted; what happened is kept in `data`, so that the next start goes on from there."""
    workspace = data / "workspace"
    data.mkdir(parents=True, exist_ok=True)
    (data / ".gitignore").write_text("*\n")
    if not workspace.exists():
        shutil.copytree(SAMPLE, workspace)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        slack = await start_slack(data, port)
        stack.push_async_callback(slack.stop)
        settings, model = await demo_settings(slack, data, workspace, environ)
        if model:
            stack.push_async_callback(model.stop)
        bot = await stack.enter_async_context(create_app(settings))
        await stack.enter_async_context(listening(bot))
        who = f"Claude ({settings.anthropic_model})" if model is None else "a scripted model, not Claude"
        click.echo(f"\n  Sciorex for Slack, the demo, with {who}.\n  Open {slack.url} – the page says what to try.")
        click.echo("  Stop with Ctrl-C.\n")
        await stop.wait()
    return 0


async def start_slack(data: Path, port: int) -> LocalSlack:
    """The local Slack, with people and channels when it starts for the first time."""
    new = not (data / "slack").exists()
    slack = LocalSlack(read_manifest(), data=data / "slack")
    slack.hints = HINTS
    await slack.start(port=port)
    if new:
        alice, bob, carol = (slack.add_user(name, is_admin=name == "Alice") for name in ("Alice", "Bob", "Carol"))
        slack.add_channel("general", members=(alice, bob, carol, slack.bot_user_id))
        slack.add_channel("avatars", members=(alice, bob, carol, slack.bot_user_id))
        slack.add_channel("leads", private=True, members=(alice, bob, slack.bot_user_id))
        for person in (alice, bob, carol):
            slack.open_dm(person)
    return slack


async def demo_settings(
    slack: LocalSlack, data: Path, workspace: Path, environ: Mapping[str, str]
) -> tuple[Settings, LocalModel | None]:
    """Settings for this machine alone; with ANTHROPIC_API_KEY Claude is asked, else a scripted model is started."""
    own = read_settings(environ, need="demo")
    given = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "SCIOREX_WORKSPACE": str(workspace),
        "DATABASE_URL": f"sqlite:///{data.resolve() / 'bot.db'}",
    }
    nothing = data / "no.env"
    if own.anthropic_api_key:
        claude = {name: environ[name] for name in ("ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL") if environ.get(name)}
        key = {"ANTHROPIC_API_KEY": own.anthropic_api_key.get_secret_value()}
        return read_settings({**given, **claude, **key}, need="run", env_file=nothing), None
    model = LocalModel(pace=WORDS_A_SECOND)
    await model.start()
    scripted = {"ANTHROPIC_API_KEY": "scripted", "ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_MODEL": "scripted"}
    settings = read_settings({**given, **scripted}, need="run", env_file=nothing)
    return settings.model_copy(update={"prices": {"scripted": PRETENDED}}), model
