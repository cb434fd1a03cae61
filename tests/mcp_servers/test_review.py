"""Closing a ticket by the tool: named what is open by the stand-alone server, and left to a person within the bot."""

from collections.abc import Sequence
from pathlib import Path

from mcp import Client

from bot.mcp_servers.review import Review
from bot.mcp_servers.tickets import ticket_server
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Ticket
from tests.mcp_servers.test_tickets import META, answer, folder

__all__ = ["folder"]
DONE = {"ticketId": "T-042", "status": "done"}
OPEN = ["subtask: Add image processing", "subtask: Write tests", "criterion: Accept JPEG, PNG, GIF"]


async def test_the_stand_alone_server_does_it_and_names_what_was_open(folder: Path) -> None:
    told = await answer(folder, "sciorex_change_status", DONE, META)
    assert (told["changed"], told["ticket"]["status"], told["stillOpen"]) == (True, "done", OPEN)
    assert TicketStore(folder).get("T-042").history[-1].details["review"] == OPEN
    again = await answer(folder, "sciorex_change_status", DONE, META)
    assert (again["changed"], again["stillOpen"]) == (False, [])
    back = await answer(folder, "sciorex_change_status", {"ticketId": "T-042", "status": "in_progress"})
    assert back["stillOpen"] == []


async def test_within_the_bot_a_person_is_asked_and_nothing_is_changed(folder: Path) -> None:
    asked: list[str] = []

    async def against(ticket: Ticket) -> Sequence[str]:
        return ["1 active session: Planning"]

    async def ask(ticket: Ticket) -> None:
        asked.append(ticket.id)

    async with Client(ticket_server(TicketStore(folder), review=Review(against, ask))) as client:
        refused = await client.session.call_tool("sciorex_change_status", DONE, meta=META)
        moved = await client.session.call_tool(
            "sciorex_change_status", {"ticketId": "T-042", "status": "in_review"}, meta=META | {"sciorex/op": "o2"}
        )
    assert refused.is_error
    assert "1 active session: Planning. A person decides" in str(refused.content)
    assert not moved.is_error
    assert asked == ["T-042"]
    assert TicketStore(folder).get("T-042").status == "in_review"


async def test_where_nothing_speaks_against_it_it_is_done_at_once(folder: Path) -> None:
    async def against(ticket: Ticket) -> Sequence[str]:
        return []

    async def ask(ticket: Ticket) -> None:
        raise AssertionError("nobody needs to be asked")

    async with Client(ticket_server(TicketStore(folder), review=Review(against, ask))) as client:
        done = await client.session.call_tool("sciorex_change_status", DONE, meta=META)
    assert not done.is_error
    assert TicketStore(folder).get("T-042").status == "done"
