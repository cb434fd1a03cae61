"""160 real tickets load and change; they lie beside the project, not in it."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Change, Status, SubtaskStatus, Ticket

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "tickets"
BY = Actor("agent", "coder", on_behalf_of="U1")

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real tickets is not beside the project (../shared/corpus)"
)


@pytest.fixture
def store(tmp_path: Path) -> TicketStore:
    shutil.copytree(CORPUS, tmp_path / ".sciorex" / "tickets", ignore=shutil.ignore_patterns("LICENSE"))
    return TicketStore(tmp_path)


def every(store: TicketStore) -> list[Ticket]:
    return [store.get(ticket.id) for ticket in store.list(archived=True, limit=1000)]


def test_every_real_ticket_loads(store: TicketStore) -> None:
    tickets = every(store)
    assert store.problems() == []
    assert len(tickets) == len(list(CORPUS.glob("*.yaml"))) == 160
    assert all(ticket.title and ticket.created_at and ticket.history for ticket in tickets)
    assert sum(len(ticket.subtasks) for ticket in tickets) == 985
    assert store.get("T-161").id == "T-0161"


def test_a_change_of_a_real_ticket_adds_lines_and_replaces_few(store: TicketStore, tmp_path: Path) -> None:
    for ticket in every(store):
        path = tmp_path / ".sciorex" / "tickets" / f"{ticket.id}.yaml"
        before = path.read_text("utf-8").split("\n")
        store.change(ticket.id, lambda t, now: t.add_comment("Seen.\n\nFine.", BY, now))
        after = path.read_text("utf-8").split("\n")
        gone = [line for line in before if line not in set(after)]
        assert len(gone) <= 1 and all(line.startswith("updatedAt: ") for line in gone)
        assert len(after) == len(before) + 11


def test_every_subtask_of_a_real_ticket_can_be_set(store: TicketStore) -> None:
    ticket = max(every(store), key=lambda ticket: len(ticket.subtasks))
    for position in range(len(ticket.subtasks)):

        def rule(t: Ticket, now: datetime, place: int = position) -> Change | None:
            return t.set_subtask(t.subtasks[place], SubtaskStatus.IN_PROGRESS, BY, now)

        store.change(ticket.id, rule)
    after = store.get(ticket.id)
    assert {subtask.status for subtask in after.subtasks} == {SubtaskStatus.IN_PROGRESS}
    assert [subtask.title for subtask in after.subtasks] == [subtask.title for subtask in ticket.subtasks]


def test_a_real_ticket_goes_through_its_statuses(store: TicketStore) -> None:
    done = next(ticket for ticket in store.list(status=Status.DONE))
    reopened = store.change(done.id, lambda t, now: t.change_status(Status.IN_PROGRESS, by=BY, at=now)).after
    assert (reopened.status, reopened.completed_at) == (Status.IN_PROGRESS, None)
    assert store.search(done.id)[0].id == done.id
