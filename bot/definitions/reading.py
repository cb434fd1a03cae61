"""Reads a folder of definitions: a file is parsed again only when its stamp changes, and a bad one hides no other."""

from __future__ import annotations

import functools
import json
import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import yaml

T = TypeVar("T")
Make: TypeAlias = Callable[[Mapping[str, Any]], T]  # raises Invalid
Stamp: TypeAlias = tuple[int, int, int]  # time of change, size, inode
LONGEST_FILE = 1_000_000
# A file that was changed so lately may be changed again within the same tick of the disk's clock.
_SETTLED_NS = 2_000_000_000


class Invalid(Exception):
    """What is wrong with a file, and the line from 1 where it is known."""

    def __init__(self, cause: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(cause)


@dataclass(frozen=True)
class Problem:
    """A file that could not be taken: file relative to the workspace, line from 1 if known.

    `twice` says so of an id that several files claim.
    """

    file: str
    line: int | None
    cause: str
    kind: str = "agent"
    twice: str | None = None

    @property
    def text(self) -> str:
        if self.twice:
            return self.twice
        where = f", line {self.line}" if self.line else ""
        return f"The {self.kind} file {self.file}{where} cannot be read: {self.cause}."


@dataclass(frozen=True)
class Found(Generic[T]):
    """What a folder holds, by id; `files` are those that claim an id, relative to the workspace, the bad ones too."""

    by_id: Mapping[str, T]
    problems: tuple[Problem, ...] = ()
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_folder(folder: Path, under: str, endings: tuple[str, ...], kind: str, make: Make[T]) -> Found[T]:
    """Every file below `under` in the workspace; no such folder means none.

    `make` gives something with an `id`. Two files with one id are both named as a problem, and neither is taken.
    """
    made: dict[str, list[tuple[str, T]]] = {}
    problems: list[Problem] = []
    for path in sorted(p for p in (folder / under).rglob("*") if p.suffix.lower() in endings and p.is_file()):
        file = path.relative_to(folder).as_posix()
        try:
            one: Any = read_file(path, make)
        except Invalid as invalid:
            problems.append(Problem(file, invalid.line, str(invalid), kind))
        else:
            made.setdefault(one.id, []).append((file, one))
    for one_id, claims in made.items():
        if len(claims) > 1:
            said = twice(kind, one_id, [file for file, _one in claims])
            problems.append(Problem(claims[0][0], None, "its id stands in other files too", kind, said))
    alone = {one_id: claims[0][1] for one_id, claims in made.items() if len(claims) == 1}
    files = {one_id: tuple(file for file, _one in claims) for one_id, claims in made.items()}
    return Found(alone, tuple(problems), files)


def twice(kind: str, one_id: str, files: Sequence[str]) -> str:
    """The sentence on an id that several files claim, in the words that tickets have for it."""
    return f"The {kind} {one_id[:60]} stands in more than one file: {', '.join(files)}. Keep one of them."


def read_file(path: Path, make: Make[T]) -> T:
    """What one file defines, parsed anew only if it was changed; raises Invalid."""
    try:
        status = path.stat()
    except OSError as error:
        raise Invalid(_refused(error)) from error
    stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
    settled = time.time_ns() - status.st_mtime_ns > _SETTLED_NS
    parsed: T | Invalid = (_parsed if settled else _parsed.__wrapped__)(os.fspath(path), stamp, make)
    if isinstance(parsed, Invalid):
        raise Invalid(str(parsed), parsed.line)
    return parsed


def parse(content: bytes, ending: str, make: Make[T]) -> T:
    """What a text defines, read by its file's ending; raises Invalid."""
    if len(content) > LONGEST_FILE:
        raise Invalid(f"it is larger than {LONGEST_FILE // 1_000_000} MB")
    try:
        text = content.decode("utf-8-sig")
        raw = json.loads(text) if ending.lower() == ".json" else yaml.load(text, Loader=yaml.CSafeLoader)
    except UnicodeDecodeError:
        raise Invalid("it is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"it is not valid JSON ({error.msg})", error.lineno) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise Invalid(str(error.problem or "it is not valid YAML"), line) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Invalid("it is not valid JSON" if ending.lower() == ".json" else "it is not valid YAML") from None
    if not isinstance(raw, dict):
        raise Invalid("it is not a mapping of keys to values")
    return make(raw)


def text_of(raw: Mapping[str, Any], key: str) -> str:
    """A text, also where a number or the like was written; '' where there is none."""
    value = raw.get(key)
    if isinstance(value, (dict, list)):
        raise Invalid(f"{key} is not a text")
    return "" if value is None else str(value).strip()


@functools.lru_cache(maxsize=2_000)
def _parsed(path: str, stamp: Stamp, make: Make[T]) -> T | Invalid:
    try:
        # Not to wait for a pipe that took the file's place meanwhile.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return Invalid("it is no file")
            content = file.read(LONGEST_FILE + 1)
        return parse(content, os.path.splitext(path)[1], make)
    except OSError as error:
        return Invalid(_refused(error))
    except Invalid as invalid:
        return Invalid(str(invalid), invalid.line)


def _refused(error: OSError) -> str:
    return str(error.strerror or error).lower()
