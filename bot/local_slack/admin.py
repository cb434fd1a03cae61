"""Who and what is in the workspace: adding people and channels, joining, inviting, removing, sharing."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bot.local_slack.methods_chat import open_direct
from bot.local_slack.methods_conversations import add_member, member_event
from bot.local_slack.people import person_in, person_of
from bot.local_slack.refusals import Json, SlackRefuses
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel, User


def add_user(workspace: Workspace, name: str, guest: bool, is_admin: bool, team_id: str) -> str:
    new = User(workspace.world.next_id("U"), name, team_id, guest=guest, admin=is_admin)
    user = workspace.world.put_user(new)
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


def page_acts(workspace: Workspace) -> dict[str, Callable[..., None]]:
    """What people do with the members of a channel, by the page's names."""
    return {
        "join": partial(person_joins, workspace),
        "invite": partial(person_invites, workspace),
        "remove": partial(person_removes, workspace),
    }


def person_joins(workspace: Workspace, user: str, channel: str) -> None:
    """Join channel, which Slack offers for public ones alone."""
    person, place = person_of(workspace, user), workspace.world.channels.get(channel)
    if place is None or place.private or place.im:
        raise SlackRefuses("This channel is not there.")
    if person.id not in place.members:
        add_member(workspace, place, person.id, inviter=None)
        workspace.changed()


def person_invites(workspace: Workspace, user: str, channel: str, member: str) -> None:
    """`/invite @name`, of a person or the bot."""
    place, name = _place_and_name(workspace, user, channel, member)
    if member in place.members:
        raise SlackRefuses(f"{name} is in #{place.name} already.")
    add_member(workspace, place, member, inviter=user)
    workspace.changed()


def person_removes(workspace: Workspace, user: str, channel: str, member: str) -> None:
    """`/remove @name`."""
    place, name = _place_and_name(workspace, user, channel, member)
    if member not in place.members:
        raise SlackRefuses(f"{name} is not in #{place.name}.")
    remove(workspace, channel, member)


def _place_and_name(workspace: Workspace, user: str, channel: str, member: str) -> tuple[Channel, str]:
    _, place = person_in(workspace, user, channel)
    known = workspace.world.users.get(member)
    if place.im:
        raise SlackRefuses("This works in channels only.")
    if known is None:
        raise SlackRefuses(f"There is nobody called {member}.")
    return place, known.name


def change_channel_id(workspace: Workspace, channel: str) -> str:
    new = workspace.world.next_id("C")
    workspace.world.move_channel(channel, new)
    event = {"type": "channel_id_changed", "old_channel_id": channel, "new_channel_id": new}
    workspace.emit({**event, "event_ts": workspace.world.next_ts()}, workspace.world.channels[new])
    workspace.changed()
    return new
