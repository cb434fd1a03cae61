"""chat.startStream, appendStream, stopStream: messages that grow while they are written."""

from typing import Any

from bot.local_slack import messages
from bot.local_slack.elements import with_ids
from bot.local_slack.methods import Method, invalid, joined_channel, text_of
from bot.local_slack.methods_chat import by_bot, check_markdown, checked_blocks, metadata_of
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel

STREAM_SECONDS = 300
TASK_FIELDS = ("title", "status", "details", "output", "sources")
TASK_STATES = ("pending", "in_progress", "complete", "error")


def start(workspace: Workspace, args: Json) -> Json:
    if not workspace.streaming:
        raise Refused("feature_not_enabled")
    channel = joined_channel(workspace, args)
    thread_ts = text_of(args, "thread_ts")
    if not channel.im:
        _check_recipient(workspace, args, channel)
    mode = text_of(args, "task_display_mode", required=False) or "timeline"
    if mode not in ("timeline", "plan"):
        raise invalid("task_display_mode must be timeline or plan")
    body = _grown({"text": "", "blocks": []}, args, mode)
    message = messages.post(
        workspace, channel, {**by_bot(workspace), **body, "streaming_state": "in_progress"}, thread_ts
    )
    ends_at = workspace.clock() + STREAM_SECONDS
    row = {"channel": channel.id, "mode": mode, "ends_at": ends_at, "stopped": ""}
    workspace.world.streams.put(f"{channel.id}/{message['ts']}", row)
    return {"channel": channel.id, "ts": message["ts"]}


def _check_recipient(workspace: Workspace, args: Json, channel: Channel) -> None:
    """In channels a stream is written for somebody: their id and the id of their own workspace."""
    for name in ("recipient_user_id", "recipient_team_id"):
        if not args.get(name):
            raise Refused(f"missing_{name}")
    user = workspace.user(text_of(args, "recipient_user_id"))
    if text_of(args, "recipient_team_id") != user.team_id:
        raise Refused("team_not_found")
    if user.id not in channel.members:
        raise Refused("user_not_in_channel")


def append(workspace: Workspace, args: Json) -> Json:
    channel, message, row = _running(workspace, args)
    if not args.get("markdown_text") and not args.get("chunks"):
        raise Refused("no_text")
    after = {**message, **_grown(message, args, row["mode"])}
    workspace.world.put_message(channel.id, after)
    return {"channel": channel.id, "ts": message["ts"]}


def stop(workspace: Workspace, args: Json) -> Json:
    channel, message, row = _running(workspace, args)
    after = {**message, **_grown(message, args, row["mode"]), "streaming_state": "completed"}
    if args.get("blocks"):
        after["blocks"] = with_ids([*after["blocks"], *checked_blocks(args["blocks"])])
    if args.get("metadata") not in (None, "", {}):
        after["metadata"] = metadata_of(workspace, args["metadata"])
    status = text_of(args, "session_status", required=False)
    if status and status not in ("active", "processing", "suspended", "closed"):
        raise invalid("session_status is not valid")
    messages.change(workspace, channel, message, after)
    workspace.world.streams.put(f"{channel.id}/{message['ts']}", {**row, "stopped": "by_app"})
    key = f"{channel.id}/{message['thread_ts']}"
    if status and key in workspace.world.sessions:
        workspace.world.sessions.put(key, {**workspace.world.sessions[key], "status": status})
    return {"channel": channel.id, "ts": message["ts"], "message": after}


def stop_by_person(workspace: Workspace, channel: Channel, thread_ts: str) -> list[str]:
    """Stops the streams running in a thread, as Slack's stop button does; their ts."""
    stopped = []
    for reply in messages.replies_of(workspace, channel, thread_ts):
        row = workspace.world.streams.get(f"{channel.id}/{reply['ts']}")
        if row is not None and not row["stopped"] and workspace.clock() < row["ends_at"]:
            workspace.world.streams.put(f"{channel.id}/{reply['ts']}", {**row, "stopped": "by_user"})
            messages.change(workspace, channel, reply, {**reply, "streaming_state": "completed"})
            stopped.append(str(reply["ts"]))
    return stopped


def _running(workspace: Workspace, args: Json) -> tuple[Channel, Json, Json]:
    channel = joined_channel(workspace, args)
    ts = text_of(args, "ts")
    message = workspace.world.messages[channel.id].get(ts)
    if message is None:
        raise Refused("message_not_found")
    if message.get("bot_id") != workspace.bot_id:
        raise Refused("message_not_owned_by_app")
    row = workspace.world.streams.get(f"{channel.id}/{ts}")
    if row is not None and row["stopped"] == "by_user":
        raise Refused("stopped_by_user")
    if row is None or row["stopped"] or workspace.clock() >= row["ends_at"]:
        raise Refused("message_not_in_streaming_state")
    return channel, message, row


def _grown(message: Json, args: Json, mode: str) -> Json:
    """Text and blocks of a message after a call's markdown_text or chunks."""
    chunks: list[Any] = args.get("chunks") or []
    if args.get("markdown_text"):
        if chunks:
            raise invalid("markdown_text and chunks exclude each other")
        chunks = [{"type": "markdown_text", "text": args["markdown_text"]}]
    if not isinstance(chunks, list) or not all(isinstance(chunk, dict) for chunk in chunks):
        raise Refused("invalid_chunks")
    check_markdown("".join(str(chunk.get("text", "")) for chunk in chunks))
    text, blocks = message["text"], [dict(block) for block in message["blocks"]]
    for chunk in chunks:
        text += _add_chunk(blocks, chunk, mode)
    return {"text": text, "blocks": with_ids(blocks)}


def _add_chunk(blocks: list[Json], chunk: Json, mode: str) -> str:
    """Adds one chunk to the blocks; the text it brings to the message."""
    kind = chunk.get("type")
    if kind == "markdown_text" and isinstance(chunk.get("text"), str):
        if blocks and blocks[-1]["type"] == "markdown":
            blocks[-1]["text"] += chunk["text"]
        else:
            blocks.append({"type": "markdown", "text": chunk["text"]})
        return str(chunk["text"])
    if kind == "task_update" and isinstance(chunk.get("id"), str) and chunk.get("status") in TASK_STATES:
        _set_task(blocks, chunk, mode)
    elif kind == "plan_update" and isinstance(chunk.get("title"), str):
        _plan(blocks)["title"] = chunk["title"]
    elif kind == "blocks":
        blocks.extend(checked_blocks(chunk.get("blocks")))
    else:
        raise Refused("invalid_chunks")
    return ""


def _set_task(blocks: list[Json], chunk: Json, mode: str) -> None:
    rows: list[Json] = _plan(blocks).setdefault("tasks", []) if mode == "plan" else blocks
    card = next((row for row in rows if row.get("task_id") == chunk["id"]), None)
    if card is None:
        if not chunk.get("title"):
            raise Refused("invalid_chunks")
        card = {"type": "task_card", "task_id": chunk["id"]}
        rows.append(card)
    card.update({name: chunk[name] for name in TASK_FIELDS if chunk.get(name) is not None})


def _plan(blocks: list[Json]) -> Json:
    plan = next((block for block in blocks if block["type"] == "plan"), None)
    if plan is None:
        plan = {"type": "plan", "title": "Plan"}
        blocks.insert(0, plan)
    return plan


METHODS = {
    "chat.startStream": Method(start, ("chat:write",)),
    "chat.appendStream": Method(append, ("chat:write",)),
    "chat.stopStream": Method(stop, ("chat:write",)),
}
