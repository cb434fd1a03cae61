"""What a person types behind `/ticket list`: statuses, types, priorities, an epic, a label, in any order. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import BotError, InvalidTicket
from bot.slack.views.ticket_blocks import MOST_PAGES
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, id_key, written
from bot.tickets.vocabulary import Priority, Status, TicketType, spelled

KINDS = {"status": Status, "type": TicketType, "priority": Priority}
QUOTED = "\"“”„'‘’"
TOKEN = re.compile(rf"(?:label:|#)[{QUOTED}][^{QUOTED}]+[{QUOTED}]|[^\s,]+", re.IGNORECASE)


@dataclass(frozen=True)
class Filters:
    """What a list is to hold; `ready` and `blocked` are lists of their own, `archived` shows archived ones too."""

    status: Status | None = None
    type: TicketType | None = None
    priority: Priority | None = None
    epic_id: str | None = None
    label: str | None = None
    ready: bool = False
    blocked: bool = False
    archived: bool = False
    page: int = 1

    def words(self) -> str:
        """The same as somebody would type it, without the page."""
        label = self.label and (f'#"{self.label}"' if " " in self.label else f"#{self.label}")
        flags = (name for name in ("ready", "blocked", "archived") if getattr(self, name))
        words = (self.status, self.type, self.priority, self.epic_id, label, *flags)
        return " ".join(str(word) for word in words if word)


def filters_in(text: str) -> Filters:
    """The filters that a text asks for; raises BotError, saying what there is, for any other word."""
    found = Filters()
    words = TOKEN.findall(text)
    while words:
        word = words.pop(0)
        if word.lower() == "page" and words:
            found = replace(found, page=_page(words.pop(0)))
        elif word.lower() == "in" and words:
            found = _with(found, _one(f"in_{words.pop(0)}"))
        else:
            found = _with(found, _one(word))
    if found.ready and (found.blocked or found.status not in (None, Status.PLANNED)):
        raise BotError("A ticket that is ready is planned, and nothing blocks it. Leave one of these words out.")
    return found


def _one(word: str) -> dict[str, Any]:
    """What one word asks for."""
    name, _, value = word.partition(":")
    if word.lower() in ("ready", "blocked", "archived"):
        return {word.lower(): True}
    if word.startswith("#") or name.lower() in ("label", "labels"):
        label = (word if word.startswith("#") else value).lstrip("#").strip(QUOTED)
        if label:
            return {"label": label[:100]}
    elif name.lower() in KINDS and value:
        return {name.lower(): spelled(KINDS[name.lower()], value)}
    elif name.lower() == "epic" and (key := id_key(value, DEFAULT_EPIC_PREFIX)):
        return {"epic_id": written(*key)}
    else:
        for kind, words in KINDS.items():
            try:
                return {kind: spelled(words, word)}
            except InvalidTicket:
                continue
        if "-" in word and (key := id_key(word)):
            return {"epic_id": written(*key)}
    raise BotError(f"I do not know “{word[:60]}” in a list. {known()}")


def known() -> str:
    """The words that a list understands."""
    kinds = "; ".join(f"a {name} ({', '.join(words)})" for name, words in KINDS.items())
    return f"I know {kinds}; an epic (E-001), a label (#ui), ready, blocked, archived, and page 2."


def _with(found: Filters, more: dict[str, Any]) -> Filters:
    """The filters with one more; raises BotError for a second of a kind."""
    for name, value in more.items():
        present = getattr(found, name)
        if present not in (None, False, value):
            kind = name.removesuffix("_id")
            raise BotError(f"A list has one {kind} at most: {present} or {value}.")
    return replace(found, **more)


def _page(word: str) -> int:
    if not re.fullmatch(r"\d{1,4}", word) or not int(word):
        raise BotError(f"A page is a number from 1 to {MOST_PAGES}, not “{word[:60]}”.")
    return int(word)
