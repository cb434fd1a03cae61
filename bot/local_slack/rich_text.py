"""What Slack makes of the text people type: escapes, links, and the same as rich text."""

import re
from typing import Any

from bot.local_slack.refusals import Json

TOKEN = re.compile(r"<(?:[@#!][^<>\s]+|(?:https?://|mailto:)[^<>\s]+?(?:\|[^<>]*)?)>")
ADDRESS = re.compile(r"https?://[^\s<>`|]+[^\s<>`|.,;:!?)\"']")
ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")


def as_slack_writes(text: str) -> str:
    """Escapes & < > outside of <@U…>, <#C…>, <!…> and <https://…>, and turns bare addresses into the latter."""
    parts: list[str] = []
    end = 0
    for match in TOKEN.finditer(text):
        parts += [_plain(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, _plain(text[end:])])


def _plain(text: str) -> str:
    escaped = ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
    return ADDRESS.sub(lambda match: f"<{match.group()}>", escaped)


def rich_text(text: str, block_id: str) -> list[Json]:
    """The rich_text block that stands beside the text of a person's message."""
    elements: list[Any] = []
    end = 0
    for match in TOKEN.finditer(text):
        if match.start() > end:
            elements.append({"type": "text", "text": unescaped(text[end : match.start()])})
        elements.append(_element(match.group()[1:-1]))
        end = match.end()
    if end < len(text):
        elements.append({"type": "text", "text": unescaped(text[end:])})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": block_id, "elements": [section]}]


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _element(token: str) -> Json:
    inside, _, label = token.partition("|")
    if inside.startswith("@"):
        return {"type": "user", "user_id": inside[1:]}
    if inside.startswith("#"):
        return {"type": "channel", "channel_id": inside[1:]}
    if inside.startswith("!"):
        return {"type": "broadcast", "range": inside[1:]}
    return {"type": "link", "url": unescaped(inside), **({"text": unescaped(label)} if label else {})}
