"""What the bot hands in to have a ticket looked at before an agent closes it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.errors import BotError
from bot.tickets.ticket import Ticket


@dataclass(frozen=True)
class Review:
    """`against` says what is open, one sentence each; `ask` shows a person that, who may go on all the same."""

    against: Callable[[Ticket], Awaitable[Sequence[str]]]
    ask: Callable[[Ticket], Awaitable[None]]


class StillOpen(BotError):
    """Something speaks against closing the ticket, and a person decides."""

    def __init__(self, ticket: Ticket, against: Sequence[str]) -> None:
        self.ticket = ticket
        super().__init__(
            f"{ticket.id} was not moved to done; it is {ticket.status}. This speaks against it: {'; '.join(against)}. "
            "A person decides: in this conversation they are shown “Move to done anyway”. Tell them what is open, "
            "and do not try again before it is done."
        )
