"""The whole bot at work for a test: a local Slack, a scripted model, a copy of the sample workspace, real sockets."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bot.app import Bot, create_app, listening, serve
from bot.demo import SAMPLE
from bot.inbox.worker import Pace
from bot.local_model import LocalModel, Script, document_script
from bot.local_slack import LocalSlack
from bot.settings import Settings, read_manifest, read_settings

QUICK = Pace(beat=500, dead_after=2_000, look=200, grace=3_000, settle=200)


class Bench:
    """People, a channel and the bot in it; `folder` holds .sciorex/."""

    settings: Settings

    def __init__(self, slack: LocalSlack, model: LocalModel, folder: Path) -> None:
        self.slack, self.model, self.folder = slack, model, folder
        self.bot: Bot | None = None
        self._running = AsyncExitStack()
        self.alice, self.bob, self.carol = (slack.add_user(name) for name in ("Alice", "Bob", "Carol"))
        everybody = (self.alice, self.bob, self.carol, slack.bot_user_id)
        self.general = slack.add_channel("general", members=everybody)

    async def start(self, *, http: bool = False) -> None:
        """Starts the bot, again after `stop`: it finds what it left."""
        self.bot = await self._running.enter_async_context(create_app(self.settings, pace=QUICK))
        if http:
            server = await serve(self.bot, 0)
            port = server.servers[0].sockets[0].getsockname()[1]
            self.slack.request_url = f"http://127.0.0.1:{port}/slack/events"
            self._running.callback(setattr, server, "should_exit", True)
        else:
            await self._running.enter_async_context(listening(self.bot))

    async def stop(self) -> None:
        """Stops the bot; people, the model and the files stay."""
        await self._running.aclose()

    @property
    def at(self) -> str:
        """The mention of the bot, as it stands in a text."""
        return f"<@{self.slack.bot_user_id}>"

    def ticket(self, ticket_id: str) -> str:
        """The text of a ticket's file."""
        return (self.folder / ".sciorex" / "tickets" / f"{ticket_id}.yaml").read_text(encoding="utf-8")

    def own(self, channel: str, thread_ts: str) -> list[dict[str, Any]]:
        """The bot's messages in a thread."""
        return [m for m in self.slack.messages(channel, thread_ts) if m.get("bot_id") == self.slack.bot_id]

    async def seen(self, channel: str, thread_ts: str, text: str, *, timeout: float = 10) -> dict[str, Any]:
        """Waits for a finished message of the bot in the thread that holds this text."""

        def found() -> list[dict[str, Any]]:
            return [m for m in self.own(channel, thread_ts) if text in everything_in(m) and m.get("metadata")]

        await self.slack.until(lambda _: bool(found()), timeout=timeout)
        return found()[-1]

    async def told(self, user: str, text: str, *, timeout: float = 10) -> dict[str, Any]:
        """Waits for a message that this person alone sees and that holds this text."""

        def found() -> list[dict[str, Any]]:
            return [m for m in self.slack.ephemerals(user) if text in everything_in(m)]

        await self.slack.until(lambda _: bool(found()), timeout=timeout)
        return found()[-1]

    async def ask(self, user: str, channel: str, text: str, answer: str, thread_ts: str | None = None) -> str:
        """Says something, waits for the answer that holds a text, and gives the root's ts."""
        ts = await self.slack.say(user, channel, text, thread_ts)
        await self.seen(channel, thread_ts or ts, answer)
        return thread_ts or ts


def everything_in(value: object) -> str:
    """All texts of a message, its blocks' too, in one."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(everything_in(inner) for inner in value.values())
    if isinstance(value, list):
        return "\n".join(everything_in(inner) for inner in value)
    return ""


@asynccontextmanager
async def bench(
    tmp_path: Path,
    database_url: str,
    *,
    http: bool = False,
    script: Script = document_script,
    models: tuple[str, ...] | None = None,
    more: Callable[[Bench], Mapping[str, str]] = lambda here: {},
    **slack_options: Any,
) -> AsyncIterator[Bench]:
    """The bot in this process, by Socket Mode, or by signed HTTP; `more` gives settings for what there is."""
    folder = tmp_path / "workspace"
    shutil.copytree(SAMPLE, folder)
    async with AsyncExitStack() as stack:
        slack, model = LocalSlack(read_manifest(), **slack_options), LocalModel(script, models=models)
        for part in (slack, model):
            await part.start()
            stack.push_async_callback(part.stop)
        here = Bench(slack, model, folder)
        given = given_settings(slack, model, folder, database_url, http=http) | dict(more(here))
        here.settings = read_settings(given, need="run", env_file=tmp_path / "no.env")
        stack.push_async_callback(here.stop)
        await here.start(http=http)
        yield here


def given_settings(
    slack: LocalSlack, model: LocalModel, folder: Path, database_url: str, *, http: bool
) -> dict[str, str]:
    """Settings as a person would give them, for this local Slack and model."""
    way = {"SLACK_SIGNING_SECRET": slack.signing_secret} if http else {"SLACK_APP_TOKEN": slack.app_token}
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "ANTHROPIC_API_KEY": "scripted",
        "ANTHROPIC_BASE_URL": model.url,
        "SCIOREX_WORKSPACE": str(folder),
        "DATABASE_URL": database_url,
        **way,
    }
