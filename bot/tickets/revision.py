"""Tells which fields of a ticket changed since somebody read it, by a revision that the reader keeps."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from bot.errors import EditConflict
from bot.tickets.change import Edit, Set, Value

if TYPE_CHECKING:
    from bot.tickets.subtask import Subtask
    from bot.tickets.ticket import Ticket

_FIELDS = ("title", "description", "type", "priority", "status", "labels", "epicId", "parentId")
_LISTS = ("blockedBy", "relatesTo", "archived", "assignedFlowId")
_NAMED = (*_FIELDS, *_LISTS)
_SIZE = 4
_UNREAD = "~" * _SIZE
_MOST_SUBTASKS = 200


def revision_of(ticket: Ticket) -> str:
    """Names the state of a ticket, field by field: `<hash of the file>.<four letters a field>.<eight a subtask>`.

    It is all that a reader (a modal, a turn, an MCP client) must keep so that its change can be checked later.
    """
    fields = "".join(_short(_field(ticket, name)) for name in _NAMED)
    subtasks = "".join(_subtask_name(s) + _short(s.status.value) for s in ticket.subtasks[:_MOST_SUBTASKS])
    return f"{ticket.digest}.{fields}.{subtasks}"


def moved(ticket: Ticket, read: str, edits: Sequence[Edit]) -> tuple[str, Value, Value] | None:
    """The first field that an edit sets and that has changed since `read`: its name, its value now, and the one wanted.

    Items that are added to a list or taken from the blockers never conflict, nor do times and other fields that
    only follow a change. A revision that cannot be understood is as none.
    """
    parts = read.split(".")
    if len(parts) != 3 or parts[0] == ticket.digest:
        return None
    before = {name: parts[1][n * _SIZE : (n + 1) * _SIZE] for n, name in enumerate(_NAMED) if name != "blockedBy"}
    subtasks = dict(_pairs(parts[2]))
    for edit in edits:
        if not isinstance(edit, Set):
            continue
        name, place = str(edit.path[0]), edit.path[1] if len(edit.path) > 1 else None
        if name == "subtasks" and isinstance(place, int):
            subtask = ticket.subtasks[place]
            was, now = subtasks.get(_subtask_name(subtask)), subtask.status.value
            if was is not None and was != _short(now):
                return f"subtask “{subtask.title}”", now, edit.value
        elif (was := before.get(name)) and was != _UNREAD:
            value = _field(ticket, name)
            if was != _short(value):
                return name, value, edit.value
    return None


def seen(read: str | None, before: Ticket, after: Ticket, shown: Collection[str] = ()) -> str:
    """The revision for somebody who had read `read`, made `before` into `after`, and was shown these fields of it.

    `shown` are keys of the file, `subtasks` among them. What was neither changed nor shown stays as it was read, so
    that what somebody else did there is still noticed; what was never read conflicts with nothing.
    """
    parts = (read or "").split(".")
    fields, statuses = (parts[1], dict(_pairs(parts[2]))) if len(parts) == 3 else ("", {})
    known = ""
    for n, name in enumerate(_NAMED):
        value, new = _field(after, name), name in shown or _field(before, name) != _field(after, name)
        known += _short(value) if new else fields[n * _SIZE : (n + 1) * _SIZE] or _UNREAD
    known += "."
    same = set() if "subtasks" in shown else set(before.subtasks)
    for subtask in after.subtasks[:_MOST_SUBTASKS]:
        name = _subtask_name(subtask)
        status = statuses.get(name) if subtask in same else _short(subtask.status.value)
        known += name + status if status else ""
    return after.revision if known == after.revision.partition(".")[2] else f"~.{known}"


def knows(read: str, ticket: Ticket, name: str) -> bool:
    """Whether somebody who has read `read` knows this field of the ticket as it is now; `subtasks` are one field."""
    parts = read.split(".")
    if len(parts) != 3:
        return False
    if parts[0] == ticket.digest:
        return True
    if name == "subtasks":
        told = dict(_pairs(parts[2]))
        now = {_subtask_name(s): _short(s.status.value) for s in ticket.subtasks[:_MOST_SUBTASKS]}
        return told == now and len(ticket.subtasks) <= _MOST_SUBTASKS
    at = _NAMED.index(name) * _SIZE if name in _NAMED else -1
    return at >= 0 and parts[1][at : at + _SIZE] == _short(_field(ticket, name))


def refuse_conflict(ticket: Ticket, read: str, edits: Sequence[Edit]) -> None:
    """Raises EditConflict, with both values, when a field that the edits set has changed since `read`."""
    found = moved(ticket, read, edits)
    if found is not None:
        field, now, wanted = found
        raise EditConflict(ticket.id, field, _shown(now), _shown(wanted))


def _shown(value: Value) -> str:
    """A value as a person reads it, long ones shortened."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)
    return text if len(text) <= 300 else f"{text[:299]}…"


def fields_of(ticket: Ticket) -> dict[str, Value]:
    """A ticket's fields by the keys they have in its file; subtasks, times and history are left out."""
    return {name: _field(ticket, name) for name in _NAMED}


def _field(ticket: Ticket, name: str) -> Value:
    values: dict[str, Value] = {
        "title": ticket.title,
        "description": ticket.description,
        "type": ticket.type.value,
        "priority": ticket.priority.value,
        "status": ticket.status.value,
        "labels": list(ticket.labels),
        "epicId": ticket.epic_id,
        "parentId": ticket.parent_id,
        "blockedBy": list(ticket.blocked_by),
        "relatesTo": list(ticket.relates_to),
        "archived": ticket.archived,
        "assignedFlowId": ticket.assigned_flow_id,
    }
    return values[name]


def _subtask_name(subtask: Subtask) -> str:
    return _short(subtask.id or subtask.title)


def _short(value: Value) -> str:
    digest = hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).digest()
    return urlsafe_b64encode(digest[:3]).decode()


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for at in range(0, len(text), 2 * _SIZE):
        yield text[at : at + _SIZE], text[at + _SIZE : at + 2 * _SIZE]
