"""Ticket files as people write them, made up at random: every style, with comments that are numbered."""

from hypothesis import strategies as st

WORDS = st.sampled_from(
    ["Avatar", "no", "012", "1:30", 'it\'s "q"', "a: b", "x #y", "é😀", "- dash", "2025-07-12", "T-042"]
)


@st.composite
def comment(draw: st.DrawFn, numbers: list[int]) -> str:
    """Sometimes a comment at the end of a line."""
    if draw(st.integers(0, 3)):
        return ""
    numbers.append(len(numbers))
    return f"{draw(st.sampled_from([' ', '   ']))}#c{numbers[-1]}."


@st.composite
def between(draw: st.DrawFn, numbers: list[int], columns: tuple[int, ...]) -> list[str]:
    """Sometimes a blank line or a comment on a line of its own."""
    lines: list[str] = []
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        if draw(st.booleans()):
            lines.append("")
        else:
            numbers.append(len(numbers))
            lines.append(" " * draw(st.sampled_from(columns)) + f"#c{numbers[-1]}.")
    return lines


def quoted(draw: st.DrawFn, text: str) -> str:
    if draw(st.booleans()):
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace('"', '\\"') + '"'


@st.composite
def scalar_lines(draw: st.DrawFn, key: str, numbers: list[int]) -> list[str]:
    """A key with one value, as a text of one or several lines or none at all."""
    style = draw(st.sampled_from(["plain", "quoted", "null", "empty", "literal", "folded", "wrapped"]))
    tail = draw(comment(numbers))
    if style == "plain":
        return [f"{key}: word{tail}"]
    if style == "quoted":
        return [f"{key}: {quoted(draw, draw(WORDS))}{tail}"]
    if style == "null":
        return [f"{key}: null{tail}"]
    if style == "empty":
        return [f"{key}:{tail}"]
    if style == "wrapped":
        return [f"{key}: some", f"  more{tail}"]
    header = draw(st.sampled_from(["|", "|-", "|2"] if style == "literal" else [">", ">-"]))
    return [f"{key}: {header}{tail}", "  ## One", "", "  - [ ] two # no comment"]


@st.composite
def list_lines(draw: st.DrawFn, key: str, numbers: list[int], dash: int) -> list[str]:
    """A key with a list of texts."""
    style = draw(st.sampled_from(["block", "flow", "spread", "none", "null"]))
    tail = draw(comment(numbers))
    if style == "none":
        return [f"{key}: []{tail}"]
    if style == "null":
        return [f"{key}:{tail}"]
    if style == "flow":
        return [f"{key}: [one, 'two']{tail}"]
    if style == "spread":
        comma = draw(st.sampled_from(["", ","]))
        return [f"{key}: [{draw(comment(numbers))}", f"  one,{draw(comment(numbers))}", f"  two{comma}{tail}", "]"]
    lines = [f"{key}:{tail}"]
    for item in ("one", "two"):
        lines.append(" " * dash + f"- {item}{draw(comment(numbers))}")
        lines += draw(between(numbers, (0, dash, dash + 2)))
    return lines


@st.composite
def subtask_lines(draw: st.DrawFn, numbers: list[int], dash: int) -> list[str]:
    """A list of subtasks in both forms."""
    lines = [f"subtasks:{draw(comment(numbers))}"]
    pad = " " * (dash + 2)
    for number in range(1, 3):
        lines.append(" " * dash + f"- id: sub-{number:03d}{draw(comment(numbers))}")
        lines.append(f"{pad}title: {quoted(draw, draw(WORDS))}{draw(comment(numbers))}")
        form_a = draw(st.booleans())
        lines.append(pad + ("completed: false" if form_a else "status: pending") + draw(comment(numbers)))
        lines += draw(between(numbers, (0, dash, dash + 2, dash + 4)))
    return lines


@st.composite
def ticket_texts(draw: st.DrawFn) -> str:
    """The text of a ticket's file, with any line ends, with or without a BOM and a last line break."""
    numbers: list[int] = []
    dash = draw(st.sampled_from([0, 2]))
    parts = [
        draw(scalar_lines("title", numbers)),
        draw(scalar_lines("description", numbers)),
        draw(list_lines("labels", numbers, dash)),
        draw(subtask_lines(numbers, dash)),
        draw(scalar_lines("updatedAt", numbers)),
        draw(list_lines("history", numbers, dash)),
    ]
    lines = draw(between(numbers, (0,)))
    lines.append("id: T-042" + draw(comment(numbers)))
    for part in draw(st.permutations(parts)):
        lines += draw(between(numbers, (0,)))
        lines += part
    line_break = draw(st.sampled_from(["\n", "\r\n"]))
    ending = draw(st.sampled_from([line_break, ""]))
    return draw(st.sampled_from(["", "\ufeff"])) + line_break.join(lines) + ending
