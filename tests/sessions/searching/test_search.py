"""What is found of all that was said: by whom it may be seen, as it stands now, whatever was typed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, MetaData, func, select, text

import bot.database
from bot.database import Database
from bot.sessions.archives.archive import record_archive
from bot.sessions.audience import Audience, for_channel, for_person
from bot.sessions.models import message, said, session, unindexed
from bot.sessions.searching.said import settle
from bot.sessions.searching.search import Hit, search
from bot.sessions.searching.wanted import wanted_in
from bot.sessions.session import (
    ChatSession,
    Said,
    delete_message,
    edit_message,
    keep_message,
    move_channel,
    rename_session,
)
from bot.sessions.transcript import begin_turn, save_answer
from tests.sessions.rows import TEAM, WORKSPACE, a_session, say
from tests.sessions.test_audience import CASES, EVERYWHERE, READABLE, Case

ALL = for_person(TEAM, EVERYWHERE, (), full_member=True)


def hits(connection: Connection, query: str, audience: Audience = ALL, limit: int = 50, offset: int = 0) -> list[Hit]:
    settle(connection)
    return search(connection, audience, wanted_in(query), limit=limit, offset=offset)


def lines(connection: Connection, query: str, audience: Audience = ALL) -> list[str]:
    return [hit.line for hit in hits(connection, query, audience)]


def answer(connection: Connection, of: ChatSession, words: str, now_ms: int = 5_000) -> None:
    turn = begin_turn(connection, of.id, asked_by="UADA", message_ids=[], agent="a", model="m", now_ms=now_ms)
    content: list[dict[str, object]] = [
        {"type": "thinking", "thinking": "secretly"},
        {"type": "text", "text": words},
        {"type": "tool_use", "id": "t", "name": "grep", "input": {"pattern": "needle"}},
    ]
    save_answer(connection, turn, content, stop_reason="tool_use", usage={}, model="m", now_ms=now_ms)


def test_everything_that_is_said_is_found_with_its_line_and_where_it_stands(connection: Connection) -> None:
    here = a_session(connection, now_ms=1_000)
    say(connection, here, "2.000001", "First things first.\nThe cache is too small, says the log", user="UBEN")
    answer(connection, here, "I looked.\nThe **cache** holds 64 entries.")
    record_archive(connection, here, key="k", ticket_id="T-1", note="Cache doubled", by="UCY", now_ms=6_000)
    rename_session(connection, here.id, "Cache sizes", "UADA")
    found = hits(connection, "cache")
    assert sorted(hit.kind for hit in found) == ["archive", "message", "session", "step"]
    by_kind = {hit.kind: hit for hit in found}
    assert by_kind["message"] == Hit(
        kind="message",
        session_id=here.id,
        title="Cache sizes",
        channel="C1",
        thread_ts=here.thread_ts,
        ts="2.000001",
        ms=2_000,
        by="UBEN",
        bot_name=None,
        line="The cache is too small, says the log",
    )
    assert (by_kind["step"].line, by_kind["step"].by) == ("The **cache** holds 64 entries.", None)
    assert (by_kind["archive"].line, by_kind["archive"].by) == ("Cache doubled", "UCY")
    assert (by_kind["session"].line, by_kind["session"].ts) == ("Cache sizes", here.thread_ts)
    assert lines(connection, "secretly") == lines(connection, "needle") == []


def test_all_words_are_wanted_the_last_may_be_begun_and_quotes_keep_their_order(connection: Connection) -> None:
    here = a_session(connection)
    say(connection, here, "2.000001", "the deployment of the parser failed")
    say(connection, here, "3.000001", "the parser is deployed")
    say(connection, here, "4.000001", "a UI, an UIkit")
    assert lines(connection, "parser deploy") == ["the parser is deployed", "the deployment of the parser failed"]
    assert lines(connection, "deploy parser") == []
    assert lines(connection, "parser failed") == ["the deployment of the parser failed"]
    assert lines(connection, '"the parser" failed') == ["the deployment of the parser failed"]
    assert lines(connection, '"parser the"') == []
    assert lines(connection, '"deploy"') == []
    assert lines(connection, "ui") == ["a UI, an UIkit"]
    assert lines(connection, "u") == []


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("Die Größe der Straße", "grosse strasse"),
        ("Café crème", "CAFE"),
        ("東京タワーの高さは333メートル", "タワー"),
        ("数据库迁移失败了", "迁移"),
        ("ทดสอบระบบใหม่", "ระบบ"),
        ("데이터베이스를 옮겼다", "데이터베이스"),
        ("यह हिंदी में है", "हिंदी"),
        ("Ship it 🚀 today", "🚀"),
        ("see <https://example.com/a_b?q=1|the page>", "example a_b"),
        ("bot/sessions/search.py &amp; friends", "search.py"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("it's O'Brien's", "o'brien"),
        ("version 1.2.3-rc1", "1.2.3-rc1"),
    ],
)
def test_words_of_every_script_are_found_as_people_type_them(connection: Connection, kept: str, asked: str) -> None:
    here = a_session(connection)
    say(connection, here, "2.000001", kept)
    assert lines(connection, asked) == [kept]


def test_characters_in_another_order_are_another_word(connection: Connection) -> None:
    say(connection, a_session(connection), "2.000001", "数据库迁移失败了")
    assert lines(connection, "移迁") == []


def test_whom_a_message_mentions_is_no_word(connection: Connection) -> None:
    say(connection, a_session(connection), "2.000001", "<@UADA> and <!subteam^S1|@backend> look")
    assert lines(connection, "uada") == []
    assert lines(connection, "look") == ["<@UADA> and <!subteam^S1|@backend> look"]


def test_files_are_found_by_name(connection: Connection) -> None:
    here = a_session(connection)
    keep_message(connection, here, Said("2.000001", "UADA", "Ada", False, "see", files=(("plan-2026.pdf", "u"),)), 1)
    assert lines(connection, "plan-2026") == ["plan-2026.pdf"]


def test_an_edit_counts_and_a_deletion_leaves_nothing(connection: Connection) -> None:
    here = a_session(connection)
    say(connection, here, "2.000001", "the password is hunter2")
    assert lines(connection, "hunter2") == ["the password is hunter2"]
    edit_message(connection, here, "2.000001", "the password is in the vault", "3.000001")
    assert lines(connection, "hunter2") == []
    assert lines(connection, "vault") == ["the password is in the vault"]
    delete_message(connection, here, "2.000001", 4_000)
    assert lines(connection, "password") == []
    left = connection.execute(select(said.c.words)).scalars().all()
    assert left == ["avatar upload"]


def test_what_is_taken_back_is_gone_before_anything_settles(connection: Connection) -> None:
    here = a_session(connection)
    say(connection, here, "2.000001", "the password is hunter2")
    settle(connection)
    delete_message(connection, here, "2.000001", 4_000)
    assert search(connection, ALL, wanted_in("password"), limit=5) == []
    say(connection, here, "5.000001", "the password is hunter3")
    settle(connection)
    connection.execute(message.update().where(message.c.ts == "5.000001").values(text="erased"))
    assert search(connection, ALL, wanted_in("password"), limit=5) == []


def test_a_new_title_takes_the_place_of_the_old(connection: Connection) -> None:
    here = a_session(connection)
    rename_session(connection, here.id, "Portraits", "UADA")
    assert lines(connection, "avatar") == []
    assert lines(connection, "portraits") == ["Portraits"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_finds_what_they_may_see(connection: Connection, case: Case) -> None:
    for number, channel in enumerate(EVERYWHERE):
        here = a_session(connection, channel, f"{number + 1}.000001")
        say(connection, here, f"{number + 1}.000002", f"the cache of {channel}", now_ms=1)
        answer(connection, here, f"a cache for {channel}")
    found = hits(connection, "cache", case.audience)
    assert sorted(hit.channel for hit in found) == sorted([*case.sees, *case.sees])
    assert sorted(hit.channel for hit in hits(connection, "avatar", case.audience)) == sorted(case.sees)


def test_a_hidden_session_takes_no_room_on_a_page(connection: Connection) -> None:
    for number in range(30):
        here = a_session(connection, "C3" if number % 3 else "C1", f"{number + 1}.000001")
        say(connection, here, f"{number + 1}.000002", f"cache {number}")
    outsider = for_person(TEAM, READABLE, (), full_member=True)
    pages = [hits(connection, "cache", outsider, 4, offset) for offset in (0, 4, 8, 12)]
    assert [len(page) for page in pages] == [4, 4, 2, 0]
    assert {hit.channel for page in pages for hit in page} == {"C1"}


def test_a_channel_that_gets_another_id_is_found_under_it(connection: Connection) -> None:
    say(connection, a_session(connection, "C1", "1.000001"), "1.000002", "cache one")
    say(connection, a_session(connection, "C9", "2.000001"), "2.000002", "cache two")
    settle(connection)
    move_channel(connection, TEAM, "C1", "C9")
    say(connection, a_session(connection, "C9", "3.000001"), "3.000002", "cache three")
    assert lines(connection, "cache", for_person(TEAM, ("C1",), (), full_member=True)) == []
    found = lines(connection, "cache", for_channel(TEAM, (), "C9", outsiders=True))
    assert sorted(found) == ["cache one", "cache three", "cache two"]


def test_another_teams_words_are_not_found(connection: Connection) -> None:
    say(connection, a_session(connection, team="T2"), "2.000001", "their cache")
    assert lines(connection, "cache") == []


def test_titles_and_notes_come_before_what_says_it_in_passing(connection: Connection) -> None:
    long = a_session(connection, "C2", "1.000001")
    say(connection, long, "1.000002", "and so on and on " * 40 + " cache " + "and so on " * 40)
    say(connection, long, "1.000003", "cache first, cache last, cache always")
    titled = a_session(connection, "C1", "2.000001")
    rename_session(connection, titled.id, "cache", "UADA")
    assert [hit.kind for hit in hits(connection, "cache")] == ["session", "message", "message"]
    assert hits(connection, "cache")[1].line == "cache first, cache last, cache always"
    assert len(hits(connection, "cache")[2].line) < 210


def test_nothing_is_found_for_nothing(connection: Connection) -> None:
    say(connection, a_session(connection), "2.000001", "cache")
    for query in ("", "   ", '""', "!?", "<@UADA>", "***"):
        assert lines(connection, query) == []
    assert hits(connection, "cache", for_person(TEAM, (), (), full_member=True)) == []


def test_what_cannot_be_read_stops_nobody(connection: Connection) -> None:
    here = a_session(connection)
    number = say(connection, here, "2.000001", "readable")
    connection.execute(message.update().where(message.c.id == number).values(files="not JSON"))
    assert lines(connection, "readable") == ["readable"]


def test_a_session_that_goes_takes_its_words_along(connection: Connection) -> None:
    here = a_session(connection)
    assert lines(connection, "avatar") == ["Avatar upload"]
    connection.execute(session.delete().where(session.c.id == here.id))
    assert connection.execute(select(func.count()).select_from(said)).scalar_one() == 0
    assert lines(connection, "avatar") == []


@pytest.fixture
def bats(connection: Connection) -> Connection:
    here = a_session(connection)
    say(connection, here, "2.000001", "the bat of T-042 and OR NOT NEAR words said_fts place_id 1 2")
    settle(connection)
    return connection


SYNTAX = [
    *("bat", "AND", "OR", "NOT", "NEAR(", ")", '"', "'", "*", ":", "^", "-", "words:", "place_id : 2", "\\", "|", "&"),
    *("!", "<->", ":*", "%", "_", ";", "--", "\x00", "🦇", "蝙蝠", "{", "}", "+", ",", "“", "”"),
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(SYNTAX),
            max_size=12,
        ).map(" ".join),
        st.text(alphabet="ab'\"*:()-^", max_size=300),
    )
)
def test_nothing_that_is_typed_is_a_mistake(bats: Connection, query: str) -> None:
    nobody = for_person(TEAM, (), (), full_member=True)
    assert search(bats, nobody, wanted_in(query), limit=5) == []
    for hit in search(bats, ALL, wanted_in(query), limit=5):
        assert hit.channel == "C1"


def test_very_long_queries_are_answered(bats: Connection) -> None:
    for query in ("bat " * 50_000, "b" * 100_000, '"' + "bat the " * 20_000 + '"', "蝙" * 50_000):
        search(bats, ALL, wanted_in(query), limit=5)
    assert lines(bats, "bat " * 1_000)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80).filter(lambda kept: "\x00" not in kept))
def test_whatever_is_said_is_found_by_its_own_words(bats: Connection, kept: str) -> None:
    savepoint = bats.begin_nested()
    here = a_session(bats, "C2", "77.000001")
    try:
        say(bats, here, "77.000002", kept)
    except UnicodeEncodeError:
        savepoint.rollback()
        return
    settle(bats)
    wanted = wanted_in(f"“{kept}”") if '"' not in kept else wanted_in(kept)
    if wanted and len(wanted.phrases) < 12 and all(len(phrase) < 30 for phrase in wanted.phrases):
        found = search(bats, for_channel(TEAM, (), "C2", outsiders=True), wanted, limit=5)
        assert "message" in [hit.kind for hit in found]
    savepoint.rollback()


async def test_a_write_and_its_index_are_one_change(database_url: str) -> None:
    db = Database(database_url, settle=settle)
    here = await db.write("session", lambda c: a_session(c))
    await asyncio.gather(
        *(db.write("said", lambda c, n=n: say(c, here, f"{n + 2}.000001", f"bat {n}")) for n in range(40))  # type: ignore[misc]
    )
    assert len(await db.read(lambda c: search(c, ALL, wanted_in("bat"), limit=50))) == 40

    def half(connection: Connection) -> None:
        delete_message(connection, here, "2.000001", 1)
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        await db.write("half", half)
    assert len(await db.read(lambda c: search(c, ALL, wanted_in("bat"), limit=50))) == 40
    assert await db.read(lambda c: c.execute(select(func.count()).select_from(unindexed)).scalar_one()) == 0
    await db.close()


def test_the_index_holds_what_the_rows_say(connection: Connection) -> None:
    here = a_session(connection)
    for n in range(20):
        say(connection, here, f"{n + 2}.000001", f"bat {n}")
    settle(connection)
    delete_message(connection, here, "5.000001", 1)
    edit_message(connection, here, "6.000001", "owl", "9.9")
    settle(connection)
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO said_fts (said_fts, rank) VALUES ('integrity-check', 1)"))
    rows = connection.execute(select(said.c.of_id, said.c.words).where(said.c.kind == "message"))
    kept = {of_id: words for of_id, words in rows}
    texts = select(message.c.id, message.c.text).where(message.c.deleted_ms.is_(None))
    assert kept == {str(number): words for number, words in connection.execute(texts)}


def migrated_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(bot.database.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def long_ago(connection: Connection) -> None:
    """1,200 messages, the first of them deleted, and an answer, in the tables as they were then."""
    then = MetaData()
    then.reflect(connection)
    tables = then.tables
    who = {"team": TEAM, "workspace": WORKSPACE}
    by = {"agent": "a", "model": "m"}
    of = {"id": "s-1", "thread_id": 1, "kind": "chat", "state": "active", "title": "Avatar upload"}
    times = {"started_by": "UADA", "started_ms": 100_000, "updated_ms": 100_000}
    said_by = {"session_id": "s-1", "user_id": "UADA", "name": "Ada", "bot": False, **who}
    connection.execute(tables["thread"].insert(), {"id": 1, "team": TEAM, "channel": "C1", "thread_ts": "100.000001"})
    connection.execute(tables["session"].insert(), {**of, **who, **by, **times})
    connection.execute(
        tables["message"].insert(),
        [
            {**said_by, "ts": f"{n + 100}.000001", "text": f"bat {n}", "deleted_ms": None if n else 1}
            for n in range(1_200)
        ],
    )
    turn = {"id": 1, "key": "t", "session_id": "s-1", "n": 1, "state": "done", "asked_by": "UADA", "began_ms": 1}
    connection.execute(tables["turn"].insert(), {**turn, **by})
    body = json.dumps([{"type": "text", "text": "a cave"}])
    step = {"turn_id": 1, "n": 1, "role": "assistant", "body": body, "ms": 150_000}
    connection.execute(tables["step"].insert(), step)


def test_what_was_said_before_there_was_a_search_is_found(database_url: str, tmp_path: Path) -> None:
    """Messages of long ago, in a database that the search's own migration finds."""
    old = Database(database_url if database_url.startswith("postgresql") else f"sqlite:///{tmp_path}/old.db")
    with old.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        migrated_to(connection, "0005")
        long_ago(connection)
        migrated_to(connection, "head")
        assert lines(connection, "bat 1199") == ["bat 1199"]
        assert lines(connection, "cave") == ["a cave"]
        assert connection.execute(select(func.count()).select_from(said)).scalar_one() == 1_199 + 1 + 1
        newest = select(said.c.of_id, said.c.kind).order_by(said.c.id.desc()).limit(1)
        assert connection.execute(newest).one() == ("1200", "message")
    asyncio.run(old.close())
