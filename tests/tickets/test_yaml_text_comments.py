"""No comment is lost, doubled or given to another value, wherever it stands and whatever changes around it."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path as File

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import EditRefused
from bot.tickets.change import Actor, Append, Change, Edit, Path, Remove, Set, Value
from bot.tickets.reading import read_ticket
from bot.tickets.ticket import SubtaskStatus, Ticket
from bot.tickets.writing import SUBTASK_KEYS, TICKET_KEYS
from bot.tickets.yaml_text import apply
from bot.tickets.yaml_values import parse
from tests.tickets.comments import owners
from tests.tickets.texts import ticket_texts

CORPUS = sorted((File(__file__).parents[3] / "shared" / "corpus" / "tickets").glob("*.yaml"))
BY, NOW = Actor("agent", "coder", on_behalf_of="U1"), datetime(2025, 11, 24, tzinfo=UTC)

ENTRY: Value = {"timestamp": "2025-07-12", "action": "comment_added", "details": {"comment": "two\nlines"}}
SUBTASK: Value = {"id": "sub-003", "title": "Three", "completed": False}
TEXTS = ["done", "two\nlines", "two\nlines\n", " lead\nx", "# no comment\nx", "a: b", "", "2025-07-12", "x #y", None]
KEYS = [("title",), ("description",), ("updatedAt",), ("completedAt",), ("x",)]
STEPS = st.tuples(st.just("subtasks"), st.integers(0, 1), st.sampled_from(["completed", "status", "completedAt"]))
SETS = st.builds(Set, st.sampled_from(KEYS) | STEPS, st.sampled_from(TEXTS))
APPENDS = st.sampled_from([*(Append(("labels",), text) for text in ("three", "a\nb")), Append(("history",), ENTRY)])
EDITS = SETS | APPENDS | st.just(Append(("subtasks",), SUBTASK))


def edited(text: str, edits: list[Edit]) -> str:
    return apply(text, parse(text), edits, file="T-042.yaml", order=(TICKET_KEYS, SUBTASK_KEYS)).text


@settings(max_examples=400, deadline=None)
@given(ticket_texts(), st.lists(EDITS, min_size=1, max_size=5, unique_by=lambda edit: (edit.path, type(edit))))
def test_setting_and_adding_leave_every_comment_with_its_owner(text: str, edits: list[Edit]) -> None:
    assert owners(edited(text, edits)) == owners(text)


@settings(max_examples=300, deadline=None)
@given(ticket_texts(), st.lists(st.sampled_from(["one", "two", "three", "fo ur"]), unique=True))
def test_another_list_takes_along_only_the_comments_of_items_that_go(text: str, labels: list[str]) -> None:
    spelled = {"one": ["- one", "one"], "two": ["- two", "two", "'two'"]}
    gone: list[tuple[str, ...]] = [
        ("labels", spelling) for name in spelled if name not in labels for spelling in spelled[name]
    ]
    check_taken_out(text, edited(text, [Set(("labels",), [*labels])]), gone)


@settings(max_examples=200, deadline=None)
@given(ticket_texts(), st.sampled_from(["title", "description", "updatedAt", "labels", "subtasks"]))
def test_a_key_that_is_taken_out_takes_along_only_its_own_comments(text: str, key: str) -> None:
    try:
        new = edited(text, [Remove((key,))])
    except EditRefused:
        assert "|+" in text or ">+" in text  # blank lines would become a part of the text above
        return
    check_taken_out(text, new, [(key,), (f'"{key}"',)])


def check_taken_out(text: str, new: str, gone: list[tuple[str, ...]]) -> None:
    """Comments above what goes stay, since they may be about more; one that follows them is in their row now."""
    before, after = owners(text), owners(new)

    def is_gone(comment: str) -> bool:
        return any(before[comment].chain[: len(chain)] == chain for chain in gone)

    above = [comment for comment, owner in before.items() if owner.how == "above" and owner.chain in gone]
    on_key_line = re.findall(r"labels: \[one,\s*(#c\d+\.)", text)  # whose is it: the list's or the item's?
    assert [c for c in [*above, *on_key_line] if c not in after and (c in above or not is_gone(c))] == []
    rows = [row for comment in above for row in re.findall(rf"(?<={re.escape(comment)})[\s#c\d.]*", new)]
    unsure = {*on_key_line, *re.findall(r"#c\d+\.", "".join(rows))}
    kept = {comment: owner for comment, owner in before.items() if comment not in unsure and not is_gone(comment)}
    assert {comment: owner for comment, owner in after.items() if comment in kept} == kept


RULES: dict[str, Callable[[Ticket], Change | None]] = {
    "status": lambda t: t.change_status(t.next_statuses()[0], by=BY, at=NOW, comment="why\nso"),
    "comment": lambda t: t.add_comment("One.\n\nTwo.", BY, NOW),
    "add subtask": lambda t: t.add_subtask("a: b", BY, NOW),
    "label": lambda t: t.update(by=BY, at=NOW, labels=[*t.labels, "new"]),
    "other labels": lambda t: t.update(by=BY, at=NOW, labels=["new", *t.labels[1:]]),
    "words": lambda t: t.update(by=BY, at=NOW, title="x: y", description="# One\n\n  - two\n", epic_id="E-001"),
    "blocker": lambda t: t.add_blocker(Ticket("T-9999", "x"), "why", BY, NOW),
}


@pytest.mark.skipif(not CORPUS, reason="the corpus of real tickets is not beside the project (../shared/corpus)")
def test_no_comment_in_a_real_ticket_is_lost_or_changes_its_owner() -> None:
    dice = random.Random(3)
    for file in CORPUS:
        text = commented(file.read_text("utf-8"), dice)
        parsed = parse(text)
        ticket = read_ticket(parsed.value, "")
        rules = dict(RULES)
        for subtask in ticket.subtasks[:2]:
            done = subtask.status is SubtaskStatus.COMPLETED
            to = SubtaskStatus.IN_PROGRESS if done else SubtaskStatus.COMPLETED
            rules[f"subtask {subtask.id}"] = lambda t, s=subtask, to=to: t.set_subtask(s, to, BY, NOW)  # type: ignore[misc]
        for name, rule in rules.items():
            change = rule(ticket)
            assert change is not None and change.entry is not None
            new = edited(text, [*change.edits, Append(("history",), change.entry.value("op 1"))])
            if name != "other labels":
                assert owners(new) == owners(text), (file.name, name)
            else:
                check_taken_out(text, new, [("labels", f"- {label}") for label in ticket.labels[:1]])


def commented(text: str, dice: random.Random) -> str:
    """The text with comments wherever it holds the same values with them."""
    lines, values = text.split("\n"), yaml.load(text, yaml.CBaseLoader)
    number = 0
    for _ in range(24):
        place, comment = dice.randrange(len(lines)), f"#c{number}."
        if dice.random() < 0.3:
            tried = [*lines[:place], f"{lines[place]} {comment}", *lines[place + 1 :]]
        else:
            tried = [*lines[:place], " " * dice.choice([0, 0, 1, 2, 2, 4]) + comment, *lines[place:]]
        try:
            if yaml.load("\n".join(tried), yaml.CBaseLoader) == values:
                lines, number = tried, number + 1
        except yaml.YAMLError:
            continue
    return "\n".join(lines)


NASTY = """\
%YAML 1.1
# c0
--- # c1
# c2

id: T-1 # c3
  # c4
title: "a
  # no comment
  b" # c5
description: >+ # c6
    # no comment

    text

# c7
labels: # c8
  # c9
- one # c10
     # c11

  # c12
# c13
-
  two # c14
custom: {a: [1, # c15
  2], # c16
  # c17
  b: x} # c18
subtasks:
    # c19
    - # c20
      # c21
      title: Three # c22
      # c23
      completed: false # c24
        # c25
      # c26
     # c27
    # c28
   # c29
# c30
history: [] # c31
   # c32
... # c33
# c34"""
NASTY = re.sub(r"# (c\d+)", r"#\1.", NASTY)


@pytest.mark.parametrize(
    "edit",
    [
        Set(("id",), "T-2"),
        *(Set(path, text) for path in KEYS for text in TEXTS),
        *(Set(("subtasks", 0, key), text) for key in ("title", "completed", "status", "x") for text in TEXTS),
        *(Append((key,), item) for key in ("labels", "subtasks", "history", "new") for item in (ENTRY, "x", "x\ny")),
        *(Set(("custom", key), text) for key in "bc" for text in TEXTS),
        Append(("custom", "a"), 3),
    ],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_no_comment_in_a_nasty_file_is_lost_or_changes_its_owner(edit: Edit, line_break: str) -> None:
    text = NASTY.replace("\n", line_break)
    assert owners(edited(text, [edit])) == owners(text)
    assert edited(text, [edit]).count(line_break) == edited(text, [edit]).count("\n")


@pytest.mark.parametrize(
    ("text", "path", "labels", "new"),
    [
        ("a: [x, # 1\n  y]\n", ("a",), ["x"], "a: [x # 1\n  ]\n"),
        ("a: [x, # 1\n  y]\n", ("a",), ["y"], "a: [ # 1\n  y]\n"),
        ("a: [ # 0\n  x, # 1\n  y, # 2\n]\n", ("a",), ["y"], "a: [ # 0\n  y, # 2\n]\n"),
        ("a: [\n  x, # 1\n  # 2\n  y # 3\n]\n", ("a",), ["y", "x"], "a: [\n  # 2\n  y, # 3\n  x # 1\n]\n"),
        ("a: [\n  x, y, # 1\n  z # 2\n]\n", ("a",), ["y", "z"], "a: [\n  y, # 1\n  z # 2\n]\n"),
        ("a:\n- x # 1\n# 2\n- y # 3\n  # 4\n", ("a",), ["y", "x"], "a:\n# 2\n- y # 3\n  # 4\n- x # 1\n"),
        ("a:\n- x # 1\n# 2\n- y # 3\nb: 1\n", ("a",), ["w", "y"], "a:\n- w\n# 2\n- y # 3\nb: 1\n"),
        ("a: # 0\n  # 1\n  - x\n", ("a",), [], "a: [] # 0\n  # 1\n"),
        ("a: null\n  # - x\n  # - y\nb: 1\n", ("a",), ["z"], "a:\n  - z\n  # - x\n  # - y\nb: 1\n"),
    ],
)
def test_items_go_and_move_with_their_own_comments(text: str, path: Path, labels: list[Value], new: str) -> None:
    assert edited(text, [Set(path, labels)]) == new
