"""The life of a session in its thread: renamed, forked, resumed, unlinked; and the list that shows all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.inbox.intake import thread_for
from bot.sessions.linking import link_session
from bot.sessions.session import new_session_id, start_session
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import asked, at_rest, numbered
from tests.slack.test_planning import TICKET, listed, values


async def a_thread(here: Bench, words: str = "which sizes?") -> str:
    """A thread of Alice's that is linked to the ticket, with one answer in it."""
    root = await here.ask(here.alice, here.general, f"{here.at} {words}", "Answer 1.")
    await here.slack.say(here.alice, here.general, f"!link {TICKET}", root)
    await here.seen(here.general, root, "Unlink")
    await at_rest(here)
    return root


async def header_of(here: Bench, root: str) -> dict[str, Any]:
    return next(m for m in here.own(here.general, root) if "🤖" in everything_in(m))


async def submit(here: Bench, user: str, title: str) -> None:
    view = here.slack.views(user)[-1]
    assert await here.slack.submit(user, view["id"], {"title": {"title": title}}) == {}


@pytest.mark.parametrize(
    "words",
    [
        "!rename Image sizes",
        "{at} rename Image sizes",
        "{at} rename this session to Image sizes",
        "{at} rename: Image sizes",
    ],
)
async def test_a_session_is_renamed_in_words(tmp_path: Path, sqlite_url: str, words: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        await here.slack.say(here.alice, here.general, words.format(at=here.at), root)
        await here.seen(here.general, root, "named this session *Image sizes*")
        assert "💬 *Image sizes*" in everything_in(await header_of(here, root))
        assert "|Image sizes>" in everything_in(await listed(here, here.bob))
        (renamed,) = [call for call in here.slack.calls if call.method == "agents.sessions.rename"]
        assert renamed.args["title"] == "Image sizes"


async def test_what_the_agent_is_asked_to_rename_is_no_title(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        await here.ask(here.alice, here.general, f"{here.at} rename the ticket to Sizes", "Answer 2.", root)
        assert "which sizes?" in everything_in(await listed(here, here.bob))


async def test_a_session_is_renamed_from_its_header_and_from_the_list(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        header = await header_of(here, root)
        await here.slack.click(here.bob, here.general, header["ts"], "session_menu", selected="rename")
        await submit(here, here.bob, "From the header")
        await here.seen(here.general, root, "*From the header*")
        shown = await listed(here, here.alice)
        await here.slack.click(here.alice, here.general, shown["ts"], "session_rename")
        await submit(here, here.alice, "From the list")
        await here.seen(here.general, root, "*From the list*")


async def test_a_title_given_in_slack_is_followed(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        await here.slack.rename_agent(here.bob, here.general, root, "Sizes, settled")
        await here.seen(here.general, root, "💬 *Sizes, settled*")
        assert "|Sizes, settled>" in everything_in(await listed(here, here.alice))


async def test_where_the_app_is_no_agent_a_rename_works_all_the_same(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered(), agent=False) as here:
        root = await a_thread(here)
        await here.slack.say(here.alice, here.general, "!rename Image sizes", root)
        await here.seen(here.general, root, "named this session *Image sizes*")


async def test_a_title_made_of_the_first_message_follows_its_edit_and_goes_with_it(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        await here.slack.edit(here.alice, here.general, root, f"{here.at} which crops?")
        await at_rest(here)
        assert "which crops?" in everything_in(await listed(here, here.bob))
        await here.slack.delete(here.alice, here.general, root)
        await at_rest(here)
        text = everything_in(await listed(here, here.bob))
        assert "which" not in text
        assert "Chat" in text


async def test_a_fork_goes_on_from_the_end_and_knows_its_parent(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        await here.slack.say(here.alice, here.general, "!fork", root)
        await here.slack.until(lambda s: len(s.messages(here.general)) > 1, timeout=10)
        new = here.slack.messages(here.general)[-1]
        assert "forked <" in new["text"]
        header = everything_in(await here.seen(here.general, new["ts"], "forked from <"))
        assert "T-042" in header
        assert "which sizes?" in header
        await at_rest(here)
        assert len(here.slack.messages(here.general, new["ts"])) == 3  # root, header, that it is linked
        await here.ask(here.alice, here.general, f"{here.at} later in the parent", "Answer 2.", root)
        await here.ask(here.bob, here.general, f"{here.at} and the crop?", "Answer 3.", new["ts"])
        for words in ("which sizes?", "Answer 1.", "forked from it", "and the crop?", "T-042"):
            assert words in asked(here)
        assert "later in the parent" not in asked(here)
        assert here.ticket(TICKET).count("action: session_linked") == 2


async def test_a_fork_from_a_message_has_what_was_said_up_to_it_as_it_stands_now(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        second = await here.slack.say(here.alice, here.general, "only small ones", root)
        await here.seen(here.general, root, "Answer 2.")
        await here.ask(here.alice, here.general, "and large ones", "Answer 3.", root)
        answer = next(m for m in here.own(here.general, root) if "Answer 2." in everything_in(m))
        await here.slack.message_shortcut(here.bob, "fork_session", here.general, answer["ts"])
        await submit(here, here.bob, "Small ones")
        await here.told(here.bob, "Forked") if here.slack.ephemerals(here.bob) else None
        await here.slack.until(lambda s: len(s.messages(here.general)) > 1, timeout=10)
        new = here.slack.messages(here.general)[-1]["ts"]
        await here.seen(here.general, new, "Small ones")
        await at_rest(here)
        await here.slack.edit(here.alice, here.general, second, "only tiny ones")
        await here.slack.delete(here.alice, here.general, root)
        await at_rest(here)
        await here.ask(here.bob, here.general, f"{here.at} go on", "Answer 4.", new)
        said = asked(here)
        assert "only tiny ones" in said
        assert "Answer 2." in said
        for gone in ("which sizes?", "only small ones", "and large ones", "Answer 3."):
            assert gone not in said
        await here.slack.say(here.bob, here.general, "!fork", new)
        await here.slack.until(
            lambda s: len([m for m in s.messages(here.general) if "forked" in m["text"]]) == 2, timeout=10
        )
        newest = here.slack.messages(here.general)[-1]["ts"]
        await here.seen(here.general, newest, "Fork of Small ones")
        await here.ask(here.bob, here.general, f"{here.at} further", "Answer 5.", newest)
        for words in ("only tiny ones", "go on", "Answer 4.", "further"):
            assert words in asked(here)


async def test_a_question_is_forked_without_its_answer(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        await here.slack.message_shortcut(here.bob, "fork_session", here.general, root)
        await submit(here, here.bob, "Once more")
        await here.slack.until(lambda s: len(s.messages(here.general)) > 1, timeout=10)
        new = here.slack.messages(here.general)[-1]["ts"]
        await here.seen(here.general, new, "forked from")
        await here.ask(here.bob, here.general, f"{here.at} answer that differently", "Answer 2.", new)
        assert "which sizes?" in asked(here)
        assert "Answer 1." not in asked(here)


async def test_a_thread_that_is_no_session_is_not_forked(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "a thread")
        await here.slack.message_shortcut(here.bob, "fork_session", here.general, root)
        await here.told(here.bob, "This thread is no session yet")
        await here.slack.say(here.alice, here.general, f"{here.at} fork", root)
        await here.told(here.alice, "This thread is no session yet")


@pytest.mark.parametrize("door", ["words", "list", "speaking"])
async def test_an_archived_session_goes_on_with_what_it_knew(tmp_path: Path, sqlite_url: str, door: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        await here.slack.say(here.alice, here.general, "!archive Settled", root)
        await here.seen(here.general, root, "Archived")
        await at_rest(here)
        if door == "words":
            await here.slack.say(here.bob, here.general, "!resume", root)
        elif door == "list":
            shown = await listed(here, here.bob)
            await here.slack.click(here.bob, here.general, shown["ts"], "session_resume")
            await here.told(here.bob, "Resumed: <")
        else:
            await here.ask(here.bob, here.general, f"{here.at} one more thing", "Answer 2.", root)
        await here.seen(here.general, root, f"<@{here.bob}> resumed this session")
        assert "active" in everything_in(await listed(here, here.alice))
        answer = "Answer 3." if door == "speaking" else "Answer 2."
        await here.ask(here.bob, here.general, f"{here.at} and?", answer, root)
        assert "Answer 1." in asked(here)
        await here.slack.say(here.bob, here.general, "!resume", root)
        await here.told(here.bob, "It is active already")


async def test_a_thread_whose_root_was_deleted_cannot_be_resumed(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        await here.slack.say(here.alice, here.general, "!archive Settled", root)
        await here.seen(here.general, root, "Archived")
        await at_rest(here)
        shown = await listed(here, here.bob)
        for message in here.slack.messages(here.general, root)[1:]:
            here.slack._workspace.world.messages[here.general].pop(message["ts"], None)
        here.slack._workspace.world.messages[here.general].pop(root)
        await here.slack.click(here.bob, here.general, shown["ts"], "session_resume")
        await here.told(here.bob, "That thread is no more")


async def test_the_only_link_of_an_archived_session_is_asked_about_before_it_goes(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        await here.slack.say(here.alice, here.general, "!archive Settled", root)
        await here.seen(here.general, root, "Archived")
        await here.slack.say(here.alice, here.general, "!unlink", root)
        asked_first = await here.told(here.alice, "the only ticket it is linked to")
        assert "session_unlinked" not in here.ticket(TICKET)
        await here.slack.click(here.alice, here.general, asked_first["ts"], "unlink_anyway")
        await here.seen(here.general, root, "unlinked this thread")
        assert here.ticket(TICKET).count("action: session_unlinked") == 1
        assert "past" in everything_in(await listed(here, here.alice))


async def test_who_links_another_thread_is_told_of_the_active_one_they_may_see(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await a_thread(here)
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        hidden = await here.slack.say(here.alice, secret, "a secret matter")
        await here.slack.say(here.alice, secret, f"{here.at} link {TICKET}", hidden)
        assert "which sizes?" in everything_in(await here.told(here.alice, "has an active session already"))
        other = await here.slack.say(here.bob, here.general, "another thread")
        await here.slack.say(here.bob, here.general, f"{here.at} link {TICKET}", other)
        await here.seen(here.general, other, "Unlink")
        told = everything_in(await here.told(here.bob, "has an active session already"))
        assert "which sizes?" in told
        assert "secret" not in told


async def test_three_thousand_sessions_come_in_pages(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        assert here.bot is not None
        parts = here.bot.parts

        def many(connection: Any) -> None:
            for n in range(3_000):
                thread_id = thread_for(connection, parts.me.team, here.general, f"1700000000.{n:06d}")
                made = start_session(
                    connection,
                    session_id=new_session_id(),
                    team=parts.me.team,
                    workspace=parts.workspaces.default.name,
                    thread_id=thread_id,
                    title=f"Session number {n + 1}",
                    agent="sciorex",
                    model="m",
                    by=here.alice,
                    now_ms=1_000_000 + n,
                )
                link_session(connection, made, TICKET, None, key=f"k{n}", by=here.alice, now_ms=1_000_000 + n)

        await parts.db.write("many", many)
        shown = await listed(here, here.bob)
        text = everything_in(shown)
        assert "Session 3000: *Session number 3000*" in text
        assert "1 to 10 of 3000" in text
        await here.slack.click(here.bob, here.general, shown["ts"], "sessions_older")
        await here.slack.until(lambda s: "11 to 20 of 3000" in everything_in(s.ephemerals(here.bob)[-1]), timeout=10)
        page = here.slack.ephemerals(here.bob)[-1]
        assert page["ts"] == shown["ts"]
        assert "Session 2990: *Session number 2990*" in everything_in(page)
        await here.slack.click(here.bob, here.general, page["ts"], "sessions_newer")
        await here.slack.until(lambda s: "1 to 10 of 3000" in everything_in(s.ephemerals(here.bob)[-1]), timeout=10)
        assert len(values(here.slack.ephemerals(here.bob)[-1], "session_fork")) == 10


async def test_a_hidden_session_cannot_be_reached_by_a_button_that_was_once_shown(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        members = (here.alice, here.bob, here.slack.bot_user_id)
        secret = here.slack.add_channel("secret", private=True, members=members)
        root = await here.ask(here.alice, secret, f"{here.at} a secret matter", "Answer 1.")
        await here.slack.say(here.alice, secret, f"!link {TICKET}", root)
        await here.seen(secret, root, "Unlink")
        shown = await listed(here, here.bob)
        assert "a secret matter" in everything_in(shown)
        here.slack.remove(secret, here.bob)
        await at_rest(here)
        for action in ("session_fork", "session_rename"):
            await here.slack.click(here.bob, here.general, shown["ts"], action)
            await here.told(here.bob, "There is no such session that you could see")
        assert here.slack.views(here.bob) == []
        assert "secret" not in everything_in(await listed(here, here.bob))
