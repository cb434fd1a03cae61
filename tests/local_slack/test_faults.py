"""Failures put in an app's way, and answers through response_url."""

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from tests.local_slack.app import Place, actions, button, connected, place


async def test_the_next_calls_of_a_method_fail_and_the_one_after_works() -> None:
    async with place() as here:
        here.slack.fail("chat.postMessage", "internal_error", times=2)
        call = {"channel": here.general, "text": "x"}
        assert [await here.refused("chat.postMessage", **call) for _ in range(2)] == ["internal_error"] * 2
        await here.client.api_call("chat.postMessage", json=call)
        assert len(here.slack.messages(here.general)) == 1
        assert [call.answer["ok"] for call in here.slack.calls] == [False, False, True]


async def test_a_rate_limit_says_when_to_come_back() -> None:
    async with place() as here:
        here.slack.fail("chat.update", "ratelimited", retry_after=7)
        with pytest.raises(SlackApiError) as failed:
            await here.client.chat_update(channel=here.general, ts="1.1", text="x")
        assert (failed.value.response.status_code, failed.value.response.headers["Retry-After"]) == (429, "7")


async def test_a_connection_can_break_after_the_work_is_done() -> None:
    async with place() as here:
        here.client.retry_handlers.clear()
        here.slack.fail("chat.postMessage", "lost", after=True)
        with pytest.raises(aiohttp.ClientConnectionError):
            await here.client.chat_postMessage(channel=here.general, text="written all the same")
        assert [row["text"] for row in here.slack.messages(here.general)] == ["written all the same"]


async def test_held_calls_wait_until_they_are_released() -> None:
    async with place() as here:
        here.slack.hold("chat.postMessage")
        posting = asyncio.create_task(here.client.chat_postMessage(channel=here.general, text="x"))
        await here.client.auth_test()
        assert not posting.done() and here.slack.messages(here.general) == []
        here.slack.release("chat.postMessage")
        await posting
        assert len(here.slack.messages(here.general)) == 1


async def test_every_call_is_recorded_without_its_token() -> None:
    async with place() as here:
        await here.client.conversations_info(channel=here.general)
        (call,) = here.slack.calls
        assert (call.method, call.args, call.at) == (
            "conversations.info",
            {"channel": here.general},
            here.clock.now,
        )


def nothing(app: AsyncApp) -> None:
    @app.action("go")
    async def go(ack: Any) -> None:
        await ack()

    @app.shortcut("link_to_ticket")
    async def shortcut(ack: Any) -> None:
        await ack()


async def clicked(here: Place, *, ephemeral: bool = False) -> str:
    """The response_url of a click on a button in #general."""
    call = {"channel": here.general, "text": "Go?", "blocks": [actions(button("go"))]}
    method = "chat.postEphemeral" if ephemeral else "chat.postMessage"
    posted = await here.client.api_call(method, json=call | ({"user": here.ada} if ephemeral else {}))
    ts = str(posted["message_ts"] if ephemeral else posted["ts"])
    await here.slack.click(here.ada, here.general, ts, "go")
    return str(here.slack.deliveries[-1].payload["response_url"])


async def test_a_response_url_replaces_and_deletes_the_original() -> None:
    async with place() as here, connected(here.slack, nothing), aiohttp.ClientSession() as session:
        for ephemeral in (False, True):
            url = await clicked(here, ephemeral=ephemeral)
            assert (await session.post(url, json={"text": "Gone", "replace_original": True})).status == 200
            rows = here.slack.ephemerals(here.ada) if ephemeral else here.slack.messages(here.general)
            assert [(row["text"], "blocks" in row) for row in rows] == [("Gone", False)]
            await session.post(url, json={"delete_original": True})
            assert not (here.slack.ephemerals(here.ada) if ephemeral else here.slack.messages(here.general))


async def test_a_response_url_works_five_times_and_half_an_hour() -> None:
    async with place() as here, connected(here.slack, nothing), aiohttp.ClientSession() as session:
        url = await clicked(here)
        statuses = [(await session.post(url, json={"text": str(number)})).status for number in range(6)]
        assert statuses == [200, 200, 200, 200, 200, 404]
        late = await clicked(here)
        here.clock.now += 1801
        assert (await session.post(late, json={"text": "late"})).status == 404
        assert [row["text"] for row in here.slack.ephemerals(here.ada)] == ["0", "1", "2", "3", "4"]


async def test_the_response_url_of_a_shortcut_cannot_post_into_the_thread() -> None:
    async with place() as here, connected(here.slack, nothing), aiohttp.ClientSession() as session:
        root = await here.slack.say(here.ada, here.general, "root")
        await here.slack.message_shortcut(here.ada, "link_to_ticket", here.general, root)
        (shortcut,) = [sent for sent in here.slack.deliveries if sent.kind == "interactive"]
        url = shortcut.payload["response_url"]
        await session.post(url, json={"text": "here", "response_type": "in_channel", "thread_ts": root})
        assert len(here.slack.messages(here.general, root)) == 1
        assert here.slack.messages(here.general)[-1]["text"] == "here"


async def test_nonsense_is_refused_and_breaks_nothing() -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {here.slack.bot_token}", "Content-Type": "application/json"}
        answers = [
            await session.post(f"{here.slack.api_url}chat.postMessage", data=body, headers=headers)
            for body in (b"{", b"[]", b'{"channel": 7}', b"\xff")
        ]
        assert [(await answer.json())["error"] for answer in answers] == [
            "invalid_json",
            "invalid_json",
            "invalid_arguments",
            "invalid_json",
        ]
        assert (await session.post(f"{here.slack.url}/respond/none", json={})).status == 404
