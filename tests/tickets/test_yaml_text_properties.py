"""Whatever a file looks like, a change leaves every other line as it is, byte for byte."""

import re
from pathlib import Path as File

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import EditRefused
from bot.tickets.change import Append, Edit, Path, Remove, Set
from bot.tickets.writing import SUBTASK_KEYS, TICKET_KEYS
from bot.tickets.yaml_text import apply, expected
from bot.tickets.yaml_values import parse, same
from tests.tickets.texts import ticket_texts

CORPUS = sorted((File(__file__).parents[3] / "shared" / "corpus" / "tickets").glob("*.yaml"))
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
_KEY = re.compile(r'"?(\w+)"?\s*:')


def lines_of(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]


def keys_of(lines: list[str]) -> list[str]:
    """For each line the key of the file that it is a part of, or comes after."""
    keys, key = [], ""
    for line in lines:
        found = _KEY.match(line)
        key = found[1] if found else key
        keys.append(key)
    return keys


def may_change(text: str, edit: Edit) -> set[int]:
    """The lines (from 0) that an edit may change or take out; it is told from the lines alone."""
    lines = lines_of(text)
    section = [n for n, key in enumerate(keys_of(lines)) if key == edit.path[0] and lines[n].strip() != "..."]
    with_comments = isinstance(edit, Remove) or (isinstance(edit, Set) and edit.path == ("labels",))
    stays = re.compile(r"#c\d" if with_comments else r"\s*#c\d")  # whose comments go is tested apart
    own = [n for n in section if lines[n].strip() and not stays.match(lines[n])]
    if section and re.search(r": [|>]", lines[section[0]]):  # blank lines below may be a part of it
        own += [n for n in section if n > own[-1] and not "".join(lines[own[-1] + 1 : n + 1]).strip()]
    values = {n for n in section if n <= max(own, default=-1) and not stays.match(lines[n])}
    if with_comments:
        content = [n for n in own if lines[n].strip() and not lines[n].lstrip().startswith("#c")]
        return values | set(range(content[0], content[-1]))
    if len(edit.path) > 1:
        return {n for n in values if re.search(rf'\b{edit.path[-1]}"?:|{{', lines[n])}
    if isinstance(edit, Append) and any(re.match(r"\s*-(?:\s|$)", lines[n]) for n in values):
        return set()
    return values


def last_header(text: str) -> set[int]:
    """The line of the last key where the file ends without a line break: its `|` may become `|-`."""
    keys = keys_of(lines_of(text))
    return set() if text.endswith("\n") else {keys.index(keys[-1])}


def check(text: str, edits: list[Edit]) -> None:
    parsed = parse(text)
    new = apply(text, parsed, edits, file="T-042.yaml", order=(TICKET_KEYS, SUBTASK_KEYS))
    touched = last_header(text).union(*(may_change(text, edit) for edit in edits))
    rest = iter(lines_of(new.text))
    for number, line in enumerate(lines_of(text)):
        assert number in touched or line in rest, f"line {number + 1} is not there any more: {line}"
    assert new.text.startswith("\ufeff") == text.startswith("\ufeff")
    assert "\n" not in new.text.replace("\r\n", "") if "\r\n" in text else "\r\n" not in new.text
    assert same(new.parsed.value, expected(parsed.value, edits))
    assert same(parse(new.text).value, new.parsed.value)


@settings(max_examples=400, deadline=None)
@given(ticket_texts(), st.lists(st.tuples(st.one_of(SCALARS, STEPS), VALUES), min_size=1, max_size=4))
def test_setting_values_leaves_all_other_lines(text: str, wanted: list[tuple[Path, object]]) -> None:
    check(text, [Set(path, value) for path, value in dict(wanted).items()])  # type: ignore[arg-type]


@settings(max_examples=400, deadline=None)
@given(ticket_texts(), st.lists(VALUES, max_size=2), st.lists(ENTRY, min_size=1, max_size=2))
def test_adding_to_lists_leaves_all_other_lines(text: str, labels: list[object], entries: list[object]) -> None:
    edits: list[Edit] = [Append(("labels",), label) for label in labels]  # type: ignore[arg-type]
    edits += [Append(("subtasks",), {"id": "sub-003"}), Set(("subtasks", 1, "status"), "completed")]
    check(text, edits + [Append(("history",), entry) for entry in entries])  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(ticket_texts(), st.lists(st.sampled_from(["one", "two", "three", "fo ur"]), unique=True))
def test_another_list_of_labels_leaves_all_other_lines(text: str, labels: list[str]) -> None:
    check(text, [Set(("labels",), [*labels])])


@settings(max_examples=200, deadline=None)
@given(ticket_texts(), st.sampled_from(["title", "description", "updatedAt", "labels"]))
def test_a_key_that_is_removed_takes_no_other_line_along(text: str, key: str) -> None:
    try:
        check(text, [Remove((key,))])
    except EditRefused:
        assert "|+" in text or ">+" in text  # blank lines would become a part of the text above


@pytest.mark.skipif(not CORPUS, reason="the corpus of real tickets is not beside the project (../shared/corpus)")
def test_a_change_of_a_real_ticket_leaves_all_other_lines() -> None:
    for file in CORPUS:
        text = file.read_bytes().decode()
        labels = parse(text).value["labels"]
        assert isinstance(labels, list)
        entry: Edit = Append(("history",), {"action": "updated", "details": {"op": "one, 'two'"}})
        for edit in (
            Set(("status",), "in_review"),
            Set(("updatedAt",), "2025-11-24T09:30:00.000Z"),
            Set(("description",), "# One\n\n- two\n"),
            Set(("title",), "x: y"),
            Set(("completedAt",), None),
            Set(("lastSessionId",), "s-1"),
            Set(("labels",), [*labels[1:], "new"]),
            Append(("labels",), "new"),
            Append(("blockedBy",), "T-1"),
            Append(("subtasks",), {"id": "sub-099", "title": "x", "completed": False, "completedAt": None}),
        ):
            check(text, [edit, entry])
