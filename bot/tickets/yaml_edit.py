"""What each edit of a change means for the spans of a YAML text."""

from collections.abc import Sequence
from typing import TypeAlias

import yaml

from bot.tickets import yaml_style as style
from bot.tickets.change import Append, Edit, Path, Set, Value
from bot.tickets.yaml_arrange import arranged, item_rows, staying
from bot.tickets.yaml_flow import flow_arrange, flow_insert
from bot.tickets.yaml_marks import (
    block_end,
    block_header,
    comment_below,
    dash_of,
    in_brackets,
    is_block_text,
    line_end,
    own_end,
)
from bot.tickets.yaml_place import Place, dash_offset, last_leaf, may_become_block, place_of, refuse_marked
from bot.tickets.yaml_splices import DROPPED, VALUE, Refusal, Splices
from bot.tickets.yaml_values import Parsed, parse_node, same

Order: TypeAlias = Sequence[Sequence[str]]


class Editor:
    """Works out the splices of one change; every method may raise Refusal or UnmarkedEnd."""

    def __init__(self, text: str, parsed: Parsed, order: Order, *, is_json: bool) -> None:
        self._text, self._root, self._order = text, parsed.root, order
        self._quotes: style.Quotes = "json" if is_json else "plain"
        self._splices = Splices(text)
        self._dash = dash_offset(parsed.root)
        self._inserted: dict[int, int] = {}

    def edit(self, edit: Edit) -> None:
        """Works out one edit."""
        place = place_of(self._text, self._root, edit.path)
        if isinstance(edit, Append):
            self._append(place, edit.path, edit.value)
        elif isinstance(edit, Set):
            self._set(place, edit.path, edit.value)
        else:
            self._remove(place)

    def text(self) -> str:
        """The text after all edits."""
        return self._splices.text()

    # One value

    def _set(self, place: Place, path: Path, value: Value) -> None:
        node = place.node
        if node is None:
            self._insert_key(place, path, value)
            return
        old = parse_node(node)
        if same(old, value):
            return
        if isinstance(node, yaml.SequenceNode) and node.value and isinstance(value, list):
            self._set_list(place, path, node, value)
        elif isinstance(node, yaml.CollectionNode) and node.value:
            raise Refusal("it holds more than one value", place.line)
        elif isinstance(value, list) and value and self._to_block(place):
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
        before = _key_before(mapping, key, self._order[level] if level < len(self._order) else ())
        key_node, node = mapping.value[before]
        indent: int = mapping.start_mark.column
        position = own_end(self._text, node, own_end(self._text, key_node, mapping.start_mark.index))
        at_end = self._splices.ends_file(position, indent)
        lines = style.mapping_lines({key: value}, indent, self._dash, may_end_file=at_end)
        self._splices.add_below(position, indent, lines, last_leaf(node))

    def _replace(self, place: Place, node: yaml.Node, value: Value) -> None:
        """Another value in place of one on a line (or a folded one): its quotes stay where they can."""
        start, end = node.start_mark.index, node.end_mark.index
        line = line_end(self._text, end)
        block = None
        if isinstance(value, str) and "\n" in value and not place.in_flow:
            block = self._literal(place, value, line)
        if block is not None:
            self._splices.add(start, end, self._spaced(place, start, end, block[0]), 2 * VALUE)
            self._splices.add(line, line, self._splices.lines(block[1]), VALUE)
            return
        if place.in_flow or isinstance(value, dict | list):
            new = style.flow(value, self._quotes)
        else:
            new = style.in_place_of(node, value)
        self._splices.add(start, end, self._spaced(place, start, end, new), 2 * VALUE)

    def _replace_block(self, place: Place, node: yaml.Node, value: Value) -> None:
        """Another value in place of a `|` text; the comment beside its header stays."""
        start, header_end = block_header(self._text, node)
        line, end = line_end(self._text, header_end), block_end(self._text, node)
        block = self._literal(place, value, end) if isinstance(value, str) else None
        header, lines = block or (style.flow(value, self._quotes), [])
        self._splices.add(start, header_end, header)
        self._splices.add(line, end, self._splices.lines(lines))

    def _literal(self, place: Place, value: str, line: int) -> tuple[str, list[str]] | None:
        """A text as a block below its key; not where a deeper comment below would become part of it."""
        indent: int = place.parent.start_mark.column
        comment = comment_below(self._text, line)
        if comment is not None and comment[1] > indent:
            return None
        block = style.literal(value, may_end_file=line == len(self._text))
        return (block[0], style.indented(block[1], indent + 2)) if block else None

    def _spaced(self, place: Place, start: int, end: int, new: str) -> str:
        """An empty value has no span of its own: what comes in its place needs room, and its colon."""
        if end > start:
            return new
        key_end = place.key.end_mark.index if place.key is not None else start
        colon = ":" if place.key is not None and ":" not in self._text[key_end:start] else ""
        before = " " if colon or self._text[start - 1] not in " \t" else ""
        return f"{colon}{before}{new}"

    # Lists

    def _append(self, place: Place, path: Path, value: Value) -> None:
        node = place.node
        if node is None:
            self._insert_key(place, path, [value])
        elif isinstance(node, yaml.SequenceNode) and node.value and not in_brackets(node):
            column: int = node.start_mark.column
            position = own_end(self._text, node, node.start_mark.index)
            at_end = self._splices.ends_file(position, column)
            lines = style.item_lines(value, column, self._dash, may_end_file=at_end)
            self._splices.add_below(position, column, lines, last_leaf(node), depth=column + 1)
        elif self._to_block(place):
            self._empty_to_block(place, node, value)
        elif isinstance(node, yaml.SequenceNode):
            self._flow_insert(node, style.flow(value, self._quotes))
        elif isinstance(node, yaml.ScalarNode) and not is_block_text(node):
            old = parse_node(node)
            self._replace(place, node, [value] if old is None else [old, value])
        else:
            raise Refusal("it is not a list", place.line)

    def _to_block(self, place: Place) -> bool:
        return self._quotes != "json" and may_become_block(self._text, place)

    def _empty_to_block(self, place: Place, node: yaml.Node, value: Value) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        column: int = place.parent.start_mark.column + self._dash
        if end > start and id(node) not in self._inserted:
            self._splices.add(start - (self._text[start - 1] in " \t"), end, "")
        self._inserted[id(node)] = 1
        at_end = self._splices.ends_file(end, column)
        lines = style.item_lines(value, column, self._dash, may_end_file=at_end)
        self._splices.add_below(end, column, lines, depth=column + 1)

    def _flow_insert(self, collection: yaml.CollectionNode, item: str) -> None:
        nth = self._inserted.get(id(collection), 0)
        self._inserted[id(collection)] = nth + 1
        for start, text in flow_insert(self._text, collection, item, nth, self._splices.line_break):
            self._splices.add(start, start, text)

    def _set_list(self, place: Place, path: Path, node: yaml.SequenceNode, wanted: list[Value]) -> None:
        """Items that are wanted still keep their lines, and move with them; the others go."""
        places = arranged([parse_node(item) for item in node.value], wanted)
        known = range(len(node.value))
        if places[: len(known)] == list(known):
            for value in wanted[len(known) :]:
                self._append(place, path, value)
        elif in_brackets(node):
            new = [style.flow(value, self._quotes) for value in wanted]
            order = [text if old is None else old for old, text in zip(places, new, strict=True)]
            self._flow_arrange(node, order)
        else:
            self._arrange(place, node, places, wanted)

    def _arrange(self, place: Place, node: yaml.SequenceNode, places: list[int | None], wanted: list[Value]) -> None:
        if not wanted:
            self._empty(place)
        stay = staying(places)
        rows = item_rows(self._text, place, node)
        column: int = node.start_mark.column
        at = rows[0][0] if stay else rows[-1][1]
        for old, value in zip(places, wanted, strict=True):
            if old is None:
                lines = style.item_lines(value, column, self._dash, may_end_file=at == len(self._text))
                self._splices.add(at, at, self._splices.lines(lines), column + 1)
            elif old in stay:
                at = rows[old][1]
            else:
                start, end = rows[old]
                self._splices.add(at, at, self._text[start:end], column + 1)
                self._splices.add(start, end, "", DROPPED)
        for number in sorted(set(range(len(rows))).difference(places)):
            self._drop_item(node, number)

    def _flow_arrange(self, node: yaml.CollectionNode, wanted: Sequence[int | str]) -> None:
        self._splices.add(node.start_mark.index, node.end_mark.index, flow_arrange(self._text, node, wanted))

    def _empty(self, place: Place) -> None:
        if place.key is None:
            raise Refusal("a list within a list cannot be emptied", place.line)
        colon = self._text.index(":", place.key.end_mark.index) + 1
        self._splices.add(colon, colon, " []", VALUE)

    def _drop_item(self, node: yaml.SequenceNode, number: int) -> None:
        item = node.value[number]
        refuse_marked(self._text, item, item.start_mark.line + 1)
        dash = dash_of(self._text, node, item)
        self._splices.drop_lines(dash, own_end(self._text, item, dash), node.start_mark.column)

    # Taking out

    def _remove(self, place: Place) -> None:
        node, parent = place.node, place.parent
        if node is None:
            return
        pairs = parent.value if isinstance(parent, yaml.MappingNode) else [(item, item) for item in parent.value]
        others = [number for number, (_, other) in enumerate(pairs) if other is not node]
        if in_brackets(parent):
            self._flow_arrange(parent, others)
        elif not others:
            raise Refusal("it is the only one there", place.line)
        elif isinstance(parent, yaml.SequenceNode):
            self._drop_item(parent, parent.value.index(node))
        elif place.key is not None:
            key = place.key
            position = own_end(self._text, node, key.end_mark.index)
            self._splices.drop_lines(key.start_mark.index, position, parent.start_mark.column)


def _key_before(mapping: yaml.CollectionNode, key: str, order: Sequence[str]) -> int:
    """The place of the key that a new one goes after: the nearest before it in the order, else the last."""
    keys = [key_node.value for key_node, _ in mapping.value]
    if key in order:
        for earlier in reversed(order[: order.index(key)]):
            if earlier in keys:
                return keys.index(earlier)
    return len(keys) - 1
