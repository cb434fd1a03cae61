"""What the model writes, made harmless for Slack, cut into messages, and joined with the tools it called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

PART = 3_800  # characters of one message of an answer: chat.update takes 4,000 of text
LONGEST_TEXT = 3_900
SHORT = 60
MOST_NAMED = 8  # tool calls in the note on a stop; the lines above name all
ZERO_WIDTH = "\u200b"
FENCE = re.compile(r"([ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,8}|~{3,8})(.*)")
SPAN = re.compile(r"(?<![`\\])(`+)(?!`)[^\n]*?[^`\n]\1(?!`)")
IMAGE_OR_LINK = re.compile(
    r"(?<!\\)!?\[([^\[\]\n]*)\]"
    r"\([ \t]*<?((?:[^()\s<>]|\([^()\s<>]*\))*)>?(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)"
)
AUTOLINK = re.compile(r"<((?:https?|mailto):[^\s<>|]+)>", re.IGNORECASE)
ANGLE = re.compile(r"(<|&lt;)(?=[!@#/a-zA-Z])")
BROADCAST = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
# In code only what Slack itself would act on: a `<div>` or an `a[0](x)` must stay what it is when copied.
SLACK_MARK = re.compile(r"<(?=!(?:channel|here|everyone|subteam|date)|@[UWB]|#[CDG]|\w+:)", re.IGNORECASE)
LINK_IN_CODE = re.compile(r"\](?=\([ \t]*<?(?://|[a-z][\w+.-]*:\S)|:[ \t]*<?(?://|(?:https?|mailto):))", re.IGNORECASE)

Piece = tuple[Any, ...]  # ("text", str) or ("tool", name, input, "started" | "waiting" | "done" | "failed")


class Fence(NamedTuple):
    """The first line of a code block: what stands before its mark, the mark, and the language."""

    before: str
    mark: str
    language: str

    def first_line(self) -> str:
        return f"{self.before}{self.mark}{self.language}"

    def last_line(self) -> str:
        return f"{self.before}{self.mark}"


@dataclass(frozen=True)
class Shown:
    """What a message shows: blocks for the eye, text for notifications and screen readers."""

    text: str
    blocks: list[dict[str, Any]]
    entity: dict[str, Any] | None = None  # a Work Object beside it

    def as_want(self) -> dict[str, Any]:
        """As Slack's methods take it; the entity as delivery does."""
        return {"text": self.text, "blocks": self.blocks, **({"entity": self.entity} if self.entity else {})}


def safe(text: str) -> str:
    """The model's Markdown without anything that pings, shows an image, or hides where a link goes.

    Source: Slack's advice on untrusted output (slack-facts 22). Code stays as it is but for Slack's own marks and
    links, so that what we take for code and Slack does not is harmless too. What ends with a line is not changed
    by what follows, so the result can be streamed.
    """
    text = DIRECTION.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    opened: Fence | None = None
    lines = []
    for line in text.split("\n"):
        now = fence_after(line, opened)
        lines.append(_safe_line(line) if opened is None and now is None else _safe_code(line))
        opened = now
    return "\n".join(lines)


def fence_after(line: str, opened: Fence | None) -> Fence | None:
    """The code block that is open after this line."""
    match = FENCE.match(line)
    if not match:
        return opened
    before, mark, rest = match.groups()
    if opened is None:
        words = rest.split()
        language = words[0] if words and len(words[0]) <= 12 else ""
        return None if mark[0] in rest else Fence(re.sub(r"[^>\s]", " ", before)[:6], mark, language)
    closes = mark[0] == opened.mark[0] and len(mark) >= len(opened.mark) and not rest.strip()
    return None if closes else opened


def _open_at_end(text: str) -> Fence | None:
    """The code block that the text leaves open."""
    opened: Fence | None = None
    for line in text.split("\n"):
        opened = fence_after(line, opened)
    return opened


def _safe_line(line: str) -> str:
    out, end = [], 0
    for code in SPAN.finditer(line):
        out += [_safe_words(line[end : code.start()]), _safe_code(code[0])]
        end = code.end()
    # Once more over the whole: a link may have code in its label.
    return LINK_IN_CODE.sub("]" + ZERO_WIDTH, "".join([*out, _safe_words(line[end:])]))


def _safe_words(text: str) -> str:
    """Simple links as words and address; every other form of a link broken up, so that all of it is seen."""
    for _ in range(2):  # an image inside a link
        text = IMAGE_OR_LINK.sub(open_link, text)
    text = re.sub(r"\](?=[(\[:])", "]" + ZERO_WIDTH, text)
    text = ANGLE.sub(r"\1" + ZERO_WIDTH, AUTOLINK.sub(r"\1", text))
    return BROADCAST.sub("@" + ZERO_WIDTH, text)


def _safe_code(text: str) -> str:
    text = LINK_IN_CODE.sub("]" + ZERO_WIDTH, SLACK_MARK.sub("<" + ZERO_WIDTH, text))
    return BROADCAST.sub("@" + ZERO_WIDTH, text)


def open_link(match: re.Match[str]) -> str:
    """A link, or an image, as its words and its real address side by side."""
    label, address = match[1].strip(), match[2]
    return f"{label} ({address})" if label and address and label != address else address or label


def plain(text: str) -> str:
    """A text for a message's `text`: nothing in it is taken for Slack's own marks."""
    return fitting(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), LONGEST_TEXT)


def fitting(text: str, most: int) -> str:
    """At most so many characters of Slack's mrkdwn; none of its escapes and marks is cut in half."""
    if len(text) <= most:
        return text
    at = _whole_character(text, most - 1, most // 2)
    return re.sub(r"(?:&[a-z]{0,3}|<[^<>]*)\Z", "", text[:at]) + "…"


def answer_text(pieces: Sequence[Piece]) -> str:
    """The whole answer as Markdown. Pieces only add to it at its end, so that it can be streamed."""
    out, waiting = "", False  # waiting: the last piece is a tool line whose end has not come
    for piece in pieces:
        if piece[0] == "text":
            out += ("\n\n" if waiting and not piece[1].startswith("\n") else "") + safe(piece[1])
            waiting = False
            continue
        out += "\n" if out and not out.endswith("\n") else ""
        if opened := _open_at_end(out):
            out += opened.last_line() + "\n"
        out += ("\n" if out and not out.endswith("\n\n") else "") + tool_line(*piece[1:])
        waiting = piece[3] == "started"
    return out


def answer_parts(text: str) -> list[Shown]:
    """The answer as the messages that shall stand in the thread."""
    return [
        Shown(plain(part), [{"type": "markdown", "text": part}]) for part in split(text.strip() or "(no answer)", PART)
    ]


def split(text: str, size: int) -> list[str]:
    """Cuts a text at paragraphs, lines or words, never within a character as it is seen.

    A code block that is cut is closed and opened again with its language. `size` is at least 60 characters.
    """
    parts: list[str] = []
    again = ""  # what the rest begins with, to open a code block that was cut
    while len(text) > size:
        cut, mark = _cut_at(text, len(again) + 1, size - 16)
        head, rest = text[:cut], text[cut:]
        opened = _open_at_end(head)
        again = ""
        if opened is None:
            rest = rest.removeprefix(" ") if mark == " " else rest.lstrip("\n")
        else:
            rest = rest.removeprefix("\n")
            head = f"{head}\n{opened.last_line()}"
            line, _, after = rest.partition("\n")
            if fence_after(line, opened) is None:
                rest = after.lstrip("\n")
            else:
                again = opened.first_line() + "\n"
        parts.append(head.rstrip())
        text = again + rest
    return [part for part in [*parts, text] if part.strip()] or [""]


def _cut_at(text: str, least: int, most: int) -> tuple[int, str]:
    """Where to cut, after `least` and up to `most`, and the mark found there; '' within a word."""
    least = max(least, most // 2)
    for mark in ("\n\n", "\n", " "):
        if (at := text.rfind(mark, least, most)) > 0:
            return at, mark
    return _whole_character(text, most, least), ""


def _whole_character(text: str, at: int, least: int) -> int:
    """The place at or before `at` where no emoji or accented letter is torn apart."""
    for place in range(at, least, -1):
        if not _joined(text, place):
            return place
    return at


def _joined(text: str, place: int) -> bool:
    """Whether what stands on both sides of this place is parts of one character."""
    left, right = text[place - 1], text[place]
    if left == "\u200d" or right == "\u200d" or unicodedata.category(right) in ("Mn", "Me", "Mc"):
        return True
    if "\U0001f3fb" <= right <= "\U0001f3ff" or "\U000e0020" <= right <= "\U000e007f":
        return True
    flags = re.search(r"[\U0001f1e6-\U0001f1ff]*\Z", text[max(0, place - 200) : place])
    return "\U0001f1e6" <= right <= "\U0001f1ff" and flags is not None and len(flags[0]) % 2 == 1


def tool_line(name: str, given: Mapping[str, Any], state: str) -> str:
    """One line for a tool call; the line of a started call is the beginning of that of the ended one."""
    end = {"started": "", "waiting": " ⏳\n\n", "done": " ✓\n\n", "failed": " ✗\n\n"}[state]
    return f"> ⚙️ {safe(doing(name, given))}{end}"  # as a whole: two values could make a link together


def doing(name: str, given: Mapping[str, Any]) -> str:
    """What a call does, in a person's words; what came from the model stands in it as it is."""
    return _words_for(_short(name).rsplit("sciorex_", 1)[-1].rsplit("__", 1)[-1], given)


def _words_for(tool: str, given: Mapping[str, Any]) -> str:
    """What a call does, in a person's words, with the ticket and the value concerned."""
    ticket = _short(given.get("ticketId"))
    subtask = _short(given.get("title") or given.get("subtaskId"))
    words = {
        "get_ticket": f"Read {ticket}",
        "list_subtasks": f"Read the subtasks of {ticket}",
        "update_subtask": f"Update subtask “{subtask}” of {ticket} → {_short(given.get('status'))}",
        "complete_subtask": f"Complete subtask “{subtask}” of {ticket}",
        "change_status": f"Change status of {ticket} → {_short(given.get('status'))}",
        "add_comment": f"Comment on {ticket}: “{_short(given.get('comment'))}”",
        "create_ticket": f"Create ticket “{_short(given.get('title'))}”",
        "search_tickets": f"Search tickets for “{_short(given.get('query'))}”",
    }
    return words.get(tool) or f"{tool.replace('_', ' ').capitalize()} {ticket}".strip()


def _short(value: object) -> str:
    text = " ".join(str("" if value is None else value).split()).replace("`", "'")
    return text if len(text) <= SHORT else text[: _whole_character(text, SHORT - 1, 0)] + "…"


def stopped_note(done: Sequence[str] = (), cut: Sequence[str] = (), rest: Sequence[str] = ()) -> str:
    """The last lines of an answer that somebody stopped: what tools had done, what was cut off, what not begun."""
    lines = ["_Stopped. Nothing was changed._" if not (done or cut) else "_Stopped._"]
    heads = ("Done before that", "Cut off, so it may have been done or not", "Not done")
    for head, calls in zip(heads, (done, cut, rest), strict=True):
        more = f" and {len(calls) - MOST_NAMED} more" if len(calls) > MOST_NAMED else ""
        lines += [f"{head}: {'; '.join(calls[:MOST_NAMED])}{more}."] if calls else []
    return "\n\n" + "\n".join(lines)


def failed_note(sentence: str) -> str:
    """The last line of an answer that could not be finished."""
    return f"\n\n⚠️ {sentence}"


def notified(kind: str, message: str, details: str | None) -> Shown:
    """What the agent tells people apart from its answer."""
    icon = {"info": "ℹ️", "warning": "⚠️", "error": "❌", "success": "✅"}.get(kind, "ℹ️")
    text = f"{icon} {safe(message)}" + (f"\n\n{safe(details)}" if details else "")
    [first, *_] = answer_parts(text)
    return first
