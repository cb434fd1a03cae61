"""The linked ticket as the agent of a thread is told of it: whole at first, then what changed; people are told too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.agent.reads import Context, context_of, read_by
from bot.agent.told_ticket import ticket_changed, ticket_context
from bot.errors import BotError
from bot.inbox import posts
from bot.inbox.claim import Claim
from bot.sessions.compactions import find_compaction
from bot.sessions.transcript import Turn, steps_of, turns_of
from bot.slack.delivery import deliver
from bot.slack.parts import Parts
from bot.slack.views.activity_view import SLACK_ID
from bot.slack.views.receipt_view import changed_notice
from bot.slack.workspaces import Workspace
from bot.tickets.change import HistoryEntry, Value
from bot.tickets.criteria import criteria_of
from bot.tickets.difference import Look, look
from bot.tickets.news import News, news
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Ticket

AGAIN = 12_000  # characters: a longer ticket is not told whole again when it has changed
FRAMED = "</linked_ticket>"
MOST_NAMES = 4


@dataclass(frozen=True)
class Told:
    """What the model was told of a ticket before a request.

    `own` is what this turn was given by now, `framed` the newest whole ticket of earlier turns that is still before
    the model's eyes, `last` the newest of them that says how the ticket looked. `read` is the revision that the model
    has read last, `turns` are the keys of the session's turns, `step` is the number of the step that comes next.
    """

    own: Context | None
    framed: Context | None
    last: Context | None
    read: str | None
    turns: frozenset[str]
    step: int


async def context(
    parts: Parts, claim: Claim, workspace: Workspace, turn: Turn, ticket_id: str | None
) -> Context | None:
    """The linked ticket for the next request; why not, where it cannot be read.

    What a turn was given stays as it is: only if others change the ticket in the middle of it, it is given anew.
    """
    if ticket_id is None:
        return None
    told = await claim.read(lambda c: told_before(c, turn, ticket_id))
    try:
        ticket, given, found = await workspace.in_store(lambda store: _context(store, ticket_id, told))
    except BotError as error:
        sentence = f"The linked ticket {ticket_id} cannot be read now: {error.text}"
        return told.own or Context(sentence, ticket_id=ticket_id, at=told.step)
    if found and told.own is None:
        shown = changed_notice(ticket.id, found, await _who(parts, found)).as_want()
        key = f"{turn.key}.changed"
        await claim.write(
            "ticket changed", lambda c: posts.put(c, key=key, thread_id=claim.thread_id, role="notice", want=shown)
        )
        await deliver(parts, claim)
    return given


def told_before(connection: Connection, turn: Turn, ticket_id: str) -> Told:
    """What the rows say of it."""
    turns = [one for one in turns_of(connection, turn.session_id) if one.n <= turn.n]
    contexts = [had if (had := context_of(one.receipt)) and had.ticket_id == ticket_id else None for one in turns]
    looked = [n for n, had in enumerate(contexts[:-1]) if had and had.look]
    steps = steps_of(connection, [one.id for one in turns[looked[-1] if looked else 0 :]])
    compaction = find_compaction(connection, turn.session_id, turn.n)
    left_out = compaction.turn_n if compaction else 0
    own = framed = last = None
    read: str | None = None
    for one, had in zip(turns, contexts, strict=True):
        if had:
            if one.id == turn.id:
                own = had
            else:
                framed = had if had.text.endswith(FRAMED) and one.n > left_out else framed
                last = had if had.look else last
            read = had.read.get(ticket_id) or read
        read = read_by(steps.get(one.id, [])).get(ticket_id) or read
    if own and own.at is not None:
        # What it was given in the middle of the turn goes before what it had read earlier in it.
        later = [step for step in steps[turn.id] if step.n >= own.at]
        read = read_by(later).get(ticket_id) or own.read.get(ticket_id) or read
    return Told(own, framed, last, read, frozenset(one.key for one in turns), len(steps.get(turn.id, [])))


def _context(store: TicketStore, ticket_id: str, told: Told) -> tuple[Ticket, Context, News | None]:
    ticket = store.get(ticket_id)
    if told.own and (told.own.text.endswith(FRAMED) or told.framed) and not _news(told, told.own, ticket):
        return ticket, told.own, None
    found = _news(told, told.last, ticket)
    related = _tickets(store, [*ticket.relates_to, *([ticket.parent_id] if ticket.parent_id else [])])
    epic = store.epic(ticket.epic_id) if ticket.epic_id else None
    frame = ticket_context(ticket, related, _tickets(store, ticket.blocked_by), epic)
    texts = [ticket_changed(ticket, found)] if found else []
    if told.framed is None or (len(frame) <= AGAIN and not told.framed.text.endswith(frame)):
        texts.append(frame)
    given = Context(
        text="\n\n".join(texts),
        read={ticket.id: ticket.revision},
        ticket_id=ticket_id,
        about=_about(ticket, [one for one in related if one != ticket.parent_id]) | {"changed": bool(found)},
        at=told.step,
    )
    now = look(ticket)
    return ticket, replace(given, look={"fields": dict(now.fields), "history": now.history} if texts else None), found


def _news(told: Told, since: Context | None, ticket: Ticket) -> News | None:
    """What others have changed since the model was told of the ticket; its own changes are none."""
    base = since if since and since.look else told.last
    if base is None or base.look is None:
        return None
    fields, lines = base.look["fields"], base.look["history"]
    assert isinstance(fields, dict) and isinstance(lines, int)

    def own(entry: HistoryEntry) -> bool:
        name, _, rest = (entry.op or "").partition(".")
        return name == "turn" and rest.partition(".")[0] in told.turns

    return news(Look(fields, lines), told.read, ticket, own)


async def _who(parts: Parts, found: News) -> list[str]:
    """Who did it, by name: a quiet line mentions nobody."""
    names: dict[str, None] = {}
    for entry in found.entries:
        if entry.actor_type == "agent":
            name = f"the agent {entry.actor_id}"
        elif SLACK_ID.match(entry.actor_id):
            try:
                name = (await parts.people.person(entry.actor_id)).name
            except BotError:
                name = "somebody"
        else:
            name = entry.actor_id or entry.actor_type
        names[name] = None
    return list(names)[:MOST_NAMES]


def _about(ticket: Ticket, related: Sequence[str]) -> dict[str, Value]:
    """What a receipt says of the ticket that the model was given."""
    criteria = criteria_of(ticket.description)
    return {
        "revision": ticket.digest[:12],
        "criteria": [sum(one.done for one in criteria), len(criteria)],
        "subtasks": [ticket.completed_subtasks, len(ticket.subtasks)],
        "related": list(related),
        "blockers": list(ticket.blocked_by),
        "epic": ticket.epic_id,
    }


def _tickets(store: TicketStore, ids: Sequence[str]) -> dict[str, Ticket | None]:
    found: dict[str, Ticket | None] = {}
    for ticket_id in ids:
        try:
            found[ticket_id] = store.find(ticket_id)
        except BotError:
            found[ticket_id] = None
    return found
