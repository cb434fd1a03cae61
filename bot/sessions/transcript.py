"""What was said and done in a session, in order: turns, their steps and tool calls, and people's messages.

Only added to. What is sent to the model is built from these rows, so that an edit or a deletion has its place.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, bindparam, case, func, select, update

from bot.sessions.models import message, step, tool_call, turn
from bot.sessions.spending import note_spent
from bot.sessions.turn import JsonObject, Step, ToolCall, Turn

__all__ = ["JsonObject", "Message", "Step", "ToolCall", "Turn"]

NOT_RUN = "Not run: the turn ended before."
CUT_OFF = "Cut off: it may have been done or not. Look before you do it again."
TURNS: BindParameter[Sequence[int]] = bindparam("of_turns", expanding=True)
CALLS = select(tool_call).where(tool_call.c.turn_id.in_(TURNS)).order_by(tool_call.c.step_n, tool_call.c.i)
STEPS = select(step).where(step.c.turn_id.in_(TURNS)).order_by(step.c.n)
ENDED = ("done", "stopped", "failed")


@dataclass(frozen=True)
class Message:
    """A stored message; deleted ones have lost their text and keep their place."""

    id: int
    ts: str
    user_id: str
    name: str
    bot: bool
    text: str
    files: tuple[JsonObject, ...]
    edited_ts: str | None
    deleted_ms: int | None


def begin_turn(
    connection: Connection,
    session_id: str,
    *,
    asked_by: str,
    message_ids: Sequence[int],
    agent: str,
    model: str,
    now_ms: int,
) -> Turn:
    """A new turn with its first step: the person's messages."""
    last = connection.execute(select(func.coalesce(func.max(turn.c.n), 0)).where(turn.c.session_id == session_id))
    values = {
        "key": secrets.token_hex(8),
        "session_id": session_id,
        "n": last.scalar_one() + 1,
        "state": "running",
        "asked_by": asked_by,
        "agent": agent,
        "model": model,
        "began_ms": now_ms,
    }
    turn_id = connection.execute(turn.insert().values(values).returning(turn.c.id)).scalar_one()
    _add_step(connection, turn_id, 0, "user", {"messages": list(message_ids)}, None, None, now_ms)
    return get_turn(connection, turn_id)


def get_turn(connection: Connection, turn_id: int) -> Turn:
    """The turn of this id."""
    return _turns(connection, turn.c.id == turn_id)[0]


def find_turn(connection: Connection, key: str) -> Turn | None:
    """The turn that a button under its answer names."""
    return next(iter(_turns(connection, turn.c.key == key)), None)


def unfinished_turn(connection: Connection, session_id: str) -> Turn | None:
    """The turn that was begun and has not come to its end, if there is one: it goes before anything new."""
    found = _turns(connection, turn.c.session_id == session_id, turn.c.state.not_in(ENDED))
    return found[0] if found else None


def last_turn(connection: Connection, session_id: str) -> Turn | None:
    """The newest turn of the session."""
    found = _turns(connection, turn.c.session_id == session_id)
    return found[-1] if found else None


def turns_of(connection: Connection, session_id: str) -> list[Turn]:
    """All turns of the session, oldest first."""
    return _turns(connection, turn.c.session_id == session_id)


def count_turn_attempt(connection: Connection, turn_id: int) -> Turn:
    """Notes that the turn is being run (again); gives it as it is now."""
    again = update(turn).where(turn.c.id == turn_id).values(attempts=turn.c.attempts + 1)
    return _turn(connection.execute(again.returning(*turn.c)).one())


def end_turn(
    connection: Connection, turn_id: int, state: str, now_ms: int, *, error: str | None = None, why: str = NOT_RUN
) -> None:
    """Ends the turn; tool calls still open get a result, or the model would refuse the next request. `why` is what
    those get that have not been run."""
    open_calls = tool_call.c.state.in_(("planned", "started", "waiting"))
    connection.execute(
        update(tool_call)
        .where(tool_call.c.turn_id == turn_id, open_calls)
        .values(
            state=case((tool_call.c.state == "started", "unknown"), else_="cancelled"),
            result=case((tool_call.c.state == "started", CUT_OFF), else_=why),
            is_error=True,
            ended_ms=now_ms,
        )
    )
    connection.execute(update(turn).where(turn.c.id == turn_id).values(state=state, error=error, ended_ms=now_ms))


def set_turn_state(connection: Connection, turn_id: int, state: str) -> None:
    """Moves a turn that goes on to another state."""
    connection.execute(update(turn).where(turn.c.id == turn_id).values(state=state))


def wait_for_people(connection: Connection, turn_id: int) -> None:
    """The turn is let go until people have decided; how often it was tried before does not count any more."""
    connection.execute(update(turn).where(turn.c.id == turn_id).values(state="waiting", attempts=0))


def save_answer(
    connection: Connection,
    of: Turn,
    content: Sequence[JsonObject],
    *,
    stop_reason: str,
    usage: JsonObject,
    model: str,
    now_ms: int,
    receipt: JsonObject | None = None,
) -> Step:
    """What the model answered, and every tool call it asks for, as planned: one step."""
    n = connection.execute(select(func.count()).select_from(step).where(step.c.turn_id == of.id)).scalar_one()
    _add_step(connection, of.id, n, "assistant", list(content), stop_reason, usage, now_ms)
    uses = [block for block in content if block.get("type") == "tool_use"]
    rows = [
        {
            "turn_id": of.id,
            "step_n": n,
            "i": i,
            "op": f"turn.{of.key}.{n}.{i}",
            "tool_use_id": use["id"],
            "name": use["name"],
            "input": json.dumps(use["input"], ensure_ascii=False),
            "state": "planned",
        }
        for i, use in enumerate(uses)
    ]
    if rows:
        connection.execute(tool_call.insert(), rows)
    note_spent(connection, of.session_id, "step", model, usage, now_ms, turn_id=of.id)
    given = {"model": model, "receipt": json.dumps(receipt) if receipt else None}
    connection.execute(update(turn).where(turn.c.id == of.id).values(given))
    return steps_of(connection, [of.id])[of.id][n]


def start_tool(connection: Connection, op: str, now_ms: int, before: JsonObject | None = None) -> None:
    """The tool is about to run: from here on nobody knows whether it has, until its result is saved.

    `before` is what it may change, as it was; a call that is run again keeps what was there the first time.
    """
    values: dict[str, object] = {"state": "started", "started_ms": now_ms}
    if before is not None:
        values["before"] = func.coalesce(tool_call.c.before, json.dumps(before, ensure_ascii=False))
    connection.execute(update(tool_call).where(tool_call.c.op == op).values(values))


def save_result(
    connection: Connection,
    op: str,
    result: str,
    *,
    is_error: bool,
    now_ms: int,
    state: str = "done",
    began_ms: int | None = None,
) -> None:
    """What the tool answered; `state` unknown when nobody can tell whether it ran."""
    began = func.coalesce(tool_call.c.started_ms, began_ms)
    done = {"state": state, "result": result, "is_error": is_error, "started_ms": began, "ended_ms": now_ms}
    connection.execute(update(tool_call).where(tool_call.c.op == op).values(done))


def steps_of(connection: Connection, turn_ids: Sequence[int]) -> dict[int, list[Step]]:
    """The steps of these turns, in order, with their tool calls."""
    calls: dict[tuple[int, int], list[ToolCall]] = {}
    for r in connection.execute(CALLS, {"of_turns": turn_ids}):
        call = ToolCall(
            r.op,
            r.tool_use_id,
            r.name,
            json.loads(r.input),
            r.state,
            r.result,
            r.is_error,
            r.started_ms,
            r.ended_ms,
            r.before,
        )
        calls.setdefault((r.turn_id, r.step_n), []).append(call)
    steps: dict[int, list[Step]] = {}
    for r in connection.execute(STEPS, {"of_turns": turn_ids}):
        made = tuple(calls.get((r.turn_id, r.n), ()))
        usage = json.loads(r.usage or "{}")
        note = usage.pop("note", None)
        one = Step(r.n, r.role, json.loads(r.body), r.stop_reason, r.ms, made, note, usage)
        steps.setdefault(r.turn_id, []).append(one)
    return steps


def messages_of(connection: Connection, session_id: str) -> list[Message]:
    """Everything people and other bots have said in the session, in the order of Slack's ts."""
    rows = connection.execute(
        select(message).where(message.c.session_id == session_id).order_by(message.c.ts, message.c.id)
    )
    return [
        Message(
            r.id,
            r.ts,
            r.user_id,
            r.name,
            r.bot,
            r.text,
            tuple(json.loads(r.files)),
            r.edited_ts,
            r.deleted_ms,
        )
        for r in rows
    ]


def _turns(connection: Connection, *where: ColumnElement[bool]) -> list[Turn]:
    return [_turn(row) for row in connection.execute(select(turn).where(*where).order_by(turn.c.n))]


def _turn(row: Row[Any]) -> Turn:
    return Turn(**{field.name: getattr(row, field.name) for field in fields(Turn)})


def _add_step(
    connection: Connection,
    turn_id: int,
    n: int,
    role: str,
    body: object,
    stop_reason: str | None,
    usage: JsonObject | None,
    now_ms: int,
) -> None:
    connection.execute(
        step.insert().values(
            turn_id=turn_id,
            n=n,
            role=role,
            body=json.dumps(body, ensure_ascii=False),
            stop_reason=stop_reason,
            usage=json.dumps(usage) if usage else None,
            ms=now_ms,
        )
    )
