"""The edits of one change as replacements of spans in a YAML text, each worked out on the unchanged text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from bot.tickets import yaml_style as style
from bot.tickets.change import Append, Edit, Path, Remove, Set, Value
from bot.tickets.yaml_flow import flow_insert, flow_keep
from bot.tickets.yaml_marks import (
    after_comments,
    block_end,
    block_header,
    comment_below,
    dash_of,
    in_brackets,
    is_block_text,
    line_end,
    line_start,
    own_end,
)
from bot.tickets.yaml_values import Parsed, child, parse_node

_VALUE = 1_000  # deeper than any line: what belongs to a value itself comes before the lines below it


Order: TypeAlias = Sequence[Sequence[str]]


class Refusal(Exception):
    """This value cannot be changed safely; `line` counts from 1."""

    def __init__(self, cause: str, line: int | None) -> None:
        self.cause, self.line = cause, line
        super().__init__(cause)


@dataclass(frozen=True)
class Splice:
    """A span and what takes its place; at one place deeper lines come first, then in order of the edits."""

    start: int
    end: int
    depth: int
    text: str


@dataclass(frozen=True)
class Place:
    """Where a path leads: its parent, its node and key node (None where there is none yet)."""

    parent: yaml.Node
    node: yaml.Node | None
    key: yaml.Node | None
    in_flow: bool
    line: int


class Editor:
    """Collects the splices of one change."""

    def __init__(self, text: str, parsed: Parsed, order: Order, *, is_json: bool) -> None:
        self._text, self._parsed, self._order = text, parsed, order
        self._quotes: style.Quotes = "json" if is_json else "plain"
        self._break = "\r\n" if "\r\n" in text[: line_end(text, 0) + 2] else "\n"
        self._splices: list[Splice] = []
        self._inserted: dict[int, int] = {}

    def edit(self, edit: Edit) -> None:
        """Works out one edit; raises Refusal or UnmarkedEnd."""
        place = self._find(edit.path)
        if isinstance(edit, Append):
            self._append(place, edit.path, edit.value)
        elif isinstance(edit, Set):
            self._set(place, edit.path, edit.value)
        else:
            self._remove(place, edit.path)

    def text(self) -> str:
        """The text with all splices made; raises Refusal when two of them overlap."""
        parts: list[str] = []
        position = 0
        ordered = sorted(enumerate(self._splices), key=lambda s: (s[1].start, s[1].end, -s[1].depth, s[0]))
        for _, splice in ordered:
            if splice.start < position:
                raise Refusal("two edits meet at one place", None)
            parts += [self._text[position : splice.start], splice.text]
            position = splice.end
        return "".join(parts) + self._text[position:]

    # -- where

    def _find(self, path: Path) -> Place:
        node: yaml.Node = self._parsed.root
        in_flow = False
        for depth, step in enumerate(path):
            self._refuse_marked(node, node.start_mark.line + 1)
            in_flow = in_flow or in_brackets(node)
            found = child(node, step)
            if found is None:
                if depth < len(path) - 1 or not isinstance(node, yaml.MappingNode):
                    raise Refusal(f"there is no {path}", node.start_mark.line + 1)
                return Place(node, None, None, in_flow, node.start_mark.line + 1)
            if depth == len(path) - 1:
                self._refuse_marked(found.node, found.line + 1)
                return Place(node, found.node, found.key, in_flow, found.line + 1)
            node = found.node
        raise Refusal("a path is missing", None)

    def _refuse_marked(self, node: yaml.Node, line: int) -> None:
        """An alias has its anchor's marks, so this sees anchors, aliases and tags alike."""
        start, end = node.start_mark.index, node.end_mark.index
        if end > start and self._text[start] in "&!*":
            raise Refusal("the value has an anchor, an alias or a tag", line)

    def _dash(self) -> int:
        """How much deeper than their keys this file's lists stand: 2, or 0."""
        for key, value in self._parsed.root.value:
            if isinstance(value, yaml.SequenceNode) and value.value and not in_brackets(value):
                return 2 if value.start_mark.column > key.start_mark.column else 0
        return 2

    def _splice(self, start: int, end: int, text: str, depth: int = 0) -> None:
        self._splices.append(Splice(start, end, depth, text))

    def _add_lines(self, position: int, indent: int, lines: list[str], leaf: yaml.Node | None) -> None:
        """New lines below the line of a position and the deeper comments that belong to it."""
        end = after_comments(self._text, position, indent)
        self._splice(end, end, "".join(self._break + line for line in lines), indent)
        if end == len(self._text) and leaf is not None and is_block_text(leaf):
            self._strip_block(leaf)

    def _strip_block(self, leaf: yaml.Node) -> None:
        """A `|` that ended the file without a line break would gain one from lines below it: it becomes `|-`."""
        start, end = block_header(self._text, leaf)
        header = self._text[start:end]
        stripped = header.replace("+", "").replace("-", "") + "-"
        if stripped != header and not any(s.start == start for s in self._splices):
            self._splice(start, end, stripped)

    def _ends_file(self, position: int, indent: int) -> bool:
        return after_comments(self._text, position, indent) == len(self._text)

    # -- set

    def _set(self, place: Place, path: Path, value: Value) -> None:
        node = place.node
        if node is None:
            self._insert_key(place, path, value)
            return
        old = parse_node(node)
        if type(old) is type(value) and old == value:
            return
        if isinstance(node, yaml.SequenceNode) and node.value and isinstance(value, list):
            self._set_list(place, path, node, value)
        elif isinstance(node, yaml.CollectionNode) and node.value:
            raise Refusal("it holds more than one value", place.line)
        elif isinstance(value, list) and value and self._may_become_block(place, node):
            for item in value:
                self._append(place, path, item)
        elif is_block_text(node):
            self._replace_block(place, node, value)
        else:
            self._replace(place, node, value)

    def _insert_key(self, place: Place, path: Path, value: Value) -> None:
        mapping, key = place.parent, str(path[-1])
        if place.in_flow:
            pair = f"{style.scalar(key, self._quotes, flow=True)}: {style.flow(value, self._quotes)}"
            self._flow_insert(mapping, pair)
            return
        level = sum(isinstance(step, str) for step in path) - 1
        before = self._key_before(mapping, key, self._order[level] if level < len(self._order) else ())
        indent: int = mapping.start_mark.column
        key_node, node = mapping.value[before]
        position = own_end(self._text, node, own_end(self._text, key_node, mapping.start_mark.index))
        at_end = self._ends_file(position, indent)
        lines = style.mapping_lines({key: value}, indent, self._dash(), may_end_file=at_end)
        self._add_lines(position, indent, lines, _last_leaf(node))

    def _key_before(self, mapping: yaml.Node, key: str, order: Sequence[str]) -> int:
        keys = [key_node.value for key_node, _ in mapping.value]
        if key in order:
            for earlier in reversed(order[: order.index(key)]):
                if earlier in keys:
                    return keys.index(earlier)
        return len(keys) - 1

    def _replace(self, place: Place, node: yaml.Node, value: Value) -> None:
        """Another value in place of one on a line (or a folded one): its quotes stay where they can."""
        start: int = node.start_mark.index
        end: int = node.end_mark.index
        line = line_end(self._text, end)
        block = None if place.in_flow else self._literal(place, value, line)
        if block is not None:
            self._splice(start, end, self._spaced(place, start, end, block[0]), 2 * _VALUE)
            self._splice(line, line, "".join(self._break + text for text in block[1]), _VALUE)
            return
        flow = place.in_flow or isinstance(value, dict | list)
        new = style.flow(value, self._quotes) if flow else self._one_line(node, value)
        self._splice(start, end, self._spaced(place, start, end, new), 2 * _VALUE)

    def _one_line(self, node: yaml.Node, value: Value) -> str:
        if isinstance(value, dict | list):
            return style.flow(value, self._quotes)
        old_style = node.style if isinstance(node, yaml.ScalarNode) else None
        quotes: style.Quotes = {"'": "single", '"': "double"}.get(old_style or "", "plain")  # type: ignore[assignment]
        if isinstance(value, str) and quotes == "plain" and style.is_date(value):
            return value if style.is_date(str(node.value)) else style.scalar(value, "single")
        return style.scalar(value, quotes)

    def _spaced(self, place: Place, start: int, end: int, new: str) -> str:
        """An empty value has no span of its own: what comes in its place needs room, and its colon."""
        if end > start:
            return new
        key_end = place.key.end_mark.index if place.key is not None else start
        colon = ":" if place.key is not None and ":" not in self._text[key_end:start] else ""
        before = " " if colon or self._text[start - 1] not in " \t" else ""
        after = " " if self._text[start : start + 1] == "#" else ""
        return f"{colon}{before}{new}{after}"

    def _literal(
        self, place: Place, value: Value, line: int, *, always: bool = False
    ) -> tuple[str, list[str]] | None:
        """A text of several lines as a block below its key; not where a deeper comment would become part of it."""
        if not isinstance(value, str) or not (always or "\n" in value):
            return None
        indent: int = place.parent.start_mark.column
        comment = comment_below(self._text, line)
        if comment is not None and comment[1] > indent:
            return None
        block = style.literal(value, may_end_file=line == len(self._text))
        return (block[0], style.indented(block[1], indent + 2)) if block else None

    def _replace_block(self, place: Place, node: yaml.Node, value: Value) -> None:
        """Another value in place of a `|` text; the comment beside its header stays."""
        start, header_end = block_header(self._text, node)
        line = line_end(self._text, header_end)
        end = block_end(self._text, node)
        block = self._literal(place, value, end, always=True)
        if block is None:
            self._splice(start, header_end, style.flow(value, self._quotes))
            self._splice(line, end, "")
            return
        self._splice(start, header_end, block[0])
        self._splice(line, end, "".join(self._break + text for text in block[1]))

    # -- lists

    def _append(self, place: Place, path: Path, value: Value) -> None:
        node = place.node
        if node is None:
            self._insert_key(place, path, [value])
        elif isinstance(node, yaml.SequenceNode) and node.value and not in_brackets(node):
            position = own_end(self._text, node, node.start_mark.index)
            self._add_item(node.start_mark.column, position, value, _last_leaf(node))
        elif self._may_become_block(place, node):
            self._empty_to_block(place, node, value)
        elif isinstance(node, yaml.SequenceNode):
            self._flow_insert(node, style.flow(value, self._quotes))
        elif isinstance(node, yaml.ScalarNode) and not is_block_text(node):
            items = [parse_node(node), value] if parse_node(node) is not None else [value]
            self._replace(place, node, items)
        else:
            raise Refusal("it is not a list", place.line)

    def _add_item(self, column: int, position: int, value: Value, leaf: yaml.Node | None) -> None:
        at_end = self._ends_file(position, column)
        lines = style.item_lines(value, column, self._dash(), may_end_file=at_end)
        self._add_lines(position, column, lines, leaf)

    def _may_become_block(self, place: Place, node: yaml.Node) -> bool:
        """Whether a value is an empty list (`[]`, null) that may be written with dashes."""
        if place.in_flow or self._quotes == "json" or not isinstance(place.parent, yaml.MappingNode):
            return False
        if isinstance(node, yaml.SequenceNode):
            span = self._text[node.start_mark.index : node.end_mark.index]
            return not node.value and "".join(span.split()) == "[]"
        return isinstance(node, yaml.ScalarNode) and parse_node(node) is None

    def _empty_to_block(self, place: Place, node: yaml.Node, value: Value) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        column = place.parent.start_mark.column
        if end > start and not self._inserted.get(id(node)):
            room = self._text[start - 1] in " \t" and line_end(self._text, start) != start
            self._splice(start - 1 if room else start, end, "")
        self._inserted[id(node)] = 1
        position = after_comments(self._text, end, column)
        dash, at_end = self._dash(), position == len(self._text)
        lines = style.item_lines(value, column + dash, dash, may_end_file=at_end)
        self._splice(position, position, "".join(self._break + line for line in lines), column + 1)

    def _flow_insert(self, collection: yaml.Node, item: str) -> None:
        nth = self._inserted.get(id(collection), 0)
        self._inserted[id(collection)] = nth + 1
        for start, text in flow_insert(self._text, collection, item, nth, self._break):
            self._splice(start, start, text)

    def _set_list(self, place: Place, path: Path, node: yaml.SequenceNode, wanted: list[Value]) -> None:
        """Items that stay are left alone, the others go, new ones come at the end."""
        kept: list[int] = []
        for number, item in enumerate(node.value):
            if len(kept) < len(wanted) and parse_node(item) == wanted[len(kept)]:
                kept.append(number)
        new = wanted[len(kept) :]
        if in_brackets(node):
            items = [style.flow(value, self._quotes) for value in new]
            if len(kept) < len(node.value):
                self._flow_keep(node, kept, items, place.line)
            else:
                for text in items:
                    self._flow_insert(node, text)
            return
        gone = [number for number in range(len(node.value)) if number not in kept]
        if not wanted:
            self._empty(place, node)
        for number in gone:
            self._drop_item(node, number)
        for value in new:
            self._append(place, path, value)

    def _flow_keep(self, node: yaml.Node, kept: list[int], new: list[str], line: int) -> None:
        text = flow_keep(self._text, node, kept, new)
        if text is None:
            raise Refusal("there is a comment within the brackets", line)
        self._splice(node.start_mark.index, node.end_mark.index, text)

    def _empty(self, place: Place, node: yaml.Node) -> None:
        if place.key is None:
            raise Refusal("a list within a list cannot be emptied", place.line)
        colon = self._text.index(":", place.key.end_mark.index) + 1
        self._splice(colon, colon, " []")

    def _drop_item(self, node: yaml.SequenceNode, number: int) -> None:
        item = node.value[number]
        self._refuse_marked(item, item.start_mark.line + 1)
        dash = dash_of(self._text, node, item)
        self._drop_lines(dash, own_end(self._text, item, dash), node.start_mark.column)

    def _drop_lines(self, start: int, position: int, indent: int) -> None:
        """The lines from a position on, with the deeper comments below them and the line break before."""
        begin = line_start(self._text, start)
        if self._text[begin:start].strip() or begin == 0:
            raise Refusal("something else stands on its line", self._text.count("\n", 0, start) + 1)
        begin -= 2 if self._text[begin - 2 : begin] == "\r\n" else 1
        self._splice(begin, after_comments(self._text, position, indent), "", -1)

    # -- remove

    def _remove(self, place: Place, path: Path) -> None:
        node = place.node
        if node is None:
            return
        parent = place.parent
        children = parent.value if isinstance(parent, yaml.SequenceNode) else [pair[1] for pair in parent.value]
        others = [number for number, other in enumerate(children) if other is not node]
        if in_brackets(parent):
            self._flow_keep(parent, others, [], place.line)
        elif not others:
            raise Refusal("it is the only one there", place.line)
        elif isinstance(parent, yaml.SequenceNode):
            self._drop_item(parent, children.index(node))
        elif place.key is not None:
            key = place.key
            position = own_end(self._text, node, key.end_mark.index)
            self._drop_lines(key.start_mark.index, position, parent.start_mark.column)


def _last_leaf(node: yaml.Node) -> yaml.Node:
    while isinstance(node, yaml.CollectionNode) and node.value and not in_brackets(node):
        node = node.value[-1] if isinstance(node, yaml.SequenceNode) else node.value[-1][1]
    return node


__all__ = ["Editor", "Refusal", "Remove"]
