"""What the ticket tools answer: typed results, with Sciorex's own keys."""

from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel, JsonValue

from bot.tickets.change import Value, stamp
from bot.tickets.epic import Epic
from bot.tickets.ticket import HistoryEntry, Status, Subtask, SubtaskStatus, Ticket

SHOWN_HISTORY = 20


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
    details: dict[str, JsonValue]


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


class Outcome(BaseModel):
    """A ticket after a call; `changed` is false when it was so already."""

    changed: bool
    ticket: TicketLine
    nextStatuses: list[str]


class SubtaskOutcome(BaseModel):
    """A subtask after a call; `changed` is false when it was so already."""

    changed: bool
    ticketId: str
    subtask: SubtaskLine
    subtasksCompleted: int
    subtasksTotal: int


class SubtaskList(BaseModel):
    """`pending` counts all that are not completed, those in progress too."""

    ticketId: str
    total: int
    completed: int
    pending: int
    percentage: int
    subtasks: list[SubtaskLine]


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


def ticket_line(ticket: Ticket) -> TicketLine:
    return TicketLine(
        id=ticket.id,
        title=ticket.title,
        type=ticket.type.value,
        priority=ticket.priority.value,
        status=ticket.status.value,
        epicId=ticket.epic_id,
        subtasksCompleted=ticket.completed_subtasks,
        subtasksTotal=len(ticket.subtasks),
        updatedAt=stamp(ticket.updated_at) if ticket.updated_at else None,
    )


def ticket_details(ticket: Ticket, find: Callable[[str], Ticket | None]) -> TicketDetails:
    """All of a ticket but the older part of its history; `find` looks up related tickets."""
    return TicketDetails(
        **ticket_line(ticket).model_dump(),
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
        history=[_history_line(entry) for entry in ticket.history[-SHOWN_HISTORY:]],
        revision=ticket.revision,
    )


def ticket_list(tickets: Sequence[Ticket], limit: int) -> TicketList:
    """The first `limit` tickets of a list that was asked for one more."""
    return TicketList(tickets=[ticket_line(t) for t in tickets[:limit]], more=len(tickets) > limit)


def outcome(ticket: Ticket, *, changed: bool) -> Outcome:
    return Outcome(changed=changed, ticket=ticket_line(ticket), nextStatuses=list(ticket.next_statuses()))


def subtask_line(subtask: Subtask) -> SubtaskLine:
    return SubtaskLine(id=subtask.id, title=subtask.title, status=subtask.status.value)


def subtask_outcome(ticket: Ticket, subtask: Subtask, *, changed: bool) -> SubtaskOutcome:
    return SubtaskOutcome(
        changed=changed,
        ticketId=ticket.id,
        subtask=subtask_line(subtask),
        subtasksCompleted=ticket.completed_subtasks,
        subtasksTotal=len(ticket.subtasks),
    )


def subtask_list(ticket: Ticket) -> SubtaskList:
    total, completed = len(ticket.subtasks), ticket.completed_subtasks
    return SubtaskList(
        ticketId=ticket.id,
        total=total,
        completed=completed,
        pending=sum(subtask.status is not SubtaskStatus.COMPLETED for subtask in ticket.subtasks),
        percentage=round(100 * completed / total) if total else 0,
        subtasks=[subtask_line(subtask) for subtask in ticket.subtasks],
    )


def epic_line(epic: Epic, tickets: Iterable[Ticket]) -> EpicLine:
    of_epic = list(tickets)
    done = sum(ticket.status is Status.DONE for ticket in of_epic)
    return EpicLine(id=epic.id, title=epic.title, status=epic.status.value, progress=f"{done}/{len(of_epic)}")


def epic_details(epic: Epic, tickets: Sequence[Ticket]) -> EpicDetails:
    return EpicDetails(
        **epic_line(epic, tickets).model_dump(),
        description=epic.description,
        tickets=[ticket_line(ticket) for ticket in tickets],
    )


def _related(ticket_id: str, find: Callable[[str], Ticket | None]) -> Related:
    found = find(ticket_id)
    if found is None:
        return Related(id=ticket_id, title=None, status="missing")
    return Related(id=found.id, title=found.title, status=found.status.value)


def _history_line(entry: HistoryEntry) -> HistoryLine:
    return HistoryLine(
        timestamp=stamp(entry.timestamp) if entry.timestamp else None,
        action=entry.action,
        by=f"{entry.actor_type} {entry.actor_id}".strip(),
        details={key: _json(value) for key, value in entry.details.items() if key != "op"},
    )


def _json(value: Value) -> JsonValue:
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return value
