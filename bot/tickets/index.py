"""Finding among tickets: filters, search, the latest first, and ids named in a text."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from bot.tickets.ids import IdKey, id_key, mentions
from bot.tickets.ticket import Priority, Status, Ticket, TicketType

_URGENCY = {priority: place for place, priority in enumerate(Priority)}


def latest_first(tickets: Iterable[Ticket]) -> list[Ticket]:
    """Most recently updated first, those without a time last; equal ones by id, newest first."""
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(tickets, key=lambda t: (t.updated_at or t.created_at or never, t.key), reverse=True)


def most_urgent_first(tickets: Iterable[Ticket]) -> list[Ticket]:
    """By priority, then in order of their ids."""
    return sorted(tickets, key=lambda t: (_URGENCY[t.priority], t.key))


def filtered(
    tickets: Iterable[Ticket],
    *,
    status: Status | None = None,
    type: TicketType | None = None,
    priority: Priority | None = None,
    epic: IdKey | None = None,
    archived: bool = False,
) -> list[Ticket]:
    """The tickets that have all that is asked for; archived ones only on demand."""
    return [
        ticket
        for ticket in tickets
        if (archived or not ticket.archived)
        and (status is None or ticket.status is status)
        and (type is None or ticket.type is type)
        and (priority is None or ticket.priority is priority)
        and (epic is None or (ticket.epic_id is not None and id_key(ticket.epic_id, epic.prefix) == epic))
    ]


def searched(tickets: Iterable[Ticket], query: str) -> list[Ticket]:
    """What holds every word of the query in id, title or description (any case); id matches first, then titles."""
    wanted, key = " ".join(query.split()).casefold(), id_key(query)
    if not wanted:
        return latest_first(tickets)
    ranked = [(rank, t) for t in tickets if (rank := _rank(t, wanted, key)) is not None]
    order = {ticket.id: place for place, ticket in enumerate(latest_first(t for _, t in ranked))}
    return [ticket for _, ticket in sorted(ranked, key=lambda found: (found[0], order[found[1].id]))]


def _rank(ticket: Ticket, wanted: str, key: IdKey | None) -> int | None:
    """How well a ticket fits, 0 best; None when it does not."""
    title = ticket.title.casefold()
    if key is not None and ticket.key == key:
        return 0
    if wanted in ticket.id.casefold():
        return 1
    if wanted in title:
        return 2
    whole = f"{ticket.id.casefold()} {title} {ticket.description.casefold()}"
    if all(word in title for word in wanted.split()):
        return 3
    if wanted in whole:
        return 4
    return 5 if all(word in whole for word in wanted.split()) else None


def named(text: str, known: Mapping[IdKey, str]) -> list[str]:
    """The known ids a text names, as their files spell them, in order and once each."""
    found: dict[str, None] = {}
    for mention in mentions(text):
        key = id_key(mention)
        if key is not None and key in known:
            found[known[key]] = None
    return list(found)
