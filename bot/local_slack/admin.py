"""Who and what is in the workspace: adding people and channels, inviting, removing, sharing."""

from dataclasses import replace

from bot.local_slack.methods_chat import open_direct
from bot.local_slack.methods_conversations import add_member, member_event
from bot.local_slack.people import person_of
from bot.local_slack.refusals import Json
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel, User


def add_user(workspace: Workspace, name: str, guest: bool, team_id: str) -> str:
    user = workspace.world.put_user(User(workspace.world.next_id("U"), name, team_id, guest=guest))
    workspace.changed()
    return user.id


def add_channel(workspace: Workspace, name: str, private: bool, shared: bool, members: tuple[str, ...]) -> str:
    creator = members[0] if members else ""
    made_at = int(workspace.clock())
    # Private channels have a C as well: nobody may tell them by the first letter.
    channel = Channel(workspace.world.next_id("C"), name, made_at, creator, members, private, shared)
    workspace.world.put_channel(channel)
    workspace.changed()
    return channel.id


def open_dm(workspace: Workspace, user: str) -> str:
    channel = open_direct(workspace, person_of(workspace, user))
    workspace.changed()
    return channel.id


def invite(workspace: Workspace, channel: str, user: str) -> None:
    known = workspace.world.channels[channel]
    if user not in known.members:
        add_member(workspace, known, user, inviter=known.creator)
        workspace.changed()


def remove(workspace: Workspace, channel: str, user: str) -> None:
    known = workspace.world.channels[channel]
    if user not in known.members:
        return
    members = tuple(one for one in known.members if one != user)
    left = workspace.world.put_channel(replace(known, members=members))
    if user == workspace.bot_user_id:
        kind = "group_left" if left.private else "channel_left"
        event: Json = {"type": kind, "channel": left.id, "actor_id": left.creator}
        workspace.emit(event | {"event_ts": workspace.world.next_ts()}, left)
    elif workspace.bot_user_id in members:
        workspace.emit(member_event(workspace, left, user, "member_left_channel"), left)
    workspace.changed()


def change_channel_id(workspace: Workspace, channel: str) -> str:
    new = workspace.world.next_id("C")
    workspace.world.move_channel(channel, new)
    event = {"type": "channel_id_changed", "old_channel_id": channel, "new_channel_id": new}
    workspace.emit({**event, "event_ts": workspace.world.next_ts()}, workspace.world.channels[new])
    workspace.changed()
    return new
