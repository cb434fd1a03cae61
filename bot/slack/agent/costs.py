"""What agents use: `/ticket T-042 cost`, `cost` in a thread, and the limits that end a turn."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from bot.agent.limits import Spent, is_set, reached
from bot.agent.prices import total
from bot.inbox.claim import Claim, Item
from bot.sessions.audience import Audience
from bot.sessions.listing import sessions_of_ticket
from bot.sessions.session import ChatSession
from bot.sessions.spending import Spending, count_turns, spent_by_session, spent_in_day, spent_in_session, spent_in_turn
from bot.sessions.transcript import Turn
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer
from bot.slack.sessions.opening import permalink
from bot.slack.tickets.cards import linked_ticket
from bot.slack.views.receipt_view import Used, costs

MOST_SESSIONS = 500  # that are added up
MOST_LISTED = 15


async def ticket_cost(parts: Parts, claim: Claim, item: Item, some_id: str | None = None) -> None:
    """What the ticket's sessions have used, as far as the person who asks may see them; to that person alone."""
    user = str(item.body["user"])
    await parts.people.may_look(user)
    workspace, audience = await parts.workspace_of(claim, item), await parts.people.audience_of(user)
    wanted = some_id or await linked_ticket(claim)
    ticket = await workspace.in_store(lambda store: store.get(wanted))
    of = (parts.me.team, workspace.name, ticket.id)
    listed, spending, turns = await parts.db.read(lambda c: _used(c, audience, *of))
    most = sorted(listed, key=lambda one: -sum(used.all for used in spending.get(one.id, ())))
    shown = [
        Used(
            one.title,
            await permalink(parts, one.channel, one.thread_ts) if n < MOST_LISTED else None,
            turns.get(one.id, 0),
            spending.get(one.id, ()),
        )
        for n, one in enumerate(most)
    ]
    more = max(0, len(shown) - MOST_LISTED)
    await answer(parts, claim, item, costs(ticket.id, ticket.title, shown, more, parts.prices))


def _used(
    connection: Connection, audience: Audience, team: str, workspace: str, ticket_id: str
) -> tuple[list[ChatSession], Mapping[str, Spending], Mapping[str, int]]:
    """The ticket's sessions, what each has used, and how many turns it had."""
    listed = sessions_of_ticket(connection, audience, team, workspace, ticket_id, MOST_SESSIONS)
    ids = [one.session.id for one in listed]
    return [one.session for one in listed], spent_by_session(connection, ids), count_turns(connection, ids)


async def limit_reached(parts: Parts, claim: Claim, session: ChatSession, turn: Turn) -> str | None:
    """The sentence on a limit that leaves no room for one more answer of the model; None while there is room."""
    limits = parts.limits

    def read(connection: Connection) -> tuple[Spending, Spending, Spending]:
        return (
            spent_in_turn(connection, turn.id),
            spent_in_session(connection, session.id) if is_set(limits.thread) else (),
            spent_in_day(connection, session.team, parts.now_ms()) if is_set(limits.day) else (),
        )

    return reached(limits, *(_spent(parts, one) for one in await claim.read(read)))


def _spent(parts: Parts, spending: Spending) -> Spent:
    return Spent(
        sum(used.answers for used in spending),
        sum(used.all for used in spending),
        total(parts.prices, spending)[0] or 0.0,
    )
