"""What people say in a thread: kept, taken as commands, or answered by the agent, in order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.definitions.agents import DEFAULT_AGENT
from bot.errors import BotError
from bot.inbox import posts
from bot.inbox.claim import Claim, Item, finish
from bot.sessions import transcript
from bot.sessions.archives.archive_chain import follow_late
from bot.sessions.linking import current_link, refer, references_of
from bot.sessions.session import (
    ChatSession,
    Said,
    find_by_thread,
    keep_message,
    speakers,
)
from bot.sessions.taking_up import not_taken_up, times_of
from bot.slack.agent.asking import give_way
from bot.slack.agent.choosing_agents import say_gone
from bot.slack.agent.turns import Stand, run, take_stand
from bot.slack.intake.listening import Room, answers
from bot.slack.intake.words import Word, command_in
from bot.slack.parts import Parts
from bot.slack.sessions.link import record, resume
from bot.slack.sessions.opening import open_session, refresh_header, said_by
from bot.slack.views import blocks
from bot.slack.workspaces import Workspace
from bot.tickets.ids import mentions
from bot.tickets.ticket import Ticket

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """Messages taken up together: those of one person who wants an answer, with what others said between."""

    items: list[Item]
    asked_by: str | None


def word_of(parts: Parts, item: Item) -> Word | None:
    """The command that a message is, if it is one."""
    if item.body.get("bot"):
        return None
    return command_in(item.body["text"], parts.me.user, direct=bool(item.body.get("direct")))


async def talk(parts: Parts, claim: Claim, items: Sequence[Item]) -> None:
    """Takes up the messages at the head of the queue, and runs the turn they ask for."""
    session, batch = await gather(parts, claim, items)
    if session is None and batch.asked_by is None:
        await claim.write("not a session", lambda c: finish(c, batch.items))
        return
    if batch.asked_by and (refusal := await refused(parts, batch.asked_by)):
        await parts.tell(batch.asked_by, claim.channel, refusal, thread_ts=claim.thread_ts)
        batch = replace(batch, asked_by=None)
        if session is None:
            await claim.write("not a session", lambda c: finish(c, batch.items))
            return
    if session is None:
        first, last = batch.items[0], batch.items[-1]
        by = str(batch.asked_by)
        workspace = await parts.workspace_at(claim.channel, by)
        session = await open_session(parts, claim, workspace, by=by, until=last.order_ts, title=first.body["text"])
        await refresh_header(parts, claim, session.id)
    elif session.state != "active" and batch.asked_by:
        await resume(parts, claim, session, batch.asked_by, batch.items[0])
    stand = await begin(parts, claim, session, batch)
    if stand:
        await run(parts, claim, session, stand.turn, stand)


async def gather(parts: Parts, claim: Claim, items: Sequence[Item]) -> tuple[ChatSession | None, Batch]:
    """The thread's session, and the messages up to the next command, edit or other person's question."""

    def look(connection: Connection) -> tuple[ChatSession | None, Room, set[str]]:
        session = find_by_thread(connection, claim.thread_id)
        times = times_of(connection, session.id, [item.order_ts for item in items]) if session else set()
        return session, _room(connection, session, items[0]), times

    session, room, fetched = await claim.read(look)
    batch: list[Item] = []
    asker: str | None = None
    heard = set(room.speakers)
    for item in items:
        if item.kind != "message" or word_of(parts, item):
            break
        user = str(item.body["user"])
        here = replace(room, speakers=frozenset(heard), asked=room.asked if heard <= {user, *room.speakers} else None)
        if item.order_ts in fetched:
            # It was said before the thread became a session, and its event came while that was being done.
            here = replace(here, session=False)
        if answers(item.body["text"], user, by_bot=item.body["bot"], bot_user=parts.me.user, room=here):
            if asker not in (None, user):
                break
            asker = user
        batch.append(item)
        if not item.body["bot"]:
            heard.add(user)
    return session, Batch(batch, asker)


def _room(connection: Connection, session: ChatSession | None, first: Item) -> Room:
    """Who has spoken here before this message, and whom the bot asked something last."""
    direct = bool(first.body.get("direct"))
    if session is None:
        return Room(direct, frozenset(), session=False)
    last = transcript.last_turn(connection, session.id)
    asked = None
    if last and last.state == "done":
        steps = transcript.steps_of(connection, [last.id])[last.id]
        question = steps[-1].text.rstrip("*_ \n").endswith("?")
        if question and _only_by(connection, session, last.asked_by):
            asked = last.asked_by
    return Room(direct, frozenset(speakers(connection, session.id)), asked, quiet=session.quiet)


def _only_by(connection: Connection, session: ChatSession, user: str) -> bool:
    """Whether nobody else has said anything since the last turn."""
    waiting = set(not_taken_up(connection, session.id))
    return all(m.user_id == user or m.bot for m in transcript.messages_of(connection, session.id) if m.id in waiting)


async def refused(parts: Parts, user: str) -> blocks.Shown | None:
    """What somebody is told who may not put the agent to work here."""
    try:
        await parts.people.may_write(user)
    except BotError as error:
        return blocks.error(error.text)
    return None


async def begin(parts: Parts, claim: Claim, session: ChatSession, batch: Batch) -> Stand | None:
    """Keeps what was said, with its references, and begins the turn: one transaction, then it cannot be lost."""
    said = [await said_by(parts, item.body) for item in batch.items]
    workspace = parts.workspaces.find(session.workspace)
    named = await references(parts, claim, workspace, session, said) if workspace else []
    agent = workspace.agent(session.agent) if workspace else DEFAULT_AGENT

    def keep(connection: Connection) -> Stand | None:
        for one in said:
            keep_message(connection, session, one, parts.now_ms())
        follow_late(connection, session, [one.ts for one in said])
        fresh = [t for t, by in named if refer(connection, session, t.id, by=by, now_ms=parts.now_ms())]
        if fresh:
            shown = blocks.reference_notice([(t.id, t.title) for t in fresh])
            key = f"reference.{batch.items[0].id}"
            posts.put(connection, key=key, thread_id=claim.thread_id, role="notice", want=shown.as_want())
        if batch.asked_by is None:
            finish(connection, batch.items)
            return None
        if waiting := transcript.unfinished_turn(connection, session.id):
            give_way(connection, waiting, batch.asked_by, parts.now_ms())
        say_gone(connection, claim, session, agent)
        turn = transcript.begin_turn(
            connection,
            session.id,
            asked_by=batch.asked_by,
            message_ids=not_taken_up(connection, session.id),
            agent=agent.id,
            model=agent.model or parts.model.default,
            now_ms=parts.now_ms(),
        )
        finish(connection, batch.items, turn_id=turn.id)
        return take_stand(connection, session, turn.id)

    stand = await claim.write("begin turn", keep)
    await offer_link(parts, claim, session, named)
    return stand


async def references(
    parts: Parts, claim: Claim, workspace: Workspace, session: ChatSession, said: Sequence[Said]
) -> list[tuple[Ticket, str]]:
    """The tickets that people name here for the first time, written into each ticket's history, with who did."""

    def known(connection: Connection) -> set[str]:
        now = current_link(connection, session.id)
        return {*references_of(connection, session.id), *([now.ticket_id] if now else [])}

    named: list[tuple[Ticket, str]] = []
    naming = [one for one in said if mentions(one.text)]
    seen = await claim.look(known) if naming else set()
    for one in naming:
        if one.bot or await refused(parts, one.user_id):
            continue
        for ticket_id in await workspace.in_store(lambda store, text=one.text: store.ids_in(text)):  # type: ignore[misc]
            if ticket_id in seen:
                continue
            seen.add(ticket_id)
            try:
                op = f"refer:{session.id}:{ticket_id}"
                await record(workspace, ticket_id, "session_referenced", session, one.user_id, op)
                ticket = await workspace.in_store(lambda store, i=ticket_id: store.get(i))  # type: ignore[misc]
            except BotError as error:
                log.warning("a reference could not be recorded: %s", error.text)
                continue
            named.append((ticket, one.user_id))
    return named


async def offer_link(parts: Parts, claim: Claim, session: ChatSession, named: Sequence[tuple[Ticket, str]]) -> None:
    """In a thread with no ticket, the writer alone is offered to link the first one named."""
    if not named or await claim.look(lambda c: current_link(c, session.id) is not None):
        return
    ticket, user = named[0]
    if not ticket.archived:
        await parts.tell(user, claim.channel, blocks.offer_link(ticket.id, ticket.title), thread_ts=claim.thread_ts)
