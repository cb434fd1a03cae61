"""A session's title: renamed in words, by a form, or in Slack itself, which is told of the others."""

from __future__ import annotations

import logging
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.errors import BotError, NotAllowed, SessionNotFound
from bot.inbox.claim import Claim, Item, finish
from bot.inbox.intake import Arrival, served, take_in
from bot.sessions.planning import rename_planned
from bot.sessions.session import ChatSession, find_by_thread, own_title, rename_session
from bot.slack.intake import clicks, forms
from bot.slack.intake.arrivals import as_ts, team_of
from bot.slack.intake.place import Place, remembered
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, may_work_here, notice
from bot.slack.sessions.opening import refresh_header
from bot.slack.sessions.seeing import planned_of, session_here, session_of
from bot.slack.views import blocks, session_blocks, session_modals
from bot.slack.views.session_blocks import planned_in, planned_value

log = logging.getLogger(__name__)


async def open_from_list(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Rename** in a ticket's sessions, of one that takes place or is planned."""
    planned_id = planned_in(clicks.value(body))
    if planned_id is None:
        session = await session_of(parts, body, clicks.value(body))
        await _open(parts, body, session.id, session.title)
    else:
        planned = await planned_of(parts, body, planned_id)
        await _open(parts, body, planned_value(planned.id), planned.title)
    await ack()


async def open_from_header(parts: Parts, body: dict[str, Any]) -> None:
    """**Rename** in a header's menu."""
    session = await session_here(parts, body)
    await _open(parts, body, session.id, session.title)


async def _open(parts: Parts, body: dict[str, Any], which: str, title: str) -> None:
    await parts.people.may_write(str(body["user"]["id"]))
    kept = {"of": which, "response_url": str(body.get("response_url") or "")}
    await forms.open_view(parts, body, session_modals.rename_modal(title, kept))


async def submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The filled form, written down once."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    title = str(values["title"]["title"].get("value") or "").strip()
    if not title:
        await ack(response_action="errors", errors={"title": "Type a title."})
        return
    more = {"title": title, "response_url": kept.get("response_url") or None, "elsewhere": True}
    planned_id = planned_in(kept["of"])
    if planned_id is None:
        session = await session_of(parts, body, kept["of"])
        await forms.take_in(parts, body, "rename", Place(session.channel, session.thread_ts), **more)
    else:
        planned = await planned_of(parts, body, planned_id)
        await forms.take_in(parts, body, "rename", Place(planned.channel, ""), planned_id=planned_id, **more)
    await ack()


async def rename(parts: Parts, claim: Claim, item: Item) -> None:
    """Gives the thread's session a title of its own, or a planned one another. Body: {user, title, planned_id?}."""
    user, title, planned_id = str(item.body["user"]), own_title(str(item.body["title"])), item.body.get("planned_id")
    if not title:
        raise BotError("Type the title behind it, as in `rename Code review`.")
    await may_work_here(parts, claim, user)
    if planned_id:
        await claim.write("rename planned", lambda c: rename_planned(c, int(planned_id), title))
        await answer(parts, claim, item, blocks.said(f"It is called “{title}” from now on."))
        return
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session is None:
        raise SessionNotFound("This thread is no session yet: mention me in it, or link it to a ticket.")
    changed = await claim.write("rename", lambda c: rename_session(c, session.id, title, user))
    if not changed and item.attempts == 0:
        await answer(parts, claim, item, blocks.said(f"This session is called “{title}” already."))
        return
    await refresh_header(parts, claim, session.id)
    await tell_slack(parts, session, title)
    await notice(parts, claim, item, session_blocks.renamed(title, user))


async def tell_slack(parts: Parts, session: ChatSession, title: str) -> None:
    """Slack's own list of the app's sessions follows, where the app is an agent and the thread is known there."""
    try:
        await parts.client.agents_sessions_rename(channel_id=session.channel, thread_ts=session.thread_ts, title=title)
    except SlackApiError as error:
        log.info("Slack keeps its own title of %s: %s", session.id, error.response.get("error"))


async def title_changed(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Somebody gave the session another title in Slack (agent_session_title_changed)."""
    event = body["event"]
    team, channel, thread_ts = team_of(body, parts.me), str(event["channel"]), str(event["thread_ts"])
    user, title = str(event.get("user") or ""), str(event["title"])
    if user and user != parts.me.user:
        said, now = {"user": user, "title": title}, as_ts(parts.now_ms())
        arrival = Arrival(team, channel, thread_ts, f"e:{body['event_id']}", "retitled", now, said)

        def keep(connection: Any) -> bool:
            return served(connection, team, channel, thread_ts) and bool(take_in(connection, arrival, parts.now_ms()))

        if await parts.db.write("intake", keep):
            parts.wake()
    await ack()


async def retitled(parts: Parts, claim: Claim, item: Item) -> None:
    """The session follows the title that it has in Slack, unless a stranger gave it. Body: {user, title}."""
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    user, title = str(item.body["user"]), str(item.body["title"])
    try:
        await parts.people.may_write(user)
        allowed = bool(title.strip())
    except NotAllowed:
        allowed = False
    if session and allowed:
        await claim.write("retitled", lambda c: rename_session(c, session.id, title, user))
        await refresh_header(parts, claim, session.id)
    await claim.write("item done", lambda c: finish(c, [item]))
