"""A turn's change of a ticket stands on what the model has read, also when the turn is taken up again after a crash."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.agent.calls import Gate, Rehearsal
from bot.agent.model import Reply
from bot.agent.permissions import Mode
from bot.agent.reads import Context, known, receipt_of
from bot.agent.toolbox import toolbox
from bot.agent.turn import Outcome, Setting, run_turn
from bot.database import Database
from bot.definitions.agents import DEFAULT_AGENT
from bot.inbox.claim import Claim
from bot.mcp_servers.server import InProcess
from bot.mcp_servers.tickets import ticket_server
from bot.sessions import transcript
from bot.sessions.transcript import Step, ToolCall, Turn
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor
from tests.sessions.rows import a_session, say

PREFIX = "mcp__sciorex-tickets__sciorex_"
PERSON = Actor("user", "alice")


def step(n: int, *results: str | None) -> Step:
    calls = [ToolCall(f"op{i}", f"id{i}", "tool", {}, "done", r, False, None, None) for i, r in enumerate(results)]
    return Step(n, "assistant", [], None, 0, tuple(calls))


def test_what_is_read_later_goes_before_what_was_read_earlier() -> None:
    receipt = json.dumps(receipt_of(Context("", {"T-1": "context"})))
    earlier = step(1, '{"id":"T-1","revision":"old"}', '{"id":"T-2","revision":"two"}')
    assert known(receipt, [step(0), earlier, step(2, None)]) == {"T-1": "context", "T-2": "two"}
    last = step(2, '{"ticket":{"id":"T-1"},"revision":"new"}', "There is no ticket T-3.", None)
    assert known(receipt, [earlier, last]) == {"T-1": "new", "T-2": "two"}
    assert known(None, [step(0)]) == known(json.dumps(receipt_of(None)), [step(0)]) == {}


@pytest.fixture
def store(tmp_path: Path) -> TicketStore:
    (tmp_path / ".sciorex/tickets").mkdir(parents=True)
    (tmp_path / ".sciorex/tickets/T-001.yaml").write_text("id: T-001\ntitle: Avatars\nstatus: planned\n")
    (tmp_path / ".sciorex/tickets/T-002.yaml").write_text("id: T-002\ntitle: Themes\nstatus: planned\n")
    return TicketStore(tmp_path)


@pytest.fixture
async def db(sqlite_url: str) -> AsyncIterator[Database]:
    database = Database(sqlite_url)
    yield database
    await database.close()


class Scripted:
    """A model that answers what it is given, one after the other; `before` happens while it thinks."""

    def __init__(self, *answers: list[dict[str, Any]]) -> None:
        self.answers, self.asked = list(answers), list[Any]()

    async def ask(self, **request: Any) -> Reply:
        self.asked.append(request["messages"])
        content = self.answers.pop(0)
        stop = "tool_use" if content[0]["type"] == "tool_use" else "end_turn"
        return Reply(content, stop, {}, "scripted")


class Unseen:
    """Shows nothing."""

    async def text(self, piece: str) -> None: ...
    async def again(self, steps: object) -> None: ...
    async def tool(self, call: ToolCall) -> None: ...


def use(name: str, **arguments: object) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"use-{name}", "name": PREFIX + name, "input": arguments}


END = [{"type": "text", "text": "Done."}]


async def begun(db: Database) -> tuple[Claim, Turn]:
    """A turn that was begun with one message."""

    def rows(connection: Any) -> tuple[Claim, Turn]:
        session = a_session(connection)
        message = say(connection, session, "100.000001", "Move it on")
        claim = Claim(db, session.thread_id, session.team, "C1", "100.000001", "w1", 0)
        connection.exec_driver_sql("UPDATE thread SET owner = 'w1'")
        turn = transcript.begin_turn(
            connection, session.id, asked_by="UADA", message_ids=[message], agent="sciorex", model="m", now_ms=1
        )
        return claim, turn

    return await db.write("rows", rows)


async def ran(claim: Claim, turn: Turn, store: TicketStore, model: Scripted) -> tuple[Outcome, list[ToolCall]]:
    """Runs the turn from where its rows stand; gives its tool calls."""

    async def context() -> Context:
        ticket = store.get("T-001")
        return Context(f"T-001 is {ticket.title}", {ticket.id: ticket.revision})

    async def nothing(*_: object) -> None: ...

    async def unchanged() -> bool:
        return False

    async def shown(*_: object) -> Rehearsal:
        return Rehearsal({})

    setting = Setting(
        agent=DEFAULT_AGENT,
        model=model,  # type: ignore[arg-type]
        tools=await toolbox(DEFAULT_AGENT, [InProcess("sciorex-tickets", ticket_server(store))]),
        gate=Gate(Mode.EDITS, ("UADA",), shown, nothing, nothing, nothing),
        context=context,
        acting={"sciorex/actor": {"type": "agent", "id": "sciorex", "onBehalfOf": "UADA"}},
        now_ms=lambda: 2,
        files=nothing,
        catch_up=unchanged,
        stop_at=nothing,
    )
    outcome = await run_turn(claim, turn, setting, Unseen())

    steps = await claim.read(lambda c: transcript.steps_of(c, [turn.id]))
    return outcome, [call for step in steps[turn.id] for call in step.calls]


def rename(store: TicketStore, ticket_id: str, title: str) -> None:
    store.change(ticket_id, lambda ticket, now: ticket.update(by=PERSON, at=now, title=title))


async def test_a_turn_taken_up_after_a_crash_remembers_the_context_it_had(db: Database, store: TicketStore) -> None:
    claim, turn = await begun(db)
    read = receipt_of(Context("", {"T-001": store.get("T-001").revision}))
    asks = [use("update_ticket", ticketId="T-001", title="Pictures")]
    saved: dict[str, Any] = {"stop_reason": "tool_use", "usage": {}, "model": "m", "now_ms": 1, "receipt": read}
    await claim.write("step", lambda c: transcript.save_answer(c, turn, asks, **saved))
    rename(store, "T-001", "Faces")  # between the crash and the next start
    outcome, (call,) = await ran(claim, turn, store, Scripted(END))
    assert outcome == Outcome("answered")
    assert call.is_error and call.result is not None
    assert "The title of T-001 was changed meanwhile: it is “Faces” now, and “Pictures” was to replace" in call.result
    assert store.get("T-001").title == "Faces"


async def test_what_the_model_reads_by_a_tool_counts_and_so_do_its_own_changes(
    db: Database, store: TicketStore
) -> None:
    claim, turn = await begun(db)
    model = Scripted(
        [use("get_ticket", ticketId="T-002")],
        [
            use("update_ticket", ticketId="T-002", title="Dark theme"),
            use("change_status", ticketId="T-002", status="backlog"),
        ],
        [use("update_ticket", ticketId="T-002", title="Themes, dark and light")],
        END,
    )
    ask = model.ask

    async def meanwhile(**request: Any) -> Reply:
        if len(model.asked) == 2:  # the model has seen what its own changes answered, and thinks
            rename(store, "T-002", "Colours")
        return await ask(**request)

    model.ask = meanwhile  # type: ignore[method-assign]
    outcome, calls = await ran(claim, turn, store, model)
    assert outcome == Outcome("answered")
    assert [call.is_error for call in calls] == [False, False, False, True]
    assert "it is “Colours” now" in str(calls[-1].result)


async def test_the_context_of_each_request_is_what_its_changes_stand_on(db: Database, store: TicketStore) -> None:
    claim, turn = await begun(db)
    model = Scripted(
        [use("get_ticket", ticketId="T-001")], [use("update_ticket", ticketId="T-001", title="Pictures")], END
    )
    ask = model.ask

    async def meanwhile(**request: Any) -> Reply:
        reply = await ask(**request)
        if len(model.asked) == 1:  # after its first request, and before the context of the second is read
            rename(store, "T-001", "Faces")
        return reply

    model.ask = meanwhile  # type: ignore[method-assign]
    _, calls = await ran(claim, turn, store, model)
    assert [call.is_error for call in calls] == [False, False]
    assert store.get("T-001").title == "Pictures"
