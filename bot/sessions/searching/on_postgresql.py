"""The newest hits on PostgreSQL, for an effort that does not grow with all that was ever said.

First the newest rows are looked at one by one. Where hits are common, that is all. It also tells how common they are,
and so how far back 2,000 of them reach: that far the words' index is asked, which knows blocks of ids (migration
0011), and farther where it was not enough. The planner, which would have to guess all of this, is given no choice.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from bot.sessions.searching.wanted import Wanted, for_postgresql

LOOKED_AT = 1_000  # rows, to begin with
MOST_LOOKED_AT = 20_000
ENOUGH_TO_TELL = 20  # hits
MARGIN = 1.25
FARTHER = 16  # times, where too few were found to tell
# How many bits of an id a block leaves away: the sizes that the index knows. The fewer are asked for, the faster.
BLOCKS = (12, 14, 16, 18, 20, 22)
MOST_BLOCKS = 4
VECTOR: ColumnElement[str] = literal_column("said.vector").label("vector")
INDEXED = "when_vector(said.vector, said.id) @@ CAST(:asked AS tsquery)"


def newest_on_postgresql(
    connection: Connection, wanted: Wanted, seen: Sequence[int], hidden: Sequence[int]
) -> list[Found]:
    """The newest hits in places that are seen, newest first; both lists together are all places there are."""
    # A plan made for every word alike would be wrong for most.
    connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    here = _Newest(connection, wanted, seen, hidden)
    here.look()
    here.ask_index()
    return here.rows


class _Newest:
    """One question, as far as it is answered: `rows` are all hits from `below` on, newest first."""

    def __init__(self, connection: Connection, wanted: Wanted, seen: Sequence[int], hidden: Sequence[int]) -> None:
        self._connection, self._wanted, self._seen, self._hidden = connection, wanted, seen, hidden
        self._few = bool(hidden) and len(seen) <= FEW_PLACES
        self._above = int(connection.execute(select(func.coalesce(func.max(said.c.id), 0))).scalar_one()) + 1
        self.rows: list[Found] = []
        self.below = self._above

    def look(self) -> None:
        """Row by row, as long as hits are common enough for that."""
        looked_at, more = 0, LOOKED_AT
        while self._goes_on() and looked_at + more <= MOST_LOOKED_AT:
            rows = self._next(more)
            oldest, count = self._connection.execute(select(func.min(rows.c.id), func.count())).one()
            self._take(rows, self._matching(rows))
            self.below = oldest if count == more else 0
            looked_at += count
            more = self._farther(looked_at)

    def ask_index(self) -> None:
        """By the index, as far back as the missing hits should reach; then farther."""
        places = " | ".join(f"'#{number}'" for number in self._seen)
        asked = for_postgresql(self._wanted, in_order=False) + (f" & ({places})" if self._few else "")
        # Nothing but the index shall be thought of: what is wanted of it is little, however common the words are.
        self._connection.execute(text("SET LOCAL enable_seqscan = off"))
        while self._goes_on():
            been = self._above - self.below
            told = len(self.rows) >= ENOUGH_TO_TELL
            back = self.below - (self._farther(been) if told else FARTHER * been)
            back, blocks = blocks_between(back, self.below) if back > self.below // 4 else (0, "")
            match = text(INDEXED).bindparams(asked=asked + blocks)
            # OFFSET 0: nothing from outside may lead to another index.
            rows = select(*said.c, VECTOR).where(match).offset(0).subquery("rows")
            hits = self._matching(rows) if any(len(phrase) > 1 for phrase in self._wanted.phrases) else shown(rows)
            self._take(rows, hits.where(rows.c.id < self.below))
            self.below = back

    def _goes_on(self) -> bool:
        return self.below > 0 and len(self.rows) < NEWEST

    def _farther(self, been: int) -> int:
        """How much more of what was gone through the missing hits take, as they were strewn so far."""
        return int((NEWEST - len(self.rows)) * been / max(1, len(self.rows)) * MARGIN) + 1

    def _next(self, count: int) -> Subquery:
        """So many of the next rows; of few places their own, each place's by its own index."""
        next_ = select(*said.c, VECTOR).where(said.c.id < self.below).order_by(said.c.id.desc()).limit(count)
        if not self._few:
            return next_.subquery("rows")
        each = [select(next_.where(said.c.place_id == number).subquery()) for number in self._seen]
        every = union_all(*each).subquery()
        return select(every).order_by(every.c.id.desc()).limit(count).subquery("rows")

    def _matching(self, rows: FromClause) -> Select[tuple[int, str, int, str]]:
        match = text("rows.vector @@ CAST(:wanted AS tsquery)").bindparams(wanted=for_postgresql(self._wanted))
        return shown(rows).where(match)

    def _take(self, rows: FromClause, hits: Select[tuple[int, str, int, str]]) -> None:
        newest = hits.where(in_places(rows, self._seen, self._hidden)).order_by(rows.c.id.desc())
        self.rows += found(self._connection, newest, NEWEST - len(self.rows))


def blocks_between(first: int, above: int) -> tuple[int, str]:
    """A few blocks as the index is asked for them, which hold the ids from `first` to below `above`; and where they
    begin, for they may hold more."""
    bits = next((bits for bits in BLOCKS if (above - first) >> bits < MOST_BLOCKS), BLOCKS[-1])
    blocks = [f"'@{bits}.{number}'" for number in range(first >> bits, (above - 1 >> bits) + 1)]
    return first >> bits << bits, f" & ({' | '.join(blocks)})"
