"""Modals, home tabs, menus and shortcuts, with a real Bolt app."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from bot.local_slack import LocalSlack, SlackRefuses
from tests.local_slack.app import (
    NOBODY,
    Json,
    Place,
    actions,
    button,
    connected,
    manifest,
    modal,
    place,
    text_input,
)

PICKER = {
    "type": "input",
    "block_id": "ticket",
    "label": {"type": "plain_text", "text": "Ticket"},
    "element": {"type": "external_select", "action_id": "id", "min_query_length": 0},
}


def option(value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": value}, "value": value}


def doors(app: AsyncApp) -> None:
    """A shortcut that opens a modal; what the modal answers stands in its note."""

    @app.shortcut("new_ticket")
    async def open_modal(ack: Any, body: Any, client: Any) -> None:
        view = modal(text_input(), PICKER | {"optional": True}, actions(button("more")), notify_on_close=True)
        await client.views_open(trigger_id=body["trigger_id"], view=view)
        await ack()

    @app.view("archive")
    async def archive(ack: Any, view: Any) -> None:
        typed = view["state"]["values"]["note"]["text"]["value"]
        answers: dict[str, Json] = {
            "push": {"response_action": "push", "view": modal(text_input())},
            "update": {"response_action": "update", "view": modal(text_input(), private_metadata="updated")},
            "clear": {"response_action": "clear"},
            "wrong": {"response_action": "errors", "errors": {"elsewhere": "?"}},
            "large": {"response_action": "update", "view": modal(*[text_input(str(n)) for n in range(101)])},
        }
        await ack(**answers.get(typed, {}))

    @app.view_closed("archive")
    async def closed(ack: Any) -> None:
        await ack()

    @app.action("more")
    async def more(ack: Any) -> None:
        await ack()

    @app.options("id")
    async def tickets(ack: Any, body: Any) -> None:
        found = [option(f"T-{number:03}") for number in range(101 if body["value"] == "all" else 3)]
        await ack(options=[row for row in found if body["value"] in ("all", row["value"])])


async def opened(here: Place) -> str:
    await here.slack.global_shortcut(here.ada, "new_ticket")
    return str(here.slack.views(here.ada)[-1]["id"])


async def test_update_push_and_clear_are_applied() -> None:
    async with place() as here, connected(here.slack, doors):
        first = await opened(here)
        await here.slack.submit(here.ada, first, {"note": {"text": "update"}})
        assert here.slack.views(here.ada)[0]["private_metadata"] == "updated"
        await here.slack.submit(here.ada, first, {"note": {"text": "push"}})
        second = here.slack.views(here.ada)[-1]
        assert (second["previous_view_id"], second["root_view_id"]) == (first, first)
        await here.slack.submit(here.ada, second["id"], {"note": {"text": "push"}})
        with pytest.raises(SlackRefuses, match="push_limit_reached"):
            await here.slack.submit(here.ada, here.slack.views(here.ada)[-1]["id"], {"note": {"text": "push"}})
        await here.slack.submit(here.ada, here.slack.views(here.ada)[-1]["id"], {"note": {"text": "clear"}})
        assert here.slack.views(here.ada) == []


@pytest.mark.parametrize("typed", ["wrong", "large"])
async def test_an_answer_slack_cannot_show_keeps_the_modal_open(typed: str) -> None:
    async with place() as here, connected(here.slack, doors):
        view_id = await opened(here)
        with pytest.raises(SlackRefuses, match="invalid_arguments"):
            await here.slack.submit(here.ada, view_id, {"note": {"text": typed}})
        assert [view["id"] for view in here.slack.views(here.ada)] == [view_id]


async def test_a_required_field_is_asked_for_before_the_app_is() -> None:
    async with place() as here, connected(here.slack, doors):
        view_id = await opened(here)
        with pytest.raises(SlackRefuses, match="Please complete this required field"):
            await here.slack.submit(here.ada, view_id, {})
        assert [sent.payload["type"] for sent in here.slack.deliveries] == ["shortcut"]


async def test_closing_tells_the_app_when_the_view_asks_for_it() -> None:
    async with place() as here, connected(here.slack, doors):
        view_id = await opened(here)
        await here.slack.close(here.ada, view_id)
        closed = here.slack.deliveries[-1].payload
        assert (closed["type"], closed["view"]["id"], closed["is_cleared"]) == ("view_closed", view_id, False)
        with pytest.raises(SlackRefuses, match="closed"):
            await here.slack.submit(here.ada, view_id, {"note": {"text": "late"}})


async def test_a_menu_asks_the_app_and_its_choice_reaches_the_submission() -> None:
    async with place() as here, connected(here.slack, doors):
        view_id = await opened(here)
        assert await here.slack.options(here.ada, "id", "T-002", view_id=view_id) == [option("T-002")]
        with pytest.raises(SlackRefuses, match="more than 100"):
            await here.slack.options(here.ada, "id", "all", view_id=view_id)
        values = {"note": {"text": "ok"}, "ticket": {"id": option("T-002")}}
        await here.slack.submit(here.ada, view_id, values)
        state = here.slack.deliveries[-1].payload["view"]["state"]["values"]
        assert state == {
            "note": {"text": {"type": "plain_text_input", "value": "ok"}},
            "ticket": {"id": {"type": "external_select", "selected_option": option("T-002")}},
        }


async def test_a_click_in_a_modal_carries_what_was_typed_and_only_its_owner_can_click() -> None:
    async with place() as here, connected(here.slack, doors):
        view_id = await opened(here)
        bob = here.slack.add_user("Bob")
        with pytest.raises(SlackRefuses, match="another person"):
            await here.slack.click_view(bob, view_id, "more")
        await here.slack.click_view(here.ada, view_id, "id", selected="T-001")
        await here.slack.click_view(here.ada, view_id, "more")
        assert [sent.payload["type"] for sent in here.slack.deliveries] == ["shortcut", "block_actions"]
        clicked = here.slack.deliveries[-1].payload
        assert clicked["container"] == {"type": "view", "view_id": view_id}
        assert clicked["view"]["state"]["values"]["ticket"]["id"]["selected_option"]["value"] == "T-001"
        assert clicked["actions"][0]["action_id"] == "more"


async def test_a_trigger_lives_three_seconds_and_opens_one_view() -> None:
    async with place() as here, connected(here.slack, only_acks):
        await here.slack.global_shortcut(here.ada, "new_ticket")
        trigger = here.slack.deliveries[-1].payload["trigger_id"]
        call = {"trigger_id": trigger, "view": modal(text_input())}
        assert (
            await here.refused("views.open", **call | {"view": modal(text_input(), submit=None)}) == "invalid_arguments"
        )
        await here.client.api_call("views.open", json=call)
        assert await here.refused("views.open", **call) == "exchanged_trigger_id"
        assert await here.refused("views.open", **call | {"trigger_id": "1.x"}) == "invalid_trigger_id"
        await here.slack.global_shortcut(here.ada, "new_ticket")
        here.clock.now += 3.1
        late = call | {"trigger_id": here.slack.deliveries[-1].payload["trigger_id"]}
        assert await here.refused("views.open", **late) == "trigger_expired"


def only_acks(app: AsyncApp) -> None:
    @app.shortcut("new_ticket")
    async def shortcut(ack: Any) -> None:
        await ack()

    @app.action("pick")
    async def picked(ack: Any) -> None:
        await ack()


async def test_an_old_hash_does_not_overwrite_a_newer_view() -> None:
    async with place() as here, connected(here.slack, doors):
        view = here.slack.views(here.ada)[0] if await opened(here) else {}
        call = {"view_id": view["id"], "view": modal(text_input(), private_metadata="2"), "hash": view["hash"]}
        await here.client.api_call("views.update", json=call)
        assert await here.refused("views.update", **call) == "hash_conflict"
        assert await here.refused("views.update", **call | {"view_id": "V404"}) == "not_found"


async def test_an_update_keeps_what_was_typed_in_fields_that_stay() -> None:
    async with place() as here, connected(here.slack, doors):
        view_id = await opened(here)
        await here.slack.click_view(here.ada, view_id, "text", selected="half a note")
        await here.client.views_update(view_id=view_id, view=modal(text_input()))
        state = here.slack.views(here.ada)[0]["state"]["values"]
        assert state["note"]["text"]["value"] == "half a note"


async def test_a_home_tab_is_one_persons_and_needs_to_be_declared() -> None:
    home = {"type": "home", "blocks": [actions(button("go"))]}
    async with place() as here:
        bob = here.slack.add_user("Bob")
        await here.client.views_publish(user_id=here.ada, view=home)
        assert (here.slack.home(here.ada) or {})["type"] == "home"
        assert here.slack.home(bob) is None
        assert await here.refused("views.publish", user_id="U404", view=home) == "invalid_arguments"
        call = {"user_id": here.ada, "view": home, "hash": "old"}
        assert await here.refused("views.publish", **call) == "hash_conflict"
        await here.slack.home_opened(here.ada)
        here.slack.request_url = NOBODY
        await here.slack.until(lambda slack: bool(slack.deliveries))
        event = here.slack.deliveries[0].event
        assert (event["type"], event["tab"], event["view"]) == (
            "app_home_opened",
            "home",
            here.slack.home(here.ada),
        )
    declared = manifest()
    del declared["features"]["app_home"]
    async with place(declared) as here:
        assert await here.refused("views.publish", user_id=here.ada, view=home) == "not_enabled"


async def test_a_menu_in_a_message_offers_its_options_and_nothing_else() -> None:
    menu = {"type": "static_select", "action_id": "pick", "options": [option("a"), option("b")]}
    async with place() as here, connected(here.slack, only_acks):
        posted = await here.client.chat_postMessage(channel=here.general, text="?", blocks=[actions(menu)])
        place_of = (here.ada, here.general, str(posted["ts"]))
        await here.slack.click(*place_of, "pick", selected="b")
        clicked = here.slack.deliveries[-1].payload
        assert clicked["actions"][0]["selected_option"] == option("b")
        assert clicked["state"]["values"]["row"]["pick"]["selected_option"] == option("b")
        with pytest.raises(SlackRefuses, match="not among the options"):
            await here.slack.click(*place_of, "pick", selected="c")
        with pytest.raises(SlackRefuses, match="action_id gone"):
            await here.slack.click(*place_of, "gone")


async def test_buttons_of_one_action_id_are_told_apart_by_value_and_block() -> None:
    rows = [actions(button("pick", value)) | {"block_id": value} for value in ("a", "b")]
    async with place() as here, connected(here.slack, only_acks):
        posted = await here.client.chat_postMessage(channel=here.general, text="?", blocks=rows)
        place_of = (here.ada, here.general, str(posted["ts"]))
        await here.slack.click(*place_of, "pick", value="b")
        await here.slack.click(*place_of, "pick", block_id="b")
        assert [clicked_value(here.slack, number) for number in (-2, -1)] == ["b", "b"]


def clicked_value(slack: LocalSlack, number: int) -> str:
    return str(slack.deliveries[number].payload["actions"][0]["value"])


async def test_without_interactivity_nothing_can_be_clicked() -> None:
    declared = manifest()
    declared["settings"]["interactivity"]["is_enabled"] = False
    async with place(declared) as here:
        posted = await here.client.chat_postMessage(channel=here.general, text="?", blocks=[actions(button("pick"))])
        with pytest.raises(SlackRefuses, match="not set up"):
            await here.slack.click(here.ada, here.general, str(posted["ts"]), "pick")
