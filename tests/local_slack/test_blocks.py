"""Block Kit: what Slack takes, and what it refuses."""

from typing import Any

import pytest

from tests.local_slack.app import Json, actions, button, modal, place, text_input, trigger


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str = "x", **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def menu(count: int, *, text: str = "x", value: str = "v") -> Json:
    options = [{"text": plain(f"{text}{number}"), "value": f"{value}{number}"} for number in range(count)]
    return {"type": "static_select", "action_id": "menu", "options": options}


GOOD = {
    "section": section("x" * 3000, accessory=button("go")),
    "fields": {"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2000}] * 10},
    "header": {"type": "header", "text": plain("x" * 150)},
    "actions": actions(*(button(f"a{number}") for number in range(25))),
    "context": {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 10},
    "divider": {"type": "divider"},
    "markdown": {"type": "markdown", "text": "# T-042"},
    "table": {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 20] * 100},
    "menu": actions(menu(100)),
    "task": {"type": "task_card", "task_id": "1", "title": "get_ticket", "status": "complete"},
    "image": {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
}
BAD: dict[str, tuple[Json, str]] = {
    "unknown": ({"type": "secton"}, "unsupported block type: secton"),
    "section": (section("x" * 3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    "empty": ({"type": "section"}, "text or fields must be given"),
    "no text": (section(""), "must be more than 0 characters"),
    "header": ({"type": "header", "text": plain("x" * 151)}, "less than 151"),
    "mrkdwn header": ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "plain_text"),
    "actions": (actions(*(button(f"a{number}") for number in range(26))), "no more than 25 items"),
    "twice": (actions(button("a"), button("a")), "action_id already exists"),
    "context": ({"type": "context", "elements": [plain("x")] * 11}, "no more than 10 items"),
    "button": (actions(button("a") | {"text": plain("x" * 76)}), "less than 76"),
    "value": (actions(button("a", "x" * 2001)), "less than 2001"),
    "style": (actions(button("a") | {"style": "green"}), "primary, danger"),
    "action_id": (actions(button("x" * 256)), "less than 256"),
    "block_id": (section(block_id="x" * 256), "less than 256"),
    "options": (actions(menu(101)), "no more than 100 items"),
    "no options": (actions(menu(0)), "no less than 1"),
    "option text": (actions(menu(1, text="x" * 75)), "less than 76"),
    "option value": (actions(menu(1, value="x" * 150)), "less than 151"),
    "initial": (
        actions(menu(1) | {"initial_option": {"text": plain("y"), "value": "y"}}),
        "must exactly match one of the options",
    ),
    "rows": ({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * 101}, "no more than 100"),
    "columns": ({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]}, "no more than 20"),
    "task": ({"type": "task_card", "task_id": "1", "title": "t", "status": "done"}, "pending, in_progress"),
    "input in actions": (actions({"type": "plain_text_input", "action_id": "a"}), "unsupported type"),
    "alt text": ({"type": "image", "image_url": "https://example.com/a.png"}, "missing required field"),
}


@pytest.mark.parametrize("name", GOOD)
async def test_slack_takes_a_block_up_to_its_limit(name: str) -> None:
    async with place() as here:
        assert await here.problems("chat.postMessage", channel=here.general, text="x", blocks=[GOOD[name]]) == []


@pytest.mark.parametrize("name", BAD)
async def test_slack_refuses_a_block_and_says_where(name: str) -> None:
    block, expected = BAD[name]
    async with place() as here:
        call = {"channel": here.general, "text": "x", "blocks": [block]}
        assert await here.refused("chat.postMessage", **call) == "invalid_blocks"
        (problem,) = await here.problems("chat.postMessage", **call)
        assert expected in problem
        assert here.slack.messages(here.general) == []


async def test_a_message_has_fifty_blocks_and_a_block_id_stands_once() -> None:
    async with place() as here:
        call: Json = {"channel": here.general, "text": "x"}
        assert await here.problems("chat.postMessage", **call, blocks=[section()] * 50) == []
        (many,) = await here.problems("chat.postMessage", **call, blocks=[section()] * 51)
        assert "no more than 50 items" in many
        (twice,) = await here.problems("chat.postMessage", **call, blocks=[section(block_id="a")] * 2)
        assert "block_id already exists: a" in twice
        assert await here.refused("chat.postMessage", **call, blocks={"type": "section"}) == "invalid_blocks_format"


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (modal(*[section()] * 101), "no more than 100 items"),
        (modal(section(), title=plain("x" * 25)), "less than 25 characters [json-pointer:/view/title/text]"),
        (modal(section(), submit=plain("x" * 25)), "/view/submit"),
        (modal(section(), private_metadata="x" * 3001), "/view/private_metadata"),
        (modal(section(), callback_id="x" * 256), "/view/callback_id"),
        (modal(text_input(), submit=None), "needs it"),
        (modal({"type": "markdown", "text": "x"}), "unsupported block type: markdown"),
        (modal(section(), type="home"), "must be modal"),
    ],
)
async def test_slack_refuses_a_modal_and_says_why(view: Json, expected: str) -> None:
    async with place() as here:
        (problem,) = await here.problems("views.open", trigger_id=await trigger(here.slack, here.ada), view=view)
        assert expected in problem
        assert here.slack.views(here.ada) == []


async def test_a_view_has_at_most_250_kilobytes() -> None:
    async with place() as here:
        large = [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2000}] * 10}] * 13
        call: Json = {"user_id": here.ada, "view": {"type": "home", "blocks": large}}
        assert await here.refused("views.publish", **call) == "view_too_large"
