"""Asks Claude: one request over a stream, tried again where that helps, its failures said in one sentence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.agent.answer import Answer, Block
from bot.errors import AgentUnavailable

if TYPE_CHECKING:
    from anthropic import APIError, AsyncAnthropic

DEFAULT_MODEL = "claude-sonnet-5-5"
DEFAULT_BASE_URL = "https://api.anthropic.com"
PAUSES = (1.0, 4.0)  # seconds before the second and the third try
ROOM = 200_000  # tokens that a model takes in, where the API does not say
ROOM_SECONDS = 10
LONGEST_PAUSE = 30.0  # a person waits: what asks for a longer pause is said instead

GROWN = "This thread has grown too long for the model. Start a new thread on the ticket."
REFUSED = "Claude declined to answer this. Say it in other words, or leave out what it may have declined."
UNREADABLE = "Claude cannot read a file that was posted in this thread. Delete it or its message, then ask again."
TOO_LONG = "model_context_window_exceeded"
CUT = {
    "max_tokens": "The answer is cut off here: it has reached the length that one answer may have. "
    "Say “go on” to have the rest.",
    TOO_LONG: "The answer is cut off here: the thread fills all that the model can take in. "
    "Start a new thread on the ticket.",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reply:
    """An answer of the model. `content` goes back to it exactly as it is; `note` is for the people to read: that it
    was cut. So is `instead`: that another model gave it, which is not said with each answer anew."""

    content: list[Block]
    stop_reason: str
    usage: dict[str, Any]
    model: str
    note: str | None = None
    instead: str | None = None


class _Failure(Exception):
    """Why one try failed: what people are told, and whether to try again (after `pause` seconds, if known)."""

    def __init__(
        self,
        text: str,
        *,
        again: bool = False,
        pause: float | None = None,
        unknown_model: bool = False,
        thoughtless: str = "",
    ) -> None:
        super().__init__(text)
        self.text, self.again, self.pause, self.unknown_model = text, again, pause, unknown_model
        self.thoughtless = thoughtless  # what the API has against being asked to think


class Model:
    """The Messages API with one default model; client and library are loaded at the first question.

    `timeout` is how many seconds the API may be silent, even in the middle of an answer.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None = None,
        model: str = DEFAULT_MODEL,
        timeout: float = 120.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.default = model
        self._api_key, self._base_url, self._timeout, self._sleep = api_key, base_url, timeout, sleep
        self._client: AsyncAnthropic | None = None
        self._making = asyncio.Lock()
        self._unknown: set[str] = set()
        self._thoughtless: set[str] = set()
        self._rooms: dict[str, int] = {}

    async def ask(
        self,
        *,
        model: str | None,
        system: Sequence[Block],
        tools: Sequence[Block],
        messages: Sequence[Block],
        max_tokens: int,
        on_text: Callable[[str], Awaitable[None]],
        on_restart: Callable[[], Awaitable[None]] | None = None,
        thinking: int | None = None,
    ) -> Reply:
        """The model's next answer; each piece of its text goes to `on_text` as it comes.

        `model` None means the default one; so does a model that the API no longer serves, and the reply's `instead`
        says so. `thinking` is how many tokens it may think with, on top of `max_tokens`; a model that refuses to think
        is asked without. `on_restart` is called when a try is given up after it had sent text: what was shown begins
        anew. Raises AgentUnavailable.
        """
        request: dict[str, Any] = {"max_tokens": max_tokens, "messages": list(messages)}
        request |= {k: list(v) for k, v in (("system", system), ("tools", tools)) if v}
        if thinking:
            request["thinking"] = {"type": "enabled", "budget_tokens": thinking}
            request["max_tokens"] = max_tokens + thinking
        wanted = model or self.default
        if wanted not in self._unknown or wanted == self.default:
            try:
                return await self._persist(request | {"model": wanted}, on_text, on_restart)
            except _Failure as failure:
                if not failure.unknown_model or wanted == self.default:
                    raise AgentUnavailable(failure.text) from None
                self._unknown.add(wanted)
        try:
            reply = await self._persist(request | {"model": self.default}, on_text, on_restart)
        except _Failure as failure:
            raise AgentUnavailable(failure.text) from None
        return replace(reply, instead=f"The model {wanted} is not served any more; {reply.model} answers instead.")

    async def room(self, model: str | None) -> int:
        """How many tokens the model (None: the default one) takes in; asked once, a guess where nobody says."""
        name = model if model and model not in self._unknown else self.default
        if name not in self._rooms:
            self._rooms[name] = ROOM
            with suppress(Exception):  # whatever is wrong with it, asking for an answer will say
                async with asyncio.timeout(ROOM_SECONDS):
                    card = await (await self._ready()).models.retrieve(name)
                    self._rooms[name] = card.max_input_tokens or ROOM
        return self._rooms[name]

    async def close(self) -> None:
        """Closes the connections; asking again opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _persist(
        self,
        request: dict[str, Any],
        on_text: Callable[[str], Awaitable[None]],
        on_restart: Callable[[], Awaitable[None]] | None,
    ) -> Reply:
        """Tries until an answer is whole, a failure is final, or the pauses are used up."""
        shown = False

        async def show(text: str) -> None:
            nonlocal shown
            shown = True
            await on_text(text)

        for pause in (*PAUSES, None):
            if request["model"] in self._thoughtless:
                request = _without_thinking(request)
            try:
                return await self._try(request, show)
            except _Failure as failure:
                if failure.thoughtless and "thinking" in request and pause is not None:
                    if "support" in failure.thoughtless:
                        self._thoughtless.add(request["model"])
                    request = _without_thinking(request)
                    continue
                wait = max(pause or 0.0, failure.pause or 0.0)
                if not failure.again or pause is None or wait > LONGEST_PAUSE:
                    raise
                log.info("asking the model again in %.1f s: %s", wait, failure.text)
            await self._sleep(wait)
            if shown and on_restart is not None:
                await on_restart()
            shown = False
        raise AssertionError("the last pause is None, so the loop cannot end")

    async def _try(self, request: dict[str, Any], on_text: Callable[[str], Awaitable[None]]) -> Reply:
        """One request. Raises _Failure for whatever the network or the API does; not for what on_text raises."""
        client = await self._ready()
        answer = Answer()
        stream: Any = None
        try:
            try:
                stream = await client.messages.create(**request, stream=True)
                events = aiter(stream)
            except Exception as error:
                raise self._failure(error, request["model"]) from error
            while True:
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    break
                except Exception as error:
                    raise self._failure(error, request["model"]) from error
                if text := answer.add(event):
                    await on_text(text)
        finally:
            if stream is not None:
                await stream.close()
        if answer.stop_reason is None:
            raise _Failure("The model's answer was cut off before its end. Please ask again.", again=True)
        if answer.stop_reason == "refusal":
            raise _Failure(REFUSED)
        content = answer.content()
        if answer.stop_reason == TOO_LONG and not content:
            raise _Failure(GROWN)
        return Reply(content, answer.stop_reason, answer.usage, answer.model, CUT.get(answer.stop_reason))

    async def _ready(self) -> AsyncAnthropic:
        if not self._api_key:
            raise _Failure("The agent has no key for Claude: set ANTHROPIC_API_KEY.")
        async with self._making:
            if self._client is None:
                # The import takes over a second: off the event loop, or everything else would wait for it.
                self._client = await asyncio.to_thread(self._made)
            return self._client

    def _made(self) -> AsyncAnthropic:
        import httpx2
        from anthropic import AsyncAnthropic

        return AsyncAnthropic(
            api_key=self._api_key,
            base_url=self._base_url or DEFAULT_BASE_URL,
            max_retries=0,  # tried again here, where it is known what has been shown
            timeout=httpx2.Timeout(self._timeout, connect=10.0),
        )

    def _failure(self, error: Exception, model: str) -> _Failure:
        """What an exception of the library means; anything that is not one is a bug and goes on as it is."""
        import anthropic
        import httpx2

        if isinstance(error, anthropic.APIStatusError):
            log.warning("the model API refused: %s %s", error.status_code, self._hidden(error.api_message or ""))
            return _refused(error, model)
        if isinstance(error, (httpx2.TimeoutException, anthropic.APITimeoutError)):
            return _Failure("Claude did not answer in time. Please ask again in a moment.", again=True)
        if isinstance(error, anthropic.APIConnectionError):
            return _Failure("Claude cannot be reached: the connection failed. Please ask again later.", again=True)
        if isinstance(error, (httpx2.HTTPError, anthropic.APIError, ValueError)):
            return _Failure("The model's answer was cut off before its end. Please ask again.", again=True)
        raise error

    def _hidden(self, text: str) -> str:
        return text.replace(self._api_key, "…") if self._api_key else text


def _refused(error: APIError, model: str) -> _Failure:
    """What an HTTP error, or an error event inside a stream (status 200), means for the people of the thread."""
    status, kind = getattr(error, "status_code", 0), getattr(error, "type", None)
    message = str(getattr(error, "api_message", None) or "").lower()
    if status == 529 or kind == "overloaded_error":
        return _Failure("Claude is overloaded at the moment. Please ask again in a few minutes.", again=True)
    if status == 429 or kind == "rate_limit_error":
        pause = _retry_after(error)
        when = f"in {pause:.0f} seconds" if pause else "in a minute"
        return _Failure(f"Claude's rate limit is reached. Please ask again {when}.", again=True, pause=pause)
    if status in (401, 403) or kind in ("authentication_error", "permission_error"):
        return _Failure("Claude refused the bot's key. Whoever runs the bot has to check ANTHROPIC_API_KEY.")
    if status == 402 or kind == "billing_error" or "credit balance" in message:
        return _Failure("The Claude account has no credit left. Whoever runs the bot has to look at its billing.")
    if status == 413 or "prompt is too long" in message or "context limit" in message:
        return _Failure(GROWN)
    if status == 400 and "thinking" in message:
        return _Failure("Claude refused the request as invalid; the bot's log says why.", thoughtless=message)
    if status == 404 and kind == "not_found_error":
        text = f"Claude knows no model {model}. Whoever runs the bot has to check ANTHROPIC_MODEL."
        return _Failure(text, unknown_model=True)
    if status == 404:
        return _Failure(
            "There is no Messages API at this address. Whoever runs the bot has to check ANTHROPIC_BASE_URL."
        )
    if status >= 500 or status in (408, 409) or kind in ("api_error", "timeout_error"):
        return _Failure("Claude has a problem of its own at the moment. Please ask again later.", again=True)
    if status == 400 and ("image" in message or "pdf" in message):
        return _Failure(UNREADABLE)
    return _Failure("Claude refused the request as invalid; the bot's log says why.")


def _without_thinking(request: dict[str, Any]) -> dict[str, Any]:
    """The same request to a model that cannot think."""
    rest = dict(request)
    if thought := rest.pop("thinking", None):
        rest["max_tokens"] -= thought["budget_tokens"]
    return rest


def _retry_after(error: APIError) -> float | None:
    response = getattr(error, "response", None)
    try:
        return max(0.0, float(response.headers["retry-after"])) if response is not None else None
    except (KeyError, ValueError):
        return None
