"""Items added to and taken out of `[…]` and `{…}`, in the layout those have."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from bot.tickets.yaml_marks import UnmarkedEnd, line_end, line_start

Insertion = tuple[int, str]
_BREAK = re.compile(r"[\r\n\x85\u2028\u2029]")
_REST_OF_LINE = re.compile(r"[ \t]*(#[^\r\n\x85\u2028\u2029]*)?(?=[\r\n\x85\u2028\u2029])")
_LAST_LINE = re.compile(r"(?:\r\n|[\r\n\x85\u2028\u2029])[ \t]*\Z")


@dataclass(frozen=True)
class _Item:
    """A part of a collection: the comments above it, how its line begins, itself, and what stands beside it."""

    above: str
    begin: str
    text: str
    gap: str
    comma: bool
    beside: str
    line: int  # the place of the first item on its line

    @property
    def starts_line(self) -> bool:
        return self.begin.lstrip(" \t") != ""


def flow_insert(text: str, collection: yaml.Node, item: str, nth: int, line_break: str) -> list[Insertion]:
    """What to insert where, so that a bracketed collection gets one item more; `nth` counts those before it."""
    spans = _spans(collection)
    if not spans:
        return [(collection.start_mark.index + 1, ", " + item if nth else item)]
    start, end = spans[-1]
    comma = _comma_after(text, end, collection.end_mark.index - 1)
    begin = line_start(text, start)
    line = line_end(text, end if comma is None else comma)
    ends_there = line >= collection.end_mark.index
    if ends_there or text[begin:start].strip() or begin <= collection.start_mark.index:
        return [(end, f", {item}")] if comma is None else [(comma + 1, f" {item},")]
    lead = line_break + text[begin:start]
    if comma is not None:
        return [(line, f"{lead}{item},")]
    if nth:
        return [(line, f",{lead}{item}")]
    return [(end, f",{lead}{item}")] if line == end else [(end, ","), (line, f"{lead}{item}")]


def flow_arrange(text: str, collection: yaml.Node, wanted: Sequence[int | str]) -> str:
    """The collection with some of its items (their places) as they are spelled, and new ones, in another order.

    The comment beside a line goes with the first item there, one above an item stays.
    """
    opening, items, closing = _items(text, collection)
    first, above, beside, left = _comments(items, frozenset(place for place in wanted if isinstance(place, int)))
    parts = [opening, first]
    before: int | str | None = None
    for number, place in enumerate(wanted, 1):
        comma = "," if number < len(wanted) or (items and items[-1].comma) else ""
        if isinstance(place, str):
            parts += [_begin(items, first=before is None), place, comma]
        else:
            item = items[place]
            parts += [above[place], item.above, _begin_again(items, place, before), item.text]
            parts += [item.gap if (comma and item.comma) or "#" in item.gap else "", comma, beside[place]]
        before = place
    inner = "".join([*parts, left])
    if _in_comment(inner) and not _BREAK.match(closing):
        inner += _begin(items, first=True)
        closing = closing.lstrip(" \t")
    inner += closing
    start, end = collection.start_mark.index, collection.end_mark.index
    return text[start] + (inner if inner.strip() else "") + text[end - 1]


def _comments(items: list[_Item], stay: frozenset[int]) -> tuple[str, dict[int, str], dict[int, str], str]:
    """The comments that stay: on the bracket's own line, above and beside each item that stays, after the last."""
    first, pending = "", ""
    above: dict[int, str] = {}
    beside: dict[int, str] = {}
    on_line: int | None = None
    for place, item in enumerate(items):
        on_line = None if item.starts_line else on_line
        if place in stay:
            above[place], beside[place], pending, on_line = pending, item.beside, "", place
            continue
        pending += item.above
        if on_line is not None:
            beside[on_line] += item.beside
        elif not items[item.line].starts_line:
            first += item.beside
    return first, above, beside, pending


def _begin(items: list[_Item], *, first: bool) -> str:
    """How the line of a new item begins: as that of the last one there was."""
    if items and items[-1].starts_line:
        return items[-1].begin
    return " " if not first else items[0].begin if items else ""


def _begin_again(items: list[_Item], place: int, before: int | str | None) -> str:
    """How the line of an item begins that may have lost the ones before it on its line."""
    item, line = items[place], items[items[place].line]
    if item.starts_line:
        return item.begin
    if isinstance(before, int) and items[before].line == item.line:
        return item.begin or " "
    return line.begin if line.starts_line or before is None else " "


def _in_comment(text: str) -> bool:
    return "#" in text[line_start(text, len(text)) :]


def _items(text: str, collection: yaml.Node) -> tuple[str, list[_Item], str]:
    """What stands beside the opening bracket, the parts in order, and what stands before the closing bracket."""
    position, last = collection.start_mark.index + 1, collection.end_mark.index - 1
    opening = _REST_OF_LINE.match(text, position, last)
    position = opening.end() if opening else position
    items: list[_Item] = []
    for start, end in _spans(collection):
        lead, comma = text[position:start], _comma_after(text, end, last)
        line = _LAST_LINE.search(lead)
        above, begin = (lead[: line.start()], line[0]) if line else ("", lead)
        after = end if comma is None else comma + 1
        rest = _REST_OF_LINE.match(text, after, last)
        position = rest.end() if rest else after
        gap = text[end:comma] if comma is not None else ""
        number = len(items) if line or not items else items[-1].line
        items.append(_Item(above, begin, text[start:end], gap, comma is not None, text[after:position], number))
    return opening[0] if opening else "", items, text[position:last]


def _spans(collection: yaml.Node) -> list[tuple[int, int]]:
    if isinstance(collection, yaml.MappingNode):
        nodes = [node for pair in collection.value for node in pair]
    else:
        nodes = collection.value
    position: int = collection.start_mark.index
    for node in nodes:
        if node.start_mark.index < position:  # an alias has its anchor's marks
            raise UnmarkedEnd
        position = node.end_mark.index
    step = 2 if isinstance(collection, yaml.MappingNode) else 1
    firsts, lasts = nodes[::step], nodes[step - 1 :: step]
    return [(a.start_mark.index, b.end_mark.index) for a, b in zip(firsts, lasts, strict=True)]


def _comma_after(text: str, position: int, limit: int) -> int | None:
    """The comma that follows an item, over blanks and comments."""
    while position < limit:
        if text[position] == ",":
            return position
        if text[position] == "#":
            position = line_end(text, position)
        position += 1
    return None
