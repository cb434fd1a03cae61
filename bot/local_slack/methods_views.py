"""views.* and entity.presentDetails: what an app opens in answer to a person."""

from bot.local_slack import views
from bot.local_slack.methods import Method, invalid, text_of
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.view_check import checked_view
from bot.local_slack.workspace import Workspace


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
    _, trigger = _asker(workspace, args)
    if not args.get("metadata") and not args.get("error") and not args.get("user_auth_required"):
        raise invalid("missing required field: metadata")
    workspace.use_trigger(trigger)
    return {}


METHODS = {
    "views.open": Method(open_view),
    "views.push": Method(push),
    "views.update": Method(update),
    "views.publish": Method(publish),
    "entity.presentDetails": Method(present_details),
}
