"""How a thread becomes a session: what was said before belongs to it, and threads that are none leave no trace."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import func, select

from bot.sessions.models import inbox
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import asked, at_rest, kept, numbered, other_bot_says, texts, told

NOTHING = {"inbox": 0, "message": 0, "session": 0, "thread": 0}


async def test_messages_of_threads_that_are_no_session_leave_no_row(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "nobody asked the bot, T-042 or not")
        reply = await here.slack.say(here.bob, here.general, f"<@{here.alice}> indeed", root)
        await here.slack.edit(here.bob, here.general, reply, "indeed!")
        await here.slack.delete(here.bob, here.general, reply)
        other_bot_says(here, here.general, f"{here.at} a bot mentions it", root)
        await told(here)
        assert await kept(here) == NOTHING
        assert here.model.requests == []


async def test_text_that_no_database_takes_is_stored_without_it(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} a\x00b\ud83dc", "Answer 1.")
        assert await texts(here) == [f"{here.at} abc"]
        await here.ask(here.alice, here.general, "d\x00e \udc00f", "Answer 2.", root)
        assert (await texts(here))[-1] == "de f"


async def test_earlier_text_that_no_database_takes_is_stored_without_it(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await here.slack.say(here.bob, here.general, "a\x00b\ud83dc")
        await here.slack.say(here.alice, here.general, f"{here.at} hello", root)
        await here.seen(here.general, root, "Answer 1.")
        assert (await texts(here))[0] == "abc"


async def test_earlier_messages_of_people_and_other_bots_are_fetched_once_and_known_to_the_agent(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await here.slack.say(here.bob, here.general, "How should we crop avatars?")
        await here.slack.say(here.carol, here.general, "Square, I would say", root)
        other_bot_says(here, here.general, "build 17 is green", root)
        await here.slack.say(here.alice, here.general, f"{here.at} what do you think?", root)
        await here.seen(here.general, root, "Answer 1.")
        for words in ("How should we crop", "Square, I would say", "build 17 is green", "what do you think"):
            assert words in asked(here)
        assert asked(here).index("How should we crop") < asked(here).index("build 17")
        assert asked(here).count("what do you think") == 1

        read = [call for call in here.slack.calls if call.method == "conversations.replies"]
        await here.slack.say(here.alice, here.general, f"{here.at} and more?", root)
        await here.seen(here.general, root, "Answer 2.")
        again = [call for call in here.slack.calls if call.method == "conversations.replies"]
        assert len(again) == len(read)


async def test_a_long_thread_is_fetched_to_its_end(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.bob, here.general, "remark 0")
        for n in range(1, 431):
            await here.slack.say(here.bob, here.general, f"remark {n}", root)
        await here.slack.say(here.alice, here.general, f"{here.at} sum it up", root)
        await here.seen(here.general, root, "Answer 1.")
        stored = await texts(here)
        assert stored == [*(f"remark {n}" for n in range(431)), f"{here.at} sum it up"]
        assert "remark 0" in asked(here)
        assert "remark 430" in asked(here)


async def test_a_thread_that_is_archived_without_having_been_a_session_has_its_earlier_messages(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.bob, here.general, "How should we crop avatars?")
        await here.slack.say(here.carol, here.general, "Square", root)
        await here.slack.say(here.carol, here.general, f"{here.at} link T-042", root)
        await here.seen(here.general, root, "Unlink")
        assert await texts(here) == ["How should we crop avatars?", "Square"]


async def test_where_it_is_no_member_it_says_how_to_invite_it(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        elsewhere = here.slack.add_channel("elsewhere", members=(here.alice, here.bob))
        root = await here.slack.say(here.bob, elsewhere, "How should we crop avatars?")
        await here.slack.message_shortcut(here.alice, "link_to_ticket", elsewhere, root)
        view = here.slack.views(here.alice)[-1]
        options = await here.slack.options(here.alice, "ticket", "avatar", view_id=view["id"], block_id="ticket")
        picked = next(option for option in options if option["value"] == "T-042")
        await here.slack.submit(here.alice, view["id"], {"ticket": {"ticket": picked}})
        await at_rest(here)
        dm = here.slack.open_dm(here.alice)
        await here.slack.until(
            lambda s: "/invite @" in everything_in(s.messages(dm)) + everything_in(s.ephemerals(here.alice))
        )
        assert "session_linked" not in here.ticket("T-042")


async def test_invited_to_a_channel_it_says_once_what_it_does(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        room = here.slack.add_channel("room", members=(here.alice,))
        here.slack.invite(room, here.slack.bot_user_id)
        await here.slack.until(lambda s: len(s.messages(room)) == 1, timeout=10)
        hello = everything_in(here.slack.messages(room)[0])
        assert "/link" in hello
        assert len(hello) < 1_500
        await here.slack.redeliver(lambda d: d.event.get("type") == "member_joined_channel")
        here.slack.invite(room, here.bob)
        here.slack.remove(room, here.slack.bot_user_id)
        here.slack.invite(room, here.slack.bot_user_id)
        await here.ask(here.alice, room, f"{here.at} hello", "Answer 1.")
        assert len([m for m in here.slack.messages(room) if m.get("bot_id")]) == 1


async def test_help_works_everywhere_and_makes_no_session(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        dm = here.slack.open_dm(here.alice)
        await here.slack.say(here.alice, dm, "help")
        await here.told(here.alice, "Start chat")

        root = await here.slack.say(here.bob, here.general, "a thread")
        for n, words in enumerate((f"{here.at} help", "!help"), 1):
            await here.slack.say(here.bob, here.general, words, root)
            await here.slack.until(lambda s, n=n: len(s.ephemerals(here.bob)) == n, timeout=10)  # type: ignore[misc]
        assert all(m["thread_ts"] == root for m in here.slack.ephemerals(here.bob))

        await here.slack.command(here.carol, here.general, "/ticket help")
        await here.told(here.carol, "Start chat")
        await here.slack.command(here.carol, here.general, "/ticket")
        await here.slack.until(lambda s: len(s.ephemerals(here.carol)) == 2, timeout=10)
        assert here.own(here.general, root) == []
        assert (await kept(here))["session"] == 0
        assert here.model.requests == []


async def test_what_was_said_before_is_not_answered_when_its_event_comes_while_the_session_begins(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "a thread about avatars")
        await told(here)
        here.slack.hold("conversations.replies")
        await here.slack.say(here.alice, here.general, "!link T-042", root)
        await told(here)
        await begun(here)
        await here.slack.redeliver(lambda delivery: delivery.event.get("ts") == root)
        here.slack.release("conversations.replies")
        await here.seen(here.general, root, "Unlink")
        await at_rest(here)
        assert here.model.requests == []
        assert await texts(here) == ["a thread about avatars"]


async def begun(here: Bench) -> None:
    """Waits till the worker has taken up what came last."""
    assert here.bot is not None
    taken = select(func.count()).select_from(inbox).where(inbox.c.state == "new", inbox.c.attempts > 0)
    async with asyncio.timeout(10):
        while not await here.bot.parts.db.read(lambda c: c.execute(taken).scalar_one()):
            await asyncio.sleep(0.01)
