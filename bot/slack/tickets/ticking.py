"""Boxes ticked in the ticket view: each is one change of the ticket, made by the worker, and then drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.errors import BotError, CriterionGone, SubtaskNotFound
from bot.inbox.claim import Claim, Item, finish
from bot.slack.intake import clicks
from bot.slack.intake.place import Place, place_of, remembered
from bot.slack.parts import Parts
from bot.slack.tickets.looks import look_from
from bot.slack.tickets.viewing import draw_anew
from bot.slack.views import blocks
from bot.slack.views.ticket_view import criterion_changes, subtask_changes, subtask_name
from bot.tickets.change import Change
from bot.tickets.criteria import criteria_of, ticked
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, HistoryEntry, SubtaskStatus, Ticket

OP = "tick"


@dataclass(frozen=True)
class Box:
    """A box as a ticket has it now: whether it is ticked, and the lines of history about it, newest first."""

    done: bool
    changes: list[HistoryEntry]


async def boxes_clicked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """A box of criteria or subtasks was ticked, or its tick taken away: written down, with how all were drawn."""
    action, look = body["actions"][0], look_from(remembered(body))
    element = next(e for b in body["view"]["blocks"] if b["block_id"] == action["block_id"] for e in b["elements"])
    drawn = {option["value"]: False for option in element["options"]}
    drawn |= {option["value"]: True for option in element.get("initial_options") or ()}
    chosen = {option["value"] for option in action["selected_options"]}
    more = {
        "ticket_id": look.ticket_id,
        "of": action["action_id"],
        "look": look.remember(),
        "drawn": drawn,
        "wanted": {name: name in chosen for name in drawn},
        "view_id": body["view"]["id"],
    }
    # In the channel's own lane: a tick does not wait until the agent has answered in the thread.
    here = place_of(body)
    await clicks.take_in(parts, body, OP, replace(here, thread_ts=""), **more, thread_ts=here.thread_ts)
    await ack()


async def tick(parts: Parts, claim: Claim, item: Item) -> None:
    """Makes the changes, each once, and draws the view.

    Body: {user, workspace, of, drawn, wanted, look, view_id, thread_ts}.

    What somebody else has changed since it was drawn stays as it is, and shows.
    """
    user, said = str(item.body["user"]), None
    workspace = parts.workspaces.named(str(item.body["workspace"]))
    try:
        await parts.people.may_write(user)
        await workspace.in_store(partial(_tick, item=item, by=Actor("user", user)))
    except BotError as error:
        said = blocks.error(error.text)
    look = look_from(item.body["look"])
    place = Place(claim.channel, str(item.body["thread_ts"]), workspace.name)
    try:
        there = await draw_anew(parts, user, str(item.body["view_id"]), place, look, said)
    except BotError as error:  # the ticket is gone, or its file cannot be read
        there, said = False, said or blocks.error(error.text)
    if said and not there:
        await parts.tell(user, claim.channel, said)
    await claim.write("item done", lambda c: finish(c, [item]))


def _tick(store: TicketStore, *, item: Item, by: Actor) -> None:
    """Every box that is to be another than it is: the rule looks at the ticket as it is under its lock."""
    criteria = item.body["of"] == "view_criteria"
    look, drawn, wanted = look_from(item.body["look"]), item.body["drawn"], item.body["wanted"]
    for name, done in wanted.items():

        def rule(ticket: Ticket, now: datetime, name: str = name, done: bool = done) -> Change | None:
            box = _criterion(ticket, name) if criteria else _subtask(ticket, name)
            if box is None:
                if done is drawn[name]:
                    return None
                raise CriterionGone(ticket.id) if criteria else SubtaskNotFound(f"That subtask of {ticket.id} is gone.")
            # Drawn as wanted and yet another now: only the person's own click of a moment ago is taken back.
            if box.done is done or (done is drawn[name] and not _mine(box.changes, by)):
                return None
            return _ticked(ticket, name, done, by, now) if criteria else _completed(ticket, name, done, by, now)

        # A criterion is one line of the description: other lines may have changed since it was drawn.
        read = None if criteria or done is drawn[name] else look.read
        store.change(look.ticket_id, rule, op=f"{OP}:{item.key}:{name}", read=read)


def _mine(changes: list[HistoryEntry], by: Actor) -> bool:
    return bool(changes) and changes[0].actor_id == by.id and (changes[0].op or "").startswith(f"{OP}:")


def _criterion(ticket: Ticket, name: str) -> Box | None:
    found = next((one for one in criteria_of(ticket.description) if one.name == name), None)
    return Box(found.done, criterion_changes(ticket, found.text)) if found else None


def _subtask(ticket: Ticket, name: str) -> Box | None:
    found = next((s for s in ticket.subtasks if subtask_name(s) == name), None)
    return Box(found.status is SubtaskStatus.COMPLETED, subtask_changes(ticket, found)) if found else None


def _ticked(ticket: Ticket, name: str, done: bool, by: Actor, now: datetime) -> Change | None:
    criterion = next(one for one in criteria_of(ticket.description) if one.name == name)
    return ticket.update(by=by, at=now, description=ticked(ticket.description, criterion, done))


def _completed(ticket: Ticket, name: str, done: bool, by: Actor, now: datetime) -> Change | None:
    subtask = next(s for s in ticket.subtasks if subtask_name(s) == name)
    return ticket.set_subtask(subtask, SubtaskStatus.COMPLETED if done else SubtaskStatus.PENDING, by, now)
