"""Reads single files of a folder: what each holds or why it cannot be read, kept in memory while its stamp stays."""

import os
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from bot.errors import TicketUnreadable
from bot.tickets import files
from bot.tickets.change import Value
from bot.tickets.entries import Seen, Stamp
from bot.tickets.ids import id_key
from bot.tickets.reading import Unfit
from bot.tickets.yaml_values import Parsed, YamlProblem, parse

T = TypeVar("T")
_KEPT = 500  # records in memory
# A file system counts time in steps: what changed within the last one may change again unseen.
_STEP_NS, _SECOND_NS = 20_000_000, 1_000_000_000


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be read."""

    file: str
    line: int | None
    cause: str

    def error(self) -> TicketUnreadable:
        return TicketUnreadable(self.file, self.line, self.cause)


@dataclass(frozen=True)
class Loaded(Generic[T]):
    """A file as it was read: where it stands, and its record or its problem.

    `parsed` says where each value stands, when the file has just been read; it is not kept.
    """

    path: Path
    seen: Seen
    record: T | Problem
    parsed: Parsed | None = field(default=None, compare=False, repr=False)


@dataclass
class Loader(Generic[T]):
    """Loads the files in `.sciorex/<folder>`; `prefix` is the one an id without prefix gets."""

    workspace: Path
    folder: str
    prefix: str
    read: Callable[[dict[str, Value], str], T]
    _kept: OrderedDict[str, Loaded[T]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def path(self) -> Path:
        return self.workspace / ".sciorex" / self.folder

    def file(self, path: Path) -> str:
        """A file's name as people are told it: relative to the workspace."""
        return f".sciorex/{self.folder}/{path.name}"

    def parse(self, content: bytes, path: Path) -> tuple[Parsed | None, T | Problem]:
        """What bytes hold, or why they cannot be read."""
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            return None, Problem(self.file(path), line, "it is not UTF-8 text")
        try:
            parsed = parse(text)
        except YamlProblem as problem:
            return None, Problem(self.file(path), problem.line, problem.cause)
        return parsed, self.understood(parsed, content, path)

    def understood(self, parsed: Parsed, content: bytes, path: Path) -> T | Problem:
        """The record that parsed values are, or why they are none."""
        try:
            return self.read(parsed.value, files.digest(content))
        except Unfit as unfit:
            return Problem(self.file(path), parsed.line(unfit.path), unfit.cause)

    def load(self, name: str) -> Loaded[T] | None:
        """A file as it is now, from memory where its stamp is as it was; None when it is gone."""
        path = self.path / name
        with self._lock:
            kept = self._kept.get(name)
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                status = path.stat()
                if not self.inside(path):
                    return self._unreadable(path, status, "it is a symbolic link out of the workspace")
            if not stat.S_ISREG(status.st_mode):
                return self._unreadable(path, status, "it is not a file")
            if kept is not None and kept.seen.settled and kept.seen.stamp == stamp_of(status):
                return kept
            content = files.read(path)
        except FileNotFoundError:
            with self._lock:
                self._kept.pop(name, None)
            return None
        except OSError as error:
            return self._unreadable(path, None, (error.strerror or "the disk refuses").lower())
        seen = self._seen(path, status, files.digest(content))
        if kept is not None and kept.seen.digest == seen.digest:
            loaded = replace(kept, seen=replace(seen, id=kept.seen.id, key=kept.seen.key))
        else:
            parsed, record = self.parse(content, path)
            loaded = Loaded(path, self._named(seen, record), record, parsed)
        return self.keep(loaded)

    def keep(self, loaded: Loaded[T]) -> Loaded[T]:
        """Keeps a file in memory, in place of the one that was not asked for the longest."""
        with self._lock:
            self._kept[loaded.seen.name] = replace(loaded, parsed=None)
            self._kept.move_to_end(loaded.seen.name)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return loaded

    def written(self, path: Path, content: bytes, record: T) -> Loaded[T]:
        """A file that we have just written."""
        seen = self._seen(path, path.stat(), files.digest(content))
        return self.keep(Loaded(path, self._named(seen, record), record))

    def inside(self, path: Path) -> bool:
        """Whether a path leads to something within the workspace."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.workspace))

    def _seen(self, path: Path, status: os.stat_result, digest: str) -> Seen:
        stamp = stamp_of(status)
        return Seen(path.name, stamp, settled(stamp[0], time.time_ns()), digest, "", None)

    def _named(self, seen: Seen, record: T | Problem) -> Seen:
        """A file that could be read is known by its id, another one by the id in its file's name."""
        inside = getattr(record, "id", None)
        name = inside if isinstance(inside, str) else Path(seen.name).stem
        return replace(seen, id=name, key=id_key(name, self.prefix))

    def _unreadable(self, path: Path, status: os.stat_result | None, cause: str) -> Loaded[T]:
        problem = Problem(self.file(path), None, cause)
        stamp = stamp_of(status) if status is not None else (0, 0, 0)
        seen = Seen(path.name, stamp, False, cause, path.stem, id_key(path.stem, self.prefix))
        return Loaded(path, seen, problem)


def stamp_of(status: os.stat_result) -> Stamp:
    """What tells, together, that a file has changed."""
    return status.st_mtime_ns, status.st_size, status.st_ino


def settled(changed_ns: int, seen_ns: int) -> bool:
    """Whether whatever changes after `seen_ns` gets a later time than `changed_ns`."""
    return seen_ns - changed_ns > (_STEP_NS if changed_ns % _SECOND_NS else 2 * _SECOND_NS)
