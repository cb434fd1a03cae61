"""response_url: an address given with a command or an interaction, for 30 minutes and five answers."""

import secrets

from aiohttp import web

from bot.local_slack import messages
from bot.local_slack.methods_chat import body_of, by_bot, keep_ephemeral
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace

SECONDS, USES = 1800, 5


def new_url(
    workspace: Workspace,
    user: str,
    channel: str,
    *,
    message_ts: str | None = None,
    ephemeral: bool = False,
    threads: bool = False,
) -> str:
    """An address answering this person in this channel.

    message_ts: the message `replace_original` and `delete_original` are about. threads: whether it may
    post into threads (that of a message shortcut may not).
    """
    key = secrets.token_hex(12)
    row: Json = {"user": user, "channel": channel, "message_ts": message_ts, "ephemeral": ephemeral}
    row |= {"threads": threads, "ends_at": workspace.clock() + SECONDS, "left": USES}
    workspace.world.urls.put(key, row)
    return f"{workspace.url}/respond/{key}"


async def handle(workspace: Workspace, request: web.Request) -> web.Response:
    row = workspace.world.urls.get(request.match_info["key"])
    if row is None:
        return web.Response(status=404, text="expired_url")
    if workspace.clock() > row["ends_at"] or row["left"] < 1:
        return web.Response(status=404, text="used_url" if row["left"] < 1 else "expired_url")
    try:
        body = await request.json()
        respond(workspace, row, body)
    except ValueError:
        return web.Response(status=400, text="invalid_payload")
    except Refused as refused:
        return web.Response(status=400, text=str(refused))
    workspace.world.urls.put(request.match_info["key"], {**row, "left": row["left"] - 1})
    workspace.changed()
    return web.Response(text="ok")


def respond(workspace: Workspace, row: Json, body: Json) -> None:
    """Does what an answer asks for: a new message, or replacing or deleting the original."""
    channel = workspace.world.channels.get(row["channel"])
    if channel is None:
        raise Refused("channel_not_found")
    original = row["message_ts"]
    if original is not None and (body.get("delete_original") or body.get("replace_original")):
        _change_original(workspace, row, body)
        return
    message, _ = body_of(body)
    message = {**by_bot(workspace), **message}
    thread_ts = body.get("thread_ts") if row["threads"] else None
    if body.get("response_type") == "in_channel":
        messages.post(workspace, channel, message, thread_ts)
    else:
        keep_ephemeral(workspace, channel, row["user"], message, thread_ts)


def _change_original(workspace: Workspace, row: Json, body: Json) -> None:
    original = row["message_ts"]
    if row["ephemeral"]:
        known = workspace.world.ephemerals.get(original)
        if known is None:
            raise Refused("message_not_found")
        if body.get("delete_original"):
            workspace.world.ephemerals.drop(original)
        else:
            kept = {key: value for key, value in known.items() if key not in ("text", "blocks", "attachments")}
            workspace.world.ephemerals.put(original, {**kept, **body_of(body)[0]})
        return
    channel = workspace.world.channels[row["channel"]]
    message = workspace.world.messages[channel.id].get(original)
    if message is None or message.get("bot_id") != workspace.bot_id:
        raise Refused("message_not_found")
    if body.get("delete_original"):
        messages.delete(workspace, channel, message)
    else:
        kept = {key: value for key, value in message.items() if key not in ("text", "blocks", "attachments")}
        messages.change(workspace, channel, message, {**kept, **body_of(body)[0]})
