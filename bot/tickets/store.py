"""TicketStore: the tickets and epics of a workspace, read from their files and changed in them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from bot.errors import EpicNotFound, TicketNotFound, TicketUnreadable
from bot.tickets import blockers, files, index, shelf
from bot.tickets.change import Actor, Change
from bot.tickets.config import numbering
from bot.tickets.epic import Epic
from bot.tickets.folder import Entry, Folder
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, DEFAULT_PREFIX, id_key, mentions, nearest, written
from bot.tickets.reading import read_epic, read_ticket
from bot.tickets.ticket import NewTicket, Priority, Status, Ticket, TicketType
from bot.tickets.writing import EPIC_KEYS, TICKET_KEYS, new_epic, new_ticket

# Within the class `list` is the method.
Tickets: TypeAlias = list[Ticket]
Epics: TypeAlias = list[Epic]
Strings: TypeAlias = list[str]
Problems: TypeAlias = list[TicketUnreadable]


@dataclass(frozen=True)
class Changed:
    """A ticket before and after a change; `changed` is False when there was nothing to do."""

    before: Ticket
    after: Ticket
    changed: bool


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TicketStore:
    """The files of one workspace; they are the truth, and may be changed by anybody at any time.

    Everything blocks: callers run it off the event loop. All of it may raise WorkspaceUnavailable.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = _utc_now) -> None:
        """`folder` holds `.sciorex/`."""
        self._workspace, self._clock = Path(folder), clock
        self._tickets = Folder(self._workspace, "tickets", DEFAULT_PREFIX, read_ticket)
        self._epics = Folder(self._workspace, "epics", DEFAULT_EPIC_PREFIX, read_epic)

    def get(self, ticket_id: str) -> Ticket:
        """The ticket of an id in any spelling, as its file is now.

        Raises TicketNotFound (with the nearest ids), TicketUnreadable, AmbiguousTicket.
        """
        return self._tickets.record(self._entry(ticket_id))

    def find(self, ticket_id: str) -> Ticket | None:
        """Like get, but None when there is no such ticket."""
        key = id_key(ticket_id)
        entry = self._tickets.one(key) if key is not None else None
        return self._tickets.record(entry) if entry is not None else None

    def change(
        self, ticket_id: str, rule: Callable[[Ticket, datetime], Change | None], *, op: str | None = None
    ) -> Changed:
        """Changes the lines of a ticket's file that a rule's Change is about, and adds its line of history.

        The rule sees the ticket as it is under the lock, and may be asked again when an editor saved in
        between; it must not write tickets itself. An `op` that the history names already changes nothing.
        Raises what get raises, what the rule raises, and EditRefused.
        """

        def ruled(ticket: Ticket, now: datetime) -> Change | None:
            return None if op is not None and ticket.has_op(op) else rule(ticket, now)

        changed = shelf.change(self._tickets, lambda: self._entry(ticket_id), ruled, self._clock, TICKET_KEYS, op)
        return Changed(*changed)

    def create(self, draft: NewTicket, *, by: Actor, op: str | None = None) -> Ticket:
        """A new ticket with the next free id; the same op again gives the ticket it made before."""
        with files.workspace_lock(self._workspace):
            for made in self._tickets.made_by(op) if op is not None else ():
                if made.history and made.history[0].op == op:
                    return made
            numbers, now = numbering(self._workspace), self._clock()

            def text(ticket_id: str) -> str:
                return new_ticket(draft, ticket_id, by, now, op)

            return shelf.add(self._tickets, numbers.ticket, text)

    def list(
        self,
        *,
        status: Status | None = None,
        type: TicketType | None = None,
        priority: Priority | None = None,
        epic_id: str | None = None,
        archived: bool = False,
        limit: int = 50,
    ) -> Tickets:
        """The tickets that fit, most recently updated first; archived ones only with `archived`."""
        epic = id_key(epic_id, DEFAULT_EPIC_PREFIX) if epic_id is not None else None
        if epic_id is not None and epic is None:
            return []
        fitting = index.filtered(
            self.tickets(), status=status, type=type, priority=priority, epic=epic, archived=archived
        )
        return index.latest_first(fitting)[:limit]

    def search(self, query: str, limit: int = 20, archived: bool = False) -> Tickets:
        """The tickets with the query in id, title or description; id matches first."""
        return index.searched(index.filtered(self.tickets(), archived=archived), query)[:limit]

    def ready(self, limit: int = 10, *, priority: Priority | None = None, type: TicketType | None = None) -> Tickets:
        """The planned tickets without an open blocker, most urgent first."""
        tickets = self.tickets()
        free = blockers.ready(tickets, _lookup(tickets))
        return index.most_urgent_first(index.filtered(free, priority=priority, type=type))[:limit]

    def blocked(self, limit: int = 10) -> Tickets:
        """The unfinished tickets that wait for another, most urgent first."""
        tickets = self.tickets()
        return index.most_urgent_first(blockers.blocked(tickets, _lookup(tickets)))[:limit]

    def ids_in(self, text: str) -> Strings:
        """The ids of existing tickets that a text names, in order, once each; links and code are left alone."""
        return index.named(text, self._tickets.keys()) if mentions(text) else []

    def tickets(self) -> Tickets:
        """Every ticket that can be read, archived ones too; of several files with one id none is taken."""
        return shelf.unique(self._tickets)

    def epic(self, epic_id: str) -> Epic | None:
        """The epic of an id in any spelling; None when there is none."""
        key = id_key(epic_id, DEFAULT_EPIC_PREFIX)
        entry = self._epics.one(key) if key is not None else None
        return self._epics.record(entry) if entry is not None else None

    def epics(self) -> Epics:
        """Every epic that can be read, in order of their ids."""
        return sorted(shelf.unique(self._epics), key=lambda epic: epic.key)

    def epic_tickets(self, epic_id: str) -> Tickets:
        """All tickets of an epic, archived ones too: its progress is how many of them are done."""
        return index.filtered(self.tickets(), epic=id_key(epic_id, DEFAULT_EPIC_PREFIX), archived=True)

    def create_epic(self, title: str, description: str, *, by: Actor, op: str | None = None) -> Epic:
        """A new epic with the next free id; the same op again gives the epic it made before."""
        with files.workspace_lock(self._workspace):
            for made in self._epics.made_by(op) if op is not None else ():
                if op in made.ops:
                    return made
            numbers, now = numbering(self._workspace), self._clock()

            def text(epic_id: str) -> str:
                return new_epic(title, description, epic_id, by, now, op)

            return shelf.add(self._epics, numbers.epic, text)

    def change_epic(self, epic_id: str, rule: Callable[[Epic, datetime], Change | None]) -> Epic:
        """Changes an epic's file by a rule; raises EpicNotFound, EditRefused and what the rule raises."""

        def entry() -> Entry[Epic]:
            key = id_key(epic_id, DEFAULT_EPIC_PREFIX)
            found = self._epics.one(key) if key is not None else None
            if found is None:
                raise EpicNotFound(f"There is no epic {epic_id.strip()[:40]}.")
            return found

        return shelf.change(self._epics, entry, rule, self._clock, EPIC_KEYS, None)[1]

    def problems(self) -> Problems:
        """What cannot be read, each file once: broken files, and files that claim one id together."""
        return [*shelf.problems(self._tickets), *shelf.problems(self._epics)]

    def _entry(self, ticket_id: str) -> Entry[Ticket]:
        key = id_key(ticket_id)
        entry = self._tickets.one(key) if key is not None else None
        if entry is not None:
            return entry
        known = self._tickets.keys()
        near = nearest(key, known) if key is not None else []
        name = written(*key) if key is not None else ticket_id.strip()[:40]
        raise TicketNotFound(name, tuple(known[other] for other in near))


def _lookup(tickets: Tickets) -> blockers.Lookup:
    by_key = {ticket.key: ticket for ticket in tickets}

    def find(ticket_id: str) -> Ticket | None:
        key = id_key(ticket_id)
        return by_key.get(key) if key is not None else None

    return find
