"""Markdown as rich text, for views: Slack takes Markdown itself in messages alone. Pure.

Nothing that stands in rich text is taken for a mark of Slack's: it pings nobody. A link is its words and its address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from bot.slack.views.blocks import Block
from bot.slack.views.markdown import IMAGE_OR_LINK, SPAN, Fence, fence_after, open_link, split
from bot.slack.views.paging import PLAIN, typed

# Of one block; what has more is nearly all marks, and stands as it was typed.
MOST_MARKS, MOST_ELEMENTS, MOST_BYTES = 250, 500, 30_000
DEEPEST = 4  # how far a list may be indented
HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(\S.*)")
CLOSING = re.compile(r"(?<=[ \t])#+\Z")
ITEM = re.compile(r"([ \t]*)([-*+]|\d{1,9}[.)])[ \t]+(\S.*)")
QUOTE = re.compile(r" {0,3}>[ \t]?(.*)")
# What follows a sign of an address is a part of it: no address is shown otherwise than it is.
EMPHASIS = re.compile(
    r"(?<![\\\w/.=&?#%+-])(?P<mark>\*{1,3}|__|~~|_)(?=\S)(?P<inner>[^\n]{0,500}?[^\s\\])(?P=mark)(?!\w)"
)
STYLES: Mapping[str, tuple[str, ...]] = {
    "***": ("bold", "italic"),
    **dict.fromkeys(("**", "__"), ("bold",)),
    **dict.fromkeys(("*", "_"), ("italic",)),
    "~~": ("strike",),
}
ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!~>|])")
Style = Mapping[str, bool]


def rich(text: str) -> list[Block]:
    """The whole of a Markdown text, in as many blocks as it needs."""
    return [block for part in split(text, PLAIN) for block in _block(part)]


def _block(text: str) -> list[Block]:
    if sum(map(text.count, "*_~`[")) > MOST_MARKS:
        return typed(text)
    elements = _grouped(text)
    block: Block = {"type": "rich_text", "elements": elements}
    if len(elements) > MOST_ELEMENTS or len(json.dumps(block)) > MOST_BYTES:
        return typed(text)
    return [block] if elements else []


def _grouped(text: str) -> list[Block]:
    """The parts of a text one below the other; lines that are of one kind make one part."""
    made: list[Block] = []
    words: list[str] = []
    opened: Fence | None = None
    for line in text.split("\n"):
        before, opened = opened, fence_after(line, opened)
        if opened is not before:
            made += _closed(words, "preformatted" if before else "section")
        elif opened is not None:
            words.append(line)
        elif match := ITEM.fullmatch(line):
            made += _closed(words, "section")
            _add_item(made, *match.groups())
        elif match := QUOTE.fullmatch(line):
            made += _closed(words, "section")
            _add_quoted(made, match[1])
        elif not words and line[:1] in (" ", "\t") and line.strip() and made and made[-1]["type"] == "rich_text_list":
            made[-1]["elements"][-1]["elements"] += [_text("\n", {}), *_inline(line.strip())]
        else:
            words.append(line)
    return [*made, *_closed(words, "preformatted" if opened else "section")]


def _closed(words: list[str], kind: str) -> Iterator[Block]:
    """The part that the lines make, if there is anything in them; they are taken out."""
    text = "\n".join(words).strip("\n")
    words.clear()
    if not text.strip():
        return
    if kind == "preformatted":
        yield {"type": "rich_text_preformatted", "elements": [_text(text, {})]}
    else:
        elements: list[Block] = []
        for line in text.split("\n"):
            head = HEADING.fullmatch(line)
            elements += (
                [*_inline(CLOSING.sub("", head[1].rstrip()).rstrip(), {"bold": True}), _text("\n", {})]
                if head
                else [*_inline(f"{line}\n")]
            )
        end = elements.pop()
        if (rest := end["text"].removesuffix("\n")) or not elements:
            elements.append({**end, "text": rest or " "})
        yield {"type": "rich_text_section", "elements": elements}


def _add_item(made: list[Block], before: str, mark: str, text: str) -> None:
    """Adds an item to the list above it, or begins another."""
    style = "ordered" if mark[0].isdigit() else "bullet"
    indent = min(len(before.expandtabs(4)) // 2, DEEPEST)
    new: Block = {"type": "rich_text_list", "style": style, "indent": indent, "elements": []}
    if style == "ordered" and (number := int(mark[:-1])) > 1:
        new["offset"] = number - 1
    last = made[-1] if made else {}
    if {**last, "elements": [], "offset": 0} != {**new, "offset": 0}:
        made.append(new)
    made[-1]["elements"].append({"type": "rich_text_section", "elements": [*_inline(text)] or [_text(" ", {})]})


def _add_quoted(made: list[Block], text: str) -> None:
    if not made or made[-1]["type"] != "rich_text_quote":
        made.append({"type": "rich_text_quote", "elements": [*_inline(text)] or [_text(" ", {})]})
    else:
        made[-1]["elements"] += [_text("\n", {}), *_inline(text)]


def _inline(line: str, style: Style | None = None) -> Iterator[Block]:
    """A line's words, each with its style; code stays as it is."""
    end = 0
    for code in SPAN.finditer(line):
        yield from _words(line[end : code.start()], style or {})
        inner = code[0].strip("`")
        yield _text(inner.strip() or inner, {**(style or {}), "code": True})
        end = code.end()
    yield from _words(line[end:], style or {})


def _words(text: str, style: Style) -> Iterator[Block]:
    text, end = IMAGE_OR_LINK.sub(open_link, text), 0
    for match in EMPHASIS.finditer(text):
        named = STYLES[match["mark"]]
        if set(named) <= style.keys():
            continue
        if before := text[end : match.start()]:
            yield _text(ESCAPED.sub(r"\1", before), style)
        yield from _words(match["inner"], {**style, **dict.fromkeys(named, True)})
        end = match.end()
    if rest := text[end:]:
        yield _text(ESCAPED.sub(r"\1", rest), style)


def _text(text: str, style: Style) -> Block:
    return {"type": "text", "text": text, **({"style": dict(style)} if style else {})}
