"""The tools that read tickets. Parameter names are wire names."""

from collections.abc import Callable

from mcp.server.mcpserver import Context

from bot.errors import AmbiguousTicket, TicketUnreadable
from bot.mcp_servers.answers import (
    SUBTASKS_SHOW,
    SubtaskList,
    TicketDetails,
    TicketList,
    subtask_list,
    ticket_details,
    ticket_list,
)
from bot.mcp_servers.caller import caller
from bot.mcp_servers.epic_tools import known_epic
from bot.mcp_servers.parameters import Limit, MaybeEpicId, MaybePriority, MaybeStatus, MaybeType, Query, TicketId
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Priority, Status, Ticket, TicketType
from bot.tickets.vocabulary import spelled


class TicketReads:
    """Reading tools over one store; without sessions, a ticket's history tells of none."""

    def __init__(self, store: TicketStore, *, with_sessions: bool = True) -> None:
        self._store, self._with_sessions = store, with_sessions

    def get_ticket(self, ticketId: TicketId, ctx: Context) -> TicketDetails:
        """Read one ticket whole: its Markdown description (requirements and acceptance criteria are headings or
        check boxes in it), subtasks with their ids, blockers and related tickets with their status, the statuses
        it may move to (nextStatuses), and its latest history with comments. Read a ticket before you change it: a
        change is refused where somebody else has changed the same field since you read it."""
        ticket = self._store.get(ticketId)
        caller(ctx).reads_whole(ticket)
        return ticket_details(ticket, shown(self._store), with_sessions=self._with_sessions)

    def list_subtasks(self, ticketId: TicketId, ctx: Context) -> SubtaskList:
        """A ticket's subtasks with id and status, and how many are completed. pending counts all that are not."""
        ticket = self._store.get(ticketId)
        return subtask_list(ticket, caller(ctx).reads_part(ticket, SUBTASKS_SHOW))

    def list_tickets(
        self,
        status: MaybeStatus = None,
        type: MaybeType = None,
        priority: MaybePriority = None,
        epicId: MaybeEpicId = None,
        limit: Limit = 50,
    ) -> TicketList:
        """List tickets in short, most recently updated first. A ticket must fit all filters that are given;
        archived ones are left out. more=true says that limit cut the list: narrow it. To find tickets by words use
        sciorex_search_tickets."""
        tickets = self._store.list(
            status=spelled(Status, status) if status else None,
            type=spelled(TicketType, type) if type else None,
            priority=spelled(Priority, priority) if priority else None,
            epic_id=epicId or None,
            limit=limit + 1,
        )
        if epicId and not tickets:
            known_epic(self._store, epicId)
        return ticket_list(tickets, limit)

    def search_tickets(self, query: Query, limit: Limit = 20) -> TicketList:
        """Find tickets by words: those with the query in id, title or description, best matches first, in short.
        Archived ones are left out. Search before you create a ticket."""
        return ticket_list(self._store.search(query, limit=limit + 1), limit)

    def get_ready_tickets(
        self, limit: Limit = 10, priority: MaybePriority = None, type: MaybeType = None
    ) -> TicketList:
        """What can be started now: planned tickets that no open ticket blocks, most urgent first."""
        tickets = self._store.ready(
            limit + 1,
            priority=spelled(Priority, priority) if priority else None,
            type=spelled(TicketType, type) if type else None,
        )
        return ticket_list(tickets, limit)

    def get_blocked_tickets(self, limit: Limit = 10) -> TicketList:
        """Unfinished tickets that wait for an open blocker, most urgent first. sciorex_get_ticket says for which."""
        return ticket_list(self._store.blocked(limit + 1), limit)


def shown(store: TicketStore) -> Callable[[str], Ticket | None]:
    """Looks a related ticket up; one that cannot be read is shown as missing and hides nothing."""

    def find(ticket_id: str) -> Ticket | None:
        try:
            return store.find(ticket_id)
        except (TicketUnreadable, AmbiguousTicket):
            return None

    return find
