"""The rules of a ticket, without any file."""

from datetime import UTC, datetime

import pytest

from bot.errors import InvalidTicket, SubtaskNotFound, TransitionNotAllowed
from bot.tickets.change import Append, Set, Value
from bot.tickets.ticket import Actor, Status, Subtask, SubtaskStatus, Ticket

NOW = datetime(2025, 11, 24, 9, 30, 0, 5_000, UTC)
STAMP = "2025-11-24T09:30:00.005Z"
BY = Actor("agent", "coder", on_behalf_of="U1")
FORM_A = Subtask(
    "sub-001", "Add image processing", SubtaskStatus.PENDING, None, 0, frozenset({"id", "title", "completed"})
)
FORM_B = Subtask("sub-002", "Write tests", SubtaskStatus.PENDING, None, 1, frozenset({"id", "title", "status"}))
BARE = Subtask(None, "Write docs", SubtaskStatus.PENDING, None, 2, None)
TICKET = Ticket("T-042", "Add user profile avatar upload", subtasks=(FORM_A, FORM_B, BARE))


def test_every_transition_but_the_documented_ones_is_refused() -> None:
    allowed = {(now, to) for now in Status for to in Ticket("T-1", "x", status=now).next_statuses()}
    documented = """backlog planned, backlog cancelled, planned backlog, planned in_progress, planned cancelled,
        in_progress planned, in_progress in_review, in_progress done, in_progress cancelled,
        in_review in_progress, in_review done, in_review cancelled, done in_progress, cancelled backlog"""
    assert allowed == {tuple(map(Status, pair.split())) for pair in documented.split(",")}
    with pytest.raises(TransitionNotAllowed) as refused:
        TICKET.change_status(Status.DONE, by=BY, at=NOW)
    assert str(refused.value) == (
        "T-042 is backlog and cannot become done. From backlog it can become planned, cancelled."
    )


def test_reaching_done_sets_completed_at_and_leaving_clears_it() -> None:
    done = Ticket("T-1", "x", status=Status.IN_PROGRESS).change_status(Status.DONE, by=BY, at=NOW)
    assert done is not None
    assert done.edits == (Set(("status",), "done"), Set(("completedAt",), STAMP), Set(("updatedAt",), STAMP))
    was_done = Ticket("T-1", "x", status=Status.DONE, completed_at=NOW)
    left = was_done.change_status(Status.IN_PROGRESS, by=BY, at=NOW)
    assert left is not None
    assert Set(("completedAt",), None) in left.edits


def test_a_change_names_who_acted_and_for_whom() -> None:
    change = TICKET.change_status(Status.PLANNED, by=BY, at=NOW, comment="Next sprint")
    assert change is not None and change.entry is not None
    assert change.entry.value("turn.1.0") == {
        "timestamp": STAMP,
        "action": "status_changed",
        "details": {
            "from": "backlog",
            "to": "planned",
            "comment": "Next sprint",
            "onBehalfOf": "U1",
            "op": "turn.1.0",
        },
        "actor": {"type": "agent", "id": "coder"},
    }


def test_the_status_it_has_already_is_no_change() -> None:
    assert TICKET.change_status(Status.BACKLOG, by=BY, at=NOW) is None
    assert TICKET.set_subtask(FORM_A, SubtaskStatus.PENDING, BY, NOW) is None
    assert TICKET.update(by=BY, at=NOW, title=" Add user  profile avatar upload") is None


@pytest.mark.parametrize(
    ("subtask", "status", "values"),
    [
        (FORM_A, SubtaskStatus.IN_PROGRESS, {"completed": False, "status": "in_progress"}),
        (FORM_A, SubtaskStatus.COMPLETED, {"completed": True, "completedAt": STAMP}),
        (FORM_B, SubtaskStatus.COMPLETED, {"status": "completed"}),
        (FORM_B, SubtaskStatus.IN_PROGRESS, {"status": "in_progress"}),
    ],
)
def test_a_subtask_keeps_the_form_it_has(subtask: Subtask, status: SubtaskStatus, values: dict[str, Value]) -> None:
    change = TICKET.set_subtask(subtask, status, BY, NOW)
    edits = [Set(("subtasks", subtask.position, key), value) for key, value in values.items()]
    assert change is not None
    assert change.edits == (*edits, Set(("updatedAt",), STAMP))


def test_a_bare_text_becomes_keys_with_values() -> None:
    change = TICKET.set_subtask(BARE, SubtaskStatus.IN_PROGRESS, BY, NOW)
    item: Value = {"title": "Write docs", "completed": False, "status": "in_progress"}
    assert change is not None
    assert change.edits == (Set(("subtasks", 2), item), Set(("updatedAt",), STAMP))


def test_a_subtask_is_found_by_id_by_title_and_by_part_of_it() -> None:
    assert TICKET.find_subtask("SUB-001") is FORM_A
    assert TICKET.find_subtask("write  docs") is BARE
    assert TICKET.find_subtask("image") is FORM_A
    with pytest.raises(SubtaskNotFound, match="fits several subtasks of T-042: “Write tests”"):
        TICKET.find_subtask("write")
    with pytest.raises(SubtaskNotFound, match="has no subtask “deploy”\\. It has “Add image processing”"):
        TICKET.find_subtask("deploy")


def test_a_new_subtask_gets_the_next_id_and_the_form_of_the_others() -> None:
    change = TICKET.add_subtask(" Deploy\nit ", BY, NOW)
    item: dict[str, Value] = {"id": "sub-003", "title": "Deploy it", "completed": False, "completedAt": None}
    assert change.edits[0] == Append(("subtasks",), item)
    form_b = Ticket("T-1", "x", subtasks=(FORM_B,)).add_subtask("Deploy", BY, NOW)
    assert form_b.edits[0] == Append(("subtasks",), {"id": "sub-003", "title": "Deploy", "status": "pending"})


def test_a_new_epic_is_told_as_epic_changed_and_null_takes_it_away() -> None:
    moved = TICKET.update(by=BY, at=NOW, epic_id="E-001")
    assert moved is not None and moved.entry is not None
    assert (moved.entry.action, moved.entry.details["to"]) == ("epic_changed", "E-001")
    left = Ticket("T-1", "x", epic_id="E-001").update(by=BY, at=NOW, epic_id=None)
    assert left is not None
    assert left.edits[0] == Set(("epicId",), None)
    assert TICKET.update(by=BY, at=NOW) is None


def test_what_no_ticket_can_hold_is_refused() -> None:
    with pytest.raises(InvalidTicket, match="needs a title"):
        TICKET.update(by=BY, at=NOW, title="  ")
    with pytest.raises(InvalidTicket, match="needs some text"):
        TICKET.add_comment(" ", BY, NOW)
    with pytest.raises(InvalidTicket, match="between 0 and 100"):
        TICKET.report_progress("x", 101, BY, NOW)
    with pytest.raises(InvalidTicket, match="cannot block itself"):
        TICKET.add_blocker(Ticket("t-42", "same"), None, BY, NOW)


def test_a_dangling_blocker_can_be_removed_in_any_spelling() -> None:
    change = Ticket("T-1", "x", blocked_by=("T-099", "T-2")).remove_blocker("t-99", BY, NOW)
    assert change is not None
    assert change.edits[0] == Set(("blockedBy",), ["T-2"])


def test_a_session_is_recorded_with_an_opaque_id() -> None:
    change = TICKET.record("session_linked", {"sessionId": "s-1"}, Actor("user", "U1"), NOW, last_session_id="s-1")
    assert change.edits == (Set(("lastSessionId",), "s-1"), Set(("updatedAt",), STAMP))
    assert change.entry is not None
    assert change.entry.details == {"sessionId": "s-1"}
