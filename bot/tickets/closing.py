"""What speaks against closing a ticket, as far as its file tells, and closing it all the same."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.tickets.change import Actor, Change, Value
from bot.tickets.criteria import criteria_of
from bot.tickets.ticket import Status, SubtaskStatus, Ticket

SUBTASK, CRITERION, ACTIVE, UNREAD = "subtask", "criterion", "active session", "unread session"
WAITING = "waiting session"  # an approval or an answer of a person is waited for in it
SESSIONS = (ACTIVE, WAITING, UNREAD)  # kinds whose lines name a session by its id


def closes(ticket: Ticket, to: Status) -> bool:
    """Whether this status is the ticket's end, reached from where it stands: that is what is looked at first."""
    return to is Status.DONE and to in ticket.next_statuses()


def still_open(ticket: Ticket) -> tuple[str, ...]:
    """Open subtasks and criteria without a tick, each as `subtask: title` or `criterion: text`."""
    subtasks = [f"{SUBTASK}: {s.title}" for s in ticket.subtasks if s.status is not SubtaskStatus.COMPLETED]
    criteria = [f"{CRITERION}: {one.text}" for one in criteria_of(ticket.description) if not one.done]
    return (*subtasks, *criteria)


def with_review(change: Change | None, review: Sequence[str]) -> Change | None:
    """A change of status whose line of history says what was open (`details.review`); without anything, as it was."""
    if change is None or change.entry is None or not review:
        return change
    return replace(change, entry=replace(change.entry, details={**change.entry.details, "review": list(review)}))


def move(
    ticket: Ticket, to: Status, review: Sequence[str], *, by: Actor, at: datetime, comment: str | None = None
) -> Change | None:
    """The ticket in another status; where that closes it, with what was open then and a person's note."""
    change = ticket.change_status(to, by=by, at=at, comment=comment)
    return with_review(change, review) if closes(ticket, to) else change


def without_sessions(details: Mapping[str, Value]) -> dict[str, Value]:
    """The details of a line of history without the sessions that its review names: not everybody may know of them."""
    review = details.get("review")
    if not isinstance(review, list):
        return dict(details)
    kept = [line for line in review if str(line).partition(": ")[0] not in SESSIONS]
    return {key: value for key, value in details.items() if key != "review"} | ({"review": kept} if kept else {})
