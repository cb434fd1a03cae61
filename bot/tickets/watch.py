"""Follows what is changed in a workspace's folders outside: by the system's events, and by a look now and then."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from bot.errors import BotError
from bot.tickets.catalogue import Catalogue, damaged

log = logging.getLogger(__name__)
_GATHER_MS, _STEP_MS, _TURN_MS = 400, 20, 1000
_AGAIN_SECONDS = 1.0
_SWEEP_SECONDS, _SWEEP_SHARE = 30.0, 50


class Followed(Protocol):
    """A folder of files, as far as following it goes."""

    follows: bool
    read_once: threading.Event

    @property
    def path(self) -> Path: ...

    def sweep(self) -> set[str]: ...

    def refresh(self, names: Sequence[str]) -> set[str]: ...


class Watch:
    """A thread that keeps the catalogue of a workspace as its files are."""

    def __init__(
        self, catalogue: Catalogue, folders: Sequence[Followed], on_change: Callable[[frozenset[str]], None] | None
    ) -> None:
        self._catalogue, self._folders, self._on_change = catalogue, folders, on_change
        self._folder = catalogue.workspace / ".sciorex"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tickets-watch", daemon=True)

    def start(self) -> None:
        """Begins: until the first sweep has ended, questions wait for it."""
        for folder in self._folders:
            folder.follows = True
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread: from then on each question looks for itself."""
        self._stop.set()
        self._thread.join(timeout=10)
        for folder in self._folders:
            folder.follows = False
            folder.read_once.set()  # who waits for the first look, looks

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (BotError, OSError, RuntimeError) as error:
                log.warning("the tickets cannot be followed just now: %s", error)
            except sqlite3.DatabaseError as error:
                log.warning("the index of tickets could not be used: %s", error)
                if damaged(error):
                    self._catalogue.discard()
            except Exception:
                log.exception("the tickets cannot be followed just now")
            self._stop.wait(_AGAIN_SECONDS)

    def _follow(self) -> None:
        """Until a folder appears or goes: its events, after one look at everything."""
        import watchfiles  # not before it is needed: `--help` and the first answer come without it

        self._sweep()  # questions need not wait for the system, which takes up to a second
        there = [folder.path for folder in self._folders if folder.path.is_dir()]
        events = watchfiles.watch(
            self._folder,
            *there,
            recursive=False,
            watch_filter=None,
            debounce=_GATHER_MS,
            step=_STEP_MS,
            rust_timeout=_TURN_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
        )
        next(events, None)  # the system watches from here on: once more, for what changed in between
        again = self._sweep()
        for changes in events:
            if [folder.path for folder in self._folders if folder.path.is_dir()] != there:
                return
            self._refresh({Path(path) for _, path in changes})
            if time.monotonic() > again:
                again = self._sweep()

    def _sweep(self) -> float:
        """Looks at everything; gives when to do so again: seldom, and the longer it takes the seldomer."""
        began = time.monotonic()
        for folder in self._folders:
            self._tell(folder.sweep())
            folder.read_once.set()
        ended = time.monotonic()
        return ended + max(_SWEEP_SECONDS, _SWEEP_SHARE * (ended - began))

    def _refresh(self, paths: set[Path]) -> None:
        for folder in self._folders:
            names = [path.name for path in paths if path.parent == folder.path]
            if names:
                self._tell(folder.refresh(names))

    def _tell(self, ids: set[str]) -> None:
        if ids and self._on_change is not None:
            self._on_change(frozenset(ids))
