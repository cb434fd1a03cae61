"""Every door through which a thread is linked to a ticket, and unlinked: one rule behind them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered

TICKET, OTHER, ARCHIVED = "T-042", "T-045", "T-031"


async def picked(here: Bench, user: str, ticket: str) -> dict[str, Any]:
    """The state of the open modal's ticket picker with this ticket chosen."""
    view = here.slack.views(user)[-1]
    options = await here.slack.options(user, "ticket", ticket, view_id=view["id"], block_id="ticket")
    return {"ticket": {"ticket": next(option for option in options if option["value"] == ticket)}}


async def linked_thread(here: Bench, ticket: str = TICKET, channel: str | None = None) -> tuple[str, str]:
    """A thread of Alice's that is linked to a ticket, and the ts of its header."""
    where = channel or here.general
    root = await here.slack.say(here.alice, where, "a thread about avatars")
    await here.slack.say(here.alice, where, f"!link {ticket}", root)
    header = await here.seen(where, root, "Unlink")
    await at_rest(here)
    return root, header["ts"]


def links(here: Bench, ticket: str = TICKET) -> int:
    return here.ticket(ticket).count("session_linked")


@pytest.mark.parametrize("words", ["{at} link T-042", "{at} Link t-42", "!link T-042", "/link T-042", "  /link T-042"])
async def test_words_in_a_thread_link_it(tmp_path: Path, sqlite_url: str, words: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.bob, here.general, "a thread")
        await here.slack.say(here.alice, here.general, words.format(at=here.at), root)
        header = everything_in(await here.seen(here.general, root, "Unlink"))
        assert "T-042" in header
        assert "Add user profile avatar upload" in header
        assert links(here) == 1
        assert here.alice in here.ticket(TICKET)
        assert "a thread" not in here.ticket(TICKET)
        assert here.model.requests == []


async def test_the_composers_command_links_one_of_the_callers_recent_threads(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        older = await here.slack.say(here.alice, here.general, "my older thread")
        await here.slack.say(here.carol, here.general, "somebody else's thread")
        joined = await here.slack.say(here.bob, here.general, "a thread I wrote in")
        await here.slack.say(here.alice, here.general, "me too", joined)
        await here.slack.command(here.alice, here.general, f"/link {TICKET}")
        view = here.slack.views(here.alice)[-1]
        offered = everything_in(view)
        assert "Add user profile avatar upload" in offered
        assert offered.index("a thread I wrote in") < offered.index("my older thread")
        assert "somebody else's thread" not in offered
        assert await here.slack.submit(here.alice, view["id"], {"thread": {"thread": older}}) == {}
        await here.seen(here.general, older, "Unlink")
        assert links(here) == 1


async def test_the_composers_command_starts_a_new_thread_on_the_ticket(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await here.slack.command(here.alice, here.general, f"/link {TICKET}")
        await here.slack.submit(here.alice, here.slack.views(here.alice)[-1]["id"], {"thread": {"thread": "new"}})
        await here.slack.until(lambda s: bool(s.messages(here.general)))
        root = here.slack.messages(here.general)[-1]["ts"]
        await here.seen(here.general, root, "Unlink")
        await here.ask(here.alice, here.general, "where do we start?", "Answer 1.", root)
        assert links(here) == 1


async def test_the_command_alone_opens_the_picker(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "my thread")
        await here.slack.command(here.alice, here.general, "/link")
        values = await picked(here, here.alice, TICKET) | {"thread": {"thread": root}}
        assert await here.slack.submit(here.alice, here.slack.views(here.alice)[-1]["id"], values) == {}
        await here.seen(here.general, root, "Unlink")


async def test_the_message_shortcut_links_the_thread_of_any_of_its_messages(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.bob, here.general, "a thread")
        reply = await here.slack.say(here.carol, here.general, "a reply", root)
        await here.slack.message_shortcut(here.alice, "link_to_ticket", here.general, reply)
        values = await picked(here, here.alice, TICKET)
        assert await here.slack.submit(here.alice, here.slack.views(here.alice)[-1]["id"], values) == {}
        await here.seen(here.general, root, "Unlink")


async def test_the_headers_button_links(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} hello", "Answer 1.")
        header = await here.seen(here.general, root, "No ticket linked")
        await here.slack.click(here.bob, here.general, header["ts"], "link_open")
        values = await picked(here, here.bob, TICKET)
        assert await here.slack.submit(here.bob, here.slack.views(here.bob)[-1]["id"], values) == {}
        assert (await here.seen(here.general, root, "Unlink"))["ts"] == header[
            "ts"
        ]  # the same message, kept up to date


async def test_start_chat_on_the_card_starts_a_linked_thread(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await here.slack.command(here.alice, here.general, f"/ticket {TICKET}")
        card = await here.told(here.alice, "Start chat")
        await here.slack.click(here.alice, here.general, card["ts"], "chat_start")
        await here.slack.until(lambda s: bool(s.messages(here.general)))
        await here.seen(here.general, here.slack.messages(here.general)[-1]["ts"], "Unlink")
        assert links(here) == 1


@pytest.mark.parametrize("door", ["words", "plain words", "button", "command"])
async def test_every_door_unlinks(tmp_path: Path, sqlite_url: str, door: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root, header = await linked_thread(here)
        if door == "words":
            await here.slack.say(here.alice, here.general, f"{here.at} unlink", root)
        elif door == "plain words":
            await here.slack.say(here.alice, here.general, "/unlink", root)
        elif door == "button":
            await here.slack.click(here.alice, here.general, header, "unlink")
        else:
            await here.slack.command(here.alice, here.general, "/unlink")
            view = here.slack.views(here.alice)[-1]
            assert await here.slack.submit(here.alice, view["id"], {"thread": {"thread": root}}) == {}
        await here.seen(here.general, root, "unlinked this thread")
        await here.seen(here.general, root, "No ticket linked")
        assert here.ticket(TICKET).count("session_unlinked") == 1


async def test_unlinking_what_is_not_linked_is_said(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "a thread")
        await here.slack.say(here.alice, here.general, "!unlink", root)
        await here.told(here.alice, "not linked")
        await here.slack.command(here.bob, here.general, "/unlink")
        await here.told(here.bob, "None of your recent threads")


async def test_linking_twice_changes_nothing(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root, _ = await linked_thread(here)
        file, shown = here.ticket(TICKET), here.slack.messages(here.general, root)
        await here.slack.say(here.bob, here.general, "!link t-42", root)
        await here.told(here.bob, "already")
        await here.slack.message_shortcut(here.carol, "link_to_ticket", here.general, root)
        await here.slack.submit(
            here.carol, here.slack.views(here.carol)[-1]["id"], await picked(here, here.carol, TICKET)
        )
        await here.told(here.carol, "already")
        await at_rest(here)
        assert here.ticket(TICKET) == file
        assert here.own(here.general, root) == [m for m in shown if m.get("bot_id")]


async def test_another_ticket_asks_and_then_replaces_by_a_button(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root, _ = await linked_thread(here)
        before = here.ticket(TICKET)
        await here.slack.say(here.bob, here.general, f"!link {OTHER}", root)
        question = await here.told(here.bob, "instead?")
        assert here.ticket(TICKET) == before
        assert links(here, OTHER) == 0
        await here.slack.click(here.bob, here.general, question["ts"], "link_replace")
        await here.seen(here.general, root, "Avatars look blurred")
        await at_rest(here)
        assert links(here, OTHER) == 1
        assert here.ticket(TICKET).count("session_unlinked") == 1
        await here.slack.command(here.carol, here.general, f"/ticket {TICKET} sessions")
        former = everything_in(await here.told(here.carol, "Sessions of"))
        assert "a thread about avatars" in former
        assert "past" in former


async def test_another_ticket_asks_and_then_replaces_in_the_modal(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root, _ = await linked_thread(here)
        before = here.ticket(TICKET)
        await here.slack.message_shortcut(here.bob, "link_to_ticket", here.general, root)
        modal = here.slack.views(here.bob)[-1]
        assert "Add user profile avatar upload" in everything_in(modal)  # preset to what is linked
        answer = await here.slack.submit(here.bob, modal["id"], await picked(here, here.bob, OTHER))
        assert answer["response_action"] == "push"
        await at_rest(here)
        assert here.ticket(TICKET) == before
        await here.slack.submit(here.bob, here.slack.views(here.bob)[-1]["id"])
        await here.seen(here.general, root, "Avatars look blurred")
        assert here.slack.views(here.bob) == []
        assert links(here, OTHER) == 1


async def test_an_unknown_id_is_told_with_the_nearest_ones_a_click_away(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "a thread")
        await here.slack.say(here.alice, here.general, "!link T-043", root)
        told = await here.told(here.alice, "There is no ticket T-043")
        assert told["thread_ts"] == root
        assert "T-042" in everything_in(told)
        assert here.own(here.general, root) == []
        await here.slack.click(here.alice, here.general, told["ts"], "link_near_0")
        await here.seen(here.general, root, "Unlink")

        await here.slack.command(here.bob, here.general, "/link T-041")
        assert "T-042" in everything_in(await here.told(here.bob, "There is no ticket T-041"))
        assert here.slack.views(here.bob) == []


async def test_an_archived_ticket_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        before = here.ticket(ARCHIVED)
        root = await here.slack.say(here.alice, here.general, "a thread")
        await here.slack.say(here.alice, here.general, f"!link {ARCHIVED}", root)
        await here.told(here.alice, "archived")
        await here.slack.command(here.bob, here.general, f"/link {ARCHIVED}")
        await here.told(here.bob, "archived")
        assert here.slack.views(here.bob) == []
        assert here.ticket(ARCHIVED) == before
        assert here.own(here.general, root) == []


async def test_a_ticket_archived_while_the_modal_is_open_is_refused_in_its_field(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "a thread")
        await here.slack.message_shortcut(here.alice, "link_to_ticket", here.general, root)
        values = await picked(here, here.alice, OTHER)
        file = here.folder / ".sciorex" / "tickets" / f"{OTHER}.yaml"
        file.write_text(f"archived: true\n{file.read_text()}")
        answer = await here.slack.submit(here.alice, here.slack.views(here.alice)[-1]["id"], values)
        assert answer["response_action"] == "errors"
        assert "archived" in answer["errors"]["ticket"]


async def test_a_file_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        file = here.folder / ".sciorex" / "tickets" / f"{OTHER}.yaml"
        file.write_text("id: T-045\ntitle: broken\nstatus: [planned\n")
        root = await here.slack.say(here.alice, here.general, "a thread")
        await here.slack.say(here.alice, here.general, f"!link {OTHER}", root)
        told = everything_in(await here.told(here.alice, "T-045.yaml"))
        assert "line" in told
        assert str(here.folder) not in told


async def test_whoever_was_removed_from_a_private_channel_cannot_use_its_buttons(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        secret = here.slack.add_channel("leads", private=True, members=(here.alice, here.bob, here.slack.bot_user_id))
        root, _ = await linked_thread(here, channel=secret)
        await here.slack.say(here.bob, secret, f"!link {OTHER}", root)
        await here.told(here.bob, "instead?")
        await here.slack.message_shortcut(here.bob, "link_to_ticket", secret, root)
        values = await picked(here, here.bob, OTHER)
        view = here.slack.views(here.bob)[-1]
        before = here.ticket(TICKET)
        here.slack.remove(secret, here.bob)
        await here.slack.submit(here.bob, view["id"], values)
        if here.slack.views(here.bob):
            await here.slack.submit(here.bob, here.slack.views(here.bob)[-1]["id"])
        await at_rest(here)
        assert here.ticket(TICKET) == before
        assert links(here, OTHER) == 0


async def test_a_stranger_in_a_shared_channel_cannot_link(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        sam = here.slack.add_user("Sam", team_id="T0OTHER")
        shared = here.slack.add_channel("partners", shared=True, members=(here.alice, sam, here.slack.bot_user_id))
        root, header = await linked_thread(here, channel=shared)
        before = here.ticket(TICKET)
        await here.slack.say(sam, shared, f"{here.at} unlink", root)
        await here.told(sam, "Only members of the workspace")
        await here.slack.click(sam, shared, header, "unlink")
        await here.slack.until(lambda s: len(s.ephemerals(sam)) == 2, timeout=10)
        await here.slack.say(sam, shared, f"{here.at} please close it", root)
        await here.slack.until(lambda s: len(s.ephemerals(sam)) == 3, timeout=10)
        assert here.ticket(TICKET) == before
        assert here.model.requests == []
