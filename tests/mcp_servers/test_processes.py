"""The server as a process: how it begins and ends, what it survives, and several of them on one workspace at once."""

import asyncio
import signal
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from mcp import Client
from mcp.types import CallToolResult, Implementation

from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor
from tests.mcp_servers.processes import HELLO, READY, call, lines, over_http, over_stdio, said, started

TICKET = "id: T-001\ntitle: Add avatars\nstatus: planned\nhistory: []\n"
WRITERS, ROUNDS = 4, 6
ONE, OTHER = Implementation(name="one", version="1"), Implementation(name="other", version="1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".sciorex/tickets").mkdir(parents=True)
    (tmp_path / ".sciorex/tickets/T-001.yaml").write_text(TICKET)
    return tmp_path


def values(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def test_what_was_asked_before_the_input_ended_is_answered(folder: Path) -> None:
    server = await started(folder)
    comments = [call(n, "add_comment", ticketId="T-001", comment=f"Number {n}") for n in range(20)]
    out, _ = await asyncio.wait_for(server.communicate(lines(HELLO, READY, *comments)), 30)
    assert server.returncode == 0
    assert len(out.splitlines()) == 21
    assert len(TicketStore(folder).get("T-001").history) == 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_while_it_waits_for_input(folder: Path, number: signal.Signals) -> None:
    server = await started(folder)
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write(lines(HELLO))
    await said(server, 1)
    server.stdin.write(lines(READY, call(1, "change_status", ticketId="T-001", status="in_progress")))
    await said(server, 1)
    server.send_signal(number)
    assert (await asyncio.wait_for(server.stdout.read(), 30), await server.wait()) == (b"", 0)


async def test_a_client_that_reads_no_more_ends_it(folder: Path) -> None:
    server = await started(folder)
    assert server.stdin is not None
    server.stdin.write(lines(HELLO))
    await said(server, 1)
    server._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
    server.stdin.write(lines(READY, call(1, "get_ticket", ticketId="T-001")))
    assert await asyncio.wait_for(server.wait(), 30) == 0


async def test_lines_that_are_no_messages_break_nothing(folder: Path) -> None:
    server = await started(folder)
    assert server.stdin is not None
    bad = [
        b"",
        b"{",
        b"[1, 2]",
        b"null",
        b"\xff\xfe",
        b'{"id": {"a": 1}}',
        b"[" * 5_000,
        b'{"jsonrpc": "2.0", "id": true}',
    ]
    lone = rb'{"jsonrpc":"2.0","id":"lone","method":"tools/call","params":{"name":"x","arguments":{"y":"\ud83d"}}}'
    server.stdin.write(lines(*bad, HELLO, READY, *bad, lone, b'{"id": 7}', call(8, "get_ticket", ticketId="T-001")))
    answers = await said(server, 4)
    assert answers["lone"]["error"]["message"] == "The message holds half a character (a lone surrogate)."
    assert answers[7]["error"]["code"] == -32600
    assert answers[8]["result"]["structuredContent"]["title"] == "Add avatars"
    server.stdin.close()
    assert await asyncio.wait_for(server.wait(), 30) == 0


async def test_a_long_answer_comes_whole_to_a_slow_reader(folder: Path) -> None:
    text = "Straße → 😀 " * 15_000
    (folder / ".sciorex/tickets/T-002.yaml").write_text(f"id: T-002\ntitle: Long\ndescription: '{text}'\n")
    server = await started(folder)
    assert server.stdin is not None
    requests = [call(n, "get_ticket", ticketId="T-002") for n in range(4)]
    server.stdin.write(lines(HELLO, READY, *requests))
    server.stdin.close()
    out, _ = await asyncio.wait_for(server.communicate(), 30)
    assert out.count(text.strip().encode()) == 8
    assert server.returncode == 0


async def test_several_servers_work_on_one_workspace_and_lose_nothing(folder: Path) -> None:
    store = TicketStore(folder)

    async def write(writer: int) -> list[str]:
        made = []
        async with Client(over_stdio(folder)) as client:
            for n in range(ROUNDS):
                name = f"{writer}-{n}"
                values(await client.call_tool("sciorex_add_comment", {"ticketId": "T-001", "comment": name}))
                values(await client.call_tool("sciorex_add_subtask", {"ticketId": "T-001", "title": f"Step {name}"}))
                new = values(await client.call_tool("sciorex_create_ticket", {"title": f"Ticket {name}"}))
                done = {"ticketId": "T-001", "title": f"Step {name}"}
                values(await client.call_tool("sciorex_complete_subtask", done))
                made.append(new["id"])
        return made

    *made, _ = await asyncio.gather(*(write(writer) for writer in range(WRITERS)), beside_them(store))
    names = {f"{writer}-{n}" for writer in range(WRITERS) for n in range(ROUNDS)}
    ticket = store.get("T-001")
    assert {entry.details.get("comment") for entry in ticket.history if entry.action == "comment_added"} == names
    assert sorted(subtask.title for subtask in ticket.subtasks) == sorted(f"Step {name}" for name in names)
    assert {subtask.status for subtask in ticket.subtasks} == {"completed"}
    assert len({subtask.id for subtask in ticket.subtasks}) == len(names)
    ids = [ticket_id for some in made for ticket_id in some]
    assert len(set(ids)) == len(names)
    assert {store.get(ticket_id).title for ticket_id in ids} == {f"Ticket {name}" for name in names}
    assert (ticket.title, store.problems()) == ("Avatars 5", [])


async def beside_them(store: TicketStore) -> list[str]:
    """What the bot does in its own process meanwhile."""
    by = Actor("user", "alice")

    def rename(title: str) -> None:
        store.change("T-001", lambda ticket, now: ticket.update(by=by, at=now, title=title))

    for n in range(ROUNDS):
        await asyncio.to_thread(rename, f"Avatars {n}")
    return []


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_http_serves_several_clients_each_with_its_own_reads(
    folder: Path, mode: Literal["legacy", "auto"]
) -> None:
    async with (
        over_http(folder) as address,
        Client(address, mode=mode, client_info=ONE) as one,
        Client(address, mode=mode, client_info=OTHER) as other,
    ):
        ticket = {"ticketId": "T-001"}
        values(await one.call_tool("sciorex_get_ticket", ticket))
        values(await other.call_tool("sciorex_update_ticket", {**ticket, "title": "Other"}))
        refused = await one.call_tool("sciorex_update_ticket", {**ticket, "title": "One"})
        assert refused.is_error and "it is “Other” now, and “One” was to replace" in str(refused.content)
        values(await other.call_tool("sciorex_update_ticket", {**ticket, "title": "Other again"}))
        values(await one.call_tool("sciorex_get_ticket", ticket))
        values(await one.call_tool("sciorex_update_ticket", {**ticket, "title": "One"}))


async def test_http_answers_programs_of_this_machine_alone_and_shows_nothing_of_its_inside(folder: Path) -> None:
    accept = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    async with over_http(folder) as address, httpx2.AsyncClient() as web:
        for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
            assert (await web.post(address, headers={**accept, **headers}, json=HELLO)).status_code in (400, 403, 421)
        assert (await web.post(address, headers=accept, json=HELLO)).status_code == 200
        for body in (
            b"{",
            b"\xff",
            b"[]",
            b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\ud800"}}',
        ):
            answer = await web.post(address, headers=accept, content=body)
            assert answer.status_code == 400
            assert not any(word in answer.text for word in ('File "', "Traceback", "site-packages"))
        assert (await web.get(address.removesuffix("/mcp") + "/else")).status_code == 404


async def test_a_port_that_is_taken_is_said_in_a_sentence(folder: Path) -> None:
    async with over_http(folder) as address:
        port = address.split(":")[2].removesuffix("/mcp")
        second = await started(folder, "--http", port, stderr=asyncio.subprocess.PIPE)
        _, told = await asyncio.wait_for(second.communicate(), 30)
    assert second.returncode == 1
    assert told.decode() == f"Port {port} cannot be used: Address already in use. Give another one with --http.\n"
