"""An answer that is deleted: what goes with it, what stays, and who counts it no more."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from bot.agent.lines import lines_of, whole_parts
from bot.agent.prompt import DELETED, request_messages
from bot.sessions.archives.export import transcript_of
from bot.sessions.compactions import Compaction, find_compaction, keep_compaction
from bot.sessions.deleting import delete_answer
from bot.sessions.handover import last_answer
from bot.sessions.models import step
from bot.sessions.session import ChatSession, Origin, came_from
from bot.sessions.transcript import Turn, begin_turn, end_turn, save_answer, save_result
from tests.sessions.rows import a_session, say

SECRET = "swordfish"


def answered(connection: Connection, session: ChatSession, at: int, text: str, *, calls: bool = False) -> Turn:
    """A question and its answer; with a tool call before that, of which the agent thought and spoke."""
    asked = say(connection, session, f"{at}.000001", f"question {at}")
    turn = begin_turn(
        connection, session.id, asked_by="UADA", message_ids=[asked], agent="a", model="m", now_ms=at * 1_000
    )
    content: list[dict[str, object]] = [{"type": "text", "text": text}]
    if calls:
        thought: dict[str, object] = {"type": "thinking", "thinking": text, "signature": "s"}
        use: dict[str, object] = {"type": "tool_use", "id": "tu1", "name": "comment", "input": {"comment": "done"}}
        first = save_answer(
            connection,
            turn,
            [thought, *content, use],
            stop_reason="tool_use",
            usage={"output_tokens": 5},
            model="m",
            now_ms=at * 1_000 + 100,
        )
        save_result(connection, first.calls[0].op, "commented", is_error=False, now_ms=at * 1_000 + 200)
    save_answer(connection, turn, content, stop_reason="end_turn", usage={}, model="m", now_ms=at * 1_000 + 300)
    end_turn(connection, turn.id, "done", at * 1_000 + 400)
    return turn


def next_request(connection: Connection, session: ChatSession, at: int) -> list[dict[str, object]]:
    """What the model is sent next."""
    asked = say(connection, session, f"{at}.000001", f"question {at}")
    turn = begin_turn(connection, session.id, asked_by="UADA", message_ids=[asked], agent="a", model="m", now_ms=at)
    return request_messages(lines_of(connection, turn).all)


def test_its_words_and_thoughts_go_and_its_tool_calls_stay(connection: Connection) -> None:
    session = a_session(connection)
    turn = answered(connection, session, 101, f"it is {SECRET}", calls=True)
    before = transcript_of(connection, session)["messages"]
    delete_answer(connection, turn.id, 200_000)
    bodies = "".join(connection.execute(select(step.c.body)).scalars())
    assert SECRET not in bodies and "comment" in bodies
    after = transcript_of(connection, session)["messages"]
    assert isinstance(before, list) and isinstance(after, list)
    assert SECRET not in str(after)
    assert [(one["id"], one["role"], one.get("usage")) for one in after] == [
        (one["id"], one["role"], one.get("usage")) for one in before
    ]
    assert [one["role"] for one in after if "deletedAt" in one] == ["assistant", "assistant"]


def test_the_model_is_told_that_it_is_gone_and_every_call_has_its_result(connection: Connection) -> None:
    session = a_session(connection)
    delete_answer(connection, answered(connection, session, 101, SECRET, calls=True).id, 200_000)
    sent = next_request(connection, session, 300)
    assert SECRET not in str(sent)
    kinds = [(one["role"], *(block["type"] for block in one["content"])) for one in sent]  # type: ignore[attr-defined]
    assert kinds == [("user", "text"), ("assistant", "tool_use"), ("user", "tool_result", "text")]
    assert str(sent).count(DELETED) == 1


def test_an_answer_without_tools_that_is_gone_leaves_no_empty_message(connection: Connection) -> None:
    session = a_session(connection)
    delete_answer(connection, answered(connection, session, 101, SECRET).id, 200_000)
    [only] = next_request(connection, session, 300)
    assert only["role"] == "user" and DELETED in str(only) and "question 300" in str(only)


def test_a_turn_whose_answer_is_deleted_has_nothing_more_to_answer(connection: Connection) -> None:
    session = a_session(connection)
    turn = answered(connection, session, 101, SECRET)
    assert len(lines_of(connection, turn).asked) == 1
    delete_answer(connection, turn.id, 200_000)
    assert lines_of(connection, turn).asked == []


def test_a_fork_knows_it_no_more(connection: Connection) -> None:
    parent, fork = a_session(connection), a_session(connection, thread_ts="300.000001")
    turn = answered(connection, parent, 101, SECRET)
    came_from(connection, fork.id, Origin("Fork", parent.id, "250.000000", turn.n), "UADA")
    delete_answer(connection, turn.id, 200_000)
    sent = str(next_request(connection, fork, 310))
    assert SECRET not in sent and DELETED in sent and "question 101" in sent


@pytest.mark.parametrize("forked", [False, True], ids=["here", "in the parent"])
def test_a_compaction_goes_with_it(connection: Connection, forked: bool) -> None:
    parent = session = a_session(connection)
    turn = answered(connection, parent, 101, SECRET)
    if forked:
        session = a_session(connection, thread_ts="300.000001")
        came_from(connection, session.id, Origin("Fork", parent.id, "250.000000", turn.n), "UADA")
    assert whole_parts(connection, turn)
    keep_compaction(connection, Compaction(session.id, 1, "150.000000", "hash", SECRET, "m", 1), {})
    delete_answer(connection, turn.id, 200_000)
    assert find_compaction(connection, session.id, 9) is None


def test_the_last_answer_is_the_last_that_stands(connection: Connection) -> None:
    session = a_session(connection)
    answered(connection, session, 101, "the first")
    delete_answer(connection, answered(connection, session, 201, "the second").id, 300_000)
    assert last_answer(connection, session.id) == "the first"
