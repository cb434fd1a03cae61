"""A transcript as a file: who gets it, where, in which form; and nothing twice."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered

TICKET = "T-042"


async def thread(here: Bench, user: str, channel: str, words: str = "The plan") -> str:
    root = await here.slack.say(user, channel, words)
    await here.slack.say(user, channel, f"{here.at} link {TICKET}", root)
    await here.seen(channel, root, "Unlink")
    await at_rest(here)
    return root


def files(here: Bench, channel: str, thread_ts: str | None = None) -> list[tuple[str, str]]:
    """The files that the bot has shared at a place: name and text."""
    found = []
    for message in here.slack.messages(channel, thread_ts):
        for file in message.get("files") or () if message.get("bot_id") == here.slack.bot_id else ():
            content: Any = here.slack._workspace.world.files[file["id"]]["content"]
            found.append((file["name"], base64.b64decode(content).decode()))
    return found


async def told_since(here: Bench, user: str, before: int) -> str:
    await here.slack.until(lambda s: len(s.ephemerals(user)) > before, timeout=10)
    return everything_in(here.slack.ephemerals(user)[before:])


async def test_export_in_a_thread_comes_to_the_asker_alone(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await thread(here, here.alice, here.general)
        direct = here.slack.open_dm(here.bob)
        await here.slack.say(here.bob, here.general, f"{here.at} export", root)
        await here.told(here.bob, "direct message")
        [(name, text)] = files(here, direct)
        assert name.startswith("session-s-") and name.endswith(".md")
        assert "The plan" in text and "Linked to T\\-042" in text
        assert files(here, here.general, root) == []


async def test_each_form_and_here(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await thread(here, here.alice, here.general)
        for words in ("export html here", "export here json", "!export markdown here"):
            await here.slack.say(here.alice, here.general, words if words[0] == "!" else f"{here.at} {words}", root)
            await at_rest(here)
        html, json_, md = files(here, here.general, root)
        assert html[0].endswith(".html") and html[1].startswith("<!doctype html>")
        assert json_[0].endswith(".json") and json.loads(json_[1])["messages"][0]["content"] == "The plan"
        assert md[0].endswith(".md") and md[1].startswith("# The plan")
        before = len(here.slack.ephemerals(here.alice))
        await here.slack.say(here.alice, here.general, "!export pdf", root)
        assert "md" in await told_since(here, here.alice, before)
        assert len(files(here, here.general, root)) == 3
        assert here.model is not None and here.model.requests == []


async def test_the_button_in_a_tickets_sessions_hands_over_what_was_archived(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await thread(here, here.alice, here.general)
        await here.slack.say(here.alice, here.general, "!archive API done", root)
        await here.seen(here.general, root, "archived this thread")
        await at_rest(here)
        await here.slack.command(here.carol, here.general, f"/ticket {TICKET} sessions")
        listed = await here.told(here.carol, "Export")
        await here.slack.click(here.carol, here.general, listed["ts"], "session_export")
        await here.told(here.carol, "direct message")
        [(_, text)] = files(here, here.slack.open_dm(here.carol))
        assert "API done" in text
        assert "Chain ends with" in text


async def test_who_may_not_see_a_session_gets_nothing_and_learns_nothing(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        secret = here.slack.add_channel("leads", private=True, members=(here.alice, here.bob, here.slack.bot_user_id))
        root = await thread(here, here.alice, secret, "Salaries")
        await here.slack.command(here.bob, here.general, f"/ticket {TICKET} sessions")
        listed = await here.told(here.bob, "Export")
        here.slack.remove(secret, here.bob)
        before = len(here.slack.ephemerals(here.bob))
        await here.slack.click(here.bob, here.general, listed["ts"], "session_export")
        assert "no such session" in await told_since(here, here.bob, before)
        assert files(here, here.slack.open_dm(here.bob)) == []
        await here.slack.say(here.alice, secret, "!export here", root)
        await at_rest(here)
        assert len(files(here, secret, root)) == 1


async def test_in_a_direct_message_the_file_stands_in_its_thread(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        direct = here.slack.open_dm(here.alice)
        root = await here.ask(here.alice, direct, "A private worry", "Answer 1.")
        await here.slack.say(here.alice, direct, "export html", root)
        await here.slack.until(lambda _: bool(files(here, direct, root)), timeout=10)
        await at_rest(here)
        [(_, text)] = files(here, direct, root)
        assert "A private worry" in text and "Answer 1." in text


async def test_a_thread_that_is_no_session_is_told_so(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "Just talk")
        await here.slack.say(here.alice, here.general, "!export", root)
        await here.told(here.alice, "no session yet")


async def test_a_missing_scope_is_told_with_what_to_do(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await thread(here, here.alice, here.general)
        here.slack.fail("files.getUploadURLExternal", "missing_scope")
        await here.slack.say(here.alice, here.general, "!export here", root)
        await here.told(here.alice, "files:write")


async def test_what_got_there_before_a_connection_broke_is_not_shared_again(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await thread(here, here.alice, here.general)
        here.slack.fail("files.completeUploadExternal", "", after=True)
        await here.slack.say(here.alice, here.general, "!export here", root)
        await here.slack.until(lambda _: bool(files(here, here.general, root)), timeout=10)
        await at_rest(here)
        assert len(files(here, here.general, root)) == 1


async def test_what_did_not_get_there_is_uploaded_again(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await thread(here, here.alice, here.general)
        here.slack.fail("files.completeUploadExternal", "internal_error")
        await here.slack.say(here.alice, here.general, "!export here", root)
        await here.slack.until(lambda _: bool(files(here, here.general, root)), timeout=10)
        await at_rest(here)
        assert len(files(here, here.general, root)) == 1
