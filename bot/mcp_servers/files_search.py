"""Finds files by name or content, in a process of its own: whoever asks can end it, however long a pattern takes.

A request comes by standard input and the answer goes by standard output, both JSON:
{tool: "Glob", "Grep", folder, private, pattern, path, glob, limit, seconds} → {text} or {error}.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeAlias

from bot.errors import BotError
from bot.mcp_servers.files_inside import Inside, Parts

MOST_ENTRIES, MOST_PATHS = 50_000, 500
LONGEST_FILE, MOST_BYTES = 2_000_000, 200_000_000
LONGEST_LINE, LONGEST_ANSWER = 300, 40_000
MOST_SPELLINGS = 64
_MEMORY = 1_000_000_000
Fits: TypeAlias = Callable[[Parts], bool]


@dataclass
class Search:
    """What may still be looked at; `ended` says why it was not all."""

    inside: Inside
    until: float
    entries: int = 0
    read: int = 0
    ended: str = ""
    found: list[str] = field(default_factory=list)
    length: int = 0

    def files(self, start: Parts) -> Iterator[Parts]:
        """The files below a folder, until there is no time left or enough was looked at."""
        for path in self.inside.walk(start):
            self.entries += 1
            if self.entries > MOST_ENTRIES:
                self.ended = f"it ended after {MOST_ENTRIES:,} entries"
            elif time.monotonic() > self.until:
                self.ended = "it ended since it took too long"
            if self.ended:
                return
            if path is not None:
                yield path

    def add(self, line: str, most: int) -> bool:
        """Takes a line into the answer; False once that is full."""
        if len(self.found) >= most:
            self.ended = f"there are more than {most}"
        elif self.length + len(line) > LONGEST_ANSWER:
            self.ended = "there are more, and the answer would be too long"
        if self.ended:
            return False
        self.length += len(line)
        self.found.append(line)
        return True


def glob(search: Search, pattern: str, path: str) -> str:
    """The files below `path` whose path from there fits the pattern."""
    start, is_folder = search.inside.look(path)
    if not is_folder:
        raise BotError(f"“{path[:200]}” is a file. Glob looks into folders.")
    fits = fitting(pattern)
    for file in search.files(start):
        if fits(file[len(start) :]) and not search.add(shown(file), MOST_PATHS):
            break
    return _answer(search, "No file fits")


def grep(search: Search, pattern: str, path: str, only: str, limit: int) -> str:
    """The lines that the pattern finds, each with its file and number."""
    try:
        finds = re.compile(pattern).search
    except (re.error, OverflowError, RecursionError) as error:
        raise BotError(f"The pattern is no regular expression of Python's: {error}.") from error
    start, is_folder = search.inside.look(path)
    fits = fitting(only if "/" in only else f"**/{only}") if only else lambda parts: True
    files = search.files(start) if is_folder else iter([start])
    for file in files:
        if is_folder and not fits(file[len(start) :]):
            continue
        for number, line in enumerate(_lines(search, file), 1):
            if finds(line) and not search.add(f"{shown(file)}:{number}: {_cut(line)}", limit):
                return _answer(search, "")
    return _answer(search, "Nothing was found")


def fitting(pattern: str) -> Fits:
    """Whether a path fits: `*`, `?` and `[…]` within a name, `**` for any folders, `{a,b}` for either.

    Takes no longer than path times pattern.
    """
    spelled = [one.split("/") for one in _spellings(pattern.removeprefix("./"))]
    return lambda parts: any(_fits(parts, names) for names in spelled)


def shown(parts: Parts) -> str:
    """A path as the model reads it: no sign that would break the line, no half characters."""
    text = os.fsencode("/".join(parts)).decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _fits(parts: Parts, names: list[str]) -> bool:
    states = _skipped({0}, names)
    for part in parts:
        after = {
            state if names[state] == "**" else state + 1
            for state in states
            if state < len(names) and (names[state] == "**" or fnmatchcase(part, names[state]))
        }
        states = _skipped(after, names)
    return len(names) in states


def _skipped(states: set[int], names: list[str]) -> set[int]:
    """`**` may stand for no folder at all."""
    for state in sorted(states):
        while state < len(names) and names[state] == "**":
            state += 1
            states = states | {state}
    return states


def _spellings(pattern: str) -> list[str]:
    done, waiting = list[str](), [pattern]
    while waiting:
        one = waiting.pop(0)
        if braces := re.search(r"\{([^{}]*,[^{}]*)\}", one):
            waiting += [one[: braces.start()] + choice + one[braces.end() :] for choice in braces[1].split(",")]
        else:
            done.append(one)
        if len(done) + len(waiting) > MOST_SPELLINGS:
            raise BotError("The pattern has too many alternatives in braces.")
    return done


def _lines(search: Search, file: Parts) -> list[str]:
    """A text file's lines; none of what is binary, too large or gone."""
    try:
        content, size = search.inside.content(file, LONGEST_FILE + 1)
    except OSError:
        return []
    search.read += len(content)
    if search.read > MOST_BYTES:
        search.ended = f"it ended after {MOST_BYTES // 1_000_000} MB"
    if size > LONGEST_FILE or len(content) > LONGEST_FILE or b"\0" in content[:8_192]:
        return []
    return [line.removesuffix("\r") for line in content.decode("utf-8", "replace").split("\n")]


def _cut(line: str) -> str:
    text = "".join(sign if sign.isprintable() or sign == "\t" else "?" for sign in line[:LONGEST_LINE])
    return f"{text}…" if len(line) > LONGEST_LINE else text


def _answer(search: Search, nothing: str) -> str:
    lines = list(search.found)
    if search.ended:
        lines.append(f"(Not all: {search.ended}. Name a folder with path, or be more exact.)")
    return "\n".join(lines) if lines else f"{nothing}."


def answer(request: dict[str, Any]) -> dict[str, str]:
    """What becomes of a request."""
    inside = Inside(Path(request["folder"]), [Path(path) for path in request["private"]])
    search = Search(inside, time.monotonic() + float(request["seconds"]))
    try:
        if request["tool"] == "Glob":
            return {"text": glob(search, request["pattern"], request["path"])}
        return {"text": grep(search, request["pattern"], request["path"], request["glob"], request["limit"])}
    except BotError as error:
        return {"error": error.text}
    except MemoryError:
        return {"error": "The pattern needs too much memory. Use a simpler one."}


def main() -> None:
    """One request, with little memory and time: the system ends what would go on without anybody waiting."""
    request = json.load(sys.stdin.buffer)
    seconds = int(request["seconds"]) + 5
    for what, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, _MEMORY)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))
    os.nice(5)
    sys.stdout.write(json.dumps(answer(request)))


if __name__ == "__main__":
    main()
