"""Changes and adds the files of a folder, one writer at a time, and lists what they hold."""

import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bot.errors import AmbiguousTicket, TicketUnreadable, WorkspaceUnavailable
from bot.tickets import files, yaml_text
from bot.tickets.change import Append, Change
from bot.tickets.config import Numbering
from bot.tickets.folder import Entry, Folder, Problem
from bot.tickets.ids import id_key, written
from bot.tickets.writing import SUBTASK_KEYS

_TRIES = 50
T = TypeVar("T")


def change(
    folder: Folder[T],
    entry: Callable[[], Entry[T]],
    rule: Callable[[T, datetime], Change | None],
    clock: Callable[[], datetime],
    keys: tuple[str, ...],
    op: str | None,
) -> tuple[T, T, bool]:
    """What a file held before and holds after a rule's change, and whether it was written.

    `keys` is the order in which new keys take their place, `op` goes into the line of history. The file is
    read again and the rule asked again when somebody without the lock saved in between.
    """
    with files.workspace_lock(folder.workspace):
        folder.clear_stale()
        for _ in range(_TRIES):
            path = Path(os.path.realpath(entry().path))
            content = _content(path)
            if content is None:
                continue
            before = _readable(folder.parse(content, path))
            wanted = rule(before, clock())
            if wanted is None:
                return before, before, False
            new = _edited(content, wanted, folder.file(path), keys, op)
            if new == content or files.replace(path, new, read_before=content):
                return before, _readable(folder.parse(new, path)), new != content
    raise WorkspaceUnavailable("Another program keeps changing this file. Try again in a moment.")


def add(folder: Folder[T], numbers: Numbering, text: Callable[[str], str]) -> T:
    """Writes a new file under the next free number, whoever else is looking for one; call it under the lock."""
    prefix = numbers.prefix
    keys = [*folder.keys(), *(key for name in folder.names() if (key := id_key(Path(name).stem)) is not None)]
    number = max([*(key.number for key in keys if key.prefix == prefix.upper()), numbers.start - 1]) + 1
    for attempt in range(number, number + 10_000):
        path = folder.path / f"{written(prefix, attempt)}.yaml"
        content = text(written(prefix, attempt)).encode()
        if files.create(path, content):
            return _readable(folder.parse(content, path))
    raise WorkspaceUnavailable(f"No free number was found for a new file in .sciorex/{folder.name}.")


def unique(folder: Folder[T]) -> list[T]:
    """What every file holds that can be read and has its id to itself."""
    entries = folder.entries()
    claims = Counter(entry.key for entry in entries)
    records: list[T] = []
    for entry in entries:
        if claims[entry.key] == 1 or entry.key is None:
            try:
                records.append(folder.record(entry))
            except TicketUnreadable:
                continue  # told by problems()
    return records


def problems(folder: Folder[T]) -> list[TicketUnreadable]:
    """The files that cannot be read or share their id with another, each once."""
    found: list[TicketUnreadable] = []
    for entry in sorted(folder.entries(), key=lambda entry: entry.path.name):
        file = folder.file(entry.path)
        try:
            folder.record(entry)
            if entry.key is not None:
                folder.one(entry.key)
        except TicketUnreadable as error:
            found.append(error)
        except AmbiguousTicket as error:
            others = ", ".join(other for other in error.files if other != file)
            found.append(TicketUnreadable(file, None, f"its id {entry.id} stands in {others} too"))
    return found


def _content(path: Path) -> bytes | None:
    try:
        return files.read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise files.unavailable("read", error) from error


def _edited(content: bytes, wanted: Change, file: str, keys: tuple[str, ...], op: str | None) -> bytes:
    edits = [*wanted.edits]
    if wanted.entry is not None:
        edits.append(Append(("history",), wanted.entry.value(op)))
    text = content.decode("utf-8")
    return yaml_text.apply(text, edits, file=file, order=(keys, SUBTASK_KEYS)).text.encode("utf-8")


def _readable(record: T | Problem) -> T:
    if isinstance(record, Problem):
        raise record.error()
    return record
