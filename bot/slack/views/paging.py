"""What is longer than a view takes, cut into pages that Slack takes whatever stands in them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.slack.views.blocks import Block, button, context

MOST_BLOCKS = 70  # of the 100 of a view: the rest is for what stands above and below
MOST_BYTES = 90_000  # of 250 KB, as JSON writes them; one group alone may be 60,000
PLAIN = 2_900


@dataclass(frozen=True)
class Page:
    """Page `number` of `count`, from 1 on."""

    number: int
    count: int

    def turns(self) -> list[Block]:
        """Where in the pages this is, and buttons to the others; nothing where there is one."""
        if self.count <= 1:
            return []
        ways = [
            ("First", "view_first", 1, self.number > 2),
            ("Previous", "view_previous", self.number - 1, self.number > 1),
            ("Next", "view_next", self.number + 1, self.number < self.count),
            ("Last", "view_last", self.count, self.number < self.count - 1),
        ]
        buttons = [button(label, action, str(to)) for label, action, to, there in ways if there]
        return [
            context(f"Page {self.number} of {self.count}"),
            {"type": "actions", "block_id": "pages", "elements": buttons},
        ]


def paged(groups: Iterable[Sequence[Block]], number: int) -> tuple[list[Block], Page]:
    """A page of groups of blocks, each group on one page; the last page where there are fewer than `number`."""
    pages: list[list[Block]] = [[]]
    weight = 0
    for group in groups:
        heavy = len(json.dumps(group))
        if pages[-1] and (len(pages[-1]) + len(group) > MOST_BLOCKS or weight + heavy > MOST_BYTES):
            pages.append([])
            weight = 0
        pages[-1] += group
        weight += heavy
    at = min(max(number, 1), len(pages))
    return pages[at - 1], Page(at, len(pages))


def typed(text: str) -> list[Block]:
    """A text as it was typed, whole, in as many sections as it needs; nothing in it is taken for a mark."""
    return [{"type": "section", "text": {"type": "plain_text", "text": part}} for part in chunks(text, PLAIN)]


def chunks(text: str, size: int) -> list[str]:
    """The text in pieces of at most `size` characters, cut at the end of a line where there is one."""
    parts: list[str] = []
    while len(text) > size:
        at = text.rfind("\n", size // 2, size)
        at = at + 1 if at >= 0 else size
        parts.append(text[:at])
        text = text[at:]
    return [part for part in (*parts, text) if part.strip()]
