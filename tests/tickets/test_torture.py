"""Many processes write in one workspace, are killed in mid-write, and meet an editor: nothing is lost or half."""

import multiprocessing
import os
import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.tickets import exchange
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, SubtaskStatus
from tests.tickets import writers
from tests.tickets.writers import SHARED, Kill, own_fields

WRITERS, CHANGES = 16, 100
ROUNDS_OF_KILLING = 20
SOON = 20.0
BY = Actor("user", "U1")
TICKET = "id: {id} # by hand\ntitle: Shared\n\nlabels: [first]   # kept\nestimate: 3\nhistory: []\n"
Told = tuple[str, str, str]


@dataclass
class Other:
    """Another process, and what it has told so far."""

    process: BaseProcess
    ear: Connection
    told: list[Any] = field(default_factory=list)

    def hear(self, count: int = 1) -> None:
        """Waits for so many tellings more."""
        for _ in range(count):
            assert self.ear.poll(SOON), f"{self.process.name} says nothing; so far {self.told[-3:]}"
            self.told.append(self.ear.recv())

    def end(self, *, kill: bool = False) -> None:
        """Kills it, or waits for its end; and hears the rest of what it told."""
        if kill:
            self.process.kill()
        try:
            while True:
                self.hear()
        except (EOFError, OSError):
            self.process.join(SOON)


Start = Callable[..., Other]


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes forked from one that has loaded everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.tickets.writers"])
    return context


@pytest.fixture
def start(processes: ForkServerContext) -> Iterator[Start]:
    """Runs a function of writers.py in a process of its own; its last argument is where it tells."""
    started: list[Other] = []

    def start_one(target: Callable[..., None], *arguments: object) -> Other:
        ear, mouth = processes.Pipe()
        process = processes.Process(target=target, args=(*arguments, mouth), daemon=True)
        process.start()
        mouth.close()
        started.append(Other(process, ear))
        return started[-1]

    yield start_one
    for other in started:
        other.process.kill()
        other.process.join(SOON)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A few tickets that all write in, under version control."""
    folder = tmp_path / "workspace"
    (folder / ".sciorex" / "tickets").mkdir(parents=True)
    for ticket in SHARED:
        (folder / ".sciorex" / "tickets" / f"{ticket}.yaml").write_text(TICKET.format(id=ticket))
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "before"]):
        git(folder, *command)
    return folder


def git(folder: Path, *command: str) -> str:
    who = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(folder)]
    return subprocess.run([*who, *command], check=True, capture_output=True, text=True).stdout


def values(folder: Path, ticket: str) -> dict[str, Any]:
    """What a ticket's file holds, read without the store; it must be whole."""
    text = (folder / ".sciorex" / "tickets" / f"{ticket}.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    assert read["id"] == ticket and text.endswith("\n")
    if ticket in SHARED:
        assert text.startswith(f"id: {ticket} # by hand\n") and "   # kept\n" in text and "\nestimate: 3\n" in text
    return read


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / ".sciorex" / "tickets").iterdir())


def assert_only_tickets_changed(folder: Path) -> None:
    changed = git(folder, "status", "--porcelain", "-uall").splitlines()
    assert [line for line in changed if not re.fullmatch(r"( M|\?\?) \.sciorex/tickets/T-\d+\.yaml", line)] == []


def said(folder: Path, ticket: str, action: str, key: str) -> Counter[str]:
    """How often each text stands in a ticket's history."""
    return Counter(entry["details"][key] for entry in values(folder, ticket)["history"] if entry["action"] == action)


def assert_told_is_there(folder: Path, told: list[Told]) -> None:
    """Every comment and every new ticket that was told is in its file, once."""
    comments = {ticket: said(folder, ticket, "comment_added", "comment") for ticket in SHARED}
    lost = [(kind, ticket, name) for kind, ticket, name in told if kind == "comment" and comments[ticket][name] != 1]
    assert lost == []
    made = [(ticket, name) for kind, ticket, name in told if kind == "create"]
    assert len({ticket for ticket, _ in made}) == len(made)
    assert [(ticket, name) for ticket, name in made if values(folder, ticket)["title"] != name] == []


def test_sixteen_processes_make_a_hundred_changes_each_and_lose_nothing(
    workspace: Path, start: Start, processes: ForkServerContext
) -> None:
    begin, stop = processes.Event(), processes.Event()
    others = [start(writers.mixed_changes, workspace, me, CHANGES, begin) for me in range(WRITERS)]
    for other in others:
        other.hear()
    watching = start(writers.reader, workspace, stop)
    begin.set()
    for other in others:
        other.end()
    stop.set()
    watching.end()
    told = [entry for other in others for entry in other.told if entry[0] != "ready"]
    assert [entry for entry in told if entry[0] == "refused"] == []
    assert len(told) == WRITERS * CHANGES
    assert [other.process.exitcode for other in others] == [0] * WRITERS

    assert_told_is_there(workspace, told)
    for kind, action, key in (
        ("comment", "comment_added", "comment"),
        ("progress", "progress_reported", "message"),
        ("subtask", "subtask_added", "title"),
        ("done", "subtask_completed", "title"),
    ):
        for ticket in SHARED:
            wanted = Counter(name for told_kind, place, name in told if (told_kind, place) == (kind, ticket))
            if kind == "done":  # told by the change's own name; its subtask was added one change before
                wanted = Counter(f"{who}.{int(n) - 1}" for who, n in (name.split(".") for name in wanted))
            assert said(workspace, ticket, action, key) == wanted, (kind, ticket)
    store = TicketStore(workspace)
    for ticket in SHARED:
        subtasks = store.get(ticket).subtasks
        assert len({subtask.id for subtask in subtasks}) == len(subtasks) > 0
        assert {subtask.status for subtask in subtasks} == {SubtaskStatus.COMPLETED}
        labels = [name for kind, place, name in told if (kind, place) == ("label", ticket)]
        assert sorted(store.get(ticket).labels) == sorted(["first", *labels])
    for me in range(WRITERS):
        for n, (ticket, name) in zip((92, 91), own_fields(me), strict=True):
            now = getattr(store.get(ticket), name)
            assert now == ((f"w{me}.{n}",) if name == "relates_to" else f"w{me}.{n}")

    created = sorted(ticket for kind, ticket, _ in told if kind == "create")
    assert created == [
        f"T-{number:03d}" for number in range(1 + len(SHARED), 1 + len(SHARED) + WRITERS * CHANGES // 10)
    ]
    assert names(workspace) == [f"{ticket}.yaml" for ticket in sorted((*SHARED, *created))]
    assert {summary.id for summary in store.list(limit=1_000)} == {*SHARED, *created}
    assert store.problems() == []
    assert_only_tickets_changed(workspace)
    rounds, broken = watching.told[-1]
    assert rounds > 1 and broken == []


def test_writers_that_are_killed_at_any_moment_leave_whole_files_and_no_lock(workspace: Path, start: Start) -> None:
    moments, told = random.Random(3), list[Told]()
    store = TicketStore(workspace)
    for turn in range(ROUNDS_OF_KILLING):
        first, second = (start(writers.comments_without_end, workspace, f"{side}{turn}") for side in "ab")
        first.hear()
        first.process.join(moments.uniform(0, 0.03))
        first.end(kill=True)
        second.hear(3)  # it goes on at once
        second.process.join(moments.uniform(0, 0.03))
        second.end(kill=True)
        told += first.told + second.told
        assert_told_is_there(workspace, told)
        # The next writer goes on at once too, and clears away what the killed ones have left.
        store.change("T-001", lambda ticket, now, turn=turn: ticket.add_comment(f"after {turn}", BY, now))  # type: ignore[misc]
        assert [name for name in names(workspace) if not re.fullmatch(r"T-\d+\.yaml", name)] == []
    assert_only_tickets_changed(workspace)
    assert store.problems() == []
    in_files = {name.removesuffix(".yaml") for name in names(workspace)}
    assert {summary.id for summary in store.list(limit=10_000)} == in_files
    assert len(told) > 4 * ROUNDS_OF_KILLING


def test_a_writer_that_is_killed_at_any_door_to_the_disk_is_taken_up_by_the_next(
    tmp_path: Path, workspace: Path, start: Start
) -> None:
    def play(kill: Kill | None, turn: int) -> list[Told]:
        folder = tmp_path / f"death-{turn}"
        shutil.copytree(workspace, folder)
        victim = start(writers.one_of_each, folder, kill)
        victim.end()
        assert victim.process.exitcode == (0 if kill is None else -9)
        assert_told_is_there(folder, [entry for entry in victim.told if entry[0] != "door"])
        again = start(writers.one_of_each, folder, None)
        again.end()
        assert again.process.exitcode == 0
        assert_told_is_there(folder, again.told)
        assert said(folder, "T-001", "comment_added", "comment") == {"once": 1}
        # The next write clears away what the killed one left.
        TicketStore(folder).change("T-002", lambda ticket, now: ticket.add_comment("later", BY, now))
        assert names(folder) == [f"{ticket}.yaml" for ticket in (*SHARED, "T-013")]
        victim_told: list[Told] = victim.told
        return victim_told

    doors = [(name, int(nth)) for kind, name, nth in play(None, 0) if kind == "door"]
    kills = [Kill(name, nth, when) for name, nth in doors for when in ("before", "after")]
    assert {"open", "fsync"} <= {kill.door for kill in kills}
    for turn, kill in enumerate(kills, 1):
        try:
            play(kill, turn)
        except AssertionError as error:
            raise AssertionError(f"killed at {kill}: {error}") from error


def test_what_an_editor_saves_while_a_change_is_made_stays(workspace: Path, start: Start) -> None:
    path, store = workspace / ".sciorex" / "tickets" / "T-001.yaml", TicketStore(workspace)
    editor = start(writers.editor, path)
    for turn in range(20):
        order, asked = ("rename", "in place")[turn % 2], list[int]()

        def rule(ticket: Any, now: Any, turn: int = turn, order: str = order, asked: list[int] = asked) -> Any:
            if not asked:
                editor.ear.send(order)
                editor.hear()
            asked.append(turn)
            return ticket.add_comment(f"c{turn}", BY, now)

        store.change("T-001", rule)
        assert (len(asked), store.get("T-001").title) == (2, editor.told[-1])
    assert said(workspace, "T-001", "comment_added", "comment") == {f"c{turn}": 1 for turn in range(20)}
    assert len(editor.told) == 20


@pytest.mark.parametrize("how", ["rename", "in place"])
def test_what_an_editor_saves_at_the_last_moment_stays(
    workspace: Path, start: Start, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Between the last look at the file and the step that puts the new one in its place."""
    path, store = workspace / ".sciorex" / "tickets" / "T-001.yaml", TicketStore(workspace)
    editor = start(writers.editor, path)

    def late(step: Callable[..., Any]) -> Callable[..., Any]:
        def saved_before(*arguments: Any) -> Any:
            if not editor.told:
                editor.ear.send(how)
                editor.hear()
            return step(*arguments)

        return saved_before

    monkeypatch.setattr(os, "replace", late(os.replace))
    monkeypatch.setattr(exchange, "exchange", late(exchange.exchange))
    after = store.change("T-001", lambda ticket, now: ticket.add_comment("ours", BY, now)).after
    assert (after.title, values(workspace, "T-001")["title"]) == ("edit 1", "edit 1")
    assert said(workspace, "T-001", "comment_added", "comment") == {"ours": 1}


def test_an_editor_that_saves_all_the_time_loses_nothing(
    workspace: Path, start: Start, processes: ForkServerContext
) -> None:
    path, stop = workspace / ".sciorex" / "tickets" / "T-001.yaml", processes.Event()
    editor, watching = start(writers.busy_editor, path, stop), start(writers.reader, workspace, stop)
    store = TicketStore(workspace)
    for turn in range(100):
        store.change("T-001", lambda ticket, now, turn=turn: ticket.add_comment(f"c{turn}", BY, now))  # type: ignore[misc]
    stop.set()
    for other in (editor, watching):
        other.end()
    saves, lost = editor.told[-1]
    assert saves > 20 and lost == []
    assert values(workspace, "T-001")["title"] == f"edit {saves}"
    assert watching.told[-1][1] == []
