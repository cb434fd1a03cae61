"""When the bot answers, and that what it does not answer is seen at its next turn."""

from __future__ import annotations

from pathlib import Path

from tests.bench import bench
from tests.slack.asked import asked, at_rest, kept, numbered, other_bot_says, told


async def test_a_mention_arrives_twice_and_makes_one_turn(tmp_path: Path, database_url: str) -> None:
    for mention_first in (True, False):
        script = numbered()
        folder = tmp_path / str(mention_first)
        folder.mkdir()
        async with bench(folder, database_url, script=script, mention_first=mention_first) as here:
            await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
            await at_rest(here)
            assert {d.event["type"] for d in here.slack.deliveries} >= {"app_mention", "message"}
            assert len(here.model.requests) == 1


async def test_a_redelivery_makes_no_turn(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        before = await kept(here)
        for kind in ("app_mention", "message"):
            await here.slack.redeliver(lambda d, kind=kind: d.event.get("type") == kind and "user" in d.event)  # type: ignore[misc]
        await at_rest(here)
        assert len(here.model.requests) == 1
        assert await kept(here) == before


async def test_a_direct_message_is_always_answered(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        dm = here.slack.open_dm(here.alice)
        root = await here.ask(here.alice, dm, "hello", "Answer 1.")
        await here.ask(here.alice, dm, "and more", "Answer 2.", root)
        await here.ask(here.alice, dm, f"what would <@{here.bob}> say", "Answer 3.", root)
        await here.ask(here.alice, dm, "another thread", "Answer 4.")


async def test_one_person_and_the_bot_speak_without_mentions(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.ask(here.alice, here.general, "go on", "Answer 2.", root)


async def test_once_a_second_person_has_spoken_only_mentions_are_answered(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.slack.say(here.bob, here.general, "Bob looks in", root)
        await here.slack.say(here.alice, here.general, "Alice tells Bob", root)
        await at_rest(here)
        assert len(here.model.requests) == 1
        await here.ask(here.bob, here.general, f"{here.at} and now?", "Answer 2.", root)
        assert len(here.model.requests) == 2
        assert "Bob looks in" in asked(here)
        assert "Alice tells Bob" in asked(here)


async def test_a_message_that_mentions_somebody_else_is_not_answered_but_seen_later(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.slack.say(here.alice, here.general, f"<@{here.bob}> could you look at the crop?", root)
        await at_rest(here)
        assert len(here.model.requests) == 1
        await here.ask(here.alice, here.general, "thanks", "Answer 2.", root)
        assert "could you look at the crop?" in asked(here)


async def test_its_own_question_is_answered_without_a_mention_by_the_person_it_asked(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered(" Shall I go on?")) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.slack.say(here.bob, here.general, f"{here.at} from me too", root)
        await here.seen(here.general, root, "Answer 2.")
        await here.slack.say(here.alice, here.general, "Alice was not asked", root)
        await at_rest(here)
        assert len(here.model.requests) == 2


async def test_the_person_it_asked_answers_it_though_two_have_spoken(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered(" Shall I go on?")) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.slack.say(here.bob, here.general, f"{here.at} from me too", root)
        await here.seen(here.general, root, "Answer 2.")
        await here.ask(here.bob, here.general, "yes please", "Answer 3.", root)


async def test_another_bot_is_never_answered_but_seen_later(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        other_bot_says(here, here.general, f"{here.at} build 17 failed", root)
        await at_rest(here)
        assert len(here.model.requests) == 1
        await here.ask(here.alice, here.general, "what now", "Answer 2.", root)
        assert "build 17 failed" in asked(here)
        assert "another bot" in asked(here)


async def test_messages_of_one_person_while_a_turn_runs_are_taken_next_together(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await here.model.hold()
        root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
        await here.model.until(lambda m: len(m.requests) == 1)
        for words in ("first more", "second more", "third more"):
            await here.slack.say(here.alice, here.general, words, root)
        await told(here)
        await here.model.release()
        await here.seen(here.general, root, "Answer 2.")
        await at_rest(here)
        assert len(here.model.requests) == 2
        positions = [asked(here).index(words) for words in ("first more", "second more", "third more")]
        assert positions == sorted(positions)


async def test_threads_run_side_by_side_while_turns_of_one_thread_run_in_order(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await here.model.hold()
        roots = [await here.slack.say(here.alice, here.general, f"{here.at} thread {n}") for n in range(3)]
        await here.model.until(lambda m: len(m.requests) == 3)  # none waits for another thread
        await here.slack.say(here.bob, here.general, f"{here.at} Bob asks in the first", roots[0])
        await told(here)
        assert len(here.model.requests) == 3  # it waits for the turn that runs there
        await here.model.release()
        await here.model.until(lambda m: len(m.requests) == 4)
        await at_rest(here)
        assert "Bob asks in the first" in asked(here)
        assert "Answer" in asked(here)  # the turn before has ended, and is known to it
