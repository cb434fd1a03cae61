"""What became of a ticket between two looks at it: the fields, before and after, and who did it."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.tickets.change import Actor, ActorType, HistoryEntry, Value
from bot.tickets.epic import Epic
from bot.tickets.revision import fields_of
from bot.tickets.ticket import Ticket

ACTORS: tuple[ActorType, ...] = ("user", "agent", "system")


@dataclass(frozen=True)
class TicketChange:
    """A ticket was made, changed or removed: `before` and `after` hold the fields that differ, by their keys.

    `before` is empty for a new ticket, `after` and `revision` for one that is gone. New lines of history stand in
    `after` as `history`. `actor` is who the newest of them names; None when somebody changed the file by hand.
    """

    ticket_id: str
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    actor: Actor | None
    revision: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The keys of the fields that differ."""
        return tuple(dict.fromkeys([*self.before, *self.after]))


@dataclass(frozen=True)
class Changed:
    """A ticket before and after a change; `changed` is False when there was nothing to do."""

    before: Ticket
    after: Ticket
    changed: bool


@dataclass(frozen=True)
class Rehearsed:
    """What a change would make of a ticket or an epic; `before` is None for a new one."""

    before: Ticket | Epic | None
    after: Ticket | Epic

    @property
    def fields(self) -> tuple[dict[str, Value], dict[str, Value]]:
        """The fields that would differ, by their keys: as they are, and as they would be; new lines of history too."""
        if isinstance(self.after, Ticket):
            found = difference(look(self.before) if isinstance(self.before, Ticket) else None, self.after)
            return (dict(found.before), dict(found.after)) if found else ({}, {})
        old = _of_epic(self.before) if isinstance(self.before, Epic) else {}
        new = {key: value for key, value in _of_epic(self.after).items() if old.get(key) != value}
        return {key: old[key] for key in new if key in old}, new


@dataclass(frozen=True)
class Look:
    """A ticket as it was last seen: its fields and how many lines its history had."""

    fields: Mapping[str, Value]
    history: int


def look(ticket: Ticket) -> Look:
    """A ticket as it is seen now."""
    subtasks: list[Value] = [{"id": s.id, "title": s.title, "status": s.status.value} for s in ticket.subtasks]
    return Look(fields_of(ticket) | {"subtasks": subtasks}, len(ticket.history))


def difference(before: Look | None, ticket: Ticket) -> TicketChange | None:
    """What changed since `before`, None for a ticket that was not seen yet; None when nothing did."""
    now, old = look(ticket), before or Look({}, 0)
    fields = [key for key, value in now.fields.items() if key not in old.fields or old.fields[key] != value]
    lines = ticket.history[old.history :]
    after = {key: now.fields[key] for key in fields}
    if lines:
        after["history"] = [line.value() for line in lines]
    if not after:
        return None
    was = {key: old.fields[key] for key in fields if key in old.fields}
    return TicketChange(ticket.id, was, after, _actor(lines), ticket.revision)


def _of_epic(epic: Epic) -> dict[str, Value]:
    return {"title": epic.title, "description": epic.description, "status": epic.status.value}


def removal(ticket_id: str, before: Look) -> TicketChange:
    """The ticket's file is gone."""
    return TicketChange(ticket_id, before.fields, {}, None, "")


def _actor(lines: tuple[HistoryEntry, ...]) -> Actor | None:
    if not lines:
        return None
    last = lines[-1]
    kind: ActorType = next((kind for kind in ACTORS if kind == last.actor_type), "user")
    on_behalf_of = last.details.get("onBehalfOf")
    return Actor(kind, last.actor_id, on_behalf_of if isinstance(on_behalf_of, str) else None)
