"""Turns a Reply into the API's message, and into the server-sent events of its stream."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from bot.local_model.reply import Ending, Json, Part, Reply, Text, Thinking, ToolCall
from bot.local_model.usage import tokens

Event = tuple[str, Json]
TOOL_INPUT_PIECE = 24  # characters of a tool's JSON in one delta


def message(reply: Reply, body: Json, usage: Json) -> Json:
    """The whole message, as the API answers it without streaming."""
    content = _blocks(reply, body)
    return _head(body) | {
        "content": content,
        "stop_reason": reply.reason,
        "usage": usage | {"output_tokens": tokens(json.dumps(content)), "service_tier": "standard"},
    }


def events(reply: Reply, body: Json, usage: Json) -> Iterator[Event]:
    """The events of the stream, up to the reply's ending; a BROKEN one is left to the server."""
    whole = message(reply, body, usage)
    start = whole | {"content": [], "stop_reason": None, "usage": whole["usage"] | {"output_tokens": 1}}
    yield "message_start", {"message": start}
    left = None if reply.ending is Ending.WHOLE else reply.after
    for index, (part, block) in enumerate(zip(reply.parts, whole["content"], strict=True)):
        yield "content_block_start", {"index": index, "content_block": _opened(block)}
        if index == 0:
            yield "ping", {}
        for delta in _deltas(part):
            if left == 0:
                return (yield from _cut(reply))
            left = None if left is None else left - 1
            yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    if left is not None:
        return (yield from _cut(reply))
    usage = {k: v for k, v in whole["usage"].items() if k not in ("cache_creation", "service_tier")}
    yield "message_delta", {"delta": {"stop_reason": reply.reason, "stop_sequence": None}, "usage": usage}
    yield "message_stop", {}
    return None


def _cut(reply: Reply) -> Iterator[Event]:
    if reply.ending is Ending.ERROR:
        yield "error", {"error": {"type": "overloaded_error", "message": "Overloaded"}}


def _head(body: Json) -> Json:
    return {
        "id": "msg_" + _mark(body, "message"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "stop_sequence": None,
    }


def _blocks(reply: Reply, body: Json) -> list[Json]:
    return [_block(part, f"toolu_{_mark(body, index)}") for index, part in enumerate(reply.parts)]


def _block(part: Part, tool_use_id: str) -> Json:
    if isinstance(part, ToolCall):
        return {
            "type": "tool_use",
            "id": part.id or tool_use_id,
            "name": part.name,
            "input": part.input,
            "caller": {"type": "direct"},
        }
    if isinstance(part, Thinking):
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    return {"type": "text", "text": part.text if isinstance(part, Text) else part}


def _opened(block: Json) -> Json:
    thinking = {"thinking": "", "signature": ""}
    empty: dict[str, Json] = {"tool_use": {"input": {}}, "thinking": thinking, "text": {"text": ""}}
    return {**block, **empty[block["type"]]}


def _deltas(part: Part) -> Iterator[Json]:
    if isinstance(part, ToolCall):
        yield {"type": "input_json_delta", "partial_json": ""}
        whole = json.dumps(part.input) if part.input else ""
        written = whole if part.written is None else part.written
        for at in range(0, len(written), TOOL_INPUT_PIECE):
            yield {"type": "input_json_delta", "partial_json": written[at : at + TOOL_INPUT_PIECE]}
    elif isinstance(part, Thinking):
        yield {"type": "thinking_delta", "thinking": part.text}
        yield {"type": "signature_delta", "signature": part.signature}
    else:
        text = part if isinstance(part, Text) else Text(part)
        for piece in text.split():
            yield {"type": "text_delta", "text": piece}


def _mark(body: Json, salt: object) -> str:
    """An id that the same request always gets, and no other request of the same thread."""
    return hashlib.sha256(json.dumps([salt, body["messages"]], sort_keys=True).encode()).hexdigest()[:24]
