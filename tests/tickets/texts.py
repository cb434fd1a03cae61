"""Ticket files as people write them, made up at random: every style, with comments that are numbered."""

from hypothesis import strategies as st

WORDS = st.sampled_from(
    [
        *("Avatar", "no", "012", "1:30", 'it\'s "q"', "a: b", "x #y", "é😀", "- dash", "2025-07-12", "T-042", "1e3"),
        *("null", "~", "@x", "`x`", "%x", "!x", "&x", "*x", "| x", "[a]", "{a}", "? x", " lead", "trail ", "<<", ""),
        *("'", '"', "#", "a\tb", "back\\slash", "\\ud83d", "it: 'is'"),
    ]
)


@st.composite
def comment(draw: st.DrawFn, numbers: list[int]) -> str:
    """Sometimes a comment at the end of a line."""
    if draw(st.integers(0, 3)):
        return ""
    numbers.append(len(numbers))
    return f"{draw(st.sampled_from([' ', '   ', chr(9)]))}#c{numbers[-1]}."


@st.composite
def between(
    draw: st.DrawFn, numbers: list[int], columns: tuple[int, ...], blank: tuple[str, ...] = ("", "", "  ")
) -> list[str]:
    """Sometimes blank lines and comments on lines of their own."""
    lines: list[str] = []
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        if draw(st.booleans()):
            lines.append(draw(st.sampled_from(blank)))
        else:
            numbers.append(len(numbers))
            lines.append(" " * draw(st.sampled_from(columns)) + f"#c{numbers[-1]}.")
    return lines


def quoted(draw: st.DrawFn, text: str) -> str:
    if draw(st.booleans()):
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def scalar_lines(draw: st.DrawFn, key: str, numbers: list[int]) -> list[str]:
    """A key with one value, as a text of one or several lines or none at all, and comments below it."""
    style = draw(st.sampled_from(["plain", "quoted", "null", "empty", "literal", "folded", "wrapped", "spread"]))
    tail, below = draw(comment(numbers)), draw(between(numbers, (1, 2, 4)))
    if style == "plain":
        return [f"{key}: word{tail}", *below]
    if style == "quoted":
        return [f"{key}: {quoted(draw, draw(WORDS))}{tail}", *below]
    if style == "null":
        return [f"{key}: null{tail}", *below]
    if style == "empty":
        return [f"{key}:{tail}", *below]
    if style == "wrapped":
        return [f"{key}: some", "", f"  more{tail}", *below]
    if style == "spread":
        return [f'"{key}" :', *draw(between(numbers, (0, 2, 4))), '  "some', f'  more"{tail}', *below]
    header = draw(st.sampled_from(["|", "|-", "|2", "|+"] if style == "literal" else [">", ">-", ">+"]))
    indent = 2 if "2" in header else draw(st.sampled_from([2, 3, 4]))
    words = [" " * indent + word if word else "" for word in ("## One", "", "- [ ] two # no comment", "", "  - x")]
    return [f"{key}: {header}{tail}", *words, *draw(between(numbers, (0, 1), ("",)))]


@st.composite
def list_lines(draw: st.DrawFn, key: str, numbers: list[int], dash: int) -> list[str]:
    """A key with a list of texts."""
    style = draw(st.sampled_from(["block", "block", "flow", "spread", "none", "null", "wide"]))
    tail = draw(comment(numbers))
    if style == "none":
        return [f"{key}: {draw(st.sampled_from(['[]', '[ ]', '[' + chr(10) + '  ]']))}{tail}"]
    if style == "null":
        return [f"{key}:{draw(st.sampled_from([' null', ' ~', '']))}{tail}", *draw(between(numbers, (2, 4)))]
    if style == "flow":
        return [f"{key}: [one, 'two']{tail}"]
    if style == "wide":
        return [f"{key}: [one,{draw(comment(numbers))}", f"      'two' ]{tail}"]
    if style == "spread":
        comma = draw(st.sampled_from(["", ","]))
        first = [f"{key}: [{draw(comment(numbers))}", *draw(between(numbers, (2, 4)))]
        items = [f"  one,{draw(comment(numbers))}", *draw(between(numbers, (2, 4))), f"  two{comma}{tail}"]
        return [*first, *items, *draw(between(numbers, (2,))), "  ]" + draw(comment(numbers))]
    lines = [f"{key}:{tail}", *draw(between(numbers, (0, dash, dash + 2)))]
    for item in ("one", "two"):
        lines.append(" " * dash + f"- {item}{draw(comment(numbers))}")
        lines += draw(between(numbers, (0, dash, dash + 2, dash + 4)))
    return lines


@st.composite
def subtask_lines(draw: st.DrawFn, numbers: list[int], dash: int) -> list[str]:
    """A list of subtasks in both forms, each in lines or in brackets."""
    if not draw(st.integers(0, 5)):
        items = ["{id: sub-001, title: One, completed: false}", '{"id":"sub-002","title":"Two","status":"pending"}']
        return [f"subtasks: [{items[0]},{draw(comment(numbers))}", f"  {items[1]}]{draw(comment(numbers))}"]
    lines = [f"subtasks:{draw(comment(numbers))}", *draw(between(numbers, (0, dash, dash + 2)))]
    pad = " " * (dash + 2)
    for number in range(1, 3):
        name = f"sub-{number:03d}"
        if not draw(st.integers(0, 4)):
            lines.append(" " * dash + f"- {{id: {name}, title: x}}{draw(comment(numbers))}")
        else:
            start = "- " if draw(st.booleans()) else "-" + draw(comment(numbers)).replace("\t", " ") + "\n" + pad
            lines += (" " * dash + start + f"id: {name}{draw(comment(numbers))}").split("\n")
            lines += draw(between(numbers, (0, dash, dash + 2, dash + 4)))
            lines.append(f"{pad}title: {quoted(draw, draw(WORDS))}{draw(comment(numbers))}")
            form_a = draw(st.booleans())
            lines.append(pad + ("completed: false" if form_a else "status: pending") + draw(comment(numbers)))
        lines += draw(between(numbers, (0, dash, dash + 1, dash + 2, dash + 4)))
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
    lines = draw(st.sampled_from([[], [], ["---"]])) + draw(between(numbers, (0, 2)))
    lines.append("id: T-042" + draw(comment(numbers)))
    for part in draw(st.permutations(parts)):
        lines += draw(between(numbers, (0,)))
        lines += part
    lines += draw(between(numbers, (0, 0, 1)))
    line_break = draw(st.sampled_from(["\n", "\r\n"]))
    ending = draw(st.sampled_from([line_break, "", line_break + "..." + line_break]))
    whole = line_break.join("\n".join(lines).split("\n")) + ending
    return draw(st.sampled_from(["", "\ufeff"])) + whole
