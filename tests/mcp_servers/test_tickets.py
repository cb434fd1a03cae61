"""The sciorex-tickets server, called as an agent calls it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult, TextContent

from bot.mcp_servers.tickets import ticket_server
from bot.tickets.store import TicketStore

AVATAR = """\
id: T-042
title: Add user profile avatar upload
description: |
  ## Requirements
  - [ ] Accept JPEG, PNG, GIF
status: in_progress
blockedBy: [T-041, T-099]
subtasks:
  - {id: sub-001, title: Upload UI, completed: true}
  - id: sub-002
    title: Add image processing # next
    completed: false
  - {id: sub-003, title: Write tests, status: pending}
history: []
"""
META: Any = {
    "sciorex/op": "turn.1.0",
    "sciorex/actor": {"type": "agent", "id": "coder", "onBehalfOf": "U1"},
    "sciorex/linkedTicket": "t-42",
}
Answer = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tickets = tmp_path / ".sciorex" / "tickets"
    tickets.mkdir(parents=True)
    (tickets / "T-042.yaml").write_text(AVATAR)
    (tickets / "T-041.yaml").write_text("id: T-041\ntitle: Storage\nstatus: planned\n")
    return tmp_path


def store(folder: Path) -> TicketStore:
    return TicketStore(folder)


async def call(folder: Path, name: str, arguments: Answer, meta: Any = None) -> CallToolResult:
    async with Client(ticket_server(store(folder))) as client:
        return await client.session.call_tool(name, arguments, meta=meta)


async def answer(folder: Path, name: str, arguments: Answer, meta: Any = None) -> Answer:
    result = await call(folder, name, arguments, meta)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    content: Answer = result.structured_content
    return content


async def refusal(folder: Path, name: str, arguments: Answer) -> str:
    result = await call(folder, name, arguments)
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def test_a_ticket_is_read_whole(folder: Path) -> None:
    ticket = await answer(folder, "sciorex_get_ticket", {"ticketId": "t42"})
    assert ticket["id"] == "T-042"
    assert ticket["description"] == "## Requirements\n- [ ] Accept JPEG, PNG, GIF\n"
    assert ticket["subtasks"] == [
        {"id": "sub-001", "title": "Upload UI", "status": "completed"},
        {"id": "sub-002", "title": "Add image processing", "status": "pending"},
        {"id": "sub-003", "title": "Write tests", "status": "pending"},
    ]
    assert ticket["blockedBy"] == [
        {"id": "T-041", "title": "Storage", "status": "planned"},
        {"id": "T-099", "title": None, "status": "missing"},
    ]
    assert ticket["nextStatuses"] == ["planned", "in_review", "done", "cancelled"]


async def test_a_subtask_in_progress_changes_the_file_and_names_agent_and_person(folder: Path) -> None:
    arguments: Answer = {"ticketId": "T-042", "title": "image processing", "status": "in_progress"}
    done = await answer(folder, "sciorex_update_subtask", arguments, META)
    del done["revision"]
    assert done == {
        "changed": True,
        "ticketId": "T-042",
        "subtask": {"id": "sub-002", "title": "Add image processing", "status": "in_progress"},
        "subtasksCompleted": 1,
        "subtasksTotal": 3,
    }
    text = (folder / ".sciorex/tickets/T-042.yaml").read_text()
    assert "    title: Add image processing # next\n    completed: false\n    status: in_progress\n" in text
    (entry,) = store(folder).get("T-042").history
    assert (entry.actor_type, entry.actor_id, entry.details["onBehalfOf"]) == ("agent", "coder", "U1")
    assert entry.op == "turn.1.0"


async def test_the_same_op_twice_changes_nothing(folder: Path) -> None:
    path = folder / ".sciorex/tickets/T-042.yaml"
    for name, arguments in (
        ("sciorex_add_comment", {"ticketId": "T-042", "comment": "Once"}),
        ("sciorex_add_subtask", {"ticketId": "T-042", "title": "Deploy"}),
        ("sciorex_report_progress", {"ticketId": "T-042", "message": "Half", "percentage": 50}),
        ("sciorex_create_ticket", {"title": "Thumbnails"}),
    ):
        meta: Answer = {**META, "sciorex/op": name}
        first = await answer(folder, name, dict(arguments), meta)
        text = path.read_text()
        again = await answer(folder, name, dict(arguments), meta)
        assert again == {**first, "revision": again["revision"], **({"changed": False} if "changed" in first else {})}
        assert path.read_text() == text
    assert [ticket.id for ticket in store(folder).search("Thumbnails")] == ["T-043"]


async def test_a_created_ticket_is_related_to_the_linked_one(folder: Path) -> None:
    arguments = {"title": "Thumbnails", "description": "[1, 2]", "subtasks": ["64px"], "relatesTo": ["t-41"]}
    made = await answer(folder, "sciorex_create_ticket", arguments, META)
    assert [other["id"] for other in made["relatesTo"]] == ["T-042", "T-041"]
    assert (made["id"], made["description"]) == ("T-043", "[1, 2]")
    alone = await answer(folder, "sciorex_create_ticket", {"title": "Alone"})
    assert alone["relatesTo"] == []
    history = store(folder).get("T-044").history
    assert [(entry.actor_type, entry.actor_id) for entry in history] == [("agent", "mcp")]


async def test_null_takes_the_epic_away_and_absent_leaves_it(folder: Path) -> None:
    epic = await answer(folder, "sciorex_create_epic", {"title": "Profiles"})
    assert epic == {"id": "E-001", "title": "Profiles", "status": "open", "progress": "0/0"}
    await answer(folder, "sciorex_update_ticket", {"ticketId": "T-042", "epicId": "e-1"})
    await answer(folder, "sciorex_update_ticket", {"ticketId": "T-042", "title": "Avatars", "labels": ["ui"]})
    ticket = store(folder).get("T-042")
    assert (ticket.epic_id, ticket.title, ticket.labels) == ("E-001", "Avatars", ("ui",))
    found = await answer(folder, "sciorex_get_epic", {"epicId": "E-001"})
    assert found["progress"] == "0/1"
    await answer(folder, "sciorex_update_ticket", {"ticketId": "T-042", "epicId": None})
    assert store(folder).get("T-042").epic_id is None
    renamed = await answer(folder, "sciorex_update_epic", {"epicId": "E-001", "status": "completed"})
    assert await answer(folder, "sciorex_list_epics", {}) == {"epics": [renamed]}


async def test_lists_tell_when_the_limit_left_some_out(folder: Path) -> None:
    listed = await answer(folder, "sciorex_list_tickets", {"limit": 1})
    assert (len(listed["tickets"]), listed["more"]) == (1, True)
    found = await answer(folder, "sciorex_search_tickets", {"query": "STORAGE"})
    ready = await answer(folder, "sciorex_get_ready_tickets", {})
    planned = await answer(folder, "sciorex_list_tickets", {"status": "Planned"})
    assert found == ready == planned
    blocked = await answer(folder, "sciorex_get_blocked_tickets", {})
    assert [ticket["id"] for ticket in blocked["tickets"]] == ["T-042"]


async def test_subtasks_are_counted(folder: Path) -> None:
    await answer(folder, "sciorex_complete_subtask", {"ticketId": "T-042", "subtaskId": "sub-003", "title": "UI"})
    await answer(folder, "sciorex_complete_subtask", {"ticketId": "T-042", "title": "ui", "completed": False})
    listed = await answer(folder, "sciorex_list_subtasks", {"ticketId": "T-042"})
    del listed["subtasks"], listed["revision"]
    assert listed == {"ticketId": "T-042", "total": 3, "completed": 1, "pending": 2, "percentage": 33}


async def test_blockers_are_added_and_removed_and_cycles_refused(folder: Path) -> None:
    await answer(folder, "sciorex_remove_blocker", {"ticketId": "T-042", "blockerTicketId": "t-99"})
    assert store(folder).get("T-042").blocked_by == ("T-041",)
    text = await refusal(folder, "sciorex_add_blocker", {"ticketId": "T-041", "blockerTicketId": "T-042"})
    assert text == "T-042 waits for T-041 already (T-041 → T-042 → T-041): that is a cycle."
    text = await refusal(folder, "sciorex_add_blocker", {"ticketId": "T-041", "blockerTicketId": "T-41"})
    assert text == "T-041 cannot block itself."


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        (
            "get_ticket",
            {"ticketId": "T-43"},
            "There is no ticket T-043. Did you mean T-042, T-041? Use sciorex_search_tickets to find it.",
        ),
        (
            "change_status",
            {"ticketId": "T-041", "status": "done"},
            "T-041 is planned and cannot become done. From planned it can become backlog, in_progress, cancelled.",
        ),
        (
            "change_status",
            {"ticketId": "T-041", "status": "closed"},
            "“closed” is not one of backlog, planned, in_progress, in_review, done, cancelled.",
        ),
        (
            "complete_subtask",
            {"ticketId": "T-042", "title": "i"},
            "“i” fits several subtasks of T-042: “Upload UI” (sub-001, completed), “Add image processing” "
            "(sub-002, pending), “Write tests” (sub-003, pending). Say which one.",
        ),
        (
            "update_subtask",
            {"ticketId": "T-042", "status": "pending"},
            "Say which subtask: give subtaskId or title.",
        ),
        ("create_ticket", {"title": " "}, "A ticket needs a title."),
        (
            "create_ticket",
            {"title": "x", "relatesTo": ["T-77"]},
            "There is no ticket T-077. Use sciorex_search_tickets to find it.",
        ),
        (
            "update_ticket",
            {"ticketId": "T-042", "epicId": "E-7"},
            "There is no epic E-7. See sciorex_list_epics.",
        ),
        ("update_epic", {"epicId": "nonsense", "title": "x"}, "There is no epic nonsense. See sciorex_list_epics."),
        ("list_tickets", {"epicId": "E-9"}, "There is no epic E-9. See sciorex_list_epics."),
        (
            "report_progress",
            {"ticketId": "T-042", "message": "x", "percentage": 101},
            "The percentage is 101; it must lie between 0 and 100.",
        ),
    ],
)
async def test_a_failure_says_what_to_do_next(folder: Path, name: str, arguments: Answer, text: str) -> None:
    assert await refusal(folder, f"sciorex_{name}", arguments) == text


async def test_a_broken_file_is_told_to_the_model(folder: Path) -> None:
    (folder / ".sciorex/tickets/T-001.yaml").write_text("id: T-001\ntitle: [\n")
    text = await refusal(folder, "sciorex_get_ticket", {"ticketId": "T-1"})
    assert text.startswith("The ticket file .sciorex/tickets/T-001.yaml, line 3 cannot be read: ")
    assert text.endswith("Tell the person; do not try again unchanged.")


WIRE = {
    "sciorex_create_ticket": "title* description type priority epicId labels subtasks relatesTo",
    "sciorex_get_ticket": "ticketId*",
    "sciorex_update_ticket": "ticketId* title description type priority labels epicId relatesTo",
    "sciorex_change_status": "ticketId* status* comment",
    "sciorex_list_tickets": "status type priority epicId limit",
    "sciorex_create_epic": "title* description",
    "sciorex_get_epic": "epicId*",
    "sciorex_list_epics": "",
    "sciorex_update_epic": "epicId* title description status",
    "sciorex_add_subtask": "ticketId* title*",
    "sciorex_update_subtask": "ticketId* subtaskId title status*",
    "sciorex_complete_subtask": "ticketId* subtaskId title completed",
    "sciorex_list_subtasks": "ticketId*",
    "sciorex_search_tickets": "query* limit",
    "sciorex_get_ready_tickets": "limit priority type",
    "sciorex_get_blocked_tickets": "limit",
    "sciorex_report_progress": "ticketId* message* percentage",
    "sciorex_add_comment": "ticketId* comment*",
    "sciorex_add_blocker": "ticketId* blockerTicketId* reason",
    "sciorex_remove_blocker": "ticketId* blockerTicketId*",
}
CORE = """get_ticket list_tickets search_tickets change_status update_subtask complete_subtask
    add_comment create_ticket"""


@pytest.mark.parametrize(("core", "tokens"), [(False, 4_000), (True, 1_700)])
async def test_tools_have_the_wire_names_and_cost_few_tokens(folder: Path, core: bool, tokens: int) -> None:
    async with Client(ticket_server(store(folder), core=core)) as client:
        tools = (await client.list_tools()).tools
    offered: dict[str, set[str]] = {}
    for tool in tools:
        required = set(tool.input_schema.get("required", []))
        parameters = tool.input_schema.get("properties", {})
        offered[tool.name] = {name + ("*" if name in required else "") for name in parameters}
        assert tool.description and tool.annotations is not None and tool.output_schema is not None
    wanted = {f"sciorex_{name}" for name in CORE.split()} if core else set(WIRE)
    assert offered == {name: set(WIRE[name].split()) for name in wanted}
    shown = [{"name": t.name, "description": t.description, "inputSchema": t.input_schema} for t in tools]
    assert len(json.dumps(shown, separators=(",", ":")).encode()) / 4 <= tokens


def test_importing_it_loads_neither_claude_nor_slack_nor_sql() -> None:
    code = "import sys, bot.mcp_servers.tickets; print([m for m in sys.argv[1:] if m in sys.modules])"
    names = ["anthropic", "slack_bolt", "slack_sdk", "sqlalchemy"]
    run = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
