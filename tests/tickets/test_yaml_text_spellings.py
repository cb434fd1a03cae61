"""Any text fits any place, and every reader of YAML 1.1 and 1.2 reads it back as it was meant."""

import json
from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.tickets.change import Actor, Append, Edit, Set, Value
from bot.tickets.reading import read_epic, read_ticket
from bot.tickets.ticket import NewTicket
from bot.tickets.writing import new_epic, new_ticket
from bot.tickets.yaml_text import apply
from bot.tickets.yaml_values import parse

TEXTS = [
    *("plain", "yes", "Yes", "NO", "on", "y", "n", "null", "Null", "~", "true", "TRUE", "False", "=", "<<", "<"),
    *("012", "0o14", "0x1F", "0b1", "1_000", "1:30", "190:20:30.15", "1", "-1", "+1", "1.", ".5", "1e3", ".inf", "00"),
    *("2025-01-01", "2025-1-1", "2025-01-01T10:00:00Z", "12345678901234567890", "1,000", "١٢", "-0", "-.INF", ".nan"),
    *("", " ", "   ", "\t", "\n", "\n\n", " lead", "trail ", "\u00a0x", "x\u3000", "word " * 2000, "x" * 5000),
    *("a: b", "a:", ":a", "#a", "a #b", "a#b", "- a", "-", "--- a", "---", "...", "? a", "!a", "&a", "*a", "|", "> a"),
    *("@a", "`a`", "%a", "{a}", "[a]", "a]", "a}", "a,b", "'a'", '"a"', "it's", '"', "'", "\\", "\\n", "\\ud83d"),
    *("a\nb", "a\nb\n", "a\n\n", "\na", "  two\nlines", "a \nb ", "a\t\nb\t", "\ta\nb", "\n  a\nb", "a\n   \n"),
    *("# heading\ntext", "---\na: 1\n...\n", "a\n---\nb", "%YAML 1.1\nx", "text\n\n\n\ntail", "a\n#b", "\n#a", "-\n-"),
    *("a\rb", "a\r\nb", "a\x85b", "a\u2028b", "a\u2029b\nc", "\ufeffx", "a\x00b", "\x07", "\x1b[0m", "\x7f", "\ufffe"),
    *("😀", "é", "\U0010ffff", "\uffff", "&amp;", "key: value\nother: value\n"),
]
OTHERS: list[Value] = [None, True, False, 0, -5, 10**17, 1.5, 0.1 + 0.2, [], ["a: b", "no", None, 1], {"k": "v"}]
PLACES = {
    "plain": "id: T-1\na: word # c\nb: 1\n",
    "wrapped": "id: T-1\na: some\n\n  more # c\nb: 1\n",
    "single quotes": "id: T-1\na: 'x\n\n  y' # c\nb: 1\n",
    "double quotes": 'id: T-1\na: "x" # c\nb: 1\n',
    "literal": "id: T-1\na: | # c\n  x\n\n  y\n\n# d\nb: 1\n",
    "literal with a step": "id: T-1\na: |4-\n      x\n    y\nb: 1\n",
    "folded": "id: T-1\na: >- # c\n  x\n  y\nb: 1\n",
    "kept": "id: T-1\na: |+\n  x\n\n\nb: 1\n",
    "null": "id: T-1\na: ~ # c\nb: 1\n",
    "nothing": "id: T-1\na:   # c\nb: 1\n",
    "nothing but a comment": "id: T-1\na:\n  # deep\nb: 1\n",
    "a line below": "id: T-1\na: # c0\n  # c1\n  'word' # c\nb: 1\n",
    "empty list": "id: T-1\na: [ \n ] # c\nb: 1\n",
    "empty mapping": "id: T-1\na: {} # c\nb: 1\n",
    "missing": "id: T-1\nb: 1\n",
    "lines end in CRLF": "id: T-1\r\na: |\r\n  x\r\n\r\n  y\r\nb: 1\r\n",
    "BOM": "\ufeffa: x\nid: T-1\nb: 1\n",
    "end": "id: T-1\nb: 1\na: word",
    "end of a literal": "id: T-1\nb: 1\na: |\n  word",
    "end, nothing": "id: T-1\nb: 1\na:",
    "missing at the end": "id: T-1\nb: |\n  x",
    "deep comment at the end": "id: T-1\nb: 1\na: x\n  # end",
    "markers": "--- # c\nid: T-1\nb: 1\na: x\n...",
    "JSON": '{\n  "id": "T-1",\n  "a": "x",\n  "b": "\\/"\n}\n',
    "JSON, missing": '{\n\t"id": "T-1",\n\t"b": 1\n}\n',
    "brackets": "{id: T-1,\n a: x, # c\n b: 1}\n",
    "brackets, missing": "{id: T-1,\n # c\n b: 1 # d\n}\n",
    "quoted keys": "'id': T-1\n\"a\" : x\n'b': 1\n",
    "indented": "  id: T-1\n  a: x\n  b: 1\n",
    "tabs": "id: T-1\na:\tx\t# c\nb: 1\n",
    "question": "id: T-1\n? a\n: x\nb: 1\n",
}
LISTS = {
    "empty": "id: T-1\na: [] # c\nb: 1\n",
    "null": "id: T-1\na: # c\nb: 1\n",
    "missing": "id: T-1\nb: 1\n",
    "dashes at the key's column": "id: T-1\na:\n- x\n# d\nb: 1\n",
    "deep dashes": "id: T-1\na:\n    -   x\nb: 1\n",
    "after a literal": "id: T-1\na:\n  - a: |\n      x\n\n\nb: 1\n",
    "end": "id: T-1\nb: 1\na:\n  - a: |\n      x",
    "end, kept": "id: T-1\nb: 1\na:\n  - a: |+\n      x\n\n",
    "brackets": "id: T-1\na: [x, 'y'] # c\nb: 1\n",
    "brackets over lines": "id: T-1\na: [\n  x, # c\n  y # d\n]\nb: 1\n",
    "JSON": '{\n  "id": "T-1",\n  "a": [\n    {\n      "x": 1\n    }\n  ],\n  "b": 1\n}\n',
    "JSON, empty": '{"id":"T-1","a":[],"b":1}',
    "lines end in CRLF": "id: T-1\r\na:\r\n  - x\r\n  # d\r\nb: 1\r\n",
    "one text": "id: T-1\na: x # c\nb: 1\n",
    "brackets all around": "{id: T-1, a: [x]}\n",
    "aliases": "id: T-1\ng: &g x\na:\n- *g\n- *g # c\nb: 1\n",
    "dashes alone": "id: T-1\na:\n  -\n    a: 1\n  -\n    - x\nb: 1\n",
}


def reads_of(text: str, place: str) -> list[Value]:
    """What independent readers make of `a`: libyaml's and PyYAML's own, both of YAML 1.1, and a JSON reader."""
    plain = text.removeprefix("\ufeff")
    reads = [yaml.load(plain, yaml.CSafeLoader)["a"]]
    if len(text) < 500 and "\t" not in PLACES.get(place, ""):  # PyYAML's own is slow, and knows no tabs there
        reads.append(yaml.load(plain, yaml.SafeLoader)["a"])
    if place.startswith("JSON"):
        reads.append(json.loads(text)["a"])
    return reads


@pytest.mark.parametrize("place", PLACES)
def test_any_value_can_be_set_anywhere(place: str) -> None:
    text = PLACES[place]
    for value in [*TEXTS, *OTHERS]:
        new = apply(text, parse(text), [Set(("a",), value)], file="f", order=(("id", "a", "b"),)).text
        for read in reads_of(new, place):
            assert (type(read), read) == (type(value), value), new
        assert new.count("\r\n") == (new.count("\n") if "\r\n" in text else 0)


@pytest.mark.parametrize("place", LISTS)
def test_any_value_can_be_added_to_any_list(place: str) -> None:
    text = LISTS[place]
    items: list[Value] = [{"action": "x", "details": {"op": text}} for text in TEXTS]
    items += [*TEXTS[:40], *OTHERS, ["a", ["b", {"c": []}]], {"m": {"x": {"y": "a\nb"}}, "h": ["a", "b\nc"]}]
    items.append({key: 1 for key in TEXTS if len(key) < 100})
    for item in items:
        edits: list[Edit] = [Append(("a",), item), Set(("z",), "q")]
        new = apply(text, parse(text), edits, file="f", order=(("id", "a", "b"),)).text
        for read in reads_of(new, place):
            assert isinstance(read, list)
            assert (type(read[-1]), read[-1]) == (type(item), item), new


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(TEXTS)
TITLE = ANY_TEXT.filter(lambda text: text.strip() != "")
BY, NOW = Actor("agent", "coder", on_behalf_of="U1"), datetime(2025, 11, 24, tzinfo=UTC)


@settings(max_examples=200, deadline=None)
@given(TITLE, ANY_TEXT, st.lists(ANY_TEXT, max_size=3), st.lists(TITLE, max_size=3), ANY_TEXT)
def test_a_new_ticket_reads_back_as_it_was_meant(
    title: str, description: str, labels: list[str], subtasks: list[str], op: str
) -> None:
    draft = NewTicket(title, description, labels=tuple(labels), subtasks=tuple(subtasks))
    text = new_ticket(draft, "T-042", BY, NOW, op)
    read = read_ticket(parse(text).value, "")
    assert read.title == " ".join(title.split())
    assert "".join(read.description.split()) == "".join(description.split())
    assert read.labels == tuple(label for label in labels if label)
    assert [subtask.title for subtask in read.subtasks] == [" ".join(name.split()) for name in subtasks]
    assert read.history[0].op == op
    assert yaml.load(text, yaml.CSafeLoader) == parse(text).value


def test_a_new_ticket_has_sciorex_form() -> None:
    draft = NewTicket("Upload: images", "## Goal\r\n\r\n- [ ] png\r\n\r\n", labels=("ui", "no"), subtasks=("Try #1",))
    assert new_ticket(draft, "T-042", BY, NOW, "turn 1, 'x'") == """\
id: T-042
title: 'Upload: images'
description: |
  ## Goal

  - [ ] png
type: task
priority: medium
status: backlog
labels:
  - ui
  - 'no'
epicId: null
parentId: null
blockedBy: []
relatesTo: []
subtasks:
  - id: sub-001
    title: 'Try #1'
    completed: false
    completedAt: null
assignedFlowId: null
lastSessionId: null
createdAt: '2025-11-24T00:00:00.000Z'
updatedAt: '2025-11-24T00:00:00.000Z'
completedAt: null
history:
  - timestamp: '2025-11-24T00:00:00.000Z'
    action: created
    details:
      onBehalfOf: U1
      op: turn 1, 'x'
    actor:
      type: agent
      id: coder
"""  # fmt: skip


def test_a_new_epic_has_sciorex_form() -> None:
    text = new_epic("Profiles", "One.\u2028Two.", "E-001", BY, NOW, None)
    assert text.startswith("id: E-001\ntitle: Profiles\ndescription: |-\n  One.\n  Two.\nstatus: open\n")
    assert read_epic(parse(text).value, "").description == "One.\nTwo."
