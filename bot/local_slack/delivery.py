"""How events, commands and interactions reach the app, and are sent again when it does not answer."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp

from bot.local_slack.refusals import Json
from bot.local_slack.signing import RequestUrl
from bot.local_slack.sockets import Sockets
from bot.local_slack.store import Table


@dataclass
class Delivery:
    """One sending of one payload; `acked_at` and `answer` are filled in when the app acknowledges.

    kind: events_api, slash_commands or interactive. via: socket or http. status: sent, acked,
    http_timeout, connection_failed or http_error (the words of x-slack-retry-reason).
    """

    kind: str
    payload: Json
    envelope_id: str
    attempt: int
    via: str
    sent_at: float
    acked_at: float | None = None
    status: str = "sent"
    answer: Json | None = None
    final: bool = False

    @property
    def event(self) -> Json:
        """The event inside, {} for commands and interactions."""
        event: Json = self.payload.get("event", {})
        return event


class Undelivered(Exception):
    """The app could not be asked, or did not answer in time; the text is Slack's word for it."""


class Deliveries:
    """Events are kept until they are acknowledged or given up; commands and interactions are sent once."""

    def __init__(
        self,
        *,
        app_id: str,
        signing_secret: str,
        clock: Callable[[], float],
        changed: Callable[[], None],
        kept: Table,
        retries: Sequence[float],
        ack_within: float,
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self.log: list[Delivery] = []
        self.sockets = Sockets(app_id, self.arrived)
        self.request_url: str | None = None
        self._http = RequestUrl(signing_secret)
        self._clock, self._changed, self._kept = clock, changed, kept
        self._retries, self._ack_within, self._sleep = tuple(retries), ack_within, sleep
        self._arrivals: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsent = [row["payload"] for row in kept.values()]
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        unsent, self._unsent = self._unsent, []
        for payload in unsent:
            self._spawn(self._until_acknowledged(payload))

    async def stop(self) -> None:
        self._loop = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.close()
        await self._http.close()

    def arrived(self) -> None:
        """A connection or a request URL is there: what waits is sent now, without its pause."""
        arrivals, self._arrivals = self._arrivals, set()
        for arrival in arrivals:
            if not arrival.done():
                arrival.set_result(None)
        self._changed()

    def event(self, payload: Json) -> None:
        """Sends an event until it is acknowledged, or the retries are used up."""
        self._kept.put(payload["event_id"], {"payload": payload})
        if self._loop is None:
            self._unsent.append(payload)
        else:
            self._spawn(self._until_acknowledged(payload))

    async def ask(self, kind: str, payload: Json) -> Json:
        """Sends a command or an interaction once and gives the app's answer; raises Undelivered."""
        if not self._reachable():
            raise Undelivered("dispatch_failed")
        sent = await self._send(kind, payload, 0, "")
        if sent.acked_at is None:
            raise Undelivered("operation_timeout" if sent.status == "http_timeout" else "dispatch_failed")
        return sent.answer or {}

    def again(self, which: int | Callable[[Delivery], bool]) -> asyncio.Task[None]:
        """Sends what was sent before once more, as a retry; a callable picks the last one it is true for."""
        known = self.log[which] if isinstance(which, int) else next(filter(which, reversed(self.log)))
        return self._spawn(self._resend(known))

    async def _resend(self, known: Delivery) -> None:
        await self._send(known.kind, known.payload, known.attempt + 1, "http_timeout")

    def _spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _until_acknowledged(self, payload: Json) -> None:
        reason = ""
        for attempt, pause in enumerate((0.0, *self._retries)):
            if pause:
                await self._pause(pause)
            while not self._reachable():
                await self._arrival()
            sent = await self._send("events_api", payload, attempt, reason)
            if sent.acked_at is not None or sent.final:
                break
            reason = sent.status
        self._kept.drop(payload["event_id"])
        self._changed()

    async def _pause(self, seconds: float) -> None:
        slept = asyncio.ensure_future(self._sleep(seconds))
        woken = asyncio.ensure_future(self._arrival())
        try:
            await asyncio.wait({slept, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            slept.cancel()
            woken.cancel()

    async def _arrival(self) -> None:
        arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals.add(arrival)
        try:
            await arrival
        finally:
            self._arrivals.discard(arrival)

    def _reachable(self) -> bool:
        return len(self.sockets) > 0 or self.request_url is not None

    async def _send(self, kind: str, payload: Json, attempt: int, reason: str) -> Delivery:
        via = "socket" if len(self.sockets) else "http"
        sent = Delivery(kind, payload, str(uuid.uuid4()), attempt, via, self._clock())
        self.log.append(sent)
        try:
            async with asyncio.timeout(self._ack_within):
                if via == "socket":
                    sent.answer = await self.sockets.send(kind, payload, sent.envelope_id, attempt, reason)
                else:
                    await self._post(sent, reason)
        except TimeoutError:
            sent.status = "http_timeout"
        except (ConnectionError, aiohttp.ClientError):
            sent.status = "connection_failed"
        if sent.status == "sent":
            sent.acked_at, sent.status = self._clock(), "acked"
        self._changed()
        return sent

    async def _post(self, sent: Delivery, reason: str) -> None:
        url = self.request_url or ""
        status, answer, final = await self._http.post(url, sent.kind, sent.payload, sent.attempt, reason)
        sent.answer, sent.final = answer, final
        if not 200 <= status < 300:
            sent.status = "http_error"
