"""The tools about epics. Parameter names are wire names."""

from datetime import datetime

from mcp.server.mcpserver import Context

from bot.errors import EpicNotFound
from bot.mcp_servers.answers import EpicDetails, EpicLine, EpicList, epic_details, epic_line
from bot.mcp_servers.caller import caller
from bot.mcp_servers.parameters import MaybeEpicStatus, MaybeText
from bot.tickets.change import Change
from bot.tickets.epic import Epic
from bot.tickets.index import filtered
from bot.tickets.store import TicketStore
from bot.tickets.vocabulary import EpicStatus, spelled


class EpicTools:
    """Epic tools over one store."""

    def __init__(self, store: TicketStore) -> None:
        self._store = store

    def create_epic(self, title: str, ctx: Context, description: MaybeText = None) -> EpicLine:
        """Create an epic, which holds tickets that belong together."""
        who = caller(ctx)
        epic = self._store.create_epic(title, description or "", by=who.actor, op=who.op)
        return epic_line(epic, self._store.epic_tickets(epic.id))

    def get_epic(self, epicId: str) -> EpicDetails:
        """An epic with its tickets and progress (done of all, such as 4/7)."""
        epic = self._store.epic(epicId)
        if epic is None:
            raise EpicNotFound(f"There is no epic {epicId.strip()[:40]}. See sciorex_list_epics.")
        return epic_details(epic, self._store.epic_tickets(epic.id))

    def list_epics(self) -> EpicList:
        """All epics with their progress."""
        tickets = self._store.tickets()
        return EpicList(
            epics=[epic_line(epic, filtered(tickets, epic=epic.key, archived=True)) for epic in self._store.epics()]
        )

    def update_epic(
        self,
        epicId: str,
        title: MaybeText = None,
        description: MaybeText = None,
        status: MaybeEpicStatus = None,
    ) -> EpicLine:
        """Change fields of an epic; those left out stay."""
        new_status = spelled(EpicStatus, status) if status else None

        def rule(epic: Epic, now: datetime) -> Change | None:
            return epic.update(at=now, title=title, description=description, status=new_status)

        epic = self._store.change_epic(epicId, rule)
        return epic_line(epic, self._store.epic_tickets(epic.id))
