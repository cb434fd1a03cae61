"""Saves and deletes the files of agents and flows."""

from collections.abc import Mapping
from pathlib import Path


def what_changes(folder: Path, tool: str, arguments: Mapping[str, object]) -> tuple[str, str, str]:
    """The text of the file before and after a call, and a revision of what was there before."""
    raise NotImplementedError
