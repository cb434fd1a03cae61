"""Threads and channels: replies, deletions, pages, members."""

import pytest

from bot.local_slack import SlackRefuses
from tests.local_slack.app import NOBODY, manifest, place


async def test_a_thread_is_read_in_pages_with_its_root_at_the_head_of_each() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "root")
        for number in range(5):
            await here.slack.say(here.ada, here.general, str(number), thread_ts=root)
        texts, cursor = [], None
        while cursor != "":
            page = await here.client.conversations_replies(channel=here.general, ts=root, limit=2, cursor=cursor)
            messages = page["messages"] or []
            assert messages[0]["text"] == "root"
            texts.append([row["text"] for row in messages[1:]])
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
        assert texts == [["0", "1"], ["2", "3"], ["4"]]


async def test_history_is_newest_first_without_replies_and_metadata_comes_on_demand() -> None:
    metadata = {"event_type": "post", "event_payload": {"key": "k"}}
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "first")
        await here.slack.say(here.ada, here.general, "reply", thread_ts=root)
        await here.client.chat_postMessage(channel=here.general, text="second", metadata=metadata)
        plain = (await here.client.conversations_history(channel=here.general))["messages"] or []
        assert [(row["text"], "metadata" in row) for row in plain] == [("second", False), ("first", False)]
        whole = await here.client.conversations_history(channel=here.general, include_all_metadata=True)
        assert (whole["messages"] or [])[0]["metadata"] == metadata


async def test_a_root_counts_its_replies() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "root")
        assert "thread_ts" not in here.slack.messages(here.general)[0]
        await here.slack.say(here.ada, here.general, "one", thread_ts=root)
        last = await here.client.chat_postMessage(channel=here.general, text="two", thread_ts=root)
        counted = here.slack.messages(here.general)[0]
        assert {key: counted[key] for key in ("thread_ts", "reply_count", "latest_reply", "reply_users")} == {
            "thread_ts": root,
            "reply_count": 2,
            "latest_reply": last["ts"],
            "reply_users": [here.ada, here.slack.bot_user_id],
        }
        await here.client.chat_delete(channel=here.general, ts=str(last["ts"]))
        assert here.slack.messages(here.general)[0]["reply_count"] == 1


async def test_replies_go_to_roots_only() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "root")
        reply = await here.slack.say(here.ada, here.general, "reply", thread_ts=root)
        lost = await here.slack.say(here.ada, here.general, "deleted")
        await here.slack.delete(here.ada, here.general, lost)
        for thread_ts in (reply, lost, "1.000001"):
            call = {"channel": here.general, "text": "x", "thread_ts": thread_ts}
            assert await here.refused("chat.postMessage", **call) == "thread_not_found"
        with pytest.raises(SlackRefuses):
            await here.slack.say(here.ada, here.general, "x", thread_ts=lost)
        assert await here.refused("conversations.replies", channel=here.general, ts=lost) == "thread_not_found"


async def test_a_deleted_root_with_replies_leaves_a_tombstone_until_the_last_reply_goes() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "root")
        reply = await here.slack.say(here.ada, here.general, "reply", thread_ts=root)
        await here.slack.delete(here.ada, here.general, root)
        tombstone, kept = here.slack.messages(here.general, root)
        assert (tombstone["subtype"], tombstone["user"], kept["text"]) == ("tombstone", "USLACKBOT", "reply")
        await here.client.chat_postMessage(channel=here.general, text="still a thread", thread_ts=root)
        await here.slack.delete(here.ada, here.general, reply)
        own = here.slack.messages(here.general, root)[-1]
        await here.client.chat_delete(channel=here.general, ts=own["ts"])
        assert here.slack.messages(here.general, root) == []


async def test_edits_and_deletions_tell_what_was_there_before() -> None:
    async with place() as here:
        ts = await here.slack.say(here.ada, here.general, "befor")
        await here.slack.edit(here.ada, here.general, ts, "before")
        await here.slack.delete(here.ada, here.general, ts)
        here.slack.request_url = NOBODY
        await here.slack.until(lambda slack: len({sent.payload["event_id"] for sent in slack.deliveries}) == 3)
        first, second, third = (sent.event for sent in here.slack.deliveries[:3])
        assert (first["text"], first["ts"], "subtype" in first) == ("befor", ts, False)
        assert (second["subtype"], second["hidden"], second["previous_message"]["text"]) == (
            "message_changed",
            True,
            "befor",
        )
        assert (second["message"]["text"], second["message"]["edited"]["user"]) == ("before", here.ada)
        assert (third["subtype"], third["deleted_ts"], third["previous_message"]["text"]) == (
            "message_deleted",
            ts,
            "before",
        )
        assert len({first["ts"], second["ts"], third["ts"]}) == 3


async def test_people_change_only_their_own_messages_and_speak_only_where_they_are() -> None:
    async with place() as here:
        bob = here.slack.add_user("Bob")
        ts = await here.slack.say(here.ada, here.general, "mine")
        with pytest.raises(SlackRefuses, match="not in #general"):
            await here.slack.say(bob, here.general, "hello")
        here.slack.invite(here.general, bob)
        for act in (here.slack.edit(bob, here.general, ts, "his"), here.slack.delete(bob, here.general, ts)):
            with pytest.raises(SlackRefuses, match="your own messages"):
                await act


async def test_an_admin_deletes_what_others_have_posted_and_edits_nothing_of_it() -> None:
    async with place() as here:
        boss = here.slack.add_user("Boss", is_admin=True)
        here.slack.invite(here.general, boss)
        hers = await here.slack.say(here.ada, here.general, "hers")
        posted = await here.client.chat_postMessage(channel=here.general, text="the bot's")
        with pytest.raises(SlackRefuses, match="your own messages"):
            await here.slack.edit(boss, here.general, hers, "his")
        for ts in (hers, str(posted["ts"])):
            await here.slack.delete(boss, here.general, ts)
        assert here.slack.messages(here.general) == []
        assert [(await here.client.users_info(user=user))["user"]["is_admin"] for user in (boss, here.ada)] == [
            True,
            False,
        ]


async def test_what_people_type_arrives_as_slack_writes_it() -> None:
    async with place() as here:
        typed = f"<@{here.slack.bot_user_id}> a < b & c -> https://example.com/T-042."
        await here.slack.say(here.ada, here.general, typed)
        (message,) = here.slack.messages(here.general)
        assert message["text"] == (f"<@{here.slack.bot_user_id}> a &lt; b &amp; c -&gt; <https://example.com/T-042>.")
        (section,) = message["blocks"][0]["elements"]
        assert section["elements"] == [
            {"type": "user", "user_id": here.slack.bot_user_id},
            {"type": "text", "text": " a < b & c -> "},
            {"type": "link", "url": "https://example.com/T-042"},
            {"type": "text", "text": "."},
        ]


async def test_a_file_is_shared_as_a_users_message_and_read_with_the_token() -> None:
    async with place() as here:
        await here.slack.say(here.ada, here.general, "see", files=[("notes.txt", b"hello")])
        (message,) = here.slack.messages(here.general)
        (file,) = message["files"]
        assert (message["subtype"], file["name"], file["size"]) == ("file_share", "notes.txt", 5)


async def test_a_transcript_is_uploaded_in_three_steps() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "root")
        await here.client.files_upload_v2(
            channel=here.general,
            thread_ts=root,
            filename="transcript.md",
            content="# Transcript",
            initial_comment="Here",
        )
        shared = here.slack.messages(here.general, root)[1]
        assert (shared["text"], shared["files"][0]["name"]) == ("Here", "transcript.md")


async def test_who_is_where_depends_on_what_the_bot_may_know() -> None:
    async with place() as here:
        bob = here.slack.add_user("Bob")
        public = here.slack.add_channel("public", members=(bob,))
        here.slack.add_channel("secret", private=True, members=(bob,))
        both = here.slack.add_channel("both", private=True, members=(bob, here.slack.bot_user_id))
        types = "public_channel,private_channel"
        mine = await here.client.users_conversations(types=types)
        assert [row["id"] for row in mine["channels"] or []] == [here.general, both]
        his = await here.client.users_conversations(user=bob, types=types)
        assert [row["id"] for row in his["channels"] or []] == [public, both]
        first = await here.client.users_conversations(user=bob, types=types, limit=1)
        rest = await here.client.users_conversations(
            user=bob, types=types, limit=1, cursor=first["response_metadata"]["next_cursor"]
        )
        assert [row["id"] for row in rest["channels"] or []] == [both]


async def test_a_channel_says_whether_it_is_private_shared_or_direct() -> None:
    async with place() as here:
        private = here.slack.add_channel("p", private=True, members=(here.slack.bot_user_id,))
        names = ("is_private", "is_im", "is_mpim", "is_ext_shared")
        channels = {
            here.general: (False, False, False, False),
            private: (True, False, False, False),
            here.slack.add_channel("s", shared=True): (False, False, False, True),
            here.slack.open_dm(here.ada): (True, True, False, False),
        }
        for channel, expected in channels.items():
            answer = await here.client.conversations_info(channel=channel, include_num_members=True)
            assert tuple(answer["channel"][name] for name in names) == expected
        secret = here.slack.add_channel("secret", private=True, members=(here.ada,))
        assert await here.refused("conversations.info", channel=secret) == "channel_not_found"
        members = await here.client.conversations_members(channel=here.general)
        assert members["members"] == [here.ada, here.slack.bot_user_id]


async def test_the_scope_depends_on_the_kind_of_channel() -> None:
    async with place(manifest(scopes=("channels:read", "channels:history"))) as here:
        private = here.slack.add_channel("p", private=True, members=(here.slack.bot_user_id,))
        await here.client.conversations_history(channel=here.general)
        assert await here.refused("conversations.info", channel=private) == "missing_scope"
        assert await here.refused("conversations.history", channel=private) == "missing_scope"
        assert here.slack.calls[-1].answer["needed"] == "groups:history"
        assert await here.refused("users.conversations", types="private_channel") == "missing_scope"
        assert await here.refused("conversations.join", channel=here.general) == "missing_scope"


async def test_a_channel_takes_everything_along_when_its_id_changes() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "root")
        await here.client.chat_postEphemeral(channel=here.general, user=here.ada, text="psst")
        new = here.slack.change_channel_id(here.general)
        assert [row["ts"] for row in here.slack.messages(new)] == [root]
        assert here.slack.ephemerals(here.ada)[0]["channel"] == new
        assert await here.refused("chat.postMessage", channel=here.general, text="x") == "channel_not_found"
        await here.client.chat_postMessage(channel=new, text="x", thread_ts=root)


async def test_the_bot_joins_and_leaves_and_is_told() -> None:
    async with place() as here:
        channel = here.slack.add_channel("new", members=(here.ada,))
        await here.client.conversations_join(channel=channel)
        here.slack.remove(channel, here.slack.bot_user_id)
        here.slack.invite(channel, here.slack.bot_user_id)
        here.slack.request_url = NOBODY
        await here.slack.until(lambda slack: len(slack.deliveries) >= 2)
        kinds = [(sent.event["type"], sent.event["user"]) for sent in here.slack.deliveries[:2]]
        assert kinds == [("member_joined_channel", here.slack.bot_user_id)] * 2


async def test_a_stranger_in_a_shared_channel_has_another_team() -> None:
    async with place() as here:
        eve = here.slack.add_user("Eve", team_id="T0OTHER")
        shared = here.slack.add_channel("shared", shared=True, members=(eve, here.slack.bot_user_id))
        await here.slack.say(eve, shared, "hello")
        here.slack.request_url = NOBODY
        await here.slack.until(lambda slack: bool(slack.deliveries))
        payload = here.slack.deliveries[0].payload
        assert (payload["is_ext_shared_channel"], payload["event"]["user_team"]) == (True, "T0OTHER")
        assert (await here.client.users_info(user=eve))["user"]["team_id"] == "T0OTHER"
        with pytest.raises(SlackRefuses, match="not a valid command"):
            await here.slack.command(eve, shared, "/link")
