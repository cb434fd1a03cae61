"""Archiving a thread to its ticket: the modal's answer or the word, the transcript's file, the thread's notice."""

from __future__ import annotations

import logging

from bot.errors import LinkedElsewhere
from bot.inbox.claim import Claim, Item
from bot.sessions import archive, linking
from bot.sessions.export import transcript_of
from bot.sessions.session import ChatSession, find_by_thread
from bot.slack import blocks
from bot.slack.link import answer, ask_replace, linkable, may_work_here, notice, record, tie
from bot.slack.opening import open_session, refresh_header
from bot.slack.parts import Parts

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
    row = await claim.write(
        "archive",
        lambda c: archive.record_archive(
            c, session, key=item.key, ticket_id=ticket.id, note=note, by=user, now_ms=parts.now_ms()
        ),
    )
    await record(workspace, ticket.id, "session_archived", session, user, row.op)
    await write_file(parts, claim, session, row)
    await refresh_header(parts, claim, session.id)
    await notice(parts, claim, item, blocks.archived_notice(ticket.id, note, user))


async def write_file(parts: Parts, claim: Claim, session: ChatSession, row: archive.ArchiveRow) -> None:
    """The transcript's file as the rows stand now, in the repository only where everybody may read the channel."""
    workspace = parts.workspaces.named(session.workspace)
    content = await claim.read(lambda c: transcript_of(c, session, row))
    parts.people.forget(channel=claim.channel)  # what it was a minute ago must not decide where the file goes
    channel = (await parts.people.channels()).get(claim.channel)
    public = channel is not None and channel.public
    written = await workspace.in_store(
        lambda store: archive.write_transcript(
            content, workspace=workspace.folder, private_folder=parts.private_folder, public=public
        )
    )
    now = parts.now_ms()
    await claim.write("archived", lambda c: archive.finish_archive(c, row, written.file, written.sha256, now))


async def write_again(parts: Parts, claim: Claim) -> None:
    """A message of an archived thread was edited or deleted: its file follows (slack-facts 10)."""
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    row = await claim.read(lambda c: archive.newest_archive(c, session.id)) if session else None
    if session and row and row.file:
        if parts.workspaces.find(session.workspace) is None:
            log.warning("the file of %s stays as it was: no workspace %s any more", session.id, session.workspace)
            return
        await write_file(parts, claim, session, row)
