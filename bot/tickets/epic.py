"""What an epic is, and its rules."""

from dataclasses import dataclass
from datetime import datetime

from bot.errors import InvalidTicket
from bot.tickets.change import Change, Edit, Set, Value, stamp
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, IdKey, id_key
from bot.tickets.ticket import one_line
from bot.tickets.vocabulary import EpicStatus


@dataclass(frozen=True)
class Epic:
    """Tickets that belong together; times in UTC. `ops` are the operations that made it."""

    id: str
    title: str
    description: str = ""
    status: EpicStatus = EpicStatus.OPEN
    created_at: datetime | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None
    ops: frozenset[str] = frozenset()
    digest: str = ""

    @property
    def key(self) -> IdKey:
        """What every spelling of this epic's id has in common."""
        key = id_key(self.id, DEFAULT_EPIC_PREFIX)
        if key is None:
            raise InvalidTicket(f"“{self.id}” is not an epic id such as E-001.")
        return key

    def update(
        self,
        *,
        at: datetime,
        title: str | None = None,
        description: str | None = None,
        status: EpicStatus | None = None,
    ) -> Change | None:
        """New values for the fields given; completed sets completedAt, leaving it clears it."""
        wanted: dict[str, tuple[Value, Value]] = {}
        if title is not None:
            wanted["title"] = self.title, one_line(title, "An epic needs a title.")
        if description is not None:
            wanted["description"] = self.description, description
        if status is not None:
            wanted["status"] = self.status.value, status.value
        edits: list[Edit] = [Set((key,), value) for key, (old, value) in wanted.items() if value != old]
        if not edits:
            return None
        if status is EpicStatus.COMPLETED is not self.status:
            edits.append(Set(("completedAt",), stamp(at)))
        elif status not in (None, EpicStatus.COMPLETED) and self.completed_at is not None:
            edits.append(Set(("completedAt",), None))
        return Change((*edits, Set(("updatedAt",), stamp(at))), None)
