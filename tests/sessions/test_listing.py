"""The sessions of a ticket, and a person's own."""

from sqlalchemy import Connection

from bot.sessions.archives.archive import finish_archive, record_archive
from bot.sessions.audience import Audience, for_person
from bot.sessions.linking import link_session, unlink_session
from bot.sessions.listing import Listed, recent_sessions, sessions_of_ticket
from bot.sessions.session import ChatSession, delete_message, get_session, set_state
from bot.sessions.transcript import begin_turn, end_turn
from tests.sessions.rows import TEAM, WORKSPACE, a_session, say

ALL = for_person(TEAM, ("C1", "C2"), (), full_member=True)


def link(connection: Connection, of: ChatSession, ticket_id: str = "T-042", by: str = "UADA") -> None:
    key = f"link {ticket_id}"
    link_session(connection, of, ticket_id, None, key=key, by=by, now_ms=1, replace=True)


def listed(connection: Connection, audience: Audience = ALL, limit: int = 50) -> list[Listed]:
    return sessions_of_ticket(connection, audience, TEAM, WORKSPACE, "T-042", limit)


def archived(connection: Connection, of: ChatSession, note: str, key: str = "a") -> None:
    row = record_archive(connection, of, key=key, ticket_id="T-042", note=note, by="UBEN", now_ms=500_000)
    finish_archive(connection, row, "session.json", "00", 500_000)


def test_a_ticket_lists_its_sessions_most_recent_first(connection: Connection) -> None:
    old = a_session(connection, thread_ts="1.000001", now_ms=1_000)
    new = a_session(connection, thread_ts="2.000001", now_ms=2_000)
    link(connection, new, by="UBEN")
    link(connection, old)
    say(connection, old, "3.000001", "still here", now_ms=3_000)
    old = get_session(connection, old.id)
    assert listed(connection) == [
        Listed(old, "active", "UADA", 3_000, 1, None, "idle", number=1),
        Listed(new, "active", "UBEN", 2_000, 0, None, "idle", number=2),
    ]


def test_a_session_linked_elsewhere_since_is_past(connection: Connection) -> None:
    moved, ended = a_session(connection, thread_ts="2.000001"), a_session(connection, thread_ts="1.000001")
    link(connection, moved)
    link(connection, moved, "T-001")
    link(connection, ended)
    unlink_session(connection, ended, key="u", by="UADA", now_ms=2)
    assert {one.session.id: one.state for one in listed(connection)} == {moved.id: "past", ended.id: "past"}


def test_a_session_linked_again_is_listed_once_with_its_newest_link(connection: Connection) -> None:
    session = a_session(connection)
    link(connection, session)
    link(connection, session, "T-001")
    link(connection, session, by="UBEN")
    assert [(one.state, one.linked_by) for one in listed(connection)] == [("active", "UBEN")]


def test_messages_are_those_people_said_and_did_not_take_back_and_the_answers(connection: Connection) -> None:
    session = a_session(connection)
    link(connection, session)
    asked = say(connection, session, "1.000001", "what is left?")
    say(connection, session, "1.000002", "oops")
    say(connection, session, "1.000003", "build passed", user="UCI", bot=True)
    delete_message(connection, session, "1.000002", 5)
    for state in ("done", "failed"):
        turn = begin_turn(connection, session.id, asked_by="UADA", message_ids=[asked], agent="a", model="m", now_ms=4)
        end_turn(connection, turn.id, state, 5)
    assert [one.messages for one in listed(connection)] == [2]


def test_an_archived_session_shows_the_note_of_its_newest_archive(connection: Connection) -> None:
    session = a_session(connection)
    link(connection, session)
    archived(connection, session, "backend done")
    set_state(connection, session.id, "active", 600_000)
    archived(connection, session, "frontend done", "b")
    assert [(one.state, one.note) for one in listed(connection)] == [("archived", "frontend done")]


def test_a_session_archived_to_a_ticket_without_a_link_is_listed(connection: Connection) -> None:
    session = a_session(connection)
    archived(connection, session, "")
    assert [(one.state, one.linked_by, one.note) for one in listed(connection)] == [("archived", "UBEN", None)]


def test_a_page_is_full_of_what_the_reader_may_see(connection: Connection) -> None:
    for number in range(6):
        channel = "C3" if number % 2 else "C1"
        link(connection, a_session(connection, channel, f"{number}.000001", now_ms=number))
    seen = listed(connection, limit=3)
    assert [(one.session.channel, one.last_ms) for one in seen] == [("C1", 4), ("C1", 2), ("C1", 0)]
    member = for_person(TEAM, (), ("C3",), full_member=False)
    assert [one.last_ms for one in listed(connection, member)] == [5, 3, 1]


def test_tickets_of_the_same_id_elsewhere_are_others(connection: Connection) -> None:
    link(connection, a_session(connection, workspace="other"))
    link(connection, a_session(connection, team="T2"))
    assert listed(connection) == []


def test_recent_sessions_are_those_the_person_started_or_spoke_in(connection: Connection) -> None:
    started = a_session(connection, thread_ts="1.000001", now_ms=1)
    spoke = a_session(connection, thread_ts="2.000001", by="UBEN", now_ms=2)
    say(connection, spoke, "2.000002", "me too")
    took_back = a_session(connection, thread_ts="3.000001", by="UBEN", now_ms=3)
    say(connection, took_back, "3.000002", "never mind")
    delete_message(connection, took_back, "3.000002", 4)
    a_session(connection, thread_ts="4.000001", by="UBEN", now_ms=4)
    a_session(connection, "C2", "5.000001", now_ms=5)
    assert recent_sessions(connection, ALL, TEAM, "C1", "UADA") == [spoke, started]
    assert recent_sessions(connection, ALL, TEAM, "C1", "UADA", limit=1) == [spoke]


def test_recent_sessions_of_a_channel_one_was_removed_from_are_not_shown(connection: Connection) -> None:
    a_session(connection, "C3")
    assert recent_sessions(connection, ALL, TEAM, "C3", "UADA") == []
