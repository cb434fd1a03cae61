"""Archiving a thread to its ticket: the modal's answer or the word, the transcript's file, the thread's notice.

The database has the chain first, the file is made of it: whatever is cut off in between is made up for by
`write_behind`, whenever something is done in the thread next.
"""

from __future__ import annotations

import logging

from sqlalchemy import Connection

from bot.errors import LinkedElsewhere
from bot.inbox.claim import Claim, Item
from bot.sessions import linking
from bot.sessions.archives import archive, archive_chain
from bot.sessions.archives.archive_file import write_transcript
from bot.sessions.session import ChatSession, find_by_thread
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, ask_replace, linkable, may_work_here, notice, record, tie
from bot.slack.sessions.opening import open_session, refresh_header
from bot.slack.views import blocks

log = logging.getLogger(__name__)


async def archive_thread(parts: Parts, claim: Claim, item: Item) -> None:
    """Archives the thread with its transcript. Body: {user, ticket_id?, note, replace?}.

    It works for a thread that was never a session (the user's document, method 2). Without a ticket the linked
    one is meant. Can be run again from the top after a crash: the archive's row knows the item that made it.
    """
    user, note = str(item.body["user"]), str(item.body.get("note") or "")
    await may_work_here(parts, claim, user)
    workspace = await parts.workspace_of(claim, item)
    session = await open_session(parts, claim, workspace, by=user, until=item.order_ts)
    linked = await claim.read(lambda c: linking.current_link(c, session.id))
    wanted = item.body.get("ticket_id") or (linked.ticket_id if linked else None)
    if wanted is None:
        await answer(parts, claim, item, blocks.which_ticket())
        return
    ticket = await linkable(workspace, str(wanted))
    try:
        await tie(parts, claim, item, session, ticket)
    except LinkedElsewhere as elsewhere:
        await ask_replace(parts, claim, item, user, elsewhere)
        return
    now = parts.now_ms()
    row = await claim.write(
        "archive",
        lambda c: archive_chain.archive_session(
            c, session, key=item.key, ticket_id=ticket.id, note=note, by=user, until=item.order_ts, now_ms=now
        ),
    )
    chain = {"entries": row.entries, "chain": row.head}  # proves to whoever has the repository what was archived
    await record(workspace, ticket.id, "session_archived", session, user, row.op, chain)
    await write_file(parts, claim, session, row)
    await refresh_header(parts, claim, session.id)
    await notice(parts, claim, item, blocks.archived_notice(ticket.id, note, user))


async def write_file(parts: Parts, claim: Claim, session: ChatSession, row: archive.ArchiveRow) -> None:
    """The transcript's file as its chain stands, in the repository only where everybody may read the channel."""
    workspace = parts.workspaces.named(session.workspace)
    content = await claim.read(lambda c: archive_chain.archived_file(c, session.id))
    assert content is not None
    parts.people.forget(channel=claim.channel)  # what it was a minute ago must not decide where the file goes
    channel = (await parts.people.channels()).get(claim.channel)
    public = channel is not None and channel.public
    written = await workspace.in_store(
        lambda store: write_transcript(
            content, workspace=workspace.folder, private_folder=parts.private_folder, public=public
        )
    )
    now, entries = parts.now_ms(), archive_chain.length(content)
    await claim.write(
        "archived", lambda c: archive.finish_archive(c, row, written.file, written.sha256, now, written=entries)
    )


async def write_behind(parts: Parts, claim: Claim) -> None:
    """Brings the file up to date where the chain went on: an edit, a deletion (slack-facts 10), a late message."""

    def look(connection: Connection) -> tuple[ChatSession | None, archive.ArchiveRow | None]:
        session = find_by_thread(connection, claim.thread_id)
        return session, archive_chain.behind(connection, session.id) if session else None

    session, row = await claim.look(look)
    if session and row:
        if parts.workspaces.find(session.workspace) is None:
            log.warning("the file of %s stays as it was: no workspace %s any more", session.id, session.workspace)
            return
        await write_file(parts, claim, session, row)
