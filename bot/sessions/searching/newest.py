"""What both databases give when they are asked for the newest hits, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, select, true

from bot.sessions.searching.said_tables import said

NEWEST = 2_000
RANKED = 3_000  # characters of a text that its rank looks at
FEW_PLACES = 12
Found = tuple[int, str, int, str]  # id, kind, ms, words


def shown(rows: FromClause = said) -> Select[Any]:
    """The rows as they are ranked."""
    words = func.substr(rows.c.words, 1, RANKED).label("words")
    return select(rows.c.id, rows.c.kind, rows.c.ms, words)


def in_places(rows: FromClause, seen: Sequence[int], hidden: Sequence[int]) -> ColumnElement[bool]:
    """The rule as a WHERE clause, by whichever list is shorter; both are complete."""
    if not hidden:
        return true()
    return rows.c.place_id.not_in(hidden) if len(hidden) < len(seen) else rows.c.place_id.in_(seen)


def found(connection: Connection, rows: Select[Any], limit: int) -> list[Found]:
    """At most so many of the rows."""
    return [(number, kind, ms, words) for number, kind, ms, words in connection.execute(rows.limit(limit)).all()]
