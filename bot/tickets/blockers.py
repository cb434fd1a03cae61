"""Which tickets wait for which: open blockers, and cycles that must not come to be."""

from collections.abc import Callable, Iterable

from bot.errors import InvalidTicket
from bot.tickets.ids import id_key
from bot.tickets.ticket import Status, Ticket

Lookup = Callable[[str], Ticket | None]


def open_blockers(ticket: Ticket, find: Lookup) -> list[Ticket]:
    """The blockers that are neither done nor cancelled; a dangling id blocks nothing."""
    found = (find(blocker_id) for blocker_id in ticket.blocked_by)
    return [blocker for blocker in found if blocker is not None and not blocker.closed]


def ready(tickets: Iterable[Ticket], find: Lookup) -> list[Ticket]:
    """The planned tickets that wait for nothing."""
    planned = (t for t in tickets if t.status is Status.PLANNED and not t.archived)
    return [ticket for ticket in planned if not open_blockers(ticket, find)]


def blocked(tickets: Iterable[Ticket], find: Lookup) -> list[Ticket]:
    """The tickets still to be done that wait for another."""
    unfinished = (t for t in tickets if not t.closed and not t.archived)
    return [ticket for ticket in unfinished if open_blockers(ticket, find)]


def refuse_cycle(ticket: Ticket, blocker: Ticket, find: Lookup) -> None:
    """Raises InvalidTicket, naming the way round, when the blocker waits for the ticket already."""
    trails: list[tuple[Ticket, ...]] = [(blocker,)]
    seen = {blocker.key}
    while trails:
        trail = trails.pop()
        for next_id in trail[-1].blocked_by:
            if id_key(next_id) == ticket.key:
                way = " → ".join(step.id for step in (ticket, *trail, ticket))
                raise InvalidTicket(f"{blocker.id} waits for {ticket.id} already ({way}): that is a cycle.")
            step = find(next_id)
            if step is not None and step.key not in seen:
                seen.add(step.key)
                trails.append((*trail, step))
