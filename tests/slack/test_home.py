"""App Home: each person's own sessions and tickets, what waits for them, search, and the workspace they work in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo import SAMPLE
from bot.local_slack.view_check import view_problems
from bot.slack.views.home_blocks import HomeSession, found_view, home_view
from bot.slack.views.markdown import Shown
from bot.tickets.summary import TicketSummary
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, told, told_by

TICKET = "T-042"
WORDS = st.text(max_size=300)
SESSIONS = st.lists(
    st.builds(
        HomeSession,
        session_id=st.just("s-1"),
        title=WORDS,
        ticket_id=st.none() | WORDS,
        last_ms=st.just(1_790_000_000_000),
        address=st.none() | st.just("https://x.slack.com/archives/C1/p1"),
    ),
    max_size=15,
)


@settings(deadline=None)
@given(st.lists(WORDS.filter(bool), max_size=120, unique=True), SESSIONS, SESSIONS, st.lists(WORDS, max_size=15))
def test_a_home_fits(names: list[str], waiting: Any, active: Any, titles: list[str]) -> None:
    tickets = [TicketSummary(id="T-042", title=title) for title in titles]
    names = [name[:60] for name in names]
    view = home_view(
        {"channel": "D1"},
        workspaces=list(dict.fromkeys(names)),
        chosen=names[0] if names else "default",
        waiting=waiting,
        active=active,
        tickets=tickets,
    )
    assert list(view_problems(view, "home")) == []


def test_what_was_found_turns_its_pages_in_the_modal() -> None:
    buttons = [{"type": "button", "action_id": "page_next", "text": {"type": "plain_text", "text": "Next"}}]
    view = found_view({}, Shown("x", [{"type": "actions", "elements": buttons}]))
    assert view["blocks"][0]["elements"][0]["action_id"] == "found_next"


async def home_of(here: Bench, user: str, text: str = "") -> dict[str, Any]:
    """The person's home, opened just now."""
    await here.slack.home_opened(user)
    await told(here)
    await here.slack.until(lambda s: s.home(user) is not None and text in everything_in(s.home(user)), timeout=10)
    found = here.slack.home(user)
    assert found is not None
    return found


async def test_everybody_sees_their_own_sessions_and_tickets(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered(" Shall I go on?")) as here:
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        root = await here.ask(here.alice, secret, f"{here.at} Hidden plan", "Shall I go on?")
        await here.slack.say(here.alice, secret, f"!link {TICKET}", root)
        await here.seen(secret, root, "Unlink")
        mine = await here.ask(here.bob, here.general, f"{here.at} Fix the login", "Shall I go on?")
        await at_rest(here)
        alice = everything_in(await home_of(here, here.alice))
        waiting, active = alice.split("*My active sessions*")
        assert "Hidden plan" in waiting
        assert "🎫 T-042" in waiting
        assert "Add user profile avatar upload" in active.split("*My recent tickets*")[1]
        bob = everything_in(await home_of(here, here.bob))
        assert "Hidden" not in bob
        assert "Fix the login" in bob.split("*My active sessions*")[0]
        assert f"/archives/{here.general}/p{mine.replace('.', '')}" in bob
        carol = everything_in(await home_of(here, here.carol))
        assert "No session waits for your answer." in carol
        assert "login" not in carol
        # Who answers is no longer waited for.
        await here.ask(here.bob, here.general, "yes", "Answer 3.", mine)
        here.slack.remove(secret, here.alice)
        await at_rest(here)
        assert "Hidden" not in everything_in(await home_of(here, here.alice))


async def test_a_ticket_opens_from_home_and_its_boxes_work(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} Start", "Answer 1.")
        await here.slack.say(here.alice, here.general, f"!link {TICKET}", root)
        await here.seen(here.general, root, "Unlink")
        await at_rest(here)
        home = await home_of(here, here.alice, TICKET)
        await here.slack.click_view(here.alice, home["id"], "ticket_view", value=TICKET)
        (view,) = here.slack.views(here.alice)
        block = next(b for b in view["blocks"] if str(b["block_id"]).startswith("subtasks 0"))
        chosen = [one["value"] for one in block["elements"][0]["options"]]
        await here.slack.click_view(
            here.alice, view["id"], "view_subtasks", block_id=block["block_id"], selected=chosen
        )
        await here.slack.until(lambda s: "5/5" in everything_in(s.views(here.alice)), timeout=10)
        assert all(step["completed"] for step in yaml.safe_load(here.ticket(TICKET))["subtasks"])
        await here.slack.close(here.alice, view["id"])
        await here.slack.click_view(here.alice, home["id"], "ticket_new")
        assert here.slack.views(here.alice)[0]["callback_id"] == "new_ticket_modal"


async def test_the_search_box_opens_what_it_finds(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        home = await home_of(here, here.alice)
        await here.slack.click_view(here.alice, home["id"], "home_search", selected="avatar upload")
        (view,) = here.slack.views(here.alice)
        assert "*T-042* Add user profile avatar upload" in everything_in(view)
        await here.slack.click_view(here.alice, view["id"], "ticket_view", value=TICKET)
        assert here.slack.views(here.alice)[-1]["callback_id"] == "ticket_modal"


async def test_a_stranger_has_an_empty_home(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        sam = here.slack.add_user("Sam", team_id="T0OTHER")
        home = await home_of(here, sam)
        assert [block["type"] for block in home["blocks"]] == ["section"]


async def test_the_workspace_is_chosen_on_the_home(tmp_path: Path, sqlite_url: str) -> None:
    def two(here: Bench) -> dict[str, str]:
        shutil.copytree(SAMPLE, tmp_path / "app")
        config = tmp_path / "config.yaml"
        config.write_text(
            f"workspaces:\n  web:\n    folder: {here.folder}\n    default: true\n  app:\n    folder: {tmp_path}/app\n"
        )
        return {"SCIOREX_CONFIG": str(config)}

    async with bench(tmp_path, sqlite_url, script=numbered(), more=two) as here:
        home = await home_of(here, here.alice)
        await here.slack.click_view(here.alice, home["id"], "home_workspace", selected="app")
        fresh = here.slack.home(here.alice)
        assert fresh is not None
        menu = next(e for b in fresh["blocks"] for e in b.get("elements", ()) if e["type"] == "static_select")
        assert menu["initial_option"]["value"] == "app"
        assert '"workspace": "app"' in fresh["private_metadata"]


async def test_a_title_stands_everywhere_as_it_was_typed(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.ask(here.alice, here.general, f"{here.at} is a < b & c > d?", "Answer 1.")
        await here.slack.say(here.alice, here.general, f"!link {TICKET}", root)
        await here.seen(here.general, root, "linked this thread")
        home = everything_in(await home_of(here, here.alice, "is a "))
        listed = await told_by(here, here.alice, here.general, f"/ticket {TICKET} sessions")
        header = everything_in(here.own(here.general, root)[0])
        # Escaped once where marks are read, and not at all where none are.
        for shown in (home, listed, header):
            assert "is a &lt; b &amp; c &gt; d?" in shown or "is a < b & c > d?" in shown
            assert "&amp;lt;" not in shown
