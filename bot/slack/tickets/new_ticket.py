"""Making a ticket: `/ticket new`, with its title behind it or by a form, and the global shortcut **New ticket**."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from bot.errors import BotError, EpicNotFound
from bot.inbox.claim import Claim, Item
from bot.slack.intake import forms
from bot.slack.intake.place import Place, place_of, remembered
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, notice
from bot.slack.tickets.cards import card
from bot.slack.views import blocks, modals, ticket_blocks
from bot.slack.views.ticket_form import block_of, filled, in_one_line, new_ticket_modal
from bot.slack.workspaces import Workspace
from bot.tickets.epic import Epic
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, id_key
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, NewTicket
from bot.tickets.vocabulary import EpicStatus, Priority, TicketType

OPEN = (EpicStatus.OPEN, EpicStatus.IN_PROGRESS)


async def open_from_composer(parts: Parts, body: dict[str, Any]) -> None:
    """`/ticket new` alone: the form, for the workspace of this channel."""
    channel, user = str(body["channel_id"]), str(body["user_id"])
    await parts.people.may_write(user)
    workspace = await parts.workspace_at(channel, user)
    await _open(parts, body, user, Place(channel, "", workspace.name))


async def open_from_shortcut(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**New ticket** under Slack's shortcuts, anywhere: the form, for the workspace that the person has chosen."""
    user = str(body["user"]["id"])
    await parts.people.may_write(user)
    await _open(parts, body, user, Place("", "", (await parts.workspace_chosen(user)).name))
    await ack()


async def open_from_button(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**New ticket** on a message of ours: the form, for the workspace of that place."""
    user = str(body["user"]["id"])
    await parts.people.may_write(user)
    await _open(parts, body, user, await forms.seen_from(parts, body))
    await ack()


async def _open(parts: Parts, body: dict[str, Any], user: str, place: Place) -> None:
    free = len(parts.workspaces) > 1 and (not place.channel or await parts.is_direct(place.channel))
    more = {"several": "yes"} if free else {}
    if body.get("response_url"):
        more["response_url"] = str(body["response_url"])  # answers there also where the bot is no member
    metadata = place.remember(**more)
    workspaces = await _names(parts, user, metadata)
    await forms.open_view(parts, body, new_ticket_modal(metadata=metadata, workspaces=workspaces))


async def _names(parts: Parts, user: str, metadata: dict[str, Any]) -> list[str]:
    """The workspaces that the form offers: in a channel its own alone, else all that the person may choose."""
    if not metadata.get("several"):
        return [metadata["workspace"]]
    return [one.name for one in parts.workspaces if await parts.may_choose(user, one)]


async def workspace_chosen(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Another workspace was chosen in the form: its epics and tickets are offered from now on."""
    user, chosen = str(body["user"]["id"]), str(body["actions"][0]["selected_option"]["value"])
    kept = remembered(body)
    names = await _names(parts, user, kept)
    if chosen in names:
        view = new_ticket_modal(metadata={**kept, "workspace": chosen}, workspaces=names)
        await parts.client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=view)
    await ack()


async def epic_options(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The epics that fit what is typed, best matches first; those at work before the finished ones."""
    query = str(body.get("value") or "").strip()
    epics = await (await _workspace(parts, body)).in_store(lambda store: store.epics())
    await ack(options=[modals.option(f"{epic.id} · {epic.title}", epic.id) for epic in fitting(epics, query)[:50]])


def fitting(epics: list[Epic], query: str) -> list[Epic]:
    """The epics with every word of the query in id or title; that of the id first, then by where the words stand."""
    words, key = query.casefold().split(), id_key(query, DEFAULT_EPIC_PREFIX)

    def rank(epic: Epic) -> tuple[bool, bool, bool]:
        return epic.key != key, not epic.title.casefold().startswith(" ".join(words)), epic.status not in OPEN

    found = [epic for epic in epics if epic.key == key or all(w in f"{epic.id} {epic.title}".casefold() for w in words)]
    return sorted(found, key=rank)


async def blocker_options(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The tickets that fit what is typed, best matches first, archived ones absent."""
    query = str(body.get("value") or "").strip()
    tickets = await (await _workspace(parts, body)).in_store(lambda store: store.search(query, limit=50))
    await ack(options=modals.ticket_options(tickets))


async def _workspace(parts: Parts, body: dict[str, Any]) -> Workspace:
    """The workspace whose form this is."""
    await parts.people.may_write(str(body["user"]["id"]))
    return parts.workspaces.named(remembered(body)["workspace"])


async def submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The filled form: refused at each field that is wrong, or written down, once."""
    values, kept, user = body["view"]["state"]["values"], remembered(body), str(body["user"]["id"])
    workspace = await _workspace(parts, body)
    draft, wrong = filled(values)
    draft, missing = await workspace.in_store(lambda store: found(store, draft))
    wrong |= {block_of(values, name): sentence for name, sentence in missing.items()}
    if wrong:
        await ack(response_action="errors", errors=wrong)
        return
    place = replace(place_of(body), channel=kept["channel"] or await parts.direct_channel(user))
    more = {"draft": asdict(draft), "workspace": workspace.name, "response_url": kept.get("response_url")}
    await forms.take_in(parts, body, "new_ticket", place, **more, direct=not kept["channel"])
    await ack()


def found(store: TicketStore, draft: NewTicket) -> tuple[NewTicket, dict[str, str]]:
    """The draft with epic and blockers as their files spell them, and what is wrong with either."""
    wrong: dict[str, str] = {}
    if draft.epic_id:
        epic = store.epic(draft.epic_id)
        if epic is None:
            wrong["epic"] = f"There is no epic {draft.epic_id}."
        draft = replace(draft, epic_id=epic.id if epic else None)
    blockers = []
    for ticket_id in draft.blocked_by:
        try:
            blockers.append(store.get(ticket_id).id)
        except BotError as error:
            wrong["blockers"] = error.text
    return replace(draft, blocked_by=tuple(blockers)), wrong


async def one_line(parts: Parts, claim: Claim, item: Item, words: str) -> None:
    """`/ticket new Fix the login type:bug`: made at once; without a title the form is offered."""
    if not words:
        await answer(parts, claim, item, blocks.which_title(parts.commands.ticket))
        return
    await parts.people.may_write(str(item.body["user"]))
    workspace = await parts.workspace_of(claim, item)
    draft, wrong = await workspace.in_store(lambda store: found(store, in_one_line(words)))
    if wrong:
        raise EpicNotFound(f"{wrong['epic']} `{parts.commands.ticket} epics` lists them.")
    await make(parts, claim, item, workspace, draft)


async def from_form(parts: Parts, claim: Claim, item: Item) -> None:
    """A ticket by the form. Body: {user, draft, workspace, direct, response_url}."""
    await parts.people.may_write(str(item.body["user"]))
    workspace = parts.workspaces.named(str(item.body["workspace"]))
    await make(parts, claim, item, workspace, drafted(item.body["draft"]))


def drafted(kept: dict[str, Any]) -> NewTicket:
    """A draft as it was written down in the inbox."""
    return NewTicket(
        title=kept["title"],
        description=kept["description"],
        type=TicketType(kept["type"]),
        priority=Priority(kept["priority"]),
        labels=tuple(kept["labels"]),
        epic_id=kept["epic_id"],
        blocked_by=tuple(kept["blocked_by"]),
        subtasks=tuple(kept["subtasks"]),
    )


async def make(parts: Parts, claim: Claim, item: Item, workspace: Workspace, draft: NewTicket) -> None:
    """Makes the ticket, once for each item, and shows it to who made it, with **Start chat**."""
    user = str(item.body["user"])
    ticket = await workspace.in_store(lambda store: store.create(draft, by=Actor("user", user), op=f"new:{item.key}"))
    shown = ticket_blocks.made(await card(parts, workspace, ticket.id, await parts.people.audience_of(user)))
    # In a direct message it stays; elsewhere the person alone is told.
    await (notice if item.body.get("direct") is True and not claim.thread_ts else answer)(parts, claim, item, shown)
