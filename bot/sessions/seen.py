"""What was last seen of each ticket, so that every change of it is told once, also one made while the bot was down."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, update

from bot.database import insert_once
from bot.sessions.models import seen_ticket, seen_workspace
from bot.tickets.difference import Look, TicketChange, difference, look, removal
from bot.tickets.ticket import Ticket


def seen_digests(connection: Connection, workspace: str) -> dict[str, str]:
    """The hash of each ticket's file when it was last seen, by the ticket's id."""
    rows = connection.execute(
        select(seen_ticket.c.ticket_id, seen_ticket.c.digest).where(seen_ticket.c.workspace == workspace)
    )
    return {ticket_id: digest for ticket_id, digest in rows}


def is_known(connection: Connection, workspace: str) -> bool:
    """Whether all tickets of the workspace have been seen once."""
    found = select(seen_workspace.c.workspace).where(seen_workspace.c.workspace == workspace)
    return connection.execute(found).first() is not None


def know(connection: Connection, workspace: str) -> None:
    """From now on a ticket that was not seen yet is a new one."""
    insert_once(connection, seen_workspace, workspace=workspace)


def see(connection: Connection, workspace: str, ticket: Ticket) -> TicketChange | None:
    """Notes how a ticket is now, and gives what changed since it was last seen; to one caller only, once.

    While the workspace is not known, every ticket in it is old news.
    """
    here = (seen_ticket.c.workspace == workspace, seen_ticket.c.ticket_id == ticket.id)
    row = connection.execute(select(seen_ticket).where(*here).with_for_update()).first()
    now = look(ticket)
    values = {"digest": ticket.digest, "fields": json.dumps(now.fields), "history": now.history}
    if row is None:
        new = insert_once(connection, seen_ticket, workspace=workspace, ticket_id=ticket.id, **values)
        return difference(None, ticket) if new is not None and is_known(connection, workspace) else None
    if row.digest == ticket.digest:
        return None
    connection.execute(update(seen_ticket).where(*here).values(**values))
    return difference(Look(json.loads(row.fields), row.history), ticket)


def see_gone(connection: Connection, workspace: str, ticket_ids: Iterable[str]) -> list[TicketChange]:
    """Notes that tickets have no file any more; gives what was told of none of them yet."""
    told: list[TicketChange] = []
    for ticket_id in ticket_ids:
        here = (seen_ticket.c.workspace == workspace, seen_ticket.c.ticket_id == ticket_id)
        row = connection.execute(select(seen_ticket).where(*here).with_for_update()).first()
        if row is not None:
            connection.execute(delete(seen_ticket).where(*here))
            told.append(removal(ticket_id, Look(json.loads(row.fields), row.history)))
    return told
