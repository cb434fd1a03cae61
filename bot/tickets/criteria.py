"""Criteria: the check boxes in a ticket's description, found and ticked without touching any other line.

Sciorex-workspace: requirements and acceptance criteria are check boxes inside the description.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

from bot.tickets.change import Value

_BOX = re.compile(r"(?P<before>[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[)(?P<mark>[ xX])\](?P<after>[ \t]+(?P<text>\S.*))")
_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})")
_MOST_NAMED = 20
_LONGEST_NAMED = 200


@dataclass(frozen=True)
class Criterion:
    """A check box. `name` stays its own while others are ticked, added or moved; `line` counts from 0."""

    name: str
    text: str
    done: bool
    line: int


def criteria_of(description: str) -> tuple[Criterion, ...]:
    """Every check box of the description, in order, under whatever heading; those in code are none."""
    found: list[Criterion] = []
    same: Counter[str] = Counter()
    fence = ""
    for number, line in enumerate(description.split("\n")):
        if match := _FENCE.match(line):
            if not fence:
                fence = match[1]
            elif match[1].startswith(fence):
                fence = ""
        elif not fence and (match := _BOX.match(line)):
            text = match["text"].strip()
            digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
            found.append(Criterion(f"{digest}.{same[digest]}", text, match["mark"] != " ", number))
            same[digest] += 1
    return tuple(found)


def ticked(description: str, criterion: Criterion, done: bool) -> str:
    """The description with this one of its criteria ticked, or its tick taken away: no other line changes."""
    lines = description.split("\n")
    mark = "x" if done else " "
    lines[criterion.line] = _BOX.sub(lambda m: f"{m['before']}{mark}]{m['after']}", lines[criterion.line], count=1)
    return "\n".join(lines)


def ticks(before: str, after: str) -> dict[str, Value]:
    """What a history says of two descriptions: which criteria were `ticked` and `unticked` from one to the other."""
    was = {one.name: one.done for one in criteria_of(before)}
    changed = [one for one in criteria_of(after) if one.done is not was.get(one.name, False)]
    said: dict[str, Value] = {}
    for one in changed:
        texts = said.setdefault("ticked" if one.done else "unticked", [])
        if isinstance(texts, list) and len(texts) < _MOST_NAMED:
            texts.append(one.text[:_LONGEST_NAMED])
    return said
