"""The scripted Messages API as the installed SDK sees it: streams, plain answers, failures, cache."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import ToolParam

from bot.local_model import Ending, LocalModel, Refusal, Reply, ToolCall, in_turn, overloaded, rate_limited, say
from bot.local_model.reply import Text, Thinking

QUESTION: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello"}],
}
TOOL: ToolParam = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}


@asynccontextmanager
async def serving(*answers: Reply | Refusal, **settings: Any) -> AsyncIterator[tuple[LocalModel, AsyncAnthropic]]:
    server = LocalModel(in_turn(*answers), **settings)
    await server.start()
    async with AsyncAnthropic(api_key="sk-right", base_url=server.url, max_retries=0) as client:
        try:
            yield server, client
        finally:
            await server.stop()


async def test_the_streaming_client_puts_every_kind_of_block_together() -> None:
    call = ToolCall("look", {"ticketId": "T-042", "deep": {"list": [1, "zwei", None]}}, id="toolu_1")
    reply = say(Thinking("Let me see.", "c2ln"), Text("Hello there", ("Hel", "lo there")), call)
    async with (
        serving(reply) as (_server, client),
        client.messages.stream(**QUESTION, tools=[TOOL]) as stream,
    ):
        texts = [text async for text in stream.text_stream]
        message = await stream.get_final_message()
    assert texts == ["Hel", "lo there"]
    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"},
        {"type": "text", "text": "Hello there"},
        {
            "type": "tool_use",
            "id": "toolu_1",
            "name": "look",
            "input": {"ticketId": "T-042", "deep": {"list": [1, "zwei", None]}},
            "caller": {"type": "direct"},
        },
    ]
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens > 1


async def test_the_raw_stream_has_the_events_of_the_real_one() -> None:
    async with serving(say("One two three")) as (server, _client):
        headers = {"x-api-key": "any", "anthropic-version": "2023-06-01"}
        async with httpx2.AsyncClient() as http:
            answer = await http.post(f"{server.url}/v1/messages", json=QUESTION | {"stream": True}, headers=headers)
    names = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert names == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


async def test_the_same_answer_comes_without_streaming() -> None:
    async with serving(say("Good morning.")) as (server, client):
        message = await client.messages.create(**QUESTION)
    assert message.content[0].to_dict() == {"type": "text", "text": "Good morning."}
    assert message.stop_reason == "end_turn"
    assert server.requests == [QUESTION]


async def test_a_model_can_be_looked_up_and_tokens_counted() -> None:
    async with serving(models={"claude-sonnet-5-5"}) as (_server, client):
        card = await client.models.retrieve("claude-sonnet-5-5")
        counted = await client.messages.count_tokens(model="claude-sonnet-5-5", messages=QUESTION["messages"])
        with pytest.raises(anthropic.NotFoundError):
            await client.models.retrieve("claude-2")
    assert (card.id, card.lifecycle) == ("claude-sonnet-5-5", "active")
    assert counted.input_tokens > 0


@pytest.mark.parametrize(
    ("answer", "error", "kind"),
    [
        (overloaded(), anthropic.OverloadedError, "overloaded_error"),
        (rate_limited(7), anthropic.RateLimitError, "rate_limit_error"),
    ],
)
async def test_refusals_have_the_shape_of_the_api(
    answer: Refusal, error: type[anthropic.APIStatusError], kind: str
) -> None:
    async with serving(answer) as (_server, client):
        with pytest.raises(error) as raised:
            await client.messages.create(**QUESTION)
    assert raised.value.type == kind
    assert raised.value.response.headers.get("retry-after") == ("7" if kind == "rate_limit_error" else None)


async def test_a_wrong_key_is_refused() -> None:
    async with serving(api_key="sk-other") as (_server, client):
        with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
            await client.messages.create(**QUESTION)


async def test_a_silent_end_leaves_the_stop_reason_open() -> None:
    async with (
        serving(say("One two three four", ending=Ending.SILENT)) as (_server, client),
        client.messages.stream(**QUESTION) as stream,
    ):
        message = await stream.get_final_message()
    assert message.stop_reason is None
    assert message.content[0].to_dict() == {"type": "text", "text": "One two "}


async def test_an_error_may_come_inside_a_stream() -> None:
    async with serving(say("One two three four", ending=Ending.ERROR)) as (_server, client):
        with pytest.raises(anthropic.APIStatusError) as raised:
            async with client.messages.stream(**QUESTION) as stream:
                await stream.get_final_message()
    assert (raised.value.status_code, raised.value.type) == (200, "overloaded_error")


async def test_a_connection_may_break() -> None:
    async with serving(say("One two three four", ending=Ending.BROKEN)) as (_server, client):
        with pytest.raises((httpx2.HTTPError, anthropic.APIConnectionError)):
            async with client.messages.stream(**QUESTION) as stream:
                await stream.get_final_message()


async def test_an_answer_can_be_held_before_it_begins_and_in_the_middle() -> None:
    async with serving(say("One two three four"), say("again")) as (server, client):
        await server.hold(after=1)
        heard: list[str] = []

        async def listen() -> None:
            async with client.messages.stream(**QUESTION) as stream:
                async for text in stream.text_stream:
                    heard.append(text)

        listening = asyncio.create_task(listen())
        await server.until(lambda s: s.streaming == 1)
        assert not listening.done()
        await server.release()
        await listening
        assert heard == ["One two ", "three four"]

        await server.hold()
        asking = asyncio.create_task(client.messages.create(**QUESTION))
        await server.until(lambda s: len(s.requests) == 2)
        assert not asking.done()
        await server.release()
        assert (await asking).stop_reason == "end_turn"


async def test_a_client_that_leaves_ends_its_stream() -> None:
    async with serving(say("word " * 5000), pace=0.001) as (server, client):
        async with client.messages.stream(**QUESTION) as stream:
            await anext(aiter(stream.text_stream))
        await server.until(lambda s: s.streaming == 0)


async def test_a_prefix_that_stays_the_same_is_read_from_the_cache() -> None:
    marked = {"cache_control": {"type": "ephemeral"}}
    system = [{"type": "text", "text": "rules " * 50, **marked}]
    first = {"role": "user", "content": [{"type": "text", "text": "first " * 40, **marked}]}
    second = [first, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And now?"}]
    async with serving(say("Yes."), say("No."), say("Hm.")) as (_server, client):
        asked = {"model": "m", "max_tokens": 10}
        one = await client.messages.create(**asked, system=system, messages=[first])  # type: ignore[call-overload]
        two = await client.messages.create(**asked, system=system, messages=second)  # type: ignore[call-overload]
        other = [system[0] | {"text": "other rules"}]
        three = await client.messages.create(**asked, system=other, messages=second)  # type: ignore[call-overload]
    assert one.usage.cache_read_input_tokens == 0
    assert two.usage.cache_read_input_tokens == one.usage.cache_creation_input_tokens > 0
    assert two.usage.cache_creation_input_tokens == 0
    assert three.usage.cache_read_input_tokens == 0
