"""Edits and deletions of messages: honoured before a message is taken up, while it is answered, and after.

A message of the bot's own that somebody else deletes goes too; one that the bot took away itself had gone before.
"""

from __future__ import annotations

from sqlalchemy import Connection

from bot.inbox import posts
from bot.inbox.claim import Claim, Item, change_waiting, finish, stop_asked, waiting_items
from bot.inbox.posts import Post
from bot.sessions.archives.archive_chain import follow
from bot.sessions.attachments import files_left
from bot.sessions.deleting import delete_answer
from bot.sessions.session import (
    ChatSession,
    delete_message,
    edit_message,
    find_by_thread,
    first_words,
    title_follows,
)
from bot.sessions.transcript import get_turn
from bot.slack.agent.asking import give_way
from bot.slack.parts import Parts
from bot.slack.sessions.archiving import write_behind
from bot.slack.sessions.opening import plain_words

ANSWER_DELETED = "Not done: the answer that asked for this was deleted in Slack."


async def changed(parts: Parts, claim: Claim, _item: Item) -> None:
    """An edit or a deletion that came when all others had just been taken in."""
    await catch_up(parts, claim)


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
    if item.body.get("own"):
        gone = posts.deleted(connection, session.thread_id, item.body["ts"])
        if gone and gone.role == "answer":
            _take_back_answer(connection, gone, now_ms)
        return
    before = first_words(connection, session.id, plain_words)
    if item.kind == "delete":
        delete_message(connection, session, item.body["ts"], now_ms)
    else:
        edit_message(connection, session, item.body["ts"], item.body["text"], item.body["edited_ts"])
        if (left := item.body.get("files_left")) is not None:
            files_left(connection, session, item.body["ts"], left)
    title_follows(connection, session, before, plain_words)


def _take_back_answer(connection: Connection, gone: Post, now_ms: int) -> None:
    """One message of an answer was deleted: all of it goes, and a turn that has not come to its end ends here."""
    assert gone.turn_id is not None
    turn = get_turn(connection, gone.turn_id)
    if turn.state == "waiting":
        give_way(connection, turn, None, now_ms, why=ANSWER_DELETED)
    delete_answer(connection, turn.id, now_ms)
    posts.put_answer(connection, gone.thread_id, turn.id, turn.key, {})
