"""Erasing what an operator was asked to erase (`python -m bot erase`): rows, archive, and the bot's own answer."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from bot.inbox import posts
from bot.inbox.claim import Claim, Item, finish
from bot.sessions.archives import erasing
from bot.sessions.archives.archive_chain import follow
from bot.sessions.questions import questions_of_turn
from bot.sessions.session import find_by_thread, first_words, get_session, title_follows
from bot.sessions.transcript import ENDED, steps_of, turns_of
from bot.slack.agent.answer import answer_of
from bot.slack.agent.asking import show_cards
from bot.slack.parts import Parts
from bot.slack.sessions.archiving import write_behind
from bot.slack.sessions.opening import plain_words, refresh_header

OF_TURN = re.compile(r"(?:t-|turn\.)(\w+)\.")


async def erase(parts: Parts, claim: Claim, item: Item) -> None:
    """Does it in one transaction, then mends what shows it. Body: {entries, ms}. Done again it changes nothing."""
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session is not None:
        of, entries, ms = session, [str(entry) for entry in item.body["entries"]], int(item.body["ms"])
        turns = {match[1] for entry in entries if (match := OF_TURN.match(entry))}

        def apply(connection: Connection) -> None:
            before = first_words(connection, of.id, plain_words)
            for entry in entries:
                erasing.erase(connection, of, entry, ms)
            title_follows(connection, of, before, plain_words)
            follow(connection, get_session(connection, of.id))
            show_again(connection, claim, of.id, turns)

        await claim.write("erase", apply)
        await refresh_header(parts, claim, of.id)
        await write_behind(parts, claim)
    await claim.write("item done", lambda c: finish(c, [item]))


def show_again(connection: Connection, claim: Claim, session_id: str, keys: set[str]) -> None:
    """The answers of these turns in the thread, without what was erased."""
    for turn in turns_of(connection, session_id):
        if turn.key in keys and turn.state in ENDED and posts.answer_parts(connection, turn.id):
            asked = questions_of_turn(connection, turn.id)
            made = answer_of(turn, steps_of(connection, [turn.id])[turn.id], asked)
            posts.put_answer(connection, claim.thread_id, turn.id, turn.key, made.wants)
            show_cards(connection, asked.values())
