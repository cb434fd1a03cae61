"""What each caller has read of each ticket: a change is refused where somebody else changed the same field since."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeAlias

from bot.tickets.ids import IdKey, id_key

# A caller's session and a ticket; None where an id is no id.
Place: TypeAlias = tuple[str, IdKey | None]
MOST_READS = 1_000
LONGEST_REVISION = 4_000


class Reads:
    """The revision of each ticket that each session has read last; those not used for longest are forgotten."""

    def __init__(self, most: int = MOST_READS) -> None:
        self._most, self._lock = most, threading.Lock()
        self._revisions: OrderedDict[Place, str] = OrderedDict()

    def last(self, place: Place) -> str | None:
        """The revision that was read last, None when there is none."""
        with self._lock:
            return self._revisions.get(place)

    def renew(self, place: Place, revision: Callable[[str | None], str]) -> str:
        """Puts what `revision` makes of the last one in its place: calls that run side by side add to it."""
        with self._lock:
            renewed = self._revisions[place] = revision(self._revisions.get(place))
            self._revisions.move_to_end(place)
            if len(self._revisions) > self._most:
                self._revisions.popitem(last=False)
            return renewed


def read_in(result: str) -> dict[str, str]:
    """What somebody has read who was given a tool's result: the ticket's id and its revision; empty if neither."""
    try:
        answer = json.loads(result)
    except ValueError:
        return {}
    if not isinstance(answer, Mapping):
        return {}
    ticket = answer.get("ticket")
    ticket_id = ticket.get("id") if isinstance(ticket, Mapping) else answer.get("ticketId", answer.get("id"))
    revision = answer.get("revision")
    return {ticket_id: revision} if isinstance(ticket_id, str) and isinstance(revision, str) else {}


def by_key(read: object) -> dict[IdKey, str]:
    """`{ticket id: revision}` as a request says it, by the ids' keys; what is no such thing is left out."""
    pairs = read.items() if isinstance(read, Mapping) else ()
    found = ((id_key(one), revision) for one, revision in pairs if isinstance(one, str) and isinstance(revision, str))
    return {key: revision for key, revision in found if key is not None and len(revision) <= LONGEST_REVISION}
