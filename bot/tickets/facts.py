"""What the catalogue keeps of a ticket or an epic, so that it can be found without its file."""

from datetime import datetime

from bot.tickets.entries import Facts
from bot.tickets.epic import Epic
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, id_key
from bot.tickets.ticket import Priority, Ticket

URGENCY = tuple(Priority)


def ticket_facts(ticket: Ticket) -> Facts:
    """A ticket's facts."""
    blockers = (id_key(blocker) for blocker in ticket.blocked_by)
    created_by = ticket.history[0].op if ticket.history else None
    return Facts(
        title=ticket.title,
        status=ticket.status.value,
        words=_words(ticket.id, ticket.title, ticket.description),
        type=ticket.type.value,
        priority=URGENCY.index(ticket.priority),
        labels=ticket.labels,
        epic=ticket.epic_id,
        epic_key=id_key(ticket.epic_id, DEFAULT_EPIC_PREFIX) if ticket.epic_id else None,
        completed=ticket.completed_subtasks,
        subtasks=len(ticket.subtasks),
        created=_micros(ticket.created_at),
        updated=_micros(ticket.updated_at),
        archived=ticket.archived,
        blockers=frozenset(key for key in blockers if key is not None),
        made_by=frozenset([created_by] if created_by else []),
    )


def epic_facts(epic: Epic) -> Facts:
    """An epic's facts."""
    return Facts(
        title=epic.title,
        status=epic.status.value,
        words=_words(epic.id, epic.title, epic.description),
        created=_micros(epic.created_at),
        updated=_micros(epic.updated_at),
        made_by=epic.ops,
    )


def folded(text: str) -> str:
    """A text as it is searched: any case, one space between words."""
    return " ".join(text.replace("\0", " ").split()).casefold()


def _words(record_id: str, title: str, description: str) -> tuple[str, str, str]:
    return folded(record_id), folded(title), folded(f"{record_id} {title} {description}")


def _micros(at: datetime | None) -> int | None:
    return int(at.timestamp() * 1_000_000) if at is not None else None
