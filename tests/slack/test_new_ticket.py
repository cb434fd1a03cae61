"""Making a ticket: on one line, by the form from the composer, by the global shortcut, by a button in a thread."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.local_slack import SlackRefuses
from bot.slack.workspaces import Workspaces
from bot.tickets.store import TicketStore
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, told_by

NEW = "T-051"  # the sample workspace ends with T-050


def file_of(here: Bench, ticket_id: str = NEW) -> dict[str, Any]:
    """What stands in a ticket's file."""
    loaded: dict[str, Any] = yaml.load(here.ticket(ticket_id), Loader=yaml.CSafeLoader)
    return loaded


def made(here: Bench) -> list[str]:
    """The ids that the sample workspace did not have."""
    names = {path.stem for path in (here.folder / ".sciorex" / "tickets").glob("*.yaml")}
    return sorted(name for name in names if name >= NEW)


async def opened(here: Bench, user: str, *, views: int = 1) -> dict[str, Any]:
    """The form, once it is open."""
    await here.slack.until(lambda s: len(s.views(user)) == views, timeout=10)
    return here.slack.views(user)[-1]


async def test_a_ticket_on_one_line_is_made_at_once(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        words = "/ticket new Fix the log-in & out type:bug priority:high label:ui,web epic:e-1"
        card = await told_by(here, here.alice, here.general, words)
        for text in ("You made this ticket", NEW, "Fix the log-in &amp; out", "backlog", "high", "User profiles"):
            assert text in card
        assert "chat_start" in card
        file = file_of(here)
        (entry,) = file.pop("history")
        assert (entry["action"], entry["actor"]) == ("created", {"type": "user", "id": here.alice})
        assert entry["details"]["op"].startswith("new:c:")
        assert {name: value for name, value in file.items() if value} == {
            "id": NEW,
            "title": "Fix the log-in & out",
            "type": "bug",
            "priority": "high",
            "status": "backlog",
            "labels": ["ui", "web"],
            "epicId": "E-001",
            "createdAt": entry["timestamp"],
            "updatedAt": entry["timestamp"],
        }


async def test_a_line_that_makes_no_ticket_says_why(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        for words, said in (
            ("Fix it type:shiny", "“shiny” is not one of"),
            ("Fix it epic:E-404", "There is no epic E-404. `/ticket epics` lists them."),
            ("type:bug", "A ticket needs a title."),
        ):
            assert said in await told_by(here, here.alice, here.general, f"/ticket new {words}")
        assert made(here) == []


async def test_the_form_from_the_composer_makes_what_it_says(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await here.slack.command(here.alice, here.general, "/ticket new")
        view = await opened(here, here.alice)
        assert await here.slack.submit(here.alice, view["id"], filled_form()) == {}
        told = await here.told(here.alice, "You made this ticket")
        assert told["channel"] == here.general
        assert here.slack.ephemerals(here.bob) == []
        assert here.slack.messages(here.general) == []
        assert here.slack.views(here.alice) == []
        file = file_of(here)
        plain = ("title", "description", "type", "priority", "labels", "epicId", "blockedBy")
        assert [file[name] for name in plain] == [
            *("Fix the login", "It fails.", "bug", "high"),
            *(["ui", "api"], "E-001", ["T-040"]),
        ]
        assert [(s["id"], s["title"], s["completed"]) for s in file["subtasks"]] == [
            ("sub-001", "Write a test", False),
            ("sub-002", "Fix it", False),
        ]
        await here.slack.click(here.alice, here.general, told["ts"], "chat_start")
        await here.slack.until(lambda s: "Fix the login" in everything_in(s.messages(here.general)), timeout=10)
        await here.seen(here.general, here.slack.messages(here.general)[0]["ts"], NEW)


def filled_form(**other: Any) -> dict[str, Any]:
    """Everything in the form filled in; `other` instead of some of it."""
    typed = {
        "title": "Fix the login",
        "description": "It fails.",
        "type": "bug",
        "priority": "high",
        "labels": "ui, api",
        "epic": "E-001",
        "subtasks": "Write a test\n- [ ] Fix it",
        "blockers": ["T-040"],
    } | other
    return {name: {name: value} for name, value in typed.items()}


async def test_the_shortcut_opens_the_form_anywhere_and_the_card_comes_as_a_direct_message(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await here.slack.global_shortcut(here.alice, "new_ticket")
        view = await opened(here, here.alice)
        await here.slack.submit(here.alice, view["id"], {"title": {"title": "Fix the login"}})
        direct = here.slack.open_dm(here.alice)
        await here.slack.until(lambda s: "You made this ticket" in everything_in(s.messages(direct)), timeout=10)
        await at_rest(here)
        (card,) = here.slack.messages(direct)
        assert NEW in everything_in(card)
        assert here.slack.ephemerals(here.alice) == []
        await here.slack.click(here.alice, direct, card["ts"], "chat_start")
        await here.slack.until(lambda s: len(s.messages(direct)) == 2, timeout=10)
        await here.seen(direct, here.slack.messages(direct)[1]["ts"], NEW)


async def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await here.slack.command(here.alice, here.general, "/ticket new")
        view = await opened(here, here.alice)
        odd = filled_form(title=" ", labels="x" * 60, epic="E-404", blockers=["T-041"])
        answer = await here.slack.submit(here.alice, view["id"], odd)
        assert answer["response_action"] == "errors"
        assert {name: text.split(".")[0] for name, text in answer["errors"].items()} == {
            "title": "A ticket needs a title",
            "labels": f"“{'x' * 20}…” is longer than the 50 characters of a label",
            "epic": "There is no epic E-404",
            "blockers": "There is no ticket T-041",
        }
        (view,) = here.slack.views(here.alice)
        assert view["state"]["values"]["description"]["description"]["value"] == "It fails."
        assert await here.slack.submit(here.alice, view["id"], filled_form()) == {}
        await here.told(here.alice, "You made this ticket")
        assert made(here) == [NEW]


async def test_a_form_that_is_sent_twice_makes_one_ticket(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        await here.slack.command(here.alice, here.general, "/ticket new")
        view = await opened(here, here.alice)
        await here.slack.submit(here.alice, view["id"], filled_form())
        await here.slack.redeliver(lambda one: one.payload.get("type") == "view_submission")
        await here.told(here.alice, "You made this ticket")
        await at_rest(here)
        assert made(here) == [NEW]
        assert len([m for m in here.slack.ephemerals(here.alice) if "You made" in everything_in(m)]) == 1


async def test_in_a_thread_a_title_makes_it_and_no_title_offers_the_form(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.bob, here.general, "The login fails")
        await here.slack.say(here.alice, here.general, "!ticket new Fix <it>\nIt fails since Monday", root)
        told = await here.told(here.alice, "You made this ticket")
        assert told["thread_ts"] == root
        assert (file_of(here)["title"], file_of(here)["description"]) == ("Fix <it>", "It fails since Monday")

        await here.slack.say(here.alice, here.general, "!ticket new", root)
        offered = await here.told(here.alice, "`/ticket new Fix the login`")
        await here.slack.click(here.alice, here.general, offered["ts"], "ticket_new")
        view = await opened(here, here.alice)
        await here.slack.submit(here.alice, view["id"], {"title": {"title": "Another one"}})
        told = await here.told(here.alice, "Another one")
        assert told["thread_ts"] == root
        assert made(here) == [NEW, "T-052"]
        assert here.model.requests == []


async def test_the_forms_pickers_offer_best_matches_first_and_no_archived_tickets(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await told_by(here, here.alice, here.general, "/ticket new An avatar for groups")
        epics = here.folder / ".sciorex" / "epics"
        (epics / "E-002.yaml").write_text("id: E-002\ntitle: Profiles of old users\nstatus: completed\n")
        (epics / "E-003.yaml").write_text("id: E-003\ntitle: Search\n")
        await here.slack.global_shortcut(here.alice, "new_ticket")
        view = (await opened(here, here.alice))["id"]

        async def offered(picker: str, query: str) -> list[str]:
            return [one["value"] for one in await here.slack.options(here.alice, picker, query, view_id=view)]

        async with asyncio.timeout(10):  # files that appear are followed within a second
            while len(await offered("epic", "")) < 3:
                await asyncio.sleep(0.05)
        assert await offered("epic", "") == ["E-001", "E-003", "E-002"]
        assert await offered("epic", "profiles") == ["E-002", "E-001"]
        assert await offered("epic", "e-3") == ["E-003"]
        assert await offered("epic", "shiny") == []
        assert (await offered("blockers", "t-42"))[0] == "T-042"
        assert (await offered("blockers", "avatar"))[0] == NEW  # the latest of those with the word in the title
        assert {"T-042", "T-045"} <= set(await offered("blockers", "avatar"))
        assert "T-031" not in await offered("blockers", "gravatar")
        assert "T-031" not in await offered("blockers", "")


async def test_people_of_other_workspaces_make_no_tickets(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        sam = here.slack.add_user("Sam", team_id="T0OTHER")
        shared = here.slack.add_channel("partners", shared=True, members=(here.alice, sam, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, shared, f"{here.at} link T-042")
        await here.seen(shared, root, "Unlink")
        await here.slack.say(sam, shared, "!ticket new Buy our product", root)
        await here.told(sam, "Only members of the workspace that installed me can change")
        await here.slack.say(sam, shared, "!ticket new", root)
        offered = await here.told(sam, "fill in a form")
        await here.slack.click(sam, shared, offered["ts"], "ticket_new")
        await here.slack.until(lambda s: len(s.ephemerals(sam)) == 3, timeout=10)
        assert "Only members of the workspace" in everything_in(here.slack.ephemerals(sam)[-1])
        assert here.slack.views(sam) == []
        assert made(here) == []


async def test_guests_are_offered_neither_command_nor_shortcut_of_an_agent(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        gus = here.slack.add_user("Gus", guest=True)
        here.slack.invite(here.general, gus)
        with pytest.raises(SlackRefuses):
            await here.slack.global_shortcut(gus, "new_ticket")
        with pytest.raises(SlackRefuses):
            await here.slack.command(gus, here.general, "/ticket new Fix it")
        assert made(here) == []


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await here.slack.global_shortcut(here.alice, "new_ticket")
        view = await opened(here, here.alice)
        (here.folder / ".sciorex").rename(here.folder / "gone")
        answer = await here.slack.submit(here.alice, view["id"], {"title": {"title": "Fix it"}})
        direct = here.slack.open_dm(here.alice)

        def told() -> str:
            seen = here.slack.messages(direct), here.slack.ephemerals(here.alice)
            return everything_in(list(seen)) + everything_in(answer)

        await here.slack.until(lambda _: "⚠️" in told() or "errors" in answer, timeout=10)
        assert ".sciorex" in told()


async def test_in_a_direct_message_the_form_offers_the_workspaces_that_the_person_may_choose(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        several(here, tmp_path)
        await here.slack.global_shortcut(here.alice, "new_ticket")
        view = await opened(here, here.alice)
        assert view["blocks"][0]["block_id"] == "new_workspace"
        await here.slack.click_view(here.alice, view["id"], "title", selected="Fix the page")
        await here.slack.click_view(here.alice, view["id"], "epic", selected="E-001")
        await here.slack.click_view(here.alice, view["id"], "workspace", selected="website")
        view = here.slack.views(here.alice)[-1]
        assert view["state"]["values"]["title"]["title"]["value"] == "Fix the page"
        assert view["state"]["values"]["epic website"]["epic"]["selected_option"] is None
        assert await here.slack.options(here.alice, "epic", "", view_id=view["id"]) == []
        await here.slack.submit(here.alice, view["id"], {})
        direct = here.slack.open_dm(here.alice)
        await here.slack.until(lambda s: "You made this ticket" in everything_in(s.messages(direct)), timeout=10)
        written = (tmp_path / "website" / ".sciorex" / "tickets" / "T-001.yaml").read_text(encoding="utf-8")
        assert "title: Fix the page" in written
        assert made(here) == []

        await here.slack.command(here.alice, here.general, "/ticket new")
        view = await opened(here, here.alice)
        assert view["blocks"][0]["block_id"] == "title"


def several(here: Bench, tmp_path: Path) -> None:
    """A second workspace, `website`, beside the sample."""
    assert here.bot is not None
    parts, folder = here.bot.parts, tmp_path / "website"
    (folder / ".sciorex" / "tickets").mkdir(parents=True)
    first = parts.workspaces.default
    other = replace(first, name="website", folder=folder, store=TicketStore(folder))
    parts.workspaces = Workspaces([first, other], first.name)


async def test_a_shortcut_that_came_too_late_and_a_form_that_cannot_be_taken_are_told(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        direct = here.slack.open_dm(here.alice)
        here.slack.fail("views.open", "trigger_expired")
        await here.slack.global_shortcut(here.alice, "new_ticket")
        await here.slack.until(lambda s: "Please try again" in everything_in(s.messages(direct)), timeout=10)
        await here.slack.global_shortcut(here.alice, "new_ticket")
        view = await opened(here, here.alice)
        here.slack.fail("conversations.open", "internal_error")
        answer = await here.slack.submit(here.alice, view["id"], filled_form())
        assert answer["errors"] == {"title": "Slack did not take that just now. Please try again."}
        assert await here.slack.submit(here.alice, view["id"], filled_form()) == {}
        await here.slack.until(lambda s: "You made this ticket" in everything_in(s.messages(direct)), timeout=10)
        assert made(here) == [NEW]
