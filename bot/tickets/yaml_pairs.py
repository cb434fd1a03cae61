"""Reads emoji that JSON writes as two escapes (`\\ud83d\\ude00`), which the YAML parser refuses.

The escapes are parsed as others of the same length, so that every mark stays where it is, and put back after.
"""

import re

import yaml

_HALF = re.compile(r"\\u([dD])(?=[89a-fA-F][0-9a-fA-F]{2})")
_STAND_IN = re.compile(r"\\u([eE])(?=[89a-fA-F][0-9a-fA-F]{2})")
_READ = re.compile("[\ue800-\uefff]")
_SHIFT = 0xE800 - 0xD800
_AS_STAND_IN = {"d": "e", "D": "E"}
_AS_HALF = {"e": "d", "E": "D"}


class HalfCharacter(Exception):
    """A text holds only one half of a pair; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__("half a character")


def masked(text: str) -> str | None:
    """The text with stand-ins for halves of pairs; None when there are no halves, or stand-ins already."""
    if _STAND_IN.search(text) or _READ.search(text):
        return None
    changed = _HALF.sub(lambda match: "\\u" + _AS_STAND_IN[match[1]], text)
    return changed if changed != text else None


def unmask(root: yaml.Node) -> None:
    """Puts the characters meant into every value and key; raises HalfCharacter."""
    todo, seen = [root], set[int]()
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            todo += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            todo += node.value
        else:
            node.value = _unmasked(node.value, node.start_mark.line + 1)


def _unmasked(value: str, line: int) -> str:
    spelled = _STAND_IN.sub(lambda match: "\\u" + _AS_HALF[match[1]], value)
    halves = _READ.sub(lambda match: chr(ord(match[0]) - _SHIFT), spelled)
    try:
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as half:
        raise HalfCharacter(line) from half
