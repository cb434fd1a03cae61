"""Commands, shortcuts, clicks and menus: what people do that asks the app at once."""

from typing import Any

from bot.local_slack import elements, response_urls, views
from bot.local_slack.delivery import Undelivered
from bot.local_slack.methods_identity import TEAM_DOMAIN
from bot.local_slack.people import message_seen, person_in, person_of, refuse_guest
from bot.local_slack.refusals import Json, Refused, SlackRefuses
from bot.local_slack.text_check import option_problems
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel, User

TROUBLE = "We had some trouble connecting. Try again?"


async def command(workspace: Workspace, user: str, channel: str, text: str, thread_ts: str | None) -> None:
    person, place = person_in(workspace, user, channel)
    name, _, rest = text.strip().partition(" ")
    known = name in workspace.declared.commands and person.team_id == workspace.team_id
    if not known:
        raise SlackRefuses(f"{name} is not a valid command.")
    if thread_ts is not None:
        raise SlackRefuses(f"{name} is not supported in threads")
    refuse_guest(workspace, person)
    url = response_urls.new_url(workspace, person.id, place.id, threads=True)
    payload = {
        "token": "local-verification-token",
        "team_id": workspace.team_id,
        "team_domain": TEAM_DOMAIN,
        "channel_id": place.id,
        "channel_name": _name_for_commands(workspace, place),
        "user_id": person.id,
        "user_name": person.name.lower().replace(" ", "."),
        "command": name,
        "text": rest.strip(),
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": url,
        "trigger_id": workspace.new_trigger(person.id),
    }
    workspace.changed()
    try:
        answer = await workspace.deliveries.ask("slash_commands", payload)
    except Undelivered as failed:
        raise SlackRefuses(f'{name} failed with the error "{failed}"') from None
    if answer.get("text") or answer.get("blocks"):
        row = {"user": person.id, "channel": place.id, "message_ts": None, "threads": False}
        response_urls.respond(workspace, row, answer)
        workspace.changed()


def _name_for_commands(workspace: Workspace, channel: Channel) -> str:
    if channel.im:
        return "directmessage"
    return "privategroup" if channel.private else channel.name


async def message_shortcut(workspace: Workspace, user: str, callback_id: str, channel: str, ts: str) -> None:
    person, place = person_in(workspace, user, channel)
    if ts in workspace.world.ephemerals:
        raise SlackRefuses("Shortcuts are not offered on messages only you can see.")
    message = message_seen(workspace, place, ts)
    offered = callback_id in workspace.declared.message_shortcuts
    _refuse_shortcut(workspace, person, callback_id, offered)
    payload = asking(workspace, person, "message_action") | {
        "callback_id": callback_id,
        "action_ts": workspace.world.next_ts(),
        "channel": channel_of(place),
        "message_ts": ts,
        "message": message,
        "response_url": response_urls.new_url(workspace, person.id, place.id),
    }
    del payload["api_app_id"], payload["user"]["username"]  # message shortcuts come without them
    await ask(workspace, payload)


async def global_shortcut(workspace: Workspace, user: str, callback_id: str) -> None:
    person = person_of(workspace, user)
    _refuse_shortcut(workspace, person, callback_id, callback_id in workspace.declared.global_shortcuts)
    payload = asking(workspace, person, "shortcut")
    await ask(workspace, payload | {"callback_id": callback_id, "action_ts": workspace.world.next_ts()})


def _refuse_shortcut(workspace: Workspace, person: User, callback_id: str, offered: bool) -> None:
    if not offered or person.team_id != workspace.team_id:
        raise SlackRefuses(f"There is no shortcut {callback_id}.")
    refuse_guest(workspace, person)


async def click(
    workspace: Workspace,
    user: str,
    channel: str,
    ts: str,
    action_id: str,
    block_id: str | None,
    value: str | None,
    selected: Any,
) -> None:
    """A button or menu in a message everybody sees, or in one only this person sees."""
    person, place = person_in(workspace, user, channel)
    message = seen(workspace, person, place, ts)
    found = elements.find(message.get("blocks", []), action_id, block_id, value)
    payload = asking(workspace, person, "block_actions") | message_parts(workspace, place, message)
    state = elements.initial_state(message["blocks"])
    before = workspace.chosen.setdefault((person.id, place.id, ts), {})
    for block, values in state.items():
        values |= {name: kept for name, kept in before.get(block, {}).items() if name in values}
    payload["response_url"] = response_urls.new_url(
        workspace, person.id, place.id, message_ts=ts, ephemeral="for" in message, threads=True
    )
    action = acted(workspace, found, selected)
    remember(state, found, action)
    before |= state
    await ask(workspace, payload | {"state": {"values": state}, "actions": [action]})


def seen(workspace: Workspace, person: User, place: Channel, ts: str) -> Json:
    """A message this person sees in the channel, their own ephemeral ones included."""
    row = workspace.world.ephemerals.get(ts)
    if row is not None and row["for"] == person.id and row["channel"] == place.id:
        return row
    return message_seen(workspace, place, ts)


def message_parts(workspace: Workspace, place: Channel, message: Json) -> Json:
    """container, channel and message of an interaction. Of an ephemeral one Slack gives no content."""
    ephemeral = "for" in message
    container: Json = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": place.id,
        "is_ephemeral": ephemeral,
    }
    shown = message
    if ephemeral:
        shown = {key: message[key] for key in ("type", "ts")}
    if "thread_ts" in message:
        container["thread_ts"] = message["thread_ts"]
        shown = {**shown, "thread_ts": message["thread_ts"]}
    return {"container": container, "channel": channel_of(place), "message": shown}


def acted(workspace: Workspace, found: elements.Found, selected: Any) -> Json:
    """The entry of `actions` for one element."""
    element = found.element
    action: Json = {"action_id": element["action_id"], "block_id": found.block_id, "type": element["type"]}
    if element["type"] in ("button", "workflow_button", "icon_button"):
        action |= {key: element[key] for key in ("text", "value", "style") if key in element}
    elif element["type"] == "feedback_buttons":
        action["value"] = selected
    else:
        action |= elements.chosen(found, selected)
    return action | {"action_ts": workspace.world.next_ts()}


def remember(state: Json, found: elements.Found, action: Json) -> None:
    """Writes what was chosen into `state.values`, where the element has a place there."""
    place = state.get(found.block_id, {})
    if action["action_id"] in place:
        kept = ("type", "value", *(key for key in action if key.startswith("selected_")))
        place[action["action_id"]] = {key: action[key] for key in kept if key in action}


async def options(
    workspace: Workspace,
    user: str,
    action_id: str,
    query: str,
    *,
    view_id: str | None,
    block_id: str | None,
    channel: str | None,
    ts: str | None,
) -> list[Json]:
    """What an external select offers for a query; groups are laid flat. Refuses what Slack would not show."""
    person = person_of(workspace, user)
    payload = asking(workspace, person, "block_suggestion")
    del payload["trigger_id"]
    if view_id is not None:
        view, _ = open_view_of(workspace, person, view_id)
        found = elements.find(view["blocks"], action_id, block_id)
        payload |= {"container": {"type": "view", "view_id": view_id}, "view": view}
    else:
        _, place = person_in(workspace, user, channel or "")
        message = seen(workspace, person, place, ts or "")
        found = elements.find(message.get("blocks", []), action_id, block_id)
        payload |= message_parts(workspace, place, message)
    if len(query) < found.element.get("min_query_length", 3):
        return []
    answer = await ask(workspace, payload | {"action_id": action_id, "block_id": found.block_id, "value": query})
    offered = elements.options_of(answer)
    problems = [what for option in offered for what, _ in option_problems(option, "")]
    if len(offered) > 100 or problems or ("options" not in answer and "option_groups" not in answer):
        raise SlackRefuses(f"The options cannot be shown: {', '.join(problems) or 'none, or more than 100'}")
    return offered


def open_view_of(workspace: Workspace, person: User, view_id: str) -> tuple[Json, str]:
    """A view this person has open."""
    try:
        view, owner = views.find_view(workspace, view_id)
    except Refused:
        raise SlackRefuses("This view is closed.") from None
    if owner != person.id:
        raise SlackRefuses("This view is another person's.")
    return view, owner


def asking(workspace: Workspace, person: User, kind: str) -> Json:
    """What every interaction says."""
    return {
        "type": kind,
        "token": "local-verification-token",
        "api_app_id": workspace.app_id,
        "team": {"id": workspace.team_id, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {
            "id": person.id,
            "username": person.name.lower().replace(" ", "."),
            "name": person.name.lower().replace(" ", "."),
            "team_id": person.team_id,
        },
        "trigger_id": workspace.new_trigger(person.id),
    }


def channel_of(channel: Channel) -> Json:
    name = "directmessage" if channel.im else "privategroup" if channel.private else channel.name
    return {"id": channel.id, "name": name}


async def ask(workspace: Workspace, payload: Json) -> Json:
    """Sends an interaction; people see that it failed when the app does not acknowledge it in time."""
    if not workspace.declared.interactive:
        raise SlackRefuses("This app is not set up to handle interactive responses.")
    workspace.changed()
    try:
        return await workspace.deliveries.ask("interactive", payload)
    except Undelivered:
        raise SlackRefuses(TROUBLE) from None
