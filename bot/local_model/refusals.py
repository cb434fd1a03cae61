"""What the real Messages API refuses with status 400, in its words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from bot.local_model.reply import Json, Refusal

TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
TOOL_USE_ID = re.compile(r"^[a-zA-Z0-9_-]+$")
MOST_CACHE_BREAKPOINTS = 4
LEAST_THINKING = 1_024
KEYS = frozenset(
    {"cache_control", "container", "diagnostics", "inference_geo", "max_tokens", "messages", "metadata", "model"}
    | {"output_config", "service_tier", "speed", "stop_sequences", "stream", "system", "thinking"}
    | {"tool_choice", "tools"}
)


class Refused(Exception):
    """The request is not one the API would take."""


def refusal_of(body: object, *, counting: bool = False) -> Refusal | None:
    """The refusal this body earns, or None; `counting` for count_tokens, which needs no max_tokens."""
    try:
        if not isinstance(body, dict):
            raise Refused("The request body is not valid JSON.")
        _check_top(body, counting)
        _check_system(body.get("system", []))
        _check_tools(body.get("tools", []))
        _check_messages(body["messages"])
        _check_thinking(body, counting)
        _check_breakpoints(body)
    except Refused as refused:
        return Refusal(400, "invalid_request_error", str(refused))
    return None


def blocks_of(message: Json) -> list[Json]:
    """A message's content as blocks: a bare string stands for one block of text."""
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or [])


def _check_top(body: Json, counting: bool) -> None:
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Refused("The request body is not valid JSON: no low surrogate in string") from None
    needed = {"model": str, "messages": list} | ({} if counting else {"max_tokens": int})
    for key, kind in needed.items():
        if key not in body:
            raise Refused(f"{key}: Field required")
        if not isinstance(body[key], kind) or isinstance(body[key], bool):
            raise Refused(f"{key}: Input should be a valid {kind.__name__}")
    if not counting and body["max_tokens"] < 1:
        raise Refused("max_tokens: Input should be greater than or equal to 1")
    for key in body:
        if key not in KEYS:
            raise Refused(f"{key}: Extra inputs are not permitted")


def _check_thinking(body: Json, counting: bool) -> None:
    thinking = body.get("thinking")
    if thinking is None or thinking == {"type": "disabled"}:
        return
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled":
        raise Refused("thinking.type: Input should be 'enabled' or 'disabled'")
    budget = thinking.get("budget_tokens")
    if not isinstance(budget, int) or budget < LEAST_THINKING:
        raise Refused(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_THINKING}")
    if not counting and budget >= body["max_tokens"]:
        raise Refused("`max_tokens` must be greater than `thinking.budget_tokens`")
    results = [block for block in blocks_of(body["messages"][-1]) if block.get("type") == "tool_result"]
    said = [blocks_of(message) for message in body["messages"] if message["role"] == "assistant"]
    if results and said and said[-1][0].get("type") not in ("thinking", "redacted_thinking"):
        raise Refused(
            "messages: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled,"
            " a final `assistant` message must start with a thinking block."
        )


def _check_system(system: object) -> None:
    if isinstance(system, str):
        return
    if not isinstance(system, list):
        raise Refused("system: Input should be a valid list")
    for n, block in enumerate(system):
        if not isinstance(block, dict) or block.get("type") != "text":
            raise Refused(f"system.{n}.type: Input should be 'text'")
        if not block.get("text"):
            raise Refused("system: text content blocks must be non-empty")


def _check_tools(tools: object) -> None:
    if not isinstance(tools, list):
        raise Refused("tools: Input should be a valid list")
    names: set[str] = set()
    for n, tool in enumerate(tools):
        name, schema = tool.get("name"), tool.get("input_schema")
        if not isinstance(name, str) or not TOOL_NAME.match(name):
            raise Refused(f"tools.{n}.custom.name: String should match pattern '{TOOL_NAME.pattern}'")
        if name in names:
            raise Refused("tools: Tool names must be unique.")
        if not isinstance(schema, dict):
            raise Refused(f"tools.{n}.custom.input_schema: Field required")
        if schema.get("type") != "object":
            raise Refused(f"tools.{n}.custom.input_schema.type: Input should be 'object'")
        names.add(name)


def _check_messages(messages: list[Json]) -> None:
    if not messages:
        raise Refused("messages: at least one message is required")
    for n, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant", "system"):
            raise Refused(f'messages.{n}.role: Input should be "user", "assistant" or "system"')
        _check_content(n, message)
    if messages[0]["role"] != "user":
        raise Refused('messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant":
        raise Refused(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    _check_pairs(messages)


def _check_content(n: int, message: Json) -> None:
    blocks = blocks_of(message)
    if not blocks or message["content"] == "":
        raise Refused(f"messages.{n}: all messages must have non-empty content")
    for i, block in enumerate(blocks):
        kind, where = block.get("type"), f"messages.{n}.content.{i}"
        if kind == "text":
            _check_text(block, where)
        elif kind == "tool_use":
            _check_tool_use(block, where)
        elif kind == "tool_result" and block.get("is_error") and not block.get("content"):
            raise Refused(f"{where}.tool_result: content cannot be empty if `is_error` is true")
        elif kind == "thinking" and not block.get("signature"):
            raise Refused(f"{where}.thinking.signature: Field required")
        elif kind not in ("tool_result", "thinking", "redacted_thinking", "image", "document"):
            raise Refused(f"{where}: Input tag '{kind}' does not match any of the expected tags")
    if message["role"] == "assistant" and blocks[-1].get("type") in ("thinking", "redacted_thinking"):
        raise Refused(f"messages.{n}: The final block in an assistant message cannot be `thinking`.")


def _check_text(block: Json, where: str) -> None:
    text = block.get("text")
    if not isinstance(text, str):
        raise Refused(f"{where}.text.text: Field required")
    if not text:
        raise Refused("messages: text content blocks must be non-empty")
    if not text.strip():
        raise Refused("messages: text content blocks must contain non-whitespace text")


def _check_tool_use(block: Json, where: str) -> None:
    if not TOOL_USE_ID.match(str(block.get("id", ""))):
        raise Refused(f"{where}.tool_use.id: String should match pattern '{TOOL_USE_ID.pattern}'")
    if not TOOL_NAME.match(str(block.get("name", ""))):
        raise Refused(f"{where}.tool_use.name: String should match pattern '{TOOL_NAME.pattern}'")
    if not isinstance(block.get("input"), dict):
        raise Refused(f"{where}.tool_use.input: Input should be a valid dictionary")


def _check_pairs(messages: list[Json]) -> None:
    """Every tool_use is answered at the head of the next message, once, and nothing else is answered."""
    seen: set[str] = set()
    open_ids: list[str] = []
    for n, role, blocks in _turns(messages):
        answered = [b["tool_use_id"] for b in blocks if b.get("type") == "tool_result"]
        at_the_head = [b["tool_use_id"] for b in blocks[: len(answered)] if b.get("type") == "tool_result"]
        for i, tool_use_id in enumerate(answered):
            if role != "user" or tool_use_id not in open_ids:
                raise Refused(
                    f"messages.{n}.content.{i}: unexpected `tool_use_id` found in `tool_result` blocks:"
                    f" {tool_use_id}. Each `tool_result` block must have a corresponding `tool_use` block in the"
                    " previous message."
                )
        if len(set(answered)) != len(answered):
            raise Refused(f"messages.{n}: each tool_use must have a single result.")
        missing = [i for i in open_ids if i not in at_the_head]
        if missing:
            raise Refused(
                f"messages.{n - 1}: `tool_use` ids were found without `tool_result` blocks immediately after:"
                f" {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in"
                " the next message."
            )
        open_ids = [b["id"] for b in blocks if b.get("type") == "tool_use"]
        if len(set(open_ids)) != len(open_ids) or seen & set(open_ids):
            raise Refused(f"messages.{n}: `tool_use` ids must be unique")
        if open_ids and role != "assistant":
            raise Refused(f"messages.{n}: `tool_use` blocks can only be in `assistant` messages")
        seen.update(open_ids)


def _turns(messages: list[Json]) -> Iterator[tuple[int, str, list[Json]]]:
    """Messages with neighbours of one role combined, as the API combines them; n is the last one's number."""
    at = 0
    while at < len(messages):
        role, blocks = messages[at]["role"], blocks_of(messages[at])
        while at + 1 < len(messages) and messages[at + 1]["role"] == role:
            at += 1
            blocks += blocks_of(messages[at])
        yield at, role, blocks
        at += 1


def _check_breakpoints(body: Json) -> None:
    system = body.get("system")
    blocks: list[Json] = [*body.get("tools", []), *(system if isinstance(system, list) else [])]
    for message in body["messages"]:
        blocks += blocks_of(message)
    marked = [block for block in blocks if block.get("cache_control")]
    if any(block.get("type") in ("thinking", "redacted_thinking") for block in marked):
        raise Refused("messages: `cache_control` is not allowed on thinking blocks")
    if any(block["cache_control"].get("type") != "ephemeral" for block in marked):
        raise Refused("cache_control.type: Input should be 'ephemeral'")
    if len(marked) > MOST_CACHE_BREAKPOINTS:
        raise Refused(f"A maximum of 4 blocks with cache_control may be provided. Found {len(marked)}.")
