"""Archives through Slack: archived again, edited, deleted, erased since; late messages; and what verify says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.archives import erase, export, verify
from bot.sessions.models import archive_entry
from bot.tickets.files import TEMPORARY
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, texts

TICKET = "T-042"


async def archived(here: Bench, root: str, note: str = "", user: str | None = None) -> None:
    before = len(here.own(here.general, root))
    await here.slack.say(user or here.alice, here.general, f"!archive {note}", root)
    await here.slack.until(lambda _: len(here.own(here.general, root)) > before, timeout=10)
    await at_rest(here)


async def a_thread(here: Bench) -> str:
    """A linked thread with a question and its answer."""
    root = await here.slack.say(here.alice, here.general, "The plan")
    await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}", root)
    await here.seen(here.general, root, "Unlink")
    await here.ask(here.alice, here.general, f"{here.at} go on", "Answer 1.", root)
    await at_rest(here)
    return root


def file_of(here: Bench) -> Path:
    [path] = (here.folder / ".sciorex" / "sessions").glob("session-*.json")
    return path


def content(here: Bench) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file_of(here).read_text("utf-8"))
    return found


def said(here: Bench) -> list[str]:
    return [one["content"] for one in content(here)["messages"] if one["role"] in ("user", "assistant")]


async def verified(here: Bench, session: str | None = None) -> tuple[int, list[str]]:
    lines: list[str] = []
    code = await verify(here.settings, session, lines.append)
    return code, lines


async def test_archived_and_archived_again(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        await archived(here, root, "first half")
        before = content(here)
        assert said(here) == ["The plan", f"{here.at} go on", "Answer 1."]
        assert before["note"] == "first half"
        await here.ask(here.bob, here.general, f"{here.at} and the tests?", "Answer 2.", root)
        await at_rest(here)
        assert content(here) == before  # what is new waits for the next archiving
        await archived(here, root, "all of it", here.bob)
        after = content(here)
        count = len(before["messages"])
        assert after["messages"][:count] == before["messages"]
        assert after["chain"]["entries"][:count] == before["chain"]["entries"]
        assert said(here)[3:] == [f"{here.at} and the tests?", "Answer 2."]
        notes = [(one["by"], one["note"]) for one in after["messages"] if one["id"].startswith("a-")]
        assert notes == [(here.alice, "first half"), (here.bob, "all of it")]
        ticket = here.ticket(TICKET)
        assert before["chain"]["head"] in ticket and after["chain"]["head"] in ticket
        assert "all of it" not in ticket
        code, [line, end] = await verified(here)
        assert (code, end) == (0, "1 as archived.")
        assert f"{len(after['messages'])} entries; as the history of {TICKET} and the database know" in line


async def test_what_is_edited_and_deleted_since_verifies(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        slip = await here.slack.say(here.carol, here.general, "My password is hunter2", root)
        await at_rest(here)
        await archived(here, root)
        await here.slack.edit(here.alice, here.general, root, "The better plan")
        await here.slack.delete(here.carol, here.general, slip)
        await at_rest(here)
        whole = file_of(here).read_text("utf-8")
        assert "hunter2" not in whole and "The plan" not in whole
        assert said(here) == ["The better plan", f"{here.at} go on", "Answer 1.", ""]
        assert content(here)["title"] == "The better plan"
        code, [line, _] = await verified(here)
        assert code == 0
        assert "(1 deleted)" in line


async def test_a_message_whose_event_comes_late_is_not_dropped(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        deliveries: Any = here.slack._workspace.deliveries
        send = deliveries.event
        held: list[dict[str, Any]] = []
        deliveries.event = held.append
        await here.slack.say(here.bob, here.general, "One thing more, said before", root)
        deliveries.event = send
        await archived(here, root)
        assert "One thing more, said before" not in said(here)
        for payload in held:
            send(payload)
        await at_rest(here)
        assert said(here)[-1] == "One thing more, said before"
        here.slack.redeliver(lambda d: d.event.get("text") == "One thing more, said before")
        await at_rest(here)
        assert said(here).count("One thing more, said before") == 1
        assert (await verified(here))[0] == 0


async def test_a_deletion_that_comes_before_its_message_holds(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        deliveries: Any = here.slack._workspace.deliveries
        send = deliveries.event
        held: list[dict[str, Any]] = []
        deliveries.event = held.append
        slip = await here.slack.say(here.bob, here.general, "hunter2", root)
        plan = await here.slack.say(here.carol, here.general, "round avatars", root)
        deliveries.event = send
        await here.slack.delete(here.bob, here.general, slip)
        await here.slack.edit(here.carol, here.general, plan, "square avatars")
        await at_rest(here)
        assert (await texts(here))[:2] == ["The plan", f"{here.at} go on"]
        for payload in held:
            send(payload)
        await at_rest(here)
        assert "hunter2" not in str(await texts(here))
        assert "square avatars" in await texts(here)
        await archived(here, root)
        assert said(here)[-2:] == ["", "square avatars"]
        deleted = [one for one in content(here)["messages"] if "deletedAt" in one]
        assert [one["author"]["name"] for one in deleted] == ["Bob"]


async def test_what_is_erased_on_request_leaves_a_mark_everywhere(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        await archived(here, root, "told by Carol")
        entries = {one["content"]: one["id"] for one in content(here)["messages"]}
        session, told = content(here)["id"], list[str]()
        wanted = [root, entries["Answer 1."], "a-1"]
        assert await erase(here.settings, session, wanted, told.append) == 0
        assert told == [f"Erased from {session}."]
        await at_rest(here)
        whole = file_of(here).read_text("utf-8")
        assert "The plan" not in whole and "Answer 1." not in whole and "told by Carol" not in whole
        marks = [one["id"] for one in content(here)["messages"] if "erasedAt" in one]
        assert marks == [f"m-{root}", entries["Answer 1."], "a-1"]
        assert content(here)["note"] is None
        code, [line, _] = await verified(here)
        assert (code, "(1 deleted, 3 erased)" in line or "(3 erased)" in line) == (0, True), line
        assert "Answer 1." not in everything_in(here.own(here.general, root))
        await here.ask(here.alice, here.general, f"{here.at} and now?", "Answer 2.", root)
        asked = everything_in(here.model.requests[-1]["messages"])
        assert "The plan" not in asked and "Answer 1." not in asked


async def test_erasing_what_is_not_there_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        await archived(here, root)
        session = content(here)["id"]
        with pytest.raises(Exception, match="has no entry m-1"):
            await erase(here.settings, session, ["m-1"], print)
        with pytest.raises(Exception, match="holds ids alone"):
            await erase(here.settings, session, ["l-1"], print)


@pytest.mark.parametrize("rewrite", [False, True])
async def test_a_tampered_file_is_found_and_mended_by_the_next_write(
    tmp_path: Path, database_url: str, rewrite: bool
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await a_thread(here)
        await archived(here, root)
        text = file_of(here).read_text("utf-8")
        file_of(here).write_text(text.replace("Answer 1.", "Answer 7."), "utf-8")
        code, lines = await verified(here)
        assert code == 1
        assert any("entry 4 (t-" in line and "it was changed (assistant, message 4)" in line for line in lines), lines
        if rewrite:
            await here.slack.edit(here.alice, here.general, root, "The better plan")
            await at_rest(here)
            assert (await verified(here))[0] == 0
            assert "Answer 1." in said(here)


async def test_a_private_archive_is_checked_by_its_stub(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        secret = here.slack.add_channel("leads", private=True, members=(here.alice, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, secret, "Salaries")
        await here.slack.say(here.alice, secret, f"{here.at} link {TICKET}", root)
        await here.seen(secret, root, "Unlink")
        await here.slack.say(here.alice, secret, "!archive", root)
        await here.seen(secret, root, "archived this thread")
        await at_rest(here)
        stub = content(here)
        assert "Salaries" not in json.dumps(stub)
        code, [line, _] = await verified(here)
        assert code == 0
        assert f"as the history of {TICKET}, the database and the stub in the workspace know" in line
        private = here.folder / ".sciorex-slack" / "sessions" / file_of(here).name
        away = private.rename(tmp_path / "away.json")
        assert (await verified(here))[0] == 1
        away.rename(private)
        private.write_text(private.read_text("utf-8").replace("Salaries", "Pensions"), "utf-8")
        code, lines = await verified(here, stub["id"])
        assert code == 1 and "(m-" in lines[0]


async def test_a_file_that_could_not_be_written_is_made_up_for(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        await archived(here, root)
        folder = file_of(here).parent
        kept = file_of(here).rename(tmp_path / "kept.json")
        folder.rmdir()
        folder.write_text("no folder")
        await here.slack.delete(here.alice, here.general, root)
        await asyncio.sleep(0.2)
        assert not list(here.folder.rglob(f"{TEMPORARY}*"))
        folder.unlink()
        folder.mkdir()
        kept.rename(folder / kept.name)
        async with asyncio.timeout(20):
            while not list(folder.glob("session-*.json")):
                await asyncio.sleep(0.05)
        await at_rest(here)
        assert "The plan" not in file_of(here).read_text("utf-8")


async def test_the_database_that_was_changed_disagrees(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        await archived(here, root)
        assert here.bot is not None
        changed = update(archive_entry).where(archive_entry.c.n == 1).values(hash="0" * 64)
        await here.bot.parts.db.write("tamper", lambda c: c.execute(changed).rowcount)
        code, lines = await verified(here)
        assert code == 1 and "entry 1" in lines[0] and "the database" in lines[0]


async def test_a_running_session_is_exported_as_it_stands(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await a_thread(here)
        told: list[str] = []
        link = f"https://example.slack.com/archives/{here.general}/p{root.replace('.', '')}"
        assert await export(here.settings, link, "json", tmp_path / "out", told.append) == 0
        found = json.loads(Path(told[0]).read_text("utf-8"))
        assert [one["content"] for one in found["messages"] if one["role"] == "assistant"] == ["Answer 1."]
        assert (found["status"], "chain" in found) == ("paused", False)
