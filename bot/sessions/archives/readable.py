"""A transcript for people's eyes: who said what and when, in plain words; what Markdown and HTML are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Object = Mapping[str, object]
TITLE = "Session without a title"
DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")  # turns text round, so that it reads as what it is not
MARK = re.compile(r"<(?:([@#!])([^<>|]+)|([a-zA-Z][\w+.-]*:[^<>|]+))(?:\|([^<>]*))?>")
ADDRESS = re.compile(r"https?://[^\s<>\"'`]+")
TRAILING = ".,;:!?)]}…»”’*_"  # what ends a sentence, not an address
MARKS = (("editedAt", "edited"), ("deletedAt", "deleted"), ("erasedAt", "erased on request"))
KINDS = {"user": "person", "assistant": "agent", "tool_use": "tool", "tool_result": "result", "system": "event"}


@dataclass(frozen=True)
class Spoken:
    """One entry. `kind`: person, bot, agent, tool, result, event; `code` is JSON or a tool's answer, as it came."""

    id: str
    kind: str
    who: str
    when: str
    text: str
    code: str = ""
    files: tuple[tuple[str, str], ...] = ()  # (name, address)
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A transcript: its title, facts about it, and its entries."""

    title: str
    facts: tuple[tuple[str, str], ...]
    entries: tuple[Spoken, ...]


def page_of(content: Object) -> Page:
    """The transcript as people read it; what is not as it should be is shown as it is."""
    messages = content.get("messages")
    found = [one for one in messages if isinstance(one, Mapping)] if isinstance(messages, list) else []
    names = _names(found)
    title = " ".join(text_of(content.get("title")).split()) or TITLE
    return Page(title, tuple(_facts(content, found, names)), tuple(_spoken(one, names) for one in found))


def text_of(value: object) -> str:
    """A value as a text: itself, or as JSON; without what would turn it round."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return DIRECTION.sub("", text)


def moment(value: object) -> str:
    """A time as people read it."""
    text = text_of(value)
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z", text)
    return f"{match[1]} {match[2]} UTC" if match else text


def plain(text: str, names: Mapping[str, str]) -> str:
    """What somebody wrote in Slack, in plain words: people by name, links as words with their address behind them."""

    def shown(match: re.Match[str]) -> str:
        sign, what, label = match[1], match[2] or match[3], match[4]
        if sign == "@":
            return "@" + (names.get(what) or label or what)
        if sign == "#":
            return "#" + (label or what)
        if sign == "!":
            return (label or what.split("^")[0]) if "^" in what else f"@{what}"
        return f"{label} ({what})" if label and label != what else what

    return MARK.sub(shown, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def parts_of(text: str) -> Iterator[tuple[str, bool]]:
    """The text in parts: words, and addresses of the web (True)."""
    end = 0
    for match in ADDRESS.finditer(text):
        address = match[0].rstrip(TRAILING)
        yield text[end : match.start()], False
        yield address, True
        end = match.start() + len(address)
    yield text[end:], False


def _facts(content: Object, messages: Sequence[Object], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "Session", text_of(content.get("id"))
    for label, key in (("Ticket", "linkedTicketId"), ("Epic", "linkedEpicId"), ("Status", "status")):
        if content.get(key):
            yield label, text_of(content[key])
    if content.get("references"):
        named = content["references"]
        yield "Related", ", ".join(map(text_of, named)) if isinstance(named, list) else text_of(named)
    yield "Started", _by(content.get("startedAt"), content.get("startedBy"), names)
    if content.get("archivedAt"):
        yield "Archived", _by(content["archivedAt"], content.get("archivedBy"), names)
    if content.get("note"):
        yield "Note", text_of(content["note"])
    for label, key in (("Agent", "agentId"), ("Model", "model")):
        if content.get(key):
            yield label, text_of(content[key])
    usage = content.get("usage")
    if isinstance(usage, Mapping) and usage:
        yield "Tokens", ", ".join(f"{text_of(count)} {text_of(kind)}" for kind, count in usage.items())
    yield "Entries", str(len(messages))
    chain = content.get("chain")
    if isinstance(chain, Mapping):
        yield "Chain ends with", text_of(chain.get("head"))


def _by(at: object, by: object, names: Mapping[str, str]) -> str:
    return moment(at) + (f", by {names.get(text_of(by), text_of(by))}" if by else "")


def _names(messages: Sequence[Object]) -> dict[str, str]:
    names: dict[str, str] = {}
    for one in messages:
        author = one.get("author")
        if isinstance(author, Mapping) and isinstance(author.get("id"), str) and isinstance(author.get("name"), str):
            names[author["id"]] = author["name"]
    return names


def _spoken(one: Object, names: Mapping[str, str]) -> Spoken:
    role, text = text_of(one.get("role")), text_of(one.get("content"))
    kind, who, code = KINDS.get(role, "event"), role, ""
    author = one.get("author")
    if kind == "person":
        given = author if isinstance(author, Mapping) else {}
        kind = "bot" if given.get("bot") else "person"
        who, text = text_of(given.get("name")) or text_of(given.get("id")) or role, plain(text, names)
    elif kind == "agent":
        who = " · ".join(filter(None, (text_of(one.get("agentId")) or role, text_of(one.get("model")))))
    elif kind == "tool":
        who, code, text = text_of(one.get("toolName")) or text, text_of(one.get("toolInput")), ""
    elif kind == "result":
        who, code, text = text_of(one.get("toolName")) or role, text, ""
    elif one.get("by"):
        who = names.get(text_of(one["by"]), text_of(one["by"]))
    notes = [text_of(one["note"])] if one.get("note") else []
    shown = [f"Shown: {text_of(one['shown'])}"] if one.get("shown") else []
    return Spoken(
        id=text_of(one.get("id")),
        kind=kind,
        who=" ".join(who.split()),
        when=moment(one.get("timestamp")),
        text="\n".join(filter(None, (text, *notes, *shown))),
        code=code,
        files=tuple(_files(one.get("files"))),
        marks=tuple(_marks(one)),
    )


def _files(files: object) -> Iterator[tuple[str, str]]:
    for file in files if isinstance(files, list) else ():
        if isinstance(file, Mapping):
            yield text_of(file.get("name")) or "file", text_of(file.get("url"))


def _marks(one: Object) -> Iterator[str]:
    for key, word in MARKS:
        if one.get(key):
            yield f"{word} {moment(one[key])}"
    if one.get("isError"):
        yield "failed"
    state = one.get("state")
    if state in ("unknown", "cancelled"):
        yield text_of(state)
    usage = one.get("usage")
    if isinstance(usage, Mapping) and usage:
        yield "tokens: " + ", ".join(f"{text_of(count)} {text_of(kind)}" for kind, count in usage.items())
