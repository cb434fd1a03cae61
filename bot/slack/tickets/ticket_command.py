"""`/ticket …`: one table of what may stand behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.errors import BotError
from bot.inbox.claim import Claim, Item
from bot.slack import choosing
from bot.slack.agent.costs import ticket_cost
from bot.slack.intake.words import as_typed, begins_status
from bot.slack.parts import Parts
from bot.slack.sessions import planning, summing
from bot.slack.sessions.link import answer
from bot.slack.tickets.cards import card, help_for, show_sessions
from bot.slack.tickets.find_tickets import list_epics, list_tickets, search_tickets, show
from bot.slack.tickets.new_ticket import one_line
from bot.slack.tickets.status import status
from bot.slack.views.ticket_blocks import Page
from bot.tickets.ids import id_key
from bot.tickets.store import TicketStore

Verb = Callable[[Parts, Claim, Item, str], Awaitable[None]]


async def slash_ticket(parts: Parts, claim: Claim, item: Item) -> None:
    """Does what the first word says, with the rest of the words; an id alone shows that ticket or epic."""
    first, rest = _split(as_typed(str(item.body["text"])))
    if first.lower() == "show":
        first, rest = _split(rest)
    if verb := VERBS.get(first.lower()):
        await verb(parts, claim, item, rest)
    elif id_key(first):
        await about(parts, claim, item, first, rest)
    else:
        await help_(parts, claim, item, rest)


def _split(text: str) -> tuple[str, str]:
    first, *rest = text.split(maxsplit=1) or [""]
    return first, rest[0].strip() if rest else ""


async def about(parts: Parts, claim: Claim, item: Item, some_id: str, words: str) -> None:
    """What stands behind an id: nothing, `sessions`, `plan Review`, `status in_review`, `done`."""
    first, rest = _split(words)
    if not words:
        await one(parts, claim, item, some_id)
    elif words.lower() == "sessions":
        await show_sessions(parts, claim, item, some_id)
    elif words.lower() in ("summary", "catch me up"):
        await summing.ticket_summary(parts, claim, item, some_id)
    elif words.lower() in ("cost", "costs"):
        await ticket_cost(parts, claim, item, some_id)
    elif first.lower() == "plan":
        await planning.plan_words(parts, claim, item, some_id, rest)
    elif first.lower() == "status":
        await status(parts, claim, item, some_id, rest)
    elif begins_status(words):
        await status(parts, claim, item, some_id, words)
    else:
        typed = f"{parts.commands.ticket} {some_id[:20]}"
        raise BotError(
            f"I do not know what to do with “{words[:60]}”. Try `{typed}`, `{typed} sessions`, `{typed} cost`, "
            f"`{typed} plan`, `{typed} status` or `{typed} status in_review`."
        )


async def one(parts: Parts, claim: Claim, item: Item, some_id: str) -> None:
    """The card of a ticket, or the page of an epic where no ticket has this id."""
    workspace = await parts.workspace_of(claim, item)

    def is_epic(store: TicketStore) -> bool:
        return store.find(some_id) is None and store.epic(some_id) is not None

    if await workspace.in_store(is_epic):
        await show(parts, claim, item, Page("epic", some_id))
        return
    audience = await parts.people.audience_of(str(item.body["user"]))
    await answer(parts, claim, item, await card(parts, workspace, some_id, audience))


async def help_(parts: Parts, claim: Claim, item: Item, words: str) -> None:
    """`/ticket help`, and whatever is not known."""
    await answer(parts, claim, item, help_for(parts))


VERBS: Mapping[str, Verb] = {
    "new": one_line,
    "list": list_tickets,
    "search": search_tickets,
    "epics": list_epics,
    "workspace": choosing.workspace,
    "help": help_,
}
