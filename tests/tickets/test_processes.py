"""Several processes write in one workspace at once: nothing is lost, and no id is given twice."""

import signal
import subprocess
import sys
from pathlib import Path

from bot.tickets.store import TicketStore
from tests.tickets.conftest import Write

WRITER = """
import sys
from pathlib import Path
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, NewTicket, SubtaskStatus
store, me, rounds = TicketStore(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
by = Actor("agent", me)
print("ready", flush=True)
sys.stdin.readline()
for n in range(rounds):
    store.change("T-001", lambda t, now: t.add_comment(f"{me}.{n}", by, now), op=f"{me}.{n}")
    if n % 5 == 0:
        store.create(NewTicket(f"{me}.{n}"), by=by, op=f"new.{me}.{n}")
    if n % 5 == 1:
        store.change("T-001", lambda t, now: t.update(by=by, at=now, labels=[*t.labels, f"{me}.{n}"]))
"""


def start(workspace: Path, name: str, rounds: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(workspace), name, str(rounds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_four_processes_lose_nothing(store: TicketStore, write: Write, tmp_path: Path) -> None:
    write("T-001.yaml", "id: T-001 # kept\ntitle: Shared\nlabels: [first]\n")
    writers = [start(tmp_path, f"w{n}", 25) for n in range(4)]
    for writer in writers:
        go(writer)
    assert [writer.wait() for writer in writers] == [0] * 4
    said = {f"w{n}.{m}" for n in range(4) for m in range(25)}
    ticket = store.get("T-001")
    comments = [entry.details["comment"] for entry in ticket.history if entry.action == "comment_added"]
    assert len(comments) == 100 and set(comments) == said
    assert set(ticket.labels) == {"first", *(name for name in said if int(name.split(".")[1]) % 5 == 1)}
    made = [other for other in store.list(limit=1000) if other.id != "T-001"]
    assert sorted(other.id for other in made) == [f"T-{n:03d}" for n in range(2, 22)]
    assert {other.title for other in made} == {name for name in said if int(name.split(".")[1]) % 5 == 0}
    assert store.problems() == []


def test_a_writer_that_is_killed_leaves_a_whole_file_and_no_lock(
    store: TicketStore, write: Write, tmp_path: Path
) -> None:
    path = write("T-001.yaml", "id: T-001 # kept\ntitle: Shared\n")
    writer = start(tmp_path, "w0", 10_000)
    go(writer)
    while len(store.get("T-001").history) < 5:
        pass
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    before = store.get("T-001")
    assert [entry.op for entry in before.history if entry.op] == [
        f"w0.{n}" for n in range(sum(entry.op is not None for entry in before.history))
    ]
    again = start(tmp_path, "w0", 8)
    go(again)
    assert again.wait() == 0
    ops = [entry.op for entry in store.get("T-001").history if entry.op]
    assert len(ops) == len(set(ops)) >= 8
    assert path.read_text().startswith("id: T-001 # kept\n")
