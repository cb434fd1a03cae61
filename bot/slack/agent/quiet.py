"""Answering in a thread only when mentioned, or as ever: `quiet`, `always`, the header's menu."""

from __future__ import annotations

from typing import Any

from bot.errors import SessionNotFound
from bot.inbox.claim import Claim, Item
from bot.sessions.running import set_quiet
from bot.sessions.session import find_by_thread
from bot.slack.intake import clicks
from bot.slack.intake.place import place_of
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, may_work_here, notice
from bot.slack.sessions.opening import refresh_header
from bot.slack.views import blocks

QUIET = "I answer here only when I am mentioned"
ALWAYS = "I answer here as ever: without a mention while one person speaks with me"


async def from_header(parts: Parts, body: dict[str, Any]) -> None:
    """**Only when mentioned** and **Answer as ever** in a header's menu."""
    quiet = body["actions"][0]["selected_option"]["value"] == "quiet"
    await clicks.take_in(parts, body, "quiet", place_of(body), quiet=quiet)


async def quiet_word(parts: Parts, claim: Claim, item: Item) -> None:
    """Sets the thread to it. Body: {user, quiet}."""
    user, quiet = str(item.body["user"]), bool(item.body["quiet"])
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session is None:
        raise SessionNotFound("This thread is no session yet: mention me in it, or link it to a ticket.")
    await may_work_here(parts, claim, user)
    changed = await claim.write("choose quiet", lambda c: set_quiet(c, session.id, quiet))
    if not changed and item.attempts == 0:
        await answer(parts, claim, item, blocks.said(f"{QUIET if quiet else ALWAYS} already."))
        return
    await refresh_header(parts, claim, session.id)
    words = f"🔕 {QUIET}" if quiet else f"🔔 {ALWAYS}"
    await notice(parts, claim, item, blocks.notice(f"{words} (<@{user}>)."))
