"""Who has read which session, who did what in which, and a person's own work."""

import time

import pytest
from sqlalchemy import Connection

from bot.sessions.audience import for_person
from bot.sessions.linking import link_session
from bot.sessions.listing import sessions_of_ticket
from bot.sessions.mine import my_sessions, my_tickets
from bot.sessions.models import link as link_table
from bot.sessions.models import message, thread
from bot.sessions.models import session as session_table
from bot.sessions.reading import deeds, mark_opened, places_of, unread
from bot.sessions.session import ChatSession, delete_message, set_state
from bot.sessions.transcript import begin_turn, end_turn, save_answer
from tests.sessions.rows import TEAM, WORKSPACE, a_session, say

ALL = for_person(TEAM, ("C1", "C2"), (), full_member=True)
NOBODY = for_person(TEAM, (), (), full_member=True)


def link(connection: Connection, of: ChatSession, ticket_id: str = "T-042") -> None:
    link_session(connection, of, ticket_id, None, key=f"link {ticket_id}", by="UADA", now_ms=1)


def not_read(connection: Connection, user: str) -> list[str]:
    listed = sessions_of_ticket(connection, ALL, TEAM, WORKSPACE, "T-042", 5_000)
    return [one.session.id for one in unread(connection, listed, user)]


def answered(connection: Connection, of: ChatSession, text: str, by: str = "UADA", ms: int = 20_000) -> str:
    """A turn that ends with this text; gives the op of the tool call in it."""
    turn = begin_turn(connection, of.id, asked_by=by, message_ids=[], agent="a", model="m", now_ms=ms)
    use: dict[str, object] = {"type": "tool_use", "id": "t1", "name": "sciorex_add_comment", "input": {}}
    content: list[dict[str, object]] = [{"type": "text", "text": text}, use]
    step = save_answer(connection, turn, content, stop_reason="end_turn", usage={}, model="m", now_ms=ms)
    end_turn(connection, turn.id, "done", ms)
    return step.calls[0].op


def test_what_others_said_since_is_not_read(connection: Connection) -> None:
    session = a_session(connection)
    link(connection, session)
    assert not_read(connection, "UBEN") == []
    say(connection, session, "10.000001", "first", user="UADA")
    assert not_read(connection, "UADA") == []
    assert not_read(connection, "UBEN") == [session.id]
    mark_opened(connection, session.id, "UBEN", 11_000)
    assert not_read(connection, "UBEN") == []
    answered(connection, session, "done", by="UADA", ms=20_000)
    assert not_read(connection, "UADA") == []
    assert not_read(connection, "UBEN") == [session.id]
    mark_opened(connection, session.id, "UBEN", 21_000)
    say(connection, session, "30.000001", "later", user="UADA")
    assert not_read(connection, "UBEN") == [session.id]
    say(connection, session, "31.000001", "I am here", user="UBEN")
    assert not_read(connection, "UBEN") == []
    assert not_read(connection, "UADA") == [session.id]
    delete_message(connection, session, "31.000001", 32_000)
    assert not_read(connection, "UADA") == []


def test_a_tool_call_is_known_where_its_session_may_be_seen(connection: Connection) -> None:
    session = a_session(connection)
    op = answered(connection, session, "done")
    (deed,) = deeds(connection, ALL, {op, "turn.x.0.0"}).values()
    assert (deed.where.session_id, deed.turn, deed.tool) == (session.id, 1, "sciorex_add_comment")
    assert deeds(connection, NOBODY, {op}) == {}
    assert set(places_of(connection, ALL, {session.id, "s-other"})) == {session.id}
    assert places_of(connection, NOBODY, {session.id}) == {}


@pytest.mark.parametrize(("text", "waits"), [("Shall I go on?", True), ("_Shall I?_ ", True), ("Done.", False)])
def test_a_session_waits_for_whom_it_asked(connection: Connection, text: str, waits: bool) -> None:
    session = a_session(connection, by="UADA")
    link(connection, session)
    say(connection, session, "10.000001", "help", user="UADA")
    answered(connection, session, text, by="UADA", ms=20_000)
    (mine,) = my_sessions(connection, ALL, "UADA")
    assert (mine.session.id, mine.ticket_id, mine.waits) == (session.id, "T-042", waits)
    assert my_sessions(connection, ALL, "UBEN") == []
    assert my_sessions(connection, NOBODY, "UADA") == []
    assert my_tickets(connection, ALL, WORKSPACE, "UADA") == ["T-042"]
    assert my_tickets(connection, ALL, "other", "UADA") == []
    assert my_tickets(connection, NOBODY, WORKSPACE, "UADA") == []
    say(connection, session, "30.000001", "yes", user="UADA")
    assert [one.waits for one in my_sessions(connection, ALL, "UADA")] == [False]
    set_state(connection, session.id, "archived", 40_000)
    assert my_sessions(connection, ALL, "UADA") == []


def test_3000_sessions_of_one_ticket_are_looked_through_in_a_moment(connection: Connection) -> None:
    many, of = range(1, 3_001), {"team": TEAM, "workspace": WORKSPACE}
    rows = [{"id": n, "team": TEAM, "channel": "C1", "thread_ts": f"{n}.000001"} for n in many]
    connection.execute(thread.insert(), rows)
    made = {"kind": "chat", "state": "active", "title": "t", "agent": "a", "model": "m", "started_by": "UADA"}
    sessions = [{"id": f"s-{n}", "thread_id": n, "started_ms": n, "updated_ms": n, **of, **made} for n in many]
    connection.execute(session_table.insert(), sessions)
    linked = {"ticket_id": "T-042", "n": 1, "key": "k", "linked_by": "UADA", "linked_ms": 1}
    connection.execute(link_table.insert(), [{"session_id": f"s-{n}", **of, **linked} for n in many])
    said = {"user_id": "UADA", "name": "Ada", "bot": False, "text": "said"}
    connection.execute(message.insert(), [{"session_id": f"s-{n}", "ts": f"{n}.000002", **of, **said} for n in many])
    began = time.monotonic()
    assert len(not_read(connection, "UBEN")) == 3_000
    assert len(my_sessions(connection, ALL, "UADA")) == 30
    assert time.monotonic() - began < 5
