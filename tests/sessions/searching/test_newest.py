"""The newest hits are the same as an exhaustive scan finds, however common they are and whatever the planner knows."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import Connection, insert, text

from bot.sessions.models import place, said
from bot.sessions.searching import newest, on_postgresql, search
from bot.sessions.searching.wanted import Wanted, wanted_in
from tests.sessions.rows import a_session

ROWS, PLACES = 4_000, 40
# How many of a hundred rows hold the word; those of long ago come to an end in the first third.
SHARES = {"the": 45, "table": 20, "cache": 4, "tab": 2, "rare": 0.2, "longago": 0}
LONG_AGO = 30
ASKED = (
    *(
        "the",
        "tab",
        "table",
        "cache",
        "rare",
        "longago",
        "never",
        "the cache",
        "cache the",
        "the longago",
        "rare tab",
        "tabl",
        "the cach",
    ),
    *('"the cache"', '"the table"', '"cache the" table', '"longago the"', "th tab", '"the the"'),
)


@pytest.fixture
def rows(connection: Connection) -> list[tuple[int, int, str]]:
    """What was said, as (id, place, words): with gaps between the ids, so that blocks of every size are touched."""
    rng, session_id = random.Random(7), a_session(connection).id
    connection.execute(said.delete())
    connection.execute(insert(place), [{"id": n, "team": "T", "channel": f"C{n}"} for n in range(101, 101 + PLACES)])
    made, number = [], 0
    for n in range(ROWS):
        number += rng.choice((1, 1, 1, 30, 9_000))
        words = [w for w, share in SHARES.items() for _ in range(2) if rng.uniform(0, 100) < share]
        if n < ROWS // 3 and rng.uniform(0, 100) < LONG_AGO:
            words.append("longago")
        rng.shuffle(words)
        made.append((number, 101 + int(PLACES * rng.random() ** 2), " ".join(words or ["nothing"])))
    kept = [
        {"id": i, "kind": "message", "of_id": str(i), "session_id": session_id, "place_id": p, "ms": i, "words": w}
        for i, p, w in made
    ]
    connection.execute(insert(said), kept)
    return made


def holds(words: list[str], wanted: Wanted) -> bool:
    """Whether all phrases stand in a text, looked for word by word."""

    def at(phrase: tuple[str, ...], n: int, begun: bool) -> bool:
        *first, last = phrase
        here = words[n : n + len(phrase)]
        ends = here and (here[-1].startswith(last) if begun else here[-1] == last)
        return len(here) == len(phrase) and here[:-1] == first and bool(ends)

    return all(
        any(at(phrase, n, wanted.prefix and phrase is wanted.phrases[-1]) for n in range(len(words)))
        for phrase in wanted.phrases
    )


@pytest.mark.parametrize("analysed", [True, False])
def test_the_newest_hits_are_those_of_an_exhaustive_scan(
    connection: Connection, rows: list[tuple[int, int, str]], monkeypatch: pytest.MonkeyPatch, analysed: bool
) -> None:
    for module in (newest, on_postgresql, search):
        monkeypatch.setattr(module, "NEWEST", 60)
    monkeypatch.setattr(on_postgresql, "MOST_LOOKED_AT", 400)
    monkeypatch.setattr(search, "MANY", 150)
    on_sqlite = connection.dialect.name == "sqlite"
    if analysed and not on_sqlite:
        connection.execute(text("ANALYZE said"))
    asked = search.newest_on_sqlite if on_sqlite else on_postgresql.newest_on_postgresql
    every = list(range(101, 101 + PLACES))
    readers = (every, every[:-1], every[1:30], every[3:5], [every[-1]])
    for seen in readers:
        hidden = [n for n in every if n not in seen]
        for query in ASKED:
            wanted = wanted_in(query)
            expected = [i for i, p, w in reversed(rows) if p in seen and holds(w.split(), wanted)][:60]
            found = [number for number, *_ in asked(connection, wanted, seen, hidden)]
            assert found == expected, (query, len(seen))


def test_blocks_hold_all_that_is_asked_for_and_are_few() -> None:
    rng = random.Random(3)
    for _ in range(2_000):
        above = rng.randrange(1, 1 << rng.choice((10, 16, 20, 24, 30)))
        first = rng.randrange(0, above)
        begin, asked = on_postgresql.blocks_between(first, above)
        blocks = [tuple(map(int, one.strip("'@").split("."))) for one in asked.strip(" &()").split(" | ")]
        assert begin <= first
        assert {bits for bits, _ in blocks} <= set(on_postgresql.BLOCKS)
        bits = blocks[0][0]
        assert blocks == [(bits, n) for n in range(begin >> bits, (above - 1 >> bits) + 1)]
        assert len(blocks) <= on_postgresql.MOST_BLOCKS + 1 or bits == on_postgresql.BLOCKS[-1]
