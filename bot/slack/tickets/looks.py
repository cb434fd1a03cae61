"""What people look at in open ticket views, so that what is drawn there later shows that and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_REMEMBERED = 2_000


@dataclass(frozen=True)
class Look:
    """What of a ticket a person looks at. `tab`: details, sessions, activity or transcript (of `session_id`).

    `back` is the page of the sessions to go back to, `read` the revision of the ticket when it was drawn.
    """

    ticket_id: str
    tab: str = "details"
    page: int = 1
    session_id: str = ""
    back: int = 1
    read: str = ""

    def remember(self) -> dict[str, str]:
        """As a modal keeps it beside its place."""
        kept = {"ticket_id": self.ticket_id, "tab": self.tab, "page": str(self.page), "read": self.read}
        return {**kept, **({"session": self.session_id, "back": str(self.back)} if self.session_id else {})}


def look_from(kept: dict[str, Any]) -> Look:
    """What a modal was given to remember."""
    return Look(
        str(kept["ticket_id"]),
        str(kept.get("tab") or "details"),
        int(kept.get("page") or 1),
        str(kept.get("session") or ""),
        int(kept.get("back") or 1),
        str(kept.get("read") or ""),
    )


@dataclass
class Looks:
    """The look of each view that was turned lately, by the view's id; the oldest are forgotten."""

    _of: dict[str, Look] = field(default_factory=dict)

    def turn(self, view_id: str, look: Look) -> None:
        """The person turns to something else."""
        self._of.pop(view_id, None)
        self._of[view_id] = look
        while len(self._of) > MOST_REMEMBERED:
            del self._of[next(iter(self._of))]

    def now(self, view_id: str, else_: Look) -> Look:
        """What is looked at now."""
        return self._of.get(view_id, else_)
