"""The files of archived transcripts on this machine: those in the workspaces, and the private ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ArchiveUnreadable
from bot.sessions.archives.archive_file import FOLDER, file_name, read_transcript

Stub = Mapping[str, object]


@dataclass(frozen=True)
class Filed:
    """A transcript's file, and what is in it; `session_id` is that of the file's name.

    `stub` is what stands in the workspace in place of a private one, whose own file may not be on this machine: then
    `content` is None. `problem` says why a file cannot be read.
    """

    session_id: str
    shown: str
    content: object = None
    stub: Stub | None = None
    problem: str | None = None

    @property
    def away(self) -> bool:
        """Whether it is a private transcript that is kept elsewhere."""
        return self.stub is not None and self.content is None and self.problem is None


def on_this_machine(workspaces: Sequence[tuple[str, Path]], private_folder: Path, only: str = "") -> Iterator[Filed]:
    """Every transcript, one after the other, each read when it is its turn; `only`: of this session alone.

    `workspaces`: what stands before a file's name where it is told to people, and the folder.
    """
    name, private = file_name(only or "*"), set[str]()
    for before, folder in workspaces:
        for path in sorted((folder / FOLDER).glob(name)):
            filed = _read(path, f"{before}{FOLDER}/{path.name}")
            if _is_stub(filed.content):
                private.add(path.name)
                filed = _private(private_folder / path.name, filed)
            yield filed
    for path in sorted(private_folder.glob(name)):
        if path.name not in private:
            yield _read(path, str(path))


def _private(path: Path, stub: Filed) -> Filed:
    """The private transcript that a stub stands for."""
    assert isinstance(stub.content, Mapping)
    if not path.exists():
        return Filed(stub.session_id, stub.shown, stub=stub.content)
    found = _read(path, str(path))
    return Filed(found.session_id, found.shown, found.content, stub.content, found.problem)


def _read(path: Path, shown: str) -> Filed:
    session_id = path.name.removeprefix("session-").removesuffix(".json")
    try:
        return Filed(session_id, shown, read_transcript(path, shown))
    except ArchiveUnreadable as error:
        return Filed(session_id, shown, problem=error.text)


def _is_stub(content: object) -> bool:
    return isinstance(content, Mapping) and content.get("private") is True and "messages" not in content
