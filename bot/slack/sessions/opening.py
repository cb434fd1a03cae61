"""A thread becomes a session: what was said before is fetched once, and its header message appears."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection

from bot.agent.permissions import Mode
from bot.definitions.agents import DEFAULT_AGENT
from bot.errors import BotError
from bot.inbox import posts
from bot.inbox.claim import Claim, NotYet, beginning_waits
from bot.inbox.intake import Arrival, take_in
from bot.sessions.archives.archive import newest_archive
from bot.sessions.linking import current_link
from bot.sessions.session import (
    ChatSession,
    Said,
    find_by_thread,
    get_session,
    keep_message,
    new_session_id,
    start_session,
    title_from,
)
from bot.slack.agent.agents import first_agent, kind_of
from bot.slack.intake.arrivals import SAID, said_in
from bot.slack.intake.words import MENTION, as_typed, command_in
from bot.slack.parts import Parts
from bot.slack.views import blocks
from bot.slack.views.agent_blocks import agent_select
from bot.slack.workspaces import Workspace


async def open_session(
    parts: Parts, claim: Claim, workspace: Workspace, *, by: str, until: str, title: str = ""
) -> ChatSession:
    """The session of this thread; made, in `workspace` and with everything said in it so far, when it is none yet.

    What was said after `until` (a ts) is taken in as if its event had come, which it may not have, or will again.
    Raises NotInChannel, with how to invite the bot, where it cannot read.
    """
    found = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if found:
        return found
    if until > claim.thread_ts and await claim.read(lambda c: _begins_otherwise(c, claim)):
        raise NotYet  # somebody was quicker than what the bot's own thread begins with
    found_said = await earlier_messages(parts, claim)
    earlier = [said for said in found_said if said.ts <= until]
    later = [said for said in found_said if said.ts > until]
    agent = await workspace.in_files(lambda: first_agent(parts, workspace, claim.channel))
    first = next((said.text for said in earlier if not said.bot), title)
    session_id = new_session_id()

    def begin(connection: Connection) -> ChatSession:
        made = start_session(
            connection,
            session_id=session_id,
            team=claim.team,
            workspace=workspace.name,
            thread_id=claim.thread_id,
            title=title_from(plain_words(first)) or title or "Chat",
            agent=agent.id,
            model=agent.model or parts.model.default,
            by=by,
            now_ms=parts.now_ms(),
            kind=kind_of(agent),
        )
        for said in earlier:
            keep_message(connection, made, said, parts.now_ms())
        for said in later:
            take_in(connection, arrival_of(claim, said), parts.now_ms())
        return get_session(connection, made.id)

    return await claim.write("session begins", begin)


def _begins_otherwise(connection: Connection, claim: Claim) -> bool:
    """Whether the bot's own beginning of this thread is on its way, or waits here already."""
    on_its_way = posts.root_pending(connection, claim.team, claim.channel, claim.thread_ts)
    return on_its_way or beginning_waits(connection, claim.thread_id, claim.thread_ts)


def plain_words(text: str) -> str:
    """A message's words as they were typed, without the people it mentions."""
    return " ".join(as_typed(MENTION.sub(" ", text)).split())


def arrival_of(claim: Claim, said: Said) -> Arrival:
    """A fetched message in the form in which its event would have been written down."""
    body = {**asdict(said), "user": said.user_id, "files": [list(file) for file in said.files], "direct": False}
    key = f"m:{claim.channel}:{said.ts}"
    return Arrival(claim.team, claim.channel, claim.thread_ts, key, "message", said.ts, body)


async def earlier_messages(parts: Parts, claim: Claim) -> list[Said]:
    """What people and other bots have said in the thread, all pages; our own messages and commands are not in it."""
    found: list[Said] = []
    cursor = ""
    direct = await parts.is_direct(claim.channel)
    while True:
        try:
            page = await parts.client.conversations_replies(
                channel=claim.channel, ts=claim.thread_ts, limit=200, cursor=cursor or None
            )
        except SlackApiError as error:
            reason = error.response.get("error")
            if reason in ("not_in_channel", "channel_not_found"):
                raise parts.not_in_channel() from error
            if reason == "thread_not_found":
                raise BotError("This thread is no more: its first message was deleted.") from error
            raise
        for message in page.get("messages") or ():
            if is_said(parts, message, direct=direct):
                found.append(await said_by(parts, said_in(message)))
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return found


def is_said(parts: Parts, message: dict[str, Any], *, direct: bool) -> bool:
    """Whether a message belongs to the transcript."""
    if message.get("subtype") not in SAID or not (message.get("user") or message.get("bot_id")):
        return False
    if message.get("user") == parts.me.user or message.get("bot_id") == parts.me.bot:
        return False
    text = str(message.get("text") or "")
    return bool(message.get("bot_id")) or command_in(text, parts.me.user, direct=direct) is None


async def said_by(parts: Parts, body: dict[str, Any]) -> Said:
    """A message with the name of who wrote it."""
    person = None if body["bot"] and body["name"] else await parts.people.person(body["user"])
    return Said(
        ts=body["ts"],
        user_id=body["user"],
        name=person.name if person else body["name"],
        bot=body["bot"],
        text=body["text"],
        files=tuple((name, url) for name, url in body["files"]),
        about_files=tuple(body.get("about_files") or ()),
        edited_ts=body.get("edited_ts"),
    )


async def refresh_header(parts: Parts, claim: Claim, session_id: str) -> None:
    """Makes the thread's header say how the session and its ticket stand now."""

    key = f"{session_id}.header"

    def state(connection: Connection) -> tuple[ChatSession, ChatSession | None, str | None, str, posts.Post | None]:
        of = get_session(connection, session_id)
        link = current_link(connection, session_id)
        archived = newest_archive(connection, session_id)
        return (
            of,
            get_session(connection, of.parent_id) if of.parent_id else None,
            link.ticket_id if link else None,
            archived.note if archived else "",
            posts.by_key(connection, key),
        )

    session, parent, ticket_id, note, stands = await claim.look(state)
    if parent and parent.channel != session.channel:
        parent = None  # a fork lives in its parent's channel; should they part, nothing of the parent is shown
    workspace = parts.workspaces.find(session.workspace)
    agent = workspace.agent(session.agent) if workspace else DEFAULT_AGENT
    shown = blocks.header(
        title=session.title,
        state=session.state,
        agent_name=agent.name,
        model=agent.model or parts.model.default,
        ticket=await badge(workspace, ticket_id) if ticket_id else None,
        note=note if session.state == "archived" else None,
        own_title=session.titled_by is not None,
        quiet=session.quiet,
        mode=Mode(session.mode).words if session.mode not in (None, parts.access.mode) else None,
        agents=agent_select(list(workspace.offered().by_id.values()), agent.id) if workspace else None,
        forked_from=(parent.title, await permalink(parts, parent.channel, parent.thread_ts)) if parent else None,
    )
    if stands is None or not posts.says(stands, shown.as_want()):
        await claim.write(
            "header",
            lambda c: posts.put(c, key=key, thread_id=claim.thread_id, role="header", want=shown.as_want()),
        )


async def permalink(parts: Parts, channel: str, ts: str) -> str | None:
    """The address of a thread; None where Slack gives none (any more)."""
    try:
        answer = await parts.client.chat_getPermalink(channel=channel, message_ts=ts)
    except SlackApiError:
        return None
    return str(answer["permalink"])


async def badge(workspace: Workspace | None, ticket_id: str) -> blocks.Badge:
    """The ticket as the header shows it, also when its file is gone or cannot be read, or its whole workspace."""
    try:
        if workspace is None:
            return blocks.Badge(ticket_id, "", "", missing=True)
        ticket = await workspace.in_store(lambda store: store.get(ticket_id))
    except BotError:
        return blocks.Badge(ticket_id, "", "", missing=True)
    return blocks.Badge(ticket.id, ticket.title, str(ticket.status))
