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
    plain = text if not any(sign in text for sign in ("`", "<", "://")) else _CODE_OR_LINK.sub(" ", text)
    return _IN_TEXT.findall(plain)


def near_numbers(number: int) -> set[int]:
    """The numbers that a person may have meant who wrote this one: close to it, or one slip of a key away."""
    digits = str(number)
    pairs = [(digits[:at], digits[at:]) for at in range(len(digits) + 1)]
    slips = {left + right[1:] for left, right in pairs if right}
    slips |= {left + right[1] + right[0] + right[2:] for left, right in pairs if len(right) > 1}
    slips |= {left + key + right[1:] for left, right in pairs if right for key in "0123456789"}
    slips |= {left + key + right for left, right in pairs for key in "0123456789"}
    close = range(max(number - 10, 0), number + 11)
    return ({int(slip) for slip in slips if slip} | set(close)) - {number}


def nearest(wanted: IdKey, known: Iterable[IdKey], limit: int = 3) -> list[IdKey]:
    """At most `limit` known ids that a person may have meant: same prefix first, then as many digits, then close."""
    near = near_numbers(wanted.number) | {wanted.number}

    def distance(key: IdKey) -> tuple[bool, bool, int, IdKey]:
        other_length = len(str(key.number)) != len(str(wanted.number))
        return key.prefix != wanted.prefix, other_length, abs(key.number - wanted.number), key

    return sorted((key for key in known if key.number in near), key=distance)[:limit]
