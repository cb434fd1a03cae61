"""An admin deletes an answer of the bot: its words go everywhere, and a dated mark of it stays."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.agent.model import REFUSED
from bot.archives import erase
from bot.inbox import posts
from bot.inbox.intake import Arrival, ready, thread_for
from bot.local_model import Reply, ToolCall, say
from bot.sessions.models import metadata, turn
from bot.slack.intake.arrivals import as_ts
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import asked, at_rest, numbered, told
from tests.slack.test_agent_and_tickets import PREFIX, results
from tests.slack.test_archiving import archived, content, said, verified
from tests.slack.test_asking import DONE, card, in_mode, now, press
from tests.slack.test_failures import DECLINES, Failing
from tests.slack.test_searching import searched

SECRET = "swordfish"
LONG = " ".join(f"word{n}" for n in range(4_000))
COMMENT = ToolCall("mcp__sciorex-tickets__sciorex_add_comment", {"ticketId": "T-042", "comment": "done"})
DELETED = "was deleted in Slack"


def an_admin(here: Bench) -> str:
    ada = here.slack.add_user("Ada", is_admin=True)
    here.slack.invite(here.general, ada)
    return ada


async def deleted(here: Bench, ts: str) -> None:
    await here.slack.delete(an_admin(here), here.general, ts)
    await at_rest(here)


async def unheard(here: Bench, ts: str) -> None:
    """A message is deleted, and the event of it never comes."""
    deliveries: Any = here.slack._workspace.deliveries
    admin, send = an_admin(here), deliveries.event
    deliveries.event = lambda _payload: None
    await here.slack.delete(admin, here.general, ts)
    deliveries.event = send


async def states(here: Bench) -> list[tuple[str, bool]]:
    """Of each turn its state, and whether its answer was deleted."""
    assert here.bot is not None
    rows = select(turn.c.state, turn.c.deleted_ms).order_by(turn.c.id)
    return await here.bot.parts.db.read(lambda c: [(r.state, r.deleted_ms is not None) for r in c.execute(rows)])


async def everything_kept(here: Bench) -> str:
    """All that the database holds."""
    assert here.bot is not None
    return await here.bot.parts.db.read(
        lambda c: "\n".join(str([tuple(row) for row in c.execute(select(table))]) for table in metadata.sorted_tables)
    )


def answers(here: Bench, root: str) -> list[str]:
    """What the bot's messages in the thread say, without its header."""
    said = [everything_in(one) for one in here.own(here.general, root)]
    return [one for one in said if "session_menu" not in one]


def secretive(request: dict[str, Any]) -> Reply:
    """Comments and tells a secret; later answers repeat nothing of it."""
    words = everything_in(request["messages"])
    if DELETED in words or "tool_result" in str(request["messages"]):
        return say(f"It is {SECRET}." if DELETED not in words else "Fine.")
    return say(f"I note {SECRET}.", COMMENT)


def asks_first(request: dict[str, Any]) -> Reply:
    """Wants to change something, and says what became of that."""
    if told := results(request):
        return say(f"I was told: {told[-1]}")
    return say("I would change it.", ToolCall(PREFIX + "update_subtask", DONE))


async def test_the_words_of_a_deleted_answer_go_and_what_was_done_stays(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=secretive) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} comment on it", f"It is {SECRET}.")
        await at_rest(here)
        assert SECRET in await searched(here, here.bob, SECRET[:5])
        await deleted(here, (await here.seen(here.general, root, SECRET))["ts"])
        assert SECRET not in await everything_kept(here)
        assert "Said in sessions" not in await searched(here, here.bob, SECRET[:5])
        await here.ask(here.alice, here.general, f"{here.at} go on", "Fine.", root)
        assert SECRET not in asked(here) and DELETED in asked(here)
        sent = here.model.requests[-1]["messages"]
        roles = [(one["role"], *(block["type"] for block in one["content"])) for one in sent]
        assert roles == [("user", "text"), ("assistant", "tool_use"), ("user", "tool_result", "text")]
        assert "comment: done" in here.ticket("T-042")
        await at_rest(here)
        assert await states(here) == [("done", True), ("done", False)]
        assert SECRET not in "\n".join(answers(here, root))


async def test_an_archived_answer_that_is_deleted_verifies(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered(f" {SECRET}")) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
        await here.seen(here.general, root, "Unlink")
        await here.ask(here.alice, here.general, f"{here.at} go on", "Answer 1.", root)
        await at_rest(here)
        await archived(here, root)
        ids = [one["id"] for one in content(here)["messages"]]
        await deleted(here, (await here.seen(here.general, root, "Answer 1."))["ts"])
        assert SECRET not in await everything_kept(here)
        found = content(here)
        assert SECRET not in str(found) and [one["id"] for one in found["messages"]] == ids
        [mark] = [one for one in found["messages"] if "deletedAt" in one]
        assert (mark["role"], mark["content"], found["output"]) == ("assistant", "", None)
        code, [line, _] = await verified(here)
        assert code == 0 and "(1 deleted)" in line, line
        await here.ask(here.alice, here.general, f"{here.at} and now?", "Answer 2.", root)
        await archived(here, root)
        assert said(here)[-2:] == [f"{here.at} and now?", f"Answer 2. {SECRET}"]
        assert (await verified(here))[0] == 0


async def test_of_an_answer_in_several_messages_all_go(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=lambda _: say(LONG)) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} tell me all", "word3999")
        await at_rest(here)
        parts = [one for one in here.own(here.general, root) if "word" in everything_in(one)]
        assert len(parts) > 1
        await deleted(here, parts[-1]["ts"])
        assert "word" not in "\n".join(answers(here, root))
        assert "word77" not in await everything_kept(here)
        assert await states(here) == [("done", True)]


@pytest.mark.parametrize("agent", [True, False], ids=["streamed", "first sign"])
async def test_a_turn_whose_answer_is_deleted_ends_there(tmp_path: Path, database_url: str, agent: bool) -> None:
    def script(request: dict[str, Any]) -> Reply:
        return say("Answer 2.") if "and now?" in everything_in(request["messages"]) else say(LONG[:2_000], COMMENT)

    async with bench(tmp_path, database_url, script=script, agent=agent) as here:
        await here.model.hold(20 if agent else 0)
        root = await here.slack.say(here.alice, here.general, f"{here.at} comment")
        await here.slack.until(lambda _: len(here.own(here.general, root)) > 1)
        await here.slack.delete(an_admin(here), here.general, here.own(here.general, root)[-1]["ts"])
        await told(here)
        await here.model.release()
        await at_rest(here)
        assert await states(here) == [("stopped", True)]
        assert answers(here, root) == []
        assert "comment: done" not in here.ticket("T-042")
        assert here.slack.agent_status(here.general, root) != "processing"
        await here.ask(here.alice, here.general, f"{here.at} and now?", "Answer 2.", root)
        assert "word7" not in asked(here)


async def test_a_turn_that_waits_is_not_waited_for_any_more(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=asks_first) as here:
        root = await in_mode(here)
        await here.slack.say(here.alice, here.general, "start with it", root)
        shown = await card(here, root)
        await deleted(here, (await here.seen(here.general, root, "I would change it."))["ts"])
        assert "No longer asked." in now(here, shown, root)
        assert await states(here) == [("stopped", True)]
        assert "I would change it." not in await everything_kept(here)
        assert len(here.model.requests) == 1


async def test_a_deletion_that_was_never_heard_is_found_when_the_message_is_to_change(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=asks_first) as here:
        root = await in_mode(here)
        await here.slack.say(here.alice, here.general, "start with it", root)
        shown = await card(here, root)
        await unheard(here, (await here.seen(here.general, root, "I would change it."))["ts"])
        await press(here, here.alice, shown, "question_approve")
        await here.slack.until(lambda _: "approved this" in now(here, shown, root), timeout=10)
        await at_rest(here)
        assert await states(here) == [("done", True)]
        assert "I was told" not in "\n".join(answers(here, root))
        assert "I would change it." not in await everything_kept(here)


async def test_a_message_that_slack_will_not_change_and_that_stands_is_not_taken_for_deleted(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered(), streaming=False) as here:
        here.slack.fail("chat.update", "message_not_found", times=3)
        root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
        await here.model.until(lambda m: len(m.requests) == 1)
        await at_rest(here)
        assert await states(here) == [("done", False)]
        await here.ask(here.alice, here.general, f"{here.at} and now?", "Answer 2.", root)
        assert "Answer 1." in asked(here)


async def test_what_the_bot_takes_away_itself_is_no_deletion(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=lambda _: say(LONG)) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} tell me all", "word3999")
        await at_rest(here)
        assert here.bot is not None
        turns = select(turn.c.id, turn.c.key)
        [(turn_id, key)] = await here.bot.parts.db.read(lambda c: c.execute(turns).all())

        def shorter(connection: Any) -> None:
            thread_id = thread_for(connection, here.slack.team_id, here.general, root)
            posts.put_answer(connection, thread_id, turn_id, key, {0: {"text": "Short now."}})
            ready(connection, thread_id, 0)

        await here.bot.parts.db.write("shorter", shorter)
        here.bot.parts.wake()
        await here.seen(here.general, root, "Short now.")
        await at_rest(here)
        assert "chat.delete" in [call.method for call in here.slack.calls]
        assert answers(here, root)[0].count("Short now.") and len(answers(here, root)) == 1
        assert await states(here) == [("done", False)]
        assert "word77" in await everything_kept(here)


async def test_an_answer_deleted_while_the_bot_was_down_is_not_posted_again(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered(" With more words to stream.")) as here:
        await here.model.hold(3)
        root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
        await here.slack.until(lambda _: "Answer" in "\n".join(answers(here, root)))
        await here.stop()
        await here.slack.delete(an_admin(here), here.general, here.own(here.general, root)[-1]["ts"])
        await here.model.release()
        await here.start()
        async with asyncio.timeout(10):
            while not (await states(here))[0][1]:
                await asyncio.sleep(0.05)
        await at_rest(here)
        assert answers(here, root) == []
        assert "stream" not in await everything_kept(here)


async def test_erasing_beside_it_shows_nothing_again(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=secretive) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
        await here.seen(here.general, root, "Unlink")
        await here.ask(here.alice, here.general, f"{here.at} comment on it", f"It is {SECRET}.", root)
        await at_rest(here)
        await archived(here, root)
        await deleted(here, (await here.seen(here.general, root, SECRET))["ts"])
        entries = [one["id"] for one in content(here)["messages"] if one["role"] in ("assistant", "tool_use")]
        before = answers(here, root)
        assert await erase(here.settings, content(here)["id"], entries, lambda _line: None) == 0
        await at_rest(here)
        assert answers(here, root) == before
        code, [line, _] = await verified(here)
        assert code == 0 and "(3 erased)" in line, line


async def test_a_failed_answer_that_is_deleted_is_not_tried_again(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=Failing(DECLINES)) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", REFUSED)
        await at_rest(here)
        failed = here.own(here.general, root)[-1]
        assert here.bot is not None
        working = len(here.model.requests)
        await here.slack.delete(an_admin(here), here.general, failed["ts"])
        await at_rest(here)
        [key] = await here.bot.parts.db.read(lambda c: list(c.execute(select(turn.c.key)).scalars()))
        said = {"user": here.alice, "turn": key}
        now = as_ts(here.bot.parts.now_ms())
        arrival = Arrival(here.slack.team_id, here.general, root, "retry:1", "retry", now, said)
        await here.bot.parts.take_in(arrival)
        await at_rest(here)
        assert answers(here, root) == [] and len(here.model.requests) == working
        assert await states(here) == [("failed", True)]
