"""Ticket and epic ids: how people spell them, how they compare, and which lie near one another."""

import re
from collections.abc import Iterable
from typing import NamedTuple

DEFAULT_PREFIX = "T"
DEFAULT_EPIC_PREFIX = "E"

_ID = re.compile(r"(?P<prefix>[^\W\d_][^\W_]{0,4}|#)[-_ ]\s*(?P<number>\d{1,12})")
_SHORT = re.compile(r"(?P<prefix>[^\W\d_]{1,5}|#|)(?P<number>\d{1,12})")
_IN_TEXT = re.compile(r"(?<![\w/.#@&-])(?:[^\W\d_][^\W_]{0,4}|#)-\d{1,12}(?![\w-]|[./]\w)")
_CODE_OR_LINK = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|<[^<>\n]*>|\b[a-z][a-z0-9+.-]*://\S+", re.S | re.I)


class IdKey(NamedTuple):
    """What two spellings of one id have in common: the prefix in upper case and the number."""

    prefix: str
    number: int


def id_key(text: str, default_prefix: str = DEFAULT_PREFIX) -> IdKey | None:
    """The key of an id in any spelling: `T-042`, `t-42`, `T 42`, `t42`, `42`; None when it is no id."""
    match = _ID.fullmatch(text.strip()) or _SHORT.fullmatch(text.strip())
    if match is None:
        return None
    return IdKey((match["prefix"] or default_prefix).upper(), int(match["number"]))


def written(prefix: str, number: int) -> str:
    """The id as Sciorex writes it: the number padded to three digits and growing past 999."""
    return f"{prefix}-{number:03d}"


def mentions(text: str) -> list[str]:
    """What looks like an id in a text, in order; links, code and addresses are left alone."""
    return _IN_TEXT.findall(_CODE_OR_LINK.sub(" ", text))


def nearest(wanted: IdKey, known: Iterable[IdKey], limit: int = 3) -> list[IdKey]:
    """At most `limit` known ids that a person may have meant: close in number, or a slip or two away."""
    ranked: list[tuple[int, int, int, IdKey]] = []
    for key in known:
        typed = _slips(str(wanted.number), str(key.number))
        gap = abs(wanted.number - key.number)
        if typed <= (2 if wanted.number > 99 else 1) or gap <= 10:
            ranked.append((int(key.prefix != wanted.prefix), typed, gap, key))
    return [key for *_, key in sorted(ranked)[:limit]]


def _slips(a: str, b: str) -> int:
    """How many keys were missed, added, changed or swapped between two short texts."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
