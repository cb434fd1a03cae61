"""What the real API refuses, the stand-in refuses too, over HTTP and in the API's error shape."""

from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from bot.local_model import LocalModel, in_turn, say

USER = {"role": "user", "content": "Hello"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
CALLED = {"role": "assistant", "content": [CALL]}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}
ANSWERED = {"role": "user", "content": [RESULT]}
SCHEMA = {"type": "object"}
EPHEMERAL = {"cache_control": {"type": "ephemeral"}}


def asking(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 10, "messages": list(messages), **more}


def saying(*blocks: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


TEXT = {"type": "text", "text": "Hi"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": 1, "messages": [USER]}, "model: Field required"),
    ({"model": "m", "messages": [USER]}, "max_tokens: Field required"),
    (asking(), "messages: at least one message is required"),
    (asking(USER, temperature=0.3), "temperature: Extra inputs are not permitted"),
    (asking(saying(TEXT, role="assistant"), USER), 'messages: first message must use the "user" role'),
    (asking(USER, saying(TEXT, role="assistant")), "does not support assistant message prefill"),
    (asking({"role": "user", "content": ""}), "must have non-empty content"),
    (asking({"role": "user", "content": []}), "must have non-empty content"),
    (asking(saying({"type": "text", "text": ""})), "text content blocks must be non-empty"),
    (asking(saying({"type": "text", "text": " \n"})), "must contain non-whitespace text"),
    (
        asking(USER, CALLED, USER),
        "`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1",
    ),
    (asking(USER, CALLED, saying(TEXT, RESULT)), "`tool_use` ids were found without `tool_result` blocks"),
    (asking(USER, ANSWERED), "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
    (asking(USER, CALLED, saying(RESULT, RESULT)), "each tool_use must have a single result"),
    (asking(USER, CALLED, ANSWERED, CALLED, ANSWERED), "`tool_use` ids must be unique"),
    (asking(USER, CALLED, saying(RESULT | {"content": "", "is_error": True})), "cannot be empty if `is_error`"),
    (
        asking(USER, tools=[{"name": "look.at", "input_schema": SCHEMA}]),
        "tools.0.custom.name: String should match",
    ),
    (
        asking(USER, tools=[{"name": "a" * 129, "input_schema": SCHEMA}]),
        "tools.0.custom.name: String should match",
    ),
    (asking(USER, tools=[{"name": "a", "input_schema": SCHEMA}] * 2), "Tool names must be unique"),
    (asking(USER, tools=[{"name": "a"}]), "input_schema: Field required"),
    (asking(USER, system=[{"type": "text", "text": ""}]), "system: text content blocks must be non-empty"),
    (
        asking(saying(*[TEXT | EPHEMERAL] * 5)),
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    (
        asking(USER, saying({"type": "thinking", "thinking": "…", "signature": "s"}, role="assistant"), USER),
        "final block in an assistant message cannot be `thinking`",
    ),
]


@pytest.mark.parametrize(("body", "why"), REFUSED, ids=[why[:50] for _body, why in REFUSED])
async def test_what_the_real_api_refuses_is_refused(body: dict[str, Any], why: str) -> None:
    status, answer = await _post(body)
    assert (status, answer["type"], answer["error"]["type"]) == (400, "error", "invalid_request_error")
    assert why in answer["error"]["message"]


async def test_a_lone_surrogate_is_refused_as_the_api_does() -> None:
    status, answer = await _post(
        b'{"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "\\ud800"}]}'
    )
    assert status == 400
    assert "no low surrogate" in answer["error"]["message"]


async def test_what_is_not_json_is_refused() -> None:
    status, answer = await _post(b"{")
    assert (status, answer["error"]["message"]) == (400, "The request body is not valid JSON.")


@pytest.mark.parametrize(
    "body",
    [
        asking(USER, CALLED, ANSWERED),
        asking(USER, USER),
        asking(USER, CALLED, saying(RESULT, TEXT)),
        asking(USER, CALLED, ANSWERED, USER),
        asking(
            saying(TEXT | EPHEMERAL),
            system="Be brief.",
            tools=[{"name": "mcp__s-t__look", "input_schema": SCHEMA}],
        ),
    ],
)
async def test_what_the_real_api_takes_is_taken(body: dict[str, Any]) -> None:
    status, _answer = await _post(body)
    assert status == 200


async def test_the_sdk_raises_its_own_error_for_a_refusal() -> None:
    server = LocalModel(in_turn(say("no")))
    await server.start()
    async with AsyncAnthropic(api_key="k", base_url=server.url, max_retries=0) as client:
        with pytest.raises(anthropic.BadRequestError) as raised:
            await client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": ""}])
    await server.stop()
    assert raised.value.type == "invalid_request_error"


async def _post(body: dict[str, Any] | bytes) -> tuple[int, dict[str, Any]]:
    server = LocalModel(in_turn(say("Yes.")))
    await server.start()
    headers = {"x-api-key": "k", "anthropic-version": "2023-06-01", "content-type": "application/json"}
    async with httpx2.AsyncClient() as http:
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = await http.post(f"{server.url}/v1/messages", headers=headers, **sent)
    await server.stop()
    return answer.status_code, answer.json()
