"""The benchmarks measure what they say: a workspace that loads whole, and two programs that answer alike."""

from pathlib import Path

import pytest

from benchmarks import obvious
from benchmarks.measures import MEASURES
from benchmarks.processes import Failed, run
from benchmarks.report import Line, compared, duration, table, times
from benchmarks.workspace import make_workspace, text_with_ids
from bot.tickets.store import TicketStore

COUNT = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    make_workspace(folder, COUNT)
    return folder


def test_every_ticket_made_up_can_be_read(folder: Path) -> None:
    store = TicketStore(folder)
    assert store.problems() == []
    assert len(store.list(archived=True, limit=1_000)) == len(obvious.load(folder)) == COUNT
    assert [epic.id for epic in store.epics()] == [f"E-{number:03d}" for number in range(1, COUNT // 25 + 2)]
    assert store.ids_in(text_with_ids(4_000, COUNT))


def test_a_small_workspace_is_the_beginning_of_a_large_one(folder: Path, tmp_path: Path) -> None:
    make_workspace(tmp_path, 50)
    small = sorted((tmp_path / ".sciorex" / "tickets").iterdir())
    assert len(small) == 50
    for path in small:
        assert path.read_bytes() == (folder / ".sciorex" / "tickets" / path.name).read_bytes()


def test_both_programs_find_the_same_number_of_tickets(folder: Path) -> None:
    ours, other = MEASURES["questions"](folder)["found"], MEASURES["obvious_program"](folder)["found"]
    assert ours == other
    assert ours["search, in no ticket"] == 0 < ours["search, an id"] < ours["list, by status"]


def test_a_measurement_runs_in_a_process_of_its_own(folder: Path, tmp_path: Path) -> None:
    cold = run("cold_index", folder, tmp_path / "cache")
    assert (cold["count"], 0 < cold["list"] <= cold["search"]) == (COUNT, True)
    assert (tmp_path / "cache").is_dir()
    with pytest.raises(Failed, match="there is no folder"):
        run("cold_index", tmp_path / "nowhere", tmp_path / "cache")


def test_a_line_says_whether_its_aim_holds() -> None:
    assert compared("warm", [0.002], [0.02, 0.04, 0.03], 0.1, "≤ 1/10").cells == (
        *("warm", "2 ms", "30 ms (20 ms–40 ms)", "1/15", "≤ 1/10", "yes"),
    )
    assert Line("read", "3 ms", ratio=1.3, aim="≤ 1.2 ×", value=1.3, most=1.2).cells[-1] == "NO"
    assert [duration(0.0000123), duration(0.9999), duration(75.4), times(0.02)] == ["12.3 µs", "1 s", "75.4 s", "1/50"]
    assert table([Line("a", "1 s")]).splitlines()[2].startswith("| a       | 1 s  |")
