"""Reads a request the way a person would: who spoke last, which ticket is linked, what tools gave."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.local_model.refusals import blocks_of
from bot.local_model.reply import Json

TICKET_ID = re.compile(r"(?<![\w-])(?:[A-Za-z]{1,5}|#)-\d+\b")
FRAME = re.compile(r"^<linked_ticket>$(.*?)^</linked_ticket>$", re.DOTALL | re.MULTILINE)
CHANGED = "<ticket_changed>"
SPEAKER = re.compile(r"^\[[^\]]*\] [^:\n]*\([^)\n]*\): ")
SUBTASK = re.compile(r"^- \[[ x]\] (?:(\S*\d) )?(.+) \((pending|in_progress|completed)\)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A subtask as the request shows it."""

    title: str
    status: str

    @property
    def topic(self) -> str:
        """The title without its verb: "Add image processing" is about "image processing"."""
        verb, _space, rest = self.title.partition(" ")
        known = {"add", "build", "create", "implement", "make", "update", "write"}
        return rest if rest and verb.lower() in known else self.title


@dataclass(frozen=True)
class SeenTicket:
    """The ticket the request is about, from the linked ticket's context or from a tool's result."""

    id: str
    title: str = ""
    status: str = ""
    description: str = ""
    subtasks: tuple[Step, ...] = ()

    def bullets(self, heading: str) -> tuple[str, ...]:
        """The list items under a heading of the description, check boxes taken off."""
        part = re.search(rf"^#+\s*{heading}[^\n]*\n(.*?)(?=^#|\Z)", self.description, re.S | re.M | re.I)
        found = re.findall(r"^\s*[-*]\s+(?:\[[ xX]\]\s*)?(.+?)\s*$", part.group(1), re.M) if part else []
        return tuple(found)

    def open_steps(self) -> tuple[Step, ...]:
        return tuple(step for step in self.subtasks if step.status != "completed")


@dataclass(frozen=True)
class Result:
    """What the newest tool call of the turn gave back."""

    tool: str  # without the prefix of its server
    input: Json
    text: str
    is_error: bool

    def value(self) -> Json:
        try:
            value = json.loads(self.text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Seen:
    """All that a script needs to know of a request."""

    said: str  # the newest thing a person said, without the speaker's prefix
    ticket: SeenTicket | None
    result: Result | None  # set when the request continues a turn with a tool's result
    answers: tuple[str, ...]  # what the model has said so far in the thread, oldest first
    tools: dict[str, str]  # tool name without prefix -> the name that is offered


def read(request: Json) -> Seen:
    """What stands in a request's system prompt, tools and messages."""
    messages: list[Json] = request["messages"]
    answers = ["\n".join(_texts(m)) for m in messages if m["role"] == "assistant"]
    offered = [tool["name"] for tool in request.get("tools", [])]
    return Seen(
        said=_last_said(messages),
        ticket=_linked(request),
        result=_newest_result(messages),
        answers=tuple(answer for answer in answers if answer),
        tools={name.rpartition("__")[2]: name for name in offered},
    )


def ticket_of(value: Json) -> SeenTicket | None:
    """The ticket in a tool's JSON, at the top or under "ticket"; None when there is none."""
    inner = value.get("ticket", value)
    if not isinstance(inner, dict) or not {"id", "title"} <= inner.keys():
        return None
    return SeenTicket(
        str(inner["id"]),
        str(inner["title"]),
        str(inner.get("status", "")),
        str(inner.get("description") or ""),
        steps_of(inner),
    )


def steps_of(value: Json) -> tuple[Step, ...]:
    """The subtasks in a tool's JSON, with `status` or with `completed`."""
    rows = value.get("subtasks")
    return tuple(_step(row) for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def _step(row: Json) -> Step:
    done = "completed" if row.get("completed") is True else "pending"
    return Step(str(row.get("title", "")), str(row.get("status") or done))


def _linked(request: Json) -> SeenTicket | None:
    """The newest framed ticket; the request may hold it in a message or in the system prompt."""
    found: re.Match[str] | None = None
    for text in _all_texts(request):
        for found in FRAME.finditer(text):  # noqa: B007
            pass
    if found is None:
        return None
    framed = found.group(1)
    heads = dict(re.findall(r"^(Ticket|Title|Status): (.*)$", framed, re.MULTILINE))
    inside = re.search(r"^Description:\n((?:(?:  .*)?\n)*)", framed, re.MULTILINE)
    description = re.sub(r"^  ", "", inside.group(1), flags=re.MULTILINE) if inside else ""
    steps = tuple(Step(title, status) for _id, title, status in SUBTASK.findall(framed))
    return SeenTicket(heads.get("Ticket", ""), heads.get("Title", ""), heads.get("Status", ""), description, steps)


def _all_texts(request: Json) -> Iterator[str]:
    for holder in ({"content": request.get("system", [])}, *request["messages"]):
        yield from _texts(holder)


def _texts(message: Json) -> list[str]:
    return [block["text"] for block in blocks_of(message) if block.get("type") == "text"]


def _last_said(messages: list[Json]) -> str:
    """The last person's message: the last line at the margin, and what is indented below it."""
    for message in reversed(messages):
        if message["role"] != "user":
            continue
        spoken = [text for text in _texts(message) if not FRAME.search(text) and not text.startswith(CHANGED)]
        if spoken:
            last = re.split(r"\n(?=\[)", spoken[-1])[-1]
            return re.sub(r"\n {4}", "\n", SPEAKER.sub("", last)).strip()
    return ""


def _newest_result(messages: list[Json]) -> Result | None:
    blocks = blocks_of(messages[-1])
    if messages[-1]["role"] != "user" or not blocks or blocks[-1].get("type") != "tool_result":
        return None
    calls = {b["id"]: b for m in messages for b in blocks_of(m) if b.get("type") == "tool_use"}
    call, content = calls[blocks[-1]["tool_use_id"]], blocks[-1].get("content") or ""
    text = content if isinstance(content, str) else "\n".join(b.get("text", "") for b in content)
    return Result(call["name"].rpartition("__")[2], call["input"], text, bool(blocks[-1].get("is_error")))
