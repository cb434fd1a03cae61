"""The page's HTTP: the state one person sees, waiting for changes, and doing what people do."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.local_slack.methods_agents import session_status
from bot.local_slack.methods_identity import user_shown
from bot.local_slack.refusals import Json, SlackRefuses
from bot.local_slack.views import stack_of
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel

FOLDER = Path(__file__).parent
PARTS = ("dom", "text", "popups", "blocks", "world", "composer", "messages", "modals", "pane")
FILES = {
    "/": "page.html",
    **{f"/{name}": name for name in ("page.css", "page.js", *(f"page_{part}.js" for part in PARTS))},
}
LONGEST_WAIT = 25.0
Act = Callable[..., Any]


@web.middleware
async def only_this_machine(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuses names other than this machine's (DNS rebinding), and posts from other sites."""
    host = (urlsplit(f"//{request.host}").hostname or "").lower()
    if host not in ("127.0.0.1", "localhost", "::1"):
        return web.Response(status=403, text="only for this machine")
    if request.path.startswith("/local/"):
        origin = request.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.host
        cross = request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
        if foreign or cross:
            return web.Response(status=403, text="only for this machine's own page")
    return await handler(request)


async def page_file(request: web.Request) -> web.StreamResponse:
    """The page and its files."""
    path = FOLDER / FILES[request.path]
    if not path.exists():
        return web.Response(status=404)
    return web.FileResponse(path, headers={"Cache-Control": "no-store"})


async def permalink(request: web.Request) -> web.Response:
    """A message's permanent address opens the page at its thread."""
    digits = request.match_info["message"].removeprefix("p")
    thread_ts = request.query.get("thread_ts", f"{digits[:-6]}.{digits[-6:]}")
    where = urlencode({"channel": request.match_info["channel"], "thread": thread_ts})
    return web.Response(status=302, headers={"Location": f"/?{where}"})


async def state(workspace: Workspace, request: web.Request) -> web.Response:
    return web.json_response(seen_by(workspace, request.query.get("user", "")))


def seen_by(workspace: Workspace, user: str) -> Json:
    """Everything one person sees."""
    world = workspace.world
    if user not in world.users or world.users[user].is_bot:
        user = next((one.id for one in world.users.values() if not one.is_bot), "")
    visible = [row for row in world.channels.values() if (not row.private and not row.im) or user in row.members]
    joined = [row for row in visible if user in row.members]
    return {
        "revision": workspace.changes.revision,
        "me": user,
        "users": [user_shown(workspace, one) for one in world.users.values()],
        "channels": [_channel(workspace, row, user) for row in visible],
        "messages": {row.id: list(world.messages[row.id].values()) for row in joined},
        "ephemerals": [row for row in world.ephemerals.values() if row["for"] == user],
        "views": [world.views[view_id]["view"] for view_id in stack_of(workspace, user)],
        "pane": workspace.panes.get(user),
        "home": world.homes[user]["view"] if user in world.homes else None,
        "sessions": _sessions(workspace, joined),
        "commands": list(workspace.declared.commands.values()),
        "message_shortcuts": list(workspace.declared.message_shortcuts.values()),
        "global_shortcuts": list(workspace.declared.global_shortcuts.values()),
        "hints": workspace.hints,
        "app": {
            "name": workspace.declared.name,
            "bot_user_id": workspace.bot_user_id,
            "home_tab": workspace.declared.home_tab,
            "agent": workspace.agent,
        },
    }


def _channel(workspace: Workspace, channel: Channel, user: str) -> Json:
    others = [workspace.world.users[one].name for one in channel.members if one != user]
    return {
        "id": channel.id,
        "name": ", ".join(others) if channel.im else channel.name,
        "private": channel.private,
        "shared": channel.shared,
        "im": channel.im,
        "member": user in channel.members,
        "bot": workspace.bot_user_id in channel.members,
    }


def _sessions(workspace: Workspace, joined: list[Channel]) -> list[Json]:
    ids = {channel.id for channel in joined}
    rows = []
    for key, row in workspace.world.sessions.items():
        channel, thread_ts = key.split("/")
        if channel in ids:
            status = session_status(workspace, channel, thread_ts)
            rows.append({"channel": channel, "thread_ts": thread_ts, "title": row["title"], "status": status})
    return rows


async def changes(workspace: Workspace, request: web.Request) -> web.Response:
    """Answers when the revision is greater than `after`, or after 25 s as it is."""
    try:
        after = int(request.query.get("after", "0"))
    except ValueError:
        return web.json_response({"ok": False, "error": "after must be a number"}, status=400)
    await workspace.changes.until(lambda: workspace.changes.revision > after, LONGEST_WAIT)
    return web.json_response({"revision": workspace.changes.revision})


async def act(acts: dict[str, Act], request: web.Request) -> web.Response:
    """Does one act: {"user", "act", …} with arguments named as LocalSlack's."""
    if request.content_type != "application/json":
        return web.json_response({"ok": False, "error": "send JSON"}, status=415)
    try:
        body = await request.json()
        chosen = acts[body.pop("act")]
        result = chosen(body.pop("user"), **body)
        if asyncio.iscoroutine(result):
            result = await result
    except SlackRefuses as refused:
        return web.json_response({"ok": False, "error": str(refused)})
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return web.json_response({"ok": False, "error": f"not an act: {wrong}"}, status=400)
    return web.json_response({"ok": True, "result": result})
