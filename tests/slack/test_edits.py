"""Edits and deletions before, during and after the turn that takes up the message."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.local_model import Reply, ToolCall, say
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import asked, at_rest, numbered, texts, told


async def held_turn(here: Bench, words: str = "the first question") -> str:
    """A turn whose request to the model is held; gives the thread."""
    await here.model.hold()
    root = await here.slack.say(here.alice, here.general, f"{here.at} {words}")
    await here.model.until(lambda m: len(m.requests) == 1)
    return root


async def test_a_message_edited_before_its_turn_is_asked_as_it_is_now(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await held_turn(here)
        ts = await here.slack.say(here.alice, here.general, "round avatars", root)
        await told(here)
        await here.slack.edit(here.alice, here.general, ts, "square avatars")
        await told(here)
        await here.model.release()
        await here.seen(here.general, root, "Answer 2.")
        assert "square avatars" in asked(here)
        assert "round avatars" not in asked(here)
        assert (await texts(here))[-1] == "square avatars"


async def test_a_message_deleted_before_its_turn_is_not_answered(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await held_turn(here)
        ts = await here.slack.say(here.alice, here.general, "never mind this", root)
        await told(here)
        await here.slack.delete(here.alice, here.general, ts)
        await told(here)
        await here.model.release()
        await here.seen(here.general, root, "Answer 1.")
        await at_rest(here)
        assert len(here.model.requests) == 1
        await here.ask(here.alice, here.general, "go on", "Answer 2.", root)
        assert "never mind this" not in asked(here)
        assert "never mind this" not in "\n".join(await texts(here))


async def test_a_message_edited_while_it_is_answered_is_known_at_the_next_request(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await held_turn(here, "round avatars")
        await here.slack.edit(here.alice, here.general, root, f"{here.at} square avatars")
        await told(here)
        await here.model.release()
        await here.seen(here.general, root, "Answer 1.")
        await here.ask(here.alice, here.general, "go on", "Answer 2.", root)
        assert "square avatars" in asked(here)
        assert "round avatars" not in asked(here)
        assert "edited" in asked(here)


async def test_a_message_edited_between_two_steps_of_its_turn_is_asked_as_it_is_now(
    tmp_path: Path, sqlite_url: str
) -> None:
    def script(request: dict[str, object]) -> Reply:
        if "tool_result" in str(request["messages"]):
            return say("Answer 1.")
        return say(ToolCall("mcp__sciorex-tickets__sciorex_get_ticket", {"ticketId": "T-042"}))

    async with bench(tmp_path, sqlite_url, script=script) as here:
        root = await held_turn(here, "round avatars")
        await here.slack.edit(here.alice, here.general, root, f"{here.at} square avatars")
        await told(here)
        await here.model.release()
        await here.seen(here.general, root, "Answer 1.")
        assert len(here.model.requests) == 2
        assert "square avatars" in asked(here)
        assert "round avatars" not in asked(here)


@pytest.mark.parametrize("after", [0, 1])
async def test_a_question_deleted_while_it_is_answered_leaves_no_message(
    tmp_path: Path, database_url: str, after: int
) -> None:
    async with bench(tmp_path, database_url, script=numbered(" With more words to stream.")) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        before = [m["ts"] for m in here.own(here.general, root)]
        await here.model.hold(after)
        ts = await here.slack.say(here.alice, here.general, "the secret question", root)
        await here.model.until(lambda m: len(m.requests) == 2)
        await here.slack.delete(here.alice, here.general, ts)
        await told(here)
        await here.model.release()
        await at_rest(here)
        assert [m["ts"] for m in here.own(here.general, root)] == before
        assert here.slack.agent_status(here.general, root) != "processing"
        await here.ask(here.alice, here.general, "go on", "Answer 3.", root)
        assert "secret question" not in asked(here)
        assert "Answer 2." not in asked(here)


async def test_the_first_question_deleted_while_it_is_answered_is_not_answered(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await held_turn(here)
        await here.slack.delete(here.alice, here.general, root)
        await told(here)
        await here.model.release()
        await at_rest(here)
        assert "Answer" not in everything_in(here.slack.messages(here.general, root))


async def test_an_answered_message_that_is_edited_or_deleted_is_so_at_the_next_turn(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} round avatars", "Answer 1.")
        ts = await here.slack.say(here.alice, here.general, "a slip of the tongue", root)
        await here.seen(here.general, root, "Answer 2.")
        await here.slack.edit(here.alice, here.general, root, f"{here.at} square avatars")
        await here.slack.delete(here.alice, here.general, ts)
        await at_rest(here)
        assert len(here.model.requests) == 2
        await here.ask(here.alice, here.general, "go on", "Answer 3.", root)
        assert "square avatars" in asked(here)
        assert "round avatars" not in asked(here)
        assert "slip of the tongue" not in asked(here)


async def test_an_edited_command_is_not_done_again(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "a thread")
        ts = await here.slack.say(here.alice, here.general, f"{here.at} link T-042", root)
        await here.seen(here.general, root, "Unlink")
        await at_rest(here)
        before = here.ticket("T-042")
        await here.slack.edit(here.alice, here.general, ts, f"{here.at} link T-045")
        await at_rest(here)
        assert here.ticket("T-042") == before
        assert "session_linked" not in here.ticket("T-045")
        assert here.model.requests == []
