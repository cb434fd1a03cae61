"""What the ticket tools answer: typed results, with Sciorex's own keys."""

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import BaseModel, Field, JsonValue, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from bot.tickets.change import Value, stamp
from bot.tickets.closing import without_sessions
from bot.tickets.epic import Epic
from bot.tickets.news import OF_SESSIONS
from bot.tickets.summary import Progress, TicketSummary
from bot.tickets.ticket import HistoryEntry, Subtask, SubtaskStatus, Ticket

SHOWN_HISTORY = 20
# The keys of a ticket's file that a TicketLine shows, and those of a SubtaskList.
LINE_SHOWS = ("title", "type", "priority", "status", "epicId")
SUBTASKS_SHOW = ("subtasks",)


class SubtaskLine(BaseModel):
    id: str | None
    title: str
    status: str


class Related(BaseModel):
    """Another ticket; `status` is "missing" when there is no such ticket."""

    id: str
    title: str | None
    status: str


class HistoryLine(BaseModel):
    timestamp: str | None
    action: str
    by: str
    details: Annotated[dict[str, JsonValue], WithJsonSchema({"type": "object", "additionalProperties": True})]


class TicketLine(BaseModel):
    id: str
    title: str
    type: str
    priority: str
    status: str
    epicId: str | None
    subtasksCompleted: int
    subtasksTotal: int
    updatedAt: str | None


class TicketDetails(TicketLine):
    description: str
    labels: list[str]
    parentId: str | None
    blockedBy: list[Related]
    relatesTo: list[Related]
    subtasks: list[SubtaskLine]
    nextStatuses: list[str]
    createdAt: str | None
    completedAt: str | None
    archived: bool
    history: list[HistoryLine]
    revision: str


class TicketList(BaseModel):
    """`more` tells that the limit left some out."""

    tickets: list[TicketLine]
    more: bool


class Write(BaseModel):
    """What a change of a ticket gives back; `moved`, for the bot alone, goes into the meta of the result."""

    moved: SkipJsonSchema[tuple[str, str] | None] = Field(default=None, exclude=True)


class Outcome(Write):
    """A ticket after a call; `changed` is false when it was so already.

    `revision` says what the caller knows of the ticket by now: a client may send it back as `sciorex/read`.
    """

    changed: bool
    ticket: TicketLine
    nextStatuses: list[str]
    revision: str


class StatusOutcome(Outcome):
    """`stillOpen` says what was open when the ticket was moved to done: subtasks, and criteria without a tick."""

    stillOpen: list[str]


class SubtaskOutcome(Write):
    """A subtask after a call; `changed` is false when it was so already. `revision` as in Outcome."""

    changed: bool
    ticketId: str
    subtask: SubtaskLine
    subtasksCompleted: int
    subtasksTotal: int
    revision: str


class SubtaskList(BaseModel):
    """`pending` counts all that are not completed, those in progress too. `revision` as in Outcome."""

    ticketId: str
    total: int
    completed: int
    pending: int
    percentage: int
    subtasks: list[SubtaskLine]
    revision: str


class EpicLine(BaseModel):
    """`progress` is done tickets of all its tickets, such as 4/7."""

    id: str
    title: str
    status: str
    progress: str


class EpicDetails(EpicLine):
    description: str
    tickets: list[TicketLine]


class EpicList(BaseModel):
    epics: list[EpicLine]


class SessionLine(BaseModel):
    """A chat about a ticket: `state` is upcoming, active (idle), archived … or past; `note` was left at archiving."""

    title: str
    state: str
    note: str | None
    lastUpdated: str


class SessionList(BaseModel):
    """A ticket's sessions, as far as those who will read the answer may see them; most recent first."""

    ticketId: str
    sessions: list[SessionLine]


def ticket_line(ticket: TicketSummary) -> TicketLine:
    return TicketLine(
        id=ticket.id,
        title=ticket.title,
        type=ticket.type.value,
        priority=ticket.priority.value,
        status=ticket.status.value,
        epicId=ticket.epic_id,
        subtasksCompleted=ticket.completed_subtasks,
        subtasksTotal=ticket.subtask_count,
        updatedAt=stamp(ticket.updated_at) if ticket.updated_at else None,
    )


def ticket_details(
    ticket: Ticket, find: Callable[[str], Ticket | None], *, with_sessions: bool = True
) -> TicketDetails:
    """All of a ticket but the older part of its history; `find` looks up related tickets.

    Without sessions nothing in the history tells of one: not everybody who reads along may know of them.
    """
    history = [entry for entry in ticket.history if with_sessions or not entry.action.startswith(OF_SESSIONS)]
    return TicketDetails(
        **ticket_line(ticket.summary).model_dump(),
        description=ticket.description,
        labels=list(ticket.labels),
        parentId=ticket.parent_id,
        blockedBy=[_related(other, find) for other in ticket.blocked_by],
        relatesTo=[_related(other, find) for other in ticket.relates_to],
        subtasks=[subtask_line(subtask) for subtask in ticket.subtasks],
        nextStatuses=list(ticket.next_statuses()),
        createdAt=stamp(ticket.created_at) if ticket.created_at else None,
        completedAt=stamp(ticket.completed_at) if ticket.completed_at else None,
        archived=ticket.archived,
        history=[_history_line(entry, with_sessions) for entry in history[-SHOWN_HISTORY:]],
        revision=ticket.revision,
    )


def ticket_list(tickets: Sequence[TicketSummary], limit: int) -> TicketList:
    """The first `limit` tickets of a list that was asked for one more."""
    return TicketList(tickets=[ticket_line(t) for t in tickets[:limit]], more=len(tickets) > limit)


def outcome(ticket: Ticket, revision: str, *, changed: bool, moved: tuple[str, str] | None) -> Outcome:
    return Outcome(
        moved=moved,
        changed=changed,
        ticket=ticket_line(ticket.summary),
        nextStatuses=list(ticket.next_statuses()),
        revision=revision,
    )


def subtask_line(subtask: Subtask) -> SubtaskLine:
    return SubtaskLine(id=subtask.id, title=subtask.title, status=subtask.status.value)


def subtask_outcome(
    ticket: Ticket, subtask: Subtask, revision: str, *, changed: bool, moved: tuple[str, str] | None
) -> SubtaskOutcome:
    return SubtaskOutcome(
        moved=moved,
        changed=changed,
        ticketId=ticket.id,
        subtask=subtask_line(subtask),
        subtasksCompleted=ticket.completed_subtasks,
        subtasksTotal=len(ticket.subtasks),
        revision=revision,
    )


def subtask_list(ticket: Ticket, revision: str) -> SubtaskList:
    total, completed = len(ticket.subtasks), ticket.completed_subtasks
    return SubtaskList(
        ticketId=ticket.id,
        total=total,
        completed=completed,
        pending=sum(subtask.status is not SubtaskStatus.COMPLETED for subtask in ticket.subtasks),
        percentage=round(100 * completed / total) if total else 0,
        subtasks=[subtask_line(subtask) for subtask in ticket.subtasks],
        revision=revision,
    )


def epic_line(epic: Epic, progress: Progress) -> EpicLine:
    return EpicLine(id=epic.id, title=epic.title, status=epic.status.value, progress=str(progress))


def epic_details(epic: Epic, progress: Progress, tickets: Sequence[TicketSummary]) -> EpicDetails:
    return EpicDetails(
        **epic_line(epic, progress).model_dump(),
        description=epic.description,
        tickets=[ticket_line(ticket) for ticket in tickets],
    )


def _related(ticket_id: str, find: Callable[[str], Ticket | None]) -> Related:
    found = find(ticket_id)
    if found is None:
        return Related(id=ticket_id, title=None, status="missing")
    return Related(id=found.id, title=found.title, status=found.status.value)


def _history_line(entry: HistoryEntry, with_sessions: bool) -> HistoryLine:
    details = entry.details if with_sessions else without_sessions(entry.details)
    return HistoryLine(
        timestamp=stamp(entry.timestamp) if entry.timestamp else None,
        action=entry.action,
        by=f"{entry.actor_type} {entry.actor_id}".strip(),
        details={key: _json(value) for key, value in details.items() if key != "op"},
    )


def _json(value: Value) -> JsonValue:
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return value
