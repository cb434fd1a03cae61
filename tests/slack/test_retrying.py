"""**Retry** below a failed answer: it goes on from what is saved, once, while it is the newest, for who may write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.agent.model import REFUSED
from bot.local_model import Refusal, Reply, ToolCall, say
from tests.bench import bench, everything_in
from tests.slack.asked import at_rest
from tests.slack.test_failures import COMMENT, DECLINES, Failing


async def test_retry_goes_on_from_the_saved_steps(tmp_path: Path, database_url: str) -> None:
    failing = [True]

    def script(request: dict[str, Any]) -> Reply | Refusal:
        if len(request["messages"]) == 1:
            return say("I comment.", ToolCall(COMMENT, {"ticketId": "T-042", "comment": "half way"}))
        return Refusal(403, "permission_error", "no") if failing[0] else say("That was it.")

    async with bench(tmp_path, database_url, script=script) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} comment", "Claude refused the bot's key")
        await at_rest(here)
        failed = here.own(here.general, root)[-1]
        assert "I comment." in everything_in(failed)
        failing[0] = False
        await here.slack.click(here.bob, here.general, failed["ts"], "turn_retry")
        await here.seen(here.general, root, "That was it.")
        assert here.ticket("T-042").count("half way") == 1
        assert sum(len(request["messages"]) == 1 for request in here.model.requests) == 1


async def test_a_second_click_says_that_it_is_running_already(tmp_path: Path, sqlite_url: str) -> None:
    script = Failing(DECLINES)
    async with bench(tmp_path, sqlite_url, script=script) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", REFUSED)
        await at_rest(here)
        failed = here.own(here.general, root)[-1]
        key = next(b for b in failed["blocks"] if b["type"] == "actions")["elements"][0]["value"]
        script.failure = None
        await here.model.hold()
        asked = len(here.model.requests)
        await here.slack.click(here.alice, here.general, failed["ts"], "turn_retry", value=key)
        await here.slack.click(here.bob, here.general, failed["ts"], "turn_retry", value=key)
        await here.told(here.bob, "I am trying again already.")
        await here.model.release()
        await here.seen(here.general, root, "All is well.")
        assert len(here.model.requests) == asked + 1


async def test_retry_of_what_is_no_longer_the_newest_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    script = Failing(DECLINES)
    async with bench(tmp_path, sqlite_url, script=script) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", REFUSED)
        await at_rest(here)
        failed = here.own(here.general, root)[-1]
        script.failure = None
        await here.ask(here.alice, here.general, "well?", "All is well.", root)
        await here.slack.click(here.alice, here.general, failed["ts"], "turn_retry")
        await here.told(here.alice, "Something else was asked here since.")


async def test_a_stranger_retries_nothing(tmp_path: Path, sqlite_url: str) -> None:
    script = Failing(DECLINES)
    async with bench(tmp_path, sqlite_url, script=script) as here:
        eve = here.slack.add_user("Eve", team_id="T0OTHER")
        shared = here.slack.add_channel("shared", shared=True, members=(here.alice, eve, here.slack.bot_user_id))
        root = await here.ask(here.alice, shared, f"{here.at} hello", REFUSED)
        await at_rest(here)
        asked = len(here.model.requests)
        await here.slack.click(eve, shared, here.own(shared, root)[-1]["ts"], "turn_retry")
        await here.told(eve, "Only members of the workspace")
        await at_rest(here)
        assert len(here.model.requests) == asked
