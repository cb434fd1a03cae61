"""The chain in the database: what is archived stays, what is new is added, what is gone leaves a dated mark."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.errors import SessionArchived
from bot.sessions.archives.archive import ArchiveRow, finish_archive, newest_archive, record_archive
from bot.sessions.archives.archive_chain import archive_session, archived_file, behind, follow, follow_late
from bot.sessions.archives.archive_file import as_text
from bot.sessions.archives.erasing import erase
from bot.sessions.archives.verify import Anchor, check, compare
from bot.sessions.deleting import delete_answer
from bot.sessions.models import archive_entry, message
from bot.sessions.session import ChatSession, delete_message, edit_message, get_session, set_state
from bot.sessions.transcript import begin_turn, end_turn, save_answer, turns_of
from tests.sessions.rows import a_session, say


def archived(
    connection: Connection, session: ChatSession, key: str = "k1", note: str = "", at: int = 200_000
) -> ArchiveRow:
    """The session, archived, its file written down."""
    until = f"{at // 1000}.000000"
    row = archive_session(connection, session, key=key, ticket_id="T-042", note=note, by="UBEN", until=until, now_ms=at)
    finish_archive(connection, row, "file", "00", at, written=row.entries)
    return row


def resumed(connection: Connection, session: ChatSession) -> None:
    set_state(connection, session.id, "active", 300_000)


def file_of(connection: Connection, session: ChatSession) -> dict[str, Any]:
    """The file, which must be in order in itself."""
    found = archived_file(connection, session.id)
    assert found is not None
    content: dict[str, Any] = json.loads(as_text(found))
    assert content == found
    assert check(content).changes == ()
    return content


def said(content: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["id"], one["content"]) for one in content["messages"]]


def answered(connection: Connection, session: ChatSession, question: int, text: str, at: int) -> str:
    """A turn with its answer; gives the id of the answer's entry."""
    turn = begin_turn(connection, session.id, asked_by="UADA", message_ids=[question], agent="a", model="m", now_ms=at)
    usage: dict[str, object] = {"input_tokens": 7, "output_tokens": 3}
    save_answer(
        connection,
        turn,
        [{"type": "text", "text": text}],
        stop_reason="end_turn",
        usage=usage,
        model="m",
        now_ms=at,
    )
    end_turn(connection, turn.id, "done", at)
    return f"t-{turn.key}.1"


@pytest.fixture
def session(connection: Connection) -> ChatSession:
    """A session in which two things were said."""
    made = a_session(connection)
    say(connection, made, "101.000001", "crop to circle")
    say(connection, made, "102.000001", "my password is swordfish")
    return made


def test_an_archive_holds_everything_and_ends_with_who_when_and_note(
    connection: Connection, session: ChatSession
) -> None:
    row = archived(connection, session, note="API done")
    content = file_of(connection, session)
    assert said(content) == [
        ("m-101.000001", "crop to circle"),
        ("m-102.000001", "my password is swordfish"),
        ("a-1", "Archived to T-042."),
    ]
    last = content["messages"][-1]
    assert (last["by"], last["note"], last["ticketId"]) == ("UBEN", "API done", "T-042")
    assert (content["note"], content["archivedBy"], content["archivedAt"]) == ("API done", "UBEN", last["timestamp"])
    assert (row.entries, row.head) == (3, content["chain"]["head"])


def test_the_same_request_again_takes_in_nothing_though_more_was_said(
    connection: Connection, session: ChatSession
) -> None:
    request = {"key": "k1", "ticket_id": "T-042", "note": "", "by": "UBEN", "until": "103.0", "now_ms": 103_000}
    first = archive_session(connection, session, **request)  # type: ignore[arg-type]
    before = file_of(connection, session)
    say(connection, session, "104.000001", "one more thing")
    assert archive_session(connection, session, **request) == first  # type: ignore[arg-type]
    assert file_of(connection, session) == before


def test_archiving_again_adds_only_what_is_new(connection: Connection, session: ChatSession) -> None:
    archived(connection, session, note="first")
    before = file_of(connection, session)
    with pytest.raises(SessionArchived):
        archived(connection, session, key="k2")
    resumed(connection, session)
    question = say(connection, session, "301.000001", "and the tests?")
    answer = answered(connection, session, question, "Written.", 302_000)
    row = archived(connection, session, key="k2", note="second", at=400_000)
    after = file_of(connection, session)
    assert said(after)[3:] == [
        ("m-301.000001", "and the tests?"),
        (answer, "Written."),
        ("a-2", "Archived to T-042."),
    ]
    assert after["messages"][:3] == before["messages"]
    assert after["chain"]["entries"][:3] == before["chain"]["entries"]
    assert (row.entries, after["note"], after["usage"]) == (6, "second", {"input_tokens": 7, "output_tokens": 3})
    known = Anchor("the first archiving", 3, before["chain"]["head"])
    assert compare(check(after), known) is None


def test_what_is_deleted_leaves_a_dated_mark_and_a_chain_that_holds(
    connection: Connection, session: ChatSession
) -> None:
    archived(connection, session)
    before = file_of(connection, session)
    delete_message(connection, session, "102.000001", 250_000)
    assert follow(connection, session)
    after = file_of(connection, session)
    assert "swordfish" not in json.dumps(after)
    [mark] = [one for one in after["messages"] if one["id"] == "m-102.000001"]
    assert (mark["content"], mark["deletedAt"]) == ("", "1970-01-01T00:04:10.000Z")
    assert [one["id"] for one in after["messages"]] == [one["id"] for one in before["messages"]]
    gone, kept = after["chain"]["entries"][1], before["chain"]["entries"][1]
    assert gone == {"id": kept["id"], "hash": kept["hash"]}
    assert compare(check(after), Anchor("the ticket", 3, before["chain"]["head"])) is None
    columns = select(archive_entry.c.content, archive_entry.c.salt)
    assert "swordfish" not in str(connection.execute(columns).all())
    assert kept["salt"] not in str(connection.execute(columns).all())


def test_an_answer_that_is_deleted_leaves_the_same_mark(connection: Connection, session: ChatSession) -> None:
    first = answered(connection, session, 1, "it is hunter2", 103_000)
    archived(connection, session)
    before = file_of(connection, session)
    resumed(connection, session)
    later = answered(connection, session, 2, "later", 310_000)
    for one in turns_of(connection, session.id):
        delete_answer(connection, one.id, 320_000)
        delete_answer(connection, one.id, 330_000)
    assert follow(connection, session)
    assert not follow(connection, session)
    after = file_of(connection, session)
    contents = connection.execute(select(archive_entry.c.content)).scalars()
    assert not any("hunter2" in str(one) for one in [*contents, after])
    assert [one["id"] for one in after["messages"]] == [one["id"] for one in before["messages"]]
    [mark] = [one for one in after["messages"] if one["id"] == first]
    assert (mark["content"], mark["deletedAt"]) == ("", "1970-01-01T00:05:20.000Z")
    assert (mark["usage"], after["usage"], after["output"]) == (before["usage"], before["usage"], None)
    known = Anchor("the ticket", len(before["chain"]["entries"]), before["chain"]["head"])
    assert compare(check(after), known) is None
    archived(connection, session, "k2", at=400_000)
    [new] = [one for one in file_of(connection, session)["messages"] if one["id"] == later]
    assert "deletedAt" in new
    erase(connection, session, first, 500_000)
    assert follow(connection, session)
    [mark] = [one for one in file_of(connection, session)["messages"] if one["id"] == first]
    assert "erasedAt" in mark and "deletedAt" not in mark


def test_the_first_message_deleted_goes_from_the_input_too(connection: Connection, session: ChatSession) -> None:
    archived(connection, session)
    assert file_of(connection, session)["input"] == "crop to circle"
    delete_message(connection, session, "101.000001", 250_000)
    follow(connection, session)
    assert file_of(connection, session)["input"] == "my password is swordfish"


def test_an_edit_shows_in_its_place_and_the_old_words_are_gone(connection: Connection, session: ChatSession) -> None:
    archived(connection, session)
    edit_message(connection, session, "101.000001", "crop to square", "250.000000")
    assert follow(connection, session)
    content = file_of(connection, session)
    assert said(content)[0] == ("m-101.000001", "crop to square")
    assert "circle" not in json.dumps(content)
    assert not follow(connection, session)
    edit_message(connection, session, "101.000001", "crop to a star", "260.000000")
    assert follow(connection, session)
    content = file_of(connection, session)
    assert said(content)[0] == ("m-101.000001", "crop to a star")
    assert [entry["id"] for entry in content["chain"]["entries"]].count("m-101.000001") == 3


def test_a_message_that_came_late_is_added_and_one_said_since_waits(
    connection: Connection, session: ChatSession
) -> None:
    archived(connection, session)
    say(connection, session, "199.000001", "said before, come late")
    say(connection, session, "201.000001", "said since")
    follow_late(connection, session, ["201.000001"])
    assert len(said(file_of(connection, session))) == 3
    follow_late(connection, session, ["199.000001"])
    assert said(file_of(connection, session))[3:] == [("m-199.000001", "said before, come late")]
    follow_late(connection, session, ["199.000001"])
    resumed(connection, session)
    archived(connection, session, key="k2", at=400_000)
    assert [id_ for id_, _ in said(file_of(connection, session))][3:] == ["m-199.000001", "m-201.000001", "a-2"]


def test_work_done_since_waits_while_edits_are_honoured(connection: Connection, session: ChatSession) -> None:
    archived(connection, session)
    resumed(connection, session)
    question = say(connection, session, "301.000001", "and the tests?")
    answered(connection, session, question, "Written.", 302_000)
    edit_message(connection, session, "101.000001", "crop to square", "303.000000")
    follow(connection, session)
    content = file_of(connection, session)
    assert [id_ for id_, _ in said(content)] == ["m-101.000001", "m-102.000001", "a-1"]
    assert (content["output"], content["usage"]) == (None, {})


def test_what_was_archived_stays_though_its_rows_change(connection: Connection, session: ChatSession) -> None:
    archived(connection, session)
    before = file_of(connection, session)
    connection.exec_driver_sql("UPDATE message SET text = 'tampered', name = 'Mallory'")
    follow(connection, session)
    assert file_of(connection, session) == before


def test_a_file_behind_its_chain_is_known_until_it_is_written(connection: Connection, session: ChatSession) -> None:
    assert behind(connection, session.id) is None
    row = archived(connection, session)
    assert behind(connection, session.id) is None
    delete_message(connection, session, "102.000001", 250_000)
    follow(connection, session)
    late = behind(connection, session.id)
    assert late is not None and late.id == row.id
    finish_archive(connection, row, "file", "11", 260_000, written=4)
    assert behind(connection, session.id) is None


def test_an_archive_without_a_chain_gets_one_with_what_it_held(connection: Connection, session: ChatSession) -> None:
    row = record_archive(connection, session, key="old", ticket_id="T-042", note="", by="UBEN", now_ms=200_000)
    finish_archive(connection, row, "file", "00", 200_000)
    assert archived_file(connection, session.id) is None
    assert behind(connection, session.id) is None
    resumed(connection, session)
    say(connection, session, "301.000001", "said since")
    edit_message(connection, session, "101.000001", "crop to square", "302.000000")
    assert follow(connection, session)
    assert [id_ for id_, _ in said(file_of(connection, session))] == ["m-101.000001", "m-102.000001", "a-1"]
    assert behind(connection, session.id) is not None
    newest = newest_archive(connection, session.id)
    assert newest is not None and newest.entries == 3


def test_a_renamed_session_or_a_moved_channel_shows_once_the_file_is_written_anew(
    connection: Connection, session: ChatSession
) -> None:
    archived(connection, session)
    connection.exec_driver_sql("UPDATE session SET title = 'Square avatars'")
    connection.exec_driver_sql("UPDATE thread SET channel = 'C9'")
    edit_message(connection, session, "101.000001", "crop to square", "250.000000")
    follow(connection, get_session(connection, session.id))
    content = file_of(connection, session)
    assert (content["title"], content["source"]["channel"]) == ("Square avatars", "C9")


def test_five_thousand_messages_are_archived_and_checked_in_a_moment(connection: Connection) -> None:
    session = a_session(connection)
    of = {"session_id": session.id, "team": session.team, "workspace": session.workspace, "user_id": "UADA"}
    lines = [{**of, "name": "Ada", "bot": False, "ts": f"{1000 + n}.000001", "text": f"line {n}"} for n in range(5_000)]
    connection.execute(message.insert(), lines)
    archived(connection, session, at=9_000_000)
    delete_message(connection, session, "4000.000001", 9_100_000)
    follow(connection, session)
    content = file_of(connection, session)
    assert len(content["messages"]) == 5_001
    assert check(content).deleted == 1
