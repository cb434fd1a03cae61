"""What the model writes, made harmless for Slack, cut into messages, and joined with the tools it called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PART = 3_800  # characters of one message of an answer: chat.update takes 4,000 of text
SHORT = 60
ZERO_WIDTH = "\u200b"
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
IMAGE_OR_LINK = re.compile(r"!?\[([^\]\n]*)\]\(\s*<?([^)\s>]*)>?[^)\n]*\)")
ANGLE = re.compile(r"<(?=[!@#/a-zA-Z])")
BROADCAST = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
ADDRESS = re.compile(r"(?:https?|mailto):", re.IGNORECASE)

Piece = tuple[Any, ...]  # ("text", str) or ("tool", name, input, "started" | "done" | "failed")


@dataclass(frozen=True)
class Shown:
    """What a message shows: blocks for the eye, text for notifications and screen readers."""

    text: str
    blocks: list[dict[str, Any]]

    def as_want(self) -> dict[str, Any]:
        """As Slack's methods take it."""
        return {"text": self.text, "blocks": self.blocks}


def safe(text: str) -> str:
    """The model's Markdown without anything that pings, shows an image, or hides where a link goes.

    Source: Slack's advice on untrusted output (slack-facts 22). Code is kept as it is but for mentions.
    """
    out, end = [], 0
    for code in CODE.finditer(text):
        out += [_safe_prose(text[end : code.start()]), _no_mentions(code[0])]
        end = code.end()
    return "".join([*out, _safe_prose(text[end:])])


def _safe_prose(text: str) -> str:
    return _no_mentions(IMAGE_OR_LINK.sub(_open_link, text))


def _no_mentions(text: str) -> str:
    """`<!channel>`, `<@U…>` and the like as plain text, for the eye the same."""
    return BROADCAST.sub("@" + ZERO_WIDTH, ANGLE.sub("<" + ZERO_WIDTH, text))


def _open_link(match: re.Match[str]) -> str:
    """A link, or an image, as its words and its real address side by side."""
    label, address = match[1].strip(), match[2]
    if not ADDRESS.match(address) or label == address:
        return f"{label} ({address})" if label != address else address
    return f"{label} ({address})" if label else address


def plain(text: str) -> str:
    """A text for a message's `text`: nothing in it is taken for Slack's own marks."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped if len(escaped) <= 3_900 else escaped[:3_899] + "…"


def answer_text(pieces: Sequence[Piece]) -> str:
    """The whole answer as Markdown. Pieces only add to it at its end, so that it can be streamed."""
    out = ""
    for piece in pieces:
        if piece[0] == "text":
            out += safe(piece[1])
        else:
            out += ("\n\n" if out and not out.endswith("\n") else "") + tool_line(*piece[1:])
    return out


def answer_parts(text: str) -> list[Shown]:
    """The answer as the messages that shall stand in the thread."""
    return [
        Shown(plain(part), [{"type": "markdown", "text": part}]) for part in split(text.strip() or "(no answer)", PART)
    ]


def split(text: str, size: int) -> list[str]:
    """Cuts a text at paragraphs, lines or words; a code block that is cut is closed and opened again."""
    parts: list[str] = []
    while len(text) > size:
        room = size - 8
        cut = next((at for mark in ("\n\n", "\n", " ") if (at := text.rfind(mark, room // 2, room)) > 0), room)
        head, text = text[:cut], text[cut:].lstrip("\n")
        if head.count("```") % 2:
            head, text = head + "\n```", "```\n" + text
        parts.append(head.rstrip())
    return [*parts, text]


def tool_line(name: str, given: Mapping[str, Any], state: str) -> str:
    """One line for a tool call; the line of a started call is the beginning of that of the ended one."""
    end = {"started": "", "done": " ✓\n\n", "failed": " ✗\n\n"}[state]
    return f"> ⚙️ {_doing(name.rsplit('sciorex_', 1)[-1], given)}{end}"


def _doing(tool: str, given: Mapping[str, Any]) -> str:
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
    text = safe(" ".join(str("" if value is None else value).split())).replace("`", "'")
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"


def stopped_note() -> str:
    """The last line of an answer that somebody stopped."""
    return "\n\n_Stopped. What stands above was done; the rest was not._"


def failed_note(sentence: str) -> str:
    """The last line of an answer that could not be finished."""
    return f"\n\n⚠️ {sentence}"
