"""A megabyte of anything loads or is refused soon, and so does a change of it; nothing is expanded without bound."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bot.errors import EditRefused
from bot.tickets.change import Actor, Append, Edit, Set
from bot.tickets.reading import Unfit, read_ticket
from bot.tickets.ticket import NewTicket, Ticket
from bot.tickets.writing import new_ticket
from bot.tickets.yaml_text import apply
from bot.tickets.yaml_values import YamlProblem, parse

MEGABYTE = 1_000_000
SECONDS = 6.0  # of this process; a tenth of it to half of it is usual
HEAD = "id: T-1\ntitle: x\n"
EMOJI = "\\ud83d\\ude00"


def many(part: str, size: int = MEGABYTE) -> str:
    return part * (size // len(part))


HOSTILE: dict[str, Callable[[], str]] = {
    "a long line": lambda: f"{HEAD}description: {many('word ')}\n",
    "a long quoted text": lambda: f'{HEAD}description: "{many("x ")}"\n',
    "escaped emoji": lambda: f'{HEAD}description: "{many(EMOJI)}"\n',
    "a long block text": lambda: f"{HEAD}description: |\n{many('  line' + chr(10))}",
    "blank lines in a block text": lambda: f"{HEAD}description: |+\n{many(chr(10))}",
    "blank lines": lambda: f"{HEAD}history:\n  - x\n{many('   ' + chr(10))}    # end\n",
    "spaces": lambda: f"{HEAD}history: []{many(' ')}",
    "a long comment": lambda: f"{HEAD}history: [] {many('#')}",
    "many comments": lambda: f"{HEAD}history:\n  - x\n{many('    # c' + chr(10))}",
    "many keys": lambda: HEAD + "".join(f"k{n}: v\n" for n in range(66_000)),
    "many items": lambda: f"{HEAD}history:\n{many('- comment' + chr(10))}",
    "many labels": lambda: f"{HEAD}labels: [{many('label, ')}]\n",
    "many mappings": lambda: f"{HEAD}history: [{many('{a: b},')}]\n",
    "many subtasks": lambda: f"{HEAD}subtasks:\n{many('- title: one more subtask' + chr(10))}",
    "JSON": lambda: '{"id":"T-1","title":"x","history":[' + many('{"a":"1"},') + "{}]}",
    "one key again and again": lambda: HEAD + many("a: b\n"),
    "many anchors": lambda: HEAD + "history:\n" + "".join(f"- &a{n} x\n" for n in range(66_000)),
    "many aliases": lambda: f"{HEAD}a: &a x\nhistory:\n{many('- *a' + chr(10))}",
    "aliases of a long text": lambda: f'{HEAD}a: &a " {many("x", MEGABYTE // 2)}"\nlabels:\n{many("- *a" + chr(10))}',
    "aliases of a list": lambda: f"{HEAD}a: &a [{'x, ' * 999}]\nhistory:\n{many('- *a' + chr(10))}",
    "tags": lambda: f"{HEAD}history:\n{many('- !!str x' + chr(10))}",
    "deep brackets": lambda: f"{HEAD}a: {many('[')}",
    "deep mappings": lambda: f"{HEAD}a: {many('{a: ')}",
    "deep dashes": lambda: f"{HEAD}a:\n  {many('- ')}",
    "deep JSON": lambda: '{"id":"T-1","title":"x","a":' + many("[", MEGABYTE // 2) + many("]", MEGABYTE // 2) + "}",
    "a date": lambda: f"{HEAD}createdAt: '2025-01-01T00:00:00{many(' ')}x'\n",
    "a number": lambda: f"{HEAD}labels: [{many('1')}, {many('1')}.{many('1')}]\n",
    "an id": lambda: f"id: T-{many('1')}\ntitle: x\n",
    "a status": lambda: f"{HEAD}status: {many('done ')}\n",
    "never closed": lambda: f'{HEAD}a: "{many("x y ")}',
    "sixteen megabytes of values": lambda: f"{HEAD}history: [{many('a,', 16 * MEGABYTE)}]\n",
}
EDITS: list[Edit] = [
    Set(("status",), "done"),
    Set(("title",), "two\nlines"),
    Append(("labels",), "z"),
    Append(("history",), {"action": "x", "details": {"comment": "a\nb"}}),
]


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_megabyte_costs_no_more_than_seconds(kind: str) -> None:
    text = HOSTILE[kind]()
    started = time.process_time()
    try:
        parsed = parse(text)
        read_ticket(parsed.value, "")
        apply(text, parsed, EDITS, file="T-1.yaml")
    except YamlProblem as problem:
        assert problem.line is not None and len(problem.cause) < 200
    except Unfit as unfit:
        assert len(unfit.cause) < 300
    except EditRefused as refused:
        assert len(str(refused)) < 300
    assert time.process_time() - started < SECONDS


def test_a_megabyte_of_real_history_loads_and_changes() -> None:
    at, by = datetime(2025, 11, 24, tzinfo=UTC), Actor("user", "U1")
    text = new_ticket(NewTicket("x", many("A line of the description.\n", 100_000)), "T-1", by, at, None)
    entry = Ticket("T-1", "x").add_comment(many("Some words. ", 200), by, at).entry
    assert entry is not None
    edits: list[Edit] = [Append(("history",), entry.value(f"op {n}")) for n in range(3000)]
    text = apply(text, parse(text), edits, file="T-1.yaml").text
    assert len(text) > MEGABYTE
    assert len(read_ticket(parse(text).value, "").history) == 3001


def test_another_list_of_fifty_thousand_labels_costs_no_more_than_seconds() -> None:
    labels = [f"l{n}" for n in range(50_000)]
    texts = [f"{HEAD}labels:\n" + "".join(f"- {label}\n" for label in labels), f"{HEAD}labels: [{', '.join(labels)}]\n"]
    for text in texts:
        parsed, started = parse(text), time.process_time()
        wanted = [*reversed(labels[::2]), "new"]
        assert apply(text, parsed, [Set(("labels",), [*wanted])], file="f").parsed.value["labels"] == wanted
        assert time.process_time() - started < SECONDS
