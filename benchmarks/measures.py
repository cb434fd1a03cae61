"""One function a measurement, each run in a process of its own: `python -m benchmarks.measures NAME FOLDER`.

Each prints what it measured as JSON: times in seconds, sizes in bytes. The index lies where XDG_CACHE_HOME says.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from benchmarks import obvious
from benchmarks.outside import edits_outside
from benchmarks.workspace import text_with_ids, ticket_id, ticket_text
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Change, Status, Ticket

Answer = dict[str, Any]
ALL = 1_000_000_000
BY = Actor("agent", "benchmark", on_behalf_of="U024BE7LH")

# The questions both programs are asked: a search's text, or the fields of a filtered list.
QUESTIONS: dict[str, str | dict[str, str]] = {
    "search, a word in many tickets": "avatar",
    "search, a word in few tickets": "dapyorulm",
    "search, in no ticket": "zzyzx",
    "search, an id": "T-077",
    "list, by status": {"status": "in_progress"},
    "list, by status and label": {"status": "planned", "labels": "cli"},
}
TYPED = "notification", "avatar upl", "t-0077", "dapyor"
REPEATED_SECONDS = 0.2
SINGLE = [number for number in range(1, 100) if number % 40]


def cold_index(folder: Path) -> Answer:
    """Without an index: from nothing to the first list and the first search."""
    begun = time.perf_counter()
    store = TicketStore(folder)
    store.list(limit=50)
    listed = time.perf_counter() - begun
    store.search("avatar", limit=20)
    searched = time.perf_counter() - begun
    return {"list": listed, "search": searched, "count": len(store.list(archived=True, limit=ALL))}


def warm_start(folder: Path) -> Answer:
    """With an index from before: from nothing to the first list."""
    begun = time.perf_counter()
    TicketStore(folder).list(limit=50)
    return {"list": time.perf_counter() - begun}


def obvious_program(folder: Path) -> Answer:
    """The obvious program: its load, and its scan for each question."""
    begun = time.perf_counter()
    tickets = obvious.load(folder)
    loaded = time.perf_counter() - begun
    scans, found = {}, {}
    for name, question in QUESTIONS.items():
        ask = _obviously(tickets, question)
        scans[name] = repeated(3, ask)
        found[name] = len(ask())
    return {"load": loaded, "scans": scans, "found": found}


def questions(folder: Path) -> Answer:
    """Each question to an open store, its first page of 20.

    `times` are those of a store that nobody watches, as in a server of tools; `watched` those of one in the bot.
    """
    store = TicketStore(folder)
    store.list(limit=50)
    asks = {name: _asked(store, question) for name, question in QUESTIONS.items()}
    found = {name: ask(ALL) for name, ask in asks.items()}
    times = {name: repeated(9, ask, 20) for name, ask in asks.items()}
    store.watch()
    watched = {name: repeated(9, ask, 20) for name, ask in asks.items()}
    store.close()
    return {"times": times, "watched": watched, "found": found}


def single_reads(folder: Path) -> Answer:
    """One ticket: opening the store for it, each other one for the first time, and each once more, unchanged."""
    ids = [ticket_id(number) for number in SINGLE]
    begun = time.perf_counter()
    store = TicketStore(folder)
    store.get(ids[0])
    opened = time.perf_counter() - begun
    first = [timed(store.get, name) for name in ids[1:]]
    again = [timed(store.get, name) for _ in range(5) for name in ids]
    return {"opened": opened, "first": statistics.median(first), "again": statistics.median(again)}


def ids_in_text(folder: Path) -> Answer:
    """The ids that a text of 4,000 characters names."""
    store = TicketStore(folder)
    text = text_with_ids(4_000, len(list((folder / ".sciorex" / "tickets").iterdir())))
    found = store.ids_in(text)
    return {"time": repeated(100, store.ids_in, text), "found": len(found)}


def picker(folder: Path) -> Answer:
    """What a ticket picker asks the bot's store: nothing typed yet, then each beginning of what is typed."""
    store = TicketStore(folder)
    store.list(limit=50)
    store.watch()
    times = {"": repeated(3, partial(store.list, limit=50))}
    for text in TYPED:
        for length in range(1, len(text) + 1):
            times[text[:length]] = repeated(3, store.search, text[:length], 50)
    store.close()
    return {"times": times}


def memory(folder: Path) -> Answer:
    """A process that opens the store (and indexes, when there is no index) and answers a search."""
    store = TicketStore(folder)
    found = store.search("avatar", limit=20)
    return {"peak": _peak(), "found": len(found)}


def obvious_memory(folder: Path) -> Answer:
    """A process that loads all and answers a search."""
    found = obvious.search(obvious.load(folder), "avatar")[:20]
    return {"peak": _peak(), "found": len(found)}


def long_history(folder: Path) -> Answer:
    """A ticket with 1,000 entries of history beside a small one: read, and changed."""
    tickets = folder / ".sciorex" / "tickets"
    answer: Answer = {}
    for name, entries in (("T-9001", 1_000), ("T-9002", 5)):
        (tickets / f"{name}.yaml").write_text(ticket_text(int(name[2:]), history=entries), encoding="utf-8")
    time.sleep(2.5)  # a file changed in the last two seconds is looked into at every read
    store, number = TicketStore(folder), count()

    def comment(ticket: Ticket, now: datetime) -> Change:
        return ticket.add_comment(f"Comment {next(number)}.", BY, now)

    def move(ticket: Ticket, now: datetime) -> Change | None:
        return ticket.change_status(ticket.next_statuses()[0], by=BY, at=now)

    for name in ("T-9001", "T-9002"):
        text = (tickets / f"{name}.yaml").read_text(encoding="utf-8")
        answer[name] = {
            "size": len(text),
            "obvious parse": repeated(7, partial(yaml.load, text, Loader=yaml.CSafeLoader)),
            "first read": timed(store.get, name),
            "read again": repeated(100, store.get, name),
        }
    for name in ("T-9001", "T-9002"):
        answer[name] |= {"comment": repeated(7, store.change, name, comment)}
        answer[name] |= {"status": repeated(7, store.change, name, move)}
    return answer


def timed(call: Callable[..., object], *arguments: object) -> float:
    begun = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - begun


def repeated(least: int, call: Callable[..., object], *arguments: object) -> float:
    """The median of several calls: of those that take a millisecond, of as many as fit into a fifth of a second."""
    taken: list[float] = []
    while len(taken) < least or sum(taken) < REPEATED_SECONDS:
        taken.append(timed(call, *arguments))
    return statistics.median(taken)


def _asked(store: TicketStore, question: str | dict[str, str]) -> Callable[[int], int]:
    if isinstance(question, str):
        return lambda limit: len(store.search(question, limit=limit))
    status, label = Status(question["status"]), question.get("labels")
    return lambda limit: len(store.list(status=status, label=label, limit=limit))


def _obviously(tickets: list[dict[str, Any]], question: str | dict[str, str]) -> Callable[[], list[dict[str, Any]]]:
    if isinstance(question, str):
        return lambda: obvious.search(tickets, question)
    return lambda: obvious.filtered(tickets, **question)


def _peak() -> int:
    """The most memory this process has had; Linux counts in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


MEASURES: dict[str, Callable[[Path], Answer]] = {
    measure.__name__: measure
    for measure in (
        *(cold_index, warm_start, obvious_program, questions, single_reads, ids_in_text),
        *(picker, memory, obvious_memory, long_history, edits_outside),
    )
}

if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]](Path(sys.argv[2]))))
