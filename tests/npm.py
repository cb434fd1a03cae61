"""Programs from npm that tests run beside ours, at fixed versions, installed once into this Python's own folder."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGES = {
    "@modelcontextprotocol/inspector": "2.12.0",
    "@modelcontextprotocol/conformance": "0.1.16",
    "@copilotkit/aimock": "1.43.0",
}
NODE = "22.23.3"  # comes from npm too where what is installed is older than the programs ask for
OLDEST_NODE = (22, 19)
SECONDS = 300


@dataclass(frozen=True)
class Tools:
    """Where the programs are, and a Node.js that runs them."""

    folder: Path
    node: str

    def run(self, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end. Its children find the same Node.js."""
        return subprocess.run(
            self._command(program, arguments),
            env=self._environment(environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, program: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Starts a program that serves until it is ended; what it says is not read."""
        nowhere = subprocess.DEVNULL
        command = self._command(program, arguments)
        return subprocess.Popen(command, env=self._environment(environment), stdout=nowhere, stderr=nowhere)

    def _command(self, program: str, arguments: Sequence[str]) -> list[str]:
        return [self.node, str(self.folder / "node_modules/.bin" / program), *arguments]

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        path = f"{Path(self.node).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, **more, "PATH": path}


@pytest.fixture(scope="session")
def npm_tools() -> Tools:
    """The programs; without npm or a network their tests are skipped with a line, or fail under CI_REQUIRE_ALL=1."""
    try:
        return installed()
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", "") or error
        reason = f"npm's programs cannot be had here ({str(detail).strip()[:300]}), so the server is not tried by them"
    if os.environ.get("CI_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def installed() -> Tools:
    """Installs what is not there yet: into a folder beside, then moved into place whole."""
    node = _node()
    wanted = {**PACKAGES, **({} if node else {f"node-{_machine()}": NODE})}
    place = Path(sys.prefix) / "npm-for-tests"
    if _holds(place) != wanted:
        npm = shutil.which("npm")
        if npm is None:
            raise FileNotFoundError("there is no npm")
        making = Path(tempfile.mkdtemp(prefix="npm-for-tests-", dir=sys.prefix))
        (making / "package.json").write_text(json.dumps({"private": True, "dependencies": wanted}))
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
        subprocess.run(
            [npm, "install", *quiet], cwd=making, capture_output=True, text=True, timeout=SECONDS, check=True
        )
        shutil.rmtree(place, ignore_errors=True)
        making.rename(place)
    return Tools(place, node or str(place / f"node_modules/node-{_machine()}/bin/node"))


def _holds(place: Path) -> dict[str, str] | None:
    try:
        held: dict[str, str] = json.loads((place / "package.json").read_text())["dependencies"]
    except (OSError, ValueError, KeyError):
        return None
    return held


def _node() -> str | None:
    """The Node.js of this machine, if it is new enough."""
    node = shutil.which("node")
    if node is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    version = tuple(int(number) for number in re.findall(r"\d+", told)[:2])
    return node if version >= OLDEST_NODE else None


def _machine() -> str:
    """This machine as npm's packages of Node.js name it, such as linux-x64."""
    processor = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}-{processor}"
