"""Where the parts of a YAML text begin and end, beyond what the parser's own marks tell."""

import re

import yaml

_BLOCK_HEADER = re.compile(r"(?:[&!]\S*[ \t]+)*(?P<header>[|>][-+0-9]*)")
_ALIAS = re.compile(r"(?:[\s:?-]|#[^\r\n]*[\r\n])*\*[^\s,\[\]{}]+")
_NEWLINES = "\r\n\x85\u2028\u2029"
_NEWLINE = re.compile(f"[{_NEWLINES}]")
_COMMENT_LINE = re.compile(f"[ \t{_NEWLINES}]*+(?P<comment>#[^{_NEWLINES}]*)")


class UnmarkedEnd(Exception):
    """The end of a value cannot be told from its marks."""


def line_end(text: str, position: int) -> int:
    """Where the line of a position ends: before its line break."""
    found = _NEWLINE.search(text, position)
    return found.start() if found else len(text)


def line_start(text: str, position: int) -> int:
    """Where the line of a position begins."""
    while position > 0 and text[position - 1] not in _NEWLINES:
        position -= 1
    return position


def own_end(text: str, node: yaml.Node, after: int) -> int:
    """The end of a value itself. Marks of block collections and block texts run on over the comments and blank
    lines after them, so a value's own end is its last leaf's; an alias has its anchor's marks (`after` is
    where the value must begin, at the earliest)."""
    start: int = node.start_mark.index
    end: int = node.end_mark.index
    if start < after:
        alias = _ALIAS.match(text, after)
        if alias is None:
            raise UnmarkedEnd
        return alias.end()
    if isinstance(node, yaml.ScalarNode):
        return block_end(text, node) if is_block_text(node) else end
    if in_brackets(node) or not node.value:
        return end
    if isinstance(node, yaml.MappingNode):
        key, value = node.value[-1]
        return own_end(text, value, own_end(text, key, start))
    last = node.value[-1]
    after = start
    if len(node.value) > 1 and last.start_mark.index <= node.value[-2].start_mark.index:
        for item in node.value[:-1]:
            after = own_end(text, item, after)
    return own_end(text, last, after)


def in_brackets(node: yaml.Node) -> bool:
    """Whether a value is written as `[…]` or `{…}`."""
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def is_block_text(node: yaml.Node) -> bool:
    """Whether a value is written as `|` or `>`."""
    return isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")


def block_header(text: str, node: yaml.Node) -> tuple[int, int]:
    """Where the `|2-` of a block text begins and ends."""
    match = _BLOCK_HEADER.match(text, node.start_mark.index)
    if match is None:
        raise UnmarkedEnd
    return match.span("header")


def block_end(text: str, node: yaml.Node) -> int:
    """The end of a block text's last line; the empty lines below belong to it only with `+`."""
    start, header_end = block_header(text, node)
    end: int = node.end_mark.index
    if "+" in text[start:header_end]:
        return end - _break_before(text, end)
    end = header_end + len(text[header_end:end].rstrip(_NEWLINES))
    return max(end, line_end(text, header_end))


def after_comments(text: str, position: int, indent: int) -> int:
    """The end of the line of a position, or of the last comment below that stands deeper than `indent`."""
    end = line_end(text, position)
    while (next_line := comment_below(text, end)) is not None and next_line[1] > indent:
        end = next_line[0]
    return end


def comment_below(text: str, end: int) -> tuple[int, int] | None:
    """The end and column of a comment line that is the first thing below a line's end."""
    below = end + (2 if text[end : end + 2] == "\r\n" else 1)
    match = _COMMENT_LINE.match(text, below) if below <= len(text) else None
    return (match.end(), match.start("comment") - line_start(text, match.start("comment"))) if match else None


def dash_of(text: str, sequence: yaml.Node, item: yaml.Node) -> int:
    """Where the dash of a list's item stands: the last one in the list's column at or above the item."""
    column: int = sequence.start_mark.column
    line = line_start(text, item.start_mark.index)
    while line >= line_start(text, sequence.start_mark.index):
        head = text[line : line + column + 1]
        if head.endswith("-") and len(head) == column + 1 and not head[:-1].strip():
            return line + column
        if line == 0:
            break
        line = line_start(text, line - _break_before(text, line))
    raise UnmarkedEnd


def _break_before(text: str, position: int) -> int:
    """How long the line break just before a position is."""
    if text[position - 2 : position] == "\r\n":
        return 2
    return int(position > 0 and text[position - 1] in _NEWLINES)
