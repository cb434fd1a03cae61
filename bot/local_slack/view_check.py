"""What Slack demands of a view: a modal or a home tab."""

import json
from collections.abc import Iterator
from typing import Any

from bot.local_slack.blocks_check import block_problems
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.text_check import Problem, string_problems, text_problems

VIEW_BYTES = 250_000


def checked_view(view: Any, kind: str) -> Json:
    """The view, when Slack would take it; else invalid_arguments with every problem, or view_too_large."""
    if not isinstance(view, dict):
        raise Refused("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: view"]})
    if len(json.dumps(view)) > VIEW_BYTES:
        raise Refused("view_too_large")
    refuse(view_problems(view, kind), "invalid_arguments")
    return view


def view_problems(view: Json, kind: str) -> Iterator[Problem]:
    if view.get("type") != kind:
        yield f"must be {kind}", "/view/type"
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        yield "missing required field: blocks", "/view"
    yield from block_problems(blocks or [], kind, "/view/blocks")
    yield from string_problems(view.get("private_metadata"), "/view/private_metadata", 3000, least=0, required=False)
    yield from string_problems(view.get("callback_id"), "/view/callback_id", 255, least=0, required=False)
    yield from string_problems(view.get("external_id"), "/view/external_id", 255, least=0, required=False)
    if kind == "modal":
        yield from text_problems(view.get("title"), "/view/title", 24, plain=True)
        yield from text_problems(view.get("submit"), "/view/submit", 24, plain=True, required=False)
        yield from text_problems(view.get("close"), "/view/close", 24, plain=True, required=False)
        inputs = any(isinstance(row, dict) and row.get("type") == "input" for row in blocks or [])
        if inputs and not view.get("submit"):
            yield "missing required field: submit (a view with an input block needs it)", "/view"
    elif view.get("submit") or view.get("close"):
        yield "invalid additional property: a home tab has neither submit nor close", "/view"


def refuse(problems: Iterator[Problem], error: str) -> None:
    """Raises the error with Slack's wording for each problem; returns when there is none."""
    found = [f"{what} [json-pointer:{at}]" for what, at in problems]
    if found:
        messages = [f"[ERROR] {text}" for text in found]
        raise Refused(error, errors=found, response_metadata={"messages": messages})
