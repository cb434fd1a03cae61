"""Compactions: what the model is told in place of the oldest turns of a session that has grown too long for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

from sqlalchemy import Connection, delete, select

from bot.sessions.models import compaction


@dataclass(frozen=True)
class Compaction:
    """A summary of all turns up to `turn_n`; `covers` is a hash of what it was made of, `last_ts` the newest message
    in that. It may repeat any of it, so it goes as soon as something of that is edited or deleted."""

    session_id: str
    turn_n: int
    last_ts: str
    covers: str
    text: str
    model: str
    ms: int


def find_compaction(connection: Connection, session_id: str, before_n: int) -> Compaction | None:
    """The newest compaction that leaves the turn of this number as it is."""
    of = (compaction.c.session_id == session_id, compaction.c.turn_n < before_n)
    row = connection.execute(select(compaction).where(*of).order_by(compaction.c.turn_n.desc()).limit(1)).first()
    return Compaction(**{field.name: getattr(row, field.name) for field in fields(Compaction)}) if row else None


def keep_compaction(connection: Connection, one: Compaction, usage: Mapping[str, object]) -> None:
    """Keeps it in the place of all earlier ones of the session."""
    connection.execute(delete(compaction).where(compaction.c.session_id == one.session_id))
    values = {field.name: getattr(one, field.name) for field in fields(Compaction)}
    connection.execute(compaction.insert().values(usage=json.dumps(dict(usage)), **values))
