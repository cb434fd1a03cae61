"""The tool about a ticket's sessions: only the bot has it, since only the bot has the database."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import anyio.to_thread

from bot.mcp_servers.answers import SessionLine, SessionList
from bot.mcp_servers.parameters import TicketId
from bot.tickets.store import TicketStore

# Gives a ticket's sessions by its id, as far as those who will read the answer may see them, most recent first.
Sessions: TypeAlias = Callable[[str], Awaitable[Sequence[SessionLine]]]


class SessionTools:
    """Session tools over a store and whoever knows the sessions."""

    def __init__(self, store: TicketStore, sessions: Sessions) -> None:
        self._store, self._sessions = store, sessions

    async def list_sessions(self, ticketId: TicketId) -> SessionList:
        """The conversations about a ticket, as far as everybody here may see them: planned ones, then most recent
        first. Each with title, state (upcoming: planned; active, and whether it runs, waits or idles; archived; past:
        linked once; completed, failed, cancelled), the note left at archiving, when last updated. Use it to learn
        where a ticket was worked on before."""
        ticket = await anyio.to_thread.run_sync(self._store.get, ticketId)
        return SessionList(ticketId=ticket.id, sessions=list(await self._sessions(ticket.id)))
