"""What goes wrong while the model is asked: one clear message with Retry, in both ways of showing, and never half."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.agent import calls
from bot.agent.model import CUT, GROWN, REFUSED
from bot.local_model import Ending, Refusal, Reply, ToolCall, in_turn, overloaded, rate_limited, say
from bot.mcp_servers.server import InProcess
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest

HALF = "The crop has to be square and then some more words come"
COMMENT = "mcp__sciorex-tickets__sciorex_add_comment"
DECLINES = say(HALF, stop_reason="refusal")
FAILURES: dict[str, tuple[Reply | Refusal, str]] = {
    "overloaded": (overloaded(), "Claude is overloaded"),
    "rate limited": (rate_limited(90), "Please ask again in 90 seconds"),
    "silent end": (say(HALF, ending=Ending.SILENT, after=3), "was cut off before its end"),
    "broken connection": (say(HALF, ending=Ending.BROKEN, after=3), "was cut off before its end"),
    "error in the stream": (say(HALF, ending=Ending.ERROR, after=3), "Claude is overloaded"),
    "refused": (DECLINES, REFUSED),
    "too long": (Refusal(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), GROWN),
    "key": (Refusal(401, "authentication_error", "invalid x-api-key scripted"), "Claude refused the bot's key"),
    "billing": (Refusal(400, "invalid_request_error", "Your credit balance is too low"), "no credit left"),
}


class Failing:
    """A model that fails until it is mended."""

    def __init__(self, failure: Reply | Refusal) -> None:
        self.failure: Reply | Refusal | None = failure

    def __call__(self, _request: dict[str, Any]) -> Reply | Refusal:
        return self.failure or say("All is well.")


def hasty(here: Bench) -> None:
    """The pauses between tries take no time."""

    async def at_once(_seconds: float) -> None:
        return

    assert here.bot is not None
    here.bot.parts.model._sleep = at_once


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failure_is_one_message_and_retry_goes_on(
    tmp_path: Path, sqlite_url: str, failure: str, streaming: bool
) -> None:
    answer, sentence = FAILURES[failure]
    script = Failing(answer)
    async with bench(tmp_path, sqlite_url, script=script, streaming=streaming) as here:
        hasty(here)
        root = await here.ask(here.alice, here.general, f"{here.at} hello", sentence)
        await at_rest(here)
        [failed] = [m for m in here.own(here.general, root) if "turn_retry" in everything_in(m)]
        words = everything_in(here.own(here.general, root))
        assert "crop has to be square" not in words
        assert "Thinking" not in words
        assert "scripted" not in words
        assert "Traceback" not in words
        script.failure = None
        await here.slack.click(here.alice, here.general, failed["ts"], "turn_retry")
        mended = await here.seen(here.general, root, "All is well.")
        await at_rest(here)
        assert mended["ts"] == failed["ts"]
        assert "turn_retry" not in everything_in(here.own(here.general, root))
        assert sentence not in everything_in(here.own(here.general, root))


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("deltas", [0, 3])
async def test_a_model_that_falls_silent_is_given_up_and_retry_goes_on(
    tmp_path: Path, sqlite_url: str, deltas: int, streaming: bool
) -> None:
    async with bench(tmp_path, sqlite_url, script=lambda _: say(HALF), streaming=streaming) as here:
        hasty(here)
        assert here.bot is not None
        here.bot.parts.model._timeout = 0.3
        await here.model.hold(deltas)
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Claude did not answer in time.")
        await at_rest(here)
        failed = here.own(here.general, root)[-1]
        assert "The crop" not in everything_in(failed)
        assert len(here.model.requests) == 3
        await here.model.release()
        await here.slack.click(here.alice, here.general, failed["ts"], "turn_retry")
        await here.seen(here.general, root, HALF)


@pytest.mark.parametrize("streaming", [True, False])
async def test_what_passes_by_itself_is_tried_again_and_nobody_hears_of_it(
    tmp_path: Path, sqlite_url: str, streaming: bool
) -> None:
    cut = say("Half a sentence that was not to be and then more of it", ending=Ending.BROKEN, after=4)
    script = in_turn(rate_limited(7), cut, say(HALF))
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with bench(tmp_path, sqlite_url, script=script, streaming=streaming) as here:
        assert here.bot is not None
        here.bot.parts.model._sleep = sleep
        root = await here.ask(here.alice, here.general, f"{here.at} hello", HALF)
        await at_rest(here)
        words = everything_in(here.own(here.general, root))
        assert "not to be" not in words
        assert "turn_retry" not in words
        assert words.count("The crop has to be square") == everything_in(here.own(here.general, root)[-1]).count(
            "The crop"
        )
        assert waited == [7.0, 4.0]


@pytest.mark.parametrize("reason", sorted(CUT))
@pytest.mark.parametrize("streaming", [True, False])
async def test_an_answer_that_is_too_long_is_kept_and_said_to_be_cut(
    tmp_path: Path, sqlite_url: str, reason: str, streaming: bool
) -> None:
    async with bench(tmp_path, sqlite_url, script=lambda _: say(HALF, stop_reason=reason), streaming=streaming) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", CUT[reason])
        assert HALF in everything_in(here.own(here.general, root))


async def test_a_call_whose_input_is_no_json_comes_back_to_the_model_as_a_sentence(
    tmp_path: Path, sqlite_url: str
) -> None:
    def script(request: dict[str, Any]) -> Reply:
        if len(request["messages"]) == 1:
            return say("I comment.", ToolCall(COMMENT, written='{"ticketId": T-042}'))
        return say("I see.")

    async with bench(tmp_path, sqlite_url, script=script) as here:
        await here.ask(here.alice, here.general, f"{here.at} comment", "I see.")
        [result] = [b for b in here.model.requests[1]["messages"][2]["content"] if b["type"] == "tool_result"]
        assert result["content"] == "Not run: the input of this call was no valid JSON object. Write it once more."
        assert result["is_error"] is True


async def test_a_tool_that_hangs_is_given_up_with_a_sentence_to_the_model(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(calls, "TOOL_SECONDS", 0.05)
    monkeypatch.setattr(InProcess, "call", hang)

    def script(request: dict[str, Any]) -> Reply:
        if len(request["messages"]) == 1:
            return say("I comment.", ToolCall(COMMENT, {"ticketId": "T-042", "comment": "x"}))
        return say("It hangs.")

    async with bench(tmp_path, sqlite_url, script=script) as here:
        await here.ask(here.alice, here.general, f"{here.at} comment", "It hangs.")
        assert calls.HANGS in everything_in(here.model.requests[1]["messages"])
