"""The tools about epics. Parameter names are wire names."""

from datetime import datetime

from mcp.server.mcpserver import Context

from bot.errors import EpicNotFound
from bot.mcp_servers.answers import EpicDetails, EpicLine, EpicList, epic_details, epic_line
from bot.mcp_servers.caller import caller
from bot.mcp_servers.parameters import EpicId, MaybeEpicStatus, MaybeMarkdown, MaybeText
from bot.tickets.change import Change
from bot.tickets.epic import Epic
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, id_key, nearest
from bot.tickets.store import TicketStore
from bot.tickets.vocabulary import EpicStatus, spelled

MOST_TICKETS = 200


class EpicTools:
    """Epic tools over one store."""

    def __init__(self, store: TicketStore) -> None:
        self._store = store

    def create_epic(self, title: str, ctx: Context, description: MaybeMarkdown = None) -> EpicLine:
        """Create an epic, which holds tickets that belong together; it starts open. Look at sciorex_list_epics first.
        Tickets join it by epicId in sciorex_create_ticket and sciorex_update_ticket."""
        who = caller(ctx)
        epic = self._store.create_epic(title, description or "", by=who.actor, op=who.op)
        return epic_line(epic, self._store.progress(epic.id))

    def get_epic(self, epicId: EpicId) -> EpicDetails:
        """Read an epic: description, progress (done of all its tickets, such as 4/7), and its tickets in short,
        archived ones too, most recently updated first, at most 200."""
        epic = known_epic(self._store, epicId)
        tickets = self._store.list(epic_id=epic.id, archived=True, limit=MOST_TICKETS)
        return epic_details(epic, self._store.progress(epic.id), tickets)

    def list_epics(self) -> EpicList:
        """All epics with id, title, status and progress (done of all their tickets, such as 4/7)."""
        return EpicList(epics=[epic_line(epic, self._store.progress(epic.id)) for epic in self._store.epics()])

    def update_epic(
        self,
        epicId: EpicId,
        title: MaybeText = None,
        description: MaybeMarkdown = None,
        status: MaybeEpicStatus = None,
    ) -> EpicLine:
        """Change fields of an epic; those left out stay. description replaces the whole text. Its tickets are not
        changed with it."""
        new_status = spelled(EpicStatus, status) if status else None

        def rule(epic: Epic, now: datetime) -> Change | None:
            return epic.update(at=now, title=title, description=description, status=new_status)

        epic = self._store.change_epic(known_epic(self._store, epicId).id, rule)
        return epic_line(epic, self._store.progress(epic.id))


def known_epic(store: TicketStore, epic_id: str) -> Epic:
    """The epic of an id in any spelling; raises EpicNotFound, with the nearest ids."""
    epic = store.epic(epic_id)
    if epic is not None:
        return epic
    key, known = id_key(epic_id, DEFAULT_EPIC_PREFIX), {epic.key: epic.id for epic in store.epics()}
    near = [known[other] for other in nearest(key, known)] if key is not None else []
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    raise EpicNotFound(f"There is no epic {epic_id.strip()[:40]}.{hint} See sciorex_list_epics.")
