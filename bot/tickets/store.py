"""TicketStore: the tickets and epics of a workspace, read from their files and changed in them."""

import copy
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from bot.errors import EpicNotFound, TicketNotFound, TicketUnreadable, WorkspaceUnavailable
from bot.tickets import index, shelf
from bot.tickets.catalogue import Catalogue, damaged
from bot.tickets.change import Actor, Change
from bot.tickets.config import numbering
from bot.tickets.difference import Changed, Rehearsed
from bot.tickets.epic import Epic
from bot.tickets.folder import Folder
from bot.tickets.folders import epic_folder, ticket_folder
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, id_key, mentions, near_numbers, nearest, written
from bot.tickets.loading import Loaded
from bot.tickets.revision import refuse_conflict
from bot.tickets.summary import Progress, TicketSummary
from bot.tickets.ticket import NewTicket, Priority, Status, Ticket, TicketType
from bot.tickets.watch import Watch
from bot.tickets.writing import EPIC_KEYS, TICKET_KEYS, new_epic, new_ticket

# Within the class `list` is the method.
Summaries: TypeAlias = list[TicketSummary]
Epics: TypeAlias = list[Epic]
Strings: TypeAlias = list[str]
Problems: TypeAlias = list[TicketUnreadable]
AnyFolder: TypeAlias = Folder[Ticket] | Folder[Epic]
R = TypeVar("R")
S = TypeVar("S", Ticket, Epic)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TicketStore:
    """The files of one workspace; they are the truth, and may be changed by anybody at any time.

    Everything blocks: callers run it off the event loop. All of it may raise WorkspaceUnavailable.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = _utc_now) -> None:
        """`folder` holds `.sciorex/`."""
        self._workspace, self._clock = Path(folder), clock
        self._catalogue = Catalogue(self._workspace)
        self._tickets, self._epics = ticket_folder(self._catalogue), epic_folder(self._catalogue)
        self._watch: Watch | None = None
        self._rehearsal: Callable[[Rehearsed], None] | None = None

    def rehearsal(self, tell: Callable[[Rehearsed], None]) -> "TicketStore":
        """A store that reads like this one and writes nothing: what each change would have done is told instead."""
        rehearsal = copy.copy(self)
        rehearsal._watch, rehearsal._rehearsal = None, tell
        return rehearsal

    def watch(self, on_change: Callable[[frozenset[str]], None] | None = None) -> None:
        """From now on a thread follows what is changed outside, until close(), and questions need not look.

        `on_change` is called in that thread with the ids of tickets whose files may have changed, also by us.
        """
        if self._watch is None:
            self._watch = Watch(self._catalogue, (self._tickets, self._epics), on_change)
            self._watch.start()

    def close(self) -> None:
        """Ends the watching; safe to call twice."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def get(self, ticket_id: str) -> Ticket:
        """The ticket of an id in any spelling, as its file is now.

        Raises TicketNotFound (with the nearest ids), TicketUnreadable, AmbiguousTicket.
        """
        return self._asked(lambda: self._tickets.record(self._one(ticket_id)))

    def find(self, ticket_id: str) -> Ticket | None:
        """Like get, but None when there is no such ticket."""
        key = id_key(ticket_id)
        found = self._asked(lambda: self._tickets.one(key)) if key is not None else None
        return self._tickets.record(found) if found is not None else None

    def change(
        self,
        ticket_id: str,
        rule: Callable[[Ticket, datetime], Change | None],
        *,
        op: str | None = None,
        read: str | None = None,
    ) -> Changed:
        """Changes the lines of a ticket's file that a rule's Change is about, and adds its line of history.

        The rule sees the ticket as it is under the lock, and may be asked again when an editor saved in
        between; it must not write tickets itself. An `op` that the history names already changes nothing.
        `read` is the revision that the change is based on: a field it sets must not have changed since.
        Raises what get raises, what the rule raises, EditConflict and EditRefused.
        """

        def ruled(ticket: Ticket, now: datetime) -> Change | None:
            if op is not None and ticket.has_op(op):
                return None
            change = rule(ticket, now)
            if change is not None and read is not None:
                refuse_conflict(ticket, read, change.edits)
            return change

        def changed() -> Changed:
            one = lambda: self._one(ticket_id)  # noqa: E731
            return Changed(
                *shelf.change(self._tickets, one, ruled, self._clock, TICKET_KEYS, op, rehearses=self._rehearses)
            )

        made = self._asked(changed)
        if made.changed:
            self._told(made.before, made.after)
        return made

    def create(self, draft: NewTicket, *, by: Actor, op: str | None = None) -> Ticket:
        """A new ticket with the next free id; the same op again gives the ticket it made before."""
        numbers, now = numbering(self._workspace).ticket, self._clock()

        def text(ticket_id: str) -> str:
            return new_ticket(draft, ticket_id, by, now, op)

        return self._told(
            None, self._asked(lambda: shelf.add(self._tickets, numbers, text, op, rehearses=self._rehearses))
        )

    def list(
        self,
        *,
        status: Status | None = None,
        type: TicketType | None = None,
        priority: Priority | None = None,
        epic_id: str | None = None,
        label: str | None = None,
        archived: bool = False,
        limit: int = 50,
        offset: int = 0,
    ) -> Summaries:
        """The tickets that fit, most recently updated first; archived ones only with `archived`."""
        epic = id_key(epic_id, DEFAULT_EPIC_PREFIX) if epic_id is not None else None
        if epic_id is not None and epic is None:
            return []
        return self._found(
            lambda c: index.latest(
                c,
                status=status,
                type=type,
                priority=priority,
                epic=epic,
                label=label,
                archived=archived,
                limit=limit,
                offset=offset,
            )
        )

    def search(self, query: str, limit: int = 20, *, offset: int = 0, archived: bool = False) -> Summaries:
        """The tickets with the query, or all its words, in id, title or description; id matches first."""
        return self._found(lambda c: index.searched(c, query, archived=archived, limit=limit, offset=offset))

    def ready(self, limit: int = 10, *, priority: Priority | None = None, type: TicketType | None = None) -> Summaries:
        """The planned tickets without an open blocker, most urgent first."""
        return self._found(lambda c: index.ready(c, priority=priority, type=type, limit=limit))

    def blocked(self, limit: int = 10) -> Summaries:
        """The unfinished tickets that wait for another, most urgent first."""
        return self._found(lambda c: index.blocked(c, limit))

    def digests(self) -> dict[str, str]:
        """Every ticket that can be read, by id, with the hash of its file."""
        return self._found(index.digests)

    def ids_in(self, text: str) -> Strings:
        """The ids of existing tickets that a text names, in order, once each; links and code are left alone."""
        mentioned = mentions(text)
        if not mentioned:
            return []

        def named() -> Strings:
            self._tickets.look_for_names()
            return index.named(self._catalogue.connection(), mentioned)

        return self._asked(named)

    def epic(self, epic_id: str) -> Epic | None:
        """The epic of an id in any spelling; None when there is none."""
        key = id_key(epic_id, DEFAULT_EPIC_PREFIX)
        found = self._asked(lambda: self._epics.one(key)) if key is not None else None
        return self._epics.record(found) if found is not None else None

    def epics(self) -> Epics:
        """Every epic that can be read, in order of their ids."""
        names = self._found(lambda c: index.sole_names(c, "epics"), self._epics)
        loaded = (self._epics.loader.load(name) for name in names)
        return [one.record for one in loaded if one is not None and isinstance(one.record, Epic)]

    def progress(self, epic_id: str) -> Progress:
        """How many of an epic's tickets are done, archived ones counted too."""
        key = id_key(epic_id, DEFAULT_EPIC_PREFIX)
        return self._found(lambda c: index.progress(c, key)) if key is not None else Progress(0, 0)

    def create_epic(self, title: str, description: str, *, by: Actor, op: str | None = None) -> Epic:
        """A new epic with the next free id; the same op again gives the epic it made before."""
        numbers, now = numbering(self._workspace).epic, self._clock()

        def text(epic_id: str) -> str:
            return new_epic(title, description, epic_id, by, now, op)

        return self._told(
            None, self._asked(lambda: shelf.add(self._epics, numbers, text, op, rehearses=self._rehearses))
        )

    def change_epic(self, epic_id: str, rule: Callable[[Epic, datetime], Change | None]) -> Epic:
        """Changes an epic's file by a rule; raises EpicNotFound, EditRefused and what the rule raises."""

        def one() -> Loaded[Epic]:
            key = id_key(epic_id, DEFAULT_EPIC_PREFIX)
            found = self._epics.one(key) if key is not None else None
            if found is None:
                raise EpicNotFound(f"There is no epic {epic_id.strip()[:40]}.")
            return found

        def changed() -> tuple[Epic, Epic, bool]:
            return shelf.change(self._epics, one, rule, self._clock, EPIC_KEYS, None, rehearses=self._rehearses)

        before, after, _ = self._asked(changed)
        return self._told(before, after)

    def problems(self) -> Problems:
        """What cannot be read, each file once: broken files, and files that claim one id together."""
        found: Problems = []
        for folder in (self._tickets, self._epics):
            wrong = self._found(partial(index.wrong, folder=folder.name), folder)
            found += [TicketUnreadable(folder.loader.file(Path(name)), line, cause) for name, line, cause in wrong]
        return found

    @property
    def _rehearses(self) -> bool:
        return self._rehearsal is not None

    def _told(self, before: Ticket | Epic | None, after: S) -> S:
        """Tells what would have been done, where this is a rehearsal."""
        if self._rehearsal is not None:
            self._rehearsal(Rehearsed(before, after))
        return after

    def _one(self, ticket_id: str) -> Loaded[Ticket]:
        key = id_key(ticket_id)
        found = self._tickets.one(key) if key is not None else None
        if found is not None:
            return found
        if key is None:
            raise TicketNotFound(ticket_id.strip()[:40])
        known = index.numbered(self._catalogue.connection(), "tickets", near_numbers(key.number) | {key.number})
        raise TicketNotFound(written(*key), tuple(known[other] for other in nearest(key, known)))

    def _found(
        self, question: Callable[[sqlite3.Connection], R], folder: Folder[Ticket] | Folder[Epic] | None = None
    ) -> R:
        """The answer out of the catalogue, once it is as the files are."""

        def ask() -> R:
            (folder or self._tickets).look()
            return question(self._catalogue.connection())

        return self._asked(ask)

    def _asked(self, ask: Callable[[], R]) -> R:
        """Asks once more with a new catalogue when the old one is damaged: it is derived, and comes back."""
        try:
            return ask()
        except sqlite3.DatabaseError as error:
            if not damaged(error):
                raise WorkspaceUnavailable("The tickets are being read by too many at once. Try again.") from error
            self._catalogue.discard()
        try:
            return ask()
        except sqlite3.Error as error:
            raise WorkspaceUnavailable(f"The index of tickets cannot be kept: {error}.") from error
