"""Files posted in a thread: fetched from Slack once, with the bot's token and from Slack alone, and kept."""

from __future__ import annotations

import logging
from dataclasses import replace
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackClientError
from sqlalchemy import Connection

from bot.agent.attachments import LARGEST, MOST_BYTES, TOO_MANY, judged, kind_of, refusal_before, refused
from bot.inbox.claim import Claim
from bot.inbox.intake import storable
from bot.sessions.attachments import Attachment, Wanted, keep_attachment, not_looked_at, shown_bytes
from bot.sessions.session import ChatSession
from bot.slack.intake.arrivals import about_file
from bot.slack.parts import Parts

log = logging.getLogger(__name__)
FILE_HOSTS = ("files.slack.com", "files.slack-gov.com")
SECONDS = 30
TRIES = 2
PIECE = 64 * 1024
NOT_FETCHED = "it could not be fetched from Slack"


async def fetch_files(parts: Parts, claim: Claim, session: ChatSession) -> None:
    """Looks at every file of the session that was not looked at yet: after the first sign of a turn, and stopped with
    it. A failure is a line to the model, no more.

    What was decided once stays: what has been sent to the model is sent again byte for byte.
    """
    for wanted in await claim.read(lambda c: not_looked_at(c, session.id)):
        files, size = await claim.read(lambda c: shown_bytes(c, session.id))
        asked = await _asked_about(parts, wanted)
        why = refusal_before(asked, files, size)
        one = refused(asked, why) if why else await _fetched(parts, asked)
        if size + one.size > MOST_BYTES:
            one = refused(asked, TOO_MANY)

        def keep(connection: Connection, one: Attachment = one) -> None:
            keep_attachment(connection, session.id, one, parts.now_ms())

        await claim.write("attachment", keep)


async def _asked_about(parts: Parts, wanted: Wanted) -> Wanted:
    """The file with what Slack says of it; in shared channels a message has its id alone (file_access)."""
    if wanted.mimetype or wanted.address:
        return wanted
    try:
        file = (await parts.client.files_info(file=wanted.file_id)).get("file") or {}
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
        log.warning("Slack said nothing of the file %s (%s)", wanted.file_id, type(error).__name__)
        return wanted
    name, about = storable(str(file.get("name") or wanted.name)), about_file(file)
    return replace(
        wanted,
        name=name,
        mimetype=str(about.get("mimetype") or ""),
        size=int(about.get("size") or 0),
        address=str(about.get("download") or ""),
    )


async def _fetched(parts: Parts, wanted: Wanted) -> Attachment:
    if not may_go_to(wanted.address, parts.client.base_url):
        return refused(wanted, "its address is not one of Slack's")
    most = LARGEST[kind_of(wanted.mimetype) or "text"]
    for _ in range(TRIES):
        try:
            content = await _download(parts, wanted, most)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("the file %s could not be fetched: %s", wanted.file_id, type(error).__name__)
            continue
        if content is None:
            break
        return judged(wanted, content)
    return refused(wanted, NOT_FETCHED)


async def _download(parts: Parts, wanted: Wanted, most: int) -> bytes | None:
    """The bytes at the address, one more than `most` at the longest; None where Slack refuses them for good.

    Redirections are not followed: the token goes nowhere but to Slack. Raises what aiohttp raises.
    """
    http = parts.client.session
    assert http is not None
    headers = {"Authorization": f"Bearer {parts.client.token}"}
    limit = aiohttp.ClientTimeout(total=SECONDS)
    async with http.get(wanted.address, headers=headers, allow_redirects=False, timeout=limit) as answer:
        if answer.status >= 500:
            raise aiohttp.ClientError(str(answer.status))
        asks_to_sign_in = answer.content_type == "text/html" and wanted.mimetype != "text/html"
        if answer.status != 200 or asks_to_sign_in:
            log.warning("Slack answered %s to a file; does the app have files:read?", answer.status)
            return None
        found = bytearray()
        async for piece in answer.content.iter_chunked(PIECE):
            found += piece
            if len(found) > most:
                break
        return bytes(found)


def may_go_to(address: str, api: str) -> bool:
    """Whether the bot's token may be sent there: to Slack's own files, or to the server that stands in for Slack."""
    try:
        to, slack = urlsplit(address), urlsplit(api)
        host, port = to.hostname or "", to.port
        if to.username is not None or to.password is not None:
            return False
        if (slack.hostname or "") in ("slack.com", "slack-gov.com") or (slack.hostname or "").endswith(".slack.com"):
            return to.scheme == "https" and host in FILE_HOSTS and port in (None, 443)
        return (to.scheme, host, port) == (slack.scheme, slack.hostname, slack.port)
    except ValueError:
        return False
