"""What other programs do to a workspace in tests, each in a process of its own: writers, an editor, a reader."""

import fcntl
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import yaml

from bot.errors import BotError
from bot.tickets import exchange
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Change, NewTicket, SubtaskStatus, Ticket

SHARED = tuple(f"T-{number:03d}" for number in range(1, 13))
Rule = Callable[[Ticket, datetime], Change | None]


def own_fields(me: int) -> tuple[tuple[str, str], tuple[str, str]]:
    """Which field of which shared ticket is this writer's alone; there are at most 16 writers."""
    first = "title" if me < 8 else "description"
    second = "relates_to" if me < 8 else "epic_id"
    return (SHARED[me % 8], first), (SHARED[(me + 3) % 8], second)


def mixed_changes(folder: Path, me: int, count: int, start: Event, tell: Connection) -> None:
    """So many changes of all kinds; tells each that was made, as (kind, where, what), or a refusal."""
    store, by = TicketStore(folder), Actor("agent", f"w{me}")
    own, read = own_fields(me), dict[str, str]()
    tell.send(("ready", "", ""))
    start.wait()
    for n in range(count):
        name, ticket = f"w{me}.{n}", SHARED[(me + n) % len(SHARED)]
        kind = ("create", "field", "field", "subtask", "done", "progress", "label", *("comment",) * 3)[n % 10]
        try:
            if n % 10 == 0:
                read = {place: store.get(place).revision for place, _ in own}
            if kind == "create":
                ticket = store.create(NewTicket(name), by=by, op=f"new.{name}").id
            elif kind == "field":
                ticket, field = own[n % 2]
                store.change(ticket, _sets(field, name, by), read=read[ticket])
            elif kind == "done":
                ticket = SHARED[(me + n - 1) % len(SHARED)]
                store.change(ticket, _finishes(f"w{me}.{n - 1}", by))
            else:
                store.change(ticket, _adds(kind, name, by), op=name)
        except BotError as refused:
            tell.send(("refused", ticket, f"{kind} {name}: {refused}"))
        else:
            tell.send((kind, ticket, name))


def comments_without_end(folder: Path, me: str, tell: Connection) -> None:
    """Comments on three tickets and now and then a new one, until it is killed; tells each one that was made."""
    store, by, n = TicketStore(folder), Actor("agent", me), 0
    while True:
        name, ticket = f"{me}.{n}", SHARED[n % 3]
        if n % 4 == 3:
            ticket = store.create(NewTicket(name), by=by).id
        else:
            store.change(ticket, _adds("comment", name, by))
        tell.send(("create" if n % 4 == 3 else "comment", ticket, name))
        n += 1


@dataclass(frozen=True)
class Kill:
    """Dies at the nth crossing of a door to the disk: before its effect, or after it."""

    door: str
    nth: int
    when: str


def one_of_each(folder: Path, kill: Kill | None, tell: Connection) -> None:
    """A comment and a new ticket, each under an operation's name; dies where it is told to, and tells its doors."""
    store, by = TicketStore(folder), Actor("agent", "w")
    store.list()
    _guard(kill, tell)
    store.change("T-001", _adds("comment", "once", by), op="one")
    tell.send(("comment", "T-001", "once"))
    made = store.create(NewTicket("made once"), by=by, op="two")
    tell.send(("create", made.id, "made once"))


def editor(path: Path, orders: Connection) -> None:
    """Saves the file whenever it is told `rename` or `in place`: reads it again, and gives it another title."""
    number = 0
    while (how := orders.recv()) != "end":
        number += 1
        save(path, f"edit {number}", how)
        orders.send(f"edit {number}")


def busy_editor(path: Path, stop: Event, tell: Connection) -> None:
    """Saves by rename, each time with another title, a moment after anybody else has; tells which saves were lost.

    It takes no lock, but reads the file again before it saves. For a moment its own save may be out of sight.
    """
    moments, number, lost, last = random.Random(5), 0, list[str](), 0
    while not stop.wait(0.001):
        if path.stat().st_ino == last:
            continue
        stop.wait(moments.uniform(0, 0.01))
        if number and not any(_title(path) == f"edit {number}" or stop.wait(0.005) for _ in range(50)):
            lost.append(f"edit {number}")
        number += 1
        last = save(path, f"edit {number}", "rename")
    tell.send((number, lost))


def save(path: Path, title: str, how: str) -> int:
    """Saves a ticket's file with another title, as editors do: under another name first, or in place.

    Gives the number of the inode that holds it.
    """
    text = re.sub("^title: .*$", f"title: {title}", path.read_text(encoding="utf-8"), flags=re.M)
    if how == "in place":
        path.write_text(text, encoding="utf-8")
        return path.stat().st_ino
    saved = path.with_name(f".{path.name}.swp")
    saved.write_text(text, encoding="utf-8")
    inode = saved.stat().st_ino
    saved.replace(path)
    return inode


def reader(folder: Path, stop: Event, tell: Connection) -> None:
    """Reads all files again and again, as they are and through a store; tells how often, and what it found broken."""
    store, tickets = TicketStore(folder), folder / ".sciorex" / "tickets"
    rounds, broken = 0, list[str]()
    while not stop.wait(0.02):
        for path in tickets.glob("*.yaml"):
            try:
                values = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
                assert values["id"] == path.stem and values["title"] and "history" in values
            except (yaml.YAMLError, AssertionError, KeyError, TypeError) as wrong:
                broken.append(f"{path.name}: {wrong!r}")
        try:
            for ticket in SHARED:
                store.get(ticket)
            store.list()
        except BotError as wrong:
            broken.append(str(wrong))
        rounds += 1
    tell.send((rounds, broken))


def _title(path: Path) -> str:
    found = re.search("^title: (.*)$", path.read_text(encoding="utf-8"), flags=re.M)
    return found[1] if found else ""


def _adds(kind: str, name: str, by: Actor) -> Rule:
    if kind == "subtask":
        return lambda ticket, now: ticket.add_subtask(name, by, now)
    if kind == "label":
        return lambda ticket, now: ticket.update(by=by, at=now, labels=[*ticket.labels, name])
    if kind == "progress":
        return lambda ticket, now: ticket.report_progress(name, None, by, now)
    return lambda ticket, now: ticket.add_comment(name, by, now)


def _sets(field: str, name: str, by: Actor) -> Rule:
    value: Any = [name] if field == "relates_to" else name
    return lambda ticket, now: ticket.update(by=by, at=now, **{field: value})


def _finishes(subtask: str, by: Actor) -> Rule:
    return lambda t, now: t.set_subtask(t.find_subtask(subtask), SubtaskStatus.COMPLETED, by, now)


def _guard(kill: Kill | None, tell: Connection) -> None:
    """Puts a door around everything that reaches the disk, but for the index."""
    crossed: Counter[str] = Counter()

    def door(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **named: Any) -> Any:
            crossed[name] += 1
            nth = crossed[name]
            tell.send(("door", name, str(nth)))
            _die_if(kill == Kill(name, nth, "before"))
            try:
                return call(*arguments, **named)
            finally:
                _die_if(kill == Kill(name, nth, "after"))

        return guarded

    for module, names in (
        (os, ("open", "fsync", "fchmod", "replace", "link", "unlink")),
        (fcntl, ("flock",)),
        (exchange, ("exchange",)),
    ):
        for name in names:
            setattr(module, name, door(name, getattr(module, name)))


def _die_if(here: bool) -> None:
    if here:
        os.kill(os.getpid(), signal.SIGKILL)
