"""LocalModel: the HTTP server that speaks the Messages API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection
from typing import Any

from aiohttp import web

from bot.local_model.refusals import refusal_of
from bot.local_model.reply import Ending, Json, Refusal, Reply, Script
from bot.local_model.script import document_script
from bot.local_model.stream import events, message
from bot.local_model.usage import Cache, count_tokens

STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "request-id": "req_local",
}
LARGEST_REQUEST = 32 * 1024 * 1024


class LocalModel:
    """A Messages API on this machine: answers what its script says, refuses what the real one refuses.

    `pace` is the pause in seconds between the deltas of a stream. With `api_key` set, another key gets 401;
    without it any key will do. With `models` set, any other model gets 404.
    """

    def __init__(
        self,
        script: Script = document_script,
        *,
        pace: float = 0.0,
        api_key: str | None = None,
        models: Collection[str] | None = None,
    ) -> None:
        self.script = script
        self.pace = pace
        self.requests: list[Json] = []
        self.thoughtless: Collection[str] = ()  # models that refuse to be asked to think
        self.room = 200_000  # tokens that a request may have, as the models endpoint says
        self.streaming = 0  # streams that are open at this moment
        self._api_key, self._models = api_key, models
        self._cache = Cache()
        self._hold_after: int | None = None
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listens; `url` is what ANTHROPIC_BASE_URL is set to."""
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count)
        app.router.add_get("/v1/models/{id}", self._model)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self.release()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def hold(self, after: int = 0) -> None:
        """From now on every answer stops: before its headers, or once `after` of its deltas are sent."""
        self._hold_after = after
        await self._tell()

    async def release(self) -> None:
        """What was held goes on."""
        self._hold_after = None
        await self._tell()

    async def until(self, predicate: Callable[[LocalModel], bool], timeout: float = 5) -> None:
        """Waits till predicate(self) holds: it is asked again at each request, delta and end of a stream."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: predicate(self))

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _held(self, sent: int) -> None:
        if self._hold_after is not None and sent == self._hold_after:
            async with self._changed:
                await self._changed.wait_for(lambda: self._hold_after is None)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(request)
        if isinstance(body, dict):
            self.requests.append(body)
            await self._tell()
        refusal = self._refusal(request, body, counting=False)
        if refusal is not None:
            return _error(refusal)
        await self._held(0)
        answer = self.script(body)
        if isinstance(answer, Refusal):
            return _error(answer)
        usage = self._cache.usage(body)
        if not body.get("stream"):
            return web.json_response(message(answer, body, usage), headers={"request-id": "req_local"})
        return await self._stream(request, answer, body, usage)

    async def _stream(self, request: web.Request, reply: Reply, body: Json, usage: Json) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM_HEADERS)
        await response.prepare(request)
        self.streaming += 1
        try:
            await self._write(response, reply, body, usage)
            if reply.ending is Ending.BROKEN and request.transport is not None:
                await asyncio.sleep(0)
                request.transport.abort()
        except ConnectionResetError:
            pass  # the client has gone, as it does when a turn is stopped
        finally:
            self.streaming -= 1
            await self._tell()
        return response

    async def _write(self, response: web.StreamResponse, reply: Reply, body: Json, usage: Json) -> None:
        sent = 0
        for name, payload in events(reply, body, usage):
            line = json.dumps({"type": name, **payload}, ensure_ascii=False)
            await response.write(f"event: {name}\ndata: {line}\n\n".encode())
            if name == "content_block_delta":
                sent += 1
                await self._tell()
                await self._held(sent)
                await asyncio.sleep(self.pace)

    async def _count(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(request)
        refusal = self._refusal(request, body, counting=True)
        if refusal is not None:
            return _error(refusal)
        return web.json_response({"input_tokens": count_tokens(body)})

    async def _model(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        refusal = self._unauthorized(request) or self._unknown(name)
        return _error(refusal) if refusal else web.json_response(_model_card(name, self.room))

    async def _body(self, request: web.Request) -> Any:
        try:
            return await request.json()
        except (ValueError, web.HTTPRequestEntityTooLarge) as error:
            return error

    def _refusal(self, request: web.Request, body: object, *, counting: bool) -> Refusal | None:
        if isinstance(body, web.HTTPRequestEntityTooLarge):
            return Refusal(413, "request_too_large", "Request exceeds the maximum size")
        return (
            self._unauthorized(request)
            or refusal_of(body, counting=counting)
            or (self._unknown(body["model"]) if isinstance(body, dict) else None)
            or (self._cannot_think(body) if isinstance(body, dict) else None)
        )

    def _unauthorized(self, request: web.Request) -> Refusal | None:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        key = request.headers.get("x-api-key") or bearer
        if not key:
            return Refusal(401, "authentication_error", "x-api-key header is required")
        if self._api_key is not None and key != self._api_key:
            return Refusal(401, "authentication_error", "invalid x-api-key")
        if "anthropic-version" not in request.headers:
            return Refusal(400, "invalid_request_error", "anthropic-version: header is required")
        return None

    def _cannot_think(self, body: Json) -> Refusal | None:
        if body["model"] not in self.thoughtless or "thinking" not in body:
            return None
        text = f"thinking: Extended thinking is not supported by the model {body['model']}."
        return Refusal(400, "invalid_request_error", text)

    def _unknown(self, model: str) -> Refusal | None:
        if self._models is None or model in self._models:
            return None
        return Refusal(404, "not_found_error", f"model: {model}")


def _error(refusal: Refusal) -> web.Response:
    body = {
        "type": "error",
        "error": {"type": refusal.kind, "message": refusal.message},
        "request_id": "req_local",
    }
    headers = {"request-id": "req_local"}
    if refusal.retry_after is not None:
        headers["retry-after"] = f"{refusal.retry_after:g}"
    return web.json_response(body, status=refusal.status, headers=headers)


def _model_card(name: str, room: int) -> Json:
    return {
        "type": "model",
        "id": name,
        "display_name": f"{name} (scripted stand-in)",
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "line": None,
        "max_input_tokens": room,
        "max_tokens": 64_000,
        "capabilities": None,
    }
