"""What a rule returns: the edits to a file, and the history entry that tells of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
Path: TypeAlias = tuple[str | int, ...]
ActorType: TypeAlias = Literal["user", "agent", "system"]


@dataclass(frozen=True)
class Set:
    """The value at the path becomes this one; a missing key is added. A list keeps the items that stay."""

    path: Path
    value: Value


@dataclass(frozen=True)
class Append:
    """The list at the path (missing, null and empty ones too) gets one more item."""

    path: Path
    value: Value


@dataclass(frozen=True)
class Remove:
    """The key or list item at the path goes."""

    path: Path


Edit: TypeAlias = Set | Append | Remove


@dataclass(frozen=True)
class Actor:
    """Who changes a ticket; an agent acts for a person (`on_behalf_of`), and some of it a person has approved."""

    type: ActorType
    id: str
    on_behalf_of: str | None = None
    approved_by: str | None = None


@dataclass(frozen=True)
class HistoryEntry:
    """One line of a ticket's history; `timestamp` is None where the file holds no readable time."""

    timestamp: datetime | None
    action: str
    details: Mapping[str, Value] = field(default_factory=dict)
    actor_type: str = "system"
    actor_id: str = ""

    @property
    def op(self) -> str | None:
        """The operation that made this entry, so that it is not done twice."""
        op = self.details.get("op")
        return op if isinstance(op, str) else None

    def value(self, op: str | None = None) -> dict[str, Value]:
        """The entry as it stands in a file, with the operation that made it."""
        details = dict(self.details)
        if op is not None:
            details["op"] = op
        return {
            "timestamp": stamp(self.timestamp) if self.timestamp else None,
            "action": self.action,
            "details": details,
            "actor": {"type": self.actor_type, "id": self.actor_id},
        }


@dataclass(frozen=True)
class Change:
    """What is to become of a file: edits to its values, and one entry more in its history."""

    edits: tuple[Edit, ...]
    entry: HistoryEntry | None


def entry(action: str, details: Mapping[str, Value], by: Actor, at: datetime) -> HistoryEntry:
    """A history entry that names the actor and for whom it acted; details that are None are left out."""
    kept = {key: value for key, value in details.items() if value is not None}
    if by.on_behalf_of is not None:
        kept["onBehalfOf"] = by.on_behalf_of
    if by.approved_by is not None:
        kept["approvedBy"] = by.approved_by
    return HistoryEntry(at, action, kept, by.type, by.id)


def stamp(at: datetime) -> str:
    """ISO-8601 in UTC with milliseconds, as Sciorex writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
