"""What people do in views: choosing, sending and closing."""

import copy
from typing import Any

from bot.local_slack import elements, views
from bot.local_slack.interactions import acted, ask, asking, open_view_of, remember
from bot.local_slack.people import person_of
from bot.local_slack.refusals import Json, Refused, SlackRefuses
from bot.local_slack.view_check import checked_view
from bot.local_slack.workspace import Workspace

REQUIRED = "Please complete this required field."


async def click(
    workspace: Workspace,
    user: str,
    view_id: str,
    action_id: str,
    block_id: str | None,
    value: str | None,
    selected: Any,
) -> None:
    """A button or menu in a modal or home tab. An input tells the app only when it dispatches its actions."""
    person = person_of(workspace, user)
    view, _ = open_view_of(workspace, person, view_id)
    found = elements.find(view["blocks"], action_id, block_id, value)
    action = acted(workspace, found, selected)
    values = copy.deepcopy(view["state"]["values"])
    remember(values, found, action)
    view = views.set_state(workspace, view, user, values)
    workspace.changed()
    if found.block["type"] == "input" and not found.block.get("dispatch_action"):
        return
    payload = asking(workspace, person, "block_actions")
    payload |= {"container": {"type": "view", "view_id": view_id}, "view": view, "actions": [action]}
    await ask(workspace, payload)


async def submit(workspace: Workspace, user: str, view_id: str, values: Json) -> Json:
    """Sends a modal. The app's answer, applied: {} closes it; errors keep it; update, push and clear do so."""
    person = person_of(workspace, user)
    view, _ = open_view_of(workspace, person, view_id)
    if view["type"] != "modal" or not view["submit"]:
        raise SlackRefuses("This view has nothing to send.")
    view = views.set_state(workspace, view, user, _filled(view, values))
    payload = asking(workspace, person, "view_submission") | {"view": view, "response_urls": []}
    answer = await ask(workspace, payload)
    try:
        _apply(workspace, user, view, answer)
    except Refused as refused:
        raise SlackRefuses(f"The app's answer cannot be shown: {refused.answer}") from None
    workspace.changed()
    return answer


async def close(workspace: Workspace, user: str, view_id: str) -> None:
    """Closes a modal, telling the app when the view asks for it (view_closed)."""
    person = person_of(workspace, user)
    view, _ = open_view_of(workspace, person, view_id)
    views.close_view(workspace, user, view_id)
    workspace.changed()
    if view["notify_on_close"]:
        payload = asking(workspace, person, "view_closed")
        del payload["trigger_id"]
        await ask(workspace, payload | {"view": view, "is_cleared": bool(view["clear_on_close"])})


def _filled(view: Json, given: Json) -> Json:
    """The view's state with what the person typed: {block_id: {action_id: state, or simply the value}}."""
    values: Json = copy.deepcopy(view["state"]["values"])
    for block_id, actions in given.items():
        for action_id, typed in actions.items():
            found = elements.find(view["blocks"], action_id, block_id)
            values.setdefault(block_id, {})[action_id] = elements.chosen(found, typed)
    for block in view["blocks"]:
        if block["type"] == "input" and not block.get("optional"):
            state = values[block["block_id"]][block["element"]["action_id"]]
            if elements.is_empty(state):
                raise SlackRefuses(REQUIRED)
    return values


def _apply(workspace: Workspace, user: str, view: Json, answer: Json) -> None:
    kind = answer.get("response_action")
    if kind is None:
        views.close_view(workspace, user, view["id"])
    elif kind == "clear":
        for view_id in views.stack_of(workspace, user)[:1]:
            views.close_view(workspace, user, view_id)
    elif kind == "update":
        views.update_view(workspace, view["id"], checked_view(answer.get("view"), "modal"))
    elif kind == "push":
        views.push_view(workspace, user, checked_view(answer.get("view"), "modal"))
    elif kind == "errors":
        inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
        errors = answer.get("errors")
        if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
            raise Refused("invalid_arguments", errors=["errors must name input blocks of the view"])
    else:
        raise Refused("invalid_arguments", errors=[f"unknown response_action {kind}"])
