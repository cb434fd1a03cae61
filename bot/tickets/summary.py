"""A ticket in short: what a list, a search or a picker shows of it."""

from dataclasses import dataclass
from datetime import datetime

from bot.tickets.vocabulary import Priority, Status, TicketType


@dataclass(frozen=True)
class TicketSummary:
    """A ticket without its texts and its history; times in UTC."""

    id: str
    title: str
    type: TicketType = TicketType.TASK
    priority: Priority = Priority.MEDIUM
    status: Status = Status.BACKLOG
    labels: tuple[str, ...] = ()
    epic_id: str | None = None
    completed_subtasks: int = 0
    subtask_count: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived: bool = False


@dataclass(frozen=True)
class Progress:
    """How many of an epic's tickets are done; in words such as 4/7 (sciorex-workspace: epics)."""

    done: int
    total: int

    def __str__(self) -> str:
        return f"{self.done}/{self.total}"
