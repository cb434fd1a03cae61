"""Asking the model over real HTTP: what comes back, what is tried again, and what people are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.agent.answer import UNREADABLE
from bot.agent.model import CUT, GROWN, REFUSED, Model, Reply
from bot.errors import AgentUnavailable
from bot.local_model import Ending, LocalModel, Refusal, ToolCall, in_turn, overloaded, rate_limited, say
from bot.local_model.reply import Script, Text, Thinking

KEY = "sk-ant-secret-0815"
TOOL = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}


@dataclass
class Asking:
    """A model behind a scripted API, and everything that was shown and waited for."""

    server: LocalModel
    model: Model
    seen: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    async def ask(self, model: str | None = None, **more: Any) -> Reply:
        return await self.model.ask(
            model=model,
            system=[{"type": "text", "text": "Be brief."}],
            tools=[TOOL],
            messages=[{"role": "user", "content": "Hello"}],
            max_tokens=100,
            on_text=self._show,
            on_restart=self._restart,
            **more,
        )

    async def refused(self, model: str | None = None) -> str:
        with pytest.raises(AgentUnavailable) as raised:
            await self.ask(model)
        return raised.value.text

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def _show(self, text: str) -> None:
        self.seen.append(text)

    async def _restart(self) -> None:
        self.seen.append("<again>")


@asynccontextmanager
async def behind(
    script: Script, *, key: str | None = KEY, timeout: float = 5, **settings: Any
) -> AsyncIterator[Asking]:
    server = LocalModel(script, **settings)
    await server.start()
    asking: Asking
    model = Model(
        api_key=key,
        base_url=server.url,
        model="claude-default",
        timeout=timeout,
        sleep=lambda seconds: asking.sleep(seconds),
    )
    asking = Asking(server, model)
    try:
        yield asking
    finally:
        await model.close()
        await server.stop()


async def test_an_answer_comes_piece_by_piece_and_whole() -> None:
    call = ToolCall("look", {"ticketId": "T-042", "labels": ["ä", {"x": None}]}, id="toolu_1")
    script = in_turn(say(Thinking("Hm.", "c2ln"), Text("I look.", ("I ", "look.")), call))
    async with behind(script) as asking:
        reply = await asking.ask()
        request = asking.server.requests[0]
    assert asking.seen == ["I ", "look."]
    assert reply.content == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "text", "text": "I look."},
        {
            "type": "tool_use",
            "id": "toolu_1",
            "name": "look",
            "input": {"ticketId": "T-042", "labels": ["ä", {"x": None}]},
            "caller": {"type": "direct"},
        },
    ]
    assert (reply.stop_reason, reply.model, reply.note) == ("tool_use", "claude-default", None)
    assert reply.usage["output_tokens"] > 1
    assert reply.usage["cache_read_input_tokens"] == 0
    assert request["system"] == [{"type": "text", "text": "Be brief."}]
    assert (request["tools"], request["stream"]) == ([TOOL], True)


async def test_an_answer_can_be_sent_again_as_it_came() -> None:
    call = ToolCall("look", {}, id="toolu_1")
    async with behind(in_turn(say(Thinking("Hm."), "I look.", call), say("Seen."))) as asking:
        first = await asking.ask()
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a wall"}
        second = await asking.model.ask(
            model=None,
            system=[],
            tools=[],
            messages=[
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": first.content},
                {"role": "user", "content": [result]},
            ],
            max_tokens=100,
            on_text=asking._show,
        )
    assert second.content == [{"type": "text", "text": "Seen."}]


async def test_an_overloaded_api_is_asked_again_with_growing_pauses() -> None:
    async with behind(in_turn(overloaded(), overloaded(), say("Here I am."))) as asking:
        reply = await asking.ask()
    assert reply.content == [{"type": "text", "text": "Here I am."}]
    assert asking.slept == [1.0, 4.0]
    assert "<again>" not in asking.seen


async def test_the_pause_that_the_api_asks_for_is_kept() -> None:
    async with behind(in_turn(rate_limited(12), say("Now."))) as asking:
        await asking.ask()
    assert asking.slept == [12.0]


async def test_a_pause_that_is_too_long_for_a_person_is_said_instead() -> None:
    async with behind(in_turn(rate_limited(90), say("Now."))) as asking:
        text = await asking.refused()
    assert asking.slept == []
    assert text == "Claude's rate limit is reached. Please ask again in 90 seconds."


@pytest.mark.parametrize("ending", [Ending.SILENT, Ending.BROKEN, Ending.ERROR])
async def test_an_answer_that_is_cut_off_begins_anew(ending: Ending) -> None:
    script = in_turn(say("One two three four", ending=ending), say("Five six"))
    async with behind(script) as asking:
        reply = await asking.ask()
    assert reply.content == [{"type": "text", "text": "Five six"}]
    # How much of a broken answer arrives is up to the network; that it is taken back is not.
    assert asking.seen[-2:] in (["<again>", "Five six"], ["Five six"])
    assert ("<again>" in asking.seen) == ("One two " in asking.seen)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (overloaded(), "Claude is overloaded at the moment. Please ask again in a few minutes."),
        (rate_limited(), "Claude's rate limit is reached. Please ask again in a minute."),
        (
            say("One two three", ending=Ending.SILENT),
            "The model's answer was cut off before its end. Please ask again.",
        ),
        (
            Refusal(500, "api_error", "Internal server error"),
            "Claude has a problem of its own at the moment. Please ask again later.",
        ),
    ],
)
async def test_after_three_tries_people_are_told(answer: Any, text: str) -> None:
    async with behind(lambda _request: answer) as asking:
        assert await asking.refused() == text
        assert len(asking.server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            Refusal(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
            "This thread has grown too long for the model. Start a new thread on the ticket.",
        ),
        (
            Refusal(400, "invalid_request_error", "Your credit balance is too low to access the API."),
            "The Claude account has no credit left. Whoever runs the bot has to look at its billing.",
        ),
        (
            Refusal(400, "invalid_request_error", "messages.3: something odd"),
            "Claude refused the request as invalid; the bot's log says why.",
        ),
        (
            Refusal(403, "permission_error", "Your key may not use this."),
            "Claude refused the bot's key. Whoever runs the bot has to check ANTHROPIC_API_KEY.",
        ),
    ],
)
async def test_what_does_not_pass_by_waiting_is_said_at_once(answer: Refusal, text: str) -> None:
    async with behind(lambda _request: answer) as asking:
        assert await asking.refused() == text
        assert len(asking.server.requests) == 1
    assert asking.slept == []


async def test_a_refused_key_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    def tell(_request: dict[str, Any]) -> Refusal:
        return Refusal(401, "authentication_error", f"invalid x-api-key {KEY}")

    async with behind(tell) as asking:
        text = await asking.refused()
    assert text == "Claude refused the bot's key. Whoever runs the bot has to check ANTHROPIC_API_KEY."
    assert "invalid x-api-key" in caplog.text
    assert KEY not in caplog.text


async def test_without_a_key_nothing_is_asked() -> None:
    async with behind(in_turn(say("no")), key=None) as asking:
        assert await asking.refused() == "The agent has no key for Claude: set ANTHROPIC_API_KEY."
        assert asking.server.requests == []


async def test_a_model_that_is_not_served_falls_to_the_default_and_says_so() -> None:
    script = in_turn(say("One"), say("Two"))
    async with behind(script, models={"claude-default"}) as asking:
        first = await asking.ask("claude-sonnet-4-20250514")
        second = await asking.ask("claude-sonnet-4-20250514")
        asked = [request["model"] for request in asking.server.requests]
    note = "The model claude-sonnet-4-20250514 is not served any more; claude-default answers instead."
    assert (first.instead, first.model) == (note, "claude-default")
    assert (second.instead, second.content) == (note, [{"type": "text", "text": "Two"}])
    assert asked == ["claude-sonnet-4-20250514", "claude-default", "claude-default"]


async def test_an_unknown_default_model_is_named() -> None:
    async with behind(in_turn(), models={"claude-other"}) as asking:
        text = await asking.refused()
    assert text == "Claude knows no model claude-default. Whoever runs the bot has to check ANTHROPIC_MODEL."


async def test_an_api_that_stays_silent_is_given_up() -> None:
    async with behind(in_turn(say("late")), timeout=0.05) as asking:
        await asking.server.hold()
        text = await asking.refused()
        assert len(asking.server.requests) == 3
    assert text == "Claude did not answer in time. Please ask again in a moment."


async def test_an_api_that_is_not_there_is_said_plainly() -> None:
    async with behind(in_turn()) as asking:
        await asking.server.stop()
        text = await asking.refused()
    assert text == "Claude cannot be reached: the connection failed. Please ask again later."
    assert asking.slept == [1.0, 4.0]


async def test_what_goes_wrong_while_showing_is_not_blamed_on_the_model() -> None:
    async def broken(_text: str) -> None:
        raise ValueError("the preview is gone")

    async with behind(in_turn(say("One two three four"))) as asking:
        with pytest.raises(ValueError, match="the preview is gone"):
            await asking.model.ask(
                model=None,
                system=[],
                tools=[],
                messages=[{"role": "user", "content": "Hello"}],
                max_tokens=100,
                on_text=broken,
            )
        assert len(asking.server.requests) == 1


async def test_a_tool_call_whose_input_was_cut_off_is_left_out() -> None:
    torn = ToolCall("look", {}, written='{"ticketId": "T-0')
    async with behind(in_turn(say("I look.", torn, stop_reason="max_tokens"))) as asking:
        reply = await asking.ask()
    assert reply.stop_reason == "max_tokens"
    assert reply.content == [{"type": "text", "text": "I look."}]


async def test_a_call_whose_input_is_no_json_object_is_kept_and_marked() -> None:
    calls = (ToolCall("look", written="[1, 2]"), ToolCall("look", written='{"a": '))
    async with behind(in_turn(say("I look.", *calls))) as asking:
        reply = await asking.ask()
    assert [block["input"] for block in reply.content[1:]] == [{UNREADABLE: "[1, 2]"}, {UNREADABLE: '{"a": '}]


async def test_an_answer_that_reached_its_length_says_that_it_is_cut() -> None:
    async with behind(in_turn(say("Half of", stop_reason="max_tokens"))) as asking:
        reply = await asking.ask()
    assert (reply.content, reply.note) == ([{"type": "text", "text": "Half of"}], CUT["max_tokens"])


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (say("I will", stop_reason="refusal"), REFUSED),
        (say(stop_reason="model_context_window_exceeded"), GROWN),
    ],
)
async def test_what_the_model_declines_or_cannot_take_in_is_said_once(answer: Any, text: str) -> None:
    async with behind(lambda _request: answer) as asking:
        assert await asking.refused() == text
        assert len(asking.server.requests) == 1


async def test_a_thread_that_fills_the_model_keeps_what_was_written() -> None:
    async with behind(in_turn(say("Half of", stop_reason="model_context_window_exceeded"))) as asking:
        reply = await asking.ask()
    assert reply.note == CUT["model_context_window_exceeded"]


@pytest.mark.parametrize("budget", [1_024, 32_000])
async def test_what_it_may_think_with_comes_beside_the_answers_own_length(budget: int) -> None:
    async with behind(in_turn(say(Thinking("Hm."), "Yes"))) as asking:
        reply = await asking.ask(thinking=budget)
        request = asking.server.requests[0]
    assert request["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert request["max_tokens"] == 100 + budget
    assert reply.content[0]["signature"]
    assert "temperature" not in request


async def test_a_model_that_cannot_think_is_asked_without_and_that_is_remembered() -> None:
    async with behind(in_turn(say("One"), say("Two"))) as asking:
        asking.server.thoughtless = {"claude-default"}
        await asking.ask(thinking=32_000)
        await asking.ask(thinking=32_000)
        requests = asking.server.requests
    assert ["thinking" in request for request in requests] == [True, False, False]
    assert [request["max_tokens"] for request in requests] == [32_100, 100, 100]
    assert asking.slept == []


async def test_without_a_budget_no_thinking_is_asked_for() -> None:
    async with behind(in_turn(say("One"))) as asking:
        await asking.ask(thinking=None)
        assert "thinking" not in asking.server.requests[0]
