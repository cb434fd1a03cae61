"""Review before closing: what is open is shown by every door and to the agent; a person goes on, and it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bot.tickets.ticket import Actor
from bot.tickets.vocabulary import SubtaskStatus
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, told_by
from tests.slack.test_agent_and_tickets import calling
from tests.slack.test_status import linked_thread, replaced

TICKET = "T-042"
OPEN = "• 3 open subtasks: Add image processing, Update profile display components, Write tests"
CRITERIA = "• 3 criteria without a tick: Thumbnails in all three sizes"


def status(here: Bench) -> str:
    return str(yaml.safe_load(here.ticket(TICKET))["status"])


def last(here: Bench) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(here.ticket(TICKET))["history"][-1]
    return found


def all_done(here: Bench) -> None:
    """Every subtask and criterion is ticked."""
    assert here.bot is not None
    store, by = here.bot.parts.workspaces.default.store, Actor("user", here.bob)
    for subtask in store.get(TICKET).subtasks:
        store.change(TICKET, lambda t, now, s=subtask: t.set_subtask(s, SubtaskStatus.COMPLETED, by, now))  # type: ignore[misc]
    store.change(TICKET, lambda t, now: t.update(by=by, at=now, description=t.description.replace("[ ]", "[x]")))


async def test_what_is_open_is_shown_and_a_person_may_go_on(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        before = here.ticket(TICKET)
        told = await told_by(here, here.alice, here.general, f"/ticket {TICKET} done")
        assert "is still `in_progress`. This speaks against *done*:" in told
        assert OPEN in told
        assert CRITERIA in told
        assert "session" not in told
        assert here.ticket(TICKET) == before
        card = here.slack.ephemerals(here.alice)[-1]
        await here.slack.click(here.alice, here.general, card["ts"], "done_anyway")
        fresh = await replaced(here, here.alice, card)
        assert "from `in_progress` to `done`" in fresh["text"]
        assert status(here) == "done"
        assert last(here)["details"]["review"][:4] == [
            "subtask: Add image processing",
            "subtask: Update profile display components",
            "subtask: Write tests",
            "criterion: Thumbnails in all three sizes exist within 5 seconds of the upload",
        ]
        again = here.ticket(TICKET)
        await here.slack.redeliver(lambda delivery: delivery.kind == "interactive")
        await at_rest(here)
        assert here.ticket(TICKET) == again


async def test_with_a_note_it_stands_in_the_history(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await told_by(here, here.alice, here.general, f"/ticket {TICKET} done")
        card = here.slack.ephemerals(here.alice)[-1]
        await here.slack.click(here.alice, here.general, card["ts"], "done_note")
        (view,) = here.slack.views(here.alice)
        await here.slack.submit(here.alice, view["id"], {"note": {"note": "Moved to T-045"}})
        await at_rest(here)
        assert status(here) == "done"
        assert last(here)["details"]["comment"] == "Moved to T-045"
        assert len(last(here)["details"]["review"]) == 6


async def test_sessions_speak_against_it_as_far_as_the_closer_may_see_them(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        all_done(here)
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        for channel in (here.general, secret):
            root = await here.ask(here.alice, channel, f"{here.at} Plan the {channel}", "Answer")
            await here.slack.say(here.alice, channel, f"!link {TICKET}", root)
            await here.seen(channel, root, "Unlink")
        await at_rest(here)
        for user, count in ((here.alice, 2), (here.bob, 1)):
            told = await told_by(here, user, here.general, f"/ticket {TICKET} done")
            words = f"{count} active session" + ("s" if count > 1 else "")
            assert f"• {words}: <" in told
            # Alice has written in both; Bob has read neither, and knows of one.
            assert ("not read by you" in told) is (user == here.bob)
            assert "subtask" not in told
            assert (secret in told) is (user == here.alice)
        card = here.slack.ephemerals(here.bob)[-1]
        await here.slack.click(here.bob, here.general, card["ts"], "done_anyway")
        await replaced(here, here.bob, card)
        review = last(here)["details"]["review"]
        assert [line.partition(": s-")[0] for line in review] == ["active session", "unread session"]


async def test_a_session_that_was_read_is_not_named_until_more_is_said(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await linked_thread(here)
        command = f"/ticket {TICKET} done"
        assert "1 session not read by you" in await told_by(here, here.bob, here.general, command)
        await told_by(here, here.bob, here.general, f"/ticket {TICKET} sessions")
        shown = here.slack.ephemerals(here.bob)[-1]
        await here.slack.click(here.bob, here.general, shown["ts"], "session_open")
        assert "not read by you" not in await told_by(here, here.bob, here.general, command)
        await here.slack.say(here.carol, here.general, "One thing more", root)
        await at_rest(here)
        assert "1 session not read by you" in await told_by(here, here.bob, here.general, command)


async def test_nothing_open_means_done_at_once_also_from_the_ticket_s_own_thread(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        all_done(here)
        root = await linked_thread(here)
        await here.slack.say(here.alice, here.general, "!status done", root)
        await here.seen(here.general, root, "from `in_progress` to `done`")
        assert "review" not in last(here)["details"]


async def test_the_view_shows_the_review_and_goes_on(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await told_by(here, here.alice, here.general, f"/ticket {TICKET}")
        card = here.slack.ephemerals(here.alice)[-1]
        await here.slack.click(here.alice, here.general, card["ts"], "ticket_view")
        (view,) = here.slack.views(here.alice)
        await here.slack.click_view(here.alice, view["id"], "ticket_status", selected="done")
        await here.slack.until(lambda s: OPEN in everything_in(s.views(here.alice)), timeout=10)
        await here.slack.click_view(here.alice, view["id"], "done_anyway")
        await here.slack.until(lambda s: "to `done`" in everything_in(s.views(here.alice)), timeout=10)
        assert status(here) == "done"


async def test_the_agent_is_told_what_is_open_and_a_person_decides(tmp_path: Path, database_url: str) -> None:
    script = calling("change_status", {"ticketId": TICKET, "status": "done"})
    async with bench(tmp_path, database_url, script=script) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}")
        await here.seen(here.general, root, "Unlink")
        await here.ask(here.alice, here.general, "close it", "A person decides", root)
        assert status(here) == "in_progress"
        card = await here.seen(here.general, root, "done_anyway")
        assert OPEN in everything_in(card)
        await here.slack.click(here.bob, here.general, card["ts"], "done_anyway")
        await here.seen(here.general, root, f"<@{here.bob}> moved")
        await at_rest(here)
        assert status(here) == "done"
        assert last(here)["actor"] == {"type": "user", "id": here.bob}
        assert not [m for m in here.own(here.general, root) if "done_anyway" in everything_in(m)]


async def test_a_question_that_waits_for_an_answer_speaks_against_it_where_the_closer_may_see_its_session(
    tmp_path: Path, database_url: str
) -> None:
    script = calling("complete_subtask", {"ticketId": TICKET, "subtaskId": "sub-003"})
    async with bench(tmp_path, database_url, script=script) as here:
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, secret, f"{here.at} link {TICKET}")
        await here.seen(secret, root, "Unlink")
        await here.slack.say(here.alice, secret, f"{here.at} mode ask for all", root)
        await here.seen(secret, root, "chose the mode *ask for all*")
        await here.slack.say(here.alice, secret, "tick it", root)
        await here.seen(secret, root, "question_approve")
        await at_rest(here)
        for user, sees in ((here.alice, True), (here.bob, False)):
            told = await told_by(here, user, here.general, f"/ticket {TICKET} done")
            assert ("• 1 session with a question that waits for an answer: <" in told) is sees
            assert (root.replace(".", "") in told) is sees
        shown = here.slack.ephemerals(here.alice)[-1]
        await here.slack.click(here.alice, here.general, shown["ts"], "done_anyway")
        await replaced(here, here.alice, shown)
        assert [line.partition(": s-")[0] for line in last(here)["details"]["review"]][-2:] == [
            "active session",
            "waiting session",
        ]
