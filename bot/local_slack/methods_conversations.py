"""conversations.* and users.conversations: which channels there are, who is in them, what was said."""

from dataclasses import replace

from bot.local_slack import messages
from bot.local_slack.methods import (
    Method,
    channel_of,
    flag_of,
    invalid,
    joined_channel,
    need_scope,
    page_of,
    text_of,
)
from bot.local_slack.methods_chat import open_direct
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel

TYPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}


def info(workspace: Workspace, args: Json) -> Json:
    channel = channel_of(workspace, args)
    need_scope(workspace, channel.read_scope)
    shown = channel_shown(workspace, channel)
    if flag_of(args, "include_num_members"):
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


def channel_list(workspace: Workspace, args: Json) -> Json:
    rows = [row for row in workspace.world.channels.values() if workspace.sees(row)]
    return _listed(workspace, args, rows, members=True)


def users_conversations(workspace: Workspace, args: Json) -> Json:
    """The bot's own channels; of another user those both are in, and that user's public ones."""
    user = text_of(args, "user", required=False) or workspace.bot_user_id
    workspace.user(user)
    rows = [row for row in workspace.world.channels_of(user) if workspace.sees(row)]
    return _listed(workspace, args, rows, members=False)


def _listed(workspace: Workspace, args: Json, rows: list[Channel], *, members: bool) -> Json:
    wanted = [name.strip() for name in (text_of(args, "types", required=False) or "public_channel").split(",")]
    for name in wanted:
        if name not in TYPES:
            raise Refused("invalid_types")
        need_scope(workspace, TYPES[name])
    page, cursor = page_of([row for row in rows if row.kind in wanted], args, 100, 1000)
    shown = [channel_shown(workspace, row) for row in page]
    for row, channel in zip(shown, page, strict=True):
        if members:
            row["num_members"] = len(channel.members)
        else:
            row.pop("is_member", None)  # only conversations.list says it
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def channel_shown(workspace: Workspace, channel: Channel) -> Json:
    """A channel as the Web API shows it."""
    shown: Json = {
        "id": channel.id,
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": False,
        "is_channel": channel.kind == "public_channel",
        "is_group": channel.kind == "private_channel",
        "is_im": channel.im,
        "is_mpim": channel.mpim,
        "is_private": channel.private or channel.im or channel.mpim,
        "is_shared": channel.shared,
        "is_ext_shared": channel.shared,
        "is_org_shared": False,
        "context_team_id": workspace.team_id,
        "updated": channel.created,
    }
    if channel.im:
        other = [user for user in channel.members if user != workspace.bot_user_id]
        return shown | {"user": other[0] if other else workspace.bot_user_id, "is_open": True}
    return shown | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_member": workspace.bot_user_id in channel.members,
        "is_general": channel.name == "general",
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
    }


def members(workspace: Workspace, args: Json) -> Json:
    channel = channel_of(workspace, args)
    need_scope(workspace, channel.read_scope)
    page, cursor = page_of(list(channel.members), args, 100, 1000)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def history(workspace: Workspace, args: Json) -> Json:
    """What stands in the channel itself, newest first."""
    channel = joined_channel(workspace, args)
    need_scope(workspace, channel.history_scope)
    rows = [row for row in messages.top_level(workspace, channel) if _within(row["ts"], args)]
    page, cursor = page_of(rows[::-1], args, 100, 999)
    return _pages(args, page, cursor)


def replies(workspace: Workspace, args: Json) -> Json:
    """A thread, oldest first. Its root stands at the head of every page, so readers must not count it twice."""
    channel = joined_channel(workspace, args)
    need_scope(workspace, channel.history_scope)
    root, *rest = messages.thread(workspace, channel, text_of(args, "ts"))
    page, cursor = page_of([row for row in rest if _within(row["ts"], args)], args, 1000, 1000)
    return _pages(args, [root, *page], cursor)


def _within(ts: str, args: Json) -> bool:
    oldest, latest = text_of(args, "oldest", required=False), text_of(args, "latest", required=False)
    if flag_of(args, "inclusive") and ts in (oldest, latest):
        return True
    try:
        return (not oldest or float(ts) > float(oldest)) and (not latest or float(ts) < float(latest))
    except ValueError:
        raise Refused("invalid_ts_oldest") from None


def _pages(args: Json, page: list[Json], cursor: str) -> Json:
    with_metadata = flag_of(args, "include_all_metadata")
    shown = [messages.shown(row, metadata=with_metadata) for row in page]
    answer: Json = {"messages": shown, "has_more": bool(cursor)}
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def open_channel(workspace: Workspace, args: Json) -> Json:
    """The direct message with one person, or the group of several."""
    known = text_of(args, "channel", required=False)
    if known:
        return {"channel": {"id": channel_of(workspace, args).id}}
    users = [name.strip() for name in text_of(args, "users").split(",")]
    people = [workspace.user(user) for user in users]
    if any(person.id == workspace.bot_user_id for person in people):
        raise invalid("users must be other than the bot itself")
    already = True
    if len(people) == 1:
        need_scope(workspace, "im:write")
        already = workspace.world.direct(people[0].id, workspace.bot_user_id) is not None
        channel = open_direct(workspace, people[0])
    else:
        need_scope(workspace, "mpim:write")
        everybody = (workspace.bot_user_id, *sorted(users))
        groups = (row for row in workspace.world.channels.values() if row.mpim)
        found = next((row for row in groups if set(row.members) == set(everybody)), None)
        channel = found or _new_group(workspace, everybody)
    shown = channel_shown(workspace, channel) if flag_of(args, "return_im") else {"id": channel.id}
    return {"channel": shown, "no_op": already, "already_open": already}


def _new_group(workspace: Workspace, everybody: tuple[str, ...]) -> Channel:
    name = "mpdm-" + "--".join(workspace.world.users[user].name for user in everybody)
    made_at = int(workspace.clock())
    new_id = workspace.world.next_id("C")
    return workspace.world.put_channel(
        Channel(new_id, name, made_at, workspace.bot_user_id, everybody, private=True, mpim=True)
    )


def join(workspace: Workspace, args: Json) -> Json:
    channel = channel_of(workspace, args)
    if channel.kind != "public_channel":
        raise Refused("method_not_supported_for_channel_type")
    if workspace.bot_user_id in channel.members:
        return {"channel": channel_shown(workspace, channel), "warning": "already_in_channel"}
    channel = add_member(workspace, channel, workspace.bot_user_id, inviter=None)
    return {"channel": channel_shown(workspace, channel)}


def add_member(workspace: Workspace, channel: Channel, user: str, *, inviter: str | None) -> Channel:
    """Adds somebody to a channel and tells the app, when its bot is there (member_joined_channel)."""
    channel = workspace.world.put_channel(replace(channel, members=(*channel.members, user)))
    if workspace.bot_user_id in channel.members:
        workspace.emit(member_event(workspace, channel, user, "member_joined_channel", inviter), channel)
    return channel


def member_event(workspace: Workspace, channel: Channel, user: str, kind: str, inviter: str | None = None) -> Json:
    event: Json = {
        "type": kind,
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.private else "C",
        "team": workspace.world.users[user].team_id,
        "event_ts": workspace.world.next_ts(),
    }
    return event | ({"inviter": inviter} if inviter else {})


METHODS = {
    "conversations.info": Method(info),
    "conversations.list": Method(channel_list),
    "users.conversations": Method(users_conversations),
    "conversations.members": Method(members),
    "conversations.history": Method(history),
    "conversations.replies": Method(replies),
    "conversations.open": Method(open_channel),
    "conversations.join": Method(join, ("channels:join",)),
}
