"""A transcript as Markdown: what was said reads as it was meant, and hides no link, shows no image, runs no HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.sessions.archives.readable import Object, Spoken, page_of, parts_of

FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*[\w+#.-]*[ \t]*")
END = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*")
TICKS = re.compile("`+")
LINKS = re.compile(r"\](?=[(\[:])")  # what makes a link, an image or its address out of words in brackets
TAG = re.compile(r"(?<!\\)((?:\\\\)*)<(?=[a-zA-Z/!?])")
SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$=-])")


def markdown_page(content: Object) -> str:
    """The whole transcript; the same transcript gives the same text."""
    page = page_of(content)
    facts = [f"- **{label}:** {_line(value)}" for label, value in page.facts]
    parts = [f"# {_line(page.title)}", "\n".join(facts)]
    for spoken in page.entries:
        parts.append("\n\n".join(_entry(spoken)))
    return "\n\n".join(parts) + "\n"


def _entry(spoken: Spoken) -> Iterator[str]:
    sign = {"tool": "⚙️ ", "result": "↳ ", "bot": "🤖 ", "agent": "🤖 "}.get(spoken.kind, "")
    aside = " · ".join(_line(part) for part in (spoken.when, *spoken.marks) if part)
    yield f"### {sign}{_line(spoken.who)} · {aside}\n\n{_code_span(spoken.id)}"
    if spoken.text:
        yield _quoted(defused(spoken.text) if spoken.kind == "agent" else _literal(spoken.text))
    elif not spoken.code and spoken.kind != "tool":
        yield "> *nothing*"
    if spoken.code:
        yield _fenced(spoken.code)
    if spoken.files:
        yield "\n".join(f"- {_line(name)}: {_line(address)}" for name, address in spoken.files)


def defused(text: str) -> str:
    """Markdown in which every link shows its address, images are words and tags are text; code stays as it is.

    Only what is certainly code is left alone: blocks whose fence stands at the beginning of a line, until the first
    one that stands elsewhere or is odd; and spans that are whole on their line, while all lines of the paragraph up
    to there have whole spans alone. What another reader may take for words is made harmless.
    """
    out, fence, certain, whole = [], "", True, True
    for line in _lines(text):
        begins = FENCE.fullmatch(line)
        if fence:
            ends = END.fullmatch(line)
            fence = "" if ends and ends[1].startswith(fence) else fence
            out.append(line)
        elif certain and begins:
            fence, whole = begins[1], True
            out.append(line)
        else:
            certain = certain and "```" not in line and "~~~" not in line
            whole = (whole or not line.strip()) and _whole_spans(line)
            out.append(_defused_line(line, spans=whole))
    return "\n".join([*out, fence] if fence else out)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _whole_spans(line: str) -> bool:
    """Whether every span of code on the line ends there, and no table cuts it in two."""
    spans = _spans(line)
    return "\\`" not in line and spans is not None and not any("|" in line[start:end] for start, end in spans)


def _spans(line: str) -> list[tuple[int, int]] | None:
    """Where the line's spans of code begin and end; None where one does not end."""
    found, at = [], 0
    while begin := TICKS.search(line, at):
        close = next((one for one in TICKS.finditer(line, begin.end()) if len(one[0]) == len(begin[0])), None)
        if close is None:
            return None
        found.append((begin.start(), close.end()))
        at = close.end()
    return found


def _defused_line(line: str, *, spans: bool) -> str:
    out, end = [], 0
    for start, stop in (_spans(line) or ()) if spans else ():
        out += [_words(line[end:start]), line[start:stop]]
        end = stop
    return "".join([*out, _words(line[end:])])


def _words(text: str) -> str:
    return TAG.sub(r"\1\\<", LINKS.sub(r"]\\", text))


def _literal(text: str) -> str:
    """Somebody's words, line by line as they were typed: nothing in them is taken for Markdown but addresses."""
    return "\\\n".join(_escaped(line) or "\N{NO-BREAK SPACE}" for line in _lines(text))


def _escaped(line: str) -> str:
    safe = "".join(
        f"<{part}>" if is_address else SPECIAL.sub(r"\\\1", part.replace("\x00", "\N{REPLACEMENT CHARACTER}"))
        for part, is_address in parts_of(line)
    )
    safe = re.sub(r"^(\s*\d+)([.)])", r"\1\\\2", safe)  # no list
    return re.sub(r"^[ \t]+", lambda match: "\N{NO-BREAK SPACE}" * len(match[0]), safe)  # no block of code


def _line(text: str) -> str:
    return _escaped(" ".join(text.split()))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _fenced(code: str) -> str:
    longest = max((len(ticks) for ticks in TICKS.findall(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence, *_lines(code), fence])


def _code_span(text: str) -> str:
    ticks = "`" * (max((len(run) for run in TICKS.findall(text)), default=0) + 1)
    one = " ".join(text.split())
    pad = " " if one.startswith("`") or one.endswith("`") else ""
    return f"{ticks}{pad}{one}{pad}{ticks}" if one else ""
