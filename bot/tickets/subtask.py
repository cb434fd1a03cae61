"""A subtask in both forms that files have, and the edits that give it another status."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.tickets.change import Edit, Set, Value, stamp
from bot.tickets.vocabulary import SubtaskStatus


@dataclass(frozen=True)
class Subtask:
    """A step of a ticket. `position` is its place in the file's list, `keys` the keys it has there;
    `keys` is None for a subtask that is a bare text."""

    id: str | None
    title: str
    status: SubtaskStatus
    completed_at: datetime | None = None
    position: int = 0
    keys: frozenset[str] | None = frozenset()

    @property
    def only_status(self) -> bool:
        """Whether it is written in form B: a status and no `completed`."""
        return self.keys is not None and "status" in self.keys and "completed" not in self.keys

    def edits(self, status: SubtaskStatus, at: datetime) -> list[Edit]:
        """How its file changes to say this status.

        sciorex-workspace: a subtask keeps the form it has; form A set in progress gains
        `status: in_progress` beside `completed: false`.
        """
        place = ("subtasks", self.position)
        done = status is SubtaskStatus.COMPLETED
        when: Value = stamp(at) if done else None
        if self.keys is None:
            item: dict[str, Value] = {"title": self.title, "completed": done}
            item |= {"completedAt": when} if done else {"status": status.value}
            return [Set(place, item)]
        edits: list[Edit] = []
        if not self.only_status:
            edits.append(Set((*place, "completed"), done))
        if "status" in self.keys or status is SubtaskStatus.IN_PROGRESS:
            edits.append(Set((*place, "status"), status.value))
        if "completedAt" in self.keys or (done and not self.only_status):
            edits.append(Set((*place, "completedAt"), when))
        return edits


def next_subtask_id(subtasks: Iterable[Subtask]) -> str:
    """The next of sub-001, sub-002, …"""
    return f"sub-{1 + max((_number(s.id) for s in subtasks), default=0):03d}"


def _number(subtask_id: str | None) -> int:
    digits = (subtask_id or "").rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
