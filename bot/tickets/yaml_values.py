"""Reads a YAML text by the rules of YAML 1.2 into values, with the marks of each; nothing is executed."""

import contextlib
import gc
import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from bot.tickets.change import Path, Value
from bot.tickets.yaml_pairs import HalfCharacter, masked, unmask

BOM = "\ufeff"
MAX_DEPTH = 60
MAX_VALUES = 200_000  # keys and values; a ticket with 10,000 lines of history has fewer
# What aliases may make of a text: so many times its characters, and some.
_MORE, _SOME = 2, 10_000

_INTEGER = re.compile(r"-?[1-9][0-9]{0,17}|0")
_DECIMAL = re.compile(r"-?(?:[1-9][0-9]{0,14}|0)\.[0-9]{1,20}")
_WORDS = {**dict.fromkeys(("", "~", "null", "Null", "NULL")), "true": True, "false": False}
_ANCHOR = re.compile(r"&(?<!\w&)[\w-]")
_TOO_MANY = f"it holds more than {MAX_VALUES:,} values"
_NO_CHARACTER = "found invalid Unicode character escape code"
_CORE = "tag:yaml.org,2002:"
_CORE_TAGS = frozenset(_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))


class YamlProblem(Exception):
    """The text is not YAML that can be read; `line` counts from 1 and may be unknown."""

    def __init__(self, cause: str, line: int | None = None) -> None:
        self.cause, self.line = cause, line
        super().__init__(cause)


@dataclass(frozen=True)
class Parsed:
    """A document: its values, and the nodes that say where each stands."""

    value: dict[str, Value]
    root: yaml.MappingNode

    def line(self, path: Path) -> int | None:
        """The line (from 1) of the value at the path, or of the deepest part of the path there is."""
        node: yaml.Node = self.root
        line: int = node.start_mark.line
        for step in path:
            found = child(node, step)
            if found is None:
                break
            line, node = found.line, found.node
        return line + 1


@dataclass(frozen=True)
class Child:
    """A value within a collection: its node, its key's node in a mapping, and its line (from 0)."""

    node: yaml.Node
    key: yaml.Node | None
    line: int


class _Loader(yaml.CSafeLoader):
    """Leaves every value as it is spelled; `plain` and `text` tell unquoted from quoted."""

    values = 0

    def descend_resolver(self, parent: yaml.Node | None, place: object) -> None:
        """Called for every value there is: a small file may hold so many that memory ends."""
        self.values += 1
        if self.values > MAX_VALUES:
            raise YamlProblem(_TOO_MANY, parent.start_mark.line + 1 if parent is not None else 1)

    def ascend_resolver(self) -> None:
        """Called after every value."""

    def resolve(self, kind: type[yaml.Node], value: object, implicit: object) -> str:
        if kind is yaml.ScalarNode:
            return "plain" if isinstance(implicit, tuple) and implicit[0] else "text"
        return "seq" if kind is yaml.SequenceNode else "map"


def parse(text: str) -> Parsed:
    """The one mapping a text holds; raises YamlProblem. `no`, `012`, `1:30` and dates stay text.

    Marks count from after a BOM.
    """
    text = text.removeprefix(BOM)
    with _garbage_left():
        root = _composed(text)
        if not isinstance(root, yaml.MappingNode):
            raise YamlProblem("it is empty" if root is None else "it is not a list of keys with values", 1)
        if "*" in text and _ANCHOR.search(text):
            _refuse_expansion(root, _MORE * len(text) + _SOME)
        value = _value(root, 0)
    if not isinstance(value, dict):
        raise YamlProblem("it is not a list of keys with values", 1)
    return Parsed(value, root)


@contextlib.contextmanager
def _garbage_left() -> Iterator[None]:
    """Looks for no garbage meanwhile: there is none among the many values being made (a fifth of the time of a
    long history, more than half of a hostile file's). Who switches it off switches it on again, so that threads
    that meet here can at worst switch it on too early."""
    was_on = gc.isenabled()
    if was_on:
        gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _composed(text: str) -> yaml.Node | None:
    try:
        return _nodes(text)
    except YamlProblem as problem:
        stand_in = masked(text) if problem.cause == _NO_CHARACTER else None
        if stand_in is None:
            raise
    root = _nodes(stand_in)
    try:
        if root is not None:
            unmask(root)
    except HalfCharacter as half:
        raise YamlProblem("it holds half a character (a lone surrogate)", half.line) from half
    return root


def _nodes(text: str) -> yaml.Node | None:
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and error.context_mark and not text[mark.index :].strip():
            mark = error.context_mark  # what was never closed began there
        raise YamlProblem(error.problem or "it is not YAML", mark.line + 1 if mark else None) from error
    except yaml.reader.ReaderError as error:
        before = text.encode("utf-8", "replace")[: max(error.position, 0)]
        character = error.character if isinstance(error.character, int) else ord(error.character)
        cause = f"it holds the character U+{character:04X}, which YAML does not allow"
        raise YamlProblem(cause, before.count(b"\n") + 1) from error
    except (yaml.YAMLError, UnicodeEncodeError, RecursionError) as error:
        raise YamlProblem(f"it is not YAML ({error})") from error
    return root


def child(node: yaml.Node, step: str | int) -> Child | None:
    """The value at a key or place, None when there is none."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return Child(value, key, key.start_mark.line)
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return Child(node.value[step], None, node.value[step].start_mark.line)
    return None


def plain_value(text: str) -> str | int | float | bool | None:
    """What an unquoted word means: a number only where its spelling is the number's own, else text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-0123456789":
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text) and repr(float(text)) == text:
            return float(text)
    return text


def same(a: Value, b: Value) -> bool:
    """Whether two values are the same in kind too: True is not 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def parse_node(node: yaml.Node) -> Value:
    """The value of a node of a document that has been parsed."""
    return _value(node, 0)


def _value(node: yaml.Node, depth: int) -> Value:
    if depth > MAX_DEPTH:
        raise YamlProblem("it is nested too deeply", node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    _check_tag(node, "map" if isinstance(node, yaml.MappingNode) else "seq")
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, depth + 1) for item in node.value]
    lines: dict[str, int] = {}
    values: dict[str, Value] = {}
    for key, item in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise YamlProblem("a key is not a text", line)
        if key.value in lines:
            first = lines[key.value]
            raise YamlProblem(f"the key “{key.value[:60]}” stands there twice, first on line {first}", line)
        lines[key.value] = line
        values[key.value] = _value(item, depth + 1)
    return values


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text: str = node.value
    if node.tag == "plain":
        return plain_value(text)
    if node.tag != "text":
        _check_tag(node, "str", "int", "float", "bool", "null")
        return text if node.tag == _CORE + "str" else plain_value(text)
    return text


def _check_tag(node: yaml.Node, *allowed: str) -> None:
    tag = node.tag.removeprefix(_CORE) if node.tag in _CORE_TAGS else node.tag
    if tag not in allowed:
        raise YamlProblem(f"the tag {node.tag} is not allowed", node.start_mark.line + 1)


def _refuse_expansion(root: yaml.Node, most: int) -> None:
    """Aliases are followed only while what they stand for stays small (a "billion laughs" stops here);
    those that YAML 1.1 merges into a mapping are not guessed at."""
    values, characters = 0, 0
    open_nodes: set[int] = set()

    def follow(node: yaml.Node, depth: int) -> None:
        nonlocal values, characters
        line = node.start_mark.line + 1
        if id(node) in open_nodes:
            raise YamlProblem("an alias stands for itself", line)
        if depth > MAX_DEPTH:
            raise YamlProblem("it is nested too deeply", line)
        values += 1
        characters += len(node.value) if isinstance(node, yaml.ScalarNode) else 0
        if values > MAX_VALUES or characters > most:
            raise YamlProblem("its aliases stand for too many values", line)
        open_nodes.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, item in node.value:
                if key.value == "<<" and key.tag == "plain":
                    raise YamlProblem("keys that are merged in (<<) are not followed", key.start_mark.line + 1)
                follow(key, depth + 1)
                follow(item, depth + 1)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                follow(item, depth + 1)
        open_nodes.discard(id(node))

    follow(root, 0)
