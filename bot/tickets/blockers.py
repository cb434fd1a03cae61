"""Tickets that wait for one another in a circle, which must not come to be."""

from collections.abc import Callable

from bot.errors import InvalidTicket
from bot.tickets.ids import id_key
from bot.tickets.ticket import Ticket

Lookup = Callable[[str], Ticket | None]


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
