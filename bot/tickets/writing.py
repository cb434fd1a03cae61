"""A new ticket or epic as the text of its file, in Sciorex's form."""

import re
from datetime import datetime

from bot.tickets.change import Actor, Value, entry, stamp
from bot.tickets.ticket import NewTicket, one_line
from bot.tickets.yaml_style import mapping_lines

_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
# The order of keys in Sciorex's own files: a key that is added later takes its place in it.
TICKET_KEYS = (
    *("id", "title", "description", "type", "priority", "status", "labels", "epicId", "parentId", "blockedBy"),
    *("relatesTo", "subtasks", "assignedFlowId", "lastSessionId", "createdAt", "updatedAt", "completedAt"),
    "history",
)
EPIC_KEYS = ("id", "title", "description", "status", "createdAt", "updatedAt", "completedAt", "history")
SUBTASK_KEYS = ("title", "completed", "status", "completedAt")


def new_ticket(draft: NewTicket, ticket_id: str, by: Actor, at: datetime, op: str | None) -> str:
    """The text of a new ticket's file; its history begins with `created`."""
    subtasks: list[Value] = [_subtask(n, title) for n, title in enumerate(draft.subtasks, 1)]
    return _file(
        {
            "id": ticket_id,
            "title": one_line(draft.title, "A ticket needs a title."),
            "description": _markdown(draft.description),
            "type": draft.type.value,
            "priority": draft.priority.value,
            "status": draft.status.value,
            "labels": list(draft.labels),
            "epicId": draft.epic_id,
            "parentId": draft.parent_id,
            "blockedBy": list(draft.blocked_by),
            "relatesTo": list(draft.relates_to),
            "subtasks": subtasks,
            "assignedFlowId": None,
            "lastSessionId": None,
            "createdAt": stamp(at),
            "updatedAt": stamp(at),
            "completedAt": stamp(at) if draft.status.value == "done" else None,
            "history": [entry("created", {}, by, at).value(op)],
        }
    )


def new_epic(title: str, description: str, epic_id: str, by: Actor, at: datetime, op: str | None) -> str:
    """The text of a new epic's file."""
    return _file(
        {
            "id": epic_id,
            "title": one_line(title, "An epic needs a title."),
            "description": _markdown(description),
            "status": "open",
            "createdAt": stamp(at),
            "updatedAt": stamp(at),
            "completedAt": None,
            "history": [entry("created", {}, by, at).value(op)],
        }
    )


def _subtask(number: int, title: str) -> dict[str, Value]:
    name = one_line(title, "A subtask needs a title.")
    return {"id": f"sub-{number:03d}", "title": name, "completed": False, "completedAt": None}


def _markdown(text: str) -> str:
    """A text with plain line ends and no blank ones at its end, so that it can stand in lines of its own (`|`)."""
    lines = _LINE_END.sub("\n", text)
    body = lines.rstrip()
    return body + "\n" if "\n" in lines[len(body) :] and body else body


def _file(values: dict[str, Value]) -> str:
    return "\n".join(mapping_lines(values, 0, 2)) + "\n"
