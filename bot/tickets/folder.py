"""The files of one folder (tickets or epics), read when they are new or changed; follows edits made outside."""

import os
import re
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from bot.errors import AmbiguousTicket, TicketUnreadable, WorkspaceUnavailable
from bot.tickets import files
from bot.tickets.change import Value
from bot.tickets.ids import IdKey, id_key
from bot.tickets.reading import Unfit
from bot.tickets.yaml_text import BOM
from bot.tickets.yaml_values import YamlProblem, parse

T = TypeVar("T")
_ENDINGS = (".yaml", ".yml", ".json")
# A file system may count time in whole seconds: what changed this lately may change again unseen.
_UNSETTLED_NS = 2_000_000_000
_ID_LINE = re.compile(rb"^(?:\xef\xbb\xbf)?(?:id|\"id\"|'id')[ \t]*:[ \t]+([^\s&*!|>#][^#\r\n]*)", re.M)
_OP = re.compile(rb"\bop[\"']?[ \t]*:[ \t]*[\"']?([^\s\"',}]+)")

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be read."""

    file: str
    line: int | None
    cause: str

    def error(self) -> TicketUnreadable:
        return TicketUnreadable(self.file, self.line, self.cause)


@dataclass
class Entry(Generic[T]):
    """A file as it was last seen: its id is known at once, the rest only when it is asked for."""

    path: Path
    stamp: Stamp
    seen_ns: int
    revision: str
    id: str
    key: IdKey | None
    ops: frozenset[str]
    record: T | Problem | None = None

    @property
    def settled(self) -> bool:
        """Whether the stamp alone tells that the file is as it was seen."""
        return self.seen_ns - self.stamp[0] > _UNSETTLED_NS


@dataclass
class Folder(Generic[T]):
    """Files by id. `name` is the folder below `.sciorex`, `prefix` the one an id without prefix gets."""

    workspace: Path
    name: str
    prefix: str
    read: Callable[[dict[str, Value], str], T]
    _entries: dict[str, Entry[T]] = field(default_factory=dict)
    _keys: dict[IdKey, list[str]] = field(default_factory=dict)
    _scanned: tuple[int, int] = (-1, 0)
    _stale: list[Path] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def path(self) -> Path:
        return self.workspace / ".sciorex" / self.name

    def file(self, path: Path) -> str:
        """A file's name as people are told it: relative to the workspace."""
        return f".sciorex/{self.name}/{path.name}"

    def one(self, key: IdKey) -> Entry[T] | None:
        """The file of an id, as it is now; None when there is none, AmbiguousTicket when there are several."""
        with self._lock:
            self._scan(always=False)
            current = [entry for name in list(self._keys.get(key, ())) if (entry := self._current(name))]
            found = [entry for entry in current if entry.key == key]
            if len(found) < len(current):
                return self.one(key)
            if len(found) > 1:
                raise AmbiguousTicket(found[0].id, tuple(sorted(self.file(e.path) for e in found)))
            return found[0] if found else None

    def record(self, entry: Entry[T]) -> T:
        """What a file holds; raises TicketUnreadable."""
        with self._lock:
            if entry.record is None:
                self._load(entry)
            if isinstance(entry.record, Problem):
                raise entry.record.error()
            if entry.record is None:
                raise Problem(self.file(entry.path), None, "it is changing").error()
            return entry.record

    def entries(self) -> list[Entry[T]]:
        """Every file there is now."""
        with self._lock:
            self._scan(always=True)
            return list(self._entries.values())

    def keys(self) -> dict[IdKey, str]:
        """Every id there is, with the spelling its file has."""
        with self._lock:
            self._scan(always=False)
            return {key: self._entries[names[0]].id for key, names in self._keys.items()}

    def names(self) -> list[str]:
        """The names of all files, unreadable ones too."""
        with self._lock:
            self._scan(always=True)
            return list(self._entries)

    def made_by(self, op: str) -> list[T]:
        """What an operation may have made or changed: every file that names it."""
        return [self.record(entry) for entry in self.entries() if op in entry.ops]

    def clear_stale(self) -> None:
        """Removes what killed writers left; call it under the workspace's lock."""
        files.remove_stale(self._stale)

    def parse(self, content: bytes, path: Path) -> T | Problem:
        """What bytes hold, or why they cannot be read."""
        try:
            text = content.decode("utf-8").removeprefix(BOM)
        except UnicodeDecodeError as error:
            return Problem(self.file(path), content.count(b"\n", 0, error.start) + 1, "it is not UTF-8 text")
        try:
            parsed = parse(text)
            return self.read(parsed.value, files.revision(content))
        except YamlProblem as problem:
            return Problem(self.file(path), problem.line, problem.cause)
        except Unfit as unfit:
            return Problem(self.file(path), parsed.line(unfit.path), unfit.cause)

    def _scan(self, *, always: bool) -> None:
        """Looks through the folder; without `always` only when something was added, removed or replaced."""
        now = time.time_ns()
        changed = self._folder_time()
        unsettled = self._scanned[1] - self._scanned[0] <= _UNSETTLED_NS
        if not always and changed == self._scanned[0] and not unsettled:
            return
        seen: set[str] = set()
        self._stale = []
        for item in self._listing():
            if item.name.startswith(files.TEMPORARY):
                self._stale.append(Path(item.path))
            elif not item.name.startswith(".") and item.name.lower().endswith(_ENDINGS):
                seen.add(item.name)
                self._current(item.name)
        for name in self._entries.keys() - seen:
            self._forget(name)
        self._scanned = (changed, now)

    def _folder_time(self) -> int:
        try:
            if not self._inside(self.path):
                raise WorkspaceUnavailable(f"The folder .sciorex/{self.name} is a symbolic link out of the workspace.")
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            if self.path.parent.is_dir():
                return 0
            raise WorkspaceUnavailable(
                "The ticket workspace cannot be read: there is no folder .sciorex in it."
            ) from None
        except OSError as error:
            raise files.unavailable("read", error) from error

    def _listing(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.path) as listing:
                return list(listing)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise files.unavailable("read", error) from error

    def _inside(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.workspace))

    def _current(self, name: str) -> Entry[T] | None:
        """The entry of a file, read again if the file is not as it was."""
        path, old = self.path / name, self._entries.get(name)
        now = time.time_ns()
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if old is not None and old.stamp == stamp and old.settled:
                return old
            if path.is_symlink() and not self._inside(path):
                return self._keep(self._unreadable(path, stamp, now, "it is a symbolic link out of the workspace"))
            if not stat.S_ISREG(status.st_mode):
                return self._keep(self._unreadable(path, stamp, now, "it is not a file"))
            content = files.read(path)
        except FileNotFoundError:
            self._forget(name)
            return None
        except OSError as error:
            cause = (error.strerror or "the disk refuses").lower()
            return self._keep(self._unreadable(path, (0, 0, 0), now, cause))
        if old is not None and old.revision == files.revision(content):
            old.stamp, old.seen_ns = stamp, now
            return old
        return self._keep(self._peek(path, content, stamp, now))

    def _peek(self, path: Path, content: bytes, stamp: Stamp, now: int) -> Entry[T]:
        """The id without reading the whole: the one line at the left edge that gives it."""
        ops = frozenset(op.decode("utf-8", "replace") for op in _OP.findall(content))
        entry = Entry[T](path, stamp, now, files.revision(content), "", None, ops)
        lines = _ID_LINE.findall(content)
        if len(lines) == 1:
            entry.id = lines[0].decode("utf-8", "replace").strip().strip("'\"")
            entry.key = id_key(entry.id, self.prefix)
        if entry.key is None:
            entry.record = self.parse(content, path)
            self._name(entry)
        return entry

    def _name(self, entry: Entry[T]) -> None:
        """A file that could be read is known by its id, another one by the id in its file's name."""
        inside = getattr(entry.record, "id", None)
        entry.id = inside if isinstance(inside, str) else entry.path.stem
        entry.key = id_key(entry.id, self.prefix)

    def _unreadable(self, path: Path, stamp: Stamp, now: int, cause: str) -> Entry[T]:
        problem = Problem(self.file(path), None, cause)
        key = id_key(path.stem, self.prefix)
        return Entry[T](path, stamp, now, "", path.stem, key, frozenset(), problem)

    def _load(self, entry: Entry[T]) -> None:
        try:
            entry.record = self.parse(files.read(entry.path), entry.path)
        except OSError as error:
            entry.record = Problem(self.file(entry.path), None, (error.strerror or "the disk refuses").lower())

    def _keep(self, entry: Entry[T]) -> Entry[T]:
        self._forget(entry.path.name)
        self._entries[entry.path.name] = entry
        if entry.key is not None:
            self._keys.setdefault(entry.key, []).append(entry.path.name)
        return entry

    def _forget(self, name: str) -> None:
        old = self._entries.pop(name, None)
        if old is None or old.key is None:
            return
        names = self._keys[old.key]
        names.remove(name)
        if not names:
            del self._keys[old.key]
