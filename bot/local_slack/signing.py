"""Signed HTTP: what Slack posts to an app's request URL."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from urllib.parse import urlencode

import aiohttp

from bot.local_slack.refusals import Json


class RequestUrl:
    """Posts signed payloads to one URL. The signature bears the real time: apps check it against theirs."""

    def __init__(self, signing_secret: str) -> None:
        self._secret = signing_secret
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, kind: str, payload: Json, attempt: int, reason: str) -> tuple[int, Json, bool]:
        """Posts once: (HTTP status, the answer's JSON or {"text": …}, whether no retry is wanted)."""
        body, content_type = form_of(kind, payload)
        headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0", **self.signature(body)}
        if attempt:
            headers |= {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            text = await answer.text()
            final = answer.headers.get("x-slack-no-retry") == "1"
            return answer.status, read_answer(text, answer.content_type), final

    def signature(self, body: bytes, clock: Callable[[], float] = time.time) -> dict[str, str]:
        """The two headers that prove where a body comes from (Slack: verifying requests, version v0)."""
        stamp = str(int(clock()))
        base = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new(self._secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def form_of(kind: str, payload: Json) -> tuple[bytes, str]:
    """A payload's body and content type: events are JSON, commands fields, interactions one JSON field."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def read_answer(text: str, content_type: str) -> Json:
    if not text.strip():
        return {}
    if content_type == "application/json":
        try:
            answer = json.loads(text)
        except ValueError:
            return {"text": text}
        return answer if isinstance(answer, dict) else {}
    return {"text": text}
