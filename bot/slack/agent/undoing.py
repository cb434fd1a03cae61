"""**Undo** below an answer: takes back what the agent did to tickets in that turn, where nobody changed it since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from bot.errors import BotError
from bot.inbox import posts
from bot.inbox.claim import Claim, Item, finish
from bot.sessions import transcript
from bot.sessions.session import find_by_thread
from bot.sessions.transcript import ToolCall
from bot.slack.intake import clicks
from bot.slack.intake.place import place_of
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, may_work_here
from bot.slack.sessions.opening import refresh_header
from bot.slack.views import blocks
from bot.slack.views.answer_blocks import undone
from bot.slack.views.markdown import doing
from bot.tickets.change import Actor
from bot.tickets.store import TicketStore
from bot.tickets.undo import undo, undo_op


@dataclass(frozen=True)
class Undone:
    """What became of taking one call back: `refusal` says why it could not be."""

    what: str
    refusal: str | None = None


async def clicked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Undo**."""
    await parts.people.may_write(str(body["user"]["id"]))
    await clicks.take_in(parts, body, "undo", place_of(body), turn_key=clicks.value(body))
    await ack()


async def take_back(parts: Parts, claim: Claim, item: Item) -> None:
    """Does it, the last change first; done again it changes nothing. Body: {user, turn_key}."""
    user, turn_key = str(item.body["user"]), str(item.body["turn_key"])
    await may_work_here(parts, claim, user)
    calls = await claim.read(lambda c: _calls(c, claim.thread_id, turn_key))
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session is None or not calls:
        await answer(parts, claim, item, blocks.said("There is nothing to take back here."))
        return
    workspace = parts.workspaces.named(session.workspace)
    by = Actor("user", user)
    made = [
        found
        for call in reversed(calls)
        if (found := await workspace.in_store(lambda store, one=call: _one(store, one, by)))  # type: ignore[misc]
    ]
    if not made:
        await answer(parts, claim, item, blocks.said("All of it has been taken back already."))
        return
    shown = undone(user, [(one.what, one.refusal) for one in made])
    await refresh_header(parts, claim, session.id)

    def tell(connection: Connection) -> None:
        key = f"undone.{item.id}"
        posts.put(connection, key=key, thread_id=claim.thread_id, role="notice", want=shown.as_want())
        finish(connection, [item])

    await claim.write("undone", tell)


def _calls(connection: Connection, thread_id: int, turn_key: str) -> list[ToolCall]:
    """The calls of a turn that may have changed a ticket."""
    session = find_by_thread(connection, thread_id)
    turns = transcript.turns_of(connection, session.id) if session else []
    ids = [turn.id for turn in turns if turn.key == turn_key]
    steps = transcript.steps_of(connection, ids)
    calls = [call for of_turn in steps.values() for step in of_turn for call in step.calls]
    return [call for call in calls if call.before and call.result and not call.is_error]


def _one(store: TicketStore, call: ToolCall, by: Actor) -> Undone | None:
    """Takes one call back; None where there is nothing (more) to take back."""
    before, result = json.loads(call.before or "{}"), json.loads(call.result or "{}")
    ticket_id = before.get("ticket") or result.get("id")
    what = doing(call.name, call.input)
    if not isinstance(ticket_id, str):
        return None
    op = undo_op(call.op)
    try:
        found = store.get(ticket_id)
        if found.has_op(op) or not found.has_op(call.op):
            return None
        store.change(
            ticket_id,
            lambda ticket, now: undo(ticket, call.op, before.get("fields") or {}, by=by, at=now),
            op=op,
            read=result.get("revision"),
        )
    except BotError as error:
        return Undone(what, error.text)
    return Undone(what)
