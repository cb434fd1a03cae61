"""Catch me up: `@Sciorex summary` in a thread, `/ticket T-042 summary` over a ticket's sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection

from bot.agent.summary import Summed, sum_up
from bot.definitions.agents import DEFAULT_AGENT
from bot.errors import BotError
from bot.inbox import posts
from bot.inbox.claim import Claim, Item, finish
from bot.inbox.intake import Arrival, take_in
from bot.sessions.audience import may_see
from bot.sessions.forking import Inherited, inherited
from bot.sessions.listing import sessions_of_ticket
from bot.sessions.session import ChatSession, find_by_thread, get_session
from bot.sessions.summaries import (
    SaidThere,
    covers,
    find_summary,
    keep_summary,
    key_of_thread,
    key_of_ticket,
    said_there,
)
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, may_work_here
from bot.slack.sessions.opening import earlier_messages, open_session, refresh_header
from bot.slack.views.markdown import Shown, answer_parts, safe
from bot.slack.workspaces import Workspace

MOST_SESSIONS = 40
NOTHING = "Nothing has been said here yet that could be summed up."
STOPPED = "Stopped. Nothing was summed up."


@dataclass(frozen=True)
class Of:
    """What is to be summed up: which sessions, under which key it is kept, by which model, about which ticket.

    `before`: what a forked session goes on from, as far as its channel may see that.
    """

    key: str
    sessions: list[ChatSession]
    model: str | None
    about: str = ""
    before: tuple[Inherited, ...] = ()


async def thread_summary(parts: Parts, claim: Claim, item: Item) -> None:
    """Sums the thread up in the thread, for everybody there.

    Can be run again from the top after a crash: the summary is kept before it is shown.
    """
    user = str(item.body["user"])
    await may_work_here(parts, claim, user)
    workspace = await parts.workspace_of(claim, item)
    known = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if known is None and not await earlier_messages(parts, claim):
        raise BotError(NOTHING)
    session = await open_session(parts, claim, workspace, by=user, until=item.order_ts)
    await refresh_header(parts, claim, session.id)
    agent = workspace.agent(session.agent)
    async with at_work(parts, claim):
        before = await _before(parts, claim, session)
        of = Of(key_of_thread(session), [session], agent.model, before=before)
        text = await summary(parts, claim, item, of)
    shown = answer_parts(text)

    def said(connection: Connection) -> None:
        for number, part in enumerate(shown):
            key = f"summary.{item.id}.{number}"
            posts.put(connection, key=key, thread_id=claim.thread_id, role="notice", want=part.as_want())
        finish(connection, [item])

    await claim.write("summary", said)


async def _before(parts: Parts, claim: Claim, session: ChatSession) -> tuple[Inherited, ...]:
    """What a fork inherited, without the sessions that not everybody in its channel may see."""
    audience = await parts.people.audience_in(claim.channel)
    return await claim.read(
        lambda c: tuple(part for part in inherited(c, session.id) if may_see(audience, get_session(c, part.session_id)))
    )


async def ticket_summary(parts: Parts, claim: Claim, item: Item, some_id: str) -> None:
    """Sums up a ticket's sessions to whoever asks, as far as that person may see them.

    Asked in a channel it is done in the person's own lane, so that nobody there waits for the model.
    """
    await parts.people.may_look(str(item.body["user"]))
    workspace = await parts.workspace_of(claim, item)
    ticket = await workspace.in_store(lambda store: store.get(some_id))
    in_channel = not claim.thread_ts and item.kind != "ticket_summary"
    if in_channel and await hand_over(parts, claim, item, workspace, ticket.id):
        return
    audience = await parts.people.audience_of(str(item.body["user"]))
    listed = await claim.read(
        lambda c: sessions_of_ticket(c, audience, parts.me.team, workspace.name, ticket.id, MOST_SESSIONS)
    )
    sessions = [one.session for one in listed]
    if not sessions:
        raise BotError(f"There is no session of {ticket.id} to sum up.")
    key = key_of_ticket(parts.me.team, workspace.name, ticket.id, sessions)
    of = Of(key, sessions, workspace.agent(DEFAULT_AGENT.id).model, f"{ticket.id} {ticket.title}")
    text = await summary(parts, claim, item, of)
    *first, last = answer_parts(f"**{ticket.id}** {safe(ticket.title)}\n\n{text}")
    for part in first:
        await tell(parts, claim, item, part)
    await answer(parts, claim, item, last)


async def tell(parts: Parts, claim: Claim, item: Item, shown: Shown) -> None:
    """One part of several, to the person who asked."""
    user, url = str(item.body["user"]), item.body.get("response_url")
    await parts.tell(user, claim.channel, shown, thread_ts=claim.thread_ts, response_url=url)


async def hand_over(parts: Parts, claim: Claim, item: Item, workspace: Workspace, ticket_id: str) -> bool:
    """Moves the question from the channel's lane to that of the person's direct messages; False where there is none."""
    user = str(item.body["user"])
    try:
        channel = await parts.direct_channel(user)
    except SlackApiError:
        return False
    if channel == claim.channel:
        return False
    body = {**item.body, "ticket_id": ticket_id, "workspace": workspace.name}
    moved = Arrival(claim.team, channel, "", f"{item.key}:summary", "ticket_summary", item.order_ts, body)

    def move(connection: Connection) -> None:
        take_in(connection, moved, parts.now_ms())
        finish(connection, [item])

    await claim.write("summary asked", move)
    parts.wake()
    return True


async def handed_over(parts: Parts, claim: Claim, item: Item) -> None:
    """The question in the person's own lane. Body: {user, ticket_id, workspace, response_url}."""
    await ticket_summary(parts, claim, item, str(item.body["ticket_id"]))


async def summary(parts: Parts, claim: Claim, item: Item, of: Of) -> str:
    """The summary of these sessions: the kept one where nothing new was said, else the model's, kept at once."""
    for last in (False, True):
        said = await claim.read(lambda c: said_there(c, of.sessions, of.before))
        if not any(there.lines for there in said):
            raise BotError(NOTHING)
        covered = covers(said)
        kept = await claim.read(lambda c, h=covered: find_summary(c, of.key, h))  # type: ignore[misc]
        if kept:
            return kept.text if kept.ms >= item.received_ms else kept.text + _as_before(kept.ms)
        made = await _until_stopped(parts, claim, said, of)
        keep = partial(_keep, parts=parts, of=of, covered=covered, made=made)
        if await claim.write("summary kept", keep) or last:
            return safe(made.text)
    raise AssertionError("the second time is the last")


def _keep(connection: Connection, *, parts: Parts, of: Of, covered: str, made: Summed) -> bool:
    text, now = safe(made.text), parts.now_ms()
    return keep_summary(
        connection,
        of.key,
        covered,
        of.sessions,
        text,
        model=made.model,
        usage=made.usage,
        now_ms=now,
        before=of.before,
    )


async def _until_stopped(parts: Parts, claim: Claim, said: Sequence[SaidThere], of: Of) -> Summed:
    """The model's answer; `stop` in the thread ends the waiting for it."""
    asked = asyncio.ensure_future(sum_up(parts.model, said, wanted=of.model, about=of.about))
    stopped = asyncio.ensure_future(claim.stop.wait())
    try:
        await asyncio.wait({asked, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            raise BotError(STOPPED)
        return asked.result()
    finally:
        asked.cancel()
        stopped.cancel()


def _as_before(ms: int) -> str:
    when = datetime.fromtimestamp(ms / 1000, UTC)
    return f"\n\n_Nothing new was said since this was written ({when:%Y-%m-%d %H:%M} UTC)._"


@asynccontextmanager
async def at_work(parts: Parts, claim: Claim) -> AsyncIterator[None]:
    """Shows in the thread that something is being done, where the app is an agent."""

    async def show(status: str) -> None:
        with suppress(SlackApiError):
            await parts.client.agents_sessions_setStatus(
                channel_id=claim.channel, thread_ts=claim.thread_ts, status=status
            )

    await show("processing")
    try:
        yield
    finally:
        await show("active")
