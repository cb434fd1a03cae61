"""Files: uploading in three steps, sharing, and downloading with the bot's token."""

import base64
from mimetypes import guess_type
from pathlib import Path

from aiohttp import web

from bot.local_slack import messages
from bot.local_slack.methods import Method, invalid, joined_channel, number_of, text_of
from bot.local_slack.methods_chat import by_bot
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace

MOST_BYTES = 1024 * 1024 * 1024


def get_upload_url(workspace: Workspace, args: Json) -> Json:
    name, length = text_of(args, "filename"), number_of(args, "length", 0, MOST_BYTES)
    if not length:
        raise invalid("missing required field: length")
    file_id = workspace.world.next_id("F")
    row = {"name": name, "length": length, "content": None, "user": workspace.bot_user_id, "title": name}
    workspace.world.files.put(file_id, row)
    return {"upload_url": f"{workspace.url}/upload/v1/{file_id}", "file_id": file_id}


async def upload(workspace: Workspace, request: web.Request) -> web.Response:
    """The second step: the bytes, raw or as a form's first file."""
    file_id = request.match_info["file"]
    row = workspace.world.files.get(file_id)
    if row is None or row["content"] is not None:
        return web.Response(status=404, text="no such upload")
    content = await request.read()
    if request.content_type == "multipart/form-data":
        fields = [field for field in (await request.post()).values() if isinstance(field, web.FileField)]
        content = fields[0].file.read() if fields else b""
    if len(content) != row["length"]:
        return web.Response(status=400, text="the length is not the one announced")
    workspace.world.files.put(file_id, {**row, "content": base64.b64encode(content).decode()})
    workspace.changed()
    return web.Response(text=f"OK - {len(content)}")


def complete_upload(workspace: Workspace, args: Json) -> Json:
    """The third step: shares uploaded files in a channel or thread."""
    listed = args.get("files")
    if not isinstance(listed, list) or not listed or not all(isinstance(row, dict) for row in listed):
        raise invalid("missing required field: files")
    for row in listed:
        kept = workspace.world.files.get(str(row.get("id")))
        if kept is None or kept["content"] is None:
            raise Refused("file_not_found")
        workspace.world.files.put(row["id"], {**kept, "title": row.get("title") or kept["name"]})
    files = [file_shown(workspace, row["id"]) for row in listed]
    if text_of(args, "channel_id", required=False):
        channel = joined_channel(workspace, args, "channel_id")
        comment = text_of(args, "initial_comment", required=False)
        shared = {**by_bot(workspace), "subtype": "file_share", "text": comment, "files": files}
        thread_ts = text_of(args, "thread_ts", required=False) or None
        messages.post(workspace, channel, shared | {"upload": True}, thread_ts)
    return {"files": files}


def keep_file(workspace: Workspace, user: str, file: Path | tuple[str, bytes]) -> Json:
    """A file a person uploads: a path, or a name with its bytes."""
    name, content = (file.name, file.read_bytes()) if isinstance(file, Path) else file
    file_id = workspace.world.next_id("F")
    encoded = base64.b64encode(content).decode()
    row = {"name": name, "length": len(content), "content": encoded, "user": user, "title": name}
    workspace.world.files.put(file_id, row)
    if workspace.check_file_info:  # as in shared channels
        return {"id": file_id, "mode": "file_access", "file_access": "check_file_info"}
    return file_shown(workspace, file_id)


def info(workspace: Workspace, args: Json) -> Json:
    file_id = text_of(args, "file")
    if file_id not in workspace.world.files:
        raise Refused("file_not_found")
    return {"file": file_shown(workspace, file_id)}


def file_shown(workspace: Workspace, file_id: str) -> Json:
    row = workspace.world.files[file_id]
    address = workspace.file_address or f"{workspace.url}/files/{file_id}/{row['name']}"
    return {
        "id": file_id,
        "name": row["name"],
        "title": row["title"],
        "filetype": Path(row["name"]).suffix.lstrip(".") or "text",
        "mimetype": row.get("mimetype") or guess_type(row["name"])[0] or "application/octet-stream",
        "size": row["length"],
        "user": row["user"],
        "mode": "hosted",
        "is_external": False,
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
    }


async def download(workspace: Workspace, request: web.Request) -> web.Response:
    """A file's bytes: for the bot's token (files:read), and for whoever clicks on it in the page, as a download."""
    by_bot = request.headers.get("Authorization") == f"Bearer {workspace.bot_token}"
    in_page = request.headers.get("Sec-Fetch-Site") == "same-origin"  # browsers say so, and let no script say it
    row = workspace.world.files.get(request.match_info["file"])
    if not in_page and not (by_bot and "files:read" in workspace.declared.scopes):
        return web.Response(status=302, headers={"Location": "/"})
    if by_bot:
        workspace.downloads.append(request.match_info["file"])
        if workspace.fail_downloads:
            return web.Response(status=workspace.fail_downloads)
        if workspace.redirect_downloads:
            return web.Response(status=302, headers={"Location": workspace.redirect_downloads})
    if row is None or row["content"] is None:
        return web.Response(status=404)
    return web.Response(
        body=base64.b64decode(row["content"]),
        content_type="application/octet-stream",
        headers={"Content-Disposition": "attachment"},
    )


METHODS = {
    "files.info": Method(info, ("files:read",)),
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",)),
}
