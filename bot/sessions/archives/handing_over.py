"""A session's transcript as somebody gets it: what it holds then, as JSON, Markdown or a page of HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from bot.sessions.archives.archive import newest_archive
from bot.sessions.archives.archive_chain import archived_file
from bot.sessions.archives.archive_file import as_text
from bot.sessions.archives.export import transcript_of
from bot.sessions.archives.html_page import html_page
from bot.sessions.archives.markdown_page import markdown_page
from bot.sessions.session import ChatSession
from bot.sessions.transcript import JsonObject

FORMATS: Mapping[str, Callable[[JsonObject], str]] = {"md": markdown_page, "html": html_page, "json": as_text}


def handed_over(connection: Connection, session: ChatSession) -> JsonObject:
    """Of an archived session what was archived, with its chain; of any other all that was said and done so far."""
    if session.state != "archived":
        return transcript_of(connection, session)
    content = archived_file(connection, session.id)
    return content or transcript_of(connection, session, newest_archive(connection, session.id))


def rendered(content: JsonObject, form: str) -> bytes:
    """The transcript in one of FORMATS; what no text file can hold is shown as a question mark."""
    return FORMATS[form](content).encode("utf-8", "replace")


def export_name(content: JsonObject, form: str) -> str:
    """The name of the file, safe in every folder."""
    named = re.sub(r"[^A-Za-z0-9_-]+", "-", str(content.get("id") or ""))[:80].strip("-")
    return f"session-{named or 'without-id'}.{form}"
