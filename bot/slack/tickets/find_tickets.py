"""Finding tickets, and what was said: `/ticket list`, `search`, `epics`, an epic's tickets, and the pages of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.errors import BotError, EpicNotFound
from bot.inbox.claim import Claim, Item
from bot.slack.intake import clicks
from bot.slack.intake.place import place_of, workspace_here
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer
from bot.slack.sessions.searching import said
from bot.slack.tickets.filters import Filters, filters_in
from bot.slack.views import ticket_blocks
from bot.slack.views.markdown import Shown, plain
from bot.slack.views.ticket_blocks import Below, Page, page_from
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, id_key
from bot.tickets.store import TicketStore
from bot.tickets.summary import TicketSummary

PAGE = 10
EVERY = 1_000_000
LONGEST_QUERY = 200


async def list_tickets(parts: Parts, claim: Claim, item: Item, words: str) -> None:
    """`/ticket list`, with filters in any order: the latest tickets first."""
    wanted = filters_in(words)
    await show(parts, claim, item, Page("list", wanted.words(), wanted.page))


async def search_tickets(parts: Parts, claim: Claim, item: Item, words: str) -> None:
    """`/ticket search login`: tickets, archived ones absent, and what was said in sessions; best matches first."""
    if not words:
        raise BotError(f"Say what to search for, as in `{parts.commands.ticket} search login`.")
    await show(parts, claim, item, Page("search", " ".join(words.split())[:LONGEST_QUERY]))


async def list_epics(parts: Parts, claim: Claim, item: Item, words: str) -> None:
    """`/ticket epics`: each with how many of its tickets are done."""
    number = filters_in(words).page if words.lower().startswith("page") else 1
    await show(parts, claim, item, Page("epics", "", number))


async def turn_page(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Previous** and **Next**: another page in the place of this one."""
    wanted = page_from(clicks.value(body))
    await _take_in(parts, body, wanted, instead=True)
    await ack()


async def epic_tickets(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Tickets** of an epic in the list of epics."""
    await _take_in(parts, body, Page("epic", clicks.value(body)), instead=False)
    await ack()


async def _take_in(parts: Parts, body: dict[str, Any], wanted: Page, *, instead: bool) -> None:
    place = place_of(body)
    workspace = (await workspace_here(parts, body, place)).name
    more = {"of": wanted.of, "text": wanted.text, "number": wanted.number, "instead": instead}
    await clicks.take_in(parts, body, "page", place, **more, workspace=workspace)


async def page(parts: Parts, claim: Claim, item: Item) -> None:
    """A page that a button asked for. Body: {user, of, text, number, instead?}."""
    body = item.body
    await show(parts, claim, item, Page(str(body["of"]), str(body["text"]), int(body["number"])))


async def show(parts: Parts, claim: Claim, item: Item, wanted: Page) -> None:
    """Shows a page to the person who asked, alone; raises NotAllowed for people of another workspace."""
    await parts.people.may_look(str(item.body["user"]))
    workspace = await parts.workspace_of(claim, item)
    below = await said(parts, str(item.body["user"]), wanted) if wanted.of == "search" else None
    shown = await workspace.in_store(lambda store: page_of(store, wanted, parts.commands.ticket, below))
    await answer(parts, claim, item, shown, instead=bool(item.body.get("instead")))


def page_of(store: TicketStore, wanted: Page, command: str, below: Below | None = None) -> Shown:
    """A page as the tickets are now, with what was said `below`. It blocks.

    Raises EpicNotFound, and BotError for filters that are none.
    """
    if wanted.of == "epics":
        return _epics(store, wanted)
    if wanted.of == "epic":
        return _epic(store, wanted, command)
    rows = _searched(store, wanted) if wanted.of == "search" else _listed(store, wanted, command)
    what = plain(wanted.text).replace("*", "∗").replace("`", "'")
    if wanted.of == "search":
        heading, empty = f"*Search* “{what}”", f"No ticket holds “{what}” in its title, text or id."
    elif what:
        heading, empty = f"*Tickets* {what}", f"No ticket is all of this: {what}. `{command} list` shows every one."
    else:
        heading, empty = "*Tickets*", f"There are no tickets yet. `{command} new` makes the first one."
    more = len(rows) > PAGE or (below is not None and below.more)
    return ticket_blocks.ticket_list(heading, rows[:PAGE], wanted, more=more, empty=empty, below=below)


def _searched(store: TicketStore, wanted: Page) -> list[TicketSummary]:
    return store.search(wanted.text, PAGE + 1, offset=_first(wanted))


def _listed(store: TicketStore, wanted: Page, command: str) -> list[TicketSummary]:
    """The page's tickets and one more, if there is one."""
    asked = filters_in(wanted.text)
    if asked.ready or asked.blocked:
        return _waiting(store, asked, _first(wanted) + PAGE + 1)[_first(wanted) :]
    if asked.epic_id and store.epic(asked.epic_id) is None:
        raise EpicNotFound(f"There is no epic {asked.epic_id}. `{command} epics` lists them.")
    return store.list(
        status=asked.status,
        type=asked.type,
        priority=asked.priority,
        epic_id=asked.epic_id,
        label=asked.label,
        archived=asked.archived,
        limit=PAGE + 1,
        offset=_first(wanted),
    )


def _waiting(store: TicketStore, asked: Filters, most: int) -> list[TicketSummary]:
    """The tickets that are ready, or blocked, most urgent first; all are asked for only where they are sifted here."""
    if asked.ready:
        sifted = asked.epic_id or asked.label
        found = store.ready(EVERY if sifted else most, priority=asked.priority, type=asked.type)
    else:
        sifted = asked.epic_id or asked.label or asked.status or asked.priority or asked.type
        found = store.blocked(EVERY if sifted else most)
    return [ticket for ticket in found if _fits(ticket, asked)][:most]


def _fits(ticket: TicketSummary, asked: Filters) -> bool:
    """Whether a ticket that is ready or blocked is all else that is asked for."""
    epic = id_key(asked.epic_id, DEFAULT_EPIC_PREFIX) if asked.epic_id else None
    return (
        asked.status in (None, ticket.status)
        and asked.type in (None, ticket.type)
        and asked.priority in (None, ticket.priority)
        and (asked.label is None or asked.label.lower() in (label.lower() for label in ticket.labels))
        and (epic is None or id_key(ticket.epic_id or "", DEFAULT_EPIC_PREFIX) == epic)
    )


def _epics(store: TicketStore, wanted: Page) -> Shown:
    every = store.epics()
    here: Sequence[Any] = every[_first(wanted) : _first(wanted) + PAGE]
    rows = [(epic, store.progress(epic.id)) for epic in here]
    return ticket_blocks.epic_list(rows, wanted, more=len(every) > _first(wanted) + PAGE)


def _epic(store: TicketStore, wanted: Page, command: str) -> Shown:
    epic = store.epic(wanted.text)
    if epic is None:
        raise EpicNotFound(f"There is no epic {wanted.text[:40]}. `{command} epics` lists them.")
    rows = store.list(epic_id=epic.id, archived=True, limit=PAGE + 1, offset=_first(wanted))
    progress = store.progress(epic.id)
    return ticket_blocks.epic_page(epic, progress, rows[:PAGE], wanted, more=len(rows) > PAGE)


def _first(wanted: Page) -> int:
    return (wanted.number - 1) * PAGE
