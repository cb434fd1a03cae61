"""Changes and adds the files of a folder, one writer at a time in a workspace."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bot.errors import WorkspaceUnavailable
from bot.tickets import files, index, yaml_text
from bot.tickets.change import Append, Change
from bot.tickets.config import Numbering
from bot.tickets.folder import Folder
from bot.tickets.ids import written
from bot.tickets.loading import Loaded, Problem
from bot.tickets.writing import SUBTASK_KEYS

_TRIES = 50
T = TypeVar("T")


def change(
    folder: Folder[T],
    find: Callable[[], Loaded[T]],
    rule: Callable[[T, datetime], Change | None],
    clock: Callable[[], datetime],
    keys: tuple[str, ...],
    op: str | None,
    *,
    rehearses: bool = False,
) -> tuple[T, T, bool]:
    """What a file held before and holds after a rule's change, and whether it was written.

    `keys` is the order in which new keys take their place, `op` goes into the line of history. The file is
    read again and the rule asked again when somebody without the lock saved in between. With `rehearses` nothing is
    written: the answer is what would have been.
    """
    with files.workspace_lock(folder.catalogue.workspace):
        for _ in range(_TRIES):
            alone, found = not folder.unlisted(), find()
            path, target = found.path, Path(os.path.realpath(found.path))
            content = _content(target)
            if content is None:
                continue
            parsed, before = found.parsed, found.record
            if parsed is None or found.seen.digest != files.digest(content):
                parsed, before = folder.loader.parse(content, path)
            if isinstance(before, Problem) or parsed is None:
                raise _error(before)
            wanted = rule(before, clock())
            if wanted is None:
                return before, before, False
            edits = [*wanted.edits, *([Append(("history",), wanted.entry.value(op))] if wanted.entry else [])]
            text, file = content.decode("utf-8"), folder.loader.file(path)
            edited = yaml_text.apply(text, parsed, edits, file=file, order=(keys, SUBTASK_KEYS))
            new = edited.text.encode("utf-8")
            after = folder.loader.understood(edited.parsed, new, path)
            if isinstance(after, Problem):
                raise after.error()
            if new == content:
                return before, after, False
            if rehearses:
                return before, after, True
            if files.replace(target, new, read_before=content):
                folder.wrote(path, new, after, alone=alone)
                return before, after, True
    raise WorkspaceUnavailable("Another program keeps changing this file. Try again in a moment.")


def add(
    folder: Folder[T], numbers: Numbering, text: Callable[[str], str], op: str | None, *, rehearses: bool = False
) -> T:
    """Writes a new file under the next free number, whoever else is looking for one; what the same `op` has
    made before is given instead. With `rehearses` nothing is written."""
    with files.workspace_lock(folder.catalogue.workspace):
        if op is not None and (made := folder.made_by(op)):
            return made[0]
        folder.look_for_names()
        last = index.last_number(folder.catalogue.connection(), folder.name, numbers.prefix.upper())
        number = max(last, numbers.start - 1) + 1
        for attempt in range(number, number + 10_000):
            alone, path = not folder.unlisted(), folder.path / f"{written(numbers.prefix, attempt)}.yaml"
            content = text(written(numbers.prefix, attempt)).encode()
            if rehearses or files.create(path, content):
                _, record = folder.loader.parse(content, path)
                if isinstance(record, Problem):
                    raise record.error()
                if not rehearses:
                    folder.wrote(path, content, record, alone=alone)
                return record
    raise WorkspaceUnavailable(f"No free number was found for a new file in .sciorex/{folder.name}.")


def _content(path: Path) -> bytes | None:
    try:
        return files.read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise files.unavailable("read", error) from error


def _error(record: object) -> Exception:
    return record.error() if isinstance(record, Problem) else WorkspaceUnavailable("The file cannot be read.")
