"""Files that people really write, one nasty thing each: what changes, and what does not."""

import pytest

from bot.errors import EditRefused, InvalidTicket
from bot.tickets.change import Append, Edit, Remove, Set, Value
from bot.tickets.yaml_text import apply
from bot.tickets.yaml_values import YamlProblem, parse

ORDER = (("id", "status", "updatedAt", "completedAt", "history"), ("title", "completed", "status"))


def changed(text: str, *edits: Edit) -> str:
    return apply(text, parse(text), edits, file=".sciorex/tickets/T-1.yaml", order=ORDER).text


def test_a_whole_change_touches_only_its_lines() -> None:
    text = """\
# our avatar work
id: T-1   # the id
status: "planned" # quoted
labels: [] # none yet
updatedAt: 2025-01-01 # a plain date
custom: {keep: [me, 'as is']}
subtasks:
  - title: Images # first
    completed: false # not yet
    # about the images
  # the end of the subtasks
history:
- action: created
  details: {}
  # about the creation

# the end
"""
    new = changed(
        text,
        Set(("status",), "in_progress"),
        Append(("labels",), "no"),
        Set(("updatedAt",), "2025-02-02T00:00:00.000Z"),
        Set(("completedAt",), "2025-02-02T00:00:00.000Z"),
        Set(("subtasks", 0, "status"), "in_progress"),
        Append(("subtasks",), {"id": "sub-002"}),
        Append(("history",), {"action": "comment_added", "details": {"comment": "two\nlines"}}),
    )
    assert new == """\
# our avatar work
id: T-1   # the id
status: "in_progress" # quoted
labels: # none yet
  - 'no'
updatedAt: 2025-02-02T00:00:00.000Z # a plain date
completedAt: '2025-02-02T00:00:00.000Z'
custom: {keep: [me, 'as is']}
subtasks:
  - title: Images # first
    completed: false # not yet
    status: in_progress
    # about the images
  - id: sub-002
  # the end of the subtasks
history:
- action: created
  details: {}
  # about the creation
- action: comment_added
  details:
    comment: |-
      two
      lines

# the end
"""  # fmt: skip


@pytest.mark.parametrize(
    ("text", "edit", "new"),
    [
        ("a: 1\r\nb: x\r\n", Append(("h",), {"k": "v"}), "a: 1\r\nb: x\r\nh:\r\n  - k: v\r\n"),
        ("\ufeffa: é\nb: x\n", Set(("b",), "😀"), "\ufeffa: é\nb: 😀\n"),
        ("a: |\n  text", Set(("b",), "x"), "a: |-\n  text\nb: x"),
        ("a: |+\n  text\n\n\nb: 1\n", Append(("c",), "x"), "a: |+\n  text\n\n\nb: 1\nc:\n  - x\n"),
        ("a: x", Set(("b",), "two\nlines\n"), 'a: x\nb: "two\\nlines\\n"'),
        ("a: old\n    # deeper\nb: 1\n", Set(("a",), "x\ny"), 'a: "x\\ny"\n    # deeper\nb: 1\n'),
        ("a: | # why\n  old\n\nb: 1\n", Set(("a",), "new"), "a: |- # why\n  new\n\nb: 1\n"),
        ("a: |\n  old\nb: 1\n", Set(("a",), None), "a: null\nb: 1\n"),
        ("a:   # later\n", Set(("a",), "x"), "a: x   # later\n"),
        ("a: {p, q: 1}\n", Set(("a", "p"), 2), "a: {p: 2, q: 1}\n"),
        ("a: bug\n", Append(("a",), "ui"), "a: [bug, ui]\n"),
        ("a:\n- x # 1\n- y # 2\n", Set(("a",), ["y", "z"]), "a:\n- y # 2\n- z\n"),
        ("a: # c\n  - x\nb: 1\n", Set(("a",), []), "a: [] # c\nb: 1\n"),
        ("a: x\nb:\n- y\n", Set(("c",), "z"), "a: x\nb:\n- y\nc: z\n"),
        ("a: |\n  x\n #c", Set(("b",), 1), "a: |\n  x\n #c\nb: 1"),
        ("a: [x,\n  y] # c\n", Append(("a",), "z"), "a: [x,\n  y, z] # c\n"),
        ("a: [ x, y, z, ]\n", Set(("a",), ["z"]), "a: [ z, ]\n"),
        ("a: {p: 1, q: 2}\n", Remove(("a", "p")), "a: {q: 2}\n"),
        ("a:\n- {x: 1} # 1\n- y\n", Set(("a",), ["y", {"x": 1}]), "a:\n- y\n- {x: 1} # 1\n"),
        ('a: "\\ud83d\\ude00" # c\nb: 1\n', Set(("b",), 2), 'a: "\\ud83d\\ude00" # c\nb: 2\n'),
        ("a: [x, 'y'] # c\n", Set(("a",), ["y", "1"]), "a: ['y', '1'] # c\n"),
        ("a: [\n  x, # 1\n  y # 2\n]\n", Append(("a",), "z"), "a: [\n  x, # 1\n  y, # 2\n  z\n]\n"),
        ("a: 1\nb: 2 # two\nc: 3\n", Remove(("b",)), "a: 1\nc: 3\n"),
        ("a:\n  - x\n  # over y\n  - y\n", Remove(("a", 0)), "a:\n  # over y\n  - y\n"),
        ("a: 1\n...\n", Set(("b",), True), "a: 1\nb: true\n...\n"),
        ("a: &n x\nb: 1\nc: *n", Set(("b",), 2), "a: &n x\nb: 2\nc: *n"),
        ("a: [x]\nb:\n- &n y\n- *n # alias\n", Append(("b",), "z"), "a: [x]\nb:\n- &n y\n- *n # alias\n- z\n"),
    ],
)
def test_nasty_files_change_in_one_place(text: str, edit: Edit, new: str) -> None:
    assert changed(text, edit) == new


def test_a_list_and_a_key_that_are_added_in_one_column_keep_apart() -> None:
    text = "id: T-1\nhistory:\n- created\n"
    assert changed(text, Set(("x",), 1), Append(("history",), "z")) == f"{text}- z\nx: 1\n"


def test_an_item_taken_out_of_json_leaves_its_layout() -> None:
    text = '{\n  "id": "T-1",\n  "labels": [\n    "a",\n    "b"\n  ]\n}\n'
    assert changed(text, Set(("labels",), ["b"])) == '{\n  "id": "T-1",\n  "labels": [\n    "b"\n  ]\n}\n'
    assert changed(text, Set(("labels",), [])) == '{\n  "id": "T-1",\n  "labels": []\n}\n'


def test_json_stays_json_in_its_own_layout() -> None:
    text = '{\n  "id": "T-1",\n  "labels": [\n    "a"\n  ],\n  "history": []\n}\n'
    new = changed(text, Append(("labels",), "b"), Append(("history",), {"x": None}), Set(("done",), True))
    assert new == (
        '{\n  "id": "T-1",\n  "labels": [\n    "a",\n    "b"\n  ],\n  "history": [{"x": null}],\n  "done": true\n}\n'
    )


@pytest.mark.parametrize(
    ("text", "edit", "line"),
    [
        ("id: T-1\na: &n [x]\nb: *n\n", Append(("a",), "y"), 2),
        ("id: T-1\na: &n [x]\nb: *n\n", Append(("b",), "y"), 3),
        ("id: T-1\na: !!str x\n", Set(("a",), "y"), 2),
        ("id: T-1\na: &n\n  - s: 1\n", Set(("a", 0, "s"), 2), 2),
        ("id: T-1\na: {b: 1}\n", Set(("a",), "x"), 2),
        ("id: T-1\na: &n x\nb:\n- *n\n- y\n", Set(("b",), ["y"]), 3),
        ("id: T-1\na: &n {b: 1}\n", Set(("a", "b"), 2), 2),
        ("id: T-1\na: !!map {b: 1}\n", Set(("a", "c"), 2), 2),
        ("id: T-1\na:\n- x\n", Set(("a", 5), "y"), 3),
    ],
)
def test_what_cannot_be_changed_safely_is_refused_with_its_line(text: str, edit: Edit, line: int) -> None:
    with pytest.raises(EditRefused) as refused:
        changed(text, edit)
    place = f".sciorex/tickets/T-1.yaml, line {line},"
    assert str(refused.value).startswith(f"{place} cannot be changed safely: ")


def test_half_a_character_is_refused_before_anything_is_written() -> None:
    with pytest.raises(InvalidTicket, match="lone surrogate"):
        changed("a: 1\n", Set(("a",), "x\ud800"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", "no"),
        ("a: 012", "012"),
        ("a: 1:30", "1:30"),
        ("a: 2025-07-12", "2025-07-12"),
        ("a: 1.50", "1.50"),
        ("a: 12", 12),
        ("a: 1.5", 1.5),
        ("a: true", True),
        ("a: ~", None),
        ("a: !!str 12", "12"),
        ("a: x\ty", "x\ty"),
        ("a: [&x y, *x]", ["y", "y"]),
        ("a: True", "True"),
        ("a: 0.30000000000000004", 0.1 + 0.2),
        ("a: 1e3", "1e3"),
        ("a: Q&A *b*", "Q&A *b*"),
        ("a:\tx\ty\t# c", "x\ty"),
        ("\ufeffa: x", "x"),
        ("a: x\r\n", "x"),
        ("a: |\r\n  x\r\n  y\r\n", "x\ny\n"),
        ("%YAML 1.2\n---\na: x\n...\n", "x"),
        ('{"a": "\\ud83d\\ude00\\u00e9\\/"}', "😀é/"),
        ('a: "\\uD83D\\uDE00 \\x41"', "😀 A"),
        ('b: "\\ud83d\\ude00"\na: \\ud83d', "\\ud83d"),
        ("b: \"\\ud83d\\ude00\"\na: '\\uD83D'", "\\uD83D"),
    ],
)
def test_values_are_read_by_the_rules_of_yaml_1_2(text: str, value: Value) -> None:
    read = parse(text).value["a"]
    assert (type(read), read) == (type(value), value)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key “a” stands there twice, first on line 1"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "the tag tag:yaml.org,2002:python/object/apply:os"),
        ("a: 1\n---\nb: 2\n", 2, "but found another document"),
        ("a: 1\nb: [1\n", 2, "did not find expected ',' or ']'"),
        ("a: 1\nb: \x07\n", 2, "it holds the character U+0007, which YAML does not allow"),
        ("- a\n", 1, "it is not a list of keys with values"),
        ("", 1, "it is empty"),
        ("a: 1\nb: *x\n", 2, "found undefined alias"),
        ("a: 1\nb: 'x\n\n\n", 2, "found unexpected end of stream"),
        ("a: 1\nb:\n\t- x\n", 3, "found character that cannot start any token"),
        ("a: 1\nb: c: d\n", 2, "mapping values are not allowed in this context"),
        ("a: 1\n? [b]\n: c\n", 2, "a key is not a text"),
        ("a: 1\nb: !local x\n", 2, "the tag !local is not allowed"),
        ("a: 1\nb: !!binary eA==\n", 2, "the tag tag:yaml.org,2002:binary is not allowed"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "keys that are merged in (<<) are not followed"),
        ('a: 1\nb: "\\ud83d"\n', 2, "it holds half a character"),
        ('a: 1\nb: "\\ude00\\ud83d"\n', 2, "it holds half a character"),
        ('{"a": 1,\n"b\\ud83d": 1}\n', 2, "it holds half a character"),
        ("a: &x [*x]\n", 1, "an alias stands for itself"),
        (BOMB, 1, "its aliases stand for too many values"),
        ("a: " + "[" * 200 + "]" * 200, 1, "it is nested too deeply"),
    ],
)
def test_what_is_no_readable_yaml_is_named_with_its_line(text: str, line: int, cause: str) -> None:
    with pytest.raises(YamlProblem) as problem:
        parse(text)
    assert problem.value.line == line
    assert problem.value.cause.startswith(cause)
