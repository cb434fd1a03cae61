"""Puts a new file in another's place only if that one is still what the writer had read, whoever else saves."""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

# renameat2(2) of Linux: the current folder, and RENAME_EXCHANGE. renamex_np(2) of macOS: RENAME_SWAP.
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
# What systems and disks answer that cannot do it; NFS and FAT are among them.
_UNABLE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EXDEV})


def put_in_place(temporary: Path, path: Path, expected: bytes) -> bool:
    """Gives a finished file another's name, if that one holds what is expected; else False, and nothing is done.

    Editors take no lock, and no system compares and renames in one step: so the two are swapped, and swapped back
    when what came out is not what was expected. What else was saved meanwhile stays, the latest of it. `temporary`
    is left with what nobody needs, or is gone. Where files cannot be swapped, the last look comes before the rename.
    Raises OSError.
    """
    ours = _stamp(temporary)
    if not _holds(path, expected):
        return False
    if not exchange(temporary, path):
        os.replace(temporary, path)
        return True
    if _holds(temporary, expected):
        return True
    try:
        while True:
            theirs = _stamp(temporary)
            exchange(temporary, path)
            if _stamp(temporary) == ours:
                return False
            ours = theirs  # somebody saved once more: that one goes back in its place
    except FileNotFoundError:
        return False  # somebody removed the file after all


def exchange(a: Path, b: Path) -> bool:
    """Gives each of two files in one folder the other's name, in one step for everybody; both must be there.

    False, and nothing done, where system or disk cannot do it. Raises OSError for anything else that is wrong.
    """
    swap = _swap()
    if swap is None:
        return False
    if swap(os.fsencode(a), os.fsencode(b)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNABLE:
        return False
    raise OSError(number, os.strerror(number), str(a), None, str(b))


@cache
def _swap() -> Callable[[bytes, bytes], int] | None:
    """The system's own call; None where there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        macs = getattr(libc, "renamex_np", None)
        return (lambda a, b: int(macs(a, b, ctypes.c_uint(_RENAME_SWAP)))) if macs else None
    linux, here = getattr(libc, "renameat2", None), _AT_FDCWD
    return (lambda a, b: int(linux(here, a, here, b, ctypes.c_uint(_RENAME_EXCHANGE)))) if linux else None


def _holds(path: Path, content: bytes) -> bool:
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_size == len(content) and path.read_bytes() == content


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_ino, status.st_size, status.st_mtime_ns
