"""The newest hits on PostgreSQL, for an effort that does not grow with all that was ever said.

How common the hits are, the planner knows well enough. Where they are common, the newest rows are looked at one by
one. Else it tells how far back 2,000 hits reach: that far the words' index is asked, which knows blocks of ids
(migration 0011). Where a guess was too small, the next one goes farther. Left to itself the planner would look at
each message back through time, or fetch every hit there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    func,
    literal_column,
    select,
    text,
    union_all,
)

from bot.sessions.searching.newest import FEW_PLACES, NEWEST, Found, found, in_places, shown
from bot.sessions.searching.said_tables import said
from bot.sessions.searching.wanted import Wanted, for_index_of_postgresql, for_postgresql

MOST_LOOKED_AT = 30_000  # rows, one by one
MARGIN = 1.2
FARTHER = 8  # times, where a guess was too small
# How many bits of an id a block leaves away: the sizes that the index knows. The fewer are asked for, the faster.
BLOCKS = (12, 14, 16, 18, 20, 22)
MOST_BLOCKS = 4
VECTOR: ColumnElement[str] = literal_column("said.vector").label("vector")
INDEXED = "when_vector(said.vector, said.id) @@ CAST(:asked AS tsquery)"
# A plan made for every word alike would be wrong for most; and what is wanted of the index is little, however common
# the words are. Both for this transaction alone.
BEGIN = """SELECT coalesce(max(id), 0) + 1, set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('enable_seqscan', 'off', true) FROM said"""
GUESS = """EXPLAIN (FORMAT JSON)
    SELECT FROM said WHERE vector @@ CAST(:asked AS tsquery) AND place_id = ANY(CAST(:seen AS bigint[]))"""
ROWS = "EXPLAIN (FORMAT JSON) SELECT FROM said WHERE place_id = ANY(CAST(:seen AS bigint[]))"


def newest_on_postgresql(
    connection: Connection, wanted: Wanted, seen: Sequence[int], hidden: Sequence[int]
) -> list[Found]:
    """The newest hits in places that are seen, newest first; both lists together are all places there are."""
    here = _Newest(connection, wanted, seen, hidden)
    here.look()
    here.ask_index()
    return here.rows


class _Newest:
    """One question, as far as it is answered: `rows` are all hits from `below` on, newest first."""

    def __init__(self, connection: Connection, wanted: Wanted, seen: Sequence[int], hidden: Sequence[int]) -> None:
        self._connection, self._wanted, self._seen, self._hidden = connection, wanted, seen, hidden
        self._few = bool(hidden) and len(seen) <= FEW_PLACES
        self.below = int(connection.execute(text(BEGIN)).scalar_one())
        self._hits = self._guess(GUESS, asked=for_postgresql(wanted))
        self._back = int(self.below / self._hits * NEWEST * MARGIN)  # how many ids 2,000 hits should take
        self.rows: list[Found] = []

    def _guess(self, explained: str, **given: str) -> int:
        """How many rows there are, as far as the planner knows."""
        plan = self._connection.execute(text(explained), {"seen": list(self._seen), **given}).scalar_one()
        return max(1, int(plan[0]["Plan"]["Plan Rows"]))

    def look(self) -> None:
        """Row by row, where hits are so common that this is least; of few places their rows alone."""
        rows = self._guess(ROWS) if self._few else self.below
        count = int(rows / self._hits * NEWEST * MARGIN)
        if count > MOST_LOOKED_AT:
            return
        next_ = self._next(count)
        self._take(next_, self._matching(next_))
        if len(self.rows) < NEWEST:
            oldest, looked_at = self._connection.execute(select(func.min(next_.c.id), func.count())).one()
            self.below = oldest if looked_at == count else 0

    def ask_index(self) -> None:
        """By the index, as far back as the hits should reach; then farther."""
        places = " | ".join(f"'#{number}'" for number in self._seen)
        asked = for_index_of_postgresql(self._wanted) + (f" & ({places})" if self._few else "")
        while self.below > 0 and len(self.rows) < NEWEST:
            first = self.below - self._back
            first, blocks = blocks_between(first, self.below) if first > self.below // 4 else (0, "")
            match = text(INDEXED).bindparams(asked=asked + blocks)
            # OFFSET: nothing from outside shall lead to another index.
            rows = select(*said.c, VECTOR).where(match).offset(0).subquery("rows")
            hits = self._matching(rows) if any(len(phrase) > 1 for phrase in self._wanted.phrases) else shown(rows)
            self._take(rows, hits.where(rows.c.id < self.below))
            self.below, self._back = first, self._back * FARTHER

    def _next(self, count: int) -> Subquery:
        """So many of the next rows; of few places each place's by its own index."""
        newest = select(*said.c, VECTOR).order_by(said.c.id.desc()).limit(count)
        if not self._few:
            return newest.subquery("rows")
        every = union_all(*(select(newest.where(said.c.place_id == n).subquery()) for n in self._seen)).subquery()
        return select(every).order_by(every.c.id.desc()).limit(count).subquery("rows")

    def _matching(self, rows: FromClause) -> Select[Any]:
        match = text("rows.vector @@ CAST(:wanted AS tsquery)").bindparams(wanted=for_postgresql(self._wanted))
        return shown(rows).where(match)

    def _take(self, rows: FromClause, hits: Select[Any]) -> None:
        newest = hits.where(in_places(rows, self._seen, self._hidden)).order_by(rows.c.id.desc())
        self.rows += found(self._connection, newest, NEWEST - len(self.rows))


def blocks_between(first: int, above: int) -> tuple[int, str]:
    """A few blocks as the index is asked for them, which hold the ids from `first` to below `above`; and where they
    begin, for they may hold more."""
    bits = next((bits for bits in BLOCKS if (above - first) >> bits < MOST_BLOCKS), BLOCKS[-1])
    blocks = [f"'@{bits}.{number}'" for number in range(first >> bits, (above - 1 >> bits) + 1)]
    return first >> bits << bits, f" & ({' | '.join(blocks)})"
