"""Resuming a session that was archived, or a run that has ended, from a list or by a word in its thread."""

from __future__ import annotations

from typing import Any

from bot.errors import BotError, SessionNotFound
from bot.inbox import posts
from bot.inbox.claim import Claim, Item, finish
from bot.sessions.session import find_by_thread
from bot.slack.intake import clicks
from bot.slack.intake.place import Place
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, may_work_here, resume
from bot.slack.sessions.opening import permalink
from bot.slack.sessions.seeing import session_of
from bot.slack.views import blocks


async def clicked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Resume** in a ticket's sessions."""
    session = await session_of(parts, body, clicks.value(body))
    here = Place(session.channel, session.thread_ts)
    await clicks.take_in(parts, body, "resume", here, elsewhere=True, workspace=session.workspace)
    await ack()


async def resume_session(parts: Parts, claim: Claim, item: Item) -> None:
    """The thread's session goes on. Body: {user, elsewhere?}."""
    user = str(item.body["user"])
    await may_work_here(parts, claim, user)
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session is None:
        raise SessionNotFound("This thread is no session yet: mention me in it, or link it to a ticket.")
    address = await permalink(parts, claim.channel, claim.thread_ts)
    if address is None:
        raise BotError("That thread is no more: its first message was deleted. Fork the session to go on in a new one.")
    done_before = await claim.read(lambda c: posts.by_key(c, f"resume.{item.id}"))
    if session.state == "active" and done_before is None:
        await answer(parts, claim, item, blocks.pointer("It is active already", session.title, address))
        return
    await resume(parts, claim, session, user, item)
    if item.body.get("elsewhere"):
        await answer(parts, claim, item, blocks.pointer("Resumed", session.title, address))
    else:
        await claim.write("item done", lambda c: finish(c, [item]))
