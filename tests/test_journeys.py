"""Whole stories: the user's document, played by people in a Slack, through real HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import difflib
import json
from pathlib import Path

import pytest

from tests.bench import Bench, bench, everything_in

TICKET = "T-042"


@pytest.fixture(params=["socket mode", "http"])
def http(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "http")


def changed_lines(before: str, after: str) -> list[str]:
    """The lines that are gone (-) and new (+)."""
    return [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if line[0] in "+-" and not line.startswith(("+++", "---"))
    ]


async def sessions_told(here: Bench, user: str, ticket: str = TICKET) -> str:
    """What `/ticket T-042 sessions` tells a person."""
    before = len(here.slack.ephemerals(user))
    await here.slack.command(user, here.general, f"/ticket {ticket} sessions")
    await here.slack.until(lambda s: len(s.ephemerals(user)) > before, timeout=10)
    return everything_in(here.slack.ephemerals(user)[-1])


async def test_method_1_context_is_set_before_chatting(tmp_path: Path, database_url: str, http: bool) -> None:
    async with bench(tmp_path, database_url, http=http) as here:
        await here.slack.command(here.alice, here.general, f"/ticket {TICKET}")
        card = await here.told(here.alice, "Add user profile avatar upload")
        await here.slack.click(here.alice, here.general, card["ts"], "chat_start")
        await here.slack.until(lambda s: any("T-042" in everything_in(m) for m in s.messages(here.general)))
        root = here.slack.messages(here.general)[-1]["ts"]
        header = await here.seen(here.general, root, "Unlink")
        assert "Add user profile avatar upload" in everything_in(header)

        await here.ask(
            here.alice, here.general, f"{here.at} Help me implement this feature", "JPEG, PNG, GIF", thread_ts=root
        )
        answer = everything_in(await here.seen(here.general, root, "JPEG, PNG, GIF"))
        assert "T-042" in answer
        await here.slack.click(here.alice, here.general, header["ts"], "ticket_view")
        await here.slack.until(lambda s: bool(s.views(here.alice)))
        assert "Acceptance Criteria" in everything_in(here.slack.views(here.alice)[-1])
        assert "scripted" in answer
        assert "session_linked" in here.ticket(TICKET)


async def test_the_example_conversation_marks_the_subtask_in_the_file(
    tmp_path: Path, database_url: str, http: bool
) -> None:
    async with bench(tmp_path, database_url, http=http) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}")
        await here.seen(here.general, root, "Unlink")
        await here.ask(here.alice, here.general, "What's left to do on this ticket?", "Write tests", thread_ts=root)
        before = here.ticket(TICKET)
        await here.ask(here.alice, here.general, "Yes, and mark it in progress", "256px", thread_ts=root)

        after = here.ticket(TICKET)
        lines = changed_lines(before, after)
        gone = [line for line in lines if line.startswith("-")]
        new = [line for line in lines if line.startswith("+")]
        assert any("in_progress" in line for line in new)
        assert all("updatedAt" in line or "status" in line or "completed" in line for line in gone)
        assert f"onBehalfOf: {here.alice}" in after
        assert "subtask_updated" in after
        answer = everything_in(await here.seen(here.general, root, "256px"))
        assert "Add image processing" in answer  # the tool call shows where it happened


async def test_method_2_a_conversation_is_archived_after_the_fact(
    tmp_path: Path, database_url: str, http: bool
) -> None:
    async with bench(tmp_path, database_url, http=http) as here:
        root = await here.slack.say(here.bob, here.general, "How should we crop avatars?")
        await here.slack.say(here.carol, here.general, "Square, I would say", root)
        await here.slack.message_shortcut(here.bob, "archive_to_ticket", here.general, root)
        await here.slack.until(lambda s: bool(s.views(here.bob)))
        view = here.slack.views(here.bob)[-1]
        picked = await here.slack.options(here.bob, "ticket", "avatar", view_id=view["id"], block_id="ticket")
        chosen = next(option for option in picked if option["value"] == TICKET)
        note = "Completed backend API, ready for frontend"
        answer = await here.slack.submit(
            here.bob,
            view["id"],
            {"ticket": {"ticket": chosen}, "note": {"note": note}},
        )
        assert answer == {}
        await here.seen(here.general, root, note)

        told = await sessions_told(here, here.alice)
        assert note in told
        assert "How should we crop avatars?" in told
        files = list((here.folder / ".sciorex" / "sessions").glob("session-*.json"))
        transcript = json.loads(files[0].read_text(encoding="utf-8"))
        said = [m["content"] for m in transcript["messages"] if m["role"] == "user"]
        assert said == ["How should we crop avatars?", "Square, I would say"]
        assert transcript["note"] == note
        assert transcript["linkedTicketId"] == TICKET
        assert "session_archived" in here.ticket(TICKET)
        assert note not in here.ticket(TICKET)  # nothing of what was said stands in the ticket's history


async def test_a_ticket_has_several_sessions_most_recent_first(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url) as here:
        for words in ("Initial planning", "Backend implementation", "Frontend work"):
            root = await here.slack.say(here.alice, here.general, words)
            await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}", root)
            await here.seen(here.general, root, "Unlink")
        told = await sessions_told(here, here.bob)
        places = [told.index(words) for words in ("Frontend work", "Backend implementation", "Initial planning")]
        assert places == sorted(places)


async def test_naming_a_ticket_makes_a_reference_and_offers_the_writer_to_link(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url) as here:
        root = await here.slack.say(
            here.alice, here.general, f"{here.at} This relates to {TICKET} but is a separate concern"
        )
        await here.seen(here.general, root, "note the relationship")
        offer = await here.told(here.alice, f"Link this thread to {TICKET}")
        assert here.slack.ephemerals(here.bob) == []
        assert "session_referenced" in here.ticket(TICKET)
        assert "session_linked" not in here.ticket(TICKET)
        told = await sessions_told(here, here.bob)
        assert "separate concern" not in told  # a reference is not a link

        await here.slack.click(here.alice, here.general, offer["ts"], "link_this")
        await here.seen(here.general, root, "Unlink")
        assert "session_linked" in here.ticket(TICKET)


async def test_a_private_thread_leaves_no_trace_for_others(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url) as here:
        secret = here.slack.add_channel("leads", private=True, members=(here.alice, here.bob, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, secret, "Salaries for the avatar team")
        await here.slack.say(here.alice, secret, f"{here.at} link {TICKET}", root)
        await here.seen(secret, root, "Unlink")
        await here.slack.say(here.alice, secret, "!archive decided behind closed doors", root)
        await here.seen(secret, root, "decided behind closed doors")

        assert "Salaries" in await sessions_told(here, here.bob)
        assert "Salaries" not in await sessions_told(here, here.carol)
        stub = next((here.folder / ".sciorex" / "sessions").glob("session-*.json")).read_text(encoding="utf-8")
        assert "Salaries" not in stub
        assert "closed doors" not in stub + here.ticket(TICKET)
        kept = next((here.folder / ".sciorex-slack" / "sessions").glob("session-*.json"))
        assert "Salaries" in kept.read_text(encoding="utf-8")
        assert kept.stat().st_mode & 0o077 == 0


async def test_what_is_deleted_in_slack_goes_from_the_archived_transcript_too(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url) as here:
        root = await here.slack.say(here.alice, here.general, "The plan")
        slip = await here.slack.say(here.alice, here.general, "My password is hunter2", root)
        await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}", root)
        await here.seen(here.general, root, "Unlink")
        await here.slack.say(here.alice, here.general, "!archive", root)
        await here.seen(here.general, root, "archived this thread")
        file = next((here.folder / ".sciorex" / "sessions").glob("session-*.json"))
        assert "hunter2" in file.read_text(encoding="utf-8")

        await here.slack.delete(here.alice, here.general, slip)
        async with asyncio.timeout(10):
            while "hunter2" in file.read_text(encoding="utf-8"):
                await asyncio.sleep(0.02)
        assert "The plan" in file.read_text(encoding="utf-8")
