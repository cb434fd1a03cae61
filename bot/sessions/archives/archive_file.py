"""The files of archived transcripts: in the workspace, or private with a stub there in their place."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ArchiveUnreadable
from bot.tickets.files import TEMPORARY, remove_stale, unavailable

FOLDER = ".sciorex/sessions"
MOST_BYTES = 256_000_000
LISTS = ("messages", "entries")  # an item a line: a change of one is one line for version control


@dataclass(frozen=True)
class Written:
    """Where a transcript is (see `transcript_path`), and the SHA-256 of its bytes."""

    file: str
    sha256: str


def write_transcript(content: Mapping[str, object], *, workspace: Path, private_folder: Path, public: bool) -> Written:
    """Writes a session's file; the same content again gives the same bytes.

    `public`: into the workspace, which others clone and read. Else into `private_folder` (readable by the bot
    alone), and the workspace gets a stub with id, hash and the chain's last link. What was private once stays
    private, whatever its channel has become. Raises WorkspaceUnavailable when the disk refuses.
    """
    text = as_text(content)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    session_id = str(content["id"])
    name = file_name(session_id)
    open_file, private_file = workspace / FOLDER / name, private_folder / name
    try:
        open_file.parent.mkdir(exist_ok=True)
        if public and not private_file.exists() and not _is_stub(open_file):
            _put(open_file, text, mode=None)
            return Written(f"{FOLDER}/{name}", sha256)
        private_folder.mkdir(parents=True, exist_ok=True)
        private_folder.chmod(0o700)
        _put(private_file, text, mode=0o600)
        stub = {"id": session_id, "status": "archived", "sha256": sha256, "private": True, **_end(content)}
        _put(open_file, json.dumps(stub, indent=2) + "\n", mode=None)
    except OSError as error:
        raise unavailable("written", error) from error
    return Written(name, sha256)


def as_text(content: Mapping[str, object]) -> str:
    """A transcript as its file has it: JSON, a line for each key, message and entry of the chain."""
    return "{\n" + ",\n".join(_keys(content, "  ")) + "\n}\n"


def file_name(session_id: str) -> str:
    """The name of a session's file."""
    return f"session-{session_id}.json"


def transcript_path(file: str, *, workspace: Path, private_folder: Path) -> Path:
    """Where a transcript's `file` lies: in the workspace, or (a bare name) in the private folder."""
    return workspace / file if file.startswith(f"{FOLDER}/") else private_folder / file


def read_transcript(path: Path, shown: str) -> object:
    """What a transcript's file holds; `shown` names it to people. Raises ArchiveUnreadable."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ArchiveUnreadable(shown, "it is no file")
        if status.st_size > MOST_BYTES:
            raise ArchiveUnreadable(shown, f"it is larger than {MOST_BYTES // 1_000_000} MB")
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ArchiveUnreadable(shown, (error.strerror or "the disk refuses").lower()) from error
    except UnicodeDecodeError as error:
        raise ArchiveUnreadable(shown, f"it is not UTF-8 text (byte {error.start})") from error
    try:
        content: object = json.loads(text, object_pairs_hook=_once_each)
    except json.JSONDecodeError as error:
        raise ArchiveUnreadable(shown, f"line {error.lineno}: it is not valid JSON") from error
    except RecursionError as error:
        raise ArchiveUnreadable(shown, "it is nested too deeply") from error
    except ValueError as error:
        raise ArchiveUnreadable(shown, str(error)) from error
    return content


def _once_each(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """A JSON object; one with a key twice is refused, for others may read the other one."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {json.dumps(key)[:80]} stands twice in one object")
        found[key] = value
    return found


def _keys(content: Mapping[str, object], margin: str) -> Iterable[str]:
    for key, value in content.items():
        if key in LISTS and isinstance(value, list) and value:
            shown = f"[\n{margin}  " + f",\n{margin}  ".join(map(_line, value)) + f"\n{margin}]"
        elif key == "chain" and isinstance(value, dict):
            shown = "{\n" + ",\n".join(_keys(value, margin + "  ")) + f"\n{margin}}}"
        else:
            shown = _line(value)
        yield f"{margin}{_line(key)}: {shown}"


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _end(content: Mapping[str, object]) -> dict[str, object]:
    """How long the chain is and its last link, for the stub."""
    chain = content.get("chain")
    if not isinstance(chain, Mapping):
        return {}
    entries = chain["entries"]
    assert isinstance(entries, list)
    return {"entries": len(entries), "head": chain["head"]}


def _is_stub(path: Path) -> bool:
    """Whether the file stands for a private transcript; one that cannot be read is taken for one."""
    try:
        content: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except (ValueError, RecursionError):
        return True
    return not isinstance(content, dict) or content.get("private") is True


def _put(path: Path, text: str, *, mode: int | None) -> None:
    """The whole file or the one before: written beside it, synced, renamed. `mode` None: as a new file gets."""
    remove_stale(list(path.parent.glob(f"{TEMPORARY}*.tmp")))
    if mode is None:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
