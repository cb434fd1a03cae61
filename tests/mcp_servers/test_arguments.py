"""Whatever is sent to a tool: a sentence for the model, nothing of the server's inside, and the file as it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client
from mcp.types import CallToolResult, TextContent

from bot.errors import SlackUnavailable
from bot.mcp_servers.answers import SessionLine
from bot.mcp_servers.tickets import ticket_server
from bot.tickets.store import TicketStore

TICKET = "id: T-001\ntitle: Add avatars\nstatus: planned\nsubtasks:\n  - {id: sub-001, title: Crop, completed: false}\n"
Answer = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".sciorex/tickets").mkdir(parents=True)
    (tmp_path / ".sciorex/epics").mkdir(parents=True)
    (tmp_path / ".sciorex/tickets/T-001.yaml").write_text(TICKET)
    return tmp_path


async def called(folder: Path, name: str, arguments: Answer, meta: Any = None) -> CallToolResult:
    async with Client(ticket_server(TicketStore(folder))) as client:
        return await client.session.call_tool(f"sciorex_{name}", arguments, meta=meta)


async def refusal(folder: Path, name: str, arguments: Answer) -> str:
    result = await called(folder, name, arguments)
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert (folder / ".sciorex/tickets/T-001.yaml").read_text() == TICKET
    assert [path.name for path in (folder / ".sciorex/tickets").iterdir()] == ["T-001.yaml"]
    return content.text


T = {"ticketId": "T-001"}


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("get_ticket", {}, "sciorex_get_ticket was called wrongly: ticketId is missing."),
        (
            "get_ticket",
            {"ticketId": 42},
            "sciorex_get_ticket was called wrongly: ticketId: input should be a valid string.",
        ),
        (
            "get_ticket",
            {"ticket_id": "T-001"},
            "sciorex_get_ticket has no parameter “ticket_id”. It takes: ticketId.",
        ),
        (
            "list_tickets",
            {"state": "done", "of": 1},
            "sciorex_list_tickets has no parameter “state”, “of”. It takes: status, type, priority, epicId, limit.",
        ),
        ("list_epics", {"all": True}, "sciorex_list_epics has no parameter “all”. It takes: nothing."),
        (
            "list_tickets",
            {"limit": "many"},
            "sciorex_list_tickets was called wrongly: limit: input should be a valid integer, unable to parse string "
            "as an integer.",
        ),
        (
            "create_ticket",
            {"title": "x", "labels": ["ui", 7]},
            "sciorex_create_ticket was called wrongly: labels[1]: input should be a valid string.",
        ),
        (
            "add_comment",
            {**T, "comment": "a\0b"},
            "comment holds a NUL character at position 1, which no file can keep. Send it without.",
        ),
        (
            "create_ticket",
            {"title": "x", "labels": ["fine", "\udc80"]},
            "labels holds half a character (a lone surrogate) at position 0, which no file can keep. Send it without.",
        ),
        (
            "update_ticket",
            {**T, "description": "x" * 200_001},
            "description has 200,001 characters; at most 200,000 are taken. Send it shorter.",
        ),
        (
            "get_ticket",
            {"ticketId": "T" * 5_000},
            "ticketId has 5,000 characters; at most 1,000 are taken. Send it shorter.",
        ),
        ("create_ticket", {"title": "x", "subtasks": ["y"] * 201}, "subtasks has 201 entries; at most 200 are taken."),
        (
            "get_ticket",
            {"ticketId": "../../etc/passwd"},
            "There is no ticket ../../etc/passwd. Use sciorex_search_tickets to find it.",
        ),
        (
            "change_status",
            {**T, "status": ""},
            "“” is not one of backlog, planned, in_progress, in_review, done, cancelled.",
        ),
    ],
)
async def test_what_cannot_be_taken_is_said(folder: Path, name: str, arguments: Answer, text: str) -> None:
    assert await refusal(folder, name, arguments) == text


async def test_lists_that_come_as_text_are_read(folder: Path) -> None:
    result = await called(folder, "create_ticket", {"title": "7", "labels": '["ui", "web"]', "description": "[1]"})
    assert result.structured_content is not None
    assert (result.structured_content["labels"], result.structured_content["description"]) == (["ui", "web"], "[1]")


async def test_what_a_request_says_of_its_caller_is_taken_only_where_it_fits(folder: Path) -> None:
    for meta in (
        {"sciorex/actor": {"type": "god", "id": 7, "onBehalfOf": "a\0"}, "sciorex/op": "\ud800", "sciorex/read": [1]},
        {"sciorex/actor": "me", "sciorex/op": 7, "sciorex/linkedTicket": "x" * 10_000},
        {"sciorex/actor": {"id": "x" * 10_000}, "sciorex/read": {"T-001": None}},
    ):
        assert not (await called(folder, "add_comment", {**T, "comment": "Hi"}, meta)).is_error
    history = TicketStore(folder).get("T-001").history
    assert [(entry.actor_type, entry.actor_id, entry.op) for entry in history] == [("agent", "mcp", None)] * 3


TOOLS = ["get_ticket", "update_ticket", "change_status", "add_subtask", "search_tickets"]
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["T-1", "T-001", "done", "x" * 999]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "ticketId",
        "title",
        "description",
        "type",
        "priority",
        "labels",
        "epicId",
        "status",
        "query",
        "limit",
        "relatesTo",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(TOOLS), st.dictionaries(KEYS, ANY, max_size=5)), min_size=5, max_size=10))
async def test_no_argument_breaks_the_server(folder: Path, calls: list[tuple[str, Answer]]) -> None:
    store = TicketStore(folder)
    async with Client(ticket_server(store)) as client:
        for name, arguments in calls:
            result = await client.session.call_tool(f"sciorex_{name}", arguments)
            text = "".join(part.text for part in result.content if isinstance(part, TextContent))
            assert text and not any(word in text for word in ("Traceback", "Something went wrong", "pydantic", ".py"))
            if not result.is_error:
                assert json.loads(text) == result.structured_content
    assert store.problems() == []
    assert store.get("T-001").id == "T-001"


async def test_what_nobody_expected_is_not_shown(folder: Path) -> None:
    async def broken(ticket_id: str) -> list[SessionLine]:
        raise RuntimeError("password=hunter2")

    async with Client(ticket_server(TicketStore(folder), sessions=broken)) as client:
        result = await client.session.call_tool("sciorex_list_sessions", T)
    assert [part.text for part in result.content if isinstance(part, TextContent)] == [
        "Something went wrong in sciorex_list_sessions, and it was not this call's fault. Tell the person; the "
        "server's log says more."
    ]


async def test_the_sessions_come_from_whoever_knows_them(folder: Path) -> None:
    asked = []

    async def sessions(ticket_id: str) -> list[SessionLine]:
        asked.append(ticket_id)
        if len(asked) > 1:
            raise SlackUnavailable("Slack did not say who may see what.")
        return [SessionLine(title="Avatars", state="past", note="Decided", lastUpdated="2026-11-24T10:00:00.000Z")]

    async with Client(ticket_server(TicketStore(folder), sessions=sessions)) as client:
        listed = await client.session.call_tool("sciorex_list_sessions", {"ticketId": "1"})
        failed = await client.session.call_tool("sciorex_list_sessions", {"ticketId": "1"})
        unknown = await client.session.call_tool("sciorex_list_sessions", {"ticketId": "2"})
    assert listed.structured_content == {
        "ticketId": "T-001",
        "sessions": [
            {"title": "Avatars", "state": "past", "note": "Decided", "lastUpdated": "2026-11-24T10:00:00.000Z"}
        ],
    }
    assert asked == ["T-001", "T-001"]
    assert "Slack did not say" in str(failed.content) and failed.is_error
    assert "There is no ticket T-002. Did you mean T-001?" in str(unknown.content)


async def test_an_unknown_epic_names_those_nearest(folder: Path) -> None:
    for title in ("One", "Two"):
        await called(folder, "create_epic", {"title": title})
    for name, more in (("get_epic", {}), ("update_epic", {"title": "x"})):
        text = await refusal(folder, name, {"epicId": "e3", **more})
        assert text == "There is no epic e3. Did you mean E-002, E-001? See sciorex_list_epics."
