"""chat.*: what is posted and changed, and what Slack refuses."""

import json

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack import SlackRefuses
from tests.local_slack.app import Json, actions, button, manifest, place

SECTION = {"type": "section", "block_id": "a", "text": {"type": "mrkdwn", "text": "*hello*"}}


async def test_a_posted_message_is_the_bots_and_keeps_its_metadata() -> None:
    metadata = {"event_type": "post", "event_payload": {"key": "abc"}}
    async with place() as here:
        answer = await here.client.chat_postMessage(
            channel=here.general, text="hello", blocks=[SECTION], metadata=metadata
        )
        (message,) = here.slack.messages(here.general)
        assert answer["message"] == message
        assert (message["bot_id"], message["user"]) == (here.slack.bot_id, here.slack.bot_user_id)
        assert (message["text"], message["blocks"], message["metadata"]) == ("hello", [SECTION], metadata)


async def test_a_form_says_the_same_as_json() -> None:
    async with place() as here:
        form = {"channel": here.general, "text": "hello", "blocks": json.dumps([SECTION])}
        await here.client.api_call("chat.postMessage", data=form)
        await here.client.api_call("chat.postMessage", json={**form, "blocks": [SECTION]})
        first, second = ({key: row[key] for key in ("text", "blocks")} for row in here.slack.messages(here.general))
        assert first == second == {"text": "hello", "blocks": [SECTION]}


async def test_every_ts_is_new_although_the_clock_stands_still() -> None:
    async with place() as here:
        for _ in range(3):
            await here.client.chat_postMessage(channel=here.general, text="again")
        stamps = [row["ts"] for row in here.slack.messages(here.general)]
        assert stamps == ["1790000000.000000", "1790000000.000001", "1790000000.000002"]


async def test_posting_goes_where_the_bot_is_and_nowhere_else() -> None:
    async with place() as here:
        public = here.slack.add_channel("public", members=(here.ada,))
        private = here.slack.add_channel("private", private=True, members=(here.ada,))
        assert await here.refused("chat.postMessage", channel=public, text="x") == "not_in_channel"
        assert await here.refused("chat.postMessage", channel=private, text="x") == "channel_not_found"
        assert await here.refused("chat.postMessage", channel="C404", text="x") == "channel_not_found"
        assert await here.refused("chat.postMessage", channel=here.general) == "no_text"
        here.slack.invite(private, here.slack.bot_user_id)
        await here.client.chat_postMessage(channel=private, text="now it may")


async def test_a_persons_id_stands_for_their_direct_message() -> None:
    async with place() as here:
        answer = await here.client.chat_postMessage(channel=here.ada, text="psst")
        assert answer["channel"] == here.slack.open_dm(here.ada)


async def test_text_is_cut_above_forty_thousand_and_an_update_fails_above_four_thousand() -> None:
    async with place() as here:
        posted = await here.client.chat_postMessage(channel=here.general, text="x" * 50_000)
        assert len(here.slack.messages(here.general)[0]["text"]) == 40_000
        place_of = {"channel": here.general, "ts": posted["ts"]}
        assert await here.refused("chat.update", **place_of, text="x" * 4001) == "msg_too_long"
        await here.client.chat_update(**place_of, text="x" * 4000)


async def test_markdown_has_twelve_thousand_characters_together() -> None:
    async with place() as here:
        halves = [{"type": "markdown", "text": "x" * 6001} for _ in range(2)]
        assert await here.refused("chat.postMessage", channel=here.general, blocks=halves) == "msg_too_long"
        whole = "x" * 12_001
        assert await here.refused("chat.postMessage", channel=here.general, markdown_text=whole) == "msg_too_long"
        both = {"markdown_text": "a", "text": "b"}
        assert await here.refused("chat.postMessage", channel=here.general, **both) == "markdown_text_conflict"


async def test_an_update_without_blocks_removes_them_and_keeps_the_metadata() -> None:
    metadata = {"event_type": "post", "event_payload": {}}
    async with place() as here:
        posted = await here.client.chat_postMessage(channel=here.general, text="a", blocks=[SECTION], metadata=metadata)
        await here.client.chat_update(channel=here.general, ts=str(posted["ts"]), text="b")
        (message,) = here.slack.messages(here.general)
        assert (message["text"], "blocks" in message, message["metadata"]) == ("b", False, metadata)
        await here.client.chat_update(channel=here.general, ts=str(posted["ts"]), text="b", metadata={})
        assert "metadata" not in here.slack.messages(here.general)[0]


async def test_only_its_own_messages_can_be_changed_or_deleted_by_the_bot() -> None:
    async with place() as here:
        hers = {"channel": here.general, "ts": await here.slack.say(here.ada, here.general, "mine")}
        nothing = {"channel": here.general, "ts": "1.000001"}
        assert await here.refused("chat.update", **hers, text="x") == "cant_update_message"
        assert await here.refused("chat.delete", **hers) == "cant_delete_message"
        assert await here.refused("chat.update", **nothing, text="x") == "message_not_found"
        assert await here.refused("chat.delete", **nothing) == "message_not_found"


@pytest.mark.parametrize(
    "metadata",
    ["text", {"event_type": "post"}, {"event_type": 7, "event_payload": {}}, {"entities": [{"url": "x"}]}],
)
async def test_metadata_of_another_form_is_refused(metadata: object) -> None:
    async with place() as here:
        call = {"channel": here.general, "text": "x", "metadata": metadata}
        assert await here.refused("chat.postMessage", **call) == "invalid_metadata_format"


async def test_a_ticket_can_be_posted_as_a_work_object_without_an_address() -> None:
    entity = {
        "entity_type": "slack#/entities/task",
        "external_ref": {"id": "T-042"},
        "entity_payload": {"attributes": {"title": {"text": "Avatars"}}},
    }
    async with place() as here:
        await here.client.chat_postMessage(channel=here.general, text="T-042", metadata={"entities": [entity]})
        assert here.slack.messages(here.general)[0]["metadata"] == {"entities": [entity]}


async def test_an_ephemeral_message_is_seen_by_one_member_only() -> None:
    async with place() as here:
        bob = here.slack.add_user("Bob")
        call: Json = {"channel": here.general, "text": "only you", "blocks": [actions(button("go"))]}
        assert await here.refused("chat.postEphemeral", **call, user=bob) == "user_not_in_channel"
        answer = await here.client.chat_postEphemeral(**call, user=here.ada)
        assert [row["ts"] for row in here.slack.ephemerals(here.ada)] == [answer["message_ts"]]
        assert (here.slack.ephemerals(bob), here.slack.messages(here.general)) == ([], [])
        shown = {"channel": here.general, "ts": answer["message_ts"]}
        assert await here.refused("chat.update", **shown, text="x") == "message_not_found"


async def test_a_permalink_leads_to_the_message_in_its_thread() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "root")
        reply = await here.slack.say(here.ada, here.general, "reply", root)
        answer = await here.client.chat_getPermalink(channel=here.general, message_ts=reply)
        digits = reply.replace(".", "")
        assert answer["permalink"] == (
            f"{here.slack.url}/archives/{here.general}/p{digits}?thread_ts={root}&cid={here.general}"
        )
        async with aiohttp.ClientSession() as session:
            page = await session.get(str(answer["permalink"]), allow_redirects=False)
            assert page.headers["Location"] == f"/?channel={here.general}&thread={root}"


async def test_tokens_methods_and_scopes_are_checked() -> None:
    async with place(manifest(scopes=("channels:read",))) as here:
        assert await here.refused("chat.postMessage", channel=here.general, text="x") == "missing_scope"
        assert here.slack.calls[-1].answer["needed"] == "chat:write"
        assert await here.refused("chat.wave") == "unknown_method"
        assert await here.refused("apps.connections.open") == "not_allowed_token_type"
        for token, error in (("", "not_authed"), ("xoxb-wrong", "invalid_auth")):
            with pytest.raises(SlackApiError, match=error):
                await AsyncWebClient(base_url=here.slack.api_url).api_call("auth.test", params={"token": token})


async def test_a_ts_sent_as_a_number_is_refused() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "root")
        call = {"channel": here.general, "text": "x", "thread_ts": float(root)}
        assert await here.refused("chat.postMessage", **call) == "invalid_arguments"


async def test_a_guest_cannot_use_an_agent() -> None:
    async with place() as here:
        guest = here.slack.add_user("Gus", guest=True)
        with pytest.raises(SlackRefuses, match="not available to guests"):
            await here.slack.say(guest, here.slack.open_dm(guest), "hello")
        with pytest.raises(SlackRefuses, match="not available to guests"):
            await here.slack.global_shortcut(guest, "new_ticket")


async def test_a_guest_can_use_an_app_that_is_no_agent() -> None:
    declared = manifest()
    del declared["features"]["agent_view"]
    async with place(declared) as here:
        guest = here.slack.add_user("Gus", guest=True)
        await here.slack.say(guest, here.slack.open_dm(guest), "hello")
