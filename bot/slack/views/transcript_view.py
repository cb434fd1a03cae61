"""A session's transcript within the ticket view, page by page: everything said and done, with its time. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from bot.sessions.archives.entries import gone
from bot.sessions.transcript import JsonObject
from bot.slack.intake.words import as_typed
from bot.slack.views.activity_view import person, when
from bot.slack.views.blocks import Block, button, context, cut, section
from bot.slack.views.paging import paged, typed
from bot.slack.views.rich_text import rich


def transcript(title: str, state: str, entries: Sequence[JsonObject], number: int, back: int) -> list[Block]:
    """A page of a transcript in the form of Sciorex's session files, oldest first; `back` is a page of the sessions."""
    shown, page = paged((group for entry in entries for group in _entry(entry)), number)
    way = button("Back to the sessions", "view_back", str(back))
    turns = page.turns()
    if not entries:
        shown = [context("Nothing was said in it yet.")]
    return [
        section(f"*{cut(title, 200)}* · {cut(state, 60)}"),
        {"type": "actions", "block_id": "back", "elements": [way]},
        *turns[:1],
        *shown,
        *turns[1:],
    ]


def _entry(entry: JsonObject) -> Iterator[list[Block]]:
    """One entry: who, when and what; what is longer than a section stands in several, on several pages if need be."""
    head = context(f"{_who(entry)} · {when(_time(entry.get('timestamp')))}{_marks(entry)}")
    body = (rich if entry.get("role") == "assistant" else typed)(_content(entry))
    yield [head, *body[:1]]
    for more in body[1:]:
        yield [more]


def _who(entry: JsonObject) -> str:
    author = entry.get("author")
    role = entry.get("role")
    if isinstance(author, Mapping):
        name = str(author.get("name") or author.get("id") or "somebody")
        return f"{'🔌' if author.get('bot') else '👤'} *{cut(name, 80)}*"
    if role == "assistant":
        return f"🤖 *{cut(str(entry.get('agentId') or 'agent'), 80)}*"
    if role == "tool_use":
        return f"⚙️ {_tool(entry)} was asked"
    if role == "tool_result":
        failed = " failed" if entry.get("isError") else " answered"
        return f"↳ {_tool(entry)}{failed}"
    by = entry.get("by")
    return "ℹ️" + (f" {person(str(by))}" if by else "")


def _tool(entry: JsonObject) -> str:
    """The tool's own name, as code: underlines in a pair would make it italic."""
    return f"`{cut(str(entry.get('toolName') or 'tool').rpartition('__')[2], 80)}`"


def _marks(entry: JsonObject) -> str:
    marks = [
        word for key, word in (("editedAt", "edited"), ("deletedAt", "deleted"), ("erasedAt", "erased")) if key in entry
    ]
    return "".join(f" · {word}" for word in marks)


def _content(entry: JsonObject) -> str:
    if gone(entry):
        return ""
    role, content = entry.get("role"), str(entry.get("content") or "")
    if role == "user":
        content = as_typed(content)
    if role == "tool_use":
        content = json.dumps(entry.get("toolInput"), ensure_ascii=False, indent=1)
    note, files = entry.get("note"), entry.get("files")
    if role == "system" and note:
        content = f"{content}\n{note}"
    if isinstance(files, list):
        content += "".join(f"\n📎 {_file(file)}" for file in files)
    return content


def _file(file: object) -> str:
    return f"{file.get('name')} {file.get('url') or ''}".strip() if isinstance(file, Mapping) else str(file)


def _time(stamp: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(stamp))
    except ValueError:
        return None
