"""The status by word and by choice: completed where it is clear, refused with what is allowed, and conflicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import InvalidTicket
from bot.slack.tickets.status import meant
from bot.tickets.ticket import Actor, Ticket
from bot.tickets.vocabulary import Status
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, told_by

TICKET = "T-042"


@pytest.mark.parametrize(
    ("now", "words", "to"),
    [
        ("in_progress", "in_rev", "in_review"),
        ("in_progress", "In", "in_review"),  # the one of the two that may follow
        ("planned", "in", "in_progress"),
        ("in_progress", "d", "done"),
        ("in_progress", "wip", "in_progress"),
        ("backlog", "in-rev", "in_review"),  # not allowed, but clear: the refusal says what is
        ("done", "can", "cancelled"),
    ],
)
def test_a_status_is_completed_where_it_is_clear(now: str, words: str, to: str) -> None:
    assert meant(Ticket(TICKET, "x", status=Status(now)), words) is Status(to)


@pytest.mark.parametrize(
    ("now", "words", "said"),
    [
        ("backlog", "in", "“in” may be in_progress or in_review. Type a letter more."),
        ("in_progress", "shipped", "“shipped” is no status. T-042 is in_progress and can become planned, in_review"),
        ("in_progress", "!", "“!” is no status."),
    ],
)
def test_what_may_be_two_or_none_is_asked_back(now: str, words: str, said: str) -> None:
    with pytest.raises(InvalidTicket) as refused:
        meant(Ticket(TICKET, "x", status=Status(now)), words)
    assert said in refused.value.text


def menu_of(message: dict[str, Any]) -> list[str]:
    """What the menu of statuses offers."""
    menu = next(e for block in message["blocks"] for e in block.get("elements", ()) if e["type"] == "static_select")
    return [option["value"] for option in menu["options"]]


def moved_outside(here: Bench, to: Status) -> None:
    """Somebody else moves the ticket."""
    assert here.bot is not None
    store, by = here.bot.parts.workspaces.default.store, Actor("user", here.bob)
    store.change(TICKET, lambda ticket, now: ticket.change_status(to, by=by, at=now))


async def replaced(here: Bench, user: str, before: dict[str, Any]) -> dict[str, Any]:
    """The message that stands in the place of one that only this person sees."""

    def now() -> dict[str, Any]:
        return next(row for row in here.slack.ephemerals(user) if row["ts"] == before["ts"])

    await here.slack.until(lambda _: now() != before, timeout=10)
    return now()


async def linked_thread(here: Bench) -> str:
    root = await here.slack.say(here.alice, here.general, "Initial planning")
    await here.slack.say(here.alice, here.general, f"!link {TICKET}", root)
    await here.seen(here.general, root, "Unlink")
    await at_rest(here)
    return root


async def test_a_choice_on_the_card_moves_the_ticket_and_the_card_follows(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await told_by(here, here.alice, here.general, f"/ticket {TICKET}")
        (card,) = here.slack.ephemerals(here.alice)
        assert menu_of(card) == ["planned", "in_review", "done", "cancelled"]
        await here.slack.click(here.alice, here.general, card["ts"], "ticket_status", selected="in_review")
        fresh = await replaced(here, here.alice, card)
        assert (
            f"<@{here.alice}> moved *T-042* Add user profile avatar upload from `in_progress` to `in_review`."
            in fresh["text"]
        )
        assert menu_of(fresh) == ["in_progress", "done", "cancelled"]
        assert here.slack.messages(here.general) == []
        text = here.ticket(TICKET)
        assert "\nstatus: in_review\n" in text
        assert text.count("op: status:") == 1
        await here.slack.click(here.alice, here.general, card["ts"], "ticket_status", selected="cancelled")
        assert "from `in_review` to `cancelled`" in (await replaced(here, here.alice, fresh))["text"]


async def test_who_chooses_from_an_old_card_is_told_what_changed_and_sees_the_new_one(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await told_by(here, here.alice, here.general, f"/ticket {TICKET}")
        (card,) = here.slack.ephemerals(here.alice)
        moved_outside(here, Status.IN_REVIEW)
        before = here.ticket(TICKET)
        await here.slack.click(here.alice, here.general, card["ts"], "ticket_status", selected="done")
        fresh = await replaced(here, here.alice, card)
        assert "⚠️ The status of T-042 was changed meanwhile: it is “in_review” now, and “done” was to" in fresh["text"]
        assert menu_of(fresh) == ["in_progress", "done", "cancelled"]
        assert here.ticket(TICKET) == before
        await here.slack.click(here.alice, here.general, card["ts"], "ticket_status", selected="cancelled")
        await replaced(here, here.alice, fresh)
        assert "\nstatus: cancelled\n" in here.ticket(TICKET)


async def test_another_field_that_changed_meanwhile_is_no_conflict(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await told_by(here, here.alice, here.general, f"/ticket {TICKET}")
        (card,) = here.slack.ephemerals(here.alice)
        path = here.folder / ".sciorex" / "tickets" / f"{TICKET}.yaml"
        path.write_text(here.ticket(TICKET).replace("priority: high", "priority: low"), encoding="utf-8")
        await here.slack.click(here.alice, here.general, card["ts"], "ticket_status", selected="in_review")
        assert "moved" in (await replaced(here, here.alice, card))["text"]
        assert "\nstatus: in_review\n" in here.ticket(TICKET)
        assert "\npriority: low\n" in here.ticket(TICKET)


async def test_status_in_a_thread_offers_what_is_allowed_and_everybody_sees_the_change(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await linked_thread(here)
        await here.slack.say(here.bob, here.general, "!status", root)
        line = await here.told(here.bob, "T-042 is in_progress. It can become planned, in_review, done, cancelled.")
        assert menu_of(line) == ["planned", "in_review", "done", "cancelled"]
        await here.slack.click(here.bob, here.general, line["ts"], "ticket_status", selected="in_review")
        await here.seen(here.general, root, f"<@{here.bob}> moved")
        fresh = await replaced(here, here.bob, line)
        assert "T-042 is in_review. It can become in_progress, done, cancelled." in fresh["text"]
        assert menu_of(fresh) == ["in_progress", "done", "cancelled"]
        await at_rest(here)
        header = next(m for m in here.own(here.general, root) if "Unlink" in everything_in(m))
        assert "`in_review`" in everything_in(header)
        assert len([m for m in here.own(here.general, root) if "moved" in everything_in(m)]) == 1


async def test_a_status_typed_in_part_is_completed_in_a_thread_and_at_the_composer(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await linked_thread(here)
        await here.slack.say(here.alice, here.general, f"{here.at} status in_rev", root)
        await here.seen(here.general, root, "from `in_progress` to `in_review`")
        told = await told_by(here, here.alice, here.general, f"/ticket {TICKET} canc")
        assert "from `in_review` to `cancelled`" in told
        told = await told_by(here, here.alice, here.general, f"/ticket {TICKET} status")
        assert "T-042 is cancelled. It can become backlog." in told
        told = await told_by(here, here.alice, here.general, f"/ticket {TICKET} status plan")
        assert "T-042 is cancelled and cannot become planned. From cancelled it can become backlog." in told
        assert here.model.requests == []


async def test_a_choice_in_the_tickets_modal_shows_there_and_in_the_thread(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await linked_thread(here)
        header = next(m for m in here.own(here.general, root) if "Unlink" in everything_in(m))
        await here.slack.click(here.alice, here.general, header["ts"], "ticket_view")
        await here.slack.until(lambda s: bool(s.views(here.alice)), timeout=10)
        (view,) = here.slack.views(here.alice)
        await here.slack.click_view(here.alice, view["id"], "ticket_status", selected="in_review")
        await here.seen(here.general, root, "from `in_progress` to `in_review`")
        (fresh,) = here.slack.views(here.alice)
        assert fresh["id"] == view["id"]
        assert menu_of(fresh) == ["in_progress", "done", "cancelled"]
        moved_outside(here, Status.IN_PROGRESS)
        await here.slack.click_view(here.alice, view["id"], "ticket_status", selected="done")
        await here.slack.until(lambda s: "was changed meanwhile" in everything_in(s.views(here.alice)), timeout=10)
        assert "\nstatus: in_progress\n" in here.ticket(TICKET)


async def test_a_stranger_may_not_choose_and_is_told(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        sam = here.slack.add_user("Sam", team_id="T0OTHER")
        shared = here.slack.add_channel("partners", shared=True, members=(here.alice, sam, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, shared, f"{here.at} link {TICKET}")
        await here.seen(shared, root, "Unlink")
        await here.slack.say(sam, shared, "!status", root)
        line = await here.told(sam, "It can become")
        before = here.ticket(TICKET)
        await here.slack.click(sam, shared, line["ts"], "ticket_status", selected="in_review")
        await here.told(sam, "Only members of the workspace that installed me can change")
        assert here.ticket(TICKET) == before
