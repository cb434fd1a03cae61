"""Changes values in a YAML (or JSON) text and nothing else: every other line stays byte for byte."""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

from bot.errors import EditRefused
from bot.tickets.change import Append, Edit, Set, Value
from bot.tickets.yaml_edit import Editor, Order
from bot.tickets.yaml_marks import UnmarkedEnd
from bot.tickets.yaml_splices import Refusal
from bot.tickets.yaml_values import Parsed, YamlProblem, parse

BOM = "\ufeff"


@dataclass(frozen=True)
class Edited:
    """The new text, and what it holds."""

    text: str
    parsed: Parsed


def apply(text: str, edits: Sequence[Edit], *, file: str, order: Order = ()) -> Edited:
    """The text after all edits, made at once. `order` gives the order of keys at the top, one level of
    collections below, and so on: a new key goes after the nearest one before it, else to the end.

    The result is parsed once and compared with the values expected. Raises EditRefused, naming `file` and
    line, when a value cannot be changed safely (anchor, alias, tag) or the result would hold anything else.
    """
    bom, body = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    try:
        before = parse(body)
    except YamlProblem as problem:
        raise _refused(file, problem.line, problem.cause) from problem
    editor = Editor(body, before, order, is_json=_is_json(body))
    for edit in edits:
        try:
            editor.edit(edit)
        except Refusal as refusal:
            raise _refused(file, refusal.line, refusal.cause) from refusal
        except UnmarkedEnd as lost:
            raise _refused(file, before.line(edit.path), "it is not clear where the value ends") from lost
    try:
        after_text = editor.text()
        after = parse(after_text)
    except (Refusal, YamlProblem) as problem:
        raise _refused(file, before.line(edits[0].path), "the text around it does not allow it") from problem
    if not same(after.value, expected(before.value, edits)):
        raise _refused(file, before.line(edits[0].path), "another value would change with it")
    return Edited(bom + after_text, after)


def expected(value: dict[str, Value], edits: Sequence[Edit]) -> dict[str, Value]:
    """The values after the edits."""
    result = deepcopy(value)
    for edit in edits:
        *way, last = edit.path
        target: Value = result
        for step in way:
            target = _step(target, step)
        if isinstance(edit, Append):
            old = _step(target, last)
            _put(target, last, [*_items(old), edit.value])
        elif isinstance(edit, Set):
            _put(target, last, edit.value)
        elif isinstance(target, dict):
            target.pop(str(last), None)
        elif isinstance(target, list) and isinstance(last, int):
            del target[last]
    return result


def same(a: Value, b: Value) -> bool:
    """Whether two values are the same in kind too: True is not 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def _items(old: Value) -> list[Value]:
    if isinstance(old, list):
        return old
    return [] if old is None else [old]


def _step(value: Value, step: str | int) -> Value:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _put(target: Value, step: str | int, value: Value) -> None:
    if isinstance(target, dict):
        target[str(step)] = value
    elif isinstance(target, list) and isinstance(step, int):
        target[step] = value


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _refused(file: str, line: int | None, cause: str) -> EditRefused:
    where = f"{file}, line {line}," if line else file
    return EditRefused(f"{where} cannot be changed safely: {cause}. Change it there by hand.")
