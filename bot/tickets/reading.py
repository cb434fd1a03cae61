"""A ticket or epic out of the values of its file, as people really type them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from bot.errors import InvalidTicket
from bot.tickets.change import HistoryEntry, Path, Value
from bot.tickets.epic import Epic
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, DEFAULT_PREFIX, id_key
from bot.tickets.subtask import Subtask
from bot.tickets.ticket import Ticket
from bot.tickets.vocabulary import EpicStatus, Priority, Status, SubtaskStatus, TicketType, spelled

_TRUE = frozenset({"true", "yes", "y", "on", "x", "✓", "1"})
_FALSE = frozenset({"false", "no", "n", "off", "", "0"})
_NOTHING = (None, "", False)
_Word = TypeVar("_Word", bound=StrEnum)
Mapping = dict[str, Value]


class Unfit(Exception):
    """A value that a ticket cannot have, and the path where it stands."""

    def __init__(self, path: Path, cause: str) -> None:
        self.path, self.cause = path, cause
        super().__init__(cause)


def read_ticket(values: Mapping, digest: str) -> Ticket:
    """The ticket a file holds; raises Unfit."""
    return Ticket(
        id=_id(values, DEFAULT_PREFIX),
        title=_title(values, ()),
        description=_text(values, "description") or "",
        type=_word(values, (), "type", TicketType, TicketType.TASK),
        priority=_word(values, (), "priority", Priority, Priority.MEDIUM),
        status=_word(values, (), "status", Status, Status.BACKLOG),
        labels=_texts(values, "labels"),
        epic_id=_text(values, "epicId") or None,
        parent_id=_text(values, "parentId") or None,
        blocked_by=_texts(values, "blockedBy"),
        relates_to=_texts(values, "relatesTo"),
        subtasks=tuple(_subtask(item, n) for n, item in enumerate(_list(values, "subtasks"))),
        created_at=_time(values, (), "createdAt"),
        updated_at=_time(values, (), "updatedAt"),
        completed_at=_time(values, (), "completedAt"),
        history=tuple(_entry(item, n) for n, item in enumerate(_list(values, "history"))),
        archived=_flag(values, (), "archived") or values.get("archivedAt") not in _NOTHING,
        assigned_flow_id=_text(values, "assignedFlowId") or None,
        last_session_id=_text(values, "lastSessionId") or None,
        digest=digest,
    )


def read_epic(values: Mapping, digest: str) -> Epic:
    """The epic a file holds; raises Unfit."""
    history = (_entry(item, n) for n, item in enumerate(_list(values, "history")))
    return Epic(
        id=_id(values, DEFAULT_EPIC_PREFIX),
        title=_title(values, ()),
        description=_text(values, "description") or "",
        status=_word(values, (), "status", EpicStatus, EpicStatus.OPEN),
        created_at=_time(values, (), "createdAt"),
        updated_at=_time(values, (), "updatedAt"),
        completed_at=_time(values, (), "completedAt"),
        ops=frozenset(past.op for past in history if past.op is not None),
        digest=digest,
    )


def _id(values: Mapping, prefix: str) -> str:
    text = _text(values, "id")
    if not text:
        raise Unfit(("id",), "it has no id")
    if id_key(text, prefix) is None:
        raise Unfit(("id",), f"the id “{text[:40]}” is not of the form {prefix}-042")
    return text


def _title(values: Mapping, path: Path) -> str:
    title = _text(values, "title", path)
    if not title:
        raise Unfit((*path, "title"), "it has no title" if not path else "a subtask has no title")
    return title


def _subtask(item: Value, position: int) -> Subtask:
    path = ("subtasks", position)
    if not isinstance(item, dict):
        if item is None or isinstance(item, list):
            raise Unfit(path, "a subtask is neither a text nor keys with values")
        return Subtask(None, _spelling(item), SubtaskStatus.PENDING, None, position, None)
    status = _word(item, path, "status", SubtaskStatus, SubtaskStatus.PENDING)
    if _flag(item, path, "completed"):
        status = SubtaskStatus.COMPLETED
    return Subtask(
        id=_text(item, "id", path),
        title=_title(item, path),
        status=status,
        completed_at=_time(item, path, "completedAt"),
        position=position,
        keys=frozenset(item),
    )


def _entry(item: Value, position: int) -> HistoryEntry:
    """A line of history; what cannot be understood in it hides nothing else."""
    if not isinstance(item, dict):
        return HistoryEntry(None, "" if item is None or isinstance(item, list) else _spelling(item))
    details, actor = item.get("details"), item.get("actor")
    who = actor if isinstance(actor, dict) else {"type": "user", "id": actor}
    try:
        when = _time(item, ("history", position), "timestamp")
    except Unfit:
        when = None
    return HistoryEntry(
        timestamp=when,
        action=_loose(item.get("action")),
        details=details if isinstance(details, dict) else {},
        actor_type=_loose(who.get("type")) or "user",
        actor_id=_loose(who.get("id")),
    )


def _loose(value: Value) -> str:
    return "" if value is None or isinstance(value, dict | list) else _spelling(value)


def _spelling(value: str | int | float | bool) -> str:
    """The text of a value that YAML takes for a number or a truth value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _text(values: Mapping, key: str, path: Path = ()) -> str | None:
    value = values.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        if isinstance(value, dict | list):
            raise Unfit((*path, key), f"{key} is not a text")
        value = _spelling(value)
    return value if key == "description" else value.strip()


def _list(values: Mapping, key: str) -> list[Value]:
    value = values.get(key)
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise Unfit((key,), f"{key} is not a list")
    return value


def _texts(values: Mapping, key: str) -> tuple[str, ...]:
    """A list of texts; one text alone is a list of one."""
    value = values.get(key)
    items = value if isinstance(value, list) else [value]
    texts: list[str] = []
    for position, item in enumerate(items):
        if isinstance(item, dict | list):
            raise Unfit((key, position), f"{key} holds something that is not a text")
        if item is not None and item != "":
            texts.append(_spelling(item))
    return tuple(texts)


def _word(values: Mapping, path: Path, key: str, kind: type[_Word], default: _Word) -> _Word:
    text = _text(values, key, path)
    if not text:
        return default
    try:
        return spelled(kind, text)
    except InvalidTicket as wrong:
        raise Unfit((*path, key), f"the {key} {str(wrong).rstrip('.')}") from wrong


def _flag(values: Mapping, path: Path, key: str) -> bool:
    value = values.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    text = _loose(value).strip().casefold()
    if isinstance(value, dict | list) or text not in _TRUE | _FALSE:
        raise Unfit((*path, key), f"{key} is neither true nor false")
    return text in _TRUE


def _time(values: Mapping, path: Path, key: str) -> datetime | None:
    text = _text(values, key, path)
    if not text:
        return None
    for form in _TIME_FORMS if len(text) < _LONGEST_TIME else ():
        try:
            at = form(text)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    raise Unfit((*path, key), f"{key} is “{text[:40]}”, which is no date such as 2025-07-31T09:30:00Z")


def _iso(text: str) -> datetime:
    """ISO-8601, also with single digits, slashes, a space before the zone or no seconds."""
    padded = re.sub(r"(?<!\d)(\d)(?!\d)", r"0\1", re.sub(r"^(\d{4})/(\d\d?)/(\d\d?)", r"\1-\2-\3", text)[:19])
    return datetime.fromisoformat(padded + re.sub(r"\s+(?=[-+Zz])", "", text[19:]).upper())


_LONGEST_TIME = 60
_TIME_FORMS: tuple[Callable[[str], datetime], ...] = (datetime.fromisoformat, _iso)
