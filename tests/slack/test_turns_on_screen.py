"""How an answer comes onto the screen: streamed, or posted and updated where streams are not to be had; stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.inbox import posts
from bot.inbox.claim import Claim
from bot.inbox.intake import thread_for
from bot.local_model import say
from bot.sessions.models import step, turn
from bot.slack.delivery import find_made
from tests.bench import bench, everything_in
from tests.slack.asked import at_rest, count

LONG = "\n\n".join(f"Paragraph {n}: " + "thumbnails and crops. " * 20 for n in range(40))


def methods(calls: list[object]) -> list[str]:
    return [str(getattr(call, "method", "")) for call in calls]


async def test_an_answer_is_streamed_after_a_first_sign(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=lambda _: say("All is well.")) as here:
        await here.ask(here.alice, here.general, f"{here.at} how is it?", "All is well.")
        called = methods(list(here.slack.calls))
        assert called.index("agents.sessions.setStatus") < called.index("chat.startStream")
        assert "chat.stopStream" in called


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream"])
async def test_an_answer_that_ends_during_a_call_to_slack_stands_there_once(
    tmp_path: Path, database_url: str, method: str
) -> None:
    async with bench(tmp_path, database_url, script=lambda _: say("All is well. Nothing is open.")) as here:
        here.slack.hold(method)
        await here.model.hold(3)
        root = await here.slack.say(here.alice, here.general, f"{here.at} how is it?")
        await here.model.until(lambda model: bool(model.requests))
        await asyncio.sleep(1)  # time for the stream to be begun, and for the call that is held
        await here.model.release()
        while await count(here, step) < 2:
            await asyncio.sleep(0.05)
        here.slack.release(method)
        await here.seen(here.general, root, "Nothing is open.")
        await at_rest(here)
        answers = [m["blocks"][0]["text"].strip() for m in here.own(here.general, root)[1:]]
        assert answers == ["All is well. Nothing is open."]


@pytest.mark.parametrize("without", ["agent", "streaming"])
async def test_where_streams_are_not_to_be_had_it_is_posted_and_updated(
    tmp_path: Path, sqlite_url: str, without: str
) -> None:
    here_not: dict[str, Any] = {without: False}
    async with bench(tmp_path, sqlite_url, script=lambda _: say("All is well."), **here_not) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} how is it?", "All is well.")
        await here.slack.until(lambda _: len(here.own(here.general, root)) == 2)
        texts = [everything_in(m) for m in here.own(here.general, root)]
        assert sum("All is well." in text for text in texts) == 1
        assert not any("Thinking" in text for text in texts)


async def test_a_long_answer_stands_whole_in_several_messages(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=lambda _: say(LONG)) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} tell me all", "Paragraph 39")
        answer = [m["blocks"][0]["text"] for m in here.own(here.general, root) if "Paragraph" in everything_in(m)]
        assert len(answer) > 1
        assert "\n\n".join(answer).split() == LONG.split()


async def test_what_is_longer_than_one_message_is_seen_while_it_is_written(tmp_path: Path, sqlite_url: str) -> None:
    words = " ".join(f"word{n}" for n in range(900))
    async with bench(tmp_path, sqlite_url, script=lambda _: say(words)) as here:
        await here.model.hold(400)
        root = await here.slack.say(here.alice, here.general, f"{here.at} tell me all")
        await here.slack.until(lambda _: "word780 " in everything_in(here.own(here.general, root)), timeout=10)
        await here.model.release()
        await here.seen(here.general, root, "word899")


async def test_stop_ends_the_turn_and_says_so(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=lambda _: say(LONG)) as here:
        await here.model.hold(3)
        root = await here.slack.say(here.alice, here.general, f"{here.at} tell me all")
        await here.model.until(lambda model: bool(model.requests))
        await here.slack.say(here.alice, here.general, "!stop", root)
        await here.seen(here.general, root, "Stopped")
        await here.model.release()
        assert "Paragraph 39" not in everything_in(here.own(here.general, root))


async def test_what_the_model_writes_pings_nobody_and_hides_no_link(tmp_path: Path, sqlite_url: str) -> None:
    words = "<!channel> see [the docs](https://evil.example/x) ![pic](https://evil.example/p.png) done"
    async with bench(tmp_path, sqlite_url, script=lambda _: say(words)) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} go", "done")
        answer = everything_in(await here.seen(here.general, root, "done"))
        assert "<!channel>" not in answer
        assert "the docs (https://evil.example/x)" in answer
        assert "![" not in answer


async def test_a_model_that_is_no_longer_served_is_replaced_and_the_thread_says_so(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=lambda _: say("All is well."), models=("claude-sonnet-5-5",)) as here:
        agent = here.folder / ".sciorex" / "agents" / "sciorex.yaml"
        agent.write_text("id: sciorex\nname: Sciorex\nmodel: claude-sonnet-4-20250514\n", encoding="utf-8")
        root = await here.ask(here.alice, here.general, f"{here.at} how is it?", "All is well.")
        answer = everything_in(await here.seen(here.general, root, "All is well."))
        assert "claude-sonnet-4-20250514" in answer
        assert "claude-sonnet-5-5" in answer


async def test_a_stream_whose_ts_is_saved_at_the_last_moment_is_not_left_beside_the_answer(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=lambda _: say(LONG)) as here:
        await here.model.hold(20)
        root = await here.slack.say(here.alice, here.general, f"{here.at} how is it?")
        await here.slack.until(lambda _: "Paragraph" in everything_in(here.own(here.general, root)))
        assert here.bot is not None
        parts = here.bot.parts

        def rows(connection: Any) -> tuple[Claim, posts.Post | None]:
            thread_id = thread_for(connection, parts.me.team, here.general, root)
            [key] = connection.execute(select(turn.c.key)).scalars()
            claim = Claim(parts.db, thread_id, parts.me.team, here.general, root, "w1", 0)
            return claim, posts.by_key(connection, posts.answer_key(key, 0))

        async with asyncio.timeout(10):
            while (made := (await parts.db.write("look", rows))[1]) is None or made.ts is None:
                await asyncio.sleep(0.02)
        claim, _ = await parts.db.write("look", rows)
        assert await find_made(parts, claim, replace(made, ts=None)) == made.ts
        await here.model.release()
