"""POST or GET /api/{method}: tokens, scopes, arguments, put-up failures, and the record of calls."""

import json
from typing import Any

from aiohttp import web

from bot.local_slack import (
    files,
    methods_agents,
    methods_chat,
    methods_conversations,
    methods_identity,
    methods_views,
    streams,
)
from bot.local_slack.faults import Call, Fault
from bot.local_slack.methods import Method, need_scope
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace

METHODS: dict[str, Method] = {
    **methods_identity.METHODS,
    **methods_conversations.METHODS,
    **methods_chat.METHODS,
    **streams.METHODS,
    **methods_agents.METHODS,
    **methods_views.METHODS,
    **files.METHODS,
}
JSON_FIELDS = ("blocks", "attachments", "metadata", "view", "chunks", "files", "prompts", "error")


async def handle(workspace: Workspace, request: web.Request) -> web.StreamResponse:
    """One Web API call. It is written down before it is answered."""
    name = request.match_info["method"]
    try:
        args = await arguments(request)
    except ValueError:
        return web.json_response({"ok": False, "error": "invalid_json"})
    header = request.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ") or str(args.get("token", ""))
    args.pop("token", None)
    await workspace.faults.passed(name)
    fault = workspace.faults.take(name)
    if fault is not None and not fault.after:
        return _failed(workspace, name, args, fault)
    answer = answered(workspace, name, token, args)
    workspace.store.commit()
    workspace.calls.append(Call(name, args, answer, workspace.clock()))
    workspace.changed()
    if fault is not None and request.transport is not None:
        request.transport.abort()
    scopes = ",".join(sorted(workspace.declared.scopes))
    return web.json_response(answer, headers={"x-oauth-scopes": scopes})


def answered(workspace: Workspace, name: str, token: str, args: Json) -> Json:
    """The answer of a method, or of what stands before it."""
    method = METHODS.get(name)
    try:
        if method is None:
            raise Refused("unknown_method", req_method=name)
        _check_token(workspace, method, token)
        need_scope(workspace, *method.scopes)
        return {"ok": True, **method.run(workspace, args)}
    except Refused as refused:
        return refused.answer


def _check_token(workspace: Workspace, method: Method, token: str) -> None:
    wanted, other = workspace.bot_token, workspace.app_token
    if method.app_token:
        wanted, other = other, wanted
    if not token:
        raise Refused("not_authed")
    if token == other:
        raise Refused("not_allowed_token_type")
    if token != wanted:
        raise Refused("invalid_auth")


def _failed(workspace: Workspace, name: str, args: Json, fault: Fault) -> web.Response:
    answer: Json = {"ok": False, "error": fault.error}
    workspace.calls.append(Call(name, args, answer, workspace.clock()))
    workspace.changed()
    if fault.error == "ratelimited":
        headers = {"Retry-After": str(1 if fault.retry_after is None else fault.retry_after)}
        return web.json_response(answer, status=429, headers=headers)
    return web.json_response(answer)


async def arguments(request: web.Request) -> Json:
    """Arguments of a JSON body, a form or the query; fields that hold JSON in a form are read."""
    found: Json = dict(request.query)
    if request.method == "POST" and request.can_read_body:
        if request.content_type == "application/json":
            body = await request.json()
            if not isinstance(body, dict):
                raise ValueError("the body is no object")
            found |= {key: value for key, value in body.items() if value is not None}
        else:
            found |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    for key in JSON_FIELDS:
        if isinstance(found.get(key), str):
            found[key] = _read(found[key])
    return found


def _read(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text
