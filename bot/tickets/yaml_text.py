"""Changes values in a YAML (or JSON) text and nothing else: every other line stays byte for byte."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import EditRefused
from bot.tickets.change import Append, Edit, Path, Remove, Set, Value
from bot.tickets.yaml_edit import Editor, Order
from bot.tickets.yaml_marks import UnmarkedEnd
from bot.tickets.yaml_splices import Refusal
from bot.tickets.yaml_values import BOM, Parsed, YamlProblem, parse, same


@dataclass(frozen=True)
class Edited:
    """The new text, and what it holds."""

    text: str
    parsed: Parsed


def apply(text: str, parsed: Parsed, edits: Sequence[Edit], *, file: str, order: Order = ()) -> Edited:
    """The text after all edits, made at once; `parsed` is what `parse` made of this very text. `order` gives the
    order of keys at the top, one level of collections below, and so on: a new key goes after the nearest one
    before it, else to the end.

    The result is parsed once and compared with the values expected. Raises EditRefused, naming `file` and
    line, when a value cannot be changed safely (anchor, alias, tag) or the result would hold anything else.
    """
    bom, body = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    editor = Editor(body, parsed, order, is_json=_is_json(body))
    for edit in edits:
        try:
            editor.edit(edit)
        except Refusal as refusal:
            raise _refused(file, refusal.line, refusal.cause) from refusal
        except UnmarkedEnd as lost:
            raise _refused(file, parsed.line(edit.path), "it is not clear where the value ends") from lost
    try:
        new = bom + editor.text()
        after = parse(new)
    except (Refusal, YamlProblem) as problem:
        raise _refused(file, parsed.line(edits[0].path), "the text around it does not allow it") from problem
    if not same(after.value, expected(parsed.value, edits)):
        raise _refused(file, parsed.line(edits[0].path), "another value would change with it")
    return Edited(new, after)


def expected(value: dict[str, Value], edits: Sequence[Edit]) -> dict[str, Value]:
    """The values after the edits; what they do not touch is shared, not copied."""
    result: Value = value
    for edit in edits:
        result = _edited(result, edit.path, edit)
    return result if isinstance(result, dict) else value


def _edited(value: Value, path: Path, edit: Edit) -> Value:
    """A copy of a collection as far as an edit below it changes it."""
    step, way = path[0], path[1:]
    if isinstance(value, dict) and isinstance(step, str):
        if isinstance(edit, Remove) and not way:
            return {key: item for key, item in value.items() if key != step}
        return {**value, step: _edited(value.get(step), way, edit) if way else _new(value.get(step), edit)}
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        if isinstance(edit, Remove) and not way:
            return [*value[:step], *value[step + 1 :]]
        new = _edited(value[step], way, edit) if way else _new(value[step], edit)
        return [*value[:step], new, *value[step + 1 :]]
    return value


def _new(old: Value, edit: Edit) -> Value:
    if isinstance(edit, Append):
        items = old if isinstance(old, list) else [] if old is None else [old]
        return [*items, edit.value]
    return edit.value if isinstance(edit, Set) else old


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
