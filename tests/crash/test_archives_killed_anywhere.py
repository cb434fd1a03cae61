"""The bot is killed while it archives again, follows an edit, hands a transcript over: nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import json
from multiprocessing.context import ForkServerContext
from pathlib import Path

from bot.database import Database
from bot.sessions.archives.anchors import in_database, in_histories
from bot.sessions.archives.shelves import on_this_machine
from bot.sessions.archives.verdicts import verdict
from tests.bench import everything_in
from tests.crash.test_killed_anywhere import Scene, killed_everywhere, processes

__all__ = ["processes"]


async def says(here: Scene, text: str, told: str) -> None:
    """Something is said in the thread, and answered with a message that holds `told`."""
    here.said = await here.slack.say(here.alice, here.channel, text, here.root)
    await here.slack.until(lambda _: any(told in everything_in(m) for m in here.ours()), timeout=20)


async def done_or_dead(here: Scene) -> None:
    """Waits until the bot has done what it was told, or is killed at it."""
    done = asyncio.ensure_future(acknowledged(here))
    async with asyncio.timeout(30):
        while not here.dead() and not done.done():
            await asyncio.sleep(0.02)
    done.cancel()
    await asyncio.gather(done, return_exceptions=True)


async def acknowledged(here: Scene) -> None:
    await here.slack.until(lambda s: all(d.acked_at for d in s.deliveries), timeout=30)
    await here.at_rest()


async def archived_thread(here: Scene) -> None:
    here.root = here.said = await here.slack.say(here.alice, here.channel, "Let us talk about round avatars")
    await says(here, "!link T-042", "Unlink")
    await says(here, "!archive first half", "first half")
    await says(here, "!resume", "resumed this session")
    await says(here, "And about the tests", "That is all for now.")
    await here.at_rest()


async def archive_again(here: Scene) -> None:
    await archived_thread(here)
    here.armed.touch()
    await here.slack.edit(here.alice, here.channel, here.root, "Let us talk about square avatars")
    await done_or_dead(here)  # one after the other, so that every life has the same doors
    here.said = await here.slack.say(here.alice, here.channel, "!archive all of it", here.root)


def archived_again_once(here: Scene) -> None:
    [path] = (here.folder / ".sciorex" / "sessions").glob("session-*.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    shown = [one.get("note") or one["content"] for one in content["messages"] if one["role"] in ("user", "system")]
    assert shown == [
        "Let us talk about square avatars",
        "Linked to T-042.",
        "first half",
        "And about the tests",
        "all of it",
    ]
    roles = [one["role"] for one in content["messages"]][4:-1]
    assert roles == ["assistant", "tool_use", "tool_result", "assistant"]
    assert len(content["chain"]["entries"]) == len(content["messages"]) + 1  # the words before the edit
    assert here.ticket().count("action: session_archived") == 2
    assert content["chain"]["head"] in here.ticket()
    assert verified(here) == 10, "the database does not know that it is written"
    assert len([m for m in here.ours() if "all of it" in everything_in(m) and "archived" in everything_in(m)]) >= 1


async def test_archiving_again_killed_anywhere_adds_what_is_new_once(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(archive_again, archived_again_once, tmp_path, sqlite_template, processes, least=12)


def verified(here: Scene) -> int:
    """How many entries the database knows to be written, in a chain that holds."""
    known = in_histories(here.folder)
    database = Database(f"sqlite:///{here.database}")
    with database.engine.begin() as connection:
        [row] = in_database(connection)
    database.engine.dispose()
    [filed] = on_this_machine([("", here.folder)], here.folder / "none")
    said = verdict(filed, known.anchors[filed.session_id], row)
    assert said.state == "ok", said.lines
    assert row.anchor is not None
    return row.anchor.entries


async def delete_the_answer(here: Scene) -> None:
    here.root = here.said = await here.slack.say(here.alice, here.channel, "Let us talk about round avatars")
    await says(here, "!link T-042", "Unlink")
    await says(here, "And about the tests", "That is all for now.")
    await says(here, "!archive all of it", "all of it")
    await here.at_rest()
    admin = here.slack.add_user("Ada", is_admin=True)
    here.slack.invite(here.channel, admin)
    [answer] = [m for m in here.ours() if "That is all for now." in everything_in(m)]
    here.armed.touch()
    await here.slack.delete(admin, here.channel, answer["ts"])
    await here.slack.until(lambda _: bool(deletions(here)), timeout=10)
    [here.said] = deletions(here)


def deletions(here: Scene) -> list[str]:
    """The ts of the events that say that something was deleted."""
    told = [d.event["ts"] for d in here.slack.deliveries if d.event.get("subtype") == "message_deleted"]
    return list(dict.fromkeys(told))


def deleted_for_good(here: Scene) -> None:
    [path] = (here.folder / ".sciorex" / "sessions").glob("session-*.json")
    assert "That is all for now." not in path.read_text(encoding="utf-8")
    content = json.loads(path.read_text(encoding="utf-8"))
    marks = [one["role"] for one in content["messages"] if "deletedAt" in one]
    assert marks == ["assistant", "assistant"]
    assert verified(here) == len(content["messages"]) + len(marks)
    assert not [m for m in here.ours() if "That is all for now." in everything_in(m)]


async def test_an_answer_deleted_while_the_bot_is_killed_anywhere_is_gone(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(delete_the_answer, deleted_for_good, tmp_path, sqlite_template, processes, least=8)


async def export(here: Scene) -> None:
    here.root = here.said = await here.slack.say(here.alice, here.channel, "Let us talk about avatars")
    await says(here, "!link T-042", "Unlink")
    await here.at_rest()
    here.armed.touch()
    here.said = await here.slack.say(here.alice, here.channel, "!export here", here.root)


def exported_once(here: Scene) -> None:
    assert len([m for m in here.ours() if m.get("files")]) == 1


async def test_a_transcript_handed_over_is_there_once(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(export, exported_once, tmp_path, sqlite_template, processes, least=8)
