"""The agent's loop: asks the model, takes the tool calls it makes, saves each step before the next.

run_turn starts from saved rows: a first run, a restart after a crash, an approval that came days later and a stop are
one path.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bot.agent.calls import Calling, Drawn, Gate, take
from bot.agent.compaction import fit
from bot.agent.lines import Lines, further, lines_of
from bot.agent.model import Model, Reply
from bot.agent.noting import note_of
from bot.agent.prompt import request_messages, system_blocks
from bot.agent.reads import Context, GetContext, known, receipt_of
from bot.agent.toolbox import Toolbox
from bot.definitions.agents import Agent
from bot.errors import AgentUnavailable
from bot.inbox.claim import Claim
from bot.sessions import transcript
from bot.sessions.questions import Ask
from bot.sessions.taking_up import still_asked
from bot.sessions.transcript import JsonObject, Step, Turn

MAX_TOKENS = 8_000
LET_GO_SECONDS = 0.3  # people see a stop within a second
OPEN = ("planned", "started", "waiting")


class Show(Drawn, Protocol):
    """Draws what happens while it happens. It may be lost at any moment: the saved steps decide."""

    async def text(self, piece: str) -> None: ...
    async def again(self, steps: Sequence[Step]) -> None: ...


@dataclass(frozen=True)
class Setting:
    """What a turn works with: the agent, the model, its tools, and the linked ticket for this turn.

    `context` reads the linked ticket afresh (None without one); `acting` is what goes into each call's _meta; `stop_at`
    says, before the model is asked once more, which limit has been reached, if any.
    """

    agent: Agent
    model: Model
    tools: Toolbox
    gate: Gate
    context: GetContext
    acting: dict[str, Any]
    now_ms: Callable[[], int]
    files: Callable[[], Awaitable[None]]  # fetches those that were posted
    catch_up: Callable[[], Awaitable[bool]]  # takes in edits and deletions; whether there were any
    stop_at: Callable[[], Awaitable[str | None]]


@dataclass(frozen=True)
class Outcome:
    """How a turn ended, or that it stopped on the way: answered, stopped, failed (`error` says why), or waiting for
    people, with what is to be asked now."""

    state: str
    error: str | None = None
    asks: tuple[Ask, ...] = ()


async def run_turn(claim: Claim, turn: Turn, setting: Setting, show: Show) -> Outcome:
    """Runs the turn from where its rows stand to its end, or to where a person must decide."""
    try:
        return await _loop(claim, turn, setting, show)
    except AgentUnavailable as error:
        return Outcome("failed", error.text)


async def until_stopped(stop: asyncio.Event, turn: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Runs a turn, with all that it needs before and after, to its end or until somebody stops it.

    What does not let go of it within LET_GO_SECONDS is not waited for: nothing is read of it any more.
    """
    work = asyncio.ensure_future(turn)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else Outcome("stopped")
    finally:
        stopped.cancel()
        if not work.done():
            work.cancel()
            await asyncio.wait({work}, timeout=LET_GO_SECONDS)


async def _loop(claim: Claim, turn: Turn, setting: Setting, show: Show) -> Outcome:
    calling = Calling(claim, turn, setting.agent, setting.tools, setting.gate, setting.acting, setting.now_ms, show)
    await setting.catch_up()
    await setting.files()
    lines, changed = await claim.read(lambda c: lines_of(c, turn)), False
    while True:
        last = lines.steps[-1]
        if last.role == "assistant" and not last.calls:
            return Outcome("answered")
        if not lines.asked:
            return Outcome("stopped")  # everything that was asked has been deleted
        if unrun := [call for call in last.calls if call.state in OPEN]:
            taken = await take(calling, unrun, known(lines.receipt, lines.steps))
            if taken.waits:
                return Outcome("waiting", asks=taken.asks)
            if await setting.catch_up() or changed:
                lines, changed = await claim.read(lambda c: lines_of(c, turn)), False
            else:
                lines = await claim.look(functools.partial(further, turn=turn, lines=lines))
            continue
        if limit := await setting.stop_at():
            return Outcome("failed", limit)
        lines = await fit(claim, turn, setting, lines)
        context = await setting.context()
        reply = await _ask(lines, context, setting, show)
        changed = await setting.catch_up()
        receipt = receipt_of(context)
        save = functools.partial(_save, turn=turn, reply=reply, receipt=receipt, setting=setting)
        saved = await claim.write("save step", save)
        if saved is None:
            return Outcome("stopped")
        lines = replace(lines, steps=[*lines.steps, saved], receipt=json.dumps(receipt))


async def _ask(lines: Lines, context: Context | None, setting: Setting, show: Show) -> Reply:
    return await setting.model.ask(
        model=setting.agent.model,
        system=system_blocks(setting.agent),
        tools=setting.tools.for_model(),
        messages=request_messages(lines.all, context.text if context else None),
        max_tokens=setting.agent.max_tokens or MAX_TOKENS,
        on_text=show.text,
        on_restart=lambda: show.again(lines.steps),
        thinking=setting.agent.thinking_budget,
    )


def _save(connection: Any, *, turn: Turn, reply: Reply, receipt: JsonObject, setting: Setting) -> Step | None:
    """None when all that was asked has been deleted meanwhile: that is not answered."""
    if not still_asked(connection, turn):
        return None
    return transcript.save_answer(
        connection,
        turn,
        reply.content,
        stop_reason=reply.stop_reason,
        usage=reply.usage | note_of(connection, turn, reply),
        model=reply.model,
        now_ms=setting.now_ms(),
        receipt=receipt,
    )
