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
        ("id: T-1\ntitle: x\ncreatedAt: 1752307200", 3, "createdAt is “1752307200”, which is no date"),
        ("id: T-1\ntitle: x\ncreatedAt: 12.07.2025", 3, "createdAt is “12.07.2025”, which is no date"),
        ("id: T-1\ntitle: x\ncreatedAt: 0001-01-01T00:00:00+05:00", 3, "createdAt is “0001-01-01T00:00:00+05:00”"),
        ("id: T-1\ntitle: x\nsubtasks:\n- title: y\n  completed: perhaps", 5, "completed is neither true nor false"),
        ("id: T-1\ntitle: x\nsubtasks:\n- title: y\n  status: closed", 5, "the status “closed” is not one of pending"),
        ("id: T-1\ntitle: x\nsubtasks:\n- y\n- [z]", 5, "a subtask is neither a text nor keys with values"),
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


def test_what_is_given_as_empty_is_as_if_it_were_missing() -> None:
    empty = "description: ''\ntype:\npriority: ''\nstatus: ~\nlabels: ['', null]\nsubtasks: ''\nhistory: null\n"
    ids = "epicId: ''\nparentId: ''\nassignedFlowId: ''\nlastSessionId: ''\narchivedAt: ''\narchived: ''\n"
    assert ticket(f"id: T-1\ntitle: x\n{empty}{ids}createdAt: ''\nblockedBy: []\n") == Ticket("T-1", "x", digest="r1")


def test_keys_that_are_not_known_change_nothing() -> None:
    assert ticket("id: T-1\ntitle: x\nsprint: 7\nestimate: {days: [1, 2]}") == Ticket("T-1", "x", digest="r1")


@pytest.mark.parametrize(
    ("spelled", "at"),
    [
        ("2025-07-12", (2025, 7, 12)),
        ("2025-7-2 9:05", (2025, 7, 2, 9, 5)),
        ("2025/07/12 10:00", (2025, 7, 12, 10)),
        ("2025-07-12t10:00:00z", (2025, 7, 12, 10)),
        ("2025-07-12T10:00:00 +02:00", (2025, 7, 12, 8)),
        ("2025-07-12T10:00:00.123456789Z", (2025, 7, 12, 10, 0, 0, 123456)),
    ],
)
def test_a_date_is_read_as_people_spell_it(spelled: str, at: tuple[int, ...]) -> None:
    for text in (spelled, f"'{spelled}'", f'"{spelled}"'):
        assert ticket(f"id: T-1\ntitle: x\ncreatedAt: {text}").created_at == datetime(*at, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_an_epic_needs_no_more_than_id_and_title() -> None:
    epic = read_epic(parse("id: E-001\ntitle: Profiles").value, "")
    assert (epic.id, epic.title, epic.status.value) == ("E-001", "Profiles", "open")
