"""A local Slack with a folder goes on where it stood, also after SIGKILL."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack import LocalSlack
from tests.local_slack.app import NOBODY, manifest, modal, place, text_input, trigger

PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from bot.local_slack import LocalSlack

async def main():
    slack = LocalSlack(json.loads(sys.argv[1]), data=Path(sys.argv[2]))
    await slack.start()
    ada = slack.add_user("Ada")
    general = slack.add_channel("general", members=(ada, slack.bot_user_id))
    print(slack.api_url, slack.bot_token, ada, general, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_everything_answered_is_there_after_sigkill(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, json.dumps(manifest()), str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    api_url, token, ada, general = (await process.stdout.readline()).decode().split()
    client = AsyncWebClient(token=token, base_url=api_url)
    metadata = {"event_type": "post", "event_payload": {"key": "k"}}
    posted = await client.chat_postMessage(channel=general, text="kept", metadata=metadata)
    await client.chat_postEphemeral(channel=general, user=ada, text="kept too")
    stream = await client.chat_startStream(
        channel=general,
        thread_ts=str(posted["ts"]),
        markdown_text="half",
        recipient_user_id=ada,
        recipient_team_id="T000LOCAL",
    )
    await client.views_publish(user_id=ada, view={"type": "home", "blocks": []})
    process.send_signal(signal.SIGKILL)
    await process.wait()

    async with place(data=tmp_path) as again:
        assert again.slack.bot_token == token
        again_client = AsyncWebClient(token=token, base_url=again.slack.api_url)
        root, reply = again.slack.messages(general, str(posted["ts"]))
        assert (root["metadata"], reply["text"]) == (metadata, "half")
        assert [row["text"] for row in again.slack.ephemerals(ada)] == ["kept too"]
        assert (again.slack.home(ada) or {})["type"] == "home"
        again.clock.now = float(str(stream["ts"])) + 1
        await again_client.chat_appendStream(channel=general, ts=str(stream["ts"]), markdown_text=" and whole")
        assert again.ada != ada


async def test_what_was_not_acknowledged_is_sent_after_a_restart(tmp_path: Path) -> None:
    async with place(data=tmp_path) as here:
        ts = await here.slack.say(here.ada, here.general, "anybody?")
    async with place(data=tmp_path) as again:
        again.slack.request_url = NOBODY
        await again.slack.until(lambda slack: bool(slack.deliveries))
        assert again.slack.deliveries[0].event["ts"] == ts


async def test_open_views_survive(tmp_path: Path) -> None:
    slack = LocalSlack(manifest(), data=tmp_path)
    await slack.start()
    ada = slack.add_user("Ada")
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    await client.views_open(trigger_id=await trigger(slack, ada), view=modal(text_input()))
    before = slack.views(ada)
    await slack.stop()
    assert LocalSlack(manifest(), data=tmp_path).views(ada) == before != []


async def test_two_workspaces_share_neither_tokens_nor_team() -> None:
    async with place() as one, place(team_id="T000OTHER") as other:
        assert one.slack.team_id != other.slack.team_id
        assert one.slack.bot_token != other.slack.bot_token
        assert one.slack.signing_secret != other.slack.signing_secret
