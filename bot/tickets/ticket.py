"""What a ticket is, and its rules: each gives the change to make, without input, output or clock."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property

from bot.errors import InvalidTicket, SubtaskNotFound, TransitionNotAllowed
from bot.tickets.change import Actor, Append, Change, Edit, HistoryEntry, Set, Value, entry, stamp
from bot.tickets.criteria import ticks
from bot.tickets.ids import IdKey, id_key
from bot.tickets.revision import revision_of
from bot.tickets.subtask import Subtask, next_subtask_id
from bot.tickets.summary import TicketSummary
from bot.tickets.vocabulary import CLOSED, NEXT_STATUSES, Priority, Status, SubtaskStatus, TicketType

__all__ = [
    "UNSET",
    "Actor",
    "Change",
    "HistoryEntry",
    "NewTicket",
    "Priority",
    "Status",
    "Subtask",
    "SubtaskStatus",
    "Ticket",
    "TicketType",
    "Unset",
]


class Unset(Enum):
    """Tells "leave it as it is" from None, which takes a value away."""

    UNSET = "unset"


UNSET = Unset.UNSET


@dataclass(frozen=True)
class NewTicket:
    """A ticket that is to be made; `subtasks` are titles."""

    title: str
    description: str = ""
    type: TicketType = TicketType.TASK
    priority: Priority = Priority.MEDIUM
    status: Status = Status.BACKLOG
    labels: tuple[str, ...] = ()
    epic_id: str | None = None
    parent_id: str | None = None
    blocked_by: tuple[str, ...] = ()
    relates_to: tuple[str, ...] = ()
    subtasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ticket:
    """A ticket as its file has it; `id` as written there, times in UTC, `digest` a hash of the file."""

    id: str
    title: str
    description: str = ""
    type: TicketType = TicketType.TASK
    priority: Priority = Priority.MEDIUM
    status: Status = Status.BACKLOG
    labels: tuple[str, ...] = ()
    epic_id: str | None = None
    parent_id: str | None = None
    blocked_by: tuple[str, ...] = ()
    relates_to: tuple[str, ...] = ()
    subtasks: tuple[Subtask, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None
    history: tuple[HistoryEntry, ...] = field(default=(), repr=False)
    archived: bool = False
    assigned_flow_id: str | None = None
    last_session_id: str | None = None
    digest: str = ""

    @property
    def key(self) -> IdKey:
        """What every spelling of this ticket's id has in common."""
        key = id_key(self.id)
        if key is None:
            raise InvalidTicket(f"“{self.id}” is not a ticket id such as T-042.")
        return key

    @cached_property
    def revision(self) -> str:
        """Names this state of the ticket, so that a later change can tell which fields moved meanwhile."""
        return revision_of(self)

    @property
    def summary(self) -> TicketSummary:
        """What a list shows of it."""
        return TicketSummary(
            id=self.id,
            title=self.title,
            type=self.type,
            priority=self.priority,
            status=self.status,
            labels=self.labels,
            epic_id=self.epic_id,
            completed_subtasks=self.completed_subtasks,
            subtask_count=len(self.subtasks),
            created_at=self.created_at,
            updated_at=self.updated_at,
            archived=self.archived,
        )

    @property
    def closed(self) -> bool:
        """Done or cancelled: it blocks nothing any more."""
        return self.status in CLOSED

    @property
    def completed_subtasks(self) -> int:
        return sum(subtask.status is SubtaskStatus.COMPLETED for subtask in self.subtasks)

    def next_statuses(self) -> tuple[Status, ...]:
        """The statuses that may follow the present one."""
        return NEXT_STATUSES[self.status]

    def has_op(self, op: str) -> bool:
        """Whether this operation has been done on this ticket."""
        return any(past.op == op for past in self.history)

    def find_subtask(self, id_or_title: str) -> Subtask:
        """The one subtask with this id, else this title, else with this text in its title (any case).

        Raises SubtaskNotFound when there is none or more than one, and lists them.
        """
        wanted = " ".join(id_or_title.split()).casefold()
        for match in (
            [s for s in self.subtasks if s.id is not None and s.id.casefold() == wanted],
            [s for s in self.subtasks if " ".join(s.title.split()).casefold() == wanted],
            [s for s in self.subtasks if wanted and wanted in " ".join(s.title.split()).casefold()],
        ):
            if len(match) == 1:
                return match[0]
            if match:
                raise SubtaskNotFound(
                    f"“{id_or_title}” fits several subtasks of {self.id}: {_listed(match)}. Say which one."
                )
        have = f" It has {_listed(self.subtasks)}." if self.subtasks else " It has no subtasks."
        raise SubtaskNotFound(f"{self.id} has no subtask “{id_or_title}”.{have}")

    def change_status(self, to: Status, *, by: Actor, at: datetime, comment: str | None = None) -> Change | None:
        """Another status. Done sets completedAt, leaving done clears it; raises TransitionNotAllowed."""
        if to is self.status:
            return self.add_comment(comment, by=by, at=at) if comment else None
        if to not in self.next_statuses():
            raise TransitionNotAllowed(self.id, self.status, to, self.next_statuses())
        edits: list[Edit] = [Set(("status",), to.value)]
        if to is Status.DONE:
            edits.append(Set(("completedAt",), stamp(at)))
        elif self.status is Status.DONE and self.completed_at is not None:
            edits.append(Set(("completedAt",), None))
        details: dict[str, Value] = {"from": self.status.value, "to": to.value, "comment": comment or None}
        return self._change("status_changed", details, by, at, edits)

    def set_subtask(self, subtask: Subtask, status: SubtaskStatus, by: Actor, at: datetime) -> Change | None:
        """A subtask's status, in the form the subtask has; None when it has it already."""
        if subtask.status is status:
            return None
        details: dict[str, Value] = {
            "subtaskId": subtask.id,
            "title": subtask.title,
            "from": subtask.status.value,
            "to": status.value,
        }
        action = "subtask_completed" if status is SubtaskStatus.COMPLETED else "subtask_updated"
        return self._change(action, details, by, at, subtask.edits(status, at))

    def add_subtask(self, title: str, by: Actor, at: datetime) -> Change:
        """One more subtask, at the end, with the next free id."""
        name = one_line(title, "A subtask needs a title.")
        new_id = next_subtask_id(self.subtasks)
        form_b = bool(self.subtasks) and all(s.only_status for s in self.subtasks)
        item: dict[str, Value] = {"id": new_id, "title": name}
        item |= {"status": "pending"} if form_b else {"completed": False, "completedAt": None}
        details: dict[str, Value] = {"subtaskId": new_id, "title": name}
        return self._change("subtask_added", details, by, at, [Append(("subtasks",), item)])

    def add_comment(self, comment: str, by: Actor, at: datetime) -> Change:
        """A comment: a line of the history."""
        if not comment.strip():
            raise InvalidTicket("A comment needs some text.")
        return self._change("comment_added", {"comment": comment}, by, at)

    def report_progress(self, message: str, percentage: int | None, by: Actor, at: datetime) -> Change:
        """How far the work has come; `percentage` from 0 to 100."""
        if not message.strip():
            raise InvalidTicket("A progress report needs a message.")
        if percentage is not None and not 0 <= percentage <= 100:
            raise InvalidTicket(f"The percentage is {percentage}; it must lie between 0 and 100.")
        return self._change("progress_reported", {"message": message, "percentage": percentage}, by, at)

    def update(
        self,
        *,
        by: Actor,
        at: datetime,
        title: str | None = None,
        description: str | None = None,
        type: TicketType | None = None,
        priority: Priority | None = None,
        labels: Sequence[str] | None = None,
        epic_id: str | Unset | None = UNSET,
        relates_to: Sequence[str] | None = None,
    ) -> Change | None:
        """New values for the fields given; `epic_id=None` takes it out of its epic. None: no change."""
        wanted: dict[str, tuple[Value, Value]] = {}
        if title is not None:
            wanted["title"] = self.title, one_line(title, "A ticket needs a title.")
        if description is not None:
            wanted["description"] = self.description, description
        if type is not None:
            wanted["type"] = self.type.value, type.value
        if priority is not None:
            wanted["priority"] = self.priority.value, priority.value
        if labels is not None:
            wanted["labels"] = list(self.labels), list(dict.fromkeys(labels))
        if relates_to is not None:
            wanted["relatesTo"] = list(self.relates_to), list(dict.fromkeys(relates_to))
        if not isinstance(epic_id, Unset):
            wanted["epicId"] = self.epic_id, epic_id
        new = {key: value for key, (old, value) in wanted.items() if value != old}
        if not new:
            return None
        edits = [Set((key,), value) for key, value in new.items()]
        if list(new) == ["epicId"]:
            details: dict[str, Value] = {"from": self.epic_id, "to": new["epicId"]}
            return self._change("epic_changed", details, by, at, edits)
        said = ticks(self.description, description) if "description" in new and description is not None else {}
        return self._change("updated", {"fields": list(new), **said}, by, at, edits)

    def add_blocker(self, blocker: "Ticket", reason: str | None, by: Actor, at: datetime) -> Change | None:
        """Another ticket that must be closed first; cycles are looked for in blockers.py."""
        if blocker.key == self.key:
            raise InvalidTicket(f"{self.id} cannot block itself.")
        if any(id_key(known) == blocker.key for known in self.blocked_by):
            return None
        details: dict[str, Value] = {"blockerTicketId": blocker.id, "reason": reason or None}
        return self._change("blocker_added", details, by, at, [Append(("blockedBy",), blocker.id)])

    def remove_blocker(self, blocker_id: str, by: Actor, at: datetime) -> Change | None:
        """A blocker less, in any spelling, dangling or not; None when it was none."""
        gone = [known for known in self.blocked_by if known == blocker_id or _same_id(known, blocker_id)]
        if not gone:
            return None
        left: list[Value] = [known for known in self.blocked_by if known not in gone]
        return self._change("blocker_removed", {"blockerTicketId": gone[0]}, by, at, [Set(("blockedBy",), left)])

    def record(
        self,
        action: str,
        details: Mapping[str, Value],
        by: Actor,
        at: datetime,
        *,
        last_session_id: str | None = None,
    ) -> Change:
        """A line of history alone, as for a session linked or archived; it may name the latest session."""
        edits = [Set(("lastSessionId",), last_session_id)] if last_session_id is not None else []
        return self._change(action, details, by, at, edits)

    def _change(
        self,
        action: str,
        details: Mapping[str, Value],
        by: Actor,
        at: datetime,
        edits: Sequence[Edit] = (),
    ) -> Change:
        return Change((*edits, Set(("updatedAt",), stamp(at))), entry(action, details, by, at))


def one_line(text: str, missing: str) -> str:
    """A title on one line; raises InvalidTicket with `missing` when nothing is left."""
    line = re.sub(r"\s+", " ", text).strip()
    if not line:
        raise InvalidTicket(missing)
    return line


def _same_id(a: str, b: str) -> bool:
    return (key := id_key(a)) is not None and key == id_key(b)


def _listed(subtasks: Sequence[Subtask]) -> str:
    return ", ".join(f"“{s.title}” ({s.id or 'no id'}, {s.status})" for s in subtasks[:20])
