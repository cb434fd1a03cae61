"""The bot is killed while it asks for approval, and after somebody gave it: one card, one change, one answer."""

from __future__ import annotations

from contextlib import suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from bot.local_slack import SlackRefuses
from tests.bench import everything_in
from tests.crash.test_archives_killed_anywhere import says
from tests.crash.test_killed_anywhere import Scene, killed_everywhere, processes

__all__ = ["processes"]
ASKED = "May the agent do this?"


def cards(here: Scene) -> list[dict[str, Any]]:
    return [m for m in here.ours() if ASKED in everything_in(m)]


async def in_a_careful_thread(here: Scene) -> None:
    """A thread linked to T-042 in which the agent asks for everything."""
    here.root = await here.slack.say(here.alice, here.channel, f"<@{here.slack.bot_user_id}> link T-042")
    await here.slack.until(lambda _: any("linked this thread" in everything_in(m) for m in here.ours()), timeout=20)
    await says(here, "!mode ask for all", "chose the mode")


async def wants(here: Scene) -> None:
    await in_a_careful_thread(here)
    here.armed.touch()
    here.said = await here.slack.say(here.alice, here.channel, f"<@{here.slack.bot_user_id}> go on", here.root)


def asked_once(here: Scene) -> None:
    [card] = cards(here)
    assert any(block["type"] == "actions" for block in card["blocks"])
    assert "subtask_updated" not in here.ticket()
    said = [m for m in here.ours() if "I mark it." in everything_in(m)]
    assert len(said) == 1, [m.get("text") for m in here.ours()]


async def test_a_request_for_approval_killed_anywhere_is_shown_once_and_nothing_is_done(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(wants, asked_once, tmp_path, sqlite_template, processes)


async def approves(here: Scene) -> None:
    await in_a_careful_thread(here)
    await says(here, f"<@{here.slack.bot_user_id}> go on", ASKED)
    await here.at_rest()
    [card] = cards(here)
    here.armed.touch()
    with suppress(SlackRefuses):  # killed before it could answer: Slack tells the person that it did not work
        await here.slack.click(here.alice, here.channel, str(card["ts"]), "question_approve")


def done_once(here: Scene) -> None:
    [card] = cards(here)
    if "approved this" not in everything_in(card):  # killed before the decision was kept: it can be made again
        assert any(block["type"] == "actions" for block in card["blocks"])
        assert "subtask_updated" not in here.ticket()
        return
    assert here.ticket().count("action: subtask_updated") == 1
    assert here.ticket().count("approvedBy") == 1
    answers = [m for m in here.ours() if "That is all for now." in everything_in(m)]
    assert len(answers) == 1, [m.get("text") for m in here.ours()]
    assert all(m.get("metadata") for m in here.ours())


async def test_an_approval_killed_anywhere_is_done_once_and_answered_once(
    tmp_path: Path, sqlite_template: Path, processes: ForkServerContext
) -> None:
    await killed_everywhere(approves, done_once, tmp_path, sqlite_template, processes)
