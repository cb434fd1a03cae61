"""A disk that is really full or read-only, and a workspace that goes away: told in a sentence, nothing is harmed."""

import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from bot.errors import WorkspaceUnavailable
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Change, Ticket

BY = Actor("user", "U1")
TICKET = "id: T-042 # by hand\ntitle: Shared\n"
# A small disk of its own, seen by this process and its children alone, is made without being root.
DISK = 'mount -t tmpfs -o size=256k none "$1" && shift && exec "$@"'
ON_A_SMALL_DISK = f"""
import subprocess, sys
from pathlib import Path
from bot.errors import BotError
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, NewTicket
disk, how = Path(sys.argv[1]), sys.argv[2]
tickets = disk / ".sciorex" / "tickets"
tickets.mkdir(parents=True)
path = tickets / "T-042.yaml"
path.write_text({TICKET!r})
store, by = TicketStore(disk), Actor("user", "U1")
if how == "full":
    try:
        (disk / "filler").write_bytes(bytes(1_000_000))
    except OSError:
        pass
else:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
for act in (
    lambda: store.change("T-042", lambda t, now: t.add_comment("x" * 9_000, by, now)),
    lambda: store.create(NewTicket("New", "x" * 9_000), by=by),
):
    try:
        act()
        print("done")
    except BotError as error:
        print(error)
print(path.read_text() == {TICKET!r}, [file.name for file in tickets.iterdir()], [t.id for t in store.list()])
if how == "full":
    (disk / "filler").unlink()
    store.change("T-042", lambda t, now: t.add_comment("x", by, now))
    print(store.create(NewTicket("New"), by=by).id)
"""


def on_a_small_disk(tmp_path: Path, how: str) -> list[str]:
    """What a process says whose workspace is on a disk that refuses."""
    disk = tmp_path / "disk"
    disk.mkdir()
    alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", DISK, "sh", str(disk)]
    try:
        subprocess.run([*alone, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted for a test here: {error}")
    run = subprocess.run(
        [*alone, sys.executable, "-c", ON_A_SMALL_DISK, str(disk), how],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_a_full_disk_is_told_and_leaves_everything_as_it_was(tmp_path: Path) -> None:
    told = "The ticket workspace cannot be written: the disk is full. Nothing was changed."
    assert on_a_small_disk(tmp_path, "full") == [
        told,
        told,
        "True ['T-042.yaml'] ['T-042']",
        "T-043",
    ]


def test_a_read_only_disk_is_told_and_tickets_can_still_be_read(tmp_path: Path) -> None:
    told = "The ticket workspace cannot be written: the disk is read-only. Nothing was changed."
    assert on_a_small_disk(tmp_path, "read-only") == [told, told, "True ['T-042.yaml'] ['T-042']"]


def test_a_workspace_that_vanishes_during_a_change_is_told(tmp_path: Path) -> None:
    tickets = tmp_path / ".sciorex" / "tickets"
    tickets.mkdir(parents=True)
    (tickets / "T-042.yaml").write_text(TICKET)

    def rule(ticket: Ticket, now: datetime) -> Change:
        if tickets.exists():
            shutil.move(tmp_path / ".sciorex", tmp_path / "elsewhere")
        return ticket.add_comment("x", BY, now)

    with pytest.raises(WorkspaceUnavailable, match="its folder is not there any more"):
        TicketStore(tmp_path).change("T-042", rule)
    assert not (tmp_path / ".sciorex").exists()
    assert [path.read_text() for path in (tmp_path / "elsewhere" / "tickets").iterdir()] == [TICKET]
