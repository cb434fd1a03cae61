"""A ticket as a Work Object of Slack's (slack-facts 18): the card beside a message, and what its pane shows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.errors import BotError
from bot.slack.views.markdown import Shown
from bot.tickets.ticket import Ticket

TASK = "slack#/entities/task"
KIND = "ticket"  # of an external_ref
NO_SUCH = "There is no such ticket that you could see (any more)."
LONGEST_TITLE = 250
LONGEST_VALUE = 500
LONGEST_DESCRIPTION = 3_000
MOST_NAMED = 10
Entity = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """What the pane shows beside the ticket itself: its epic's title, titles of its blockers, sessions to be seen."""

    ticket: Ticket
    epic: str | None
    blockers: Sequence[str]
    sessions: int


def with_ticket(shown: Shown, workspace: str, ticket_id: str, title: str) -> Shown:
    """The message with the ticket as a card, where the Slack workspace has Work Objects."""
    return replace(shown, entity=entity(workspace, ticket_id, title))


def entity(workspace: str, ticket_id: str, title: str) -> Entity:
    """What everybody in a channel may see, and nothing that grows old: the pane is drawn when it is opened.

    (?) Slack's models want a `url`; a ticket has none, and Slack takes entities without (slack-facts 18).
    """
    return _entity(workspace, ticket_id, title, {})


def details(workspace: str, of: Panel) -> Entity:
    """The pane's Details."""
    ticket = of.ticket
    fields: dict[str, Any] = {
        "status": {"value": _words(str(ticket.status))},
        "priority": {"value": _words(str(ticket.priority))},
    }
    if ticket.description.strip():
        fields["description"] = {"value": _short(ticket.description.strip(), LONGEST_DESCRIPTION), "long": True}
    for name, at in (("date_created", ticket.created_at), ("date_updated", ticket.updated_at)):
        if isinstance(at, datetime):
            fields[name] = {"value": int(at.timestamp())}
    custom = [
        {"key": key, "label": label, "type": "string", "value": _short(_line(value), LONGEST_VALUE)}
        for key, label, value in _custom(of)
    ]
    return _entity(workspace, ticket.id, ticket.title, {"fields": fields, "custom_fields": custom})


def reference(found: object) -> tuple[str, str]:
    """The workspace's name and the ticket's id in an external_ref of ours; raises BotError for any other."""
    if isinstance(found, dict) and found.get("type") in (KIND, None):
        workspace, _, ticket_id = str(found.get("id") or "").rpartition("/")
        if workspace and ticket_id:
            return workspace, ticket_id
    raise BotError(NO_SUCH)


def failed(sentence: str) -> dict[str, str]:
    """What the pane says where it can show no ticket."""
    return {"status": "custom", "custom_title": "This ticket cannot be shown", "custom_message": sentence}


def _entity(workspace: str, ticket_id: str, title: str, more: Entity) -> Entity:
    attributes = {
        "title": {"text": _short(_line(title) or ticket_id, LONGEST_TITLE)},
        "display_id": ticket_id,
        "display_type": "Ticket",
        "product_name": "Sciorex",
    }
    return {
        "entity_type": TASK,
        "external_ref": {"id": f"{workspace}/{ticket_id}", "type": KIND},
        "entity_payload": {"attributes": attributes, **more},
    }


def _custom(of: Panel) -> Iterator[tuple[str, str, str]]:
    ticket = of.ticket
    yield "type", "Type", _words(str(ticket.type))
    if of.epic:
        yield "epic", "Epic", of.epic
    if ticket.labels:
        yield "labels", "Labels", ", ".join(ticket.labels)
    if ticket.subtasks:
        yield "subtasks", "Subtasks", f"{ticket.completed_subtasks} of {len(ticket.subtasks)} completed"
    if of.blockers:
        more = f" and {len(of.blockers) - MOST_NAMED} more" * (len(of.blockers) > MOST_NAMED)
        yield "blocked_by", "Blocked by", ", ".join(of.blockers[:MOST_NAMED]) + more
    if ticket.assigned_flow_id:
        yield "flow", "Assigned flow", ticket.assigned_flow_id
    yield "sessions", "Sessions", str(of.sessions)


def _line(text: str) -> str:
    return " ".join(text.split())


def _short(text: str, length: int) -> str:
    """Fields are plain text (?): nothing in them is escaped, nothing read as marks."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _words(value: str) -> str:
    return value.replace("_", " ").capitalize()
