"""The commands export and verify, for whoever has the files alone: no Slack, no Claude, and at first no database."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.archives import export, verify
from bot.database import Database
from bot.errors import BotError
from bot.sessions.archives.archive import finish_archive
from bot.sessions.archives.archive_chain import archive_session, archived_file
from bot.sessions.archives.archive_file import write_transcript
from bot.sessions.session import ChatSession
from bot.settings import Settings, read_settings
from tests.sessions.rows import a_session, say

HISTORY = """\
  - timestamp: 2026-11-24T10:00:00.000Z
    action: session_archived
    details:
      sessionId: {id}
      entries: {entries}
      chain: {head}
    actor: {{type: user, id: UADA}}
"""


class Here:
    """A workspace with what was archived in it, as the bot would have."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.sessions = folder / ".sciorex" / "sessions"
        self.private = folder / ".sciorex-slack" / "sessions"
        (folder / ".sciorex" / "tickets").mkdir(parents=True)
        self._database = database
        self.url = f"sqlite:///{folder / 'none.db'}"

    def settings(self, *, database: bool = False) -> Settings:
        given = {"SCIOREX_WORKSPACE": str(self.folder), "DATABASE_URL": self._database if database else self.url}
        return read_settings(given, need="archives", env_file=self.folder / "no.env")

    def within(self, fn: Callable[[Connection], Any]) -> Any:
        db = Database(self._database)
        try:
            with db.engine.begin() as connection:
                return fn(connection)
        finally:
            asyncio.run(db.close())

    def archive(self, *words: str, thread_ts: str = "100.000001", public: bool = True, history: bool = True) -> Path:
        """A session in which this was said, archived to T-001; gives the path of its file."""

        def make(connection: Connection) -> tuple[ChatSession, Any, Any]:
            session = a_session(connection, thread_ts=thread_ts, workspace="default")
            for n, text in enumerate(words):
                say(connection, session, f"{101 + n}.000001", text)
            row = archive_session(
                connection, session, key="k", ticket_id="T-001", note="n", by="UADA", until="9", now_ms=900_000
            )
            return session, row, archived_file(connection, session.id)

        session, row, content = self.within(make)
        written = write_transcript(content, workspace=self.folder, private_folder=self.private, public=public)
        self.within(lambda c: finish_archive(c, row, written.file, written.sha256, 900_000, written=row.entries))
        if history:
            with (self.folder / ".sciorex/tickets/T-001.yaml").open("a") as ticket:
                if not ticket.tell():
                    ticket.write("id: T-001\ntitle: Avatars\nhistory:\n")
                ticket.write(HISTORY.format(id=session.id, entries=row.entries, head=row.head))
        return (self.sessions if public else self.private) / f"session-{session.id}.json"

    def verify(self, session: str | None = None, *, database: bool = False) -> tuple[int, list[str]]:
        lines: list[str] = []
        code = asyncio.run(verify(self.settings(database=database), session, lines.append))
        return code, [line for line in lines if not line.startswith("note")]

    def export(self, session: str, form: str = "md", *, database: bool = False, out: Path | None = None) -> Path:
        lines: list[str] = []
        folder = out or self.folder / "out"
        assert asyncio.run(export(self.settings(database=database), session, form, folder, lines.append)) == 0
        return Path(lines[-1])


@pytest.fixture
def here(tmp_path: Path, sqlite_url: str) -> Here:
    return Here(tmp_path / "work", sqlite_url)


def id_in(path: Path) -> str:
    return path.stem.removeprefix("session-")


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


def test_where_nothing_was_archived_nothing_is_wrong(here: Here) -> None:
    assert here.verify() == (0, ["There are no archived transcripts."])


def test_what_is_as_archived_is_said_with_who_knows_it(here: Here) -> None:
    path = here.archive("crop to square")
    file = f".sciorex/sessions/{path.name}"
    assert here.verify() == (
        0,
        [f"ok   {file}: 2 entries; as the history of T-001 knows", "1 as archived."],
    )
    _, [line, _] = here.verify(database=True)
    assert line == f"ok   {file}: 2 entries; as the history of T-001 and the database know"


def test_a_file_that_nobody_else_knows_is_checked_in_itself(here: Here) -> None:
    here.archive("crop to square", history=False)
    code, [line, _] = here.verify()
    assert code == 0
    assert line.endswith("2 entries; in itself as archived, and nobody else to ask")


def test_a_change_is_named_with_its_place(here: Here) -> None:
    path = here.archive("crop to square", "and blur")
    edited(path, lambda content: content["messages"][1].update(content="and burn"))
    assert here.verify() == (
        1,
        [
            f"bad  .sciorex/sessions/{path.name}, entry 2 (m-102.000001): it was changed (user, message 2)",
            "1 CHANGED.",
        ],
    )
    assert here.verify(id_in(path))[0] == 1


def test_one_changed_transcript_does_not_hide_the_others(here: Here) -> None:
    first, second = here.archive("a"), here.archive("b", thread_ts="200.000001")
    edited(first, lambda content: content.update(note="x"))
    code, lines = here.verify()
    assert (code, lines[-1]) == (1, "1 as archived, 1 CHANGED.")
    assert here.verify(id_in(second))[0] == 0
    assert here.verify(id_in(first)) == (
        1,
        [f"bad  .sciorex/sessions/{first.name}, note: it was changed", "1 CHANGED."],
    )


def test_a_chain_that_is_taken_out_or_a_file_that_is_gone_is_found(here: Here) -> None:
    path = here.archive("crop to square")
    whole = path.read_text("utf-8")
    edited(path, lambda content: content.pop("chain"))
    code, [line, _] = here.verify()
    assert (code, "its chain was taken out" in line) == (1, True)
    path.unlink()
    code, [line, _] = here.verify()
    assert (code, "the file is not there, and the history of T-001 knows" in line) == (1, True)
    code, [line, _] = here.verify(id_in(path), database=True)
    assert (code, "the file is not there, and the database knows" in line) == (1, True)
    path.write_text(whole, "utf-8")
    assert here.verify()[0] == 0


def test_a_file_under_another_name_is_found(here: Here) -> None:
    path = here.archive("crop to square", history=False)
    path.rename(path.with_name("session-s-other.json"))
    code, [line, _] = here.verify()
    assert code == 1
    assert line.endswith(", id: it is not the one in the file's name")


def test_a_private_transcript_that_is_kept_elsewhere_is_named(here: Here) -> None:
    path = here.archive("salaries", public=False)
    assert here.verify()[0] == 0
    path.unlink()
    code, [line, end] = here.verify()
    assert (code, end) == (0, "1 not on this machine.")
    assert line.startswith("away ")
    with pytest.raises(BotError, match="kept on another machine"):
        here.export(id_in(path))
    assert here.verify(database=True)[0] == 1  # on the bot's own machine it should be there


def test_files_of_other_programs_are_named_and_prove_nothing(here: Here) -> None:
    here.sessions.mkdir()
    (here.sessions / "session-abc.json").write_text('{"id": "abc", "messages": []}')
    code, [line, end] = here.verify()
    assert (code, end) == (0, "1 without a chain.")
    assert line == "old  .sciorex/sessions/session-abc.json: it has no chain, so nothing can be proved"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"{", "line 1: it is not valid JSON"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b'{"id": "s-x", "id": "s-y"}', 'the key "id" stands twice in one object'),
        (b'{"id": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "4300"),
        (b"[]", "it holds no transcript"),
        (b'{"id": "s-x", "chain": 7}', "chain: it has not the form"),
        (b'{"id": "\\u001b[2J", "chain": {}}', "chain: it has not the form"),
        (b'<<<<<<< ours\n{"id": "s-x"}', "line 1: it is not valid JSON"),
    ],
)
def test_a_hostile_file_is_a_sentence_and_no_crash(here: Here, text: bytes, told: str) -> None:
    here.sessions.mkdir()
    (here.sessions / "session-s-x.json").write_bytes(text)
    code, lines = here.verify()
    assert code == 1
    assert told in "\n".join(lines)
    assert all(line.isprintable() for line in lines)


def test_what_is_no_file_is_not_read(here: Here) -> None:
    here.sessions.mkdir()
    os.mkfifo(here.sessions / "session-s-x.json")
    (here.sessions / "session-s-y.json").mkdir()
    code, lines = here.verify()
    assert code == 1
    assert sum("it is no file" in line for line in lines) == 2


def test_a_ticket_that_cannot_be_read_is_noted(here: Here) -> None:
    here.archive("a")
    (here.folder / ".sciorex/tickets/T-002.yaml").write_text("id: [session_archived")
    lines: list[str] = []
    assert asyncio.run(verify(here.settings(), None, lines.append)) == 0
    assert any(line.startswith("note The ticket file .sciorex/tickets/T-002.yaml") for line in lines)


def test_a_session_is_found_by_the_beginning_of_its_id_its_file_and_its_thread(here: Here) -> None:
    path = here.archive("crop to square")
    id_ = id_in(path)
    link = "https://example.slack.com/archives/C1/p0000100000001"
    reply = f"{link.replace('100000001', '999000001')}?thread_ts=0000100.000001&cid=C1"
    edited(path, lambda content: content["source"].update(threadTs="0000100.000001"))
    for named in (id_, id_[:8], id_[2:9], str(path), path.name, link, reply):
        assert here.export(named).name == f"session-{id_}.md", named


def test_a_session_is_found_in_the_database_by_its_thread_also_after_its_channel_moved(here: Here) -> None:
    ts = "1732480000.001999"
    path = here.archive("crop to square", thread_ts=ts)
    path.unlink()
    link = "https://example.slack.com/archives/C1/p1732480000001999"
    assert id_in(path) in here.export(link, database=True).name
    here.within(lambda c: c.exec_driver_sql("UPDATE thread SET channel = 'C9'").rowcount)
    here.within(lambda c: c.exec_driver_sql("INSERT INTO moved VALUES ('T1', 'C1', 'C9')").rowcount)
    assert id_in(path) in here.export(link, database=True).name


def test_a_beginning_that_several_have_and_one_that_none_has_are_told(here: Here) -> None:
    here.archive("a")
    here.archive("b", thread_ts="200.000001")
    with pytest.raises(BotError, match="Several sessions begin with s-: s-"):
        here.export("s-")
    with pytest.raises(BotError, match="Several sessions begin with s-: s-"):
        here.export("s-", database=True)
    for named in ("s-nothing", "", "https://example.slack.com/archives/C7/p1732480000001999"):
        with pytest.raises(BotError, match="no session"):
            here.export(named)
        with pytest.raises(BotError, match="no session"):
            here.export(named, database=True)
    with pytest.raises(BotError, match="no session"):
        here.verify("s-nothing")


@pytest.mark.parametrize("database", [False, True])
def test_each_form_is_a_file_of_its_own_in_the_folder(here: Here, tmp_path: Path, database: bool) -> None:
    path = here.archive("crop to <b>square</b>")
    out = tmp_path / "new" / "folder"
    json_, md, html = (here.export(id_in(path), form, database=database, out=out) for form in ("json", "md", "html"))
    assert json_.read_bytes() == path.read_bytes()
    assert "# Avatar upload" in md.read_text("utf-8")
    assert "&lt;b&gt;square" in html.read_text("utf-8")
    assert sorted(file.suffix for file in out.iterdir()) == [".html", ".json", ".md"]


def test_the_name_of_the_file_is_safe_whatever_the_session_is_called(here: Here) -> None:
    here.sessions.mkdir()
    (here.sessions / "session-x.json").write_text(json.dumps({"id": "../../etc/passwd\n", "messages": []}))
    assert here.export("x").relative_to(here.folder / "out") == Path("session-etc-passwd.md")


def test_a_folder_that_cannot_be_written_is_a_sentence(here: Here) -> None:
    path = here.archive("a")
    (here.folder / "file").write_text("")
    with pytest.raises(BotError, match="cannot be written: "):
        here.export(id_in(path), out=here.folder / "file")


def test_a_database_that_is_behind_is_not_asked(here: Here) -> None:
    path = here.archive("a")
    here.within(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'").rowcount)
    lines: list[str] = []
    assert asyncio.run(verify(here.settings(database=True), None, lines.append)) == 0
    assert "it stands at 0003" in lines[0]
    assert here.export(id_in(path), database=True).exists()
