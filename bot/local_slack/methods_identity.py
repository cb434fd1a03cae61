"""auth.*, apps.*, team.*, bots.* and users.*: who everybody is."""

from bot.local_slack.methods import Method, page_of, text_of
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import User

TEAM_NAME, TEAM_DOMAIN = "Local", "local"


def auth_test(workspace: Workspace, args: Json) -> Json:
    return {
        "url": f"{workspace.url}/",
        "team": TEAM_NAME,
        "user": workspace.declared.name.lower(),
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def connections_open(workspace: Workspace, args: Json) -> Json:
    ticket = workspace.deliveries.sockets.issue_ticket()
    address = workspace.url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link?ticket={ticket}&app_id={workspace.app_id}"}


def team_info(workspace: Workspace, args: Json) -> Json:
    team = {"id": workspace.team_id, "name": TEAM_NAME, "domain": TEAM_DOMAIN, "url": f"{workspace.url}/"}
    return {"team": {**team, "email_domain": "", "icon": {"image_default": True}}}


def bots_info(workspace: Workspace, args: Json) -> Json:
    if text_of(args, "bot", required=False) not in ("", workspace.bot_id):
        raise Refused("bot_not_found")
    bot = {"id": workspace.bot_id, "app_id": workspace.app_id, "user_id": workspace.bot_user_id}
    icons = {"image_48": f"{workspace.url}/icon.png"}
    return {"bot": {**bot, "name": workspace.declared.name, "deleted": False, "updated": 0, "icons": icons}}


def users_info(workspace: Workspace, args: Json) -> Json:
    return {"user": user_shown(workspace, workspace.user(text_of(args, "user")))}


def users_list(workspace: Workspace, args: Json) -> Json:
    page, cursor = page_of(list(workspace.world.users.values()), args, 1000, 1000)
    members = [user_shown(workspace, user) for user in page]
    shown_at = int(workspace.clock())
    return {"members": members, "cache_ts": shown_at, "response_metadata": {"next_cursor": cursor}}


def user_shown(workspace: Workspace, user: User) -> Json:
    """A user as the Web API shows them."""
    profile = {
        "real_name": user.name,
        "real_name_normalized": user.name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "team": user.team_id,
    }
    if user.is_bot:
        profile |= {"bot_id": workspace.bot_id, "api_app_id": workspace.app_id}
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name.lower().replace(" ", "."),
        "real_name": user.name,
        "deleted": False,
        "tz": "Etc/UTC",
        "tz_label": "UTC",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": user.admin,
        "is_owner": False,
        "is_restricted": user.guest,
        "is_ultra_restricted": False,
        "is_stranger": user.team_id != workspace.team_id,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }


METHODS = {
    "auth.test": Method(auth_test),
    "apps.connections.open": Method(connections_open, app_token=True),
    "team.info": Method(team_info, ("team:read",)),
    "bots.info": Method(bots_info, ("users:read",)),
    "users.info": Method(users_info, ("users:read",)),
    "users.list": Method(users_list, ("users:read",)),
}
