"""How soon a watched workspace shows what others did: one saved file, and a git pull of 2,000."""

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.tickets.store import TicketStore

PULLED = 2_000
ALL = 1_000_000
_PATIENCE = 60.0


class Ear:
    """What the watcher has told, and when."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._news = threading.Condition()

    def hear(self, ids: frozenset[str]) -> None:
        with self._news:
            self._told |= ids
            self._news.notify_all()

    def forget(self) -> None:
        with self._news:
            self._told.clear()

    def wait_for(self, ids: set[str], begun: float) -> float:
        """Seconds from a moment on until all of these have been told."""
        with self._news:
            if not self._news.wait_for(lambda: ids <= self._told, _PATIENCE):
                raise TimeoutError(f"{len(ids - self._told)} of {len(ids)} changes were never told")
        return time.perf_counter() - begun


def edits_outside(folder: Path) -> dict[str, Any]:
    """One file saved by an editor, five times; then `git checkout` of a commit that changes 2,000 files, and back.

    `told` is when the watcher has named the tickets, `found` when a search, asked again and again, shows the changes.
    """
    files = sorted((folder / ".sciorex" / "tickets").glob("T-*.yaml"))
    pulled = files[1 : PULLED + 1]
    _commits(folder, pulled)
    store, ear = TicketStore(folder), Ear()
    store.list(limit=50)
    store.watch(ear.hear)
    _edit(files[0], "warmup")
    ear.wait_for({files[0].stem}, time.perf_counter())
    told, found = [], []
    for word in ("qqzalpha", "qqzbeta", "qqzgamma", "qqzdelta", "qqzepsilon"):
        ear.forget()
        _edit(files[0], word)
        begun = time.perf_counter()
        found.append(_until(lambda word=word: len(store.search(word, archived=True)) == 1, begun))  # type: ignore[misc]
        told.append(ear.wait_for({files[0].stem}, begun))
    git, waited = _pull(folder, "pulled", ear, lambda begun: ear.wait_for({path.stem for path in pulled}, begun))
    shown = len(store.search("qqzpulled", ALL, archived=True))
    _, polled = _pull(folder, "main", ear, lambda begun: _until(lambda: not store.search("qqzpulled"), begun))
    store.close()
    return {
        "told": statistics.median(told),
        "found": statistics.median(found),
        "git": git,
        "files": len(pulled),
        "all told": waited,
        "shown when told": shown,
        "all found": polled,
    }


def _pull(folder: Path, branch: str, ear: Ear, wait: Callable[[float], float]) -> tuple[float, float]:
    """How long git took to change the files, and how long after it ended what is waited for took."""
    ear.forget()
    begun = time.perf_counter()
    _git(folder, "checkout", "--quiet", branch)
    ended = time.perf_counter()
    return ended - begun, wait(ended)


def _commits(folder: Path, pulled: list[Path]) -> None:
    """The workspace as it is on one branch, and on `pulled` with a changed title in many files."""
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message=before")
    _git(folder, "checkout", "--quiet", "-b", "pulled")
    for path in pulled:
        _edit(path, "qqzpulled")
    _git(folder, "commit", "--quiet", "--all", "--message=after")
    _git(folder, "checkout", "--quiet", "main")


def _edit(path: Path, word: str) -> None:
    """Saves the file as editors do, under a new name first: the title is one word and the ticket's id."""
    lines = path.read_text(encoding="utf-8").split("\n")
    changed = [f"title: {word} {path.stem}" if line.startswith("title: ") else line for line in lines]
    saved = path.with_name(f".{path.name}.swp")
    saved.write_text("\n".join(changed), encoding="utf-8")
    os.replace(saved, path)


def _until(seen: Callable[[], bool], begun: float) -> float:
    while not seen():
        if time.perf_counter() - begun > _PATIENCE:
            raise TimeoutError("a change made outside was never found")
        time.sleep(0.01)
    return time.perf_counter() - begun


def _git(folder: Path, *command: str) -> None:
    who = ("-c", "user.name=b", "-c", "user.email=b@example.org", "-c", "gc.auto=0", "-c", "core.fsmonitor=false")
    subprocess.run(["git", *who, *command], cwd=folder, check=True, capture_output=True)
