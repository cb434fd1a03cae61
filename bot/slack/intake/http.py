"""The HTTP doors: POST /slack/events for what Slack sends; /healthz, /readyz and /metrics for whoever runs the bot."""

from __future__ import annotations

import json
import logging
import os
import re
import urllib.parse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import BotError
from bot.slack.parts import Parts
from bot.tickets.store import TicketStore

log = logging.getLogger(__name__)
# A signature that Bolt can read; whether it is right, Bolt says.
SIGNED = {
    "x-slack-request-timestamp": re.compile(r"[0-9]{1,12}"),
    "x-slack-signature": re.compile(r"v0=[0-9a-f]{64}"),
}
LARGEST_BODY = 1_000_000  # bytes; Slack's own are far smaller


def web_app(app: AsyncApp, parts: Parts) -> Starlette:
    """The ASGI app of the bot."""

    async def slack_events(request: Request) -> Response:
        body = await _body(request)
        if body is None or not _readable(body, request.headers.get("content-type", "")):
            return PlainTextResponse("malformed body", 400)
        if not all(form.fullmatch(request.headers.get(name, "")) for name, form in SIGNED.items()):
            return PlainTextResponse("not signed", 401)
        headers: dict[str, str | Sequence[str]] = {name: [value] for name, value in request.headers.items()}
        try:
            answer = await app.async_dispatch(AsyncBoltRequest(body=body, query=request.url.query, headers=headers))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            log.warning("a payload in no form of Slack's: %s", type(error).__name__)
            return PlainTextResponse("malformed payload", 400)
        return Response(
            answer.body,
            answer.status,
            {k: ", ".join(v) for k, v in answer.headers.items() if k != "content-length"},
        )

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("alive")

    async def readyz(_: Request) -> Response:
        wrong = await what_is_wrong(parts)
        return JSONResponse({"ready": not wrong, "wrong": wrong}, 503 if wrong else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/slack/events", slack_events, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )


async def what_is_wrong(parts: Parts) -> list[str]:
    """Which of database, workspace and Slack does not answer."""
    wrong = []
    try:
        await parts.db.read(lambda c: c.exec_driver_sql("SELECT 1").scalar_one())
    except Exception as error:
        log.warning("the database does not answer: %s", type(error).__name__)
        wrong.append("database")
    for workspace in parts.workspaces:
        try:
            await workspace.in_store(partial(_look, workspace.folder))
        except (BotError, OSError) as error:
            log.warning("the workspace %s cannot be read: %s", workspace.name, error)
            wrong.append("workspace" if len(parts.workspaces) == 1 else f"workspace {workspace.name}")
    try:
        await parts.client.auth_test()
    except (SlackApiError, OSError, TimeoutError) as error:
        log.warning("Slack does not answer: %s", type(error).__name__)
        wrong.append("slack")
    return wrong


def _look(folder: Path, store: TicketStore) -> None:
    """Raises OSError or BotError when the tickets cannot be read; the store alone may answer from what it knows."""
    os.scandir(folder / ".sciorex").close()
    store.list(limit=1)


async def _body(request: Request) -> str | None:
    """The body as text; None when it is too large or not UTF-8."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _readable(body: str, content_type: str) -> bool:
    """Whether Bolt can parse it; its own parser raises on what is not JSON."""
    form = urllib.parse.parse_qs(body) if "json" not in content_type else {"payload": [body]}
    document = (form.get("payload") or ["{}"])[0]
    try:
        return isinstance(json.loads(document), dict)
    except (ValueError, RecursionError):
        return False
