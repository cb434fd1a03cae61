"""Stop: the button, the word and Slack's own end a turn within a second, and what was done is said."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.config_sections import ServerEntry
from bot.inbox.intake import Arrival, take_in
from bot.local_model import Reply, ToolCall, say
from bot.slack.intake.arrivals import as_ts
from bot.slack.views.markdown import stopped_note
from bot.tickets.files import workspace_lock
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered
from tests.slack.test_choosing_agents import header
from tests.slack.test_outside import named

LONG = " ".join(f"word{n}" for n in range(400))
COMMENT = ToolCall("mcp__sciorex-tickets__sciorex_add_comment", {"ticketId": "T-042", "comment": "done"})


def comments_then_talks(request: dict[str, Any]) -> Reply:
    """A tool call, then a long answer."""
    return say("I comment.", COMMENT) if len(request["messages"]) == 1 else say(LONG)


async def press(here: Bench, root: str, way: str) -> None:
    if way == "word":
        await here.slack.say(here.bob, here.general, "!stop", root)
    elif way == "button":
        await here.slack.click(here.bob, here.general, header(here, root)["ts"], "turn_stop")
    elif way == "native":
        await here.slack.stop_agent(here.bob, here.general, root)
    else:  # another process took it in
        assert here.bot is not None
        parts = here.bot.parts
        said = {"user": here.bob}
        arrival = Arrival(parts.me.team, here.general, root, "e:1", "stop", as_ts(parts.now_ms()), said)
        await parts.db.write("intake", lambda c: take_in(c, arrival, parts.now_ms()))


@pytest.mark.parametrize("way", ["word", "button", "native", "elsewhere"])
async def test_stop_ends_a_turn_within_a_second_and_says_which_tools_ran(
    tmp_path: Path, database_url: str, way: str
) -> None:
    async with bench(tmp_path, database_url, script=comments_then_talks) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} comment")
        await here.model.until(lambda m: len(m.requests) == 1)
        await here.model.hold(20)
        await here.model.until(lambda m: len(m.requests) == 2 and m.streaming == 1)
        await here.slack.until(lambda _: any("session_menu" in everything_in(m) for m in here.own(here.general, root)))
        began = time.monotonic()
        await press(here, root, way)
        answer = everything_in(await here.seen(here.general, root, "Stopped.", timeout=3))
        took = time.monotonic() - began
        await here.model.release()
        await at_rest(here)
        assert took < 1
        assert "Done before that: Comment on T-042: “done”." in answer
        assert "word399" not in everything_in(here.own(here.general, root))


async def stopped_while(here: Bench, root: str) -> str:
    """Presses Stop, and gives the answer that says so; what hangs would take far longer."""
    await press(here, root, "native")
    return everything_in(await here.seen(here.general, root, "Stopped.", timeout=5))


async def test_stop_does_not_wait_for_a_tool_that_hangs(tmp_path: Path, sqlite_url: str) -> None:
    def script(request: dict[str, Any]) -> Reply:
        return say("I comment.", COMMENT) if len(request["messages"]) == 1 else say("Answer.")

    async with bench(tmp_path, sqlite_url, script=script) as here:
        with workspace_lock(here.folder):  # another program is writing tickets, which is waited for half a minute
            root = await here.slack.say(here.alice, here.general, f"{here.at} comment")
            await here.slack.until(lambda _: "Comment on T-042" in everything_in(here.own(here.general, root)))
            answer = await stopped_while(here, root)
            assert "it may have been done or not: Comment on T-042: “done”." in answer
            await here.ask(here.alice, here.general, "and now?", "Answer.", root)


async def test_stop_does_not_wait_for_a_server_that_does_not_start(tmp_path: Path, sqlite_url: str) -> None:
    silent = ServerEntry(command=sys.executable, args=("-c", "import time; time.sleep(60)"), timeout=60)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=named(silent, tmp_path)) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
        await here.slack.until(lambda s: s.agent_status(here.general, root) == "processing")
        await stopped_while(here, root)
        assert here.model.requests == []


async def test_where_nothing_runs_the_person_is_told(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await at_rest(here)
        await press(here, root, "button")
        await here.told(here.bob, "Nothing is running in this thread.")
        await here.slack.say(here.alice, here.general, "!stop", root)
        await here.told(here.alice, "Nothing is running in this thread.")
        await here.ask(here.alice, here.general, "and now?", "Answer 2.", root)  # it is not stopped by what is past


def test_a_tool_that_was_cut_off_is_named_and_what_did_not_begin_too() -> None:
    note = stopped_note(["Read T-001"], ["Comment on T-002"], ["Change status of T-003 → done"])
    assert note.split("\n") == [
        *("", "", "_Stopped._", "Done before that: Read T-001."),
        "Cut off, so it may have been done or not: Comment on T-002.",
        "Not done: Change status of T-003 → done.",
    ]
    assert stopped_note() == "\n\n_Stopped. Nothing was changed._"


async def test_where_the_app_is_no_agent_the_first_sign_has_the_button(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered(), agent=False) as here:
        await here.model.hold()
        root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
        sign = await here.seen(here.general, root, "Thinking")
        await here.slack.click(here.alice, here.general, sign["ts"], "turn_stop")
        stopped = await here.seen(here.general, root, "Stopped.")
        assert stopped["ts"] == sign["ts"]
        assert "turn_stop" not in everything_in(stopped)
        await here.model.release()


async def test_messages_of_two_people_during_a_turn_are_taken_up_next_in_order(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await here.model.hold()
        root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
        await here.model.until(lambda m: len(m.requests) == 1)
        for who, words in ((here.bob, "one"), (here.alice, "two"), (here.alice, "three"), (here.bob, "four")):
            await here.slack.say(who, here.general, f"{here.at} {words}", root)
        await here.model.release()
        await here.seen(here.general, root, "Answer 4.")
        await at_rest(here)
        added = [everything_in(request["messages"][-1]) for request in here.model.requests]
        assert len(added) == 4
        for n, expected in enumerate((["hello"], ["one"], ["two", "three"], ["four"])):
            assert all(word in added[n] for word in expected)
