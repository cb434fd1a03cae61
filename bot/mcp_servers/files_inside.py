"""What the file tools may open: files inside the workspace's folder that hold nobody's secrets. No way leads out.

Only the standard library is used here: the process that searches starts with it.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import unicodedata
from collections import deque
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path, PurePath
from typing import TypeAlias

from bot.errors import BotError

Parts: TypeAlias = tuple[str, ...]  # a path below the folder, link-free; () is the folder itself
_SECRET = re.compile(
    r"\.env.*|.*\.env|.*\.(pem|key|p8|p12|pfx|jks|keystore|ppk|kdbx|gpg|tfstate)"
    r"|\.?id_(rsa|dsa|ecdsa|ed25519|xmss).*|.*_(rsa|ed25519)"
    r"|\.(netrc|npmrc|pypirc|pgpass|htpasswd|git-credentials|gitconfig|dockercfg|vault-token|secrets)"
    r"|\.?(secrets?|credentials?)\.(json|ya?ml|toml|ini|txt|cfg)|service[-_]account.*\.json"
    r"|\.?mcp\.json|\.claude\.json|claude_desktop_config\.json"
    r"|\.(git|ssh|gnupg|aws|azure|kube|docker)|\.sciorex-slack.*|\..*\.sw[a-p]"
)
_COPY = re.compile(r"(\.(bak|backup|old|orig|save|tmp|\d+)|[~#. ])+$")
_SECRET_WITHIN = {
    ".sciorex": re.compile(r"sessions|config\.json"),
    ".claude": re.compile(r"settings.*\.json"),
}
_OWN = (
    (".env",),
    (".git",),
    (".mcp.json",),
    (".sciorex-slack",),
    (".sciorex", "sessions"),
    (".sciorex", "config.json"),
)
_BESIDE_DATABASE = ("", "-wal", "-shm", "-journal")
_HEAVY = frozenset(
    {"node_modules", "__pycache__", ".venv", "venv", ".tox", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Inside:
    """The files of one folder. `private` are further files and folders (or databases) that nobody is told of."""

    def __init__(self, folder: Path, private: Collection[Path] = ()) -> None:
        self._root = os.path.realpath(folder)
        self._spelled = (PurePath(self._root), PurePath(os.path.abspath(folder)))
        real = [os.path.realpath(path) for path in private]
        self._private = {tuple(map(_plain, parts)) for path in real if (parts := self._below(path))}
        own = [os.path.join(self._root, *parts) for parts in _OWN]
        # The same file is known by its inode under whatever name, through hard links and mounts too.
        self._inodes = {known for path in (*real, *own) if path != self._root and (known := _inode(path))}

    def look(self, path: str) -> tuple[Parts, bool]:
        """Where a path leads, links followed, and whether a folder stands there.

        Raises BotError if that is outside or hidden, or nothing is there: all with the same sentence.
        """
        parts = self._led_to(path)
        if parts is not None:
            with contextlib.suppress(OSError, ValueError), self.opened(parts) as handle:
                kind = os.fstat(handle).st_mode
                if stat.S_ISDIR(kind) or stat.S_ISREG(kind):
                    return parts, stat.S_ISDIR(kind)
        raise BotError(f"There is nothing at “{path[:200]}” that could be read. Paths begin in the workspace's folder.")

    def hides(self, parts: Parts) -> bool:
        """Whether a path is one of those that are not told of, in whatever case or spelling."""
        plain = tuple(map(_plain, parts))
        return (
            any(_SECRET.fullmatch(name) for name in plain)
            or any(a in _SECRET_WITHIN and _SECRET_WITHIN[a].fullmatch(b) for a, b in pairwise(plain))
            or any(
                {plain[:n], (*plain[: n - 1], _base(plain[n - 1]))} & self._private for n in range(1, len(plain) + 1)
            )
        )

    @contextlib.contextmanager
    def opened(self, parts: Parts) -> Iterator[int]:
        """A handle on what is there: each name is opened in the folder before it, and no link is followed.

        So nobody can put something else in between looking and opening. Raises OSError.
        """
        handle = os.open(self._root, _OPEN | os.O_DIRECTORY)
        try:
            for n, part in enumerate(parts, 1):
                inner = os.open(part, _OPEN | (os.O_DIRECTORY if n < len(parts) else 0), dir_fd=handle)
                os.close(handle)
                handle = inner
                status = os.fstat(handle)
                if (status.st_dev, status.st_ino) in self._inodes:
                    raise FileNotFoundError(part)
            yield handle
        finally:
            os.close(handle)

    def content(self, parts: Parts, most: int) -> tuple[bytes, int]:
        """At most so many of a file's bytes, and its size; raises OSError, also for what is no file."""
        with self.opened(parts) as handle:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise IsADirectoryError
            with os.fdopen(os.dup(handle), "rb") as file:
                return file.read(most), status.st_size

    def walk(self, start: Parts) -> Iterator[Parts | None]:
        """The files below a folder, those near it first; None for each entry that is none. Links are not followed."""
        folders = deque([start])
        while folders:
            folder = folders.popleft()
            inner: list[Parts] = []
            for name, is_folder in self._entries(folder):
                path = (*folder, name)
                if is_folder is None or self.hides(path):
                    yield None
                elif not is_folder:
                    yield path
                else:
                    if name not in _HEAVY:
                        inner.append(path)
                    yield None
            folders.extend(inner)

    def _entries(self, folder: Parts) -> Iterator[tuple[str, bool | None]]:
        """What stands in a folder by name, and whether it is a folder; None for what is neither that nor a file."""
        try:
            with self.opened(folder) as handle, os.scandir(handle) as listing:
                found = [(entry.name, self._kind(entry)) for entry in listing]
        except OSError:
            return
        yield from sorted(found)

    def _kind(self, entry: os.DirEntry[str]) -> bool | None:
        with contextlib.suppress(OSError):
            if entry.is_symlink() or self._is_private(entry):
                return None
            if entry.is_dir(follow_symlinks=False):
                return True
            return False if entry.is_file(follow_symlinks=False) else None
        return None

    def _is_private(self, entry: os.DirEntry[str]) -> bool:
        if all(entry.inode() != inode for _device, inode in self._inodes):
            return False
        return (entry.stat(follow_symlinks=False).st_dev, entry.inode()) in self._inodes

    def _led_to(self, path: str) -> Parts | None:
        given = PurePath(path)
        if given.is_absolute():
            base = next((one for one in self._spelled if given.is_relative_to(one)), None)
            if base is None:
                return None
            given = given.relative_to(base)
        if ".." in given.parts or self.hides(given.parts):
            return None
        try:
            real = self._below(os.path.realpath(os.path.join(self._root, *given.parts)))
        except (OSError, ValueError):
            return None
        return None if real is None or self.hides(real) else real

    def _below(self, real: str) -> Parts | None:
        path = PurePath(real)
        return path.relative_to(self._root).parts if path.is_relative_to(self._root) else None


def _plain(name: str) -> str:
    """A name as the least particular disk would compare it, without what editors put around copies."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    visible = "".join(sign for sign in folded if unicodedata.category(sign) not in ("Cf", "Cc"))
    return _COPY.sub("", visible).lstrip("# ")


def _base(name: str) -> str:
    """The name of the database for what it keeps beside itself."""
    return next((name.removesuffix(end) for end in _BESIDE_DATABASE if end and name.endswith(end)), name)


def _inode(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
