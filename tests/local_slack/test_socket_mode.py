"""Events, commands and interactions over Socket Mode, with a real Bolt app."""

import asyncio
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack import LocalSlack, SlackRefuses
from tests.local_slack.app import actions, button, connected, manifest, modal, place, text_input


def quiet(app: AsyncApp) -> None:
    """Acknowledges every event and does nothing."""

    @app.event({"type": "message"})
    async def message() -> None: ...

    @app.event("app_mention")
    async def mention() -> None: ...

    @app.event("member_joined_channel")
    async def joined() -> None: ...


async def test_a_mention_gives_two_events_of_one_message_with_different_ids() -> None:
    async with place() as here, connected(here.slack, quiet):
        ts = await here.slack.say(here.ada, here.general, f"<@{here.slack.bot_user_id}> hello")
        await here.slack.until(lambda slack: [sent.status for sent in slack.deliveries] == ["acked"] * 2)
        first, second = here.slack.deliveries
        assert [first.event["type"], second.event["type"]] == ["app_mention", "message"]
        assert {first.event["ts"], second.event["ts"]} == {ts}
        assert first.payload["event_id"] != second.payload["event_id"]


async def test_the_two_events_of_a_mention_may_come_in_either_order() -> None:
    async with place(mention_first=False) as here, connected(here.slack, quiet):
        await here.slack.say(here.ada, here.general, f"<@{here.slack.bot_user_id}> hello")
        await here.slack.until(lambda slack: len(slack.deliveries) == 2)
        assert [sent.event["type"] for sent in here.slack.deliveries] == ["message", "app_mention"]


async def test_an_event_nobody_listens_to_is_sent_again_and_then_given_up() -> None:
    retries = (0.0, 0.0, 0.0)
    async with (
        place(ack_within=0.05, retries=retries) as here,
        connected(here.slack, lambda app: None),
    ):
        await here.slack.say(here.ada, here.general, "hello")
        await here.slack.until(lambda slack: len([s for s in slack.deliveries if s.status != "sent"]) == 4)
        assert [sent.attempt for sent in here.slack.deliveries] == [0, 1, 2, 3]
        assert {sent.status for sent in here.slack.deliveries} == {"http_timeout"}
        assert len({sent.payload["event_id"] for sent in here.slack.deliveries}) == 1


async def test_an_envelope_says_which_retry_it_is_and_takes_its_answer() -> None:
    async with place(ack_within=0.05, retries=(0.0,)) as here, aiohttp.ClientSession() as session:
        socket = await session.ws_connect(await socket_url(here.slack))
        assert (await socket.receive_json())["type"] == "hello"
        await here.slack.say(here.ada, here.general, "hello")
        first, again = [await socket.receive_json() for _ in range(2)]
        assert (first["retry_attempt"], again["retry_attempt"]) == (0, 1)
        assert (again["retry_reason"], again["accepts_response_payload"]) == ("http_timeout", False)
        await socket.send_json({"envelope_id": again["envelope_id"]})
        await here.slack.until(lambda slack: slack.deliveries[-1].status == "acked")


async def socket_url(slack: LocalSlack) -> str:
    client = AsyncWebClient(token=slack.app_token, base_url=slack.api_url)
    answer = await client.apps_connections_open(app_token=slack.app_token)
    return str(answer["url"])


async def test_pings_come_back_with_the_same_payload() -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        socket = await session.ws_connect(await socket_url(here.slack), autoping=False)
        await socket.receive_json()
        await socket.ping(b"sdk-ping-pong:1.5")
        pong = await socket.receive()
        assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1.5")


async def test_a_ticket_lets_one_connection_in_and_the_eleventh_is_one_too_many() -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        url = await socket_url(here.slack)
        opened = []
        for number in range(10):
            opened.append(await session.ws_connect(url))
            assert (await opened[number].receive_json())["num_connections"] == number + 1
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(url)
            url = await socket_url(here.slack)
        refused = await session.ws_connect(url)
        assert (await refused.receive_json())["reason"] == "too_many_websockets"


async def test_any_of_several_connections_gets_a_payload() -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(await socket_url(here.slack)) for _ in range(2)]
        for socket in sockets:
            await socket.receive_json()
        for text in ("one", "two"):
            await here.slack.say(here.ada, here.general, text)
        texts = [(await socket.receive_json())["payload"]["event"]["text"] for socket in sockets]
        assert sorted(texts) == ["one", "two"]


async def test_events_wait_for_a_connection_and_follow_a_lost_one() -> None:
    async with place() as here:
        await here.slack.say(here.ada, here.general, "nobody is there yet")
        async with connected(here.slack, quiet):
            await here.slack.until(lambda slack: [s.status for s in slack.deliveries] == ["acked"])
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(await socket_url(here.slack))
            await socket.receive_json()
            await here.slack.say(here.ada, here.general, "lost on the way")
            await socket.receive_json()
            await socket.close()
        async with connected(here.slack, quiet):
            await here.slack.until(lambda slack: slack.deliveries[-1].status == "acked")
        assert [s.status for s in here.slack.deliveries] == ["acked", "connection_failed", "acked"]


async def test_the_app_reconnects_when_slack_asks_it_to() -> None:
    async with place() as here, connected(here.slack, quiet):
        await here.slack.disconnect("refresh_requested")
        await here.slack.until(lambda slack: [call.method for call in slack.calls].count("apps.connections.open") == 2)
        await here.slack.say(here.ada, here.general, "still there?")
        await here.slack.until(lambda slack: slack.deliveries[-1].status == "acked")


async def test_a_delivery_can_be_sent_again() -> None:
    async with place() as here, connected(here.slack, quiet):
        await here.slack.say(here.ada, here.general, "once")
        await here.slack.until(lambda slack: slack.deliveries[0].status == "acked")
        await here.slack.redeliver(0)
        await here.slack.redeliver(lambda sent: sent.event.get("text") == "once")
        assert [sent.attempt for sent in here.slack.deliveries] == [0, 1, 2]
        assert len({sent.payload["event_id"] for sent in here.slack.deliveries}) == 1


def doors(app: AsyncApp) -> None:
    """A command that opens a modal, the modal, and a button that answers by its response_url."""

    @app.command("/link")
    async def link(ack: Any, body: Any, client: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal(text_input(), private_metadata=body["text"]))
        await ack()

    @app.view("archive")
    async def archive(ack: Any, view: Any) -> None:
        typed = view["state"]["values"]["note"]["text"]["value"]
        await ack(response_action="errors", errors={"note": "Too short"}) if typed == "x" else await ack()

    @app.action("go")
    async def go(ack: Any, respond: Any, body: Any) -> None:
        await ack()
        await respond(f"{body['actions'][0]['value']}, {body['container']['thread_ts']}")

    @app.shortcut("link_to_ticket")
    async def shortcut(ack: Any, body: Any, client: Any) -> None:
        await ack()
        root = body["message"].get("thread_ts", body["message"]["ts"])
        place = {"channel": body["channel"]["id"], "user": body["user"]["id"], "thread_ts": root}
        with suppress(SlackApiError):
            await client.chat_postEphemeral(**place, text="Which ticket?")


async def test_a_command_opens_a_modal_whose_errors_keep_it_open() -> None:
    async with place() as here, connected(here.slack, doors):
        await here.slack.command(here.ada, here.general, "/link T-042")
        (view,) = here.slack.views(here.ada)
        assert (view["callback_id"], view["private_metadata"]) == ("archive", "T-042")
        refused = await here.slack.submit(here.ada, view["id"], {"note": {"text": "x"}})
        assert refused == {"response_action": "errors", "errors": {"note": "Too short"}}
        assert len(here.slack.views(here.ada)) == 1
        assert await here.slack.submit(here.ada, view["id"], {"note": {"text": "done"}}) == {}
        assert here.slack.views(here.ada) == []


async def test_a_command_is_refused_in_a_thread_and_nothing_is_sent() -> None:
    async with place() as here, connected(here.slack, doors):
        with pytest.raises(SlackRefuses, match=r"^/link is not supported in threads$"):
            await here.slack.command(here.ada, here.general, "/link T-042", thread_ts="1.1")
        with pytest.raises(SlackRefuses, match="/unlink is not a valid command"):
            await here.slack.command(here.ada, here.general, "/unlink")
        assert here.slack.deliveries == []


async def test_a_command_that_nobody_acknowledges_fails_visibly() -> None:
    async with place(ack_within=0.05) as here:
        with pytest.raises(SlackRefuses, match="dispatch_failed"):
            await here.slack.command(here.ada, here.general, "/link")
        async with connected(here.slack, lambda app: None):
            with pytest.raises(SlackRefuses, match='/link failed with the error "operation_timeout"'):
                await here.slack.command(here.ada, here.general, "/link")


async def test_a_button_in_a_thread_is_answered_through_its_response_url() -> None:
    async with place() as here, connected(here.slack, doors):
        root = await here.slack.say(here.ada, here.general, "root")
        posted = await here.client.chat_postMessage(
            channel=here.general, thread_ts=root, text="Go?", blocks=[actions(button("go", "a"), button("stop"))]
        )
        await here.slack.click(here.ada, here.general, str(posted["ts"]), "go")
        assert [row["text"] for row in here.slack.ephemerals(here.ada)] == [f"a, {root}"]


async def test_a_button_only_one_person_sees_can_be_clicked_by_that_person_alone() -> None:
    async with place() as here, connected(here.slack, doors):
        bob = here.slack.add_user("Bob")
        here.slack.invite(here.general, bob)
        root = await here.slack.say(here.ada, here.general, "root")
        shown = await here.client.chat_postEphemeral(
            channel=here.general, user=here.ada, thread_ts=root, text="Go?", blocks=[actions(button("go"))]
        )
        ts = str(shown["message_ts"])
        with pytest.raises(SlackRefuses):
            await here.slack.click(bob, here.general, ts, "go")
        await here.slack.click(here.ada, here.general, ts, "go")
        payload = here.slack.deliveries[-1].payload
        assert payload["message"] == {"type": "message", "ts": ts, "thread_ts": root}
        assert payload["container"] == {
            "type": "message",
            "message_ts": ts,
            "channel_id": here.general,
            "is_ephemeral": True,
            "thread_ts": root,
        }


async def test_a_message_shortcut_knows_the_thread_and_works_where_the_bot_is_no_member() -> None:
    async with place() as here, connected(here.slack, doors):
        root = await here.slack.say(here.ada, here.general, "root")
        reply = await here.slack.say(here.ada, here.general, "reply", thread_ts=root)
        await here.slack.message_shortcut(here.ada, "link_to_ticket", here.general, reply)
        assert [row["thread_ts"] for row in here.slack.ephemerals(here.ada)] == [root]
        elsewhere = here.slack.add_channel("elsewhere", members=(here.ada,))
        ts = await here.slack.say(here.ada, elsewhere, "no bot here")
        await here.slack.message_shortcut(here.ada, "link_to_ticket", elsewhere, ts)
        assert here.slack.calls[-1].answer["error"] == "not_in_channel"
        with pytest.raises(SlackRefuses):
            await here.slack.message_shortcut(here.ada, "archive_to_ticket", here.general, reply)


async def test_what_the_manifest_does_not_subscribe_to_is_not_sent() -> None:
    declared = manifest(events=("app_mention", "message.im"))
    async with place(declared) as here, connected(here.slack, quiet):
        await here.slack.say(here.ada, here.general, "only for people")
        await here.slack.say(here.ada, here.general, f"<@{here.slack.bot_user_id}> for the bot")
        await here.slack.say(here.ada, here.slack.open_dm(here.ada), "in private")
        await here.slack.until(lambda slack: len(slack.deliveries) == 2)
        kinds = [(sent.event["type"], sent.event.get("channel_type")) for sent in here.slack.deliveries]
        assert kinds == [("app_mention", None), ("message", "im")]


async def test_an_event_without_its_scope_is_not_sent_and_neither_are_messages_of_strange_channels() -> None:
    declared = manifest(scopes=("chat:write", "channels:history"))
    async with place(declared) as here, connected(here.slack, quiet):
        await here.slack.say(here.ada, here.general, f"<@{here.slack.bot_user_id}> hello")
        await here.slack.say(here.ada, here.slack.add_channel("away", members=(here.ada,)), "hello")
        await here.slack.until(lambda slack: len(slack.deliveries) == 1)
        assert here.slack.deliveries[0].event["type"] == "message"


async def test_the_bots_own_messages_arrive_as_events_too() -> None:
    async with place() as here, connected(here.slack, quiet):
        await here.client.chat_postMessage(channel=here.general, text="mine")
        await here.slack.until(lambda slack: len(slack.deliveries) == 1)
        event = here.slack.deliveries[0].event
        assert (event["bot_id"], event["user"], event["text"]) == (
            here.slack.bot_id,
            here.slack.bot_user_id,
            "mine",
        )


async def test_waiting_in_vain_says_what_was_called_last() -> None:
    async with place() as here:
        await here.client.auth_test()
        waiting = asyncio.create_task(here.slack.until(lambda slack: False, timeout=0.05))
        with pytest.raises(TimeoutError, match=r"auth\.test"):
            await waiting
