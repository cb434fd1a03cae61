"""The store over real files: found, changed, made; edited by others in between."""

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from bot.errors import (
    AmbiguousTicket,
    EditRefused,
    EpicNotFound,
    TicketNotFound,
    TicketUnreadable,
    TransitionNotAllowed,
    WorkspaceUnavailable,
)
from bot.tickets.files import unavailable
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Change, NewTicket, Priority, Status, SubtaskStatus, Ticket
from tests.tickets.conftest import Write

BY = Actor("agent", "coder", on_behalf_of="U1")
AVATAR = """\
id: T-042
title: Add user profile avatar upload # by hand
status: in_progress
subtasks:
  - {id: sub-001, title: Upload UI, completed: true}
  - id: sub-002 # next
    title: "Add image processing"
    completed: false
updatedAt: '2025-06-11'
history: []
"""


def comment(text: str) -> Callable[[Ticket, datetime], Change]:
    return lambda ticket, now: ticket.add_comment(text, BY, now)


def plan(ticket: Ticket, now: datetime) -> Change | None:
    return ticket.change_status(Status.PLANNED, by=BY, at=now)


def test_a_ticket_is_found_in_any_spelling_whatever_its_file_is_called(store: TicketStore, write: Write) -> None:
    write("T-42.yaml", AVATAR)
    write("login.yml", "id: t-7\ntitle: Login\n")
    write("T-003.json", '{"id": "T-003", "title": "JSON"}')
    assert [store.get(spelling).id for spelling in ("T-042", "t-42", "T 42", "42")] == ["T-042"] * 4
    assert [store.get("T-007").title, store.get("t3").title] == ["Login", "JSON"]


def test_an_unknown_id_offers_the_nearest(store: TicketStore, write: Write) -> None:
    write("T-042.yaml", AVATAR)
    assert store.find("T-404") is None
    with pytest.raises(TicketNotFound) as missing:
        store.get("t-43")
    assert str(missing.value) == "There is no ticket T-043. Did you mean T-042?"


@pytest.mark.parametrize("ticket_id", ["../../etc/passwd", "T-042/../x", "/etc/passwd", "T-042\x00", "", "."])
def test_an_id_cannot_leave_the_folder(store: TicketStore, write: Write, ticket_id: str) -> None:
    write("T-042.yaml", AVATAR)
    assert store.find(ticket_id) is None
    with pytest.raises(TicketNotFound):
        store.get(ticket_id)


def test_a_change_touches_only_its_lines_and_git_sees_only_the_file(
    store: TicketStore, write: Write, tmp_path: Path
) -> None:
    write("T-042.yaml", AVATAR)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(tmp_path)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)
    changed = store.change(
        "t-42",
        lambda t, now: t.set_subtask(t.find_subtask("image"), SubtaskStatus.IN_PROGRESS, BY, now),
        op="k.1.0",
    )
    assert changed.changed
    assert changed.after == store.get("T-042")
    assert changed.after.subtasks[1].status is SubtaskStatus.IN_PROGRESS
    diff = subprocess.run([*git, "diff", "-U0"], check=True, capture_output=True, text=True).stdout
    assert [line for line in diff.splitlines()[4:] if not line.startswith("@@")] == [
        "-updatedAt: '2025-06-11'",
        "-history: []",
        "+    status: in_progress",
        "+updatedAt: '2025-11-24T09:30:00.000Z'",
        "+history:",
        "+  - timestamp: '2025-11-24T09:30:00.000Z'",
        "+    action: subtask_updated",
        "+    details:",
        "+      subtaskId: sub-002",
        "+      title: Add image processing",
        "+      from: pending",
        "+      to: in_progress",
        "+      onBehalfOf: U1",
        "+      op: k.1.0",
        "+    actor:",
        "+      type: agent",
        "+      id: coder",
    ]
    status = subprocess.run([*git, "status", "--short"], check=True, capture_output=True, text=True).stdout
    assert status == " M .sciorex/tickets/T-042.yaml\n"


def test_the_same_op_twice_changes_nothing(store: TicketStore, write: Write) -> None:
    path = write("T-042.yaml", AVATAR)
    assert store.change("T-042", comment("once"), op="k.1").changed
    after = path.read_bytes()
    again = store.change("T-042", comment("once"), op="k.1")
    assert (again.changed, again.before, path.read_bytes()) == (False, again.after, after)
    assert store.change("T-042", comment("once"), op="k.2").changed


def test_no_change_is_no_write(store: TicketStore, write: Write) -> None:
    path = write("T-042.yaml", AVATAR)
    before = path.stat()
    assert not store.change("T-042", lambda t, now: None).changed
    assert path.stat().st_ino == before.st_ino


def test_a_refused_rule_leaves_the_file(store: TicketStore, write: Write) -> None:
    path = write("T-042.yaml", AVATAR.replace("in_progress", "done", 1))
    with pytest.raises(TransitionNotAllowed):
        store.change("T-042", plan)
    write("T-043.yaml", "id: T-043\ntitle: x\nstatus: &s backlog\nlabels: [*s]\n")
    with pytest.raises(EditRefused, match=r"\.sciorex/tickets/T-043\.yaml, line 3,"):
        store.change("T-043", plan)
    assert path.read_text() == AVATAR.replace("in_progress", "done", 1)


def test_an_edit_made_outside_is_seen_at_once(store: TicketStore, write: Write) -> None:
    path = write("T-042.yaml", AVATAR)
    assert store.get("T-042").status is Status.IN_PROGRESS
    path.write_text(AVATAR.replace("in_progress", "in_review  ", 1))
    assert store.get("T-042").status is Status.IN_REVIEW
    write("T-050.yaml", "id: T-050\ntitle: New\n")
    assert store.get("T-050").title == "New"
    path.rename(path.with_name("renamed.yaml"))
    assert store.get("T-042").status is Status.IN_REVIEW
    path.with_name("renamed.yaml").unlink()
    assert store.find("T-042") is None


def test_an_editor_that_saves_in_between_is_merged(store: TicketStore, write: Write) -> None:
    path = write("T-042.yaml", AVATAR)
    asked: list[str] = []

    def rule(ticket: Ticket, now: datetime) -> Change | None:
        if not asked:
            path.write_text(AVATAR.replace("by hand", "by an editor"))
        asked.append(ticket.title)
        return ticket.add_comment("mine", BY, now)

    store.change("T-042", rule)
    assert len(asked) == 2
    assert "by an editor" in path.read_text()
    assert [entry.details["comment"] for entry in store.get("T-042").history] == ["mine"]


def test_two_files_with_one_id_are_both_named(store: TicketStore, write: Write) -> None:
    write("T-042.yaml", AVATAR)
    write("copy.yaml", AVATAR.replace("T-042", "t-42"))
    write("T-001.yaml", "id: T-001\ntitle: Other\n")
    with pytest.raises(AmbiguousTicket) as both:
        store.get("T-042")
    assert both.value.files == (".sciorex/tickets/T-042.yaml", ".sciorex/tickets/copy.yaml")
    assert [ticket.id for ticket in store.list()] == ["T-001"]
    assert [problem.file for problem in store.problems()] == list(both.value.files)


def test_a_broken_file_is_named_with_its_line_and_hides_no_other(store: TicketStore, write: Write) -> None:
    write("T-001.yaml", "id: T-001\ntitle: Fine\n")
    write("T-002.yaml", "id: T-002\ntitle: [\n")
    write("T-003.yaml", "id: T-003\ntitle: x\nstatus: closed\n")
    write("T-004.yaml", b"id: T-004\ntitle: \xff\n")
    write("E-001.yaml", "title: no id\n", "epics")
    assert [ticket.id for ticket in store.list()] == ["T-001"]
    with pytest.raises(TicketUnreadable) as broken:
        store.get("T-003")
    assert (broken.value.file, broken.value.line) == (".sciorex/tickets/T-003.yaml", 3)
    assert [(problem.file[9:], problem.line) for problem in store.problems()] == [
        ("tickets/T-002.yaml", 3),
        ("tickets/T-003.yaml", 3),
        ("tickets/T-004.yaml", 2),
        ("epics/E-001.yaml", 1),
    ]


def test_links_out_of_the_workspace_are_not_followed(store: TicketStore, write: Write, tmp_path: Path) -> None:
    inside = write("real.yaml", "id: T-001\ntitle: Inside\n", "elsewhere")
    outside = tmp_path.parent / "outside.yaml"
    outside.write_text("id: T-002\ntitle: Secret\n")
    write("T-003.yaml", "id: T-003\ntitle: x\n")
    folder = tmp_path / ".sciorex" / "tickets"
    (folder / "T-001.yaml").symlink_to(inside)
    (folder / "T-002.yaml").symlink_to(outside)
    assert store.get("T-001").title == "Inside"
    with pytest.raises(TicketUnreadable, match="symbolic link out of the workspace"):
        store.get("T-002")
    store.change("T-001", comment("x"))
    assert (folder / "T-001.yaml").is_symlink()
    assert "comment_added" in inside.read_text()


def test_a_new_ticket_is_written_in_sciorex_form(store: TicketStore, write: Write, tmp_path: Path) -> None:
    write("T-041.yaml", "id: T-041\ntitle: x\n")
    write("config.json", '{"ticketPrefix": "T", "startNumber": 7}', ".")
    text = "## Requirements\n- [ ] JPEG\n"
    draft = NewTicket(" Avatar\nupload ", text, subtasks=("UI",), relates_to=("T-041",), labels=("no",))
    ticket = store.create(draft, by=BY, op="k.1")
    assert ticket == store.get("T-42")
    assert (tmp_path / ".sciorex/tickets/T-042.yaml").read_text() == """\
id: T-042
title: Avatar upload
description: |
  ## Requirements
  - [ ] JPEG
type: task
priority: medium
status: backlog
labels:
  - 'no'
epicId: null
parentId: null
blockedBy: []
relatesTo:
  - T-041
subtasks:
  - id: sub-001
    title: UI
    completed: false
    completedAt: null
assignedFlowId: null
lastSessionId: null
createdAt: '2025-11-24T09:30:00.000Z'
updatedAt: '2025-11-24T09:30:00.000Z'
completedAt: null
history:
  - timestamp: '2025-11-24T09:30:00.000Z'
    action: created
    details:
      onBehalfOf: U1
      op: k.1
    actor:
      type: agent
      id: coder
"""  # fmt: skip


def test_creating_twice_with_one_op_gives_the_same_ticket(store: TicketStore, write: Write) -> None:
    first = store.create(NewTicket("One"), by=BY, op="k.1")
    store.change(first.id, comment("x"), op="k.2")
    assert store.create(NewTicket("One"), by=BY, op="k.1").id == first.id
    assert store.create(NewTicket("One"), by=BY, op="k.2").id == "T-002"
    assert len(store.list()) == 2


def test_prefix_and_start_number_come_from_the_config(store: TicketStore, write: Write) -> None:
    write("config.json", '{"prefixes": {"ticket": "#", "epic": "EP"}, "ticketStartNumber": 100}', ".")
    assert store.create(NewTicket("One"), by=BY).id == "#-100"
    assert store.create(NewTicket("Two"), by=BY).id == "#-101"
    assert store.create_epic("Profiles", "", by=BY).id == "EP-001"


def test_the_mode_of_a_file_is_kept(store: TicketStore, write: Write) -> None:
    path = write("T-042.yaml", AVATAR)
    path.chmod(0o640)
    store.change("T-042", comment("x"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_vanished_workspace_is_told_in_a_sentence(store: TicketStore, write: Write, tmp_path: Path) -> None:
    write("T-042.yaml", AVATAR)
    store.get("T-042")
    shutil.rmtree(tmp_path / ".sciorex")
    with pytest.raises(WorkspaceUnavailable, match=r"there is no folder \.sciorex"):
        store.get("T-042")
    with pytest.raises(WorkspaceUnavailable):
        store.create(NewTicket("x"), by=BY)


@pytest.mark.parametrize(
    ("number", "cause"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the disk is read-only"), (errno.EACCES, "no permission")],
)
def test_a_disk_that_refuses_is_told_in_a_sentence(number: int, cause: str) -> None:
    told = unavailable("written", OSError(number, os.strerror(number)))
    assert str(told).startswith("The ticket workspace cannot be written: ")
    assert str(told).endswith(f"{cause}. Nothing was changed.")


FULL = """
import resource, signal, sys
from pathlib import Path
from bot.errors import WorkspaceUnavailable
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor
store = TicketStore(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    store.change("T-042", lambda t, now: t.add_comment("x", Actor("user", "U1"), now))
except WorkspaceUnavailable as error:
    print(error)
"""


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(write: Write, tmp_path: Path) -> None:
    text = AVATAR + "# a long comment\n" * 80_000
    path = write("T-042.yaml", text)
    run = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout == ("The ticket workspace cannot be written: file too large. Nothing was changed.\n")
    assert path.read_text() == text
    assert [file.name for file in path.parent.iterdir()] == ["T-042.yaml"]


def test_lists_and_searches_find_what_fits(store: TicketStore, write: Write) -> None:
    write("T-001.yaml", "id: T-001\ntitle: Login\nstatus: planned\nepicId: E-1\nupdatedAt: 2025-01-01\n")
    write("T-002.yaml", "id: T-002\ntitle: Avatar\ndescription: after LOGIN\nupdatedAt: 2025-01-03\npriority: 🟠\n")
    write("T-003.yaml", "id: T-003\ntitle: Old login\narchived: true\n")
    write("T-012.yaml", "id: T-012\ntitle: See T-1\nupdatedAt: 2025-01-02\n")
    assert [t.id for t in store.list()] == ["T-002", "T-012", "T-001"]
    assert [t.id for t in store.list(archived=True, limit=9)] == ["T-002", "T-012", "T-001", "T-003"]
    assert [t.id for t in store.list(status=Status.PLANNED)] == ["T-001"]
    assert [t.id for t in store.list(priority=Priority.HIGH)] == ["T-002"]
    assert [t.id for t in store.list(epic_id="e-001")] == ["T-001"]
    assert [t.id for t in store.list(epic_id="nonsense")] == []
    assert [t.id for t in store.search("login")] == ["T-001", "T-002"]
    assert [t.id for t in store.search("t-1")] == ["T-001", "T-012"]
    assert [t.id for t in store.search("login after")] == ["T-002"]
    assert [t.id for t in store.search("login", archived=True)] == ["T-001", "T-003", "T-002"]


def test_ids_in_a_text_are_those_of_tickets_there_are(store: TicketStore, write: Write) -> None:
    write("T-0161.yaml", "id: T-0161\ntitle: x\n")
    write("T-002.yaml", "id: T-002\ntitle: x\n")
    text = "T-2, t-161 and T-002 (not T-9, `T-002` or https://x.y/T-002 or <https://x.y|T-002>)"
    assert store.ids_in(text) == ["T-002", "T-0161"]


def test_ready_and_blocked_look_through_dangling_and_closed_blockers(store: TicketStore, write: Write) -> None:
    write("T-001.yaml", "id: T-001\ntitle: x\nstatus: planned\nblockedBy: [T-099, T-004]\n")
    write("T-002.yaml", "id: T-002\ntitle: x\nstatus: planned\nblockedBy: [t-1]\n")
    write("T-003.yaml", "id: T-003\ntitle: x\nstatus: planned\npriority: high\n")
    write("T-004.yaml", "id: T-004\ntitle: x\nstatus: done\nblockedBy: [T-001]\n")
    assert [t.id for t in store.ready()] == ["T-003", "T-001"]
    assert [t.id for t in store.blocked()] == ["T-002"]


def test_epics_are_made_changed_and_know_their_tickets(store: TicketStore, write: Write) -> None:
    epic = store.create_epic("Profiles", "", by=BY, op="k.1")
    assert store.create_epic("Profiles", "", by=BY, op="k.1") == epic
    write("T-001.yaml", "id: T-001\ntitle: x\nepicId: e-1\nstatus: done\n")
    assert str(store.progress("E-001")) == "1/1"
    renamed = store.change_epic("e-1", lambda e, now: e.update(at=now, title="People"))
    assert (renamed.title, [e.title for e in store.epics()]) == ("People", ["People"])
    assert store.epic("E-9") is None
    with pytest.raises(EpicNotFound):
        store.change_epic("E-9", lambda e, now: None)


def test_what_a_killed_writer_left_is_cleared_away(store: TicketStore, write: Write) -> None:
    path = write("T-042.yaml", AVATAR)
    left = write(".sciorex-slack-abc.tmp", "half")
    os.utime(left, (0, 0))
    store.list()
    store.change("T-042", comment("x"))
    assert [file.name for file in path.parent.iterdir()] == ["T-042.yaml"]
