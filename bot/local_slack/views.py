"""Views: the stack of modals each person has open, and everybody's home tab."""

import secrets
from typing import Any

from bot.local_slack.elements import initial_state, with_ids
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace

DEEPEST = 3
COPIED = ("type", "title", "submit", "close", "private_metadata", "callback_id", "external_id")
FLAGS = ("clear_on_close", "notify_on_close", "submit_disabled")


def stack_of(workspace: Workspace, user: str) -> list[str]:
    """The ids of a person's open modals, the top one last."""
    ids: list[str] = workspace.world.stacks.get(user, {}).get("ids", [])
    return ids


def open_view(workspace: Workspace, user: str, sent: Json) -> Json:
    """Opens a modal on its own; what was open before is closed."""
    for view_id in stack_of(workspace, user):
        workspace.world.views.drop(view_id)
    workspace.world.stacks.put(user, {"ids": []})
    return push_view(workspace, user, sent)


def push_view(workspace: Workspace, user: str, sent: Json) -> Json:
    """Opens a modal on top of the others; three are the most."""
    stack = stack_of(workspace, user)
    if len(stack) >= DEEPEST:
        raise Refused("push_limit_reached")
    refuse_taken_external_id(workspace, sent)
    view = filled_view(workspace, sent, workspace.world.next_id("V"))
    view["root_view_id"] = stack[0] if stack else view["id"]
    view["previous_view_id"] = stack[-1] if stack else None
    workspace.world.views.put(view["id"], {"user": user, "view": view})
    workspace.world.stacks.put(user, {"ids": [*stack, view["id"]]})
    return view


def update_view(workspace: Workspace, view_id: str, sent: Json) -> Json:
    """Replaces a view's content; what a person typed in blocks that stay is kept."""
    before, user = find_view(workspace, view_id)
    view = filled_view(workspace, sent, view_id)
    view |= {"root_view_id": before["root_view_id"], "previous_view_id": before["previous_view_id"]}
    for block_id, actions in before["state"]["values"].items():
        for action_id, state in actions.items():
            present = view["state"]["values"].get(block_id, {}).get(action_id)
            if present is not None and present["type"] == state["type"]:
                view["state"]["values"][block_id][action_id] = state
    table = workspace.world.homes if view["type"] == "home" else workspace.world.views
    table.put(user if view["type"] == "home" else view_id, {"user": user, "view": view})
    return view


def publish(workspace: Workspace, user: str, sent: Json) -> Json:
    """Sets a person's home tab."""
    known = workspace.world.homes.get(user)
    view = filled_view(workspace, sent, known["view"]["id"] if known else workspace.world.next_id("V"))
    view |= {"root_view_id": view["id"], "previous_view_id": None}
    workspace.world.homes.put(user, {"user": user, "view": view})
    return view


def set_state(workspace: Workspace, view: Json, user: str, values: Json) -> Json:
    """The view with what the person typed and chose, kept."""
    after = {**view, "state": {"values": values}}
    table = workspace.world.homes if view["type"] == "home" else workspace.world.views
    table.put(user if view["type"] == "home" else view["id"], {"user": user, "view": after})
    return after


def find_view(workspace: Workspace, view_id: str) -> tuple[Json, str]:
    """An open view or published home tab with the person it is for; not_found when it is closed."""
    row = workspace.world.views.get(view_id)
    if row is None:
        homes = workspace.world.homes.values()
        row = next((home for home in homes if home["view"]["id"] == view_id), None)
    if row is None:
        raise Refused("not_found")
    return row["view"], row["user"]


def by_external_id(workspace: Workspace, external_id: str) -> Json:
    for row in (*workspace.world.views.values(), *workspace.world.homes.values()):
        if row["view"]["external_id"] == external_id:
            view: Json = row["view"]
            return view
    raise Refused("not_found")


def close_view(workspace: Workspace, user: str, view_id: str) -> None:
    """Takes a modal, and whatever lies on it, off the stack."""
    stack = stack_of(workspace, user)
    at = stack.index(view_id) if view_id in stack else len(stack)
    for gone in stack[at:]:
        workspace.world.views.drop(gone)
    workspace.world.stacks.put(user, {"ids": stack[:at]})


def check_hash(view: Json, given: Any) -> None:
    """`hash` protects from overwriting a newer view (views.update, views.publish)."""
    if given not in (None, "") and given != view["hash"]:
        raise Refused("hash_conflict")


def refuse_taken_external_id(workspace: Workspace, sent: Json) -> None:
    external_id = sent.get("external_id")
    if external_id and any(row["view"]["external_id"] == external_id for row in workspace.world.views.values()):
        raise Refused("duplicate_external_id")


def filled_view(workspace: Workspace, sent: Json, view_id: str) -> Json:
    """A view as Slack hands it out: with ids, hash and state."""
    blocks = with_ids(sent["blocks"])
    view: Json = {"id": view_id, "team_id": workspace.team_id}
    view |= {key: sent.get(key) for key in COPIED}
    view |= {key: bool(sent.get(key)) for key in FLAGS}
    for key in ("private_metadata", "callback_id", "external_id"):
        view[key] = view[key] or ""
    return view | {
        "blocks": blocks,
        "state": {"values": initial_state(blocks)},
        "hash": f"{int(workspace.clock())}.{secrets.token_hex(4)}",
        "app_id": workspace.app_id,
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.bot_id,
    }
