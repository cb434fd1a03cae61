"""Edits and deletions of messages: honoured before a message is taken up, while it is answered, and after."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.inbox.claim import Claim, Item, change_waiting, finish, stop_asked, waiting_items
from bot.sessions.archives.archive_chain import follow
from bot.sessions.attachments import files_left
from bot.sessions.session import (
    ChatSession,
    delete_message,
    edit_message,
    find_by_thread,
    first_words,
    title_follows,
)
from bot.slack.parts import Parts
from bot.slack.sessions.archiving import write_behind
from bot.slack.sessions.opening import plain_words


async def catch_up(parts: Parts, claim: Claim) -> tuple[list[Item], bool]:
    """Takes in what changes a running turn: edits, deletions, and the word to stop. Gives what else waits, and whether
    anything that was said has changed."""
    changed = False
    while True:
        stopped, items = await claim.look(lambda c: (stop_asked(c, claim.thread_id), waiting_items(c, claim.thread_id)))
        if stopped:
            claim.stop.set()
        changes = [item for item in items if item.kind in ("edit", "delete")]
        if not changes:
            return items, changed
        changed = True
        await _take_in(parts, claim, changes)


async def _take_in(parts: Parts, claim: Claim, changes: list[Item]) -> None:
    await claim.write("edits", lambda c: _apply(c, claim, changes, parts.now_ms()))
    await write_behind(parts, claim)
    await claim.write("edits done", lambda c: finish(c, changes))


def _apply(connection: Connection, claim: Claim, changes: list[Item], now_ms: int) -> None:
    for item in changes:
        if session := find_by_thread(connection, claim.thread_id):
            _apply_to_session(connection, session, item, now_ms)
        change_waiting(connection, claim, item)
    if session := find_by_thread(connection, claim.thread_id):
        follow(connection, session)


def _apply_to_session(connection: Connection, session: ChatSession, item: Item, now_ms: int) -> None:
    before = first_words(connection, session.id, plain_words)
    if item.kind == "delete":
        delete_message(connection, session, item.body["ts"], now_ms)
    else:
        edit_message(connection, session, item.body["ts"], item.body["text"], item.body["edited_ts"])
        if (left := item.body.get("files_left")) is not None:
            files_left(connection, session, item.body["ts"], left)
    title_follows(connection, session, before, plain_words)
