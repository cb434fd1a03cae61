"""What the agent needs of a person before a tool call can go on, kept for as long as it takes: approvals, answers."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, select, update

from bot.sessions.models import question, session, tool_call, turn
from bot.sessions.transcript import JsonObject

MEMBERS = "members"
QUESTIONS = (
    select(question, tool_call.c.op, tool_call.c.name, tool_call.c.turn_id, turn.c.session_id, session.c.thread_id)
    .join(tool_call, tool_call.c.id == question.c.tool_call_id)
    .join(turn, turn.c.id == tool_call.c.turn_id)
    .join(session, session.c.id == turn.c.session_id)
    .order_by(tool_call.c.turn_id, tool_call.c.step_n, tool_call.c.i, question.c.n)
)
OF_TURN = QUESTIONS.where(tool_call.c.turn_id == bindparam("of_turn"))
FOLLOWS = "follows"  # in what was shown: what an approval is bound to since its own turn changed the ticket


@dataclass(frozen=True)
class Ask:
    """What is to be asked about a tool call: `shown` is all that its card says."""

    op: str
    kind: str  # approval, ask, request, elicitation
    shown: JsonObject
    who_may: tuple[str, ...]  # ids of people, and `members`


@dataclass(frozen=True)
class Question:
    """A question as it was asked, and what became of it. `n` counts the questions about one tool call, from 1."""

    id: str
    op: str
    tool: str
    n: int
    turn_id: int
    session_id: str
    thread_id: int
    kind: str
    shown: JsonObject
    who_may: tuple[str, ...]
    state: str  # open, answered, superseded, expired
    answer: JsonObject
    by: str | None
    at_ms: int | None
    expires_ms: int

    @property
    def approved(self) -> bool:
        """Whether a person let the call go on."""
        return self.state == "answered" and self.answer.get("approved") is True

    @property
    def revision(self) -> object:
        """What the approval is bound to: the ticket as it was shown, or as its own turn has changed it since."""
        return self.shown.get(FOLLOWS) or self.shown.get("revision")

    @property
    def followed(self) -> bool:
        """Whether its own turn has changed the ticket since it was shown."""
        return FOLLOWS in self.shown


def ask(connection: Connection, wanted: Ask, *, now_ms: int, expires_ms: int) -> Question:
    """Asks; the call waits from now on."""
    call_id = connection.execute(select(tool_call.c.id).where(tool_call.c.op == wanted.op)).scalar_one()
    asked = select(func.count()).select_from(question).where(question.c.tool_call_id == call_id)
    values = {
        "id": secrets.token_hex(8),
        "tool_call_id": call_id,
        "n": connection.execute(asked).scalar_one() + 1,
        "kind": wanted.kind,
        "shown": json.dumps(wanted.shown, ensure_ascii=False),
        "who_may": json.dumps(list(wanted.who_may)),
        "state": "open",
        "asked_ms": now_ms,
        "expires_ms": expires_ms,
    }
    connection.execute(question.insert().values(values))
    connection.execute(update(tool_call).where(tool_call.c.id == call_id).values(state="waiting"))
    return _questions(connection, question.c.id == values["id"])[0]


def get_question(connection: Connection, question_id: str) -> Question | None:
    """The question of this id, None when there is none."""
    return next(iter(_questions(connection, question.c.id == question_id)), None)


def questions_of_turn(connection: Connection, turn_id: int) -> dict[str, Question]:
    """The newest question about each of the turn's tool calls, by the op of the call."""
    return {one.op: one for one in _read(connection.execute(OF_TURN, {"of_turn": turn_id}))}


def open_questions(connection: Connection, session_ids: Collection[str]) -> list[Question]:
    """The questions of these sessions that nobody has decided, oldest first."""
    return _questions(connection, turn.c.session_id.in_(session_ids), question.c.state == "open")


def questions_due(connection: Connection, thread_id: int, now_ms: int) -> int | None:
    """When a turn that waits in this thread can go on: now, when something is decided, else when a question runs out;
    None where none waits."""
    waiting = (session.c.thread_id == thread_id, tool_call.c.state == "waiting")
    newest = {one.op: one for one in _questions(connection, *waiting)}.values()
    return min((one.expires_ms if one.state == "open" else now_ms for one in newest), default=None)


def answer(connection: Connection, question_id: str, given: JsonObject, by: str, now_ms: int) -> bool:
    """A person's answer; False when the question was not open any more, and nothing changed."""
    return _close(connection, [question_id], "answered", now_ms, by=by, given=given) == 1


def supersede(connection: Connection, turn_id: int, by: str | None, now_ms: int) -> list[Question]:
    """Somebody said something else instead: the turn's open questions are none any more; gives them as they are now."""
    ids = [one.id for one in questions_of_turn(connection, turn_id).values() if one.state == "open"]
    _close(connection, ids, "superseded", now_ms, by=by)
    return _questions(connection, question.c.id.in_(ids))


def follow(connection: Connection, turn_id: int, before: str, after: str) -> None:
    """An approved call of the turn brought a ticket from one revision to the next: the turn's other approvals that are
    bound to the first are bound to the second."""
    for one in questions_of_turn(connection, turn_id).values():
        if one.kind == "approval" and one.state in ("open", "answered") and one.revision == before:
            shown = json.dumps({**one.shown, FOLLOWS: after}, ensure_ascii=False)
            connection.execute(update(question).where(question.c.id == one.id).values(shown=shown))


def expire(connection: Connection, turn_id: int, now_ms: int) -> list[Question]:
    """The turn's questions whose time is over; gives them as they are now."""
    due = questions_of_turn(connection, turn_id).values()
    ids = [one.id for one in due if one.state == "open" and one.expires_ms <= now_ms]
    _close(connection, ids, "expired", now_ms)
    return _questions(connection, question.c.id.in_(ids))


def allow_tool(connection: Connection, session_id: str, tool: str) -> None:
    """Remembers, for this session, that the tool need not be asked about again."""
    known = json.loads(connection.execute(select(session.c.allowed).where(session.c.id == session_id)).scalar_one())
    if tool not in known:
        allowed = json.dumps([*known, tool])
        connection.execute(update(session).where(session.c.id == session_id).values(allowed=allowed))


def choose_mode(connection: Connection, session_id: str, mode: str) -> None:
    """Sets the session's permission mode; what was remembered under another one does not count any more."""
    connection.execute(update(session).where(session.c.id == session_id).values(mode=mode, allowed="[]"))


def _close(
    connection: Connection,
    ids: Sequence[str],
    state: str,
    now_ms: int,
    *,
    by: str | None = None,
    given: JsonObject | None = None,
) -> int:
    values = {"state": state, "by": by, "at_ms": now_ms}
    if given is not None:
        values["answer"] = json.dumps(given, ensure_ascii=False)
    still_open = update(question).where(question.c.id.in_(ids), question.c.state == "open")
    return connection.execute(still_open.values(values)).rowcount


def _questions(connection: Connection, *where: ColumnElement[bool]) -> list[Question]:
    return _read(connection.execute(QUESTIONS.where(*where)))


def _read(rows: Iterable[Row[Any]]) -> list[Question]:
    return [
        Question(
            id=r.id,
            op=r.op,
            tool=r.name,
            n=r.n,
            turn_id=r.turn_id,
            session_id=r.session_id,
            thread_id=r.thread_id,
            kind=r.kind,
            shown=json.loads(r.shown or "{}"),
            who_may=tuple(json.loads(r.who_may)),
            state=r.state,
            answer=json.loads(r.answer or "{}"),
            by=r.by,
            at_ms=r.at_ms,
            expires_ms=r.expires_ms,
        )
        for r in rows
    ]
