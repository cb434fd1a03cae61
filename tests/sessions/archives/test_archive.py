"""Archiving: the row, the file, and who can read the file."""

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.errors import SessionArchived, WorkspaceUnavailable
from bot.sessions.archives.archive import ArchiveRow, finish_archive, newest_archive, record_archive
from bot.sessions.archives.archive_file import Written, transcript_path, write_transcript
from bot.sessions.session import ChatSession, get_session, set_state
from tests.sessions.rows import a_session

CONTENT: dict[str, object] = {"id": "s-1", "messages": [{"role": "user", "content": "Gruß 🐛"}]}
SECRET: dict[str, object] = {"id": "s-1", "messages": [{"role": "user", "content": "the salary list"}]}


def record(connection: Connection, session: ChatSession, key: str = "a:1", note: str = "API done") -> ArchiveRow:
    return record_archive(connection, session, key=key, ticket_id="T-042", note=note, by="UADA", now_ms=5)


def test_the_same_request_is_recorded_once(connection: Connection) -> None:
    session = a_session(connection)
    first = record(connection, session)
    assert (first.n, first.op) == (1, f"archive:{session.id}:T-042:1")
    assert record(connection, session, note="again") == first


def test_the_same_request_after_it_was_finished_gives_the_finished_row(connection: Connection) -> None:
    session = a_session(connection)
    finish_archive(connection, record(connection, session), "session-1.json", "ab", 9)
    again = record(connection, session)
    assert (again.n, again.file, again.sha256) == (1, "session-1.json", "ab")
    assert get_session(connection, session.id).state == "archived"


def test_an_archived_session_is_not_archived_by_another_request(connection: Connection) -> None:
    session = a_session(connection)
    finish_archive(connection, record(connection, session), "session-1.json", "ab", 9)
    with pytest.raises(SessionArchived, match="archived already"):
        record(connection, session, "a:2")


def test_a_resumed_session_is_archived_again_under_the_next_number(connection: Connection) -> None:
    session = a_session(connection)
    assert newest_archive(connection, session.id) is None
    first = record(connection, session)
    finish_archive(connection, first, "session-1.json", "ab", 9)
    set_state(connection, session.id, "active", 10)
    second = record(connection, session, "a:2", "all done")
    assert (second.n, second.op) == (2, f"archive:{session.id}:T-042:2")
    assert newest_archive(connection, session.id) == second


def test_finishing_twice_does_not_archive_what_was_resumed_since(connection: Connection) -> None:
    session = a_session(connection)
    row = record(connection, session)
    finish_archive(connection, row, "session-1.json", "ab", 9)
    set_state(connection, session.id, "active", 10)
    finish_archive(connection, row, "session-1.json", "cd", 11)
    assert (get_session(connection, session.id).state, get_session(connection, session.id).updated_ms) == (
        "active",
        10,
    )
    newest = newest_archive(connection, session.id)
    assert newest is not None and newest.sha256 == "cd"


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A workspace and a private folder that is not there yet."""
    (tmp_path / "work" / ".sciorex").mkdir(parents=True)
    return tmp_path / "work", tmp_path / "data" / "private"


def write(places: tuple[Path, Path], content: dict[str, object], *, public: bool) -> Written:
    return write_transcript(content, workspace=places[0], private_folder=places[1], public=public)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_public_transcript_lies_in_the_workspace(places: tuple[Path, Path]) -> None:
    written = write(places, CONTENT, public=True)
    path = places[0] / ".sciorex" / "sessions" / "session-s-1.json"
    assert written == Written(".sciorex/sessions/session-s-1.json", hashlib.sha256(path.read_bytes()).hexdigest())
    assert transcript_path(written.file, workspace=places[0], private_folder=places[1]) == path
    assert json.loads(path.read_text("utf-8")) == CONTENT
    assert (files(path.parent), files(places[1])) == (["session-s-1.json"], [])


def test_a_private_transcript_leaves_only_id_and_hash_in_the_workspace(places: tuple[Path, Path]) -> None:
    written = write(places, SECRET, public=False)
    path = transcript_path(written.file, workspace=places[0], private_folder=places[1])
    assert path == places[1] / "session-s-1.json"
    assert json.loads(path.read_text("utf-8")) == SECRET
    assert written.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    stub = places[0] / ".sciorex" / "sessions" / "session-s-1.json"
    assert json.loads(stub.read_text("utf-8")) == {
        "id": "s-1",
        "status": "archived",
        "sha256": written.sha256,
        "private": True,
    }


def test_a_private_transcript_is_readable_by_the_bot_alone(places: tuple[Path, Path]) -> None:
    places[1].mkdir(parents=True, mode=0o755)
    before = os.umask(0)
    try:
        written = write(places, SECRET, public=False)
    finally:
        os.umask(before)
    path = transcript_path(written.file, workspace=places[0], private_folder=places[1])
    assert [stat.S_IMODE(one.stat().st_mode) for one in (places[1], path)] == [0o700, 0o600]


@pytest.mark.parametrize("public", [True, False])
def test_writing_twice_gives_the_same_bytes(places: tuple[Path, Path], public: bool) -> None:
    def everything() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in places[0].parent.rglob("*") if path.is_file()}

    first = write(places, CONTENT, public=public)
    before = everything()
    assert write(places, CONTENT, public=public) == first
    assert everything() == before


def test_what_was_private_stays_private_when_its_channel_becomes_public(places: tuple[Path, Path]) -> None:
    write(places, CONTENT, public=False)
    assert write(places, SECRET, public=True).file == "session-s-1.json"
    assert "salary" not in (places[0] / ".sciorex/sessions/session-s-1.json").read_text("utf-8")


def test_a_stub_alone_keeps_a_transcript_private(places: tuple[Path, Path]) -> None:
    write(places, CONTENT, public=False)
    (places[1] / "session-s-1.json").unlink()
    assert write(places, SECRET, public=True).file == "session-s-1.json"


def test_a_private_file_alone_keeps_a_transcript_private(places: tuple[Path, Path]) -> None:
    write(places, CONTENT, public=False)
    stub = places[0] / ".sciorex" / "sessions" / "session-s-1.json"
    stub.unlink()
    assert write(places, SECRET, public=True).file == "session-s-1.json"
    assert "salary" not in stub.read_text("utf-8")


def test_a_stub_that_a_merge_has_broken_keeps_a_transcript_private(places: tuple[Path, Path]) -> None:
    stub = places[0] / ".sciorex" / "sessions" / "session-s-1.json"
    stub.parent.mkdir()
    stub.write_text("<<<<<<< ours\n{}", "utf-8")
    assert write(places, SECRET, public=True).file == "session-s-1.json"
    assert "salary" not in stub.read_text("utf-8")


def test_a_public_transcript_is_taken_out_of_the_workspace_when_its_channel_becomes_private(
    places: tuple[Path, Path],
) -> None:
    write(places, SECRET, public=True)
    write(places, SECRET, public=False)
    assert "salary" not in (places[0] / ".sciorex/sessions/session-s-1.json").read_text("utf-8")


def test_a_workspace_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceUnavailable, match="folder is not there"):
        write((tmp_path / "gone", tmp_path / "private"), CONTENT, public=True)
