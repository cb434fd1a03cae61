"""A summary is kept until something new is said, for exactly the sessions it is of."""

from collections.abc import Callable

from sqlalchemy import Connection, func, select

from bot.sessions.models import summary, summary_of
from bot.sessions.session import ChatSession, delete_message, edit_message
from bot.sessions.summaries import (
    Kept,
    SaidLine,
    covers,
    find_summary,
    keep_summary,
    key_of_thread,
    key_of_ticket,
    said_there,
)
from bot.sessions.transcript import begin_turn, save_answer, save_result
from tests.sessions.rows import a_session, say


def keep(connection: Connection, of: list[ChatSession], text: str, covered: str | None = None) -> bool:
    covered = covered or covers(said_there(connection, of))
    key = key_of_thread(of[0])
    return keep_summary(connection, key, covered, of, text, model="m", usage={"output_tokens": 7}, now_ms=9)


def found(connection: Connection, of: list[ChatSession]) -> Kept | None:
    return find_summary(connection, key_of_thread(of[0]), covers(said_there(connection, of)))


def test_what_is_said_and_done_is_in_order_of_time(connection: Connection) -> None:
    here = a_session(connection)
    say(connection, here, "1.000001", "first")
    say(connection, here, "4.000001", "third", name="Deploys", bot=True)
    turn = begin_turn(connection, here.id, asked_by="UADA", message_ids=[], agent="a", model="m", now_ms=2_000)
    content: list[dict[str, object]] = [
        {"type": "text", "text": "second"},
        {
            "type": "tool_use",
            "id": "t",
            "name": "mcp__sciorex-tickets__sciorex_get_ticket",
            "input": {"ticketId": "T-1"},
        },
    ]
    step = save_answer(connection, turn, content, stop_reason="tool_use", usage={}, model="m", now_ms=3_000)
    save_result(connection, step.calls[0].op, "no", is_error=True, now_ms=3_001)
    (there,) = said_there(connection, [here])
    assert there.lines == (
        SaidLine(1_000, "Ada", "first"),
        SaidLine(3_000, None, "second"),
        SaidLine(3_000, None, 'sciorex_get_ticket {"ticketId": "T-1"} (failed)', tool=True),
        SaidLine(4_000, "Deploys", "third", bot=True),
    )


def test_it_holds_until_something_new_is_said(connection: Connection) -> None:
    here = [a_session(connection)]
    say(connection, here[0], "1.000001", "first")
    assert keep(connection, here, "One.")
    assert found(connection, here) == Kept("One.", 9)
    say(connection, here[0], "2.000001", "second")
    assert found(connection, here) is None
    assert keep(connection, here, "Two.")
    assert found(connection, here) == Kept("Two.", 9)
    assert connection.execute(select(func.count()).select_from(summary)).scalar_one() == 1


def test_what_was_said_while_the_model_wrote_keeps_it_from_being_kept(connection: Connection) -> None:
    here = [a_session(connection)]
    say(connection, here[0], "1.000001", "first")
    covered = covers(said_there(connection, here))
    say(connection, here[0], "2.000001", "second")
    assert not keep(connection, here, "Old.", covered)
    assert found(connection, here) is None


def test_an_edit_or_a_deletion_in_any_of_its_sessions_takes_it_away(connection: Connection) -> None:
    both = [a_session(connection, thread_ts="1.000001"), a_session(connection, thread_ts="2.000001")]
    changes: list[Callable[[], object]] = [
        lambda: edit_message(connection, both[1], "2.000002", "changed", "3.0"),
        lambda: delete_message(connection, both[1], "2.000002", 4),
    ]
    for change in changes:
        say(connection, both[1], "2.000002", "secret")
        assert keep(connection, both, "They keep a secret.")
        change()
        for table in (summary, summary_of):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_a_tickets_summary_is_of_the_very_sessions_that_may_be_seen(connection: Connection) -> None:
    one, two = a_session(connection, thread_ts="1.000001"), a_session(connection, thread_ts="2.000001")
    key = key_of_ticket("T1", "main", "T-1", [one, two])
    assert key == key_of_ticket("T1", "main", "T-1", [two, one])
    assert key != key_of_ticket("T1", "main", "T-1", [one])
    assert key != key_of_ticket("T1", "other", "T-1", [one, two])
