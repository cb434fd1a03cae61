"""Whatever a file looks like, a change leaves every other line and every comment as they are."""

import re

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.tickets.change import Append, Edit, Path, Remove, Set
from bot.tickets.writing import SUBTASK_KEYS, TICKET_KEYS
from bot.tickets.yaml_text import apply, expected, same
from bot.tickets.yaml_values import child, parse
from tests.tickets.texts import ticket_texts

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2_000_000),
    st.sampled_from(["done", "no", "012", "1:30", "a: b", "x #y"]),
    st.sampled_from(["two\nlines", "two\n  lines\n", " lead\nx", "x\n\n", "\nx", "x\n \n"]),
    st.sampled_from(["2025-07-12T10:00:00.000Z", "", " ", "\ttab", "{", "- a", "#", "a\u2028b", "\ufeff", "\x85"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
ENTRY = st.fixed_dictionaries(
    {"action": st.just("comment_added"), "details": st.fixed_dictionaries({"comment": VALUES, "op": VALUES})}
)
SCALARS = st.sampled_from(["title", "description", "updatedAt", "completedAt", "x"]).map(lambda key: (key,))
STEPS = st.tuples(st.just("subtasks"), st.integers(0, 1), st.sampled_from(["completed", "status", "completedAt"]))


def lines_of(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]


def own_lines(text: str, path: Path) -> set[int]:
    """The lines (from 0) that a value and its key stand on; none when there is no such value."""
    node: yaml.Node = parse(text.removeprefix("\ufeff")).root
    first = 0
    for step in path:
        found = child(node, step)
        if found is None:
            return set()
        node, first = found.node, found.line
    return set(range(first, max(first, node.end_mark.line) + 1))


def is_part_of(some: list[str], all_of_them: list[str]) -> bool:
    """Whether the lines appear among all lines in their order."""
    rest = iter(all_of_them)
    return all(line in rest for line in some)


def comments(text: str) -> list[str]:
    return re.findall(r"#c\d+\.", text)


def check(text: str, edits: list[Edit], touched: set[int]) -> None:
    plain = text.removeprefix("\ufeff")
    if not text.endswith("\n"):  # a `|` that ended the file becomes `|-` when lines follow
        touched = touched | own_lines(text, (parse(plain).root.value[-1][0].value,))
    edited = apply(text, parse(text), edits, file="T-042.yaml", order=(TICKET_KEYS, SUBTASK_KEYS))
    before, after = lines_of(text), lines_of(edited.text)
    assert is_part_of([line for n, line in enumerate(before) if n not in touched], after)
    assert comments(edited.text) == comments(text)
    assert edited.text.startswith("\ufeff") == text.startswith("\ufeff")
    assert ("\r\n" in edited.text) == ("\r\n" in text) or "\n" not in text
    assert "\n" not in edited.text.replace("\r\n", "") or "\r\n" not in text
    assert same(edited.parsed.value, expected(parse(plain).value, edits))


@settings(max_examples=400, deadline=None)
@given(ticket_texts(), st.lists(st.tuples(st.one_of(SCALARS, STEPS), VALUES), min_size=1, max_size=4))
def test_setting_values_leaves_all_other_lines(text: str, wanted: list[tuple[Path, object]]) -> None:
    edits: list[Edit] = [Set(path, value) for path, value in dict(wanted).items()]  # type: ignore[arg-type]
    touched = set().union(*(own_lines(text, edit.path) for edit in edits))
    check(text, edits, touched)


@settings(max_examples=400, deadline=None)
@given(ticket_texts(), st.lists(VALUES, max_size=2), st.lists(ENTRY, min_size=1, max_size=2))
def test_adding_to_lists_leaves_all_other_lines(text: str, labels: list[object], entries: list[object]) -> None:
    edits: list[Edit] = [Append(("labels",), label) for label in labels]  # type: ignore[arg-type]
    edits += [Append(("subtasks",), {"id": "sub-003"}), Set(("subtasks", 1, "status"), "completed")]
    edits += [Append(("history",), entry) for entry in entries]  # type: ignore[arg-type]
    touched = set().union(*(own_lines(text, path) for path in touched_by(text)))
    check(text, edits, touched | own_lines(text, ("subtasks", 1, "status")))


def touched_by(text: str) -> list[Path]:
    """Lists that are not written with dashes change themselves."""
    root = parse(text.removeprefix("\ufeff")).root
    touched: list[Path] = []
    for key in ("labels", "history"):
        found = child(root, key)
        if found is not None and (not isinstance(found.node, yaml.SequenceNode) or found.node.flow_style):
            touched.append((key,))
    return touched


@settings(max_examples=300, deadline=None)
@given(ticket_texts(), st.lists(st.sampled_from(["one", "two", "three"]), unique=True))
def test_a_list_that_is_set_keeps_the_items_that_stay(text: str, labels: list[str]) -> None:
    flow_comment = re.search(r"labels: \[[^\]]*#", text)
    if flow_comment:
        return
    edited = apply(text, parse(text), [Set(("labels",), list(labels))], file="T-042.yaml")
    before, after = lines_of(text), lines_of(edited.text)
    assert is_part_of([line for n, line in enumerate(before) if n not in own_lines(text, ("labels",))], after)


@settings(max_examples=200, deadline=None)
@given(ticket_texts(), st.sampled_from(["title", "description", "updatedAt", "labels"]))
def test_a_key_that_is_removed_takes_no_other_line_along(text: str, key: str) -> None:
    gone = own_lines(text, (key,))
    if min(gone) == 0:
        return
    edited = apply(text, parse(text), [Remove((key,))], file="T-042.yaml")
    assert key not in edited.parsed.value
    before, after = lines_of(text), lines_of(edited.text)
    assert is_part_of([line for n, line in enumerate(before) if n not in gone], after)
