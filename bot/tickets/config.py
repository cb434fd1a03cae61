"""What the workspace's config.json says about the ids of new tickets and epics."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from bot.tickets.change import Value
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, DEFAULT_PREFIX

_PREFIX = re.compile(r"[^\W\d_][^\W_]{0,4}|#")


@dataclass(frozen=True)
class Numbering:
    """The prefix of new ids and the number they start at."""

    prefix: str
    start: int = 1


@dataclass(frozen=True)
class Config:
    """The numbering of both kinds."""

    ticket: Numbering
    epic: Numbering


def numbering(workspace: Path) -> Config:
    """How new ids are made. Sciorex's documentation names the settings (prefixes, start number) and not their
    keys, so the likely spellings are read; what is missing or malformed is as by default."""
    try:
        settings: Value = json.loads((workspace / ".sciorex" / "config.json").read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        settings = None
    return Config(
        ticket=_of(settings, "ticket", DEFAULT_PREFIX),
        epic=_of(settings, "epic", DEFAULT_EPIC_PREFIX),
    )


def _of(settings: Value, kind: str, default: str) -> Numbering:
    prefixes, starts = _at(settings, "prefixes"), _at(settings, "startNumbers")
    own = _at(settings, f"{kind}s")
    prefix = _first(_at(settings, f"{kind}Prefix"), _at(prefixes, kind), _at(prefixes, f"{kind}s"), _at(own, "prefix"))
    start = _first(_at(settings, f"{kind}StartNumber"), _at(starts, kind), _at(own, "startNumber"))
    if kind == "ticket":
        prefix, start = _first(prefix, _at(settings, "prefix")), _first(start, _at(settings, "startNumber"))
    text = str(prefix).strip().removesuffix("-") if isinstance(prefix, str) else ""
    number = start if isinstance(start, int) and not isinstance(start, bool) and start > 0 else 1
    return Numbering(text if _PREFIX.fullmatch(text) else default, number)


def _at(settings: Value, key: str) -> Value:
    return settings.get(key) if isinstance(settings, dict) else None


def _first(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)
