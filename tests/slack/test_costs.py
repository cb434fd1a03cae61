"""What agents use: a receipt under each answer, the cost of a ticket, and limits that end a turn."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.local_model import Reply, ToolCall, say
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, told_by

READ = "mcp__sciorex-tickets__sciorex_get_ticket"
MODEL = "claude-sonnet-5-5"


def model(request: dict[str, Any]) -> Reply:
    """Reads the ticket, twice where it is asked to look for ever."""
    last = request["messages"][-1]["content"]
    if any(block["type"] == "tool_result" for block in last) and "for ever" not in everything_in(request["messages"]):
        return say("It is about avatars.")
    return say(ToolCall(READ, {"ticketId": "T-042"}))


def settings(tmp_path: Path, text: str) -> Any:
    """Settings with these sections."""
    file = tmp_path / "sciorex.yaml"

    def more(here: Bench) -> dict[str, str]:
        file.write_text(f"workspaces: {{default: {{folder: {json.dumps(str(here.folder))}}}}}\n{text}\n")
        return {"SCIOREX_CONFIG": str(file)}

    return more


PRICES = f"prices: {{{MODEL}: {{input: 3, output: 15}}}}"


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[Bench]:
    async with bench(tmp_path, database_url, script=model, more=settings(tmp_path, PRICES)) as made:
        yield made


async def asked(here: Bench, channel: str, text: str = "what is it about?") -> str:
    root = await here.slack.say(here.alice, channel, f"{here.at} link T-042")
    await at_rest(here)
    await here.slack.say(here.alice, channel, f"{here.at} {text}", root)
    await at_rest(here)
    return root


def button(here: Bench, channel: str, root: str) -> tuple[str, str]:
    """The message with the newest receipt, and its value."""
    found = [
        (str(message["ts"]), str(element["value"]))
        for message in here.own(channel, root)
        for block in message.get("blocks", [])
        for element in block.get("elements", [])
        if element.get("action_id") == "receipt_open"
    ]
    return found[-1]


async def test_a_receipt_says_what_the_agent_was_given_and_what_it_used(here: Bench) -> None:
    root = await asked(here, here.general)
    ts, value = button(here, here.general, root)
    await here.slack.click(here.bob, here.general, ts, "receipt_open", value=value)
    (view,) = here.slack.views(here.bob)
    shown = everything_in(view)
    assert "T-042, revision `" in shown and "criteria ticked" in shown and "subtasks completed" in shown
    assert "related: T-0" in shown
    assert "% from the cache)" in shown and "*Cost:* $0.0" in shown
    assert f"*Model:* {MODEL}" in shown
    assert "*Steps:* 2 · *Tool calls:* 1 (get ticket)" in shown


async def test_a_receipt_is_for_those_who_may_see_the_session(here: Bench) -> None:
    inside = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
    root = await asked(here, inside)
    ts, value = button(here, inside, root)
    await here.slack.click(here.alice, inside, ts, "receipt_open", value=value)
    assert here.slack.views(here.alice)
    public = await asked(here, here.general)
    ts, own = button(here, here.general, public)
    # What is in a button is data: somebody else's turn, sent from a message that one may see.
    message = next(m for m in here.own(here.general, public) if m["ts"] == ts)
    for block in message["blocks"]:
        for element in block.get("elements", []):
            element["value"] = value if element.get("value") == own else element.get("value")
    await here.slack.click(here.bob, here.general, ts, "receipt_open", value=value)
    assert here.slack.views(here.bob) == []
    await here.told(here.bob, "There is no such session that you could see")


async def test_the_cost_of_a_ticket_is_that_of_the_sessions_that_one_may_see(here: Bench) -> None:
    inside = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
    await asked(here, inside, "what is it about, in secret?")
    root = await asked(here, here.general)
    mine = await told_by(here, here.alice, here.general, "/ticket T-042 cost")
    theirs = await told_by(here, here.bob, here.general, "/ticket T-042 cost")
    assert "*All of them:* 2 turns" in mine and "*All of them:* 1 turn ·" in theirs
    assert (mine.count("• "), theirs.count("• ")) == (4, 2)  # in the text, and in the blocks
    assert "· $0.0" in theirs and "% from the cache" in theirs
    before = len(here.own(here.general, root))
    await here.slack.say(here.bob, here.general, f"{here.at} cost", root)
    await here.told(here.bob, "*All of them:* 1 turn ·")
    assert len(here.own(here.general, root)) == before


async def test_without_a_price_there_are_tokens_and_a_word_on_it(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=model) as here:
        await asked(here, here.general)
        shown = await told_by(here, here.alice, here.general, "/ticket T-042 cost")
        assert "$" not in shown and f"The settings have no price for {MODEL}" in shown
        nothing = await told_by(here, here.alice, here.general, "/ticket T-038 cost")
        assert "0 turns" in nothing


@pytest.mark.parametrize(
    ("limits", "says", "requests"),
    [
        ("turn: {steps: 3}", "I stopped after 3 steps", 3),
        ("thread: {tokens: 100}", "This thread has used the 100 tokens", 1),
        ("day: {cost: 0.0001}", "I have cost the $0.0001 that I may cost in a day", 1),
    ],
)
async def test_a_limit_ends_the_turn_with_its_sentence(
    tmp_path: Path, database_url: str, limits: str, says: str, requests: int
) -> None:
    more = settings(tmp_path, f"{PRICES}\nlimits: {{{limits}}}")
    async with bench(tmp_path, database_url, script=model, more=more) as here:
        root = await asked(here, here.general, "look for ever")
        await here.seen(here.general, root, says)
        assert len(here.model.requests) == requests
        again = len(here.model.requests)
        await here.slack.say(here.alice, here.general, f"{here.at} and once more for ever", root)
        await at_rest(here)
        assert len(here.model.requests) == again + (requests if "turn" in limits else 0)


async def test_what_one_thread_used_counts_for_the_day_of_another(tmp_path: Path, database_url: str) -> None:
    more = settings(tmp_path, "limits: {day: {steps: 2}}")
    async with bench(tmp_path, database_url, script=model, more=more) as here:
        await asked(here, here.general)
        root = await asked(here, here.general)
        await here.seen(here.general, root, "I have taken the 2 steps that I may take in a day for everybody here.")
        assert len(here.model.requests) == 2
