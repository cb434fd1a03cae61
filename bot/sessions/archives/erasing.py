"""Erasing what somebody asked to have erased: from the rows, so that neither file nor agent sees it again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, Connection, func, select, update

from bot.database import insert_once
from bot.errors import EntryNotFound
from bot.sessions.archives.entries import entries_of
from bot.sessions.archives.export import rows_of
from bot.sessions.deleting import forget_repeated
from bot.sessions.models import archive, erased, message, question, step, tool_call, turn
from bot.sessions.session import ChatSession

ERASED = "(erased on request)"
ENTRY = re.compile(r"m-(?P<ts>[\d.]+)|a-(?P<n>\d+)|t-(?P<key>\w+)\.(?P<step>\d+)|turn\.\w+\.\d+\.\d+(?P<part>\.\w+)?")


def erasable(connection: Connection, session: ChatSession, entry_id: str) -> str:
    """The entry's id as the transcript has it; raises EntryNotFound, for lines about links and ends too.

    A message may be given by its ts alone.
    """
    known = {str(entry["id"]) for entry in entries_of(rows_of(connection, session))}
    for id_ in (entry_id, f"m-{entry_id}"):
        if id_ in known:
            if ENTRY.fullmatch(id_) is None:
                raise EntryNotFound(f"{id_} holds ids alone, nothing that somebody said.")
            return id_
    raise EntryNotFound(f"{session.id} has no entry {entry_id}. An export shows the id of each.")


def erase(connection: Connection, session: ChatSession, entry_id: str, now_ms: int) -> None:
    """Takes away what an entry says; its id, kind and time stay. The same again changes nothing."""
    insert_once(connection, erased, session_id=session.id, entry_id=entry_id, ms=now_ms)
    forget_repeated(connection, session.id)
    match = ENTRY.fullmatch(entry_id)
    if match is None:
        return
    if match["ts"]:
        gone = {"text": "", "files": "[]", "deleted_ms": func.coalesce(message.c.deleted_ms, now_ms)}
        said = (message.c.session_id == session.id, message.c.ts == match["ts"])
        connection.execute(update(message).where(*said).values(**gone))
    elif match["n"]:
        noted = (archive.c.session_id == session.id, archive.c.n == int(match["n"]))
        connection.execute(update(archive).where(*noted).values(note=""))
    elif match["key"]:
        _in_step(connection, turn.c.key == match["key"], int(match["step"]), _without_text)
    elif match["part"] == ".result":
        _in_call(connection, entry_id.removesuffix(".result"), {"result": ERASED})
    elif match["part"] and match["part"].startswith(".question"):
        op, _, n = entry_id.rpartition(".question")
        call = select(tool_call.c.id).where(tool_call.c.op == op)
        asked = update(question).where(question.c.tool_call_id == call.scalar_subquery(), question.c.n == int(n or 1))
        connection.execute(asked.values(shown="{}", answer=None))
    else:
        _in_call(connection, entry_id, {"input": "{}"})


def _in_call(connection: Connection, op: str, values: Mapping[str, str]) -> None:
    """Changes a tool call's row; its input stands in the step too, as the model sent it."""
    row = connection.execute(select(tool_call).where(tool_call.c.op == op)).first()
    if row is None:
        return
    connection.execute(update(tool_call).where(tool_call.c.id == row.id).values(**values))
    if "input" in values:
        use = row.tool_use_id
        _in_step(connection, turn.c.id == row.turn_id, row.step_n, lambda b: {**b, "input": {}} if _is(b, use) else b)


def _in_step(
    connection: Connection,
    of_turn: ColumnElement[bool],
    n: int,
    change: Callable[[dict[str, object]], dict[str, object] | None],
) -> None:
    rows = select(step.c.id, step.c.body).join(turn, turn.c.id == step.c.turn_id).where(of_turn, step.c.n == n)
    for row in connection.execute(rows).all():
        body = json.loads(row.body)
        text = json.dumps([one for block in body if (one := change(block)) is not None], ensure_ascii=False)
        connection.execute(update(step).where(step.c.id == row.id).values(body=text))


def _without_text(block: dict[str, object]) -> dict[str, object] | None:
    """What is left of a block: of what the model thought, nothing."""
    if block.get("type") in ("thinking", "redacted_thinking"):
        return None
    return {"type": "text", "text": ERASED} if block.get("type") == "text" else block


def _is(block: Mapping[str, object], tool_use_id: str) -> bool:
    return block.get("type") == "tool_use" and block.get("id") == tool_use_id
