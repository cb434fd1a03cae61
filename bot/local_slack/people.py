"""What people do with messages: saying, editing, deleting, opening their home."""

import uuid
from collections.abc import Sequence
from pathlib import Path

from bot.local_slack import messages, streams
from bot.local_slack.files import keep_file
from bot.local_slack.methods_chat import open_direct
from bot.local_slack.refusals import Json, Refused, SlackRefuses
from bot.local_slack.rich_text import as_slack_writes, rich_text
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel, User


def person_in(workspace: Workspace, user: str, channel: str) -> tuple[User, Channel]:
    """A person and a channel they are a member of; Slack shows nobody anything else."""
    person = person_of(workspace, user)
    place = workspace.world.channels.get(channel)
    if place is None:
        raise SlackRefuses("This channel is not there.")
    if person.id not in place.members:
        raise SlackRefuses(f"You are not in #{place.name}. Join the channel first.")
    return person, place


def person_of(workspace: Workspace, user: str) -> User:
    person = workspace.world.users.get(user)
    if person is None or person.is_bot:
        raise SlackRefuses("There is no such person.")
    return person


def refuse_guest(workspace: Workspace, person: User) -> None:
    """Agent apps are closed to workspace guests (Slack: agent apps)."""
    if person.guest and workspace.agent:
        raise SlackRefuses(f"{workspace.declared.name} is not available to guests.")


def message_seen(workspace: Workspace, channel: Channel, ts: str) -> Json:
    message = workspace.world.messages[channel.id].get(ts)
    if message is None or message.get("subtype") == "tombstone":
        raise SlackRefuses("This message is not there any more.")
    return message


def say(
    workspace: Workspace,
    user: str,
    channel: str,
    text: str,
    thread_ts: str | None,
    files: Sequence[Path | tuple[str, bytes]],
) -> str:
    person, place = person_in(workspace, user, channel)
    if place.im and workspace.bot_user_id in place.members:
        refuse_guest(workspace, person)
        if not workspace.declared.messages_tab:
            raise SlackRefuses("Sending messages to this app has been turned off.")
    if not text and not files:
        raise SlackRefuses("There is nothing to send.")
    written = as_slack_writes(text)
    message: Json = {
        "client_msg_id": str(uuid.uuid4()),
        "user": person.id,
        "text": written,
        "team": person.team_id,
        "blocks": rich_text(written, workspace.world.next_id("b")),
    }
    if person.team_id != workspace.team_id:
        message |= {"user_team": person.team_id, "source_team": person.team_id}
    if files:
        shared = [keep_file(workspace, person.id, file) for file in files]
        message |= {"subtype": "file_share", "files": shared, "upload": False}
    try:
        return str(messages.post(workspace, place, message, thread_ts)["ts"])
    except Refused:
        raise SlackRefuses("This thread is not there any more.") from None


def edit(workspace: Workspace, user: str, channel: str, ts: str, text: str) -> None:
    person, place = person_in(workspace, user, channel)
    before = message_seen(workspace, place, ts)
    if before.get("user") != person.id:
        raise SlackRefuses("You can only edit your own messages.")
    written = as_slack_writes(text)
    edited = {"user": person.id, "ts": workspace.world.next_ts()}
    blocks = rich_text(written, workspace.world.next_id("b"))
    messages.change(workspace, place, before, {**before, "text": written, "blocks": blocks, "edited": edited})


def delete(workspace: Workspace, user: str, channel: str, ts: str) -> None:
    """A person deletes a message: their own, or as an admin anybody's."""
    person, place = person_in(workspace, user, channel)
    message = message_seen(workspace, place, ts)
    if message.get("user") != person.id and not person.admin:
        raise SlackRefuses("You can only delete your own messages.")
    messages.delete(workspace, place, message)


def home_opened(workspace: Workspace, user: str, tab: str) -> None:
    """A person opens the app's Home or Messages tab (app_home_opened)."""
    person = person_of(workspace, user)
    refuse_guest(workspace, person)
    channel = open_direct(workspace, person)
    if tab == "home" and not workspace.declared.home_tab:
        raise SlackRefuses("This app has no Home tab.")
    event: Json = {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": tab}
    event["event_ts"] = workspace.world.next_ts()
    home = workspace.world.homes.get(user)
    if home is not None and tab == "home":
        event["view"] = home["view"]
    workspace.emit(event, channel)


def stop_agent(workspace: Workspace, user: str, channel: str, thread_ts: str) -> None:
    """Slack's stop button, there while a session is processing and the app subscribes to agent_session_stopped."""
    person, place = person_in(workspace, user, channel)
    row = workspace.world.sessions.get(f"{place.id}/{thread_ts}")
    if not workspace.agent or not workspace.declared.sends("agent_session_stopped"):
        raise SlackRefuses("There is no stop button: the app does not subscribe to agent_session_stopped.")
    if row is None or row["status"] != "processing":
        raise SlackRefuses("There is no stop button: nothing is being processed here.")
    event: Json = {
        "type": "agent_session_stopped",
        "channel": place.id,
        "thread_ts": thread_ts,
        "user": person.id,
        "streaming_message_ts": streams.stop_by_person(workspace, place, thread_ts),
        "event_ts": workspace.world.next_ts(),
    }
    workspace.emit(event, place)


def rename_agent(workspace: Workspace, user: str, channel: str, thread_ts: str, title: str) -> None:
    """A person gives a session another title (agent_session_title_changed)."""
    person, place = person_in(workspace, user, channel)
    key = f"{place.id}/{thread_ts}"
    row = workspace.world.sessions.get(key)
    if row is None:
        raise SlackRefuses("There is no agent session here.")
    workspace.world.sessions.put(key, {**row, "title": title})
    event: Json = {
        "type": "agent_session_title_changed",
        "channel": place.id,
        "thread_ts": thread_ts,
        "user": person.id,
        "team_id": workspace.team_id,
        "title": title,
        "previous_title": row["title"],
        "event_ts": workspace.world.next_ts(),
    }
    workspace.emit(event, place)
