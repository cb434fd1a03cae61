"""Follows the tickets of a workspace: each change, whoever made it, is told once to those who asked to hear of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from bot.errors import BotError
from bot.inbox.claim import Claim, Item, finish
from bot.inbox.intake import Arrival, take_in
from bot.sessions.linking import threads_of_ticket
from bot.sessions.seen import is_known, know, see, see_gone, seen_digests
from bot.sessions.session import find_by_thread
from bot.slack.intake.arrivals import as_ts
from bot.slack.parts import Parts
from bot.slack.sessions.opening import refresh_header
from bot.slack.workspaces import Workspace
from bot.tickets.difference import TicketChange
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Ticket

log = logging.getLogger(__name__)
# Called within the transaction that notes the change: what it writes and the note are one.
Hear = Callable[[Connection, Workspace, TicketChange], None]
_LOOK_SECONDS = 60.0
_BATCH = 100


async def follow(parts: Parts, workspace: Workspace, hearers: Sequence[Hear]) -> None:
    """Tells of changes until cancelled: first of those made while the bot was down."""
    loop, ids, woken = asyncio.get_running_loop(), set[str](), asyncio.Event()

    def changed(some: Iterable[str]) -> None:
        ids.update(some)
        woken.set()

    def told(some: Iterable[str]) -> None:
        loop.call_soon_threadsafe(changed, some)

    workspace.store.watch(told)
    look_at_all, reported = True, set[str]()
    while True:
        try:
            if look_at_all:
                await _catch_up(parts, workspace, hearers)
            else:
                batch = list(ids)
                ids.clear()
                await _tell(parts, workspace, hearers, batch)
            reported = await _report(workspace, reported)
        except BotError as error:
            log.warning("changes of tickets in %s cannot be told just now: %s", workspace.name, error)
        except Exception:
            log.exception("changes of tickets in %s could not be told", workspace.name)
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await woken.wait()
            woken.clear()
            look_at_all = False
        except TimeoutError:
            look_at_all = True


async def _catch_up(parts: Parts, workspace: Workspace, hearers: Sequence[Hear]) -> None:
    """Compares everything with what was last seen; in a workspace seen for the first time nothing is news."""
    digests = await workspace.in_store(lambda store: store.digests())
    known = await parts.db.read(lambda c: seen_digests(c, workspace.name))
    other = [ticket_id for ticket_id, digest in digests.items() if known.get(ticket_id) != digest]
    await _tell(parts, workspace, hearers, [*other, *(known.keys() - digests.keys())])
    if not await parts.db.read(lambda c: is_known(c, workspace.name)):
        await parts.db.write("workspace seen", lambda c: know(c, workspace.name))


async def _report(workspace: Workspace, reported: set[str]) -> set[str]:
    """Says in the log, once each, which files cannot be read; gives those there are now."""
    texts = {problem.text for problem in await workspace.in_store(lambda store: store.problems())}
    for text in sorted(texts - reported):
        log.warning("%s: %s", workspace.name, text)
    return texts


async def _tell(parts: Parts, workspace: Workspace, hearers: Sequence[Hear], ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        tickets, gone = await workspace.in_store(lambda store, some=batch: _found(store, some))  # type: ignore[misc]

        def note(connection: Connection, tickets: list[Ticket] = tickets, gone: list[str] = gone) -> bool:
            seen = [see(connection, workspace.name, ticket) for ticket in tickets]
            changes = [change for change in seen if change is not None] + see_gone(connection, workspace.name, gone)
            for change in changes:
                for hear in hearers:
                    hear(connection, workspace, change)
            return bool(changes)

        if await parts.db.write("tickets seen", note):
            parts.wake()


def _found(store: TicketStore, ids: Iterable[str]) -> tuple[list[Ticket], list[str]]:
    """The tickets as they are now, and the ids that no file has; one that cannot be read is told when it can be."""
    tickets: list[Ticket] = []
    gone: list[str] = []
    for ticket_id in ids:
        try:
            ticket = store.find(ticket_id)
        except BotError:
            continue
        if ticket is None or ticket.id != ticket_id:
            gone.append(ticket_id)
        if ticket is not None:
            tickets.append(ticket)
    return tickets, gone


def linked_threads(now_ms: Callable[[], int]) -> Hear:
    """Every thread that is linked to the ticket hears of the change."""

    def hear(connection: Connection, workspace: Workspace, change: TicketChange) -> None:
        at = now_ms()
        linked = threads_of_ticket(connection, workspace.name, change.ticket_id)
        for thread_id, team, channel, thread_ts in linked:
            key = f"t:{workspace.name}:{change.ticket_id}:{thread_id}:{at}"
            body = {"ticket_id": change.ticket_id, "fields": list(change.fields), "revision": change.revision}
            arrival = Arrival(team, channel, thread_ts, key, "ticket_changed", as_ts(at), body)
            take_in(connection, arrival, at)

    return hear


async def ticket_changed(parts: Parts, claim: Claim, item: Item) -> None:
    """The header of a linked thread says how its ticket stands now."""
    session_here = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session_here is not None:
        await refresh_header(parts, claim, session_here.id)
    await claim.write("ticket heard of", lambda c: finish(c, [item]))
