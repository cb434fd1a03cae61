"""The transcript as a file."""

from sqlalchemy import Connection

from bot.sessions.archives.archive import record_archive
from bot.sessions.archives.entries import iso, ts_ms
from bot.sessions.archives.export import transcript_of
from bot.sessions.linking import link_session, refer
from bot.sessions.session import ChatSession, delete_message, edit_message, get_session
from bot.sessions.transcript import (
    JsonObject,
    Turn,
    begin_turn,
    end_turn,
    save_answer,
    save_result,
    set_turn_state,
    start_tool,
)
from tests.sessions.rows import a_session, say

MODEL = "claude"


def turn_on(connection: Connection, session: ChatSession, *messages: int, at: int) -> Turn:
    return begin_turn(
        connection,
        session.id,
        asked_by="UADA",
        message_ids=messages,
        agent="sciorex",
        model=MODEL,
        now_ms=at,
    )


def answer(connection: Connection, turn: Turn, *content: JsonObject, at: int, tokens: int = 0) -> None:
    usage: JsonObject = {"input_tokens": tokens, "output_tokens": 1} if tokens else {}
    save_answer(connection, turn, content, stop_reason="end_turn", usage=usage, model=MODEL, now_ms=at)


def written(connection: Connection, session: ChatSession) -> list[tuple[object, object]]:
    messages = transcript_of(connection, get_session(connection, session.id))["messages"]
    assert isinstance(messages, list)
    return [(one["role"], one["content"]) for one in messages]


def test_an_archived_session_is_written_whole(connection: Connection) -> None:
    session = a_session(connection, by="UADA", now_ms=100_000)
    asked = say(connection, session, "101.000001", "Mark it in progress")
    link_session(connection, session, "T-042", "E-001", key="k", by="UBEN", now_ms=100_500)
    refer(connection, session, "T-007", by="UADA", now_ms=100_600)
    turn = turn_on(connection, session, asked, at=102_000)
    use: JsonObject = {"type": "tool_use", "id": "tu1", "name": "update", "input": {"status": "in_progress"}}
    answer(connection, turn, {"type": "text", "text": "I will."}, use, at=103_000, tokens=20)
    op = f"turn.{turn.key}.1.0"
    start_tool(connection, op, 103_100)
    save_result(connection, op, "done", is_error=False, now_ms=103_200)
    answer(connection, turn, {"type": "text", "text": "Done."}, at=104_000, tokens=30)
    end_turn(connection, turn.id, "done", 104_100)
    row = record_archive(connection, session, key="a", ticket_id="T-042", note="ready", by="UBEN", now_ms=200_000)
    agent = {"agentId": "sciorex", "model": MODEL, "askedBy": "UADA"}
    tool = {"toolUseId": "tu1", "toolName": "update"}
    assert transcript_of(connection, session, row) == {
        "id": session.id,
        "agentId": "sciorex",
        "status": "completed",
        "input": "Mark it in progress",
        "output": "Done.",
        "messages": [
            {
                "id": "l-1",
                "role": "system",
                "content": "Linked to T-042.",
                "timestamp": "1970-01-01T00:01:40.500Z",
                "by": "UBEN",
            },
            {
                "id": "m-101.000001",
                "role": "user",
                "content": "Mark it in progress",
                "timestamp": "1970-01-01T00:01:41.000Z",
                "author": {"id": "UADA", "name": "Ada", "bot": False},
            },
            {
                "id": f"t-{turn.key}.1",
                "role": "assistant",
                "content": "I will.",
                "timestamp": "1970-01-01T00:01:43.000Z",
                **agent,
                "usage": {"input_tokens": 20, "output_tokens": 1},
            },
            {
                "id": op,
                "role": "tool_use",
                "content": "update",
                "timestamp": "1970-01-01T00:01:43.100Z",
                **tool,
                "toolInput": {"status": "in_progress"},
            },
            {
                "id": f"{op}.result",
                "role": "tool_result",
                "content": "done",
                "timestamp": "1970-01-01T00:01:43.200Z",
                **tool,
                "isError": False,
                "state": "done",
            },
            {
                "id": f"t-{turn.key}.2",
                "role": "assistant",
                "content": "Done.",
                "timestamp": "1970-01-01T00:01:44.000Z",
                **agent,
                "usage": {"input_tokens": 30, "output_tokens": 1},
            },
            {
                "id": "a-1",
                "role": "system",
                "content": "Archived to T-042.",
                "timestamp": "1970-01-01T00:03:20.000Z",
                "by": "UBEN",
                "ticketId": "T-042",
                "note": "ready",
            },
        ],
        "usage": {"input_tokens": 50, "output_tokens": 2},
        "linkedTicketId": "T-042",
        "linkedEpicId": "E-001",
        "previousSessionId": None,
        "startedAt": "1970-01-01T00:01:40.000Z",
        "completedAt": "1970-01-01T00:03:20.000Z",
        "title": "Avatar upload",
        "model": MODEL,
        "startedBy": "UADA",
        "references": ["T-007"],
        "note": "ready",
        "archivedAt": "1970-01-01T00:03:20.000Z",
        "archivedBy": "UBEN",
        "source": {"type": "slack", "team": "T1", "channel": "C1", "threadTs": "100.000001"},
    }


def test_a_deleted_message_leaves_no_text(connection: Connection) -> None:
    session = a_session(connection)
    say(connection, session, "101.000001", "my password is swordfish")
    delete_message(connection, session, "101.000001", 102_000)
    content = transcript_of(connection, session)
    assert "swordfish" not in str(content)
    assert (content["input"], content["messages"]) == (
        None,
        [
            {
                "id": "m-101.000001",
                "role": "user",
                "content": "",
                "timestamp": "1970-01-01T00:01:41.000Z",
                "author": {"id": "UADA", "name": "Ada", "bot": False},
                "deletedAt": "1970-01-01T00:01:42.000Z",
            }
        ],
    )


def test_an_edited_message_stands_as_it_is_now(connection: Connection) -> None:
    session = a_session(connection)
    say(connection, session, "101.000001", "crop to circle")
    edit_message(connection, session, "101.000001", "crop to square", "102.000001")
    messages = transcript_of(connection, session)["messages"]
    assert isinstance(messages, list)
    assert [(one["content"], one["editedAt"]) for one in messages] == [("crop to square", "1970-01-01T00:01:42.000Z")]


def test_what_was_never_answered_and_other_bots_are_in(connection: Connection) -> None:
    session = a_session(connection)
    say(connection, session, "102.000001", "build 7 passed", user="UCI", name="CI", bot=True)
    say(connection, session, "101.000001", "<@UBEN> have a look", user="UADA")
    assert written(connection, session) == [("user", "<@UBEN> have a look"), ("user", "build 7 passed")]


def test_an_answer_never_stands_before_its_question_though_the_clocks_differ(connection: Connection) -> None:
    session = a_session(connection)
    asked = say(connection, session, "200.000001", "what is left?")
    turn = turn_on(connection, session, asked, at=150_000)
    answer(connection, turn, {"type": "text", "text": "Three."}, at=150_500)
    end_turn(connection, turn.id, "done", 150_600)
    say(connection, session, "201.000001", "thanks")
    assert written(connection, session) == [
        ("user", "what is left?"),
        ("assistant", "Three."),
        ("user", "thanks"),
    ]


def test_a_turn_that_failed_or_was_stopped_says_so(connection: Connection) -> None:
    session = a_session(connection)
    for ts, state, error in (
        ("101.000001", "failed", "Claude is not available."),
        ("111.000001", "stopped", None),
    ):
        turn = turn_on(connection, session, say(connection, session, ts, "go on"), at=ts_ms(ts) + 1)
        end_turn(connection, turn.id, state, ts_ms(ts) + 2, error=error)
    assert written(connection, session) == [
        ("user", "go on"),
        ("system", "Failed: Claude is not available."),
        ("user", "go on"),
        ("system", "Stopped."),
    ]


def test_a_tool_that_is_still_running_has_no_result(connection: Connection) -> None:
    session = a_session(connection)
    turn = turn_on(connection, session, say(connection, session, "101.000001", "go"), at=102_000)
    answer(connection, turn, {"type": "tool_use", "id": "tu1", "name": "update", "input": {}}, at=103_000)
    assert transcript_of(connection, session)["status"] == "running"
    assert written(connection, session) == [("user", "go"), ("tool_use", "update")]
    set_turn_state(connection, turn.id, "waiting")
    assert transcript_of(connection, session)["status"] == "waiting_input"


def test_an_archive_belongs_to_its_ticket_and_a_running_session_to_the_one_linked_now(
    connection: Connection,
) -> None:
    session = a_session(connection)
    row = record_archive(connection, session, key="a", ticket_id="T-001", note="", by="UADA", now_ms=1)
    link_session(connection, session, "T-042", None, key="k", by="UADA", now_ms=2)
    assert transcript_of(connection, session, row)["linkedTicketId"] == "T-001"
    assert transcript_of(connection, session)["linkedTicketId"] == "T-042"


def test_times_keep_their_digits() -> None:
    assert iso(ts_ms("1732480000.001999")) == "2024-11-24T20:26:40.001Z"
    assert ts_ms("1732480000.1") == 1_732_480_000_100
