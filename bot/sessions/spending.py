"""What the model's answers have used: tokens by turn, session and day, summed up by the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from bot.sessions.models import session, spent, turn

DAY_MS = 86_400_000
COUNTS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation_input_tokens",
}


@dataclass(frozen=True)
class Tokens:
    """What one model has used in so many answers. `input` is without what came from the cache, or went into it."""

    model: str
    answers: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def given(self) -> int:
        """All that the model was given."""
        return self.input + self.cache_read + self.cache_write

    @property
    def all(self) -> int:
        return self.given + self.output


Spending = tuple[Tokens, ...]  # one for each model


def note_spent(
    connection: Connection,
    session_id: str | None,
    kind: str,
    model: str,
    usage: Mapping[str, object],
    now_ms: int,
    *,
    turn_id: int | None = None,
    team: str | None = None,
) -> None:
    """Notes what an answer used, in the transaction that keeps the answer; `team` where it is of no single session."""
    if team is None:
        team = connection.execute(select(session.c.team).where(session.c.id == session_id)).scalar_one()
    counts = {column: count if isinstance(count := usage.get(name), int) else 0 for column, name in COUNTS.items()}
    row = {"team": team, "session_id": session_id, "turn_id": turn_id, "kind": kind, "model": model, "ms": now_ms}
    connection.execute(spent.insert().values(**row, **counts))


def spent_in_turn(connection: Connection, turn_id: int) -> Spending:
    """What the turn has used, compactions made for it too."""
    return _sum(connection, spent.c.turn_id == turn_id).get(None, ())


def spent_in_session(connection: Connection, session_id: str) -> Spending:
    """What the session has used."""
    return _sum(connection, spent.c.session_id == session_id).get(None, ())


def spent_in_day(connection: Connection, team: str, now_ms: int) -> Spending:
    """What the whole Slack workspace has used on this day (UTC)."""
    return _sum(connection, spent.c.team == team, spent.c.ms >= now_ms - now_ms % DAY_MS).get(None, ())


def spent_by_session(connection: Connection, session_ids: Sequence[str]) -> Mapping[str, Spending]:
    """What each of these sessions has used; those that have used nothing are left out."""
    found = _sum(connection, spent.c.session_id.in_(session_ids), by_session=True)
    return {key: value for key, value in found.items() if key is not None}


def count_turns(connection: Connection, session_ids: Sequence[str]) -> Mapping[str, int]:
    """How many turns each of these sessions has had."""
    counted = select(turn.c.session_id, func.count()).where(turn.c.session_id.in_(session_ids))
    return {session_id: int(count) for session_id, count in connection.execute(counted.group_by(turn.c.session_id))}


def _sum(connection: Connection, *where: ColumnElement[bool], by_session: bool = False) -> dict[str | None, Spending]:
    keys = [spent.c.session_id, spent.c.model] if by_session else [spent.c.model]
    counts = [func.count().label("answers"), *(func.sum(spent.c[name]).label(name) for name in COUNTS)]
    found: dict[str | None, Spending] = {}
    for row in connection.execute(select(*keys, *counts).where(*where).group_by(*keys).order_by(*keys)):
        used = Tokens(row.model, int(row.answers), *(int(getattr(row, name)) for name in COUNTS))
        key = row.session_id if by_session else None
        found[key] = (*found.get(key, ()), used)
    return found
