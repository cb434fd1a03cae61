"""views.* and entity.presentDetails: what an app opens in answer to a person."""

from bot.local_slack import views
from bot.local_slack.entity_check import entity_problems
from bot.local_slack.methods import Method, invalid, text_of
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.view_check import checked_view, refuse
from bot.local_slack.workspace import Workspace

PANE_ERRORS = ("restricted", "internal_error", "not_found", "custom", "custom_partial_view", "timeout")


def open_view(workspace: Workspace, args: Json) -> Json:
    user, trigger = _asker(workspace, args)
    sent = checked_view(args.get("view"), "modal")
    views.refuse_taken_external_id(workspace, sent)
    view = views.open_view(workspace, user, sent)
    workspace.use_trigger(trigger)
    return {"view": view}


def push(workspace: Workspace, args: Json) -> Json:
    user, trigger = _asker(workspace, args)
    if not views.stack_of(workspace, user):
        raise Refused("view_not_found")
    view = views.push_view(workspace, user, checked_view(args.get("view"), "modal"))
    workspace.use_trigger(trigger)
    return {"view": view}


def update(workspace: Workspace, args: Json) -> Json:
    view_id = text_of(args, "view_id", required=False)
    if view_id:
        before, _ = views.find_view(workspace, view_id)
    else:
        before = views.by_external_id(workspace, text_of(args, "external_id"))
    sent = checked_view(args.get("view"), before["type"])
    views.check_hash(before, args.get("hash"))
    return {"view": views.update_view(workspace, before["id"], sent)}


def publish(workspace: Workspace, args: Json) -> Json:
    if not workspace.declared.home_tab:
        raise Refused("not_enabled")
    user = text_of(args, "user_id")
    if user not in workspace.world.users:
        raise invalid("user_id is not valid")
    sent = checked_view(args.get("view"), "home")
    known = workspace.world.homes.get(user)
    if known is not None:
        views.check_hash(known["view"], args.get("hash"))
    return {"view": views.publish(workspace, user, sent)}


def _asker(workspace: Workspace, args: Json) -> tuple[str, str]:
    trigger = text_of(args, "trigger_id")
    return workspace.trigger_user(trigger), trigger


def present_details(workspace: Workspace, args: Json) -> Json:
    """The details of a Work Object, for the person who opened it."""
    if not workspace.work_objects:
        raise Refused("feature_not_enabled")
    user, trigger = _asker(workspace, args)
    pane, metadata, error = workspace.panes.get(user), args.get("metadata"), args.get("error")
    if not metadata and not error and not args.get("user_auth_required"):
        raise invalid("missing required field: metadata")
    if metadata:
        refuse(entity_problems(metadata), "invalid_metadata")
    if error and (not isinstance(error, dict) or error.get("status") not in PANE_ERRORS):
        raise invalid("error must have a status [json-pointer:/error]")
    if pane is None or pane["trigger_id"] != trigger:
        raise Refused("invalid_trigger_id")  # the pane shows another card by now
    if metadata and metadata["external_ref"]["id"] != pane["card"]["external_ref"]["id"]:
        raise Refused("entity_metadata_does_not_match_trigger")
    workspace.use_trigger(trigger)
    workspace.panes[user] = {**pane, "details": metadata, "error": error}
    return {}


METHODS = {
    "views.open": Method(open_view),
    "views.push": Method(push),
    "views.update": Method(update),
    "views.publish": Method(publish),
    "entity.presentDetails": Method(present_details),
}
