"""Items added to and taken out of `[…]` and `{…}`, in the layout those have."""

import yaml

from bot.tickets.yaml_marks import UnmarkedEnd, line_end, line_start

Insertion = tuple[int, str]


def flow_insert(text: str, collection: yaml.Node, item: str, nth: int, line_break: str) -> list[Insertion]:
    """What to insert where, so that a bracketed collection gets one item more; `nth` counts those before it."""
    spans = _spans(collection)
    if not spans:
        return [(collection.start_mark.index + 1, ", " + item if nth else item)]
    start, end = spans[-1]
    comma = _comma_after(text, end, collection.end_mark.index - 1)
    begin = line_start(text, start)
    if text[begin:start].strip() or begin <= collection.start_mark.index:
        if comma is not None:
            return [(comma + 1, f" {item},")]
        return [(end, f", {item}")]
    lead = line_break + text[begin:start]
    line = line_end(text, end if comma is None else comma)
    if line >= collection.end_mark.index:
        return [(end, f",{lead}{item}")] if comma is None else [(comma + 1, f"{lead}{item},")]
    if comma is not None:
        return [(line, f"{lead}{item},")]
    if nth:
        return [(line, f",{lead}{item}")]
    return [(end, f",{lead}{item}")] if line == end else [(end, ","), (line, f"{lead}{item}")]


def flow_keep(text: str, collection: yaml.Node, kept: list[int], new: list[str]) -> str | None:
    """The collection with some of its items, as they are spelled, and new ones; None where a comment is within."""
    span = text[collection.start_mark.index : collection.end_mark.index]
    if "#" in span:
        return None
    spans = _spans(collection)
    items = [text[start:end] for start, end in (spans[number] for number in kept)]
    return span[0] + ", ".join([*items, *new]) + span[-1]


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
