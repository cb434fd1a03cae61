"""Threads whose root was deleted, channels the bot was taken out of, triggers that expired: told, and others go on."""

from __future__ import annotations

from pathlib import Path

from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, told


async def goes_on(here: Bench) -> None:
    """Another thread is served as ever."""
    root = await here.slack.say(here.carol, here.general, f"{here.at} hello from elsewhere")
    await here.seen(here.general, root, "Answer")
    await at_rest(here)


async def test_a_reply_under_a_deleted_root_is_answered_in_its_thread(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.bob, here.general, "the root")
        await here.slack.say(here.alice, here.general, "a reply", root)
        await here.slack.delete(here.bob, here.general, root)
        await here.slack.say(here.alice, here.general, f"{here.at} still there?", root)
        await here.seen(here.general, root, "Answer 1.")
        await goes_on(here)


async def test_a_root_deleted_before_the_header_stands_leaves_nothing(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        here.slack.hold("chat.postMessage")
        root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
        await told(here)
        await here.slack.until(lambda s: any(c.method == "conversations.replies" for c in s.calls))
        await here.slack.delete(here.alice, here.general, root)
        await told(here)
        here.slack.release("chat.postMessage")
        await at_rest(here)
        assert here.slack.messages(here.general) == []
        await goes_on(here)


async def test_a_thread_that_is_no_more_when_it_is_read_is_told(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        here.slack.hold("conversations.replies")
        here.slack.fail("conversations.replies", "thread_not_found")
        root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
        here.slack.release("conversations.replies")
        await here.told(here.alice, "This thread is no more")
        await at_rest(here)
        assert here.own(here.general, root) == []
        await goes_on(here)


async def test_a_turn_in_a_channel_the_bot_is_taken_out_of_ends(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        room = here.slack.add_channel("room", members=(here.alice, here.slack.bot_user_id))
        await here.model.hold()
        root = await here.slack.say(here.alice, room, f"{here.at} hello")
        await here.model.until(lambda m: len(m.requests) == 1)
        here.slack.remove(room, here.slack.bot_user_id)
        await here.model.release()
        await at_rest(here)
        assert "Answer" not in everything_in(here.slack.messages(room, root))
        await goes_on(here)


async def test_a_click_that_came_too_late_is_told(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "a thread")
        for n, reason in enumerate(("expired_trigger_id", "trigger_exchanged"), 1):
            here.slack.fail("views.open", reason)
            await here.slack.message_shortcut(here.alice, "link_to_ticket", here.general, root)
            await here.slack.until(lambda s, n=n: len(s.ephemerals(here.alice)) == n)  # type: ignore[misc]
            assert "Please try again" in everything_in(here.slack.ephemerals(here.alice)[-1])
        here.slack.fail("views.open", "expired_trigger_id")
        await here.slack.command(here.bob, here.general, "/link")
        assert "Please try again" in everything_in(await here.told(here.bob, "expire"))
        await goes_on(here)
