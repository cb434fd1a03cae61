"""The benchmark of the search: it runs, at sizes that nobody waits for, and its questions are what they are called."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.search import COMMON, Reader, Talk, fill, main, questions, readers
from bot.database import Database
from bot.sessions.searching.search import search
from bot.sessions.searching.wanted import wanted_in


def test_it_prints_a_table_a_size_and_says_whether_the_aim_holds(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--sizes", "100,200", "--only", "sqlite"])
    printed = capsys.readouterr().out
    assert printed.count("| everything        |") == 2
    assert "200 messages, written in" in printed
    assert "p95 at 200 by p95 at 100: " in printed


def test_what_it_asks_is_common_rare_or_never_said_and_each_reader_finds_their_own(database_url: str) -> None:
    database = Database(database_url)
    with database._writer_engine.connect() as connection:
        fill(connection, 4_000)
        member, guest, _ = readers()

        def found(query: str, reader: Reader = member) -> int:
            return len(search(connection, reader.audience, wanted_in(query), limit=10_000))

        asked = questions(Talk())
        assert found("the") > 300 > found("the", guest) > 0
        assert {found(query) for query in asked["never said"]} == {0}
        assert max(found(query) for query in asked["rare"]) < 10
        assert COMMON[0] == "the"
    asyncio.run(database.close())


def test_its_words_are_the_same_every_time() -> None:
    one, two = Talk(), Talk()
    assert [one.line() for _ in range(50)] == [two.line() for _ in range(50)]
