"""`/ticket search` over what was said: the line, a link to the message, and to each only what they may see."""

from __future__ import annotations

from pathlib import Path

from bot.local_model import say
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, told_by


async def searched(here: Bench, user: str, query: str) -> str:
    """What somebody is shown of a search, as lines."""
    await told_by(here, user, here.general, f"/ticket search {query}")
    return str(here.slack.ephemerals(user)[-1]["text"])


async def test_what_was_said_stands_below_the_tickets_with_its_line_and_link(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered(" Thumbnails are cached for a day.")) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} how long do avatars stay cached?", "Answer 1")
        reply = await here.slack.say(here.bob, here.general, "Bob's view: an *avatar* & its <https://x.y|page>", root)
        await at_rest(here)
        found = await searched(here, here.carol, "avatar")
        tickets, said = found.split("*Said in sessions*")
        assert "*T-042*" in tickets
        address = f"/archives/{here.general}/p{reply.replace('.', '')}"
        assert address in said
        assert f"<@{here.bob}>" in said
        assert "> Bob's view: an ∗avatar∗ &amp; its page" in said
        assert "how long do avatars stay cached?" in said
        found = await searched(here, here.carol, "cached thumb")
        answer = await here.seen(here.general, root, "Answer 1")
        assert "the agent" in found
        assert "> Answer 1. Thumbnails are cached for a day." in found
        assert f"p{answer['ts'].replace('.', '')}" in found
        assert "No ticket holds “cached thumb”" in found


async def test_nobody_learns_of_what_they_may_not_see(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered(), agent=False) as here:  # guests take part
        guest = here.slack.add_user("Gus", guest=True)
        town = here.slack.add_channel("town", members=(here.alice, guest, here.slack.bot_user_id))
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        for channel in (here.general, secret, town):
            await here.ask(here.alice, channel, f"{here.at} the zebra in {channel}", "Answer")
        for user, sees in ((here.alice, (here.general, secret, town)), (here.bob, (here.general, town))):
            found = await searched(here, user, "zebra")
            assert [f"zebra in {c}" in found for c in (here.general, secret, town)] == [
                c in sees for c in (here.general, secret, town)
            ]
        await here.slack.command(guest, town, "/ticket search zebra")
        told = await here.told(guest, "zebra")
        assert f"zebra in {town}" in told["text"]
        assert here.general not in told["text"]
        assert secret not in told["text"]
        unseen = (await searched(here, here.bob, secret)).replace(secret, "…")
        assert unseen == (await searched(here, here.bob, "quagga")).replace("quagga", "…")


async def test_an_edit_counts_and_what_was_deleted_is_not_found(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1")
        edited = await here.slack.say(here.bob, here.general, "the zebra is striped", root)
        deleted = await here.slack.say(here.bob, here.general, "a zebra is spotted", root)
        await at_rest(here)
        await here.slack.edit(here.bob, here.general, edited, "the okapi is striped")
        await here.slack.delete(here.bob, here.general, deleted)
        await at_rest(here)
        assert "Said in sessions" not in await searched(here, here.alice, "zebra")
        assert "the okapi is striped" in await searched(here, here.alice, "okapi")


async def test_tickets_and_what_was_said_turn_their_pages_together(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} zebra 0", "Answer 1")
        for number in range(1, 7):
            await here.slack.say(here.alice, here.general, f"zebra {number}", root)
        await at_rest(here)
        first = await searched(here, here.alice, "zebra")
        assert first.count("\n> ") == 5
        row = here.slack.ephemerals(here.alice)[-1]
        await here.slack.click(here.alice, row["channel"], row["ts"], "page_next")
        await here.slack.until(lambda s: "Page 2" in everything_in(s.ephemerals(here.alice)[-1]), timeout=10)
        second = str(here.slack.ephemerals(here.alice)[-1]["text"])
        assert second.count("\n> ") == 3  # six answers, the title and two messages come to eight
        assert "There is no page" not in second
        assert "page_next" not in everything_in(here.slack.ephemerals(here.alice)[-1])


async def test_what_is_said_means_nothing_to_the_search_or_to_slack(tmp_path: Path, sqlite_url: str) -> None:
    words = "zebra <!channel> *bold* `code` | > quote AND NOT ("
    async with bench(tmp_path, sqlite_url, script=lambda _: say(words)) as here:
        await here.ask(here.alice, here.general, f"{here.at} hi", "zebra")
        found = await searched(here, here.alice, 'zebra" OR NEAR( * <!channel> bold:')
        assert "<!channel>" not in found
        assert "Said in sessions" not in found  # "OR" and "NEAR" are words that nobody said
        found = await searched(here, here.alice, 'zebra AND "NOT')
        assert "zebra &lt;!channel&gt; ∗bold∗ 'code' | &gt; quote AND NOT (" in found
