"""agents.sessions.*, assistant.threads.* and reactions.*: small signs in a thread."""

from bot.local_slack import messages
from bot.local_slack.methods import Method, invalid, joined_channel, text_of
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel

STATUSES = ("active", "processing", "suspended", "closed")
TITLE_CHARACTERS = 200
SESSION_SECONDS = 3600


def set_status(workspace: Workspace, args: Json) -> Json:
    channel, key = _place(workspace, args)
    status = text_of(args, "status")
    if status not in STATUSES:
        raise Refused("invalid_status")
    known = workspace.world.sessions.get(key)
    title = known["title"] if known else _title(args, required=False)
    row = {"channel": channel.id, "status": status, "title": title, "at": workspace.clock()}
    workspace.world.sessions.put(key, row)
    answer: Json = {"status": status, "title": title}
    if not workspace.declared.sends("agent_session_stopped"):
        answer["warning"] = "missing_agent_session_stopped_event_subscription"
    return answer


def rename(workspace: Workspace, args: Json) -> Json:
    _, key = _place(workspace, args)
    known = workspace.world.sessions.get(key)
    if known is None:
        raise Refused("session_not_found")
    title = _title(args, required=True)
    workspace.world.sessions.put(key, {**known, "title": title})
    return {"title": title}


def _place(workspace: Workspace, args: Json) -> tuple[Channel, str]:
    if not workspace.agent:
        raise Refused("feature_not_enabled")
    channel = joined_channel(workspace, args, "channel_id")
    thread_ts = text_of(args, "thread_ts")
    messages.root_of(workspace, channel, thread_ts)
    return channel, f"{channel.id}/{thread_ts}"


def _title(args: Json, *, required: bool) -> str:
    title = text_of(args, "title", required=required)
    if len(title) > TITLE_CHARACTERS:
        raise invalid(f"title must be less than {TITLE_CHARACTERS + 1} characters")
    return title


def session_status(workspace: Workspace, channel: str, thread_ts: str) -> str:
    """What people see of a thread's session: "" when there is none, or its processing timed out (1 h)."""
    row = workspace.world.sessions.get(f"{channel}/{thread_ts}")
    if row is None:
        return ""
    late = row["status"] == "processing" and workspace.clock() - row["at"] > SESSION_SECONDS
    return "" if late else str(row["status"])


def assistant_set(workspace: Workspace, args: Json) -> Json:
    """assistant.threads.setStatus and setTitle; the words themselves are not kept."""
    if not workspace.agent:
        raise Refused("feature_not_enabled")
    channel = joined_channel(workspace, args, "channel_id")
    messages.root_of(workspace, channel, text_of(args, "thread_ts"))
    if "status" not in args and "title" not in args:
        raise invalid("missing required field: status")
    return {}


def react(workspace: Workspace, args: Json) -> Json:
    channel = joined_channel(workspace, args)
    name = text_of(args, "name").strip(":")
    message = workspace.world.messages[channel.id].get(text_of(args, "timestamp"))
    if message is None:
        raise Refused("message_not_found")
    reactions = [dict(row) for row in message.get("reactions", [])]
    mine = next((row for row in reactions if row["name"] == name), None)
    if mine is None:
        reactions.append({"name": name, "users": [workspace.bot_user_id], "count": 1})
    elif workspace.bot_user_id in mine["users"]:
        raise Refused("already_reacted")
    else:
        mine |= {"users": [*mine["users"], workspace.bot_user_id], "count": mine["count"] + 1}
    workspace.world.put_message(channel.id, {**message, "reactions": reactions})
    return {}


METHODS = {
    "agents.sessions.setStatus": Method(set_status, ("chat:write",)),
    "agents.sessions.rename": Method(rename, ("chat:write",)),
    "assistant.threads.setStatus": Method(assistant_set, ("assistant:write", "chat:write")),
    "assistant.threads.setTitle": Method(assistant_set, ("assistant:write",)),
    "reactions.add": Method(react, ("reactions:write",)),
}
