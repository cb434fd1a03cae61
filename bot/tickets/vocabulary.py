"""The words a ticket may use (status, type, priority), as people spell them, and what may follow what."""

import re
from enum import StrEnum
from typing import TypeVar

from bot.errors import InvalidTicket


class Status(StrEnum):
    """Where a ticket stands."""

    BACKLOG = "backlog"
    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    IN_REVIEW = "in_review"
    DONE = "done"
    CANCELLED = "cancelled"


class TicketType(StrEnum):
    """What kind of work a ticket is."""

    FEATURE = "feature"
    BUG = "bug"
    TASK = "task"
    RESEARCH = "research"
    DOCUMENTATION = "documentation"
    REFACTOR = "refactor"


class Priority(StrEnum):
    """How urgent a ticket is, most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class SubtaskStatus(StrEnum):
    """Where a subtask stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class EpicStatus(StrEnum):
    """Where an epic stands."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


# sciorex-workspace: "Status transitions (anything else is refused, naming what is allowed)".
NEXT_STATUSES: dict[Status, tuple[Status, ...]] = {
    Status.BACKLOG: (Status.PLANNED, Status.CANCELLED),
    Status.PLANNED: (Status.BACKLOG, Status.IN_PROGRESS, Status.CANCELLED),
    Status.IN_PROGRESS: (Status.PLANNED, Status.IN_REVIEW, Status.DONE, Status.CANCELLED),
    Status.IN_REVIEW: (Status.IN_PROGRESS, Status.DONE, Status.CANCELLED),
    Status.DONE: (Status.IN_PROGRESS,),
    Status.CANCELLED: (Status.BACKLOG,),
}
CLOSED = frozenset({Status.DONE, Status.CANCELLED})

# Other spellings of the same word; a word that could mean two statuses ("closed") is not guessed at.
_SPELLINGS: dict[type[StrEnum], dict[str, str]] = {
    Status: {"canceled": "cancelled", "wip": "in_progress", "doing": "in_progress", "review": "in_review"}
    | {"todo": "planned", "completed": "done", "complete": "done"},
    TicketType: {"docs": "documentation", "doc": "documentation", "bugfix": "bug", "refactoring": "refactor"}
    | {"✨": "feature", "🐛": "bug", "📋": "task", "🔬": "research", "📄": "documentation", "🔧": "refactor"},
    Priority: {"normal": "medium", "med": "medium", "urgent": "critical"}
    | {"🔴": "critical", "🟠": "high", "🟡": "medium", "⚪": "low"},
    SubtaskStatus: {"done": "completed", "complete": "completed", "todo": "pending", "wip": "in_progress"}
    | {"open": "pending", "doing": "in_progress"},
    EpicStatus: {"canceled": "cancelled", "done": "completed", "wip": "in_progress"},
}

_Word = TypeVar("_Word", bound=StrEnum)


def spelled(kind: type[_Word], text: str) -> _Word:
    """The word of an enumeration as a person types it: `In Progress`, `in-progress`, `🐛 Bug`.

    Raises InvalidTicket, naming the words there are.
    """
    try:
        return kind(text)
    except ValueError:
        known: dict[str, str] = {word.value.replace("_", ""): word.value for word in kind} | _SPELLINGS[kind]
    letters = re.sub(r"[\W_]+", "", text.casefold())
    plain = letters or text.strip().replace("\ufe0f", "")
    if plain in known:
        return kind(known[plain])
    words = ", ".join(word.value for word in kind)
    raise InvalidTicket(f"“{text.strip()[:60]}” is not one of {words}.")
