"""Erasing on request, decisions in the transcript, and changes that come before their message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.errors import EntryNotFound
from bot.sessions.archives.archive_chain import archive_session, archived_file, follow
from bot.sessions.archives.erasing import erasable, erase
from bot.sessions.archives.export import transcript_of
from bot.sessions.archives.verify import check
from bot.sessions.models import early, message, question, step, tool_call
from bot.sessions.session import ChatSession, delete_message, edit_message, get_session
from bot.sessions.transcript import begin_turn, end_turn, messages_of, save_answer, save_result, start_tool
from tests.sessions.rows import a_session, say

SECRET = "swordfish"


@pytest.fixture
def session(connection: Connection) -> ChatSession:
    """A session in which everything tells a secret: message, thought, answer, tool call, decision, result, note."""
    made = a_session(connection)
    asked = say(connection, made, "101.000001", f"it is {SECRET}")
    turn = begin_turn(connection, made.id, asked_by="UADA", message_ids=[asked], agent="a", model="m", now_ms=102_000)
    save_answer(
        connection,
        turn,
        [
            {"type": "thinking", "thinking": SECRET, "signature": "s"},
            {"type": "text", "text": f"I note {SECRET}."},
            {"type": "tool_use", "id": "tu1", "name": "comment", "input": {"comment": SECRET}},
        ],
        stop_reason="tool_use",
        usage={"input_tokens": 5},
        model="m",
        now_ms=103_000,
    )
    op = f"turn.{turn.key}.1.0"
    start_tool(connection, op, 103_100)
    call = connection.execute(select(tool_call.c.id).where(tool_call.c.op == op)).scalar_one()
    connection.execute(
        question.insert().values(
            id="q1",
            tool_call_id=call,
            shown=json.dumps({"after": SECRET}),
            who_may="[]",
            state="answered",
            answer=json.dumps({"approved": True}),
            n=1,
            kind="approval",
            asked_ms=103_000,
            expires_ms=999_000,
            by="UBEN",
            at_ms=103_200,
        )
    )
    save_result(connection, op, f"noted {SECRET}", is_error=False, now_ms=103_300)
    end_turn(connection, turn.id, "done", 103_400)
    archive_session(connection, made, key="k", ticket_id="T-1", note=SECRET, by="UBEN", until="200.0", now_ms=200_000)
    return made


def file_of(connection: Connection, session: ChatSession) -> dict[str, Any]:
    content = archived_file(connection, session.id)
    assert content is not None
    assert check(content).changes == ()
    return content


def test_a_decision_stands_between_the_call_and_its_result(connection: Connection, session: ChatSession) -> None:
    messages = file_of(connection, session)["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant", "tool_use", "system", "tool_result", "system"]
    decision = messages[3]
    assert decision == {
        "id": f"{messages[2]['id']}.question",
        "role": "system",
        "content": "UBEN approved this.",
        "timestamp": "1970-01-01T00:01:43.200Z",
        "toolUseId": "tu1",
        "toolName": "comment",
        "shown": {"after": SECRET},
        "state": "answered",
        "answer": {"approved": True},
        "by": "UBEN",
    }


def test_an_open_question_is_no_decision_yet(connection: Connection, session: ChatSession) -> None:
    connection.execute(question.update().values(state="open"))
    messages = transcript_of(connection, session)["messages"]
    assert isinstance(messages, list)
    assert not [one for one in messages if str(one["id"]).endswith(".question")]


def test_each_entry_can_be_erased_and_then_it_is_nowhere(connection: Connection, session: ChatSession) -> None:
    ids = [str(one["id"]) for one in file_of(connection, session)["messages"]]
    for n, id_ in enumerate(ids):
        assert SECRET in json.dumps([one for one in file_of(connection, session)["messages"] if one["id"] == id_])
        for _ in range(2):  # again, it changes nothing
            erase(connection, session, erasable(connection, session, id_), 300_000 + n)
            follow(connection, get_session(connection, session.id))
        [mark] = [one for one in file_of(connection, session)["messages"] if one["id"] == id_]
        assert (mark["content"], mark["erasedAt"][-4:]) == ("", f"00{n}Z")
    content = file_of(connection, session)
    assert SECRET not in json.dumps(content)
    assert len(content["chain"]["entries"]) == 2 * len(ids)
    assert content["usage"] == {"input_tokens": 5}
    rows = [connection.execute(select(table)).all() for table in (message, step, tool_call, question)]
    assert SECRET not in str(rows)
    assert SECRET not in json.dumps(transcript_of(connection, session))
    bodies = [json.loads(body) for body in connection.execute(select(step.c.body).where(step.c.n == 1)).scalars()]
    assert [block["type"] for block in bodies[0]] == ["text", "tool_use"]


def test_only_what_was_said_can_be_erased(connection: Connection, session: ChatSession) -> None:
    assert erasable(connection, session, "101.000001") == "m-101.000001"
    with pytest.raises(EntryNotFound, match=r"has no entry m-9\. An export shows"):
        erasable(connection, session, "m-9")


def texts(connection: Connection, session: ChatSession) -> list[tuple[str, bool, bool]]:
    return [(m.text, m.edited_ts is not None, m.deleted_ms is not None) for m in messages_of(connection, session.id)]


def test_what_became_of_a_message_before_it_came_counts_when_it_comes(connection: Connection) -> None:
    session = a_session(connection)
    edit_message(connection, session, "101.000001", "second", "103.000000")
    edit_message(connection, session, "101.000001", "first", "102.000000")
    delete_message(connection, session, "102.000001", 104_000)
    edit_message(connection, session, "102.000001", "too late", "105.000000")
    assert texts(connection, session) == []
    for ts in ("101.000001", "102.000001", "103.000001"):
        say(connection, session, ts, "as it was said")
    assert texts(connection, session) == [("second", True, False), ("", False, True), ("as it was said", False, False)]
    assert connection.execute(select(early)).all() == []


def test_a_message_that_brings_a_newer_edit_along_keeps_it(connection: Connection) -> None:
    session = a_session(connection)
    edit_message(connection, session, "101.000001", "older", "102.000000")
    say(connection, session, "101.000001", "newer", edited_ts="103.000000")
    assert texts(connection, session) == [("newer", True, False)]


def test_nothing_waits_for_messages_of_long_ago(connection: Connection) -> None:
    session = a_session(connection)
    edit_message(connection, session, "101.000001", "a command, edited", "9000.000000")
    edit_message(connection, session, "8999.000001", "another one", "9000.000000")
    delete_message(connection, session, "20000.000001", 20_001_000)
    waiting = connection.execute(select(early.c.ts)).scalars().all()
    assert waiting == ["20000.000001"]


def test_an_edit_after_a_deletion_brings_nothing_back(connection: Connection) -> None:
    session = a_session(connection)
    say(connection, session, "101.000001", SECRET)
    delete_message(connection, session, "101.000001", 102_000)
    edit_message(connection, session, "101.000001", SECRET, "103.000000")
    delete_message(connection, session, "101.000001", 104_000)
    [kept] = messages_of(connection, session.id)
    assert (kept.text, kept.deleted_ms) == ("", 102_000)
