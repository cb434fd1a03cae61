"""Messages and threads: posting, changing, deleting and reading them, and the events that tell of it."""

from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel

BROADCAST = "thread_broadcast"


def root_of(workspace: Workspace, channel: Channel, thread_ts: str) -> Json:
    """A thread's root; refuses what is no root: deleted, never there, or itself a reply."""
    root = workspace.world.messages[channel.id].get(thread_ts)
    if root is None or root.get("thread_ts", thread_ts) != thread_ts:
        raise Refused("thread_not_found")
    return root


def replies_of(workspace: Workspace, channel: Channel, thread_ts: str) -> list[Json]:
    """A thread's replies, oldest first, without its root."""
    messages = workspace.world.messages[channel.id].values()
    return [row for row in messages if row.get("thread_ts") == thread_ts and row["ts"] != thread_ts]


def post(workspace: Workspace, channel: Channel, message: Json, thread_ts: str | None = None) -> Json:
    """Adds a message, gives it its ts, counts it at its root, and tells the app."""
    world = workspace.world
    message = {"type": "message", **message}
    if thread_ts is not None:
        root = root_of(workspace, channel, thread_ts)
        message |= {"thread_ts": thread_ts, "parent_user_id": root.get("user", "")}
    message["ts"] = world.next_ts()
    world.put_message(channel.id, message)
    if thread_ts is not None:
        count_replies(workspace, channel, thread_ts)
    tell_posted(workspace, channel, message)
    return message


def count_replies(workspace: Workspace, channel: Channel, thread_ts: str) -> None:
    """Writes into a root what Slack shows of its thread; a thread without replies is none."""
    root = workspace.world.messages[channel.id].get(thread_ts)
    if root is None:
        return
    told = ("thread_ts", "reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked")
    kept = {key: value for key, value in root.items() if key not in told}
    replies = replies_of(workspace, channel, thread_ts)
    if not replies and root.get("subtype") == "tombstone":
        workspace.world.drop_message(channel.id, thread_ts)
        return
    if replies:
        users = list(dict.fromkeys(row.get("user", "") for row in replies))
        kept |= {
            "thread_ts": thread_ts,
            "reply_count": len(replies),
            "reply_users_count": len(users),
            "latest_reply": replies[-1]["ts"],
            "reply_users": users,
            "is_locked": False,
        }
    workspace.world.put_message(channel.id, kept)


def change(workspace: Workspace, channel: Channel, before: Json, after: Json) -> Json:
    """Replaces a message and tells the app (message_changed)."""
    workspace.world.put_message(channel.id, after)
    subtype: Json = {
        "subtype": "message_changed",
        "message": after,
        "previous_message": before,
        "hidden": True,
    }
    tell(workspace, channel, {"type": "message", **subtype, "ts": workspace.world.next_ts()})
    return after


def delete(workspace: Workspace, channel: Channel, message: Json) -> None:
    """Removes a message and tells the app; a root with replies leaves a tombstone."""
    ts = message["ts"]
    if message.get("reply_count"):
        kept = {key: value for key, value in message.items() if key in ("reply_count", "latest_reply")}
        gone = {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT"}
        tombstone = {"type": "message", **gone, "hidden": True, "ts": ts, "thread_ts": ts, **kept}
        workspace.world.put_message(channel.id, tombstone)
        count_replies(workspace, channel, ts)
    else:
        workspace.world.drop_message(channel.id, ts)
        workspace.world.streams.drop(f"{channel.id}/{ts}")
        if message.get("thread_ts", ts) != ts:
            count_replies(workspace, channel, message["thread_ts"])
    deleted: Json = {"subtype": "message_deleted", "deleted_ts": ts, "previous_message": message}
    stamp = {"hidden": True, "ts": workspace.world.next_ts()}
    tell(workspace, channel, {"type": "message", **deleted, **stamp})


def tell(workspace: Workspace, channel: Channel, event: Json) -> None:
    """A message event, for an app whose bot is in the channel."""
    if workspace.bot_user_id not in channel.members:
        return
    where = {"channel": channel.id, "channel_type": channel.channel_type, "event_ts": event["ts"]}
    workspace.emit({**event, **where}, channel, declared_as=f"message.{channel.event_suffix}")


def tell_posted(workspace: Workspace, channel: Channel, message: Json) -> None:
    """A new message's event, and app_mention beside it when it names the bot in a channel."""
    named = f"<@{workspace.bot_user_id}>" in message.get("text", "")
    bot_is_here = workspace.bot_user_id in channel.members
    mention = named and bot_is_here and not channel.im and message.get("user") != workspace.bot_user_id
    if mention and workspace.mention_first:
        tell_mention(workspace, channel, message)
    tell(workspace, channel, message)
    if mention and not workspace.mention_first:
        tell_mention(workspace, channel, message)


def tell_mention(workspace: Workspace, channel: Channel, message: Json) -> None:
    event = {**message, "type": "app_mention", "channel": channel.id, "event_ts": message["ts"]}
    event.pop("parent_user_id", None)
    workspace.emit(event, channel)


def shown(message: Json, *, metadata: bool) -> Json:
    """A message as history and replies give it; metadata only on demand (include_all_metadata)."""
    return message if metadata else {key: value for key, value in message.items() if key != "metadata"}


def thread(workspace: Workspace, channel: Channel, ts: str) -> list[Json]:
    """A root with its replies, oldest first; a message without thread alone."""
    message = workspace.world.messages[channel.id].get(ts)
    if message is None:
        raise Refused("thread_not_found")
    return [message, *replies_of(workspace, channel, ts)]


def top_level(workspace: Workspace, channel: Channel) -> list[Json]:
    """What stands in the channel itself, oldest first: no replies, unless they were broadcast."""
    return [
        message
        for message in workspace.world.messages[channel.id].values()
        if message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == BROADCAST
    ]
