"""Which items of a list stay, move or are new when the list gets other values."""

import json
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Sequence

import yaml

from bot.tickets.change import Value
from bot.tickets.yaml_marks import UnmarkedEnd, after_comments, dash_of, own_end
from bot.tickets.yaml_place import Place
from bot.tickets.yaml_splices import Refusal


def arranged(old: Sequence[Value], wanted: Sequence[Value]) -> list[int | None]:
    """For each value wanted the place of the old item that is the same, each used once; None for a new one."""
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for place, value in enumerate(old):
        places[json.dumps(value)].append(place)
    found = (places[json.dumps(value)] for value in wanted)
    return [same.popleft() if same else None for same in found]


def staying(places: Sequence[int | None]) -> frozenset[int]:
    """The most places that are in rising order already: those items can be left where they stand."""
    lasts: list[int] = []  # the smallest place that ends a rising row of each length
    rows: list[int] = []
    known = [place for place in places if place is not None]
    for place in known:
        length = bisect_left(lasts, place)
        lasts[length : length + 1] = [place]
        rows.append(length)
    stay: list[int] = []
    length = len(lasts) - 1
    for place, row in zip(reversed(known), reversed(rows), strict=True):
        if row == length:
            stay.append(place)
            length -= 1
    return frozenset(stay)


def item_rows(text: str, place: Place, sequence: yaml.SequenceNode) -> list[tuple[int, int]]:
    """From where to where each item of a list stands, with its comments: the deeper ones below, those above.

    Raises Refusal and UnmarkedEnd.
    """
    if place.key is None:
        raise Refusal("a list within a list cannot be put in another order", place.line)
    column: int = sequence.start_mark.column
    begin = after_comments(text, place.key.end_mark.index, column)
    rows: list[tuple[int, int]] = []
    for item in sequence.value:
        dash = dash_of(text, sequence, item)
        if dash < begin:  # an alias has its anchor's marks
            raise UnmarkedEnd
        end = after_comments(text, own_end(text, item, dash), column)
        rows.append((begin, end))
        begin = end
    return rows
