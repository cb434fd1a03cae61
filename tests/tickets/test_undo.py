"""Taking back what one operation did: fields go back, words are retracted, and the history only grows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from bot.errors import CannotUndo, EditConflict
from bot.tickets.change import Actor, Change, Value
from bot.tickets.difference import Rehearsed, look
from bot.tickets.store import TicketStore
from bot.tickets.ticket import NewTicket, Status, SubtaskStatus, Ticket
from bot.tickets.undo import undo, undo_op

AGENT, PERSON = Actor("agent", "sciorex", "UALICE"), Actor("user", "UBOB")
Rule = Callable[[Ticket, datetime], Change | None]


@pytest.fixture
def store(tmp_path: Path) -> TicketStore:
    (tmp_path / ".sciorex").mkdir()
    made = TicketStore(tmp_path)
    made.create(NewTicket("A blocker"), by=PERSON)
    ticket = made.create(
        NewTicket("Upload", "- [ ] crop", status=Status.IN_REVIEW, labels=("ui",), subtasks=("crop", "save")), by=PERSON
    )
    assert ticket.id == "T-002"
    return made


def done(store: TicketStore, rule: Rule) -> dict[str, Value]:
    """What stood there before an agent's change, which is made."""
    before = dict(look(store.get("T-002")).fields)
    store.change("T-002", rule, op="op-1")
    return dict(before)


def take_back(store: TicketStore, before: dict[str, Value], read: str | None = None) -> Ticket:
    return store.change(
        "T-002",
        lambda ticket, at: undo(ticket, "op-1", before, by=PERSON, at=at),
        op=undo_op("op-1"),
        read=read,
    ).after


CHANGES: dict[str, Rule] = {
    "status": lambda t, at: t.change_status(Status.DONE, by=AGENT, at=at),
    "title and labels": lambda t, at: t.update(by=AGENT, at=at, title="Pictures", labels=["ui", "new"]),
    "description": lambda t, at: t.update(by=AGENT, at=at, description="- [x] crop"),
    "epic": lambda t, at: t.update(by=AGENT, at=at, epic_id="E-001"),
    "subtask begun": lambda t, at: t.set_subtask(t.subtasks[0], SubtaskStatus.IN_PROGRESS, AGENT, at),
    "subtask completed": lambda t, at: t.set_subtask(t.subtasks[1], SubtaskStatus.COMPLETED, AGENT, at),
    "subtask added": lambda t, at: t.add_subtask("rotate", AGENT, at),
    "blocker": lambda t, at: t.add_blocker(Ticket("T-001", "A blocker"), None, AGENT, at),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_field_goes_back_and_the_history_grows(store: TicketStore, name: str) -> None:
    before = done(store, CHANGES[name])
    changed = store.get("T-002")
    assert look(changed).fields != before
    after = take_back(store, before)
    assert look(after).fields == before
    assert after.completed_at is None
    assert after.history[: len(changed.history)] == changed.history
    assert after.history[-1].details["undoes"] == "op-1"
    assert after.history[-1].actor_id == "UBOB"


def test_a_blocker_that_was_taken_away_comes_back(store: TicketStore) -> None:
    store.change("T-002", CHANGES["blocker"])
    before = done(store, lambda t, at: t.remove_blocker("T-001", AGENT, at))
    assert take_back(store, before).blocked_by == ("T-001",)


@pytest.mark.parametrize(
    "rule",
    [lambda t, at: t.add_comment("It works", AGENT, at), lambda t, at: t.report_progress("It works", 50, AGENT, at)],
)
def test_words_are_retracted(store: TicketStore, rule: Rule) -> None:
    after = take_back(store, done(store, rule))
    assert after.history[-2].op == "op-1"
    assert after.history[-1].details["comment"] == "Retracted: “It works”"


def test_a_ticket_that_was_made_is_cancelled_unless_somebody_worked_on_it(store: TicketStore) -> None:
    made = store.create(NewTicket("Another"), by=AGENT, op="op-1")

    def rule(ticket: Ticket, at: datetime) -> Change | None:
        return undo(ticket, "op-1", {}, by=PERSON, at=at)

    assert store.change(made.id, rule).after.status is Status.CANCELLED
    other = store.create(NewTicket("Another"), by=AGENT, op="op-2")
    store.change(other.id, lambda t, at: t.add_comment("Mine now", PERSON, at))
    with pytest.raises(CannotUndo, match="has been worked on since"):
        store.change(other.id, lambda t, at: undo(t, "op-2", {}, by=PERSON, at=at))


def test_what_somebody_changed_since_stays(store: TicketStore) -> None:
    before = done(store, CHANGES["title and labels"])
    read = store.get("T-002").revision
    store.change("T-002", lambda t, at: t.update(by=PERSON, at=at, title="Faces"))
    with pytest.raises(EditConflict):
        take_back(store, before, read)
    before = dict(look(store.get("T-002")).fields)
    with pytest.raises(CannotUndo, match="is completed by now"):
        store.change("T-002", CHANGES["subtask begun"], op="op-3")
        store.change("T-002", lambda t, at: t.set_subtask(t.subtasks[0], SubtaskStatus.COMPLETED, PERSON, at))
        store.change("T-002", lambda t, at: undo(t, "op-3", before, by=PERSON, at=at))


def test_taking_back_twice_or_what_was_never_done_changes_nothing(store: TicketStore) -> None:
    before = done(store, CHANGES["status"])
    once = take_back(store, before)
    assert take_back(store, before).digest == once.digest
    assert undo(once, "never", {}, by=PERSON, at=datetime.now().astimezone()) is None


def test_a_rehearsal_tells_what_a_change_would_do_and_writes_nothing(store: TicketStore) -> None:
    told: list[Rehearsed] = []
    dry = store.rehearsal(told.append)
    file = store.get("T-002").digest
    after = dry.change("T-002", CHANGES["status"]).after
    made = dry.create(NewTicket("Another"), by=AGENT)
    assert after.status is Status.DONE
    assert store.get("T-002").digest == file
    assert store.find(made.id) is None
    assert told[0].fields[0] == {"status": "in_review"}
    assert told[0].fields[1]["status"] == "done"
    assert told[1].before is None
    assert told[1].fields[1]["title"] == "Another"
