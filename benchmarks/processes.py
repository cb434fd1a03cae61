"""Runs a measurement in a fresh process, with an index of its own, and watches the memory it takes."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


class Failed(Exception):
    """A measurement that came to no end; the last line of what it said."""


def run(measure: str, folder: Path, cache: Path) -> dict[str, Any]:
    """What a measurement prints. `cache` holds the index, so that nothing of this machine is used or touched."""
    process = _start(measure, folder, cache)
    return _answer(process)


def run_weighed(measure: str, folder: Path, cache: Path) -> int:
    """The most memory, in bytes, that a measurement's process and its children had in use together."""
    process, most = _start(measure, folder, cache), 0
    while process.poll() is None:
        most = max(most, sum(_resident(pid) for pid in _family(process.pid)))
        time.sleep(0.005)
    return max(most, int(_answer(process)["peak"]))


def _start(measure: str, folder: Path, cache: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.measures", measure, str(folder)]
    environ = {**os.environ, "XDG_CACHE_HOME": str(cache), "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def _answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    said, complained = process.communicate()
    if process.returncode:
        raise Failed((complained.strip().splitlines() or ["no word"])[-1])
    answer: dict[str, Any] = json.loads(said)
    return answer


def _family(pid: int) -> list[int]:
    """A process and all below it; on systems without /proc the process alone."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
