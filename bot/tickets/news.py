"""What others made of a ticket since somebody last saw it: what the reader did or read meanwhile is no news to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.tickets.change import HistoryEntry, Value
from bot.tickets.difference import Look, difference, look
from bot.tickets.revision import knows
from bot.tickets.ticket import Ticket

OF_SESSIONS = "session_"  # such lines of history tell of threads, not of the ticket


@dataclass(frozen=True)
class News:
    """Fields before and after, by their keys, and the new lines of history that are not the reader's own."""

    before: Mapping[str, Value]
    after: Mapping[str, Value]
    entries: tuple[HistoryEntry, ...]


def news(before: Look, read: str | None, ticket: Ticket, is_own: Callable[[HistoryEntry], bool]) -> News | None:
    """What is new since `before` for somebody who has read the ticket at `read` since; None when nothing is.

    `is_own` says which lines of history tell of what the reader did.
    """
    change = difference(before, ticket)
    if change is None:
        return None
    fields = [
        name for name in change.after if name != "history" and not (read is not None and knows(read, ticket, name))
    ]
    entries = tuple(
        entry
        for entry in ticket.history[before.history :]
        if not is_own(entry) and not entry.action.startswith(OF_SESSIONS)
    )
    if not fields and not entries:
        return None
    now = look(ticket).fields
    return News({name: change.before.get(name) for name in fields}, {name: now[name] for name in fields}, entries)
