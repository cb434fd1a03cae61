"""Takes back what one operation did to a ticket: fields go back, what was said is retracted; history only grows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.errors import CannotUndo, SubtaskNotFound
from bot.tickets.change import Actor, Append, Change, Edit, HistoryEntry, Remove, Set, Value, entry, stamp
from bot.tickets.ids import id_key
from bot.tickets.ticket import Status, SubtaskStatus, Ticket

SAID = ("comment_added", "progress_reported")


def undo_op(op: str) -> str:
    """The operation that takes another one back."""
    return f"undo.{op}"


def undo(ticket: Ticket, op: str, before: Mapping[str, Value], *, by: Actor, at: datetime) -> Change | None:
    """The change that takes back what `op` did; None where it did nothing. `before` holds the fields as they were.

    Statuses go back whether or not the way back is one of those that are allowed. Raises CannotUndo.
    """
    done = next((line for line in ticket.history if line.op == op), None)
    if done is None:
        return None
    change = _back(ticket, done, before, by, at)
    if change.entry is None:
        return change
    return replace(change, entry=replace(change.entry, details={**change.entry.details, "undoes": op}))


def _back(ticket: Ticket, done: HistoryEntry, before: Mapping[str, Value], by: Actor, at: datetime) -> Change:
    if done.action == "created":
        return _cancelled(ticket, by, at)
    if done.action in SAID:
        words = str(done.details.get("comment") or done.details.get("message") or "")
        return ticket.add_comment(f"Retracted: “{words}”", by, at)
    if done.action == "status_changed":
        return _status(ticket, str(done.details["from"]), by, at)
    if done.action in ("updated", "epic_changed"):
        named = done.details.get("fields")
        fields = [str(name) for name in named] if isinstance(named, list) else ["epicId"]
        edits: list[Edit] = [Set((name,), before.get(name)) for name in fields]
        details: dict[str, Value] = {"fields": list(fields)}
        return _change("updated", details, edits, by, at)
    if done.action in ("subtask_updated", "subtask_completed", "subtask_added"):
        return _subtask(ticket, done, by, at)
    if done.action in ("blocker_added", "blocker_removed"):
        return _blocker(ticket, done, by, at)
    raise CannotUndo(f"“{done.action.replace('_', ' ')}” cannot be taken back.")


def _cancelled(ticket: Ticket, by: Actor, at: datetime) -> Change:
    """A ticket that was made: it stays, cancelled."""
    if len(ticket.history) > 1:
        raise CannotUndo(f"{ticket.id} has been worked on since it was made. Cancel it by hand, if it should go.")
    change = ticket.change_status(Status.CANCELLED, by=by, at=at)
    if change is None:
        raise CannotUndo(f"{ticket.id} is cancelled already.")
    return change


def _status(ticket: Ticket, to: str, by: Actor, at: datetime) -> Change:
    edits: list[Edit] = [Set(("status",), to)]
    if to == Status.DONE:
        edits.append(Set(("completedAt",), stamp(at)))
    elif ticket.completed_at is not None:
        edits.append(Set(("completedAt",), None))
    return _change("status_changed", {"from": ticket.status.value, "to": to}, edits, by, at)


def _subtask(ticket: Ticket, done: HistoryEntry, by: Actor, at: datetime) -> Change:
    name = str(done.details.get("subtaskId") or done.details.get("title"))
    try:
        subtask = ticket.find_subtask(name)
    except SubtaskNotFound as error:
        raise CannotUndo(error.text) from error
    if done.action == "subtask_added":
        if subtask.status is not SubtaskStatus.PENDING:
            raise CannotUndo(f"The subtask “{subtask.title}” has been worked on since.")
        gone = Remove(("subtasks", ticket.subtasks.index(subtask)))
        return _change("subtask_removed", {"subtaskId": subtask.id, "title": subtask.title}, [gone], by, at)
    if subtask.status.value != done.details.get("to"):
        raise CannotUndo(f"The subtask “{subtask.title}” is {subtask.status} by now.")
    change = ticket.set_subtask(subtask, SubtaskStatus(str(done.details["from"])), by, at)
    if change is None:
        raise CannotUndo(f"The subtask “{subtask.title}” is {subtask.status} already.")
    return change


def _blocker(ticket: Ticket, done: HistoryEntry, by: Actor, at: datetime) -> Change:
    blocker = str(done.details["blockerTicketId"])
    there = any(id_key(one) == id_key(blocker) for one in ticket.blocked_by)
    if done.action == "blocker_removed" and not there:
        return _change("blocker_added", {"blockerTicketId": blocker}, [Append(("blockedBy",), blocker)], by, at)
    change = ticket.remove_blocker(blocker, by, at) if done.action == "blocker_added" else None
    if change is None:
        raise CannotUndo(f"{blocker} is as it was before already.")
    return change


def _change(action: str, details: Mapping[str, Value], edits: list[Edit], by: Actor, at: datetime) -> Change:
    return Change((*edits, Set(("updatedAt",), stamp(at))), entry(action, details, by, at))
