"""chat.*: posting, changing and deleting messages."""

from typing import Any

from bot.local_slack import messages
from bot.local_slack.blocks_check import MARKDOWN_CHARACTERS, block_problems, markdown_length
from bot.local_slack.elements import with_ids
from bot.local_slack.entity_check import entity_problems
from bot.local_slack.methods import Method, channel_of, flag_of, invalid, joined_channel, need_scope, text_of
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.view_check import refuse
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel, User

POST_CHARACTERS = 40_000
UPDATE_CHARACTERS = 4_000
METADATA_BYTES = 16_000


def post_message(workspace: Workspace, args: Json) -> Json:
    channel = _target(workspace, args)
    body, warning = body_of(args)
    thread_ts = text_of(args, "thread_ts", required=False) or None
    message = {**by_bot(workspace), **body}
    if flag_of(args, "reply_broadcast") and thread_ts is not None:
        message["subtype"] = messages.BROADCAST
    if args.get("metadata") not in (None, "", {}):
        message["metadata"] = metadata_of(workspace, args["metadata"])
    message = messages.post(workspace, channel, message, thread_ts)
    return {"channel": channel.id, "ts": message["ts"], "message": message, **warning}


def post_ephemeral(workspace: Workspace, args: Json) -> Json:
    channel = joined_channel(workspace, args)
    user = text_of(args, "user")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    body, warning = body_of(args)
    thread_ts = text_of(args, "thread_ts", required=False) or None
    row = keep_ephemeral(workspace, channel, user, {**by_bot(workspace), **body}, thread_ts)
    return {"message_ts": row["ts"], **warning}


def keep_ephemeral(workspace: Workspace, channel: Channel, user: str, message: Json, thread_ts: str | None) -> Json:
    """Shows a message to one person only."""
    ts = workspace.world.next_ts()
    row = {"type": "message", **message, "ts": ts, "channel": channel.id, "for": user, "is_ephemeral": True}
    if thread_ts is not None:
        row["thread_ts"] = thread_ts
    return workspace.world.ephemerals.put(ts, row)


def update(workspace: Workspace, args: Json) -> Json:
    channel, message = own_message(workspace, args, "cant_update_message")
    if is_streaming(workspace, channel, message):
        raise Refused("streaming_state_conflict")
    text = args.get("text")
    if isinstance(text, str) and len(text) > UPDATE_CHARACTERS:
        raise Refused("msg_too_long")
    body, _ = body_of(args)
    removed = ("text", "blocks", "edited", "streaming_state")
    after = {key: value for key, value in message.items() if key not in removed}
    after |= body
    if "blocks" not in body:
        after["edited"] = {"user": workspace.bot_user_id, "ts": workspace.world.next_ts()}
    if args.get("metadata") is not None:
        after.pop("metadata", None)
        if args["metadata"] not in ("", {}):
            after["metadata"] = metadata_of(workspace, args["metadata"])
    messages.change(workspace, channel, message, after)
    return {"channel": channel.id, "ts": after["ts"], "text": after["text"], "message": after}


def delete(workspace: Workspace, args: Json) -> Json:
    channel, message = own_message(workspace, args, "cant_delete_message")
    messages.delete(workspace, channel, message)
    return {"channel": channel.id, "ts": message["ts"]}


def get_permalink(workspace: Workspace, args: Json) -> Json:
    channel = channel_of(workspace, args)
    ts = text_of(args, "message_ts")
    message = workspace.world.messages[channel.id].get(ts)
    if message is None:
        raise Refused("message_not_found")
    return {"channel": channel.id, "permalink": permalink(workspace, channel, message)}


def permalink(workspace: Workspace, channel: Channel, message: Json) -> str:
    link = f"{workspace.url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    root = message.get("thread_ts", message["ts"])
    return link if root == message["ts"] else f"{link}?thread_ts={root}&cid={channel.id}"


def _target(workspace: Workspace, args: Json) -> Channel:
    """Where to post: a channel the bot is in, or the direct message with a person named by their id."""
    where = text_of(args, "channel")
    if where in workspace.world.users:
        known = workspace.world.direct(where, workspace.bot_user_id)
        if known is not None:
            return known
        need_scope(workspace, "im:write")
        return open_direct(workspace, workspace.world.users[where])
    channel = channel_of(workspace, args)
    public = channel.kind == "public_channel" and "chat:write.public" in workspace.declared.scopes
    return channel if public else joined_channel(workspace, args)


def open_direct(workspace: Workspace, user: User) -> Channel:
    """The direct message of the bot and a person, made when it is not there yet."""
    known = workspace.world.direct(user.id, workspace.bot_user_id)
    if known is not None:
        return known
    members = (user.id, workspace.bot_user_id)
    made = Channel(workspace.world.next_id("D"), "", int(workspace.clock()), user.id, members, im=True)
    return workspace.world.put_channel(made)


def own_message(workspace: Workspace, args: Json, error: str) -> tuple[Channel, Json]:
    channel = channel_of(workspace, args)
    message = workspace.world.messages[channel.id].get(text_of(args, "ts"))
    if message is None or message.get("subtype") == "tombstone":
        raise Refused("message_not_found")
    if message.get("bot_id") != workspace.bot_id:
        raise Refused(error)
    return channel, message


def is_streaming(workspace: Workspace, channel: Channel, message: Json) -> bool:
    stream = workspace.world.streams.get(f"{channel.id}/{message['ts']}")
    return stream is not None and not stream["stopped"] and workspace.clock() < stream["ends_at"]


def by_bot(workspace: Workspace) -> Json:
    """Who a bot's message is from."""
    profile = {
        "id": workspace.bot_id,
        "app_id": workspace.app_id,
        "name": workspace.declared.name,
        "icons": {"image_48": f"{workspace.url}/icon.png"},
        "deleted": False,
        "updated": 0,
        "team_id": workspace.team_id,
    }
    return {
        "user": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "app_id": workspace.app_id,
        "team": workspace.team_id,
        "bot_profile": profile,
    }


def body_of(args: Json) -> tuple[Json, Json]:
    """The text and blocks of a message, checked, and a warning for the answer when the text was cut."""
    text, markdown, blocks = args.get("text"), args.get("markdown_text"), args.get("blocks")
    if text is not None and not isinstance(text, str):
        raise invalid("must provide a string [json-pointer:/text]")
    if markdown:
        if text or blocks:
            raise Refused("markdown_text_conflict")
        check_markdown(str(markdown))
        return {"text": markdown, "blocks": with_ids([{"type": "markdown", "text": markdown}])}, {}
    if not text and not blocks and not args.get("attachments"):
        raise Refused("no_text")
    body: Json = {"text": (text or "")[:POST_CHARACTERS]}
    if blocks:
        body["blocks"] = checked_blocks(blocks)
    if args.get("attachments"):
        body["attachments"] = args["attachments"]
    if text and len(text) > POST_CHARACTERS:
        return body, {"response_metadata": {"messages": ["[WARN] text was truncated to 40000 characters"]}}
    return body, {}


def checked_blocks(blocks: Any) -> list[Json]:
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if markdown_length(blocks) > MARKDOWN_CHARACTERS:
        raise Refused("msg_too_long")
    refuse(block_problems(blocks, "message"), "invalid_blocks")
    return with_ids(blocks)


def check_markdown(text: str) -> None:
    if len(text) > MARKDOWN_CHARACTERS:
        raise Refused("msg_too_long")


def metadata_of(workspace: Workspace, metadata: Any) -> Json:
    """Message metadata: {event_type, event_payload}, {entities: […]} for Work Objects, or both."""
    if not isinstance(metadata, dict):
        raise Refused("invalid_metadata_format")
    entities = metadata.get("entities")
    if entities is not None:
        if not workspace.work_objects:
            raise Refused("feature_not_enabled")
        if not isinstance(entities, list):
            raise Refused("invalid_metadata_format")
        for number, entity in enumerate(entities):
            refuse(entity_problems(entity, f"/metadata/entities/{number}"), "invalid_metadata_format")
        if "event_type" not in metadata:
            return metadata
    event_type, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(event_type, str) or not event_type or not isinstance(payload, dict):
        raise Refused("invalid_metadata_format")
    if len(str(metadata)) > METADATA_BYTES:
        raise Refused("metadata_too_large")
    return metadata


METHODS = {
    "chat.postMessage": Method(post_message, ("chat:write",)),
    "chat.postEphemeral": Method(post_ephemeral, ("chat:write",)),
    "chat.update": Method(update, ("chat:write",)),
    "chat.delete": Method(delete, ("chat:write",)),
    "chat.getPermalink": Method(get_permalink),
}
