"""The hand-over brief with which a thread begins: what earlier sessions of the ticket decided."""

from __future__ import annotations

from bot.inbox.claim import Claim
from bot.sessions import handover
from bot.sessions.session import ChatSession
from bot.slack.parts import Parts
from bot.slack.views.blocks import Shown
from bot.slack.views.session_blocks import brief
from bot.tickets.ticket import Ticket


async def brief_for(parts: Parts, claim: Claim, session: ChatSession, ticket: Ticket, *, always: bool) -> Shown | None:
    """What earlier sessions decided, as far as everybody in the channel may see them; kept for the agent too.

    Without `always`, None where there is no earlier session to be seen. The same again, once it is kept.
    """
    audience = await parts.people.audience_in(claim.channel)
    earlier = await claim.read(lambda c: handover.earlier_sessions(c, audience, session, ticket.id))
    if not earlier and not always:
        return None
    text = handover.brief(ticket, earlier)
    return brief(await claim.write("brief", lambda c: handover.keep_brief(c, session.id, text)))
