"""Planned sessions: made one by one or as a plan, started with a click, cancelled, renamed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.local_slack.blocks_check import block_problems
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import asked, at_rest, numbered, told_by
from tests.slack.test_agent_and_tickets import calling, results

TICKET = "T-042"
THREE = "Plan T-042\nImplement backend\nTest"


async def planned(
    here: Bench, titles: str = THREE, channel: str | None = None, user: str | None = None
) -> dict[str, Any]:
    """Plans sessions with the form, and gives the list that the person is shown."""
    who, where = user or here.alice, channel or here.general
    before = len(here.slack.ephemerals(who))
    await here.slack.command(who, where, f"/ticket {TICKET} plan")
    view = here.slack.views(who)[-1]
    assert await here.slack.submit(who, view["id"], {"titles": {"titles": titles}}) == {}
    await here.slack.until(lambda s: len(s.ephemerals(who)) > before, timeout=10)
    return here.slack.ephemerals(who)[-1]


async def listed(here: Bench, user: str, channel: str | None = None) -> dict[str, Any]:
    """The ticket's sessions as this person sees them."""
    before = len(here.slack.ephemerals(user))
    await here.slack.command(user, channel or here.general, f"/ticket {TICKET} sessions")
    await here.slack.until(lambda s: len(s.ephemerals(user)) > before, timeout=10)
    found = here.slack.ephemerals(user)[-1]
    assert list(block_problems(found["blocks"], "message")) == []
    return found


def values(shown: dict[str, Any], action_id: str) -> list[str]:
    """What the buttons of this action keep, in order."""
    rows = [element for block in shown["blocks"] for element in block.get("elements", [])]
    return [row["value"] for row in rows if row.get("action_id") == action_id]


async def start(here: Bench, shown: dict[str, Any], n: int = 0, user: str | None = None) -> None:
    value = values(shown, "planned_start")[n]
    await here.slack.click(user or here.alice, here.general, shown["ts"], "planned_start", value=value)


async def test_the_form_begins_with_a_plan_made_of_the_ticket(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await here.slack.command(here.alice, here.general, f"/ticket {TICKET} plan")
        text = everything_in(here.slack.views(here.alice)[-1])
        for title in ("Plan T-042 implementation", "Implement T-042: Add image processing", "Test T-042"):
            assert title in text


async def test_a_plan_of_three_is_upcoming_and_each_starts_with_a_click(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        shown = await planned(here)
        text = everything_in(shown)
        for words in ("Session 1: *Plan T-042*", "Session 2: *Implement backend*", "Session 3: *Test*", "upcoming"):
            assert words in text
        await start(here, shown)
        await here.slack.until(lambda s: bool(s.messages(here.general)), timeout=10)
        root = here.slack.messages(here.general)[-1]
        assert "started *Plan T-042* on *T-042*" in root["text"]
        header = everything_in(await here.seen(here.general, root["ts"], "Unlink"))
        assert "Plan T-042" in header
        brief = everything_in(await here.seen(here.general, root["ts"], "Hand-over for T-042"))
        assert "No earlier session" in brief
        assert "Add image processing (pending)" in brief
        assert here.ticket(TICKET).count("action: session_linked") == 1
        await here.told(here.alice, "Started")
        text = everything_in(await listed(here, here.bob))
        assert "Session 1: <" in text
        assert "Session 2: *Implement backend*" in text
        assert "active (idle)" in text


async def test_the_next_session_begins_with_what_the_earlier_ones_decided(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered(" Sizes are 64 and 128.")) as here:
        first = await here.ask(here.alice, here.general, f"{here.at} which sizes?", "Answer 1.")
        await here.slack.say(here.alice, here.general, f"!link {TICKET}", first)
        await here.slack.say(here.alice, here.general, "!archive Sizes are settled", first)
        await here.seen(here.general, first, "Archived")
        await at_rest(here)
        await start(here, await planned(here, "Implement backend"))
        await here.told(here.alice, "Started")
        root = here.slack.messages(here.general)[-1]["ts"]
        brief = everything_in(await here.seen(here.general, root, "Hand-over"))
        for words in ("Session 1: which sizes? (archived)", "note: Sizes are settled", "Sizes are 64 and 128."):
            assert words in brief
        await here.ask(here.bob, here.general, f"{here.at} go on", "Answer 2.", root)
        await here.ask(here.bob, here.general, "and on", "Answer 3.", root)
        assert asked(here).count("Sizes are settled") == 1
        assert asked(here).count("<hand_over>") == 1
        assert "go on" in asked(here)


async def test_a_brief_says_nothing_of_sessions_that_not_everybody_in_the_channel_may_see(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered(" Hush.")) as here:
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        hidden = await here.ask(here.alice, secret, f"{here.at} a secret matter", "Answer 1.")
        await here.slack.say(here.alice, secret, f"!link {TICKET}", hidden)
        await here.seen(secret, hidden, "Unlink")
        await planned(here, "A secret plan", secret)
        shown = await planned(here, "Implement backend")
        assert "a secret matter" in everything_in(shown)
        assert "A secret plan" in everything_in(shown)
        others = everything_in(await listed(here, here.bob))
        assert "ecret" not in others
        assert "Session 1: *Implement backend*" in others
        value = values(await listed(here, here.bob), "planned_start")
        assert len(value) == 1
        await start(here, here.slack.ephemerals(here.bob)[-1], user=here.bob)
        await here.told(here.bob, "Started")
        root = here.slack.messages(here.general)[-1]["ts"]
        brief = everything_in(await here.seen(here.general, root, "Hand-over"))
        assert "No earlier session" in brief
        assert "ecret" not in brief


async def start_chat(here: Bench, user: str, channel: str) -> str:
    """**Start chat** on the ticket's card; gives the new thread."""
    await told_by(here, user, channel, f"/ticket {TICKET}")
    before = len(here.slack.messages(channel))
    await here.slack.click(user, channel, here.slack.ephemerals(user)[-1]["ts"], "chat_start")
    await here.slack.until(lambda s: len(s.messages(channel)) > before, timeout=10)
    return str(here.slack.messages(channel)[-1]["ts"])


async def test_a_chat_started_on_a_ticket_opens_with_what_earlier_sessions_decided(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered(" Sizes are 64 and 128.")) as here:
        first = await start_chat(here, here.alice, here.general)
        await here.seen(here.general, first, "linked this thread")
        assert "Hand-over" not in everything_in(here.own(here.general, first))
        await here.ask(here.alice, here.general, f"{here.at} which sizes?", "Answer 1.", first)
        second = await start_chat(here, here.bob, here.general)
        brief = everything_in(await here.seen(here.general, second, "Hand-over"))
        assert "Session 1" in brief
        assert "Sizes are 64 and 128." in brief
        await here.ask(here.bob, here.general, f"{here.at} go on", "Answer 2.", second)
        assert asked(here).count("<hand_over>") == 1


async def test_the_brief_of_a_started_chat_leaves_out_what_its_channel_may_not_see(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered(" Hush.")) as here:
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        hidden = await start_chat(here, here.alice, secret)
        await here.ask(here.alice, secret, f"{here.at} a secret matter", "Answer 1.", hidden)
        root = await start_chat(here, here.alice, here.general)
        await here.seen(here.general, root, "linked this thread")
        await at_rest(here)
        shown = everything_in(here.own(here.general, root))
        assert "Hand-over" not in shown
        assert "ecret" not in shown


async def test_a_session_clicked_twice_gets_one_thread(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        shown = await planned(here, "Implement backend")
        other = await listed(here, here.bob)
        await start(here, shown)
        await start(here, shown)
        await start(here, other, user=here.bob)
        await here.told(here.bob, "started")
        await at_rest(here)
        assert len([m for m in here.slack.messages(here.general) if "Implement backend" in m["text"]]) == 1
        assert here.ticket(TICKET).count("action: session_linked") == 1
        await start(here, other, user=here.bob)
        assert "It was started already" in everything_in(await here.told(here.bob, "It was started already"))


async def test_a_form_sent_twice_plans_once(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await planned(here)
        await at_rest(here)
        assert here.bot is not None
        arrivals = [call for call in here.slack.calls if call.method == "views.open"]
        assert len(arrivals) == 1
        assert len(values(await listed(here, here.alice), "planned_start")) == 3


@pytest.mark.parametrize(
    ("titles", "sentence"),
    [("  \n - ", "Type a title"), ("a line\n" * 1 + "\n".join("abcdefghijklmnopqrstu"), "at most 20")],
)
async def test_a_form_that_says_nothing_or_too_much_is_refused_in_its_field(
    tmp_path: Path, sqlite_url: str, titles: str, sentence: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await here.slack.command(here.alice, here.general, f"/ticket {TICKET} plan")
        view = here.slack.views(here.alice)[-1]
        answer = await here.slack.submit(here.alice, view["id"], {"titles": {"titles": titles}})
        assert sentence in everything_in(answer)


async def test_one_session_is_planned_in_words(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        await here.slack.command(here.alice, here.general, f"/ticket {TICKET} plan Code review")
        await here.told(here.alice, "Session 1: *Code review*")
        root = await here.slack.say(here.alice, here.general, "a thread")
        await here.slack.say(here.alice, here.general, f"!link {TICKET}", root)
        await here.seen(here.general, root, "Unlink")
        await here.slack.say(here.alice, here.general, f"{here.at} plan: Release notes", root)
        await here.told(here.alice, "*Release notes*")
        await here.slack.say(here.alice, here.general, "!plan", root)
        offered = await here.told(here.alice, "Which sessions shall")
        await here.slack.click(here.alice, here.general, offered["ts"], "plan_open")
        assert "Plan T-042 implementation" in everything_in(here.slack.views(here.alice)[-1])


async def test_an_upcoming_session_is_cancelled_or_renamed(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        shown = await planned(here)
        second, third = values(shown, "planned_start")[1:]
        await here.slack.click(here.alice, here.general, shown["ts"], "planned_cancel", value=third)
        await here.told(here.alice, "“Test” is cancelled")
        await here.slack.click(here.alice, here.general, shown["ts"], "session_rename", value=second)
        view = here.slack.views(here.alice)[-1]
        await here.slack.submit(here.alice, view["id"], {"title": {"title": "Implement frontend"}})
        await here.told(here.alice, "It is called “Implement frontend”")
        text = everything_in(await listed(here, here.bob))
        assert "Session 2: *Implement frontend*" in text
        assert "*Test*" not in text
        await here.slack.click(here.alice, here.general, shown["ts"], "planned_start", value=third)
        await here.told(here.alice, "was cancelled")


async def test_a_ticket_that_is_gone_cannot_be_worked_on(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        shown = await planned(here, "Implement backend")
        (here.folder / ".sciorex" / "tickets" / f"{TICKET}.yaml").unlink()
        await start(here, shown)
        await here.told(here.alice, "There is no ticket T-042 any more")
        await here.slack.command(here.alice, here.general, f"/ticket {TICKET} plan")
        await here.told(here.alice, "There is no ticket T-042")
        assert here.slack.messages(here.general) == []


async def test_where_the_bot_was_removed_a_session_cannot_start_and_waits(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        other = here.slack.add_channel("other", members=(here.alice, here.slack.bot_user_id))
        await planned(here, "Implement backend", other)
        shown = await listed(here, here.alice)
        here.slack.remove(other, here.slack.bot_user_id)
        await at_rest(here)
        await start(here, shown)
        await here.told(here.alice, "/invite")
        here.slack.invite(other, here.slack.bot_user_id)
        await here.slack.until(lambda s: bool(s.messages(other)), timeout=10)
        await start(here, await listed(here, here.alice))
        await here.told(here.alice, "Started")
        assert "Implement backend" in here.slack.messages(other)[-1]["text"]


async def test_the_agent_knows_what_is_planned(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=calling("list_sessions", {"ticketId": TICKET})) as here:
        await planned(here, "Code review")
        await here.ask(here.alice, here.general, f"{here.at} what is planned?", "I was told")
        found = json.loads(results(here.model.requests[-1])[-1])["sessions"]
        assert [(one["title"], one["state"], one["note"]) for one in found] == [("Code review", "upcoming", None)]
