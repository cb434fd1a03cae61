"""The tools that read tickets. Parameter names are wire names."""

from collections.abc import Callable

from bot.errors import AmbiguousTicket, TicketUnreadable
from bot.mcp_servers.answers import (
    SubtaskList,
    TicketDetails,
    TicketList,
    subtask_list,
    ticket_details,
    ticket_list,
)
from bot.mcp_servers.parameters import Limit, MaybePriority, MaybeStatus, MaybeText, MaybeType
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Priority, Status, Ticket, TicketType
from bot.tickets.vocabulary import spelled


class TicketReads:
    """Reading tools over one store."""

    def __init__(self, store: TicketStore) -> None:
        self._store = store

    def get_ticket(self, ticketId: str) -> TicketDetails:
        """A ticket: description with requirements, subtasks, blockers, related tickets, latest history."""
        return ticket_details(self._store.get(ticketId), shown(self._store))

    def list_subtasks(self, ticketId: str) -> SubtaskList:
        """A ticket's subtasks with their status, and how many are completed."""
        return subtask_list(self._store.get(ticketId))

    def list_tickets(
        self,
        status: MaybeStatus = None,
        type: MaybeType = None,
        priority: MaybePriority = None,
        epicId: MaybeText = None,
        limit: Limit = 50,
    ) -> TicketList:
        """Tickets that fit all filters, most recently updated first; archived ones are left out."""
        tickets = self._store.list(
            status=spelled(Status, status) if status else None,
            type=spelled(TicketType, type) if type else None,
            priority=spelled(Priority, priority) if priority else None,
            epic_id=epicId or None,
            limit=limit + 1,
        )
        return ticket_list(tickets, limit)

    def search_tickets(self, query: str, limit: Limit = 20) -> TicketList:
        """Tickets with the query in id, title or description; best matches first."""
        return ticket_list(self._store.search(query, limit=limit + 1), limit)

    def get_ready_tickets(
        self, limit: Limit = 10, priority: MaybePriority = None, type: MaybeType = None
    ) -> TicketList:
        """Planned tickets that no open ticket blocks, most urgent first: what can be started now."""
        tickets = self._store.ready(
            limit + 1,
            priority=spelled(Priority, priority) if priority else None,
            type=spelled(TicketType, type) if type else None,
        )
        return ticket_list(tickets, limit)

    def get_blocked_tickets(self, limit: Limit = 10) -> TicketList:
        """Unfinished tickets that wait for an open blocker."""
        return ticket_list(self._store.blocked(limit + 1), limit)


def shown(store: TicketStore) -> Callable[[str], Ticket | None]:
    """Looks a related ticket up; one that cannot be read is shown as missing and hides nothing."""

    def find(ticket_id: str) -> Ticket | None:
        try:
            return store.find(ticket_id)
        except (TicketUnreadable, AmbiguousTicket):
            return None

    return find
