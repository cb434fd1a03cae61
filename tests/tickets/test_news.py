"""What others made of a ticket since somebody last saw it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.tickets.change import HistoryEntry
from bot.tickets.difference import Look, look
from bot.tickets.news import news
from bot.tickets.revision import knows
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Status, Ticket

NOW = datetime(2026, 11, 25, tzinfo=UTC)
BOB = Actor("user", "bob")


@pytest.fixture
def store(tmp_path: Path) -> TicketStore:
    (tmp_path / ".sciorex/tickets").mkdir(parents=True)
    (tmp_path / ".sciorex/tickets/T-001.yaml").write_text(
        "id: T-001\ntitle: Avatars\nstatus: planned\nsubtasks:\n  - {id: s1, title: Crop, status: pending}\n"
    )
    return TicketStore(tmp_path)


def nobodys(_entry: HistoryEntry) -> bool:
    return False


def everybodys(_entry: HistoryEntry) -> bool:
    return True


def seen(store: TicketStore) -> tuple[Look, Ticket]:
    ticket = store.get("T-001")
    return look(ticket), ticket


def test_nothing_is_new_while_nothing_changed(store: TicketStore) -> None:
    before, ticket = seen(store)
    assert news(before, None, ticket, nobodys) is None


def test_fields_and_lines_of_history_are_new(store: TicketStore) -> None:
    before, ticket = seen(store)
    store.change("T-001", lambda t, now: t.change_status(Status.IN_PROGRESS, by=BOB, at=now))
    now = store.get("T-001")
    found = news(before, ticket.revision, now, nobodys)
    assert found is not None
    assert (found.before, found.after) == ({"status": "planned"}, {"status": "in_progress"})
    assert [(entry.action, entry.actor_id) for entry in found.entries] == [("status_changed", "bob")]


def test_what_was_read_since_is_not_new_and_ones_own_lines_are_not(store: TicketStore) -> None:
    before, _ = seen(store)
    store.change("T-001", lambda t, now: t.change_status(Status.IN_PROGRESS, by=BOB, at=now))
    now = store.get("T-001")
    assert news(before, now.revision, now, everybodys) is None
    by_lines = news(before, now.revision, now, nobodys)
    assert by_lines is not None and by_lines.after == {} and len(by_lines.entries) == 1
    by_fields = news(before, None, now, everybodys)
    assert by_fields is not None and by_fields.after == {"status": "in_progress"} and by_fields.entries == ()


def test_lines_about_threads_are_no_news(store: TicketStore) -> None:
    before, ticket = seen(store)
    entry = HistoryEntry(NOW, "session_linked", {"sessionId": "s-1"}, "user", "bob")
    assert news(before, None, replace(ticket, history=(*ticket.history, entry)), nobodys) is None


def test_a_revision_knows_the_fields_that_stand_as_they_were(store: TicketStore) -> None:
    _, before = seen(store)
    store.change("T-001", lambda t, now: t.update(by=BOB, at=now, title="Faces"))
    now = store.get("T-001")
    assert not knows(before.revision, now, "title") and knows(before.revision, now, "status")
    assert knows(before.revision, now, "subtasks") and knows(now.revision, now, "title")
    assert not knows("", now, "title") and not knows(before.revision, now, "no such field")
