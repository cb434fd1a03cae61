"""Where a path leads in a YAML text."""

from dataclasses import dataclass

import yaml

from bot.tickets.change import Path
from bot.tickets.yaml_marks import in_brackets
from bot.tickets.yaml_splices import Refusal
from bot.tickets.yaml_values import child, parse_node


@dataclass(frozen=True)
class Place:
    """A value's parent, its node and its key's node (None where there is none yet); the line counts from 1."""

    parent: yaml.CollectionNode
    node: yaml.Node | None
    key: yaml.Node | None
    in_flow: bool
    line: int


def place_of(text: str, root: yaml.MappingNode, path: Path) -> Place:
    """Follows a path; raises Refusal when it leads nowhere, or through an anchor, alias or tag."""
    node: yaml.Node = root
    in_flow = False
    for depth, step in enumerate(path):
        refuse_marked(text, node, node.start_mark.line + 1)
        in_flow = in_flow or in_brackets(node)
        found = child(node, step)
        last = depth == len(path) - 1
        if found is not None and last and isinstance(node, yaml.CollectionNode):
            refuse_marked(text, found.node, found.line + 1)
            return Place(node, found.node, found.key, in_flow, found.line + 1)
        if found is None and last and isinstance(node, yaml.MappingNode):
            return Place(node, None, None, in_flow, node.start_mark.line + 1)
        if found is None:
            break
        node = found.node
    where = ".".join(map(str, path))
    raise Refusal(f"there is no {where}", node.start_mark.line + 1)


def refuse_marked(text: str, node: yaml.Node, line: int) -> None:
    """An alias has its anchor's marks, so this sees anchors, aliases and tags alike."""
    start: int = node.start_mark.index
    if node.end_mark.index > start and text[start] in "&!*":
        raise Refusal("the value has an anchor, an alias or a tag", line)


def dash_offset(root: yaml.MappingNode) -> int:
    """How much deeper than their keys a file's lists stand: 2, or 0 if its first list has it so."""
    for key, value in root.value:
        if isinstance(value, yaml.SequenceNode) and value.value and not in_brackets(value):
            return 2 if value.start_mark.column > key.start_mark.column else 0
    return 2


def may_become_block(text: str, place: Place) -> bool:
    """Whether a value is an empty list (`[]`, null) that may be written with dashes."""
    node = place.node
    if place.in_flow or not isinstance(place.parent, yaml.MappingNode):
        return False
    if isinstance(node, yaml.SequenceNode):
        span = text[node.start_mark.index : node.end_mark.index]
        return not node.value and "".join(span.split()) == "[]"
    return isinstance(node, yaml.ScalarNode) and parse_node(node) is None


def last_leaf(node: yaml.Node) -> yaml.Node:
    """The last value within a value that is written in lines."""
    while isinstance(node, yaml.CollectionNode) and node.value and not in_brackets(node):
        node = node.value[-1] if isinstance(node, yaml.SequenceNode) else node.value[-1][1]
    return node
