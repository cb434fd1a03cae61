"""Catch me up: in a thread, and over a ticket's sessions; kept until something new is said, through a crash too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.local_model import Reply, Script, overloaded, say
from bot.sessions.models import summary, thread
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, count, told


def summing(ending: str = "") -> Script:
    """A model that answers people with "Answer." and sums up as "Summary 1.", "Summary 2." …"""
    given = 0

    def script(request: dict[str, Any]) -> Reply:
        nonlocal given
        if "<to_sum_up>" not in everything_in(request["messages"]):
            return say("Answer.")
        given += 1
        return say(f"Summary {given}.{ending}")

    return script


def asked_to_sum_up(here: Bench) -> list[str]:
    """What the model was given, each time it was asked to sum up."""
    given = [everything_in(request["messages"]) for request in here.model.requests]
    return [text for text in given if "<to_sum_up>" in text]


async def summed(here: Bench, user: str, root: str, words: str, answer: str) -> str:
    await here.slack.say(user, here.general, words, root)
    await here.seen(here.general, root, answer)
    await at_rest(here)
    return str(here.own(here.general, root)[-1]["text"])


async def test_a_thread_is_summed_up_in_it_and_once_until_something_new_is_said(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=summing()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} which cache?", "Answer.")
        await here.slack.say(here.bob, here.general, "I vote for Redis", root)
        await told(here)  # Slack promises no order: what comes after the word is not summed up
        assert await summed(here, here.carol, root, f"{here.at} summary", "Summary 1.") == "Summary 1."
        (given,) = asked_to_sum_up(here)
        assert "Alice: <@" in given
        assert "agent: Answer." in given
        assert "Bob: I vote for Redis" in given
        again = await summed(here, here.bob, root, "!summary", "Nothing new was said since this was written")
        assert again.startswith("Summary 1.\n\n_Nothing new")
        assert len(asked_to_sum_up(here)) == 1
        await here.slack.say(here.bob, here.general, "No, memcached", root)
        await told(here)
        assert await summed(here, here.carol, root, f"{here.at} catch me up!", "Summary 2.") == "Summary 2."
        assert "No, memcached" in asked_to_sum_up(here)[-1]
        assert await count(here, summary) == 1


async def test_a_thread_the_bot_took_no_part_in_is_summed_up_too(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=summing()) as here:
        root = await here.slack.say(here.alice, here.general, "the build is broken")
        await here.slack.say(here.bob, here.general, "it was me", root)
        await summed(here, here.carol, root, f"{here.at} summary", "Summary 1.")
        (given,) = asked_to_sum_up(here)
        assert given.index("Alice: the build is broken") < given.index("Bob: it was me")
        assert f"{here.at} summary" not in given


async def test_what_is_edited_or_deleted_is_in_no_summary_any_more(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=summing()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer.")
        ts = await here.slack.say(here.bob, here.general, "the password is hunter2", root)
        await summed(here, here.carol, root, f"{here.at} summary", "Summary 1.")
        await here.slack.delete(here.bob, here.general, ts)
        await at_rest(here)
        assert await count(here, summary) == 0
        await summed(here, here.carol, root, f"{here.at} summary", "Summary 2.")
        assert "hunter2" in asked_to_sum_up(here)[0]
        assert "hunter2" not in asked_to_sum_up(here)[1]


async def test_a_tickets_sessions_are_summed_up_as_the_asker_may_see_them(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=summing()) as here:
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        for channel in (here.general, secret):
            root = await here.ask(here.alice, channel, f"{here.at} about {channel}", "Answer.")
            await here.slack.say(here.alice, channel, f"{here.at} link T-042", root)
            await here.seen(channel, root, "linked this thread")
        await at_rest(here)
        before = here.slack.messages(here.general)
        await here.slack.command(here.bob, here.general, "/ticket T-042 summary")
        told = await here.told(here.bob, "Summary 1.")
        assert "T-042" in everything_in(told)
        await here.slack.command(here.alice, here.general, "/ticket t42 catch me up")
        await here.told(here.alice, "Summary 2.")
        bobs, alices = asked_to_sum_up(here)
        assert secret not in bobs
        assert here.general in bobs
        assert secret in alices
        assert here.general in alices
        assert "All of them belong to the ticket T-042 Add user profile avatar upload." in bobs
        await here.slack.command(here.carol, here.general, "/ticket T-042 summary")
        await here.told(here.carol, "Summary 1.")  # she may see what Bob may
        assert len(asked_to_sum_up(here)) == 2
        assert here.slack.messages(here.general) == before
        await here.slack.command(here.bob, here.general, "/ticket T-045 summary")
        await here.told(here.bob, "There is no session of T-045 to sum up.")
        await here.slack.command(here.bob, here.general, "/ticket T-404 summary")
        await here.told(here.bob, "There is no ticket T-404.")


async def test_in_a_thread_a_tickets_summary_is_the_askers_alone(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=summing()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hi", "Answer.")
        await here.slack.say(here.alice, here.general, f"{here.at} link T-042", root)
        await here.seen(here.general, root, "linked this thread")
        await here.slack.say(here.bob, here.general, "!ticket T-042 summary", root)
        told = await here.told(here.bob, "Summary 1.")
        assert told["thread_ts"] == root
        assert not [m for m in here.own(here.general, root) if "Summary" in everything_in(m)]


async def test_killed_between_the_model_and_slack_it_is_asked_once_and_shown_once(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=summing()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hi", "Answer.")
        await at_rest(here)
        here.slack.hold("chat.postMessage")
        await here.slack.say(here.bob, here.general, f"{here.at} summary", root)
        await here.slack.until(lambda _: bool(asked_to_sum_up(here)), timeout=10)
        await here.stop()
        here.slack.release("chat.postMessage")
        await here.start()
        await here.seen(here.general, root, "Summary 1.")
        await at_rest(here)
        assert len(asked_to_sum_up(here)) == 1
        shown = [m for m in here.own(here.general, root) if "Summary" in everything_in(m)]
        assert [m["text"] for m in shown] == ["Summary 1."]


async def test_where_the_model_fails_whoever_asked_is_told_and_nothing_is_kept(tmp_path: Path, sqlite_url: str) -> None:
    def script(request: dict[str, Any]) -> Any:
        return overloaded() if "<to_sum_up>" in everything_in(request["messages"]) else say("Answer.")

    async with bench(tmp_path, sqlite_url, script=script) as here:
        assert here.bot is not None

        async def at_once(_seconds: float) -> None:
            return None

        here.bot.parts.model._sleep = at_once
        root = await here.ask(here.alice, here.general, f"{here.at} hi", "Answer.")
        await here.slack.say(here.bob, here.general, f"{here.at} summary", root)
        await here.told(here.bob, "Claude is overloaded at the moment.")
        assert await count(here, summary) == 0
        await here.slack.say(here.bob, here.general, "hello", root)
        assert not [m for m in here.own(here.general, root) if "overloaded" in everything_in(m)]


async def test_an_empty_thread_has_nothing_to_sum_up(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=summing()) as here:
        dm = here.slack.open_dm(here.alice)
        await here.slack.say(here.alice, dm, "summary")
        await here.told(here.alice, "Nothing has been said here yet that could be summed up.")
        assert asked_to_sum_up(here) == []


async def test_what_the_model_writes_pings_nobody(tmp_path: Path, sqlite_url: str) -> None:
    words = " <!channel> <@U0ALICE> ![x](https://evil.example/a.png) [here](https://evil.example)"
    async with bench(tmp_path, sqlite_url, script=summing(words)) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hi", "Answer.")
        shown = await summed(here, here.bob, root, f"{here.at} summary", "Summary 1.")
        assert "<!channel>" not in shown
        block = here.own(here.general, root)[-1]["blocks"][0]["text"]
        assert "<!channel>" not in block
        assert "](" not in block


async def test_the_demos_model_sums_up_what_was_said(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url) as here:
        root = await here.slack.say(here.alice, here.general, "Shall we cut T-042 in two?")
        await here.slack.say(here.bob, here.general, "Yes: upload first, editing later", root)
        await here.slack.say(here.carol, here.general, f"{here.at} summary", root)
        shown = await here.seen(here.general, root, "Alice, Bob spoke; 2 messages")
        assert "It began with: Shall we cut T-042 in two?" in shown["text"]
        assert "Last, Bob: Yes: upload first, editing later" in shown["text"]
        assert "Tickets named: T-042" in shown["text"]


@pytest.mark.parametrize("words", ["give me a summary of the ticket", "summary of T-042", "catch me up on the build"])
async def test_a_sentence_with_the_word_in_it_is_for_the_agent(tmp_path: Path, sqlite_url: str, words: str) -> None:
    async with bench(tmp_path, sqlite_url, script=summing()) as here:
        await here.ask(here.alice, here.general, f"{here.at} {words}", "Answer.")
        assert asked_to_sum_up(here) == []
        assert here.bot is not None
        rows = await here.bot.parts.db.read(lambda c: c.execute(select(func.count()).select_from(summary)).scalar())
        assert rows == 0


async def test_the_summary_of_a_fork_covers_what_it_goes_on_from(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=summing()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} which cache?", "Answer.")
        await here.slack.say(here.alice, here.general, "!fork", root)
        await here.slack.until(lambda s: any("forked" in m["text"] for m in s.messages(here.general)), timeout=10)
        fork = str(here.slack.messages(here.general)[-1]["ts"])
        await here.seen(here.general, fork, "forked from")
        await here.slack.say(here.bob, here.general, "said in the parent later", root)
        await here.slack.say(here.bob, here.general, "I vote for Redis", fork)
        await at_rest(here)  # two events sent at once may be taken in the other way round
        assert await summed(here, here.carol, fork, f"{here.at} summary", "Summary 1.") == "Summary 1."
        (given,) = asked_to_sum_up(here)
        for words in ("which cache?", "agent: Answer.", "I vote for Redis"):
            assert words in given
        assert "said in the parent later" not in given
        # An edit in the parent takes the kept summary away, for it may repeat what was said before.
        await here.slack.edit(here.alice, here.general, root, f"{here.at} which queue?")
        await at_rest(here)
        await summed(here, here.carol, fork, f"{here.at} summary", "Summary 2.")
        assert "which queue?" in asked_to_sum_up(here)[-1]
        assert asked_to_sum_up(here)[-1].count("which cache?") == 1  # in the title that the fork was given


async def test_a_fork_whose_parent_is_elsewhere_is_summed_up_without_it(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=summing()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} which cache?", "Answer.")
        await here.slack.say(here.alice, here.general, "!fork", root)
        await here.slack.until(lambda s: any("forked" in m["text"] for m in s.messages(here.general)), timeout=10)
        fork = str(here.slack.messages(here.general)[-1]["ts"])
        await here.seen(here.general, fork, "forked from")
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        await at_rest(here)
        assert here.bot is not None
        moved = thread.update().where(thread.c.thread_ts == root).values(channel=secret)
        await here.bot.parts.db.write("parent moved", lambda c: c.execute(moved))
        await here.slack.say(here.bob, here.general, "I vote for Redis", fork)
        await summed(here, here.carol, fork, f"{here.at} summary", "Summary 1.")
        assert "Alice: <@" not in asked_to_sum_up(here)[-1]
        assert "I vote for Redis" in asked_to_sum_up(here)[-1]
