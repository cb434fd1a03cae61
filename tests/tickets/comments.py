"""Whose each comment of a YAML text is, told from its lines alone: nothing of the code under test is used.

Comments are `#c7.`, each number once. One on a value's line is that value's. One on a line of its own is about the
value that follows when it stands in that one's column (or left of it); else about what it stands below and deeper
than. Comments in a row are one text: none is about something deeper than the ones before it. Within brackets columns
mean nothing.
"""

import re
from dataclasses import dataclass

_COMMENT = re.compile(r"#c\d+\.")
_KEY = re.compile(r"""(?P<dashes>(?:-[ ]+)*)(?P<key>"[^"]*"|'[^']*'|[^\s#:'"\[{][^\s:]*)\s*:(?=\s|$)(?P<rest>.*)""")
_ITEM = re.compile(r"-(?:\s+(?P<rest>.*)|$)")
_OPENING = re.compile(r"(?:.*:\s+|(?:-\s+)+)[\[{](?:.*,)?")
_BLOCK = re.compile(r"[^#]*:\s+[|>][-+0-9]*\s*(?:#.*)?$|(?:-\s+)+[|>][-+0-9]*\s*(?:#.*)?$")


@dataclass(frozen=True)
class Owner:
    """How a comment stands to a value (`beside`, `above`, `below`), and the names of that value and those around it."""

    how: str
    chain: tuple[str, ...]


@dataclass(frozen=True)
class _Line:
    indent: int
    name: str | None  # None: the rest of a value that began above
    comment: str | None
    alone: bool  # a comment and nothing else
    in_brackets: bool = False

    @property
    def depth(self) -> float:
        """How deep it stands: an item may stand in the column of its key."""
        return self.indent + 0.5 * (self.name or "").startswith("-")


def owners(text: str) -> dict[str, Owner]:
    """The owner of every comment; fails when one stands there twice."""
    lines = _lines(text)
    found: dict[str, Owner] = {}
    column = 0
    for number, line in enumerate(lines):
        if line is None or line.comment is None:
            continue
        assert line.comment not in found, f"{line.comment} stands there twice"
        if not line.alone:
            found[line.comment] = Owner("beside", _chain(lines, number))
            continue
        above = next((other for other in reversed(lines[:number]) if other is not None), None)
        column = min(column, line.indent) if above is not None and above.alone else line.indent
        rest = range(number + 1, len(lines))
        following = next((n for n in rest if (other := lines[n]) and not other.alone), None)
        if following is not None and (column <= (after := _at(lines, following)).indent or after.in_brackets):
            found[line.comment] = Owner("below" if after.name is None else "above", _chain(lines, following))
        else:
            found[line.comment] = Owner("below", _around(lines, number, column))
    return found


def _at(lines: list[_Line | None], number: int) -> _Line:
    line = lines[number]
    assert line is not None
    return line


def _chain(lines: list[_Line | None], number: int) -> tuple[str, ...]:
    """The names from the outermost value to the one on a line; the rest of a value counts as that value."""
    line = _at(lines, number)
    around = _around(lines, number, line.depth)
    return around if line.name is None else (*around, line.name)


def _around(lines: list[_Line | None], number: int, depth: float) -> tuple[str, ...]:
    names: list[str] = []
    for line in reversed(lines[:number]):
        if line is not None and not line.alone and line.name is not None and line.depth < depth:
            names.append(line.name)
            depth = line.depth
    return tuple(reversed(names))


def _lines(text: str) -> list[_Line | None]:
    lines: list[_Line | None] = []
    in_brackets = False
    for written in _without_block_texts(text):
        line = _read(written, in_brackets=in_brackets)
        lines.append(line)
        content = _COMMENT.sub("", written).strip()
        if content:
            closed = content[0] in "]}" or content[-1] in "]}"
            in_brackets = not closed if in_brackets else _OPENING.fullmatch(content) is not None
    return lines


def _read(line: str, *, in_brackets: bool) -> _Line | None:
    """One line; None for a blank one. An item is known by its text, a key by its name: a value may change."""
    comment = _COMMENT.search(line)
    content = line[: comment.start()].rstrip() if comment else line.rstrip()
    if not content.strip():
        if comment is None:
            return None
        return _Line(comment.start(), None, comment[0], alone=True)
    stripped = content.lstrip(" ")
    name = None
    if in_brackets and stripped[-1] in "]}":
        pass  # what stands beside the closing bracket is about the whole
    elif in_brackets:
        name = re.split(r":\s", _first(stripped))[0].strip()
    elif key := _KEY.fullmatch(stripped):
        name = key["dashes"] + key["key"] + (key["rest"] if key["dashes"] else "")
    elif _ITEM.fullmatch(stripped):
        name = _first(stripped)
    beside = comment[0] if comment else None
    return _Line(len(content) - len(stripped), name, beside, alone=False, in_brackets=in_brackets)


def _first(content: str) -> str:
    """What an item begins with: in brackets more may be added to it."""
    return re.split(r"[,\]}]", content)[0]


def _without_block_texts(text: str) -> list[str]:
    """The lines of a text; those within `|` and `>` texts, where `#` is no comment, are emptied."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    key_indent: int | None = None
    text_indent = 0
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip(" "))
        if key_indent is not None:
            if not line.strip(" "):
                continue
            text_indent = text_indent or indent
            if indent > key_indent and indent >= text_indent:
                lines[number] = ""
                continue
            key_indent = None
        if _BLOCK.match(line) and not line.lstrip().startswith("#"):
            header = re.search(r"[|>][-+]?(\d?)", line)
            key_indent = indent
            text_indent = indent + int(header[1]) if header and header[1] else 0
    return lines
