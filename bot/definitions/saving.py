"""What saving or deleting an agent or a flow comes to: the file, its text before and after. Nothing is written here."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.definitions import agents, flows
from bot.definitions.reading import Invalid, Make, parse, read_folder, twice
from bot.errors import BotError

LONGEST_TEXT = 200_000  # characters
_NEW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True)
class Kind:
    """Agents or flows: their folder, what their files end in (new ones in the first), how one is read."""

    word: str
    folder: str
    endings: tuple[str, ...]
    make: Make[Any]
    language: str  # of what is saved, by its ending


@dataclass(frozen=True)
class Change:
    """A file and its content before and after; None is no file. `file` is its path in the workspace."""

    path: Path
    file: str
    before: bytes | None
    after: bytes | None

    @property
    def revision(self) -> str:
        """Names the file and what stood in it before."""
        state = b"\0" + self.before if self.before is not None else b""
        return hashlib.sha256(self.file.encode("utf-8", "surrogateescape") + state).hexdigest()[:16]


AGENTS = Kind("agent", agents.FOLDER, agents.ENDINGS, agents.agent_from, ".yaml")
FLOWS = Kind("flow", flows.FOLDER, flows.ENDINGS, flows.flow_from, ".json")


def what_changes(folder: Path, tool: str, arguments: Mapping[str, object]) -> tuple[str, str, str]:
    """The text of the file before and after a call, and a revision of what was there before.

    Raises BotError for what the call would refuse.
    """
    doing, kind, one_id = _meant(tool, arguments)
    content = arguments.get("content")
    if doing == "delete":
        change = deleting(folder, kind, one_id)
    elif isinstance(content, str):
        change = saving(folder, kind, one_id, content)
    else:
        raise BotError(f"{tool} was called wrongly: it needs content, as a text.")
    before, after = ((text or b"").decode("utf-8", "replace") for text in (change.before, change.after))
    return before, after, change.revision


def deleted_before(folder: Path, tool: str, arguments: Mapping[str, object]) -> str | None:
    """For a call that was cut off in the middle: that it has deleted what it was to delete; None where it has not.

    Saving needs no such word: the same text in the same file changes nothing.
    """
    try:
        doing, kind, one_id = _meant(tool, arguments)
        if doing == "delete" and _file_of(folder, kind, one_id) is None:
            return f"Deleted: there is no file of {_a(kind)} “{one_id[:80]}” any more."
    except BotError:
        return None  # calling it says why
    return None


def saving(folder: Path, kind: Kind, one_id: str, content: str) -> Change:
    """What saving comes to: the file that has this id keeps its name, a new one is called by it. Raises BotError."""
    file = _file_of(folder, kind, one_id)
    is_new = file is None
    if file is None:
        if not _NEW_ID.fullmatch(one_id):
            raise BotError(
                f"“{one_id[:80]}” cannot be an id: 1 to 80 letters, digits, dots, - and _ can, a letter or digit first."
            )
        file = f"{kind.folder}/{one_id}{kind.endings[0]}"
    path = _real(folder, kind, file)
    if is_new and os.path.lexists(path):
        raise BotError(f"The file {file} is there already, and is no {kind.word} with this id. Nothing was changed.")
    after = _checked(kind, one_id, content, path.suffix)
    return Change(path, file, None if is_new else _read(path, file), after)


def deleting(folder: Path, kind: Kind, one_id: str) -> Change:
    """What deleting comes to; raises BotError where there is nothing to delete."""
    found = reading(folder, kind, one_id)
    return Change(found.path, found.file, found.before, None)


def reading(folder: Path, kind: Kind, one_id: str) -> Change:
    """The file of an id as it is; raises BotError where there is none, or more than one."""
    file = _file_of(folder, kind, one_id)
    if file is None:
        raise BotError(f"There is no file of {_a(kind)} “{one_id[:80]}” (any more).")
    path = _real(folder, kind, file)
    content = _read(path, file)
    return Change(path, file, content, content)


def _meant(tool: str, arguments: Mapping[str, object]) -> tuple[str, Kind, str]:
    """What a call does (save or delete), of what kind, and to which id. Raises BotError."""
    doing, _, word = tool.removeprefix("sciorex_").partition("_")
    kind, one_id = {"agent": AGENTS, "flow": FLOWS}.get(word), arguments.get("id")
    if kind is None or doing not in ("save", "delete") or not isinstance(one_id, str):
        raise BotError(f"{tool} was called wrongly: it needs an id.")
    return doing, kind, one_id


def _file_of(folder: Path, kind: Kind, one_id: str) -> str | None:
    files = read_folder(folder, kind.folder, kind.endings, kind.word, kind.make).files.get(one_id, ())
    if len(files) > 1:
        raise BotError(twice(kind.word, one_id, files))
    return files[0] if files else None


def _real(folder: Path, kind: Kind, file: str) -> Path:
    """Where the file lies, links followed: in the folder of its kind and nowhere else."""
    sciorex, _, below = kind.folder.partition("/")
    home = Path(os.path.realpath(folder / sciorex), below)
    real = Path(os.path.realpath(folder / file))
    if home not in real.parents:
        raise BotError(f"{file} leads out of {kind.folder} by a link; such a file is left alone.")
    return real


def _checked(kind: Kind, one_id: str, content: str, ending: str) -> bytes:
    """The content as it will stand in the file; raises BotError if it is none of its kind, or has another id."""
    if len(content) > LONGEST_TEXT:
        raise BotError(f"The content has {len(content):,} characters; at most {LONGEST_TEXT:,} are taken.")
    try:
        written = (content if content.endswith("\n") else f"{content}\n").encode()
        for language in (kind.language, ending):
            made = parse(written, language, kind.make)
    except UnicodeEncodeError:
        raise BotError("The content holds half a character (a lone surrogate), which no file can keep.") from None
    except Invalid as invalid:
        where = f" (line {invalid.line})" if invalid.line else ""
        raise BotError(f"The content is not {_a(kind)}: {invalid}{where}. Nothing was changed.") from None
    if made.id != one_id:
        raise BotError(
            f"The content has the id “{made.id[:80]}”, and “{one_id[:80]}” was given: both must be the same."
        )
    return written


def _read(path: Path, file: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BotError(f"{file} cannot be read: {(error.strerror or 'the disk refuses').lower()}.") from error


def _a(kind: Kind) -> str:
    return "an agent" if kind is AGENTS else "a flow"
