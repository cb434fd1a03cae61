"""The files of one folder (tickets or epics): found by id, and followed in the catalogue when they change."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

import bot
from bot.errors import AmbiguousTicket, WorkspaceUnavailable
from bot.tickets import catalogue, entries, files
from bot.tickets.catalogue import Catalogue
from bot.tickets.entries import Facts, Row, Seen, Stamp
from bot.tickets.ids import IdKey, written
from bot.tickets.loading import Loaded, Loader, Problem, settled, stamp_of

T = TypeVar("T")
# So many files are read in processes of their own: by whoever asks once, who would rather not pay for processes, and by
# whoever follows edits, who has others to answer and a second to be up to date.
MANY, MANY_FOLLOWED = 1500, 300
_ENDINGS = (".yaml", ".yml", ".json")
_BATCH = 200  # files a transaction
_MOST_PROCESSES = 4
_FIRST_READ_SECONDS = 25.0


@dataclass
class Folder(Generic[T]):
    """Files by id. While a watcher `follows`, its events tell of changes; else every question looks for itself."""

    catalogue: Catalogue
    loader: Loader[T]
    facts: Callable[[T], Facts]
    follows: bool = False
    read_once: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        return self.loader.folder

    @property
    def path(self) -> Path:
        return self.loader.path

    def one(self, key: IdKey) -> Loaded[T] | None:
        """The file of an id, as it is now; None when there is none, AmbiguousTicket when there are several."""
        if self.follows and not self.swept() and (guess := self._named_by(key)) is not None:
            return guess
        self.look_for_names()
        found = self._with_key(key)
        if not found and not self.follows:
            self.sweep()  # an id may have been changed within a file
            found = self._with_key(key)
        if len(found) > 1:
            raise AmbiguousTicket(found[0].seen.id, tuple(sorted(self.loader.file(one.path) for one in found)))
        return found[0] if found else None

    def record(self, loaded: Loaded[T]) -> T:
        """What a file holds; raises TicketUnreadable."""
        if isinstance(loaded.record, Problem):
            raise loaded.record.error()
        return loaded.record

    def made_by(self, op: str) -> list[T]:
        """What an operation made."""
        self.look_for_names()
        seen = entries.seen_made_by(self.catalogue.connection(), self.name, op)
        return [self.record(loaded) for one in seen if (loaded := self.load(one.name, one)) is not None]

    def load(self, name: str, known: Seen | None) -> Loaded[T] | None:
        """A file as it is now, None when it is gone; what differs from what is `known` goes into the catalogue."""
        loaded = self.loader.load(name)
        self._write([(name, loaded)], {name: known} if known else {})
        return loaded

    def folder_time(self) -> int:
        """When a name was last added, removed or replaced (ns), 0 without a folder; raises WorkspaceUnavailable."""
        try:
            linked = (
                self.path.is_symlink() or self.path.parent.is_symlink()
            )  # to resolve names each time would cost more
            if linked and not self.loader.inside(self.path):
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

    def swept(self) -> bool:
        """Whether every file has been read since the catalogue was made."""
        return catalogue.listed(self.catalogue.connection(), self.name)[1]

    def look(self) -> None:
        """Brings the catalogue up to what the files hold, before a question about many of them."""
        if not self.follows:
            self.sweep()
            return
        self.folder_time()  # says so when the workspace is gone
        if not self.swept():
            self._await_first_read()

    def look_for_names(self) -> None:
        """Reads files that were added, and forgets those that are gone, when the folder says that there are any."""
        changed = self.folder_time()
        connection = self.catalogue.connection()
        listed_ns, swept = catalogue.listed(connection, self.name)
        if not swept and self.follows:
            self._await_first_read()
        elif not swept:
            self.sweep()
        elif listed_ns != changed:
            started = time.time_ns()
            names = {item.name for item in self._listing()}
            self.refresh(names ^ entries.stamps(connection, self.name).keys())
            self._listed(changed, started, swept=False)

    def refresh(self, names: Iterable[str]) -> set[str]:
        """Reads these files where they have changed, many of them in processes of their own; gives the ids that they
        have and had."""
        chosen = [name for name in names if _is_record(name)]
        known = entries.seen_named(self.catalogue.connection(), self.name, chosen)
        ids = {seen.id for seen in known.values()}
        if len(chosen) > (MANY_FOLLOWED if self.follows else MANY):
            self._read_in_processes(chosen)
            known = entries.seen_named(self.catalogue.connection(), self.name, chosen)
            ids |= {seen.id for seen in known.values()}
            chosen = [name for name in chosen if not _unchanged(self.path / name, _settled(known.get(name)))]
        ids |= self.read_here(chosen, known)
        return ids

    def read_here(self, chosen: Sequence[str], known: dict[str, Seen]) -> set[str]:
        """Reads these files in this process; `known` is how they were seen last. Gives the ids that they have."""
        ids: set[str] = set()
        for start in range(0, len(chosen), _BATCH):
            batch = [(name, _kept(self.loader.load(name))) for name in chosen[start : start + _BATCH]]
            ids |= {loaded.seen.id for _, loaded in batch if loaded is not None}
            self._write(batch, known)
        return ids

    def sweep(self) -> set[str]:
        """Looks at every file and reads those that have changed; gives the ids that may have changed."""
        changed, started = self.folder_time(), time.time_ns()
        there, known, stale = self._look_at_all()
        changes = [*stale, *(known.keys() - there)]
        ids = self.refresh(changes) if changes else set()
        self._listed(changed, started, swept=True)
        return ids

    def read_part(self, names: Sequence[str]) -> None:
        """Reads some of many files that have changed; other processes read the others."""
        self.read_here(names, entries.seen_named(self.catalogue.connection(), self.name, list(names)))

    def wrote(self, path: Path, content: bytes, record: T, *, alone: bool) -> None:
        """Keeps what we have just written; `alone` when no other name has changed since the last look."""
        with contextlib.suppress(OSError, sqlite3.Error):  # it is written; the next look finds it
            loaded = self.loader.written(path, content, record)
            with self.catalogue.writing() as connection:
                entries.put(connection, self.name, [self._row(loaded)])
                if alone:
                    catalogue.set_listed(connection, self.name, self.path.stat().st_mtime_ns, swept=False)

    def unlisted(self) -> bool:
        """Whether the folder has changed since its names were last looked at."""
        return catalogue.listed(self.catalogue.connection(), self.name)[0] != self.folder_time()

    def _with_key(self, key: IdKey) -> list[Loaded[T]]:
        """The files that have an id now, though another may have taken it or left it since they were last read."""
        known = entries.seen_with_key(self.catalogue.connection(), self.name, key)
        current = [loaded for seen in known if (loaded := self.load(seen.name, seen)) is not None]
        return [loaded for loaded in current if loaded.seen.key == key]

    def _named_by(self, key: IdKey) -> Loaded[T] | None:
        """The file that an id's own name leads to, while the others are being read for the first time."""
        loaded = self.loader.load(f"{written(*key)}.yaml")
        return loaded if loaded is not None and loaded.seen.key == key else None

    def _await_first_read(self) -> None:
        if not self.read_once.wait(_FIRST_READ_SECONDS):
            raise WorkspaceUnavailable("The tickets are being read for the first time. Try again in a minute.")
        if not self.swept():
            self.sweep()

    def _write(self, batch: Sequence[tuple[str, Loaded[T] | None]], known: dict[str, Seen]) -> None:
        changed = [(name, one) for name, one in batch if (one.seen if one else None) != known.get(name)]
        if not changed:
            return
        with self.catalogue.writing() as connection:
            rows: list[Row] = []
            for name, loaded in changed:
                if loaded is None:
                    entries.drop(connection, self.name, name)
                elif name in known and known[name].digest == loaded.seen.digest:
                    entries.touch(connection, self.name, loaded.seen)
                else:
                    rows.append(self._row(loaded))
            entries.put(connection, self.name, rows)

    def _row(self, loaded: Loaded[T]) -> Row:
        if isinstance(loaded.record, Problem):
            return Row(loaded.seen, None, loaded.record.line, loaded.record.cause)
        return Row(loaded.seen, self.facts(loaded.record))

    def _listed(self, changed: int, started: int, *, swept: bool) -> None:
        """Notes the look at the folder; one that changed this very moment will be looked at again."""
        at = changed if changed == 0 or settled(changed, started) else -1
        if catalogue.listed(self.catalogue.connection(), self.name) == (at, True):
            return
        with self.catalogue.writing() as connection:
            catalogue.set_listed(connection, self.name, at, swept=swept)

    def _look_at_all(self) -> tuple[set[str], dict[str, Stamp | None], list[str]]:
        """The names there are, the files that are known, and the names of those that are not as they were seen."""
        known, listing = entries.stamps(self.catalogue.connection(), self.name), self._listing()
        stale = [item.name for item in listing if not _unchanged(item, known.get(item.name))]
        return {item.name for item in listing}, known, stale

    def _read_in_processes(self, names: Sequence[str]) -> None:
        parts = min(os.cpu_count() or 1, _MOST_PROCESSES)
        command = [sys.executable, "-m", "bot.tickets.reader", str(self.catalogue.workspace), self.name]
        paths = [str(Path(bot.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
        environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        nowhere = subprocess.DEVNULL
        started = [
            subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere)
            for _ in range(parts)
        ]
        for part, process in enumerate(started):
            with contextlib.suppress(OSError):  # it died: what it did not read is read here
                assert process.stdin is not None
                process.stdin.write("\0".join(names[part::parts]).encode("utf-8", "surrogateescape"))
                process.stdin.close()
        for process in started:
            process.wait()

    def _listing(self) -> list[os.DirEntry[str]]:
        """The files there are; what killed writers left goes."""
        try:
            with os.scandir(self.path) as listing:
                items = list(listing)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise files.unavailable("read", error) from error
        files.remove_stale([Path(item.path) for item in items if item.name.startswith(files.TEMPORARY)])
        return [item for item in items if _is_record(item.name)]


def _kept(loaded: Loaded[T] | None) -> Loaded[T] | None:
    """Without the nodes of its text: those of a batch, alive together, cost more to walk through than to make."""
    return replace(loaded, parsed=None) if loaded is not None else None


def _is_record(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(_ENDINGS)


def _settled(seen: Seen | None) -> Stamp | None:
    """The stamp of a file, if it alone tells whether the file has changed."""
    return seen.stamp if seen is not None and seen.settled else None


def _unchanged(item: os.DirEntry[str] | Path, stamp: Stamp | None) -> bool:
    """Whether a file's stamp is still this one."""
    try:
        return stamp is not None and stamp == stamp_of(item.stat())
    except OSError:
        return False
