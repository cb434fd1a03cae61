"""A thread that is answered only when the bot is mentioned."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import bench, everything_in
from tests.slack.asked import asked, at_rest, numbered


@pytest.mark.parametrize("words", ["<at> only when mentioned", "!quiet", "<at> quiet"])
async def test_a_quiet_thread_waits_to_be_mentioned_and_sees_the_rest_then(
    tmp_path: Path, sqlite_url: str, words: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.slack.say(here.alice, here.general, words.replace("<at>", here.at), root)
        await here.seen(here.general, root, "I answer here only when I am mentioned")
        await here.slack.say(here.alice, here.general, "thinking aloud", root)
        await at_rest(here)
        assert len(here.model.requests) == 1
        assert "🔕 answers only when mentioned" in everything_in(here.own(here.general, root)[0])
        await here.ask(here.alice, here.general, f"{here.at} now", "Answer 2.", root)
        assert "thinking aloud" in asked(here)
        await here.slack.say(here.alice, here.general, "!always", root)
        await here.ask(here.alice, here.general, "and without", "Answer 3.", root)


async def test_the_headers_menu_turns_it_on_and_off_also_in_a_direct_message(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        dm = here.slack.open_dm(here.alice)
        root = await here.ask(here.alice, dm, "hello", "Answer 1.")
        await at_rest(here)
        header = here.own(dm, root)[0]["ts"]
        await here.slack.click(here.alice, dm, header, "session_menu", selected="quiet")
        await here.seen(dm, root, "only when I am mentioned")
        await here.slack.say(here.alice, dm, "hm", root)
        await at_rest(here)
        assert len(here.model.requests) == 1
        await here.slack.click(here.alice, dm, header, "session_menu", selected="always")
        await here.seen(dm, root, "as ever")
        await here.ask(here.alice, dm, "hm again", "Answer 2.", root)


async def test_setting_it_twice_says_so(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        await here.slack.say(here.alice, here.general, "!always", root)
        await here.told(here.alice, "already")
