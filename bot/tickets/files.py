"""Reads and writes single files so that nothing is lost: locks between processes, atomic replacing."""

import contextlib
import errno
import hashlib
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.errors import WorkspaceUnavailable
from bot.tickets.exchange import put_in_place

MAX_BYTES = 16_000_000
TEMPORARY = ".sciorex-slack-"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_LOCK_SECONDS = 30.0
_STALE_SECONDS = 60.0


@contextlib.contextmanager
def workspace_lock(folder: Path) -> Iterator[None]:
    """Lets one process or thread at a time write in a workspace; raises WorkspaceUnavailable after 30 s.

    The lock lies outside the workspace, so that version control never sees it.
    """
    from filelock import FileLock, Timeout  # not before it is needed: who only reads need not wait for it

    lock = FileLock(cache_folder("locks") / f"{workspace_name(folder)}.lock", thread_local=False)
    try:
        lock.acquire(timeout=_LOCK_SECONDS, poll_interval=0.01)
    except Timeout as late:
        raise WorkspaceUnavailable(
            "Another program has been writing tickets for half a minute. Try again in a moment."
        ) from late
    except OSError as error:
        raise unavailable("locked", error) from error
    try:
        yield
    finally:
        lock.release()


def read(path: Path) -> bytes:
    """A file's bytes; raises OSError, also for one larger than 16 MB."""
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, "larger than 16 MB")
    return content


def digest(content: bytes) -> str:
    """A short hash that names a state of a file."""
    return hashlib.sha256(content).hexdigest()[:16]


def replace(path: Path, content: bytes, *, read_before: bytes) -> bool:
    """Puts new content in a file's place, all at once, with its mode and owner.

    False, and nothing done, when the file no longer holds what was read before: an editor takes no lock.
    Raises WorkspaceUnavailable, the file intact, when the disk refuses.
    """
    try:
        status = path.stat()
        temporary = _write_temporary(path.parent, content, status)
        try:
            if not put_in_place(temporary, path, read_before):
                return False
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except FileNotFoundError:
        if path.parent.is_dir():
            return False
        raise unavailable("written", FileNotFoundError(errno.ENOENT, "")) from None
    except OSError as error:
        raise unavailable("written", error) from error
    return True


def create(path: Path, content: bytes) -> bool:
    """Makes a file, whole or not at all; False when there is one of that name already."""
    try:
        path.parent.mkdir(exist_ok=True)
        temporary = _write_temporary(path.parent, content, None)
        try:
            _link(temporary, path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise unavailable("written", error) from error
    return True


def unavailable(doing: str, error: OSError) -> WorkspaceUnavailable:
    """The sentence for a disk that refuses."""
    causes = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "the bot has no permission",
        errno.EPERM: "the bot has no permission",
        errno.ENOENT: "its folder is not there any more",
        errno.ENOTDIR: "its folder is not there any more",
    }
    cause = causes.get(error.errno or 0, (error.strerror or "the disk refuses").lower())
    return WorkspaceUnavailable(f"The ticket workspace cannot be {doing}: {cause}. Nothing was changed.")


def remove_stale(paths: list[Path]) -> None:
    """Clears away what a process that was killed in mid-write has left."""
    for path in paths:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()


def _write_temporary(folder: Path, content: bytes, like: os.stat_result | None) -> Path:
    """A file beside the one it will become. It has one name, so that the next writer clears what a killed one left.

    Never written over, but made anew: after a kill between link and unlink it is the new ticket itself.
    """
    temporary = folder / f"{TEMPORARY}{_this_user()}.tmp"
    try:
        handle = os.open(temporary, _NEW, 0o600)
    except FileExistsError:
        temporary.unlink()
        handle = os.open(temporary, _NEW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            _dress(file.fileno(), like)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _this_user() -> str:
    """Those who share a lock: one user on one machine."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    return hashlib.sha256(f"{socket.gethostname()}/{user}".encode()).hexdigest()[:12]


def _dress(handle: int, like: os.stat_result | None) -> None:
    """The mode and, where that is allowed, the owner of another file; else what a new file gets."""
    if like is None:
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(handle, 0o666 & ~umask)
        return
    mine = os.fstat(handle)
    if (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):
        with contextlib.suppress(OSError):
            os.fchown(handle, like.st_uid, like.st_gid)
    os.fchmod(handle, like.st_mode & 0o7777)


def _link(temporary: Path, path: Path) -> None:
    """Gives the file its name unless that is taken; some disks have no hard links."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):
            raise
    finally:
        os.close(handle)


def workspace_name(folder: Path) -> str:
    """A name for what is kept of a workspace elsewhere: the same for every path that leads to it."""
    return hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:32]


def cache_folder(name: str) -> Path:
    """A folder of this user for what can be made again; raises WorkspaceUnavailable where none can be written."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for place in (Path(cache) / "sciorex-slack" / name, Path(tempfile.gettempdir()) / f"sciorex-slack-{user}" / name):
        if os.access(place, os.W_OK):
            return place
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        return place
    raise WorkspaceUnavailable("Tickets cannot be locked: neither cache nor temporary folder can be written.")
