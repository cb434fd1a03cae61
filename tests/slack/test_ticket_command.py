"""`/ticket`: the card, the list of linked threads and who sees what of it, the status."""

from __future__ import annotations

from pathlib import Path

from tests.bench import Bench, bench, everything_in
from tests.slack.asked import asked, at_rest, numbered, told_by

TICKET = "T-042"


async def linked_thread(here: Bench, user: str, channel: str, words: str) -> str:
    root = await here.slack.say(user, channel, words)
    await here.slack.say(user, channel, f"{here.at} link {TICKET}", root)
    await here.seen(channel, root, "Unlink")
    await at_rest(here)
    return root


async def test_the_card_shows_the_ticket_to_the_asker_alone(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        card = await told_by(here, here.alice, here.general, "/ticket t-42")
        for words in ("T-042", "Add user profile avatar upload", "in_progress", "Add image processing", "T-040"):
            assert words in card
        assert "chat_start" in card
        assert here.slack.ephemerals(here.bob) == []


async def test_an_archived_tickets_card_has_no_start_chat(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        card = await told_by(here, here.alice, here.general, "/ticket T-031")
        assert "archived" in card
        assert "chat_start" not in card


async def test_what_cannot_be_shown_is_told(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        told = await told_by(here, here.alice, here.general, "/ticket T-041")
        assert "There is no ticket T-041" in told
        assert "T-042" in told
        (here.folder / ".sciorex" / "tickets" / "T-045.yaml").write_text("id: T-045\ntitle: x\nstatus: [planned\n")
        told = await told_by(here, here.alice, here.general, "/ticket T-045 sessions")
        assert "T-045.yaml" in told
        assert "line" in told


async def test_sessions_have_title_state_who_when_messages_note_and_a_link(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        first = await linked_thread(here, here.alice, here.general, "Initial planning")
        await here.slack.say(here.alice, here.general, "!archive Backend is done", first)
        await here.seen(here.general, first, "archived this thread")
        second = await linked_thread(here, here.bob, here.general, "Frontend work")
        await here.slack.say(here.bob, here.general, "and a second remark", second)
        await here.seen(here.general, second, "Answer 1.")
        await at_rest(here)
        told = await told_by(here, here.carol, here.general, f"/ticket {TICKET} sessions")
        assert told.index("Frontend work") < told.index("Initial planning")
        for words in (
            "archived",
            "active",
            "Backend is done",
            here.alice,
            here.bob,
            "<!date^",
            "1 message",
            "3 messages",
        ):
            assert words in told, told
        for root in (first, second):
            assert f"/archives/{here.general}/p{root.replace('.', '')}|" in told


async def test_post_here_shows_everybody_what_everybody_may_see(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        secret = here.slack.add_channel("leads", private=True, members=(here.alice, here.slack.bot_user_id))
        dm = here.slack.open_dm(here.alice)
        await linked_thread(here, here.alice, secret, "Salaries of the avatar team")
        await linked_thread(here, here.alice, dm, "A private worry")
        await linked_thread(here, here.bob, here.general, "Frontend work")
        await linked_thread(here, here.alice, here.general, "Initial planning")

        for_alice = await told_by(here, here.alice, here.general, f"/ticket {TICKET} sessions")
        for words in ("Salaries", "A private worry", "Frontend work", "Initial planning"):
            assert words in for_alice
        for_bob = await told_by(here, here.bob, here.general, f"/ticket {TICKET} sessions")
        assert "Salaries" not in for_bob
        assert "private worry" not in for_bob

        row = here.slack.ephemerals(here.alice)[-1]
        await here.slack.click(here.alice, here.general, row["ts"], "sessions_post")
        await here.slack.until(lambda s: "Sessions of" in everything_in(s.messages(here.general)), timeout=10)
        posted = everything_in(here.slack.messages(here.general)[-1])
        assert "Frontend work" in posted
        assert "Initial planning" in posted
        assert "Salaries" not in posted
        assert "private worry" not in posted

        card = await told_by(here, here.bob, here.general, f"/ticket {TICKET}")
        assert "Sessions (2)" in card
        assert "Sessions (4)" in await told_by(here, here.alice, here.general, f"/ticket {TICKET}")


async def test_post_here_in_a_private_channel_shows_its_own_and_what_is_public(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        leads = here.slack.add_channel("leads", private=True, members=(here.alice, here.slack.bot_user_id))
        board = here.slack.add_channel("board", private=True, members=(here.alice, here.bob, here.slack.bot_user_id))
        await linked_thread(here, here.alice, leads, "Salaries of the avatar team")
        await linked_thread(here, here.alice, board, "What the board says")
        await linked_thread(here, here.bob, here.general, "Frontend work")
        await told_by(here, here.alice, board, f"/ticket {TICKET} sessions")
        row = here.slack.ephemerals(here.alice)[-1]
        await here.slack.click(here.alice, board, row["ts"], "sessions_post")
        await here.slack.until(lambda s: "Sessions of" in everything_in(s.messages(board)), timeout=10)
        posted = everything_in(here.slack.messages(board)[-1])
        assert "What the board says" in posted
        assert "Frontend work" in posted
        assert "Salaries" not in posted


async def test_the_status_is_changed_by_word_and_named_where_it_may_not(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        assert "in_review" in await told_by(here, here.alice, here.general, f"/ticket {TICKET} status in_review")
        text = here.ticket(TICKET)
        assert "\nstatus: in_review\n" in text
        assert f"id: {here.alice}" in text
        assert "already" in await told_by(here, here.alice, here.general, f"/ticket {TICKET} status in review")
        assert here.ticket(TICKET) == text
        refused = await told_by(here, here.alice, here.general, f"/ticket {TICKET} status backlog")
        assert "cannot become backlog" in refused
        for allowed in ("in_progress", "done"):
            assert allowed in refused
        assert here.ticket(TICKET) == text
        odd = await told_by(here, here.alice, here.general, f"/ticket {TICKET} status shipped")
        assert "shipped" in odd
        assert here.ticket(TICKET) == text
        told = await told_by(here, here.alice, here.general, f"/ticket {TICKET} cancelled")
        assert "from `in_review` to `cancelled`" in told
        assert "\nstatus: cancelled\n" in here.ticket(TICKET)


async def test_status_words_in_a_linked_thread(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await linked_thread(here, here.alice, here.general, "Initial planning")
        await here.slack.say(here.alice, here.general, "!status", root)
        await here.told(here.alice, "It can become")
        await here.slack.say(here.alice, here.general, f"{here.at} status in review", root)
        await here.seen(here.general, root, "from `in_progress` to `in_review`")
        header = next(m for m in here.own(here.general, root) if "Unlink" in everything_in(m))
        assert "in_review" in everything_in(header)
        await here.slack.say(here.alice, here.general, "!status backlog", root)
        await here.told(here.alice, "cannot become backlog")
        assert here.model.requests == []


async def test_a_thread_with_no_ticket_says_so(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        for words in ("!status", "!sessions"):
            before = len(here.slack.ephemerals(here.alice))
            await here.slack.say(here.alice, here.general, words, root)
            await here.slack.until(lambda s, n=before: len(s.ephemerals(here.alice)) > n, timeout=10)  # type: ignore[misc]
            assert "not linked" in everything_in(here.slack.ephemerals(here.alice)[-1])
        assert "!status" not in asked(here)


async def test_sessions_from_a_thread_and_from_the_cards_button(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await linked_thread(here, here.alice, here.general, "Initial planning")
        await here.slack.say(here.bob, here.general, "!sessions", root)
        told = await here.told(here.bob, "Sessions of")
        assert told["thread_ts"] == root
        assert "Initial planning" in everything_in(told)
        await told_by(here, here.carol, here.general, f"/ticket {TICKET}")
        card = here.slack.ephemerals(here.carol)[-1]
        await here.slack.click(here.carol, here.general, card["ts"], "sessions_show")
        assert "Initial planning" in everything_in(await here.told(here.carol, "Sessions of"))


async def test_a_strangers_commands_change_nothing(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        sam = here.slack.add_user("Sam", team_id="T0OTHER")
        shared = here.slack.add_channel("partners", shared=True, members=(here.alice, sam, here.slack.bot_user_id))
        root = await linked_thread(here, here.alice, shared, "With the partners")
        await linked_thread(here, here.alice, here.general, "Among ourselves")
        before = here.ticket(TICKET)
        await here.slack.say(sam, shared, "!status in_review", root)
        await here.told(sam, "Only members of the workspace")
        assert here.ticket(TICKET) == before
        await here.slack.say(sam, shared, "!sessions", root)
        await at_rest(here)
        told = everything_in(here.slack.ephemerals(sam))
        assert "Among ourselves" not in told
