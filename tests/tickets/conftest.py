"""A workspace in a folder of its own, and a clock that stands still."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.tickets.store import TicketStore

NOW = datetime(2025, 11, 24, 9, 30, tzinfo=UTC)
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a ticket's file (or another one below `.sciorex`) and gives its path."""

    def write_file(name: str, text: str | bytes, folder: str = "tickets") -> Path:
        path = tmp_path / ".sciorex" / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    (tmp_path / ".sciorex").mkdir()
    return write_file


@pytest.fixture
def store(tmp_path: Path, write: Write) -> TicketStore:
    return TicketStore(tmp_path, clock=lambda: NOW)
