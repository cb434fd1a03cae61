"""The one place where the parts meet: settings, database, tickets, model, Slack, worker."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import uvicorn
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.agent.model import Model
from bot.database import Database
from bot.definitions.agents import Agents, read_agents
from bot.errors import BotError
from bot.inbox.worker import Pace, Worker
from bot.mcp_servers.outside import OutsideServers
from bot.sessions.choice import present_ids
from bot.sessions.searching.said import settle
from bot.settings import Settings, data_folder, private_paths
from bot.slack.doors import register
from bot.slack.intake.arrivals import Identity
from bot.slack.intake.http import web_app
from bot.slack.pace import Appends
from bot.slack.parts import CommandNames, Parts
from bot.slack.people import People
from bot.slack.tickets.following import follow, linked_threads
from bot.slack.work import work
from bot.slack.workspaces import Workspace, Workspaces
from bot.tickets.store import TicketStore

log = logging.getLogger(__name__)


@dataclass
class Bot:
    """The running bot: its parts, Bolt's app and the worker."""

    parts: Parts
    app: AsyncApp
    worker: Worker
    settings: Settings


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def create_app(settings: Settings, *, pace: Pace | None = None) -> AsyncIterator[Bot]:
    """Joins the parts; the database is migrated and Slack has said who the bot is when this gives the bot.

    Raises BotError, with what to mend, when Slack does not know the token or cannot be reached.
    """
    pace = pace or Pace()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        client = AsyncWebClient(
            token=_secret(settings.slack_bot_token),
            base_url=settings.slack_api_url,
            session=http,
            retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=3)],
            timeout=30,
        )
        me = await who_am_i(client)
        db = Database(settings.database, settle=settle)
        await asyncio.to_thread(db.migrate)
        parts = _parts(settings, pace, client, me, db)
        for old, new in (await db.read(lambda c: present_ids(c, me.team))).items():
            parts.workspaces.warn_of_move(old, new)
        worker = Worker(db, lambda claim: work(parts, claim), now_ms=now_ms, pace=pace)
        parts.wake, parts.stop_thread = worker.wake, worker.stop_thread
        app = _bolt(settings, client, me)
        register(app, parts)
        working = asyncio.create_task(worker.run())
        hearers = [linked_threads(now_ms)]
        following = [asyncio.create_task(follow(parts, one, hearers)) for one in parts.workspaces]
        try:
            yield Bot(parts, app, worker, settings)
        finally:
            await worker.close()
            for task in (working, *following):
                task.cancel()
            await asyncio.gather(working, *following, return_exceptions=True)
            for workspace in parts.workspaces:
                await asyncio.to_thread(workspace.store.close)
            await parts.outside.close()
            await parts.model.close()
            parts.files.shutdown(wait=True)
            await db.close()


def _parts(settings: Settings, pace: Pace, client: AsyncWebClient, me: Identity, db: Database) -> Parts:
    files = ThreadPoolExecutor(4, thread_name_prefix="tickets")
    return Parts(
        db=db,
        workspaces=_workspaces(settings, files),
        private_folder=data_folder(settings) / "sessions",
        client=client,
        people=People(client, me),
        me=me,
        model=Model(
            api_key=_secret(settings.anthropic_api_key),
            base_url=settings.anthropic_base_url,
            model=settings.anthropic_model,
        ),
        commands=CommandNames(settings.commands.link, settings.commands.unlink, settings.commands.ticket),
        pace=pace,
        now_ms=now_ms,
        appends=Appends(),
        files=files,
        access=settings.access,
        prices=settings.prices,
        limits=settings.limits,
        private_paths=private_paths(settings),
        agents=settings.agents,
        outside=OutsideServers(settings.servers),
    )


def _workspaces(settings: Settings, files: ThreadPoolExecutor) -> Workspaces:
    made = [
        Workspace(
            name=entry.name,
            folder=entry.folder,
            store=TicketStore(entry.folder),
            agents=partial(agents_of, entry.folder),
            files=files,
            channels=entry.channels,
        )
        for entry in settings.ticket_workspaces
    ]
    return Workspaces(made, settings.default_workspace.name)


def _secret(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def agents_of(folder: Path) -> Agents:
    """The workspace's agents, as their files stand now; one that cannot be read is logged."""
    found = read_agents(folder)
    for problem in found.problems:
        log.warning("%s", problem.text)
    return found


async def who_am_i(client: AsyncWebClient) -> Identity:
    """Asks Slack once; every event after that is taken without asking again."""
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        reason = error.response.get("error")
        raise BotError(
            f"Slack does not accept SLACK_BOT_TOKEN ({reason}). Install the app again, or check it."
        ) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise BotError(f"Slack cannot be reached at SLACK_API_URL ({type(error).__name__}).") from error
    return Identity(
        team=answer["team_id"],
        user=answer["user_id"],
        bot=answer.get("bot_id") or "",
        name=answer.get("user") or "sciorex",
        url=answer.get("url") or "",
    )


def _bolt(settings: Settings, client: AsyncWebClient, me: Identity) -> AsyncApp:
    async def authorize(**_: object) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id=me.team, bot_token=client.token, bot_id=me.bot, bot_user_id=me.user
        )

    logging.getLogger("slack_bolt").setLevel(logging.WARNING)  # at INFO it logs bodies with a bad signature
    return AsyncApp(
        client=client,
        signing_secret=_secret(settings.slack_signing_secret) or secrets.token_hex(16),
        authorize=authorize,
        process_before_response=True,
        raise_error_for_unhandled_request=True,
        ignoring_self_events_enabled=False,  # an admin who deletes an answer of ours makes one; the listeners sort them
    )


async def run(settings: Settings) -> int:
    """The bot until SIGTERM or SIGINT: Socket Mode when there is an app token, HTTP otherwise. Gives the exit code."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with create_app(settings) as bot, listening(bot):
            log.info("ready as @%s", bot.parts.me.name)
            await stop.wait()
    except BotError as error:
        log.error("%s", error.text)
        return 1
    return 0


@asynccontextmanager
async def listening(bot: Bot) -> AsyncIterator[None]:
    """Takes what Slack sends until left: over Socket Mode, over HTTP on PORT, or both for the health doors."""
    settings = bot.settings
    server = None
    if settings.port is not None or settings.slack_app_token is None:
        server = await serve(bot, settings.port or 3000)
    handler = None
    if settings.slack_app_token is not None:
        handler = AsyncSocketModeHandler(bot.app, settings.slack_app_token.get_secret_value())
        await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if handler is not None:
            await handler.close_async()  # type: ignore[no-untyped-call]
        if server is not None:
            server.should_exit = True


async def serve(bot: Bot, port: int) -> uvicorn.Server:
    """Starts the HTTP doors; gives the server once it listens."""
    config = uvicorn.Config(web_app(bot.app, bot.parts), log_level="warning", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve([listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    return server
