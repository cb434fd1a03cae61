"""Tickets as people really type them."""

from datetime import UTC, datetime

import pytest

from bot.tickets.change import HistoryEntry
from bot.tickets.reading import Unfit, read_epic, read_ticket
from bot.tickets.subtask import Subtask
from bot.tickets.ticket import Priority, Status, SubtaskStatus, Ticket, TicketType
from bot.tickets.yaml_values import parse

KEYS = ("title", "completed")


def ticket(text: str) -> Ticket:
    return read_ticket(parse(text).value, "r1")


def test_a_ticket_may_have_only_id_and_title() -> None:
    assert ticket("id: T-1\ntitle: 012") == Ticket("T-1", "012", digest="r1")


def test_both_forms_of_subtasks_and_bare_texts_are_read() -> None:
    read = ticket("""
id: t-42
title: no
subtasks:
  - {id: sub-001, title: One, completed: true, completedAt: 2025-07-12}
  - {id: sub-002, title: Two, status: In Progress}
  - {title: Three, completed: no, status: in_progress}
  - Four
""")
    noon = datetime(2025, 7, 12, tzinfo=UTC)
    assert read.id == "t-42"
    assert read.subtasks == (
        Subtask("sub-001", "One", SubtaskStatus.COMPLETED, noon, 0, frozenset({"id", *KEYS, "completedAt"})),
        Subtask("sub-002", "Two", SubtaskStatus.IN_PROGRESS, None, 1, frozenset({"id", "title", "status"})),
        Subtask(None, "Three", SubtaskStatus.IN_PROGRESS, None, 2, frozenset({*KEYS, "status"})),
        Subtask(None, "Four", SubtaskStatus.PENDING, None, 3, None),
    )


def test_words_dates_and_lists_are_read_in_any_spelling() -> None:
    read = ticket("""
id: T-0161
title: '#1: done?'
status: In Review
type: 🐛 bug
priority: Urgent
labels: no
blockedBy: [T-1, t-99]
createdAt: 2025-08-23 19:12
updatedAt: 2025/8/3
completedAt: 2025-08-23T19:12:00+02:00
archivedAt: 2025-09-01
history:
  - timestamp: yesterday
    action: created
    actor: anna
""")
    assert read == Ticket(
        "T-0161",
        "#1: done?",
        type=TicketType.BUG,
        priority=Priority.CRITICAL,
        status=Status.IN_REVIEW,
        labels=("no",),
        blocked_by=("T-1", "t-99"),
        created_at=datetime(2025, 8, 23, 19, 12, tzinfo=UTC),
        updated_at=datetime(2025, 8, 3, tzinfo=UTC),
        completed_at=datetime(2025, 8, 23, 17, 12, tzinfo=UTC),
        archived=True,
        history=(HistoryEntry(None, "created", {}, "user", "anna"),),
        digest="r1",
    )


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("title: x", 1, "it has no id"),
        ("title: x\nid: login", 2, "the id “login” is not of the form T-042"),
        ("id: T-1", 1, "it has no title"),
        ("id: T-1\ntitle: x\nstatus: closed", 3, "the status “closed” is not one of backlog, planned"),
        ("id: T-1\ntitle: x\nsubtasks:\n- title: y\n- id: sub-2", 5, "a subtask has no title"),
        ("id: T-1\ntitle: x\ncreatedAt: yesterday", 3, "createdAt is “yesterday”, which is no date"),
        ("id: T-1\ntitle: x\nlabels:\n- [y]", 4, "labels holds something that is not a text"),
        ("id: T-1\ntitle: x\nhistory: 3", 3, "history is not a list"),
        ("id: T-1\ntitle: x\narchived: perhaps", 3, "archived is neither true nor false"),
        ("id: T-1\ntitle: {a: 1}", 2, "title is not a text"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, line: int, cause: str) -> None:
    parsed = parse(text)
    with pytest.raises(Unfit) as unfit:
        read_ticket(parsed.value, "")
    assert unfit.value.cause.startswith(cause)
    assert parsed.line(unfit.value.path) == line


def test_an_epic_needs_no_more_than_id_and_title() -> None:
    epic = read_epic(parse("id: E-001\ntitle: Profiles").value, "")
    assert (epic.id, epic.title, epic.status.value) == ("E-001", "Profiles", "open")
