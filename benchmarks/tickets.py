"""How fast the ticket store is, beside the obvious program: `python -m benchmarks.tickets [--sizes 100,1000]`.

It prints; it asserts nothing. Figures of both programs come from the same run, each from a process of its own.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measures import QUESTIONS, Answer
from benchmarks.processes import Failed, run, run_weighed
from benchmarks.report import Line, compared, duration, megabytes, spread, table, times, within
from benchmarks.workspace import make_workspace

SIZES = (100, 1_000, 10_000, 100_000)
# A file that was changed in the last two seconds is looked into again at every read, since its time may not tell.
SETTLED = 2.5
READ_ROUNDS = 9


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tickets", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of tickets (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the workspaces are made (default: a temporary folder)")
    given = parser.parse_args(arguments)
    sizes = sorted(int(size) for size in given.sizes.split(","))
    print(f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("Medians; in brackets from the least to the most.")
    with tempfile.TemporaryDirectory(prefix="sciorex-benchmark-", dir=given.folder) as place:
        folders = {size: Path(place) / str(size) for size in sizes}
        for size, folder in folders.items():
            _make(folder, size)
        time.sleep(SETTLED)
        for size, folder in folders.items():
            _section(f"{size:,} tickets", lambda folder=folder, size=size: one_size(folder, size))  # type: ignore[misc]
        _section("One ticket read, by the number of tickets", lambda: single_reads(folders))
        middle = max((size for size in sizes if size <= 10_000), default=sizes[0])
        _section(f"Pickers, {middle:,} tickets", lambda: picker(folders[middle]))
        _section("A ticket with 1,000 entries of history", lambda: long_history(Path(place) / "history"))
        _section(f"Edits made outside, {middle:,} tickets", lambda: edits_outside(Path(place) / "outside", middle))


def one_size(folder: Path, size: int) -> list[Line]:
    """All that is measured at each size: both programs start in turns, then are asked, then weighed."""
    cold, warm, others = list[Answer](), list[float](), list[Answer]()
    for turn in range(_turns(size, 5)):
        cache = _cache(folder, f"cold-{turn}")
        cold.append(run("cold_index", folder, cache))
        if cold[-1]["count"] != size:
            raise Failed(f"the index holds {cold[-1]['count']} of {size} tickets")
        others.append(run("obvious_program", folder, cache))
        warm += [run("warm_start", folder, cache)["list"] for _ in range(3)]
    return [*starts(cold, warm, others), *questions(folder, others), *memory(folder, size)]


def starts(cold: Sequence[Answer], warm: Sequence[float], others: Sequence[Answer]) -> list[Line]:
    """Without an index and with one, beside the obvious program's load."""
    load = [other["load"] for other in others]
    searched = [answer["search"] for answer in cold]
    return [
        compared("cold index, to the first list", [answer["list"] for answer in cold], load, None),
        compared("cold index, to the first list and search", searched, load, 1.5, "≤ 1.5 × its load"),
        compared("warm start, to the first list", warm, load, 0.1, "≤ 1/10 of its load"),
    ]


def questions(folder: Path, others: Sequence[Answer]) -> list[Line]:
    """Each question to both; the obvious program loads, then scans. What the scan alone takes is told beside it."""
    ours, lines = run("questions", folder, _cache(folder, "cold-0")), []
    load = statistics.median(other["load"] for other in others)
    for name in QUESTIONS:
        answered, watched, found = ours["times"][name], ours["watched"][name], ours["found"][name]
        scan, its = statistics.median(other["scans"][name] for other in others), others[0]["found"][name]
        beside = f"{duration(load + scan)}, its scan alone {duration(scan)} ({times(answered / scan)})"
        label = f"{name} ({found:,} found{'' if found == its else f', BUT {its:,} by the other'})"
        ratio = answered / (load + scan)
        both = f"{duration(answered)}, watched {duration(watched)}"
        lines.append(Line(label, both, beside, ratio, "≤ 1/50 of load and scan", ratio, 1 / 50))
    ids = run("ids_in_text", folder, _cache(folder, "cold-0"))
    lines.append(within(f"ids in a text of 4,000 characters ({ids['found']} found)", [ids["time"]], 1e-3))
    return lines


def memory(folder: Path, size: int) -> list[Line]:
    """The most memory until a search is answered, with all child processes."""
    turns, lines = range(_turns(size, 3)), []
    other = statistics.median(run_weighed("obvious_memory", folder, _cache(folder, "none")) for _ in turns)
    for name in ("indexing", "with an index"):
        ours = run_weighed("memory", folder, _cache(folder, "memory"))
        label, ratio = f"memory, {name}, one search", ours / other
        lines.append(Line(label, megabytes(ours), megabytes(other), ratio, "≤ 1.5 × its own", ratio, 1.5))
    return lines


def single_reads(folders: dict[int, Path]) -> list[Line]:
    """The same tickets, the same bytes, in workspaces of every size; in turns, so that a busy moment hits all."""
    for folder in folders.values():
        run("warm_start", folder, _cache(folder, "cold-0"))
    measured: dict[tuple[str, int], list[float]] = {}
    for _ in range(READ_ROUNDS):
        for size, folder in folders.items():
            for kind, seconds in run("single_reads", folder, _cache(folder, "cold-0")).items():
                measured.setdefault((kind, size), []).append(seconds)
    least, lines = min(folders), []
    said = {"opened": "store opened and one read", "first": "a first read", "again": "read again, unchanged"}
    for kind, words in said.items():
        for size in folders:
            seconds, ratio = measured[kind, size], None
            if size != least:
                ratio = statistics.median(seconds) / statistics.median(measured[kind, least])
            aim = "" if ratio is None else f"≤ 1.2 × at {least:,}"
            other = "" if ratio is None else f"at {least:,}: {duration(statistics.median(measured[kind, least]))}"
            lines.append(Line(f"{words}, of {size:,}", spread(seconds), other, ratio, aim, ratio, 1.2))
    return lines


def picker(folder: Path) -> list[Line]:
    """Each beginning of a few typed texts; the store's part of a picker's answer."""
    measured = run("picker", folder, _cache(folder, "cold-0"))["times"]
    slowest = max(measured, key=lambda typed: measured[typed])
    return [
        within(f"a picker's answer ({len(measured)} beginnings of words)", list(measured.values()), 0.1),
        within(f"the slowest, “{slowest}”", [measured[slowest]], 0.1),
    ]


def long_history(folder: Path) -> list[Line]:
    """Reading it unchanged costs what a small one's reading costs; a change at most three times its parse."""
    make_workspace(folder, 100)
    measured = run("long_history", folder, _cache(folder, "history"))
    big, small = measured["T-9001"], measured["T-9002"]
    parse, first = big["obvious parse"], big["first read"]
    again = big["read again"] / small["read again"]
    beside = f"a small one: {duration(small['read again'])}"
    lines = [
        Line("read again, unchanged", duration(big["read again"]), beside, again, "as a small one's", again, 1.2),
        Line(f"first read ({big['size'] / 1000:.0f} KB)", duration(first), f"parse {duration(parse)}", first / parse),
    ]
    for kind in ("comment", "status"):
        ratio = big[kind] / parse
        lines.append(
            Line(f"change: {kind}", duration(big[kind]), f"parse {duration(parse)}", ratio, "≤ 3 × one parse", ratio, 3)
        )
        lines.append(Line(f"change: {kind}, small ticket", duration(small[kind])))
    return lines


def edits_outside(folder: Path, size: int) -> list[Line]:
    """From the end of an editor's save, or of git, until the watcher has told and a search has found all."""
    make_workspace(folder, size)
    time.sleep(SETTLED)
    measured = run("edits_outside", folder, _cache(folder, "outside"))
    pulled = f"git, {measured['files']:,} files (git took {duration(measured['git'])})"
    return [
        within("one save, told", [measured["told"]], 1),
        within("one save, found", [measured["found"]], 1),
        within(f"{pulled}, all told; {measured['shown when told']:,} found then", [measured["all told"]], 1),
        within("git, and back again, all found", [measured["all found"]], 1),
    ]


def _make(folder: Path, size: int) -> None:
    begun = time.perf_counter()
    make_workspace(folder, size)
    weight = sum(file.stat().st_size for file in (folder / ".sciorex" / "tickets").iterdir())
    print(f"{size:,} tickets, {megabytes(weight)}, written in {duration(time.perf_counter() - begun)}", flush=True)


def _section(title: str, measure: Callable[[], list[Line]]) -> None:
    print(f"\n### {title}\n", flush=True)
    try:
        print(table(measure()), flush=True)
    except Failed as failure:
        print(f"Not measured: {failure}", flush=True)


def _turns(size: int, most: int) -> int:
    """How often a slow measurement is repeated."""
    return max(1, min(most, 30_000 // size))


def _cache(folder: Path, name: str) -> Path:
    """Where an index of a workspace is kept, beside it."""
    return folder.with_name(f"{folder.name}.cache") / name


if __name__ == "__main__":
    main()
