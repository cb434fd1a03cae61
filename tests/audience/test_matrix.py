"""Who may see which session, on every surface: one table (`world.SEES`, `world.POSTED`), driven through Slack."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.slack import doors
from tests.audience.world import POSTED, SEES, TICKET, VIEWERS, WORDS, World, buttons, model, numbers
from tests.bench import bench, everything_in
from tests.slack.asked import at_rest, told

pytestmark = pytest.mark.asyncio(loop_scope="module")
GONE = "There is no such session that you could see"
PER_CONVERSATION = 4  # sessions: linked, archived, forked; and a planned one
WITH_DIRECT_MESSAGE = tuple(viewer for viewer in VIEWERS if viewer != "stranger")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("audience")
    async with bench(folder, f"sqlite:///{folder}/bot.db", script=model(), agent=False) as here:  # guests take part
        made = World(here)
        await made.build()
        yield made


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_the_list_of_sessions_has_what_the_viewer_may_see_and_no_gap(world: World, viewer: str) -> None:
    pages = await world.told(viewer, f"{TICKET} sessions")
    assert world.traces(pages) == SEES[viewer]
    count = PER_CONVERSATION * len(SEES[viewer])
    assert numbers(pages) == list(range(1, count + 1))
    totals = set(re.findall(r"\d+ to \d+ of (\d+)", everything_in([page["blocks"] for page in pages])))
    assert totals == ({str(count)} if count > 10 else set())


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_the_card_counts_what_the_viewer_may_see(world: World, viewer: str) -> None:
    [card] = await world.told(viewer, TICKET)
    assert f"Sessions ({PER_CONVERSATION * len(SEES[viewer])})" in everything_in(card)
    assert world.traces(card) == set()


async def view_of(world: World, viewer: str) -> dict[str, Any]:
    """The ticket's view, opened from its card."""
    slack, user, (channel, _) = world.here.slack, world.who[viewer], world.home_of(viewer)
    for view in slack.views(user):
        await slack.close(user, view["id"])
    [card] = await world.told(viewer, TICKET)
    await slack.click(user, channel, card["ts"], "ticket_view")
    await slack.until(lambda s: bool(s.views(user)), timeout=10)
    return slack.views(user)[-1]


async def pages_of(world: World, viewer: str, action: str, *ways: str) -> list[dict[str, Any]]:
    """The pages of a tab: pressed, then each next one."""
    slack, user = world.here.slack, world.who[viewer]
    view = await view_of(world, viewer)
    await slack.click_view(user, view["id"], action)
    found = [slack.views(user)[-1]]
    while way := next((b["action_id"] for b in buttons(found[-1]) if b["action_id"] in ways), None):
        await slack.click_view(user, view["id"], way)
        found.append(slack.views(user)[-1])
    return found


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_the_tab_of_sessions_likewise(world: World, viewer: str) -> None:
    pages = await pages_of(world, viewer, "view_sessions", "view_older")
    assert world.traces([page["blocks"] for page in pages]) == SEES[viewer]
    assert numbers(pages) == list(range(1, PER_CONVERSATION * len(SEES[viewer]) + 1))


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_the_history_names_sessions_and_deeds_that_the_viewer_may_see(world: World, viewer: str) -> None:
    pages = await pages_of(world, viewer, "view_activity", "view_next")
    assert world.traces([page["blocks"] for page in pages]) == SEES[viewer]
    text = everything_in([page["blocks"] for page in pages])
    assert text.count("linked the session") == 3 * len(SEES[viewer])
    assert text.count("archived the session") == len(SEES[viewer])
    assert len(re.findall(r"commented: seen to in <", text)) == len(SEES[viewer])
    assert text.count("commented: seen to") == len(WORDS)  # the comment itself is the ticket's


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_who_ticked_what_says_in_which_session_to_those_who_may_know(world: World, viewer: str) -> None:
    pages = await pages_of(world, viewer, "view_details", "view_next")
    assert world.traces([page["blocks"] for page in pages]) == SEES[viewer] & {"private"}
    assert "Add image processing" in everything_in(pages)


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_a_transcript_is_read_by_those_who_may_see_it_whatever_the_button_says(world: World, viewer: str) -> None:
    slack, user = world.here.slack, world.who[viewer]
    for name in WORDS:
        view = await view_of(world, viewer)
        await world.forge(viewer, "session_read", world.sessions[name][0], view)
        now = slack.views(user)[-1]
        assert world.traces(now) == SEES[viewer] & {name}
        if name not in SEES[viewer]:
            view = await view_of(world, viewer)
            await world.forge(viewer, "session_read", "s-nosuch", view)
            none = slack.views(user)[-1]
            assert GONE in everything_in(now)
            assert [block["text"] for block in now["blocks"]] == [block["text"] for block in none["blocks"]]


OF_SESSIONS = ("session_open", "session_resume", "session_fork", "session_export")
OF_PLANS = ("planned_start", "planned_cancel")
OF_QUESTIONS = ("question_approve", "question_remember", "question_deny", "question_write", "question_show")


@pytest.mark.parametrize("viewer", [viewer for viewer in VIEWERS if SEES[viewer] != set(WORDS)])
async def test_no_button_does_anything_to_a_hidden_session_or_tells_it_from_none(world: World, viewer: str) -> None:
    here, user = world.here, world.who[viewer]
    posts = {name: len(world.said_by_bot(name)) for name in WORDS}
    hidden = [name for name in WORDS if name not in SEES[viewer]]
    sessions = [*(world.sessions[name][0] for name in hidden), "s-nosuch"]
    plans = [*(f"p:{world.plans[name][0]}" for name in hidden), "p:987654"]
    turns = [*(world.turns[name] for name in hidden), "nosuch"]
    pressed = {
        **dict.fromkeys(OF_SESSIONS, sessions),
        **dict.fromkeys(OF_PLANS, plans),
        "session_rename": [*sessions, *plans],
        "receipt_open": turns,
    }
    if "private" in hidden:
        pressed |= {action: [world.question] for action in OF_QUESTIONS}
    for action, values in pressed.items():
        said = set()
        for value in values:
            before, views = len(here.slack.ephemerals(user)), len(here.slack.views(user))
            await world.forge(viewer, action, value)
            await here.slack.until(lambda s, n=before: len(s.ephemerals(user)) > n, timeout=10)  # type: ignore[misc]
            await at_rest(here)
            said.add(everything_in([m["text"] for m in here.slack.ephemerals(user)[before:]]))
            assert len(here.slack.views(user)) == views
        [words] = said  # the same for each, and for one that never was
        assert GONE in words or "Only members of the workspace" in words
    assert {name: len(world.said_by_bot(name)) for name in WORDS} == posts
    assert world.traces(world.files_of(viewer)) == set()


@pytest.mark.parametrize("viewer", WITH_DIRECT_MESSAGE)
async def test_a_transcript_is_handed_over_to_those_who_may_see_it(world: World, viewer: str) -> None:
    seen = sorted(SEES[viewer])
    for name in seen:
        await world.forge(viewer, "session_export", world.sessions[name][0])
        await at_rest(world.here)
    texts = [base64.b64decode(file["content"]).decode() for file in world.files_of(viewer)]  # type: ignore[index]
    assert world.traces(texts) == set(seen)
    assert len(texts) == len(seen)


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_search_finds_what_the_viewer_may_see(world: World, viewer: str) -> None:
    pages = await world.told(viewer, "search zebra")
    if viewer == "stranger":
        assert "Only members of the workspace" in everything_in(pages)
        assert world.traces(pages) == set()
        return
    assert world.traces(pages) == SEES[viewer]
    for name in sorted(set(WORDS) - SEES[viewer]):
        pages = await world.told(viewer, f"search {WORDS[name].upper()}")
        assert "Said in sessions" not in everything_in(pages)
        assert len(pages) == 1


async def home(world: World, viewer: str) -> dict[str, Any]:
    slack, user = world.here.slack, world.who[viewer]
    await slack.home_opened(user)
    await told(world.here)
    found = slack.home(user)
    assert found is not None
    return found


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_app_home_shows_and_finds_what_the_viewer_may_see(world: World, viewer: str) -> None:
    slack, user, shown = world.here.slack, world.who[viewer], await home(world, viewer)
    took_part = viewer in ("owner", "mate")
    assert world.traces(shown) <= (SEES[viewer] if took_part else set())
    if took_part:
        assert world.traces(shown)
    if viewer == "stranger":
        return
    await slack.click_view(user, shown["id"], "home_search", selected="zebra")
    view = slack.views(user)[-1]
    found = [view]
    while any(b["action_id"] == "found_next" for b in buttons(found[-1])):
        await slack.click_view(user, view["id"], "found_next")
        found.append(slack.views(user)[-1])
    assert world.traces([one["blocks"] for one in found]) == SEES[viewer]


async def test_who_leaves_a_conversation_sees_nothing_of_it_any_more(world: World) -> None:
    slack, mate, channel = world.here.slack, world.who["mate"], world.at["private"]
    assert "private" in world.traces(await world.told("mate", f"{TICKET} sessions"))
    slack.remove(channel, mate)
    await at_rest(world.here)
    try:
        assert "private" not in world.traces(await world.told("mate", f"{TICKET} sessions"))
        assert "private" not in world.traces(await home(world, "mate"))
        view = await view_of(world, "mate")
        await world.forge("mate", "session_read", world.sessions["private"][0], view)
        assert GONE in everything_in(slack.views(mate)[-1])
    finally:
        slack.invite(channel, mate)
        await at_rest(world.here)


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_the_summary_of_a_ticket_is_made_of_what_the_viewer_may_see(world: World, viewer: str) -> None:
    pages = await world.told(viewer, f"{TICKET} summary")
    assert world.traces(pages) == (set() if viewer == "stranger" else SEES[viewer])


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_the_review_before_closing_names_what_the_closer_may_see(world: World, viewer: str) -> None:
    [shown] = await world.told(viewer, f"{TICKET} done")
    if viewer == "stranger":
        assert "Only members of the workspace" in everything_in(shown)
        assert world.traces(shown) == set()
        return
    count = len(SEES[viewer])
    text = everything_in(shown["blocks"])
    assert (f"• {2 * count} active sessions: " in text) is bool(count)
    assert ("• 1 session with a question that waits for an answer: <" in text) is ("private" in SEES[viewer])
    assert world.traces(shown) <= SEES[viewer]
    assert bool(world.traces(shown)) is bool(count)


@pytest.mark.parametrize("name", WORDS)
async def test_what_is_posted_and_what_the_agent_knows_is_what_all_there_may_see(world: World, name: str) -> None:
    here, owner, channel = world.here, world.who["owner"], world.at[name]
    assert world.traces(await world.use(name, "list")) == POSTED[name]
    assert world.traces(await world.use(name, "read")) == set()
    asked = len(here.slack.ephemerals(owner))
    await here.slack.command(owner, channel, f"/ticket {TICKET} sessions")
    await here.slack.until(lambda s: len(s.ephemerals(owner)) > asked, timeout=10)
    await here.slack.click(owner, channel, here.slack.ephemerals(owner)[-1]["ts"], "sessions_post")
    await at_rest(here)
    [posted] = [m for m in world.said_by_bot(name) if "*Sessions of T-042*" in everything_in(m)]
    count = PER_CONVERSATION * len(POSTED[name])
    assert world.traces(posted["blocks"]) == POSTED[name]
    assert set(numbers([posted])) <= set(range(1, count + 1))
    assert len(numbers([posted])) == min(10, count)


@pytest.mark.parametrize("name", WORDS)
async def test_the_agent_is_refused_to_close_with_what_all_there_may_see(world: World, name: str) -> None:
    refusal = await world.use(name, "close")
    assert "was not moved to done" in refusal
    card = [m for m in world.said_by_bot(name) if "Move to done anyway" in everything_in(m)]
    assert world.traces(refusal) <= POSTED[name]
    assert world.traces(card) <= POSTED[name]
    assert name in world.traces(card)


@pytest.mark.parametrize("name", WORDS)
async def test_a_hand_over_brief_tells_what_all_there_may_see(world: World, name: str) -> None:
    here, channel = world.here, world.at[name]
    before = {m["ts"] for m in here.slack.messages(channel)}
    await world.forge("owner", "planned_start", f"p:{world.plans[name][0]}")
    await here.slack.until(lambda s: any(m["ts"] not in before for m in s.messages(channel)), timeout=10)
    [root] = [m["ts"] for m in here.slack.messages(channel) if m["ts"] not in before]
    brief = await here.seen(channel, root, "Hand-over for T-042")
    assert world.traces(brief["blocks"]) <= POSTED[name]
    assert name in world.traces(brief["blocks"])
    await at_rest(here)


async def test_who_links_a_thread_is_told_of_active_ones_they_may_see(world: World) -> None:
    here = world.here
    for viewer in ("colleague", "guest elsewhere", "owner"):
        user, before = world.who[viewer], len(here.slack.ephemerals(world.who[viewer]))
        root = await here.slack.say(user, world.at["lobby"], f"{here.at} link {TICKET}")
        await here.seen(world.at["lobby"], root, "Unlink")
        await at_rest(here)
        offered = here.slack.ephemerals(user)[before:]
        assert world.traces(offered) <= SEES[viewer]
        # The lobby's own earlier threads are told of too, and have no trace of another conversation.
        await here.slack.say(user, world.at["lobby"], f"{here.at} unlink", root)
        await at_rest(here)
        assert bool(world.traces(offered)) is bool(SEES[viewer])


async def test_after_all_of_it_nobody_was_shown_anything_else(world: World) -> None:
    """Everything that each viewer was shown, and everything posted in each conversation: headers, notices, lists."""
    for viewer in VIEWERS:
        assert world.traces(*world.shown_to(viewer)) <= SEES[viewer], viewer
    for name in WORDS:
        # Transcripts as files are the owner's own, in their direct message.
        posted = [m for m in world.said_by_bot(name) if not (name == "direct" and m.get("files"))]
        assert world.traces(posted) <= POSTED[name], name
    assert world.traces(world.said_by_bot("lobby")) == set()


async def test_no_request_to_the_model_knew_more_than_its_thread(world: World) -> None:
    checked = set()
    for request in world.here.model.requests:
        text = everything_in(request["messages"])
        if "<to_sum_up>" in text:
            continue
        first = next((word for word in re.findall(r"zebra (\w+)", text) if word in WORDS.values()), None)
        place = next((name for name, word in WORDS.items() if word == first), None)
        if place is not None:
            checked.add(place)
            assert world.traces(request["messages"]) <= POSTED[place]
    assert checked == set(WORDS)


# Doors that show a session or lead to what does, with the test above that drives them; and those that show none but
# the one in whose thread, or on whose card, they were pressed.
DRIVEN = {
    *("ticket_view", "view_details", "view_sessions", "view_activity", "view_older", "view_newer", "view_next"),
    *("view_previous", "view_first", "view_last", "view_back", "session_read", "session_open", "session_resume"),
    *("session_fork", "session_rename", "session_export", "planned_start", "planned_cancel", "sessions_show"),
    *("sessions_post", "sessions_newer", "sessions_older", "page_next", "page_previous", "found_next"),
    *("found_previous", "home_search", "home_workspace"),
}
OF_ONE_THREAD = {
    *("link_open", "archive_open", "unlink", "unlink_anyway", "link_this", "link_near_0", "link_near_1"),
    *("link_near_2", "link_replace", "session_menu", "done_anyway", "done_note", "chat_start", "link_modal"),
    *("turn_stop", "turn_retry", "agent_choose"),
    *("link_confirm", "unlink_modal", "archive_modal", "archive_confirm", "rename_modal", "fork_modal", "done_modal"),
}
SHOW_NONE = {
    *("view_criteria", "view_subtasks", "plan_open", "plan_modal", "ticket_status", "ticket_new", "workspace"),
    *("epic_tickets", "new_ticket_modal", "ticket", "epic", "blockers"),
}
# Of a turn or a question by its id: theirs to see who may see its session.
BY_ID = {
    *("receipt_open", "turn_undo", "question_approve", "question_remember", "question_deny", "question_choice"),
    *("question_send", "question_skip", "question_write", "question_show", "question_modal", "mode_modal"),
}


def test_every_door_has_its_place_in_the_matrix() -> None:
    every = {*doors.ACTIONS, *doors.VIEWS, *doors.OPTIONS}
    placed = DRIVEN | OF_ONE_THREAD | SHOW_NONE | BY_ID
    assert every - placed == set(), "say in tests/audience/test_matrix.py which sessions this door shows, and to whom"
    assert placed - every == set()
