"""The HTTP that the page uses."""

import asyncio

import aiohttp
import pytest

from tests.local_slack.app import Json, Place, place


async def act(here: Place, session: aiohttp.ClientSession, **body: object) -> Json:
    answer = await session.post(f"{here.slack.url}/local/act", json=body)
    result: Json = await answer.json()
    return result


async def test_the_state_holds_what_one_person_sees() -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        bob = here.slack.add_user("Bob")
        secret = here.slack.add_channel("secret", private=True, members=(bob,))
        away = here.slack.add_channel("away", members=(bob,))
        await here.slack.say(bob, secret, "not for Ada")
        root = await here.slack.say(here.ada, here.general, "root")
        await here.slack.say(here.ada, here.general, "reply", thread_ts=root)
        await here.client.chat_postEphemeral(channel=here.general, user=here.ada, text="psst")
        answer = await session.get(f"{here.slack.url}/local/state", params={"user": here.ada})
        state = await answer.json()
        assert [(row["id"], row["member"]) for row in state["channels"]] == [(here.general, True), (away, False)]
        assert {name: [m["text"] for m in rows] for name, rows in state["messages"].items()} == {
            here.general: ["root", "reply"]
        }
        assert [row["text"] for row in state["ephemerals"]] == ["psst"]
        assert (state["me"], state["home"], state["views"]) == (here.ada, None, [])
        assert [row["command"] for row in state["commands"]] == ["/link"]
        assert [row["callback_id"] for row in state["message_shortcuts"]] == ["link_to_ticket"]
        assert [row["callback_id"] for row in state["global_shortcuts"]] == ["new_ticket"]
        assert state["app"]["bot_user_id"] == here.slack.bot_user_id


async def test_acts_do_what_people_do_and_say_what_slack_says() -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        said = await act(here, session, user=here.ada, act="say", channel=here.general, text="hello")
        assert said == {"ok": True, "result": here.slack.messages(here.general)[0]["ts"]}
        refused = await act(
            here, session, user=here.ada, act="command", channel=here.general, text="/link", thread_ts="1.1"
        )
        assert refused == {"ok": False, "error": "/link is not supported in threads"}
        direct = await act(here, session, user=here.ada, act="open_dm")
        assert direct["result"] == here.slack.open_dm(here.ada)


async def test_people_join_public_channels_and_bring_others_in_and_out() -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        bob = here.slack.add_user("Bob")
        away = here.slack.add_channel("away", members=(bob,))
        secret = here.slack.add_channel("secret", private=True, members=(bob,))
        joined = await act(here, session, user=here.ada, act="join", channel=away)
        assert joined == {"ok": True, "result": None}
        hidden = await act(here, session, user=here.ada, act="join", channel=secret)
        assert hidden == {"ok": False, "error": "This channel is not there."}

        member = {"user": here.ada, "channel": away, "member": here.slack.bot_user_id}
        assert (await act(here, session, act="invite", **member))["ok"]
        state = await (await session.get(f"{here.slack.url}/local/state", params={"user": here.ada})).json()
        row = next(one for one in state["channels"] if one["id"] == away)
        assert (row["member"], row["bot"]) == (True, True)
        again = await act(here, session, act="invite", **member)
        assert again["error"].endswith("is in #away already.")
        assert (await act(here, session, act="remove", **member))["ok"]
        nobody = await act(here, session, act="invite", **{**member, "member": "@zoe"})
        assert nobody == {"ok": False, "error": "There is nobody called @zoe."}
        outside = await act(here, session, act="invite", **{**member, "channel": secret})
        assert outside == {"ok": False, "error": "You are not in #secret. Join the channel first."}


@pytest.mark.parametrize("body", [{"act": "explode"}, {"act": "say"}, {"act": "say", "shout": 1}, {}])
async def test_what_is_no_act_is_refused(body: Json) -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        answer = await session.post(f"{here.slack.url}/local/act", json={"user": here.ada, **body})
        assert (answer.status, (await answer.json())["ok"]) == (400, False)


async def test_waiting_ends_with_the_next_change() -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        url = f"{here.slack.url}/local/changes"
        now = (await (await session.get(url, params={"after": 0})).json())["revision"]
        waiting = asyncio.create_task(session.get(url, params={"after": now}))
        await (await session.get(f"{here.slack.url}/local/state")).read()
        assert not waiting.done()
        await here.slack.say(here.ada, here.general, "news")
        assert (await (await waiting).json())["revision"] > now


async def test_other_sites_and_other_names_are_kept_out() -> None:
    async with place() as here, aiohttp.ClientSession() as session:
        url = f"{here.slack.url}/local/act"
        body = {"user": here.ada, "act": "say", "channel": here.general, "text": "x"}
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            assert (await session.post(url, json=body, headers=headers)).status == 403
        assert (await session.post(url, data=body)).status == 415
        assert here.slack.messages(here.general) == []
        own = {"Origin": here.slack.url, "Sec-Fetch-Site": "same-origin"}
        assert (await session.post(url, json=body, headers=own)).status == 200
