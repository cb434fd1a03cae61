"""Streamed messages and agent sessions."""

import pytest

from bot.local_slack import SlackRefuses
from tests.local_slack.app import NOBODY, Json, Place, manifest, place


async def started(here: Place, **more: object) -> Json:
    """A stream to Ada in a new thread of #general: its channel and ts."""
    root = await here.slack.say(here.ada, here.general, "question")
    recipient = {"recipient_user_id": here.ada, "recipient_team_id": here.slack.team_id}
    call = {"channel": here.general, "thread_ts": root, **recipient, **more}
    answer = await here.client.api_call("chat.startStream", json=call)
    return {"channel": here.general, "ts": str(answer["ts"])}


async def test_a_stream_grows_and_its_end_carries_metadata() -> None:
    async with place() as here:
        stream = await started(here, markdown_text="One")
        await here.client.chat_appendStream(**stream, markdown_text=" two")
        metadata = {"event_type": "post", "event_payload": {"key": "k"}}
        await here.client.chat_stopStream(**stream, markdown_text=" three", metadata=metadata)
        message = here.slack.messages(here.general, here.slack.messages(here.general)[0]["ts"])[1]
        assert (message["text"], message["streaming_state"]) == ("One two three", "completed")
        assert message["metadata"] == metadata
        assert [block["type"] for block in message["blocks"]] == ["markdown"]


async def test_a_stream_ends_five_minutes_after_it_began_whatever_is_appended() -> None:
    async with place() as here:
        stream = await started(here, markdown_text="a")
        here.clock.now += 299
        await here.client.chat_appendStream(**stream, markdown_text="b")
        assert await here.refused("chat.update", **stream, text="x") == "streaming_state_conflict"
        here.clock.now += 1
        for method in ("chat.appendStream", "chat.stopStream"):
            assert await here.refused(method, **stream, markdown_text="c") == "message_not_in_streaming_state"
        await here.client.chat_update(**stream, text="the whole answer")


async def test_in_channels_a_stream_needs_its_recipient_and_their_own_team() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "question")
        eve = here.slack.add_user("Eve", team_id="T0OTHER")
        here.slack.invite(here.general, eve)
        call = {"channel": here.general, "thread_ts": root}
        assert await here.refused("chat.startStream", **call) == "missing_recipient_user_id"
        call["recipient_user_id"] = eve
        assert await here.refused("chat.startStream", **call) == "missing_recipient_team_id"
        wrong = call | {"recipient_team_id": here.slack.team_id}
        assert await here.refused("chat.startStream", **wrong) == "team_not_found"
        await here.client.api_call("chat.startStream", json=call | {"recipient_team_id": "T0OTHER"})


async def test_in_a_direct_message_a_stream_needs_only_the_thread() -> None:
    async with place() as here:
        channel = here.slack.open_dm(here.ada)
        root = await here.slack.say(here.ada, channel, "question")
        await here.client.chat_startStream(channel=channel, thread_ts=root, markdown_text="answer")
        assert await here.refused("chat.startStream", channel=channel) == "invalid_arguments"
        lost = {"channel": channel, "thread_ts": "1.000001"}
        assert await here.refused("chat.startStream", **lost) == "thread_not_found"


async def test_task_updates_change_their_card() -> None:
    async with place() as here:
        stream = await started(here)
        task = {"type": "task_update", "id": "t1", "title": "get_ticket", "status": "in_progress"}
        await here.client.chat_appendStream(**stream, chunks=[task])
        words = {"type": "markdown_text", "text": "Done."}
        await here.client.chat_appendStream(**stream, chunks=[task | {"status": "complete"}, words])
        root = here.slack.messages(here.general)[0]["ts"]
        card, text = here.slack.messages(here.general, root)[1]["blocks"]
        assert (card["type"], card["task_id"], card["status"]) == ("task_card", "t1", "complete")
        assert text["text"] == "Done."
        bad = [task | {"status": "sleeping"}]
        assert await here.refused("chat.appendStream", **stream, chunks=bad) == "invalid_chunks"


async def test_a_stream_refuses_too_much_too_little_and_what_is_no_stream() -> None:
    async with place() as here:
        stream = await started(here)
        assert await here.refused("chat.appendStream", **stream) == "no_text"
        assert await here.refused("chat.appendStream", **stream, markdown_text="x" * 12_001) == "msg_too_long"
        posted = await here.client.chat_postMessage(channel=here.general, text="plain")
        plain = {"channel": here.general, "ts": posted["ts"], "markdown_text": "x"}
        assert await here.refused("chat.appendStream", **plain) == "message_not_in_streaming_state"
        hers = plain | {"ts": here.slack.messages(here.general)[0]["ts"]}
        assert await here.refused("chat.appendStream", **hers) == "message_not_owned_by_app"
        await here.client.chat_stopStream(**stream)
        assert await here.refused("chat.stopStream", **stream) == "message_not_in_streaming_state"


@pytest.mark.parametrize(("agent", "streaming"), [(False, True), (True, False)])
async def test_without_the_feature_streams_answer_an_error(agent: bool, streaming: bool) -> None:
    async with place(agent=agent, streaming=streaming) as here:
        root = await here.slack.say(here.ada, here.general, "question")
        call = {"channel": here.general, "thread_ts": root}
        assert await here.refused("chat.startStream", **call) == "feature_not_enabled"
        session = {"channel_id": here.general, "thread_ts": root, "status": "processing"}
        works = (await here.client.api_call("agents.sessions.setStatus", json=session))["ok"] if agent else False
        assert works is agent


async def test_an_app_that_declares_no_agent_is_none() -> None:
    declared = manifest()
    del declared["features"]["agent_view"]
    async with place(declared) as here:
        root = await here.slack.say(here.ada, here.general, "question")
        session = {"channel_id": here.general, "thread_ts": root, "status": "processing"}
        assert await here.refused("agents.sessions.setStatus", **session) == "feature_not_enabled"


async def test_stopping_ends_the_running_stream_and_tells_the_app() -> None:
    async with place() as here:
        stream = await started(here, markdown_text="thinking")
        root = here.slack.messages(here.general)[0]["ts"]
        session = {"channel_id": here.general, "thread_ts": root}
        await here.client.agents_sessions_setStatus(**session, status="processing", title="T-042")
        assert here.slack.agent_status(here.general, root) == "processing"
        await here.slack.stop_agent(here.ada, here.general, root)
        here.slack.request_url = NOBODY
        await here.slack.until(lambda slack: any(s.event["type"] == "agent_session_stopped" for s in slack.deliveries))
        event = next(s.event for s in here.slack.deliveries if s.event["type"] == "agent_session_stopped")
        assert (event["thread_ts"], event["streaming_message_ts"]) == (root, [stream["ts"]])
        assert await here.refused("chat.appendStream", **stream, markdown_text="x") == "stopped_by_user"
        await here.client.agents_sessions_rename(**session, title="Avatars")
        await here.client.agents_sessions_setStatus(**session, status="active")
        with pytest.raises(SlackRefuses, match="nothing is being processed"):
            await here.slack.stop_agent(here.ada, here.general, root)


async def test_without_its_event_there_is_no_stop_button() -> None:
    async with place(manifest(events=("app_mention",))) as here:
        root = await here.slack.say(here.ada, here.general, "question")
        session = {"channel_id": here.general, "thread_ts": root, "status": "processing"}
        answer = await here.client.api_call("agents.sessions.setStatus", json=session)
        assert answer["warning"] == "missing_agent_session_stopped_event_subscription"
        with pytest.raises(SlackRefuses, match="no stop button"):
            await here.slack.stop_agent(here.ada, here.general, root)


async def test_processing_times_out_after_an_hour() -> None:
    async with place() as here:
        root = await here.slack.say(here.ada, here.general, "question")
        session = {"channel_id": here.general, "thread_ts": root, "status": "processing"}
        await here.client.api_call("agents.sessions.setStatus", json=session)
        here.clock.now += 3601
        assert here.slack.agent_status(here.general, root) == ""
