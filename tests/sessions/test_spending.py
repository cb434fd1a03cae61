"""Tokens are summed up by turn, session and day; files and compactions go with what they were made of."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func, select

from bot.sessions.archives.erasing import erase
from bot.sessions.attachments import (
    Attachment,
    attachments_of,
    files_left,
    keep_attachment,
    not_looked_at,
    shown_bytes,
)
from bot.sessions.compactions import Compaction, find_compaction, keep_compaction
from bot.sessions.models import spent
from bot.sessions.session import (
    ChatSession,
    Origin,
    Said,
    came_from,
    delete_message,
    edit_message,
    keep_message,
)
from bot.sessions.spending import (
    DAY_MS,
    Tokens,
    note_spent,
    spent_by_session,
    spent_in_day,
    spent_in_session,
    spent_in_turn,
)
from bot.sessions.transcript import JsonObject, begin_turn, find_turn, save_answer
from tests.sessions.rows import TEAM, a_session, say

USAGE: JsonObject = {
    "input_tokens": 10,
    "output_tokens": 3,
    "cache_read_input_tokens": 70,
    "cache_creation_input_tokens": 20,
}
ABOUT = {"mimetype": "text/plain", "size": 5, "download": "https://files.slack.com/a"}


def counted(model: str, answers: int) -> Tokens:
    return Tokens(model, answers, 10 * answers, 3 * answers, 70 * answers, 20 * answers)


def test_what_an_answer_used_counts_for_its_turn_session_and_day(connection: Connection) -> None:
    one, other = a_session(connection), a_session(connection, thread_ts="200.000001")
    message = say(connection, one, "100.000002", "hello")
    turn = begin_turn(connection, one.id, asked_by="UADA", message_ids=[message], agent="sciorex", model="m", now_ms=1)
    for at in (DAY_MS, DAY_MS + 1):
        save_answer(connection, turn, [], stop_reason="end_turn", usage=USAGE, model="m", now_ms=at)
    note_spent(connection, one.id, "compaction", "k", USAGE, DAY_MS, turn_id=turn.id)
    note_spent(connection, other.id, "summary", "m", {"input_tokens": None, "note": "x"}, DAY_MS - 1)
    note_spent(connection, None, "summary", "m", USAGE, DAY_MS, team="T2")
    both = (counted("k", 1), counted("m", 2))
    assert spent_in_turn(connection, turn.id) == spent_in_session(connection, one.id) == both
    assert spent_in_day(connection, TEAM, DAY_MS + 5) == both
    assert spent_in_day(connection, TEAM, DAY_MS - 1) == (counted("k", 1), Tokens("m", 3, 20, 6, 140, 40))
    assert spent_in_day(connection, "T2", DAY_MS) == (counted("m", 1),)
    assert spent_by_session(connection, [one.id, other.id]) == {one.id: both, other.id: (Tokens("m", 1),)}
    assert (both[1].given, both[1].all) == (200, 206)
    assert find_turn(connection, turn.key) is not None and find_turn(connection, "forged") is None
    assert connection.execute(select(func.count()).select_from(spent)).scalar_one() == 5


def with_files(connection: Connection, session: ChatSession, ts: str, *ids: str) -> int:
    files = tuple((f"{i}.txt", "") for i in ids)
    about = tuple({**ABOUT, "id": i} for i in ids)
    said = Said(ts, "UADA", "Ada", False, "look", files=files, about_files=about)
    return keep_message(connection, session, said, 1)


def kept(connection: Connection, session: ChatSession, message: int, file_id: str) -> None:
    one = Attachment(message, file_id, f"{file_id}.txt", "text", "text/plain", "hello", 5)
    keep_attachment(connection, session.id, one, 1)


def test_a_file_is_looked_at_once_and_goes_with_its_message(connection: Connection) -> None:
    session = a_session(connection)
    message = with_files(connection, session, "100.000002", "F1", "F2")
    assert [one.file_id for one in not_looked_at(connection, session.id)] == ["F1", "F2"]
    for file_id in ("F1", "F2", "F1", "F3"):
        kept(connection, session, message, file_id)  # twice changes nothing, and F3 is none of the message's
    assert not_looked_at(connection, session.id) == []
    assert shown_bytes(connection, session.id) == (2, 10)
    files_left(connection, session, "100.000002", ["F2"])
    assert [one.file_id for one in attachments_of(connection, [message])[message]] == ["F2"]
    delete_message(connection, session, "100.000002", 5)
    assert attachments_of(connection, [message]) == {}
    kept(connection, session, message, "F2")  # it came while the message was being deleted
    assert attachments_of(connection, [message]) == {} and not_looked_at(connection, session.id) == []


def test_erasing_a_message_takes_its_files_too(connection: Connection) -> None:
    session = a_session(connection)
    message = with_files(connection, session, "100.000002", "F1")
    kept(connection, session, message, "F1")
    erase(connection, session, "m-100.000002", 9)
    assert attachments_of(connection, [message]) == {}


def test_a_fork_has_what_its_parent_shows_counted(connection: Connection) -> None:
    parent, fork = a_session(connection), a_session(connection, thread_ts="300.000001")
    came_from(connection, fork.id, Origin("Fork", parent.id, "250.000000", 0), "UADA")
    kept(connection, parent, with_files(connection, parent, "100.000002", "F1"), "F1")
    assert shown_bytes(connection, fork.id) == (1, 5)


def compacted(connection: Connection, session: ChatSession, last_ts: str) -> None:
    keep_compaction(connection, Compaction(session.id, 3, last_ts, "hash", "Ada wants tea.", "m", 1), USAGE)


@pytest.mark.parametrize("what", ["edited", "deleted", "erased"])
@pytest.mark.parametrize("forked", [False, True], ids=["here", "in the parent"])
def test_a_compaction_goes_with_what_it_may_repeat_and_stays_otherwise(
    connection: Connection, what: str, forked: bool
) -> None:
    session = said_in = a_session(connection)
    if forked:
        session = a_session(connection, thread_ts="300.000001")
        came_from(connection, session.id, Origin("Fork", said_in.id, "150.000000", 0), "UADA")
    say(connection, said_in, "100.000002", "tea")
    say(connection, said_in, "200.000000", "later")
    compacted(connection, session, "310.000000" if forked else "150.000000")
    edit_message(connection, said_in, "200.000000", "later, edited", "201.000000")
    assert find_compaction(connection, session.id, 4) is not None
    assert find_compaction(connection, session.id, 3) is None  # the turn that is asked about is never in it
    if what == "edited":
        edit_message(connection, said_in, "100.000002", "coffee", "202.000000")
    elif what == "deleted":
        delete_message(connection, said_in, "100.000002", 5)
    else:
        erase(connection, said_in, "m-100.000002", 5)
    assert find_compaction(connection, session.id, 4) is None
