"""Two writers on one ticket through the server: a field that changed since it was read is refused with both values."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client
from mcp.types import TextContent

from bot.mcp_servers.reads import Reads, by_key, read_in
from bot.mcp_servers.tickets import ticket_server
from bot.tickets.ids import IdKey
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Status

Answer = dict[str, Any]
Mode = Literal["legacy", "auto"]
PERSON = Actor("user", "alice")
TICKET = """\
id: T-001
title: Add avatars
description: Old text
status: planned
labels: [ui]
subtasks:
  - {id: sub-001, title: Upload UI, completed: false}
  - {id: sub-002, title: Resize, completed: false}
"""


@pytest.fixture
def store(tmp_path: Path) -> TicketStore:
    (tmp_path / ".sciorex/tickets").mkdir(parents=True)
    (tmp_path / ".sciorex/tickets/T-001.yaml").write_text(TICKET)
    return TicketStore(tmp_path)


class Asker:
    """One client of a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, name: str, read: object = None, **arguments: object) -> Answer:
        meta: Any = {"sciorex/read": read} if read is not None else None
        result = await self._client.session.call_tool(f"sciorex_{name}", {"ticketId": "T-001", **arguments}, meta=meta)
        assert not result.is_error, result.content
        content: Answer = result.structured_content or {}
        return content

    async def refused(self, name: str, read: object = None, **arguments: object) -> str:
        meta: Any = {"sciorex/read": read} if read is not None else None
        result = await self._client.session.call_tool(f"sciorex_{name}", {"ticketId": "T-001", **arguments}, meta=meta)
        assert result.is_error
        (content,) = result.content
        assert isinstance(content, TextContent)
        return content.text


@asynccontextmanager
async def asker(store: TicketStore, mode: Mode = "auto") -> AsyncIterator[Asker]:
    async with Client(ticket_server(store), mode=mode) as client:
        yield Asker(client)


def somebody(store: TicketStore, status: Status | None = None, **fields: Any) -> None:
    """Changes the ticket from elsewhere."""
    store.change("T-001", lambda t, now: t.update(by=PERSON, at=now, **fields))
    if status is not None:
        store.change("T-001", lambda t, now: t.change_status(status, by=PERSON, at=now))


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_field_that_changed_since_it_was_read_is_not_overwritten(store: TicketStore, mode: Mode) -> None:
    async with asker(store, mode) as ask:
        await ask("get_ticket")
        somebody(store, description="Alice's text")
        text = await ask.refused("update_ticket", description="My text")
        assert text == (
            "The description of T-001 was changed meanwhile: it is “Alice's text” now, and “My text” was to replace "
            "what was read before. Look at it again, then decide. Call sciorex_get_ticket again first."
        )
        assert await ask.refused("update_ticket", description="My text") == text
        assert (await ask("get_ticket"))["description"] == "Alice's text"
        assert (await ask("update_ticket", description="Both texts"))["changed"]


async def test_other_fields_and_what_is_added_stand_beside_it(store: TicketStore) -> None:
    async with asker(store) as ask:
        await ask("get_ticket")
        somebody(store, title="Avatars", status=Status.IN_PROGRESS)
        await ask("update_ticket", description="My text", labels=["ui", "web"])
        await ask("add_comment", comment="Mine")
        await ask("add_subtask", title="Crop")
        await ask("complete_subtask", subtaskId="sub-001")
    ticket = store.get("T-001")
    assert (ticket.title, ticket.status, ticket.description) == ("Avatars", Status.IN_PROGRESS, "My text")
    assert len(ticket.subtasks) == 3


async def test_without_a_read_the_lock_decides(store: TicketStore) -> None:
    async with asker(store) as ask:
        somebody(store, description="Alice's text")
        assert (await ask("update_ticket", description="My text"))["changed"]
        somebody(store, labels=["alice"])
        assert (await ask("update_ticket", labels=["mine"]))["changed"]


async def test_what_its_own_changes_answered_counts_as_read(store: TicketStore) -> None:
    async with asker(store) as ask:
        assert (await ask("change_status", status="in_progress"))["ticket"]["status"] == "in_progress"
        await ask("change_status", status="in_review")
        somebody(store, status=Status.DONE)
        text = await ask.refused("change_status", status="in_progress")
        assert text.startswith("The status of T-001 was changed meanwhile: it is “done” now, and “in_progress” was to")
        assert not (await ask("change_status", status="done"))["changed"]
        assert (await ask("change_status", status="in_progress"))["changed"]


async def test_a_change_of_ones_own_hides_no_change_of_another_field(store: TicketStore) -> None:
    async with asker(store) as ask:
        await ask("get_ticket")
        somebody(store, description="Alice's text")
        await ask("change_status", status="in_progress")
        assert "it is “Alice's text” now" in await ask.refused("update_ticket", description="My text")


async def test_a_subtask_conflicts_with_itself_alone(store: TicketStore) -> None:
    async with asker(store) as ask:
        await ask("get_ticket")
        await ask("update_subtask", subtaskId="sub-001", status="in_progress")
        await ask("complete_subtask", title="upload")
        async with asker(store) as other:
            await other("complete_subtask", subtaskId="sub-002")
        text = await ask.refused("update_subtask", subtaskId="sub-002", status="in_progress")
        assert "subtask “Resize” of T-001 was changed meanwhile: it is “completed” now" in text
        await ask("list_subtasks")
        assert (await ask("update_subtask", subtaskId="sub-002", status="in_progress"))["changed"]


async def test_clients_know_what_they_have_read_themselves(store: TicketStore) -> None:
    async with asker(store) as one, asker(store) as other:
        await one("get_ticket")
        somebody(store, labels=["alice"])
        await other("get_ticket")
        assert (await other("update_ticket", labels=["other"]))["changed"]
        assert "it is “other” now" in await one.refused("update_ticket", labels=["one"])


async def test_a_request_may_say_itself_what_was_read(store: TicketStore) -> None:
    async with asker(store) as ask:
        read = (await ask("get_ticket"))["revision"]
    somebody(store, description="Alice's text")
    async with asker(store) as ask:
        text = await ask.refused("update_ticket", read={"t-1": read}, description="My text")
        assert "it is “Alice's text” now" in text
        nonsense: object
        for nonsense in ("x", [read], {"T-001": 7}, {"T-001": "no.revision"}, {"": read}):
            assert (await ask("update_ticket", read=nonsense, description=f"My {nonsense}"))["changed"]


async def test_a_call_that_is_made_again_after_a_crash_does_not_stand_in_its_own_way(store: TicketStore) -> None:
    read = {"T-001": store.get("T-001").revision}
    meta: Any = {"sciorex/op": "turn.1", "sciorex/read": read}
    for changed in (True, False):  # the first answer was lost
        async with Client(ticket_server(store)) as client:
            arguments = {"ticketId": "T-001", "status": "in_progress"}
            result = await client.session.call_tool("sciorex_change_status", arguments, meta=meta)
            assert result.structured_content is not None
            assert result.structured_content["changed"] is changed
    read = {"T-001": result.structured_content["revision"]}
    async with asker(store) as ask:
        assert (await ask("change_status", read=read, status="in_review"))["changed"]


def test_the_reads_used_last_are_kept() -> None:
    reads = Reads(most=2)
    places = [("one", IdKey("T", n)) for n in range(3)]
    for place in (places[0], places[1], places[0], places[2]):
        reads.renew(place, lambda last: f"{last}+")
    assert [reads.last(place) for place in places] == ["None++", None, "None+"]


def test_a_read_is_found_in_every_result_that_tells_a_revision() -> None:
    assert read_in('{"id":"T-1","revision":"a"}') == {"T-1": "a"}
    assert read_in('{"changed":true,"ticket":{"id":"T-2"},"revision":"b"}') == {"T-2": "b"}
    assert read_in('{"ticketId":"T-3","revision":"c"}') == {"T-3": "c"}
    for nothing in (
        "",
        "There is no ticket T-4.",
        "[1]",
        "7",
        '{"tickets":[]}',
        '{"id":"T-5"}',
        '{"ticket":3,"revision":"d"}',
    ):
        assert read_in(nothing) == {}
    assert by_key({"t-7": "a", "": "b", "T-8": None}) == {IdKey("T", 7): "a"}
