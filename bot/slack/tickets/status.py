"""A ticket's status: said, changed by word or by choosing what is allowed, each refusal with what is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.errors import EditConflict, InvalidTicket, TransitionNotAllowed
from bot.inbox import posts
from bot.inbox.claim import Claim, Item, finish
from bot.sessions.session import find_by_thread
from bot.slack.intake import clicks, forms
from bot.slack.intake.place import Place, place_of
from bot.slack.intake.words import letters_of
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, notice
from bot.slack.sessions.opening import refresh_header
from bot.slack.tickets.cards import card, linked_ticket
from bot.slack.tickets.closing import NotReviewed, review_key, session_of, speaks_against
from bot.slack.tickets.looks import Look
from bot.slack.tickets.viewing import draw_anew
from bot.slack.views import blocks, ticket_blocks
from bot.slack.views.review_blocks import Against, review
from bot.slack.workspaces import Workspace
from bot.tickets.change import Change
from bot.tickets.closing import closes
from bot.tickets.closing import move as move_to
from bot.tickets.difference import Changed
from bot.tickets.revision import refuse_conflict
from bot.tickets.ticket import Actor, Ticket
from bot.tickets.vocabulary import Status, spelled


def meant(ticket: Ticket, words: str) -> Status:
    """The status that a person means: a whole word, or the beginning of one.

    Of several that begin so, the one that may follow the present status is meant. Raises InvalidTicket where that
    leaves none, or more than one.
    """
    try:
        return spelled(Status, words)
    except InvalidTicket:
        letters = letters_of(words)
    allowed = ticket.next_statuses()
    for choice in (allowed, tuple(Status)):
        found = [status for status in choice if letters and letters_of(status).startswith(letters)]
        if len(found) == 1:
            return found[0]
        if found:
            raise InvalidTicket(f"“{words.strip()[:60]}” may be {' or '.join(found)}. Type a letter more.")
    raise InvalidTicket(
        f"“{words.strip()[:60]}” is no status. {ticket.id} is {ticket.status} and can become {', '.join(allowed)}."
    )


async def linked_status(parts: Parts, claim: Claim, item: Item, words: str) -> None:
    """`status` in a thread says how its ticket stands, with what it can become; `status in_review` changes it."""
    await status(parts, claim, item, await linked_ticket(claim), words)


async def status(parts: Parts, claim: Claim, item: Item, ticket_id: str, words: str) -> None:
    """Says how a ticket stands, or changes that by a word; raises TransitionNotAllowed with what is allowed."""
    workspace = await parts.workspace_of(claim, item)
    if not words:
        ticket = await workspace.in_store(lambda store: store.get(ticket_id))
        await answer(parts, claim, item, ticket_blocks.status_line(ticket))
        return
    try:
        changed = await change(parts, claim, workspace, item, ticket_id, words, read=None)
    except NotReviewed as refused:
        await answer(parts, claim, item, review(refused.against))
        return
    await header_follows(parts, claim)
    said = _said(changed, item)
    await (notice if claim.thread_ts and _moved(changed, item) else answer)(parts, claim, item, said)


async def picked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Move to …** on a card, in the answer to `status`, or in a ticket's modal."""
    action = body["actions"][0]
    shown, ticket_id, read = action["block_id"].split(" ")
    more = {"ticket_id": ticket_id, "status": action["selected_option"]["value"], "read": read, "shown": shown}
    if forms.in_modal(body):
        more |= {"shown": "modal", "view_id": body["view"]["id"]}
    await clicks.take_in(parts, body, "status", place_of(body), **more)
    await ack()


async def move(parts: Parts, claim: Claim, item: Item) -> None:
    """A status that was chosen. Body: {user, ticket_id, status, read, shown, view_id?, anyway?, note?, turn_key?}.

    `shown` is what the person chose from: card, line, modal, or review (what speaks against closing; `turn_key` where
    the agent put it into the thread). It is shown anew, as the ticket is now; where that had changed meanwhile, with
    both values.
    """
    workspace, ticket_id = await parts.workspace_of(claim, item), str(item.body["ticket_id"])
    changed: Changed | None = None
    status, read = str(item.body["status"]), str(item.body["read"])
    try:
        changed = await change(parts, claim, workspace, item, ticket_id, status, read=read)
        said = _said(changed, item)
    except NotReviewed as refused:
        said = review(refused.against)
    except (EditConflict, TransitionNotAllowed) as error:
        said = blocks.error(error.text)
    await header_follows(parts, claim)
    await show_anew(parts, claim, item, workspace, said, done=changed is not None)
    if changed and claim.thread_ts and _moved(changed, item) and not item.body.get("turn_key"):
        await notice(parts, claim, item, said)
    else:
        await claim.write("item done", lambda c: finish(c, [item]))


async def change(
    parts: Parts, claim: Claim, workspace: Workspace, item: Item, ticket_id: str, words: str, *, read: str | None
) -> Changed:
    """A person moves a ticket, once for each item; `read` is the revision that the person had seen.

    Raises NotReviewed where that closes it, something speaks against it, and the person has not said `anyway`.
    """
    user = str(item.body["user"])
    await parts.people.may_write(user)
    by, note = Actor("user", user), str(item.body.get("note") or "") or None
    ticket = await workspace.in_store(lambda store: store.get(ticket_id))
    against = Against(ticket)
    if closes(ticket, meant(ticket, words)) and not ticket.has_op(_op(item)):
        audience = await parts.people.audience_of(user)
        against = await speaks_against(parts, workspace, ticket, audience, user, await session_of(claim))

    def rule(now_is: Ticket, now: datetime) -> Change | None:
        to = meant(now_is, words)
        wanted = move_to(now_is, to, against.lines, by=by, at=now, comment=note)
        if wanted is not None and against.lines and closes(now_is, to) and not item.body.get("anyway"):
            if read is not None:
                refuse_conflict(now_is, read, wanted.edits)
            raise NotReviewed(against)
        return wanted

    return await workspace.in_store(lambda store: store.change(ticket_id, rule, op=_op(item), read=read))


async def show_anew(
    parts: Parts, claim: Claim, item: Item, workspace: Workspace, said: blocks.Shown, *, done: bool
) -> None:
    """What the person chose from, as the ticket is now, with what happened above it."""
    user, ticket_id, shown = str(item.body["user"]), str(item.body["ticket_id"]), item.body["shown"]
    if shown == "modal":
        place = Place(claim.channel, claim.thread_ts, workspace.name)
        if not await draw_anew(parts, user, str(item.body["view_id"]), place, Look(ticket_id), said):
            await parts.tell(user, claim.channel, said, thread_ts=claim.thread_ts)  # the modal was closed meanwhile
        return
    if done and (turn_key := item.body.get("turn_key")):
        key = review_key(str(turn_key))
        of, want = claim.thread_id, said.as_want()
        await claim.write("reviewed", lambda c: posts.put(c, key=key, thread_id=of, role="notice", want=want))
        return
    fresh = said
    if shown == "line":
        ticket = await workspace.in_store(lambda store: store.get(ticket_id))
        fresh = ticket_blocks.with_note(said, ticket_blocks.status_line(ticket))
    elif shown == "card":
        audience = await parts.people.audience_of(user)
        fresh = ticket_blocks.with_note(said, await card(parts, workspace, ticket_id, audience))
    url = item.body.get("response_url")
    instead = not item.body.get("turn_key")  # a card that everybody sees stays until it is done
    await parts.tell(user, claim.channel, fresh, thread_ts=claim.thread_ts, response_url=url, instead=instead)


async def header_follows(parts: Parts, claim: Claim) -> None:
    """The thread's header says how its ticket stands now."""
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id)) if claim.thread_ts else None
    if session:
        await refresh_header(parts, claim, session.id)


def _said(changed: Changed, item: Item) -> blocks.Shown:
    before, after = changed.before, changed.after
    if not _moved(changed, item):
        return blocks.said(f"{after.id} is {after.status} already.")
    moved = next((entry.details for entry in after.history if entry.op == _op(item)), {})
    was, now = str(moved.get("from") or before.status), str(moved.get("to") or after.status)
    return blocks.status_notice(after.id, after.title, was, now, str(item.body["user"]))


def _moved(changed: Changed, item: Item) -> bool:
    """Whether this item moved the ticket, now or before a crash."""
    return changed.changed or changed.after.has_op(_op(item))


def _op(item: Item) -> str:
    return f"status:{item.key}"
