"""What an outside server offers and gives back, fit for the model: usable tools, results of bounded length. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from mcp.types import CallToolResult, EmbeddedResource, ResourceLink, TextContent, TextResourceContents, Tool

from bot.mcp_servers.server import UNKNOWN

MOST_TOOLS = 128  # of one server
LONGEST_RESULT, LONGEST_DESCRIPTION, LONGEST_SCHEMA = 60_000, 4_000, 40_000
TOOL_NAME, PROPERTY_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}"), re.compile(r"[A-Za-z0-9_.-]{1,64}")
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # what neither database nor API takes


def usable(tool: Tool) -> Tool:
    """The tool as the model can be offered it. Raises ValueError, with what is wrong with it."""
    if not TOOL_NAME.fullmatch(tool.name):
        raise ValueError("its name is not 1 to 64 letters, digits, _ or -")
    schema = {"type": "object", **tool.input_schema}
    if schema["type"] != "object":
        raise ValueError("its arguments are no object")
    if found := sorted({"oneOf", "anyOf", "allOf"} & schema.keys()):
        raise ValueError(f"its arguments are chosen by {found[0]}, which the model's API does not take")
    if len(json.dumps(schema)) > LONGEST_SCHEMA:
        raise ValueError("its schema is too long")
    _valid(schema)
    properties = schema.get("properties") or {}
    if odd := [name for name in properties if not PROPERTY_NAME.fullmatch(name)]:
        raise ValueError(f"its argument {odd[0][:40]!r} has a name that the model's API does not take")
    said = clean(tool.description or "")[:LONGEST_DESCRIPTION]
    return tool.model_copy(update={"input_schema": schema, "description": said})


def bounded(result: CallToolResult, note: str = "") -> CallToolResult:
    """All texts of a result in one, as much as the model is given; what is no text is counted."""
    texts = list(_texts(result))
    others = len(result.content) - len(texts)
    text = "\n".join(texts) if texts or others else json.dumps(result.structured_content or {}, ensure_ascii=False)
    text = clean(text)
    if len(text) > LONGEST_RESULT:
        text = f"{text[:LONGEST_RESULT]}… (cut: the result is longer)"
    left_out = f"({others} parts of the result are no text and are left out)" if others else ""
    return _result("\n".join(filter(None, (text, left_out, note))), is_error=bool(result.is_error))


def failed(text: str, *, unknown: bool = False) -> CallToolResult:
    """A call that came to nothing, or of which nobody knows what came, as the model reads it."""
    result = _result(clean(text)[:LONGEST_RESULT], is_error=True)
    return result.model_copy(update={"meta": {UNKNOWN: True}}) if unknown else result


def clean(text: str) -> str:
    """The text without signs that cannot be stored."""
    return UNSPEAKABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _result(text: str, *, is_error: bool) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], is_error=is_error)


def _texts(result: CallToolResult) -> Iterator[str]:
    for part in result.content:
        if isinstance(part, TextContent):
            yield part.text
        elif isinstance(part, EmbeddedResource) and isinstance(part.resource, TextResourceContents):
            yield part.resource.text
        elif isinstance(part, ResourceLink):
            yield f"{part.title or part.name}: {part.uri}"


def _valid(schema: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator, SchemaError  # type: ignore[import-untyped,unused-ignore]

    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError):
        raise ValueError("its schema is no valid JSON Schema") from None
    if re.search(r'"\$(?:dynamicRef|ref)": "(?!#)', json.dumps(schema)):
        raise ValueError("its schema refers to another document")
