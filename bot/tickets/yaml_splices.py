"""Replacements of spans in a text, all worked out on the unchanged text and made at once."""

from dataclasses import dataclass

import yaml

from bot.tickets.yaml_marks import after_comments, block_header, is_block_text, line_end, line_start

# Deeper than any line: what belongs to a value itself comes before the lines below it.
VALUE = 1_000
DROPPED = -1


class Refusal(Exception):
    """A value cannot be changed safely; `line` counts from 1."""

    def __init__(self, cause: str, line: int | None) -> None:
        self.cause, self.line = cause, line
        super().__init__(cause)


@dataclass(frozen=True)
class Splice:
    """A span and what takes its place; at one place deeper ones come first, then in order of the edits."""

    start: int
    end: int
    depth: int
    text: str


class Splices:
    """The replacements of one change."""

    def __init__(self, text: str) -> None:
        self.original = text
        self.line_break = "\r\n" if "\r\n" in text[: line_end(text, 0) + 2] else "\n"
        self._made: list[Splice] = []
        self._last_texts: list[yaml.Node] = []

    def text(self) -> str:
        """The text with all of them made; raises Refusal when two overlap."""
        parts: list[str] = []
        position = 0
        made = [*self._made, *self._stripped()]
        ordered = sorted(enumerate(made), key=lambda s: (s[1].start, s[1].end, -s[1].depth, s[0]))
        for _, splice in ordered:
            if splice.start < position:
                raise Refusal("two edits meet at one place", None)
            parts += [self.original[position : splice.start], splice.text]
            position = splice.end
        return "".join(parts) + self.original[position:] + self._last_break()

    def add(self, start: int, end: int, text: str, depth: int = 0) -> None:
        """Something in place of a span."""
        self._made.append(Splice(start, end, depth, text))

    def lines(self, lines: list[str]) -> str:
        """Lines as they follow another one."""
        return "".join(self.line_break + line for line in lines)

    def add_below(
        self,
        position: int,
        indent: int,
        lines: list[str],
        leaf: yaml.Node | None = None,
        *,
        depth: int | None = None,
    ) -> None:
        """New lines below the line of a position, whose last value is `leaf`, and the deeper comments below.

        The items of a list may stand in the column of the key that comes next: their `depth` is one more.
        """
        end = after_comments(self.original, position, indent)
        self.add(end, end, self.lines(lines), indent if depth is None else depth)
        if position == len(self.original) and leaf is not None and is_block_text(leaf):
            self._last_texts.append(leaf)

    def ends_file(self, position: int, indent: int) -> bool:
        """Whether lines added below would end the file without a line break."""
        return after_comments(self.original, position, indent) == len(self.original)

    def drop_lines(self, start: int, position: int, indent: int) -> None:
        """Takes out the lines from a start to a position, with the deeper comments below them."""
        begin = line_start(self.original, start)
        if self.original[begin:start].strip() or begin == 0:
            raise Refusal("something else stands on its line", self.original.count("\n", 0, start) + 1)
        begin -= 2 if self.original[begin - 2 : begin] == "\r\n" else 1
        self.add(begin, after_comments(self.original, position, indent), "", DROPPED)

    def _last_break(self) -> str:
        """Where the last line went that ended the file without a line break, the one before ends it with one:
        without it a `|` there would lose its own."""
        end = len(self.original)
        dropped = any(made.depth == DROPPED and made.end == end for made in self._made)
        return self.line_break if dropped and not any(made.start == end for made in self._made) else ""

    def _stripped(self) -> list[Splice]:
        """A `|` that ended the file without a line break would gain one from lines below: it becomes `|-`."""
        spans = {block_header(self.original, leaf) for leaf in self._last_texts}
        return [
            Splice(start, end, 0, self.original[start:end].replace("+", "").replace("-", "") + "-")
            for start, end in spans
            if not any(made.start == start for made in self._made)
        ]
