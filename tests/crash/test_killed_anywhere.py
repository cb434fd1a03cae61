"""The bot is killed at every door of a turn, a link, an archive, a new ticket; then nothing is lost or said twice."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, or_, select

from bot.database import Database
from bot.demo import SAMPLE
from bot.local_model import LocalModel, Reply, ToolCall, say
from bot.local_slack import LocalSlack, SlackRefuses
from bot.sessions.models import inbox, post, thread, turn
from bot.settings import read_manifest
from tests.bench import everything_in
from tests.crash.victim import Kill, live

SIDE_BY_SIDE = 3
_LONGEST_LIFE = 15
# Every death takes two lives of a bot: a run dies at every third place, with DEATHS=all at every one.
ALL_DEATHS = os.environ.get("DEATHS") == "all"
WORDS = "Thumbnails come at 64px, 128px and 256px. I begin with the smallest one. That is all for now."
NOTE = "Backend API is ready"


def script(body: dict[str, Any]) -> Reply:
    """One tool call, then one answer."""
    last = body["messages"][-1]["content"]
    if any(block.get("type") == "tool_result" for block in last):
        return say(WORDS)
    marked = {"ticketId": "T-042", "title": "Add image processing", "status": "in_progress"}
    return say("I mark it. ", ToolCall("mcp__sciorex-tickets__sciorex_update_subtask", marked))


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Processes forked from one that has loaded everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.victim"])
    return context


@dataclass
class Scene:
    """One bot, one Slack, one workspace, for one death."""

    slack: LocalSlack
    folder: Path
    database: Path
    armed: Path
    notes: Path
    environ: dict[str, str]
    alice: str
    channel: str
    processes: ForkServerContext
    running: BaseProcess | None = None
    root: str = ""
    said: str = ""

    async def live(self, kill: Kill | None) -> None:
        """Starts the bot and waits until it listens."""
        connections = self.opened()
        arguments = (self.environ, self.armed, kill, self.notes)
        self.running = self.processes.Process(target=live, args=arguments, daemon=True)
        self.running.start()
        await self.slack.until(lambda _: self.opened() > connections, timeout=20)

    def opened(self) -> int:
        return sum(call.method == "apps.connections.open" for call in self.slack.calls)

    def heard(self) -> bool:
        """Whether the bot has acknowledged what was said last."""
        return any(d.event.get("ts") == self.said and d.acked_at for d in self.slack.deliveries)

    def dead(self) -> bool:
        return self.running is None or not self.running.is_alive()

    async def dies(self) -> bool:
        """Waits for its death, as long as one can be expected."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_LIFE):
                while not self.dead():
                    await asyncio.sleep(0.02)
        return self.dead()

    def end(self) -> None:
        if self.running:
            self.running.kill()
            self.running.join(5)
            self.running = None

    async def at_rest(self, timeout: float = 30) -> None:
        """Waits until nothing is left to do: no row of the inbox, no turn but one that waits for people, no post, no
        claim."""
        db = Database(f"sqlite:///{self.database}")
        waiting = select(func.count()).select_from(inbox).where(inbox.c.state == "new")
        soon = thread.c.ready_ms < (time.time() + 3_600) * 1000  # a question that runs out in days is no work
        held = select(func.count()).select_from(thread).where(or_(thread.c.owner.is_not(None), soon))
        turns = select(func.count()).select_from(turn).where(turn.c.state.in_(("running", "answered")))
        behind = select(func.count()).select_from(post).where(post.c.want_rev > post.c.shown_rev)

        def left(connection: Any) -> list[int]:
            return [connection.execute(query).scalar_one() for query in (waiting, held, turns, behind)]

        try:
            async with asyncio.timeout(timeout):
                while any(await db.read(left)):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"not at rest: {await db.read(left)}") from None
        finally:
            await db.close()

    def ours(self) -> list[dict[str, Any]]:
        return [m for m in self.slack.messages(self.channel, self.root) if m.get("bot_id") == self.slack.bot_id]

    def ticket(self) -> str:
        return (self.folder / ".sciorex" / "tickets" / "T-042.yaml").read_text(encoding="utf-8")


@asynccontextmanager
async def scene(folder: Path, template: Path, processes: ForkServerContext) -> AsyncIterator[Scene]:
    shutil.copytree(SAMPLE, folder / "workspace")
    shutil.copy(template, folder / "bot.db")
    slack, model = LocalSlack(read_manifest()), LocalModel(script)
    await slack.start()
    await model.start()
    alice = slack.add_user("Alice")
    channel = slack.add_channel("general", members=(alice, slack.bot_user_id))
    environ = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "ANTHROPIC_API_KEY": "scripted",
        "ANTHROPIC_BASE_URL": model.url,
        "SCIOREX_WORKSPACE": str(folder / "workspace"),
        "DATABASE_URL": f"sqlite:///{folder / 'bot.db'}",
    }
    here = Scene(
        slack,
        folder / "workspace",
        folder / "bot.db",
        folder / "armed",
        folder / "notes",
        environ,
        alice,
        channel,
        processes,
    )
    try:
        yield here
    finally:
        here.end()
        await model.stop()
        await slack.stop()


Act = Callable[[Scene], Awaitable[None]]
Check = Callable[[Scene], None]


async def play(kill: Kill | None, act: Act, check: Check, folder: Path, template: Path, context: Any) -> bool:
    """Acts, dies where it is told to, lives again, comes to rest, and is checked; gives whether it died.

    How often some doors are crossed depends on what meets what in time: a life may come to rest without its death.
    """
    async with scene(folder, template, context) as here:
        await here.live(kill)
        await act(here)
        died = bool(kill) and await here.dies()
        if died:
            here.end()
            await here.live(None)
        await here.slack.until(lambda _: here.heard(), timeout=10)
        await here.at_rest()
        try:
            check(here)
        except AssertionError as error:
            raise AssertionError(f"killed at {kill}: {error}") from error
        return died


async def killed_everywhere(
    act: Act,
    check: Check,
    tmp_path: Path,
    template: Path,
    context: Any,
    *,
    least: int = 20,
) -> None:
    """Plays it once to learn its doors, then once for every door and both sides of it."""
    first = tmp_path / "whole"
    first.mkdir()
    await play(None, act, check, first, template, context)
    seen: Counter[str] = Counter()
    kills: list[Kill] = []
    for door in (first / "notes").read_text().splitlines():
        seen[door] += 1
        if not (door in ("model text", "write tickets seen") and seen[door] > 2):  # one is like the other
            kills += [Kill(door, seen[door], "before"), Kill(door, seen[door], "after")]
    assert len(kills) > least, kills
    if not ALL_DEATHS:
        kills = kills[::3]
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(n: int, kill: Kill) -> bool:
        async with gate:
            folder = tmp_path / f"death-{n}"
            folder.mkdir()
            return await play(kill, act, check, folder, template, context)

    results = await asyncio.gather(*(one(n, kill) for n, kill in enumerate(kills)), return_exceptions=True)
    said = zip(kills, results, strict=True)
    failures = [f"{kill}: {type(r).__name__} {r}" for kill, r in said if isinstance(r, BaseException)]
    assert not failures, f"{len(failures)} of {len(kills)} deaths:\n" + "\n".join(failures)
    alive = results.count(False)  # what is asked of Slack again depends on what is remembered: such a door may not come
    assert alive <= max(3, 0.2 * len(kills)), f"only {results.count(True)} of {len(kills)} died"


async def ask(here: Scene) -> None:
    here.armed.touch()
    here.root = await here.slack.say(here.alice, here.channel, f"<@{here.slack.bot_user_id}> go on with T-042")
    here.said = here.root


def answered_once(here: Scene) -> None:
    messages = here.ours()
    answers = [m for m in messages if "64px" in everything_in(m)]
    assert len(answers) == 1, [m.get("text") for m in messages]
    assert "That is all for now." in everything_in(answers[0])
    assert len([m for m in messages if "T-042" in everything_in(m) and "relat" in everything_in(m).lower()]) <= 2
    keys = [json.dumps(m.get("metadata")) for m in messages]
    assert len(set(keys)) == len(keys), keys
    assert all(m.get("metadata") for m in messages), [m.get("text") for m in messages if not m.get("metadata")]
    assert here.ticket().count("subtask_updated") == 1
    assert here.ticket().count("session_referenced") == 1


async def test_a_turn_killed_anywhere_ends_in_one_whole_answer_and_one_change(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(ask, answered_once, tmp_path, sqlite_template, processes)


async def link(here: Scene) -> None:
    here.root = here.said = await here.slack.say(here.alice, here.channel, "Let us talk about avatars")
    await here.slack.until(lambda _: here.heard(), timeout=10)
    here.armed.touch()
    here.said = await here.slack.say(here.alice, here.channel, "!link T-042", here.root)


def linked_once(here: Scene) -> None:
    messages = here.ours()
    assert len(messages) == 2, [m.get("text") for m in messages]  # the header, and that it was linked
    assert here.ticket().count("action: session_linked") == 1


async def test_a_link_killed_anywhere_is_made_once(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(link, linked_once, tmp_path, sqlite_template, processes)


async def archive(here: Scene) -> None:
    here.root = here.said = await here.slack.say(here.alice, here.channel, "Let us talk about avatars")
    await here.slack.until(lambda _: here.heard(), timeout=10)
    await here.slack.message_shortcut(here.alice, "archive_to_ticket", here.channel, here.root)
    await here.slack.until(lambda s: bool(s.views(here.alice)), timeout=10)
    view = here.slack.views(here.alice)[-1]
    here.armed.touch()
    chosen = {"value": "T-042", "text": {"type": "plain_text", "text": "T-042"}}
    values = {"ticket": {"ticket": chosen}, "note": {"note": NOTE}}
    with suppress(SlackRefuses):  # killed before it could answer: the person is told that by Slack
        await here.slack.submit(here.alice, view["id"], values)


def archived_once(here: Scene) -> None:
    written = list((here.folder / ".sciorex" / "sessions").glob("session-*.json"))
    if not written:
        # Killed before the row was there: Slack told the person that it did not work, and nothing was done.
        assert here.ours() == []
        assert "session_" not in here.ticket()
        return
    assert here.ticket().count("action: session_linked") == 1
    assert here.ticket().count("action: session_archived") == 1
    assert len(written) == 1
    transcript = json.loads(written[0].read_text(encoding="utf-8"))
    said = [m["content"] for m in transcript["messages"] if m["role"] == "user"]
    assert said == ["Let us talk about avatars"]
    assert len([m for m in here.ours() if NOTE in everything_in(m)]) >= 1
    assert len(here.ours()) == 2, [m.get("text") for m in here.ours()]


async def new_ticket(here: Scene) -> None:
    here.said = await here.slack.say(here.alice, here.channel, "Let us crop avatars")
    await here.slack.until(lambda _: here.heard(), timeout=10)
    await here.slack.global_shortcut(here.alice, "new_ticket")
    await here.slack.until(lambda s: bool(s.views(here.alice)), timeout=10)
    view = here.slack.views(here.alice)[-1]
    here.armed.touch()
    with suppress(SlackRefuses):  # killed before it could answer: the person is told that by Slack
        await here.slack.submit(here.alice, view["id"], {"title": {"title": "Crop to a circle"}})


def made_once(here: Scene) -> None:
    folder = here.folder / ".sciorex" / "tickets"
    written = [path for path in folder.glob("*.yaml") if "Crop to a circle" in path.read_text(encoding="utf-8")]
    told = [m for m in here.slack.messages(here.slack.open_dm(here.alice)) if "Crop to a circle" in everything_in(m)]
    assert (len(written), len(told)) in ((1, 1), (0, 0)), told
    if not written:  # killed before the row was there: the form stays open, with what was typed
        (view,) = here.slack.views(here.alice)
        assert view["state"]["values"]["title"]["title"]["value"] == "Crop to a circle"


async def test_a_ticket_from_the_form_killed_anywhere_is_made_once_and_told_once(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(new_ticket, made_once, tmp_path, sqlite_template, processes, least=10)


async def planned(here: Scene) -> None:
    here.said = await here.slack.say(here.alice, here.channel, "Let us talk about avatars")
    await here.slack.until(lambda _: here.heard(), timeout=10)
    await here.slack.command(here.alice, here.channel, "/ticket T-042 plan Code review")
    await here.slack.until(lambda s: bool(s.ephemerals(here.alice)), timeout=10)
    shown = here.slack.ephemerals(here.alice)[-1]
    await here.at_rest()
    here.armed.touch()
    with suppress(SlackRefuses):  # killed before it could answer: the person is told that by Slack
        await here.slack.click(here.alice, here.channel, shown["ts"], "planned_start")


def started_once(here: Scene) -> None:
    roots = [m for m in here.slack.messages(here.channel) if "started *Code review*" in everything_in(m)]
    if not roots:  # killed before the row was there: the session waits as before
        assert "session_linked" not in here.ticket()
        return
    assert len(roots) == 1, roots
    here.root = roots[0]["ts"]
    told = [m for m in here.ours() if "Hand-over for T-042" in everything_in(m)]
    assert len(told) == 1
    assert len(here.ours()) == 3, [m.get("text") for m in here.ours()]  # root, header, brief
    assert here.ticket().count("action: session_linked") == 1


async def test_a_planned_session_killed_anywhere_starts_once(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(planned, started_once, tmp_path, sqlite_template, processes)


async def test_an_archive_killed_anywhere_is_made_once(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(archive, archived_once, tmp_path, sqlite_template, processes)
