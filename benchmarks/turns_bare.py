"""The bare loop beside which a turn of the bot is measured: the same SDKs, the same calls to Slack and the same request
to the model, one tool, and nothing stored. `python -m benchmarks.turns_bare REQUEST.json` (system and tools)."""

import asyncio
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from anthropic import AsyncAnthropic
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.agent.answer import Answer

MODEL = "claude-sonnet-5-5"
EVERY = 0.7  # seconds between two appends
History = list[dict[str, Any]]


class Stream:
    """One answer in Slack, which grows."""

    def __init__(self, client: AsyncWebClient, event: dict[str, Any], thread_ts: str) -> None:
        self._client, self._event, self._thread_ts = client, event, thread_ts
        self._ts, self._waiting, self._last = "", "", 0.0

    async def text(self, piece: str) -> None:
        self._waiting += piece
        if time.monotonic() - self._last < EVERY:
            return
        self._last, text, self._waiting = time.monotonic(), self._waiting, ""
        if self._ts:
            await self._client.chat_appendStream(channel=self._event["channel"], ts=self._ts, markdown_text=text)
            return
        started = await self._client.chat_startStream(
            channel=self._event["channel"],
            thread_ts=self._thread_ts,
            recipient_user_id=self._event["user"],
            recipient_team_id=self._event.get("team") or os.environ["TEAM"],
            markdown_text=text,
        )
        self._ts = started["ts"]

    async def end(self) -> None:
        rest = self._waiting or None
        await self._client.chat_stopStream(channel=self._event["channel"], ts=self._ts, markdown_text=rest)


async def answer(claude: AsyncAnthropic, request: dict[str, Any], history: History, stream: Stream) -> None:
    """Asks until no tool is called any more."""
    while True:
        made = Answer()
        asking: dict[str, Any] = {"model": MODEL, "max_tokens": 8_000, "messages": history, "stream": True}
        events: Any = await claude.messages.create(**asking, **request)
        async for event in events:
            if text := made.add(event):
                await stream.text(text)
        history.append({"role": "assistant", "content": made.content()})
        calls = [block for block in made.content() if block["type"] == "tool_use"]
        if not calls:
            return
        results = [
            {"type": "tool_result", "tool_use_id": call["id"], "content": read(call["input"]["ticketId"])}
            for call in calls
        ]
        history.append({"role": "user", "content": results})


def read(ticket_id: str) -> str:
    text = (Path(os.environ["SCIOREX_WORKSPACE"]) / ".sciorex" / "tickets" / f"{ticket_id}.yaml").read_text()
    return json.dumps(yaml.load(text, Loader=yaml.CSafeLoader), default=str)


async def main() -> None:
    logging.disable(logging.WARNING)
    request = json.loads(Path(sys.argv[1]).read_text())
    histories: dict[str, History] = {}
    async with aiohttp.ClientSession() as http:
        token, url = os.environ["SLACK_BOT_TOKEN"], os.environ["SLACK_API_URL"]
        client = AsyncWebClient(token=token, base_url=url, session=http)
        claude = AsyncAnthropic(max_retries=0)
        app = AsyncApp(client=client)

        @app.event("app_mention")
        async def mentioned(event: dict[str, Any]) -> None:
            thread_ts = event.get("thread_ts") or event["ts"]
            place = {"channel_id": event["channel"], "thread_ts": thread_ts}
            await client.agents_sessions_setStatus(status="processing", **place)
            history = histories.setdefault(thread_ts, [])
            history.append({"role": "user", "content": [{"type": "text", "text": event["text"]}]})
            stream = Stream(client, event, thread_ts)
            await answer(claude, request, history, stream)
            await stream.end()
            await client.agents_sessions_setStatus(status="active", **place)

        @app.event("message")
        async def said() -> None:
            return

        handler = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
