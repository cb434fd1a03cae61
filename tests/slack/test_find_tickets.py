"""`/ticket list`, `search` and `epics`: filters, pages turned in their place, and what is said where nothing fits."""

from __future__ import annotations

from pathlib import Path

from bot.tickets.ticket import Actor, NewTicket
from bot.tickets.vocabulary import Priority, Status, TicketType
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, told_by

MANY = 23


def ids(text: str) -> list[str]:
    """The tickets or epics that a list shows, in order."""
    return [line.split("*")[1] for line in text.splitlines() if line[1:3] == " *" or line[2:4] == " *"]


def write_many(here: Bench) -> None:
    """Planned research on bats, T-051 to T-073, each a little younger than the one before."""
    assert here.bot is not None
    store = here.bot.parts.workspaces.default.store
    for n in range(MANY):
        draft = NewTicket(f"Bat {n}", type=TicketType.RESEARCH, priority=Priority.LOW, status=Status.PLANNED)
        store.create(draft, by=Actor("user", here.alice))


async def turned(here: Bench, user: str, button: str) -> list[str]:
    """The page that a button of the last list shows, in the place of the one before."""
    before = here.slack.ephemerals(user)
    row = before[-1]
    await here.slack.click(user, row["channel"], row["ts"], button)
    await here.slack.until(lambda s: s.ephemerals(user) != before, timeout=10)
    assert len(here.slack.ephemerals(user)) == len(before)
    return ids(here.slack.ephemerals(user)[-1]["text"])


async def test_a_list_shows_the_latest_first_and_no_archived_ones(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await told_by(here, here.alice, here.general, "/ticket list")
        (row,) = here.slack.ephemerals(here.alice)
        assert ids(row["text"]) == ["T-046", "T-050", "T-042", "T-040", "T-045", "T-038", "T-047"]
        assert (
            "✨ *T-042* Add user profile avatar upload\n`in_progress` · 🟠 high · subtasks 2/5 · epic E-001"
            in row["text"]
        )
        assert here.slack.messages(here.general) == []
        await here.slack.click(here.alice, here.general, row["ts"], "ticket_view", value="T-045")
        await here.slack.until(lambda s: bool(s.views(here.alice)), timeout=10)
        assert "look blurred" in everything_in(here.slack.views(here.alice)[-1])


async def test_filters_narrow_it_in_any_order(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:

        async def listed(words: str) -> list[str]:
            await told_by(here, here.alice, here.general, f"/ticket list {words}")
            return ids(here.slack.ephemerals(here.alice)[-1]["text"])

        assert await listed("bug") == ["T-046", "T-045"]
        assert await listed("critical In Progress") == ["T-046"]
        assert await listed("e-1 feature archived") == ["T-042", "T-031", "T-038"]
        assert await listed("#Frontend") == ["T-042", "T-045"]
        assert await listed("blocked") == ["T-042", "T-045"]
        assert await listed("blocked bug E-001") == ["T-045"]
        assert await listed("ready") == []
        told = await told_by(here, here.alice, here.general, "/ticket list done bug")
        assert "No ticket is all of this: done bug. `/ticket list` shows every one." in told
        told = await told_by(here, here.alice, here.general, "/ticket list shiny")
        assert "I do not know “shiny” in a list. I know a status" in told
        told = await told_by(here, here.alice, here.general, "/ticket list E-404")
        assert "There is no epic E-404. `/ticket epics` lists them." in told


async def test_pages_are_turned_in_their_place(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        write_many(here)
        newest = [f"T-{51 + n:03d}" for n in reversed(range(MANY))]
        await told_by(here, here.alice, here.general, "/ticket list research low")
        row = here.slack.ephemerals(here.alice)[-1]
        assert ids(row["text"]) == newest[:10]
        assert "page_previous" not in everything_in(row)
        assert await turned(here, here.alice, "page_next") == newest[10:20]
        assert await turned(here, here.alice, "page_next") == newest[20:]
        assert "page_next" not in everything_in(here.slack.ephemerals(here.alice)[-1])
        assert await turned(here, here.alice, "page_previous") == newest[10:20]
        await told_by(here, here.alice, here.general, "/ticket list research page 3 low")
        assert ids(here.slack.ephemerals(here.alice)[-1]["text"]) == newest[20:]
        assert "There is no page 9." in await told_by(here, here.alice, here.general, "/ticket list research page 9")

        await told_by(here, here.alice, here.general, "/ticket list ready")
        first = ids(here.slack.ephemerals(here.alice)[-1]["text"])
        assert first == sorted(newest)[:10]
        assert await turned(here, here.alice, "page_next") == sorted(newest)[10:20]


async def test_pages_in_a_thread_are_turned_there(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        write_many(here)
        root = await here.slack.say(here.alice, here.general, "Bats")
        await here.slack.say(here.alice, here.general, "!ticket search bat", root)
        row = await here.told(here.alice, "Search")
        assert row["thread_ts"] == root
        assert await turned(here, here.alice, "page_next") == [f"T-{n:03d}" for n in range(63, 53, -1)]
        assert here.slack.ephemerals(here.alice)[-1]["thread_ts"] == root


async def test_search_has_the_best_matches_first(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        told = await told_by(here, here.alice, here.general, "/ticket search  Avatar ")
        assert "*Search* “Avatar”" in told
        found = ids(here.slack.ephemerals(here.alice)[-1]["text"])
        assert found[:2] == ["T-042", "T-045"]
        assert "T-031" not in found
        told = await told_by(here, here.alice, here.general, "/ticket search a*b `c` <!channel> & co")
        assert "No ticket holds “a∗b 'c' &lt;!channel&gt; &amp; co” in its title, text or id." in told
        assert "Say what to search for" in await told_by(here, here.alice, here.general, "/ticket search")


async def test_epics_say_how_far_they_are_and_show_their_tickets(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        told = await told_by(here, here.alice, here.general, "/ticket epics")
        assert "*E-001* User profiles\n`in_progress` · 1/5 done" in told
        row = here.slack.ephemerals(here.alice)[-1]
        await here.slack.click(here.alice, here.general, row["ts"], "epic_tickets")
        await here.slack.until(lambda s: len(s.ephemerals(here.alice)) == 2, timeout=10)
        by_button = here.slack.ephemerals(here.alice)[-1]["text"]
        assert ids(by_button) == ["E-001", "T-042", "T-040", "T-045", "T-031", "T-038"]
        assert "1/5 done" in by_button
        assert "Everything a person can show" in everything_in(here.slack.ephemerals(here.alice)[-1])
        await told_by(here, here.alice, here.general, "/ticket e-1")
        assert here.slack.ephemerals(here.alice)[-1]["text"] == by_button
        assert "There is no ticket E-404" in await told_by(here, here.alice, here.general, "/ticket E-404")


async def test_people_of_other_workspaces_look_through_nothing(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        sam = here.slack.add_user("Sam", team_id="T0OTHER")
        shared = here.slack.add_channel("partners", shared=True, members=(here.alice, sam, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, shared, f"{here.at} link T-042")
        header = await here.seen(shared, root, "Unlink")
        for number, words in enumerate(("list", "search avatar", "epics", "E-001"), 1):
            await here.slack.say(sam, shared, f"!ticket {words}", root)
            await here.slack.until(lambda s, n=number: len(s.ephemerals(sam)) == n, timeout=10)  # type: ignore[misc]
            told = everything_in(here.slack.ephemerals(sam)[-1])
            assert "Only members of the workspace that installed me can look through its tickets." in told
        await here.slack.message_shortcut(here.alice, "link_to_ticket", shared, root)
        assert header is not None
        await at_rest(here)


async def test_an_unknown_word_gets_the_help_and_a_ticket_with_one_what_can_be_done(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        for words in ("", "help", "what?"):
            told = await told_by(here, here.alice, here.general, f"/ticket {words}".strip())
            for offered in ("new", "list", "search", "epics", "T-042 status", "T-042 sessions"):
                assert f"`/ticket {offered}" in told, offered
        told = await told_by(here, here.alice, here.general, "/ticket T-042 explode")
        assert "I do not know what to do with “explode”. Try `/ticket T-042`" in told
        assert "T-042" in await told_by(here, here.alice, here.general, "/ticket show t42")
