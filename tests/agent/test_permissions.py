"""Which calls a person must approve: the strictest rule wins; and which tools reach an agent at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from mcp.types import CallToolResult, Tool, ToolAnnotations

from bot.agent.permissions import Mode, must_ask, same_change
from bot.agent.toolbox import Offered, toolbox
from bot.definitions.agents import Agent
from bot.errors import BotError


class Listed:
    """A server that lists tools; `down` makes it fail, and it lists them `after` this has happened."""

    def __init__(
        self,
        name: str,
        *tools: str,
        outside: bool = False,
        reads: bool = False,
        down: Exception | None = None,
        after: asyncio.Event | None = None,
    ) -> None:
        self.name, self.outside, self._down, self._after = name, outside, down, after
        self.asked = asyncio.Event()
        effects = ToolAnnotations(read_only_hint=reads)
        self._tools = [Tool(name=tool, input_schema={"type": "object"}, annotations=effects) for tool in tools]

    async def tools(self) -> Sequence[Tool]:
        self.asked.set()
        if self._after:
            await self._after.wait()
        if self._down:
            raise self._down
        return self._tools

    async def call(self, tool: str, arguments: Mapping[str, Any], **_: Any) -> CallToolResult:
        raise AssertionError("nothing is called here")

    def offered(self, n: int = 0) -> Offered:
        tool = self._tools[n]
        name = tool.name if self.name == "files" else f"mcp__{self.name}__{tool.name}"
        return Offered(name, self, tool)


TICKETS = Listed("sciorex-tickets", "sciorex_add_comment", "sciorex_create_ticket")
READS = Listed("sciorex-tickets", "sciorex_get_ticket", reads=True)
RESOURCES = Listed("sciorex-resources", "sciorex_save_agent")
OUTSIDE = Listed("github", "list_issues", outside=True, reads=True)
INTERACTIONS = Listed("sciorex-interactions", "sciorex_ask_user", "sciorex_notify_user", "sciorex_request_approval")
FILES = Listed("files", "Read", "Glob", "Grep", reads=True)
A = Agent("a", "A")
PREFIX = "mcp__sciorex-tickets"


@pytest.mark.parametrize(
    ("server", "ask", "edits", "yolo"),
    [
        (TICKETS, True, False, False),
        (READS, False, False, False),
        (RESOURCES, True, True, False),
        (OUTSIDE, True, True, False),  # whatever its annotations say
        (INTERACTIONS, False, False, False),
        (FILES, False, False, False),
    ],
    ids=lambda value: value.name if isinstance(value, Listed) else str(value),
)
def test_the_mode_decides_where_the_agents_file_says_nothing(
    server: Listed, ask: bool, edits: bool, yolo: bool
) -> None:
    asked = [must_ask(A, mode, server.offered(), ()) for mode in Mode]
    assert asked == [ask, edits, yolo]


@pytest.mark.parametrize(
    "named",
    [
        "sciorex_add_comment",
        "mcp__sciorex-tickets__sciorex_add_comment",
        "mcp__sciorex-tickets",
        "mcp__sciorex-tickets__*",
    ],
)
def test_what_requires_human_approval_is_asked_in_every_mode_and_cannot_be_remembered(named: str) -> None:
    agent = Agent("a", "A", requires_human_approval=(named,), auto_approve=True)
    offered = TICKETS.offered()
    assert all(must_ask(agent, mode, offered, (offered.name,)) for mode in Mode)


def test_reading_can_be_made_to_wait_too() -> None:
    assert must_ask(Agent("a", "A", requires_human_approval=("Read",)), Mode.YOLO, FILES.offered(), ())


@pytest.mark.parametrize(
    ("agent", "comment", "create"),
    [
        (Agent("a", "A", auto_approve=True), False, False),
        (Agent("a", "A", auto_approve=False), True, True),
        (Agent("a", "A", auto_approve_tools=("sciorex_add_comment",)), False, True),
        (Agent("a", "A", auto_approve_tools=("Read", "Glob")), True, True),
    ],
)
def test_an_agents_own_auto_approve_only_makes_it_stricter(agent: Agent, comment: bool, create: bool) -> None:
    for mode in (Mode.EDITS, Mode.YOLO):
        assert [must_ask(agent, mode, TICKETS.offered(n), ()) for n in (0, 1)] == [comment, create]
    assert all(must_ask(agent, Mode.ASK, TICKETS.offered(n), ()) for n in (0, 1))
    assert must_ask(agent, Mode.EDITS, RESOURCES.offered(), ())


def test_what_a_person_remembered_is_not_asked_again() -> None:
    for server in (TICKETS, RESOURCES, OUTSIDE):
        offered = server.offered()
        assert not must_ask(Agent("a", "A", auto_approve=False), Mode.ASK, offered, (offered.name,))


def change(**more: Any) -> dict[str, Any]:
    """What a card says of a call that completes a subtask."""
    was = [{"id": "a", "status": "pending"}, {"id": "b", "status": "pending"}]
    to = [{"id": "a", "status": "completed"}, {"id": "b", "status": "pending"}]
    line = {"timestamp": "2026-11-25T10:00:00Z", "action": "subtask_completed", "details": {"subtaskId": "a"}}
    one = {"id": "T-1", "title": "One", "before": {"subtasks": was}, "after": {"subtasks": to, "history": [line]}}
    return {"changes": [one | more]}


def test_a_change_is_the_same_whatever_else_the_ticket_holds_by_then() -> None:
    later = [{"timestamp": "2026-11-25T11:00:00Z", "action": "subtask_completed", "details": {"subtaskId": "a"}}]
    done = {"id": "b", "status": "completed"}
    elsewhere = {"subtasks": [{"id": "a", "status": "pending"}, done]}
    after = {"subtasks": [{"id": "a", "status": "completed"}, done], "history": later}
    assert same_change(change(), change(title="Two", before=elsewhere, after=after))
    assert not same_change(change(), change(after={**after, "status": "done"}))
    assert not same_change(change(), change(before={"subtasks": [{"id": "a", "status": "in_progress"}, done]}))
    assert not same_change(change(), change(id="T-2"))
    assert not same_change(change(), {"changes": []})


ONE = ("sciorex-tickets",)
ALL = (TICKETS, INTERACTIONS, RESOURCES, FILES, OUTSIDE)


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (A, ["add_comment", "create_ticket", "ask_user", "notify_user", "request_approval", "Read", "Glob", "Grep"]),
        (Agent("a", "A", mcp_servers=()), ["Read", "Glob", "Grep"]),
        (
            Agent("a", "A", mcp_servers=ONE, allowed_tools=("Read",)),
            ["add_comment", "create_ticket", "Read"],
        ),
        (Agent("a", "A", mcp_servers=ONE, allowed_tools=("sciorex_add_comment",)), ["add_comment"]),
        (
            Agent("a", "A", mcp_servers=("sciorex-interactions",), allowed_tools=("Grep:*", "sciorex_ask_user")),
            ["ask_user", "Grep"],
        ),
        (Agent("a", "A", mcp_servers=("github", "sciorex-resources"), allowed_tools=()), ["save_agent", "list_issues"]),
        (
            Agent("a", "A", mcp_servers=ONE, denied_tools=("Read", "sciorex_create_ticket")),
            ["add_comment", "Glob", "Grep"],
        ),
    ],
)
async def test_only_what_the_agents_file_allows_reaches_it(agent: Agent, names: list[str]) -> None:
    box = await toolbox(agent, ALL)
    assert [name.rpartition("__")[2].removeprefix("sciorex_") for name in box.tools] == names
    assert [tool["name"] for tool in box.for_model()] == list(box.tools)


async def test_what_an_agent_names_and_nobody_offers_is_named() -> None:
    agent = Agent(
        "a", "A", mcp_servers=("sciorex-tickets", "jira"), allowed_tools=("Read", "Write", "Bash:git *", "Bash")
    )
    assert (await toolbox(agent, ALL)).missing == ("jira", "Write", "Bash")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (BotError("The server github does not start."), "The server github does not start."),
        (
            OSError("what nobody thought of"),
            "The MCP server github is not available: it could not list its tools; the bot's log says why.",
        ),
    ],
)
async def test_a_server_that_is_down_takes_no_other_with_it(failure: Exception, said: str) -> None:
    down = Listed("github", "x", outside=True, down=failure)
    box = await toolbox(Agent("a", "A", mcp_servers=("sciorex-tickets", "github")), (down, TICKETS, FILES))
    assert box.down == (said,)
    assert len(box.tools) == 5


async def test_a_slow_server_is_not_waited_for_before_the_next_is_asked() -> None:
    second = Listed("jira", "y", outside=True)
    first = Listed("github", "x", outside=True, after=second.asked)
    async with asyncio.timeout(10):
        box = await toolbox(Agent("a", "A", mcp_servers=("github", "jira"), allowed_tools=()), (first, second))
    assert list(box.tools) == ["mcp__github__x", "mcp__jira__y"]
