"""Takes a step's tool calls one by one: run, asked about first, waited for, or refused; each leaves its row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mcp.types import CallToolResult, ElicitResult, InputRequiredResult, TextContent

from bot.agent.answer import UNREADABLE
from bot.agent.permissions import Mode, must_ask, same_change
from bot.agent.toolbox import Offered, Toolbox
from bot.definitions.agents import Agent
from bot.inbox.claim import Claim
from bot.mcp_servers.caller import ACTOR, MOVED, OP, READ
from bot.mcp_servers.reads import read_in
from bot.mcp_servers.server import UNKNOWN
from bot.sessions import transcript
from bot.sessions.questions import Ask, Question, follow, questions_of_turn
from bot.sessions.session import get_session
from bot.sessions.transcript import CUT_OFF, JsonObject, ToolCall, Turn

TOOL_SECONDS = 180.0  # a tool of ours that has not answered by then is given up; outside servers have their own limit
LONGEST_RESULT = 60_000  # characters of a result that the model is given
EXPIRED = "Not done: nobody decided in time. Ask the person what they want before you try again."
NO_JSON = "Not run: the input of this call was no valid JSON object. Write it once more."
HANGS = "The tool did not answer in time. It may have been done or not: look before you do it again."


class Drawn(Protocol):
    """Draws a call while it runs; it may be lost."""

    async def tool(self, call: ToolCall) -> None: ...


@dataclass(frozen=True)
class Rehearsal:
    """What a call would do: `shown` for whoever is to approve it (with the `revision` it is bound to), or why it
    would be refused in any case, or that it would change nothing."""

    shown: JsonObject
    refusal: str | None = None
    nothing: bool = False


@dataclass(frozen=True)
class Gate:
    """What stands between a call and its tool. `mode` counts where nobody chose one; `who_may` decide.

    `done` gives the result of a call that a crash cut off, where it was done and cannot be made again.
    """

    mode: Mode
    who_may: tuple[str, ...]
    rehearse: Callable[[Offered, ToolCall, Mapping[str, Any]], Awaitable[Rehearsal]]
    before: Callable[[Offered, ToolCall], Awaitable[JsonObject | None]]
    done: Callable[[Offered, ToolCall], Awaitable[str | None]]
    refused: Callable[[ToolCall, Question], Awaitable[None]]


@dataclass(frozen=True)
class Calling:
    """What the calls of a turn work with."""

    claim: Claim
    turn: Turn
    agent: Agent
    tools: Toolbox
    gate: Gate
    acting: Mapping[str, Any]
    now_ms: Callable[[], int]
    drawn: Drawn


@dataclass(frozen=True)
class Taken:
    """What became of a step's calls: what is to be asked now, and whether any of them waits."""

    asks: tuple[Ask, ...] = ()
    waits: bool = False


async def take(work: Calling, calls: Sequence[ToolCall], read: Mapping[str, str]) -> Taken:
    """Runs what may run, in order; asks about the rest. A call that waits does not hold up those beside it."""
    asked = await work.claim.look(lambda c: questions_of_turn(c, work.turn.id))
    asks: list[Ask] = []
    waits, known = False, dict(read)
    for call in calls:
        question = asked.get(call.op)
        if question is not None and question.state == "open":
            waits = True
            continue
        took = await _one(work, call, question, known)
        if isinstance(took, Ask):
            asks.append(took)
            continue
        known |= read_in(took)
        if question is not None:  # what it changed may be what others are bound to
            asked = await work.claim.look(lambda c: questions_of_turn(c, work.turn.id))
    return Taken(tuple(asks), waits or bool(asks))


async def _one(work: Calling, call: ToolCall, question: Question | None, read: Mapping[str, str]) -> str | Ask:
    """The result of one call, saved; or what must be asked before there can be one."""
    offered = work.tools.tools.get(call.name)
    if offered is None:
        why = " ".join((f"There is no tool {call.name} here.", *work.tools.down))
        return await _end(work, call, why, failed=True)
    if UNREADABLE in call.input:
        return await _end(work, call, NO_JSON, failed=True)
    if question is not None and question.state != "answered":
        return await _end(work, call, EXPIRED, failed=True)
    if call.state == "started" and not offered.repeatable:
        return await _end(work, call, CUT_OFF, failed=True, state="unknown")
    if call.state == "started" and (done := await work.gate.done(offered, call)) is not None:
        return await _end(work, call, done, failed=False)
    meta = {**work.acting, OP: call.op, READ: dict(read)}
    if question is not None and question.kind == "approval":
        if not question.approved:
            await work.gate.refused(call, question)
            return await _end(work, call, _refused(question), failed=True)
        return await _approved(work, call, offered, question, meta)
    session = await work.claim.look(lambda c: get_session(c, work.turn.session_id))
    mode = Mode(session.mode) if session.mode else work.gate.mode
    if question is None and must_ask(work.agent, mode, offered, json.loads(session.allowed)):
        rehearsal = await work.gate.rehearse(offered, call, meta)
        if rehearsal.refusal is not None:
            return await _end(work, call, rehearsal.refusal, failed=True)
        if not rehearsal.nothing:
            return Ask(call.op, "approval", rehearsal.shown, work.gate.who_may)
    return await _run(work, call, offered, meta, question)


async def _approved(
    work: Calling, call: ToolCall, offered: Offered, question: Question, meta: Mapping[str, Any]
) -> str | Ask:
    """Runs what a person approved, if it is still what they saw; else they are asked again."""
    if call.state != "started":
        now = await work.gate.rehearse(offered, call, meta)
        if now.refusal is not None:
            return await _end(work, call, now.refusal, failed=True)
        if not _as_approved(question, now):
            return Ask(call.op, "approval", {**now.shown, "again": True}, work.gate.who_may)
    actor = {**dict(work.acting.get(ACTOR) or {}), "approvedBy": question.by}
    return await _run(work, call, offered, {**meta, ACTOR: actor}, None)


def _as_approved(question: Question, now: Rehearsal) -> bool:
    """Whether the ticket is as the person saw it, or differs by what other approved calls of this turn did alone, and
    the change is the same."""
    if now.shown.get("revision") != question.revision:
        return False
    return not question.followed or same_change(question.shown, now.shown)


async def _run(
    work: Calling, call: ToolCall, offered: Offered, meta: Mapping[str, Any], question: Question | None
) -> str | Ask:
    """One call, and its result; its op makes a second run of the same call change nothing (durability).

    That it begins is written down where it matters to whoever comes after a crash: before it may change something.
    """
    began = work.now_ms()
    if offered.writes:
        before = await work.gate.before(offered, call)
        await work.claim.write("tool started", lambda c: transcript.start_tool(c, call.op, began, before))
    await work.drawn.tool(call)
    answers, state = _given(question)
    limit = None if offered.server.outside else TOOL_SECONDS
    try:
        async with asyncio.timeout(limit):
            result = await offered.server.call(offered.tool.name, call.input, meta=meta, answers=answers, state=state)
    except TimeoutError:
        return await _end(work, call, HANGS, failed=True, state="unknown", began=began)
    if isinstance(result, InputRequiredResult):
        return Ask(call.op, *_wanted(offered, call, result), work.gate.who_may)
    said = result.meta or {}
    if offered.of_tickets and (moved := said.get(MOVED)):
        await work.claim.write("approvals follow", lambda c: follow(c, work.turn.id, *moved))
    state = "unknown" if said.get(UNKNOWN) else "done"
    return await _end(work, call, _text(result), failed=bool(result.is_error), state=state, began=began)


async def _end(
    work: Calling, call: ToolCall, result: str, *, failed: bool, state: str = "done", began: int | None = None
) -> str:
    text = result if len(result) <= LONGEST_RESULT else f"{result[:LONGEST_RESULT]}… (cut: the result is longer)"
    at = work.now_ms()
    await work.claim.write(
        "tool result",
        lambda c: transcript.save_result(c, call.op, text, is_error=failed, now_ms=at, state=state, began_ms=began),
    )
    await work.drawn.tool(replace(call, state=state, result=text, is_error=failed, ended_ms=at))
    return text


def _wanted(offered: Offered, call: ToolCall, result: InputRequiredResult) -> tuple[str, JsonObject]:
    """What kind of question the tool has, and all that must be kept to make the call again with the answer."""
    kinds = {"sciorex_ask_user": "ask", "sciorex_request_approval": "request"}
    kind = kinds.get(offered.tool.name, "elicitation") if offered.asks_itself else "elicitation"
    requests = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return kind, {
        "tool": call.name,
        "input": call.input,
        "requests": requests.get("inputRequests") or {},
        "requestState": result.request_state,
    }


def _given(question: Question | None) -> tuple[dict[str, Any] | None, str | None]:
    """A person's answers to what the tool asked, and the tool's own state from then."""
    if question is None or question.kind == "approval":
        return None, None
    given = question.answer.get("responses")
    responses = given if isinstance(given, dict) else {}
    state = question.shown.get("requestState")
    answers = {str(key): ElicitResult.model_validate(value) for key, value in responses.items()}
    return answers, state if isinstance(state, str) else None


def _refused(question: Question) -> str:
    comment = question.answer.get("comment")
    said = f" They say: {comment}" if comment else ""
    return f"Not done: a person did not approve it.{said} Do not try it again unless they ask for it."


def _text(result: CallToolResult) -> str:
    texts = [part.text for part in result.content if isinstance(part, TextContent)]
    others = len(result.content) - len(texts)
    note = [f"({others} parts of the result are no text and are left out)"] if others else []
    return "\n".join([*texts, *note]) or json.dumps(result.structured_content or {})
