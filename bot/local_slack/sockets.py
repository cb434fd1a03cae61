"""Socket Mode: the app's WebSockets, and what goes over them."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from bot.local_slack.refusals import Json

MOST_CONNECTIONS = 10
PER_MESSAGE_BYTES = 16 * 1024 * 1024


class Sockets:
    """The open connections of the one app. A ticket of apps.connections.open lets one connection in."""

    def __init__(self, app_id: str, connected: Callable[[], None]) -> None:
        self._app_id, self._connected = app_id, connected
        self._tickets: set[str] = set()
        self._open: list[web.WebSocketResponse] = []
        self._waiting: dict[str, tuple[web.WebSocketResponse, asyncio.Future[Json]]] = {}
        self._turn = 0

    def __len__(self) -> int:
        return len(self._open)

    def issue_ticket(self) -> str:
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket's whole life."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=401)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(max_msg_size=PER_MESSAGE_BYTES)
        await socket.prepare(request)
        if len(self._open) >= MOST_CONNECTIONS:
            await socket.send_json(self._goodbye("too_many_websockets"))
            await socket.close()
            return socket
        self._open.append(socket)
        try:
            await socket.send_json(self._hello())
            self._connected()
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._read(message.json())
        finally:
            self._forget(socket)
        return socket

    async def send(self, kind: str, payload: Json, envelope_id: str, attempt: int, reason: str) -> Json:
        """Sends one envelope over any connection and waits for its acknowledgement's payload.

        Raises ConnectionError when the connection ends first; the caller limits the time.
        """
        self._turn += 1
        socket = self._open[self._turn % len(self._open)]
        acknowledged: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = (socket, acknowledged)
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        try:
            await socket.send_json(envelope)
            return await acknowledged
        finally:
            self._waiting.pop(envelope_id, None)

    async def disconnect(self, reason: str) -> None:
        """Tells every connection to go; all but a warning also close it."""
        for socket in list(self._open):
            with suppress(ConnectionError, RuntimeError):
                await socket.send_json(self._goodbye(reason))
            if reason != "warning":
                await self._close(socket)

    async def close(self) -> None:
        for socket in list(self._open):
            await self._close(socket)

    async def _close(self, socket: web.WebSocketResponse) -> None:
        self._forget(socket)
        with suppress(ConnectionError, RuntimeError, TimeoutError):
            await asyncio.wait_for(socket.close(), 0.2)

    def _read(self, message: Any) -> None:
        envelope = message.get("envelope_id") if isinstance(message, dict) else None
        found = self._waiting.get(envelope) if isinstance(envelope, str) else None
        if found and not found[1].done():
            found[1].set_result(message.get("payload") or {})

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)
        for of, acknowledged in list(self._waiting.values()):
            if of is socket and not acknowledged.done():
                acknowledged.set_exception(ConnectionResetError("the connection ended"))

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "local", "build_number": 1, "approximate_connection_time": 18060},
        }

    def _goodbye(self, reason: str) -> Json:
        return {"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}}
