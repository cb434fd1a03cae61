"""The ticket view: tabs, boxes to tick, sessions to read, and the history; as people use it in the local Slack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select

from bot.sessions.models import opened
from bot.tickets.criteria import criteria_of
from bot.tickets.ticket import Actor, SubtaskStatus, Ticket
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, told_by
from tests.slack.test_status import linked_thread

TICKET = "T-042"
IMAGES, TESTS = "Add image processing", "Write tests"


def ticket(here: Bench) -> Ticket:
    assert here.bot is not None
    return here.bot.parts.workspaces.default.store.get(TICKET)


def change(here: Bench, rule: Any) -> None:
    """Somebody else changes the ticket."""
    assert here.bot is not None
    here.bot.parts.workspaces.default.store.change(TICKET, rule)


async def opened_view(here: Bench, user: str) -> dict[str, Any]:
    """The ticket's view, by **Open** on its card."""
    await told_by(here, user, here.general, f"/ticket {TICKET}")
    card = here.slack.ephemerals(user)[-1]
    await here.slack.click(user, here.general, card["ts"], "ticket_view")
    await here.slack.until(lambda s: bool(s.views(user)), timeout=10)
    return view_of(here, user)


def view_of(here: Bench, user: str) -> dict[str, Any]:
    return here.slack.views(user)[-1]


def boxes(view: dict[str, Any], action: str) -> list[dict[str, Any]]:
    """The blocks that hold boxes of criteria or subtasks."""
    return [
        b for b in view["blocks"] if b["type"] == "actions" and b["elements"][0].get("action_id") == f"view_{action}"
    ]


def ticked_in(view: dict[str, Any], action: str) -> list[str]:
    """The labels of the boxes that are ticked, as the view is drawn."""
    found = [one for block in boxes(view, action) for one in block["elements"][0].get("initial_options", ())]
    return [one["text"]["text"] for one in found]


def values_of(view: dict[str, Any], action: str, *labels: str) -> list[str]:
    """The values of the boxes with these labels."""
    options = [one for block in boxes(view, action) for one in block["elements"][0]["options"]]
    return [next(one["value"] for one in options if one["text"]["text"].startswith(label)) for label in labels]


async def tick(here: Bench, user: str, action: str, *labels: str) -> dict[str, Any]:
    """Makes exactly the boxes with these labels ticked, and gives the view that is drawn next."""
    view = view_of(here, user)
    block = boxes(view, action)[0]
    chosen = values_of(view, action, *labels)
    await here.slack.click_view(user, view["id"], f"view_{action}", block_id=block["block_id"], selected=chosen)
    await here.slack.until(lambda _: view_of(here, user)["blocks"] != view["blocks"], timeout=10)
    return view_of(here, user)


async def turn(here: Bench, user: str, action: str, value: str | None = None) -> dict[str, Any]:
    """Uses a button of the view, and gives it as it is then."""
    await here.slack.click_view(user, view_of(here, user)["id"], action, value=value)
    return view_of(here, user)


async def test_a_subtask_is_ticked_in_the_view_and_in_the_file(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        view = await opened_view(here, here.alice)
        assert ticked_in(view, "subtasks") == ["Build upload UI", "Build backend endpoint"]
        before = here.ticket(TICKET)
        view = await tick(here, here.alice, "subtasks", "Build upload UI", "Build backend endpoint", TESTS)
        assert ticked_in(view, "subtasks") == ["Build upload UI", "Build backend endpoint", TESTS]
        assert f"{TESTS}: completed by <@{here.alice}>" in everything_in(view)
        after = here.ticket(TICKET)
        assert after.count("op: tick:") == 1
        gone = [line for line in before.splitlines() if line not in after.splitlines()]
        assert [line.split(":")[0].strip() for line in gone] == ["updatedAt"]
        assert yaml.safe_load(after)["subtasks"][4]["completed"] is True
        view = await tick(here, here.alice, "subtasks", "Build upload UI", "Build backend endpoint")
        assert ticket(here).subtasks[4].status is SubtaskStatus.PENDING
        assert "(+1 before)" in everything_in(view)


async def test_a_criterion_is_one_line_of_the_description(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        view = await opened_view(here, here.alice)
        first = [one.text for one in criteria_of(ticket(here).description) if one.done]
        labels = ticked_in(view, "criteria")
        assert [text.startswith(label) for text, label in zip(first, labels, strict=True)] == [True, True]
        assert labels[1] == "Files that are too large or of another type are refused with a clear"
        before = here.ticket(TICKET)
        view = await tick(here, here.alice, "criteria", "A picture", "Files that", "Uploading again")
        after = here.ticket(TICKET)
        gone = [line.strip() for line in before.splitlines() if line not in after.splitlines()]
        assert gone[0] == "- [ ] Uploading again replaces the old files"
        assert [line.split(":")[0] for line in gone[1:]] == ["updatedAt"]
        assert "  - [x] Uploading again replaces the old files\n" in after
        assert ticket(here).history[-1].details["ticked"] == ["Uploading again replaces the old files"]
        assert f"Uploading again replaces the old files: ticked by <@{here.alice}>" in everything_in(view)


async def test_what_somebody_else_changed_meanwhile_is_kept_and_shown(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await opened_view(here, here.alice)
        by = Actor("user", here.bob)

        def begun(t: Ticket, now: Any) -> Any:
            return t.set_subtask(t.find_subtask(IMAGES), SubtaskStatus.IN_PROGRESS, by, now)

        change(here, begun)
        done = ("Build upload UI", "Build backend endpoint")
        view = await tick(here, here.alice, "subtasks", *done, IMAGES)
        assert "was changed meanwhile: it is “in_progress” now" in everything_in(view)
        assert ticket(here).subtasks[2].status is SubtaskStatus.IN_PROGRESS
        view = await tick(here, here.alice, "subtasks", *done, IMAGES)
        assert ticket(here).subtasks[2].status is SubtaskStatus.COMPLETED
        # Bob unticks one that Alice sees ticked; what she clicks elsewhere leaves it as it is.
        change(here, lambda t, now: t.set_subtask(t.subtasks[0], SubtaskStatus.PENDING, by, now))
        view = await tick(here, here.alice, "subtasks", *done, IMAGES, TESTS)
        assert ticked_in(view, "subtasks") == ["Build backend endpoint", IMAGES, TESTS]


async def test_a_tick_taken_back_at_once_is_taken_back(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        view = await opened_view(here, here.alice)
        block = boxes(view, "subtasks")[0]
        for labels in (
            ("Build upload UI", "Build backend endpoint", TESTS),
            ("Build upload UI", "Build backend endpoint"),
        ):
            here.slack.hold("views.update")
            chosen = values_of(view, "subtasks", *labels)
            await here.slack.click_view(
                here.alice, view["id"], "view_subtasks", block_id=block["block_id"], selected=chosen
            )
        here.slack.release("views.update")
        await at_rest(here)
        assert ticket(here).subtasks[4].status is SubtaskStatus.PENDING
        assert here.ticket(TICKET).count("op: tick:") == 2


async def test_the_tabs_show_sessions_to_read_and_the_history(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} Initial <planning> & more", "Answer 1.")
        await here.slack.say(here.alice, here.general, f"!link {TICKET}", root)
        await here.seen(here.general, root, "Unlink")
        await at_rest(here)
        await opened_view(here, here.bob)
        view = await turn(here, here.bob, "view_sessions")
        assert "Session 1" in everything_in(view)
        assert "active (idle)" in everything_in(view)
        view = await turn(here, here.bob, "session_read")
        told = everything_in(view)
        assert "Initial <planning> & more" in told
        assert "Answer 1." in told
        assert "Linked to T-042." in told
        rows = await here.bot.parts.db.read(lambda c: c.execute(select(opened.c.user_id)).scalars().all())  # type: ignore[union-attr]
        assert rows == [here.bob]
        view = await turn(here, here.bob, "view_back")
        assert "Session 1" in everything_in(view)
        view = await turn(here, here.bob, "view_activity")
        assert f"<@{here.alice}> · linked the session <" in everything_in(view)
        assert "moved it from `planned` to `in_progress`" in everything_in(view)
        assert here.slack.views(here.bob)[0]["id"] == view["id"]


async def test_a_view_opened_in_a_thread_stays_that_thread_s_after_a_tick(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await linked_thread(here)
        header = next(m for m in here.own(here.general, root) if "Unlink" in everything_in(m))
        await here.slack.click(here.alice, here.general, header["ts"], "ticket_view")
        await here.slack.until(lambda s: bool(s.views(here.alice)), timeout=10)
        view = await tick(here, here.alice, "subtasks", "Build upload UI", "Build backend endpoint", TESTS)
        assert f'"thread_ts": "{root}"' in view["private_metadata"]
        await here.slack.click_view(here.alice, view["id"], "ticket_status", selected="in_review")
        await here.seen(here.general, root, "from `in_progress` to `in_review`")
        told = here.ticket(TICKET)
        await here.slack.redeliver(lambda delivery: delivery.kind == "interactive")
        await at_rest(here)
        assert here.ticket(TICKET) == told


async def test_a_tick_that_is_tried_again_is_made_once(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await opened_view(here, here.alice)
        here.slack.fail("views.update", "internal_error")
        view = await tick(here, here.alice, "subtasks", "Build upload UI", "Build backend endpoint", TESTS)
        assert ticked_in(view, "subtasks")[-1] == TESTS
        assert here.ticket(TICKET).count("op: tick:") == 1


async def test_a_private_session_leaves_no_trace_in_the_view(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, secret, f"{here.at} link {TICKET}")
        await here.seen(secret, root, "Unlink")
        await at_rest(here)
        for user, seen in ((here.bob, False), (here.alice, True)):
            await opened_view(here, user)
            assert ("Session 1" in everything_in(await turn(here, user, "view_sessions"))) is seen
            assert ("linked the session" in everything_in(await turn(here, user, "view_activity"))) is seen


async def test_a_ticket_that_is_gone_has_a_sentence_in_the_view(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await opened_view(here, here.alice)
        (here.folder / ".sciorex" / "tickets" / f"{TICKET}.yaml").unlink()
        view = view_of(here, here.alice)
        block = boxes(view, "subtasks")[0]
        await here.slack.click_view(here.alice, view["id"], "view_subtasks", block_id=block["block_id"], selected=[])
        await here.told(here.alice, "There is no ticket T-042")
        view = await turn(here, here.alice, "view_activity")
        assert "There is no ticket T-042" in everything_in(view)


async def test_a_stranger_may_look_at_nothing_new_and_tick_nothing(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        sam = here.slack.add_user("Sam", team_id="T0OTHER")
        shared = here.slack.add_channel("partners", shared=True, members=(here.alice, sam, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, shared, f"{here.at} link {TICKET}")
        header = await here.seen(shared, root, "Unlink")
        await here.slack.click(sam, shared, header["ts"], "ticket_view")
        await here.slack.until(lambda s: bool(s.views(sam)), timeout=10)
        before = here.ticket(TICKET)
        view = await tick(here, sam, "subtasks")
        assert "Only members of the workspace" in everything_in(view)
        assert here.ticket(TICKET) == before
        assert ticked_in(view, "subtasks") == ["Build upload UI", "Build backend endpoint"]
