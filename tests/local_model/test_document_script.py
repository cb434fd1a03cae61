"""The scripted conversation, on the sample ticket as the bot really tells the model of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.agent.prompt import (
    AgentStep,
    Line,
    PersonLine,
    ToolResult,
    ToolResults,
    request_messages,
    system_blocks,
)
from bot.agent.told_ticket import ticket_context
from bot.definitions.agents import DEFAULT_AGENT
from bot.local_model import Reply, ToolCall, document_script
from bot.local_model.refusals import refusal_of
from bot.local_model.script import DISCLAIMER
from bot.tickets.store import TicketStore

STORE = TicketStore(Path(__file__).resolve().parents[2] / "bot" / "sample_workspace")
PREFIX = "mcp__sciorex-tickets__"
TOOLS = [
    "sciorex_get_ticket",
    "sciorex_list_subtasks",
    "sciorex_update_subtask",
    "sciorex_complete_subtask",
    "sciorex_change_status",
    "sciorex_add_comment",
    "sciorex_create_ticket",
]
SUBTASKS = [{"id": s.id, "title": s.title, "status": s.status.value} for s in STORE.get("T-042").subtasks]


class Thread:
    """A thread with the scripted model: what people say, and what tools give back."""

    def __init__(self, ticket_id: str | None = "T-042", tools: list[str] = TOOLS) -> None:
        self.lines: list[Line] = []
        self.tools, self.context = tools, None if ticket_id is None else _context(ticket_id)

    def says(self, text: str) -> str:
        """What the model answers; a tool call is written as [tool {arguments}]."""
        self.lines.append(PersonLine("Mia", "U0MIA", "1760000000.000100", text))
        return self._asked()

    def gets(self, result: dict[str, Any] | str, *, is_error: bool = False) -> str:
        """What the model answers once its tool has given this."""
        step = self.lines[-1]
        assert isinstance(step, AgentStep)
        text = result if isinstance(result, str) else json.dumps(result)
        self.lines.append(ToolResults([ToolResult(step.content[-1]["id"], text, is_error)]))
        return self._asked()

    def _asked(self) -> str:
        offered = [{"name": PREFIX + name, "input_schema": {"type": "object"}} for name in self.tools]
        request = {
            "model": "m",
            "max_tokens": 100,
            "system": system_blocks(DEFAULT_AGENT),
            "tools": offered,
            "messages": request_messages(self.lines, self.context),
        }
        assert refusal_of(request) is None
        reply = document_script(request)
        assert isinstance(reply, Reply)
        assert document_script(request) == reply
        blocks = [_block(part, f"toolu_{len(self.lines)}") for part in reply.parts]
        self.lines.append(AgentStep(blocks))
        return "\n".join(_shown(part) for part in reply.parts)


def _context(ticket_id: str) -> str:
    ticket = STORE.get(ticket_id)
    related = {i: STORE.find(i) for i in ticket.relates_to}
    return ticket_context(ticket, related, {i: STORE.find(i) for i in ticket.blocked_by}, STORE.epic("E-001"))


def _block(part: Any, tool_use_id: str) -> dict[str, Any]:
    if isinstance(part, ToolCall):
        return {"type": "tool_use", "id": tool_use_id, "name": part.name, "input": part.input}
    return {"type": "text", "text": part}


def _shown(part: Any) -> str:
    if isinstance(part, ToolCall):
        return f"[{part.name.removeprefix(PREFIX)} {json.dumps(part.input)}]"
    return str(part)


def test_the_conversation_of_the_document() -> None:
    thread = Thread()
    assert (
        thread.says("Help me implement this feature")
        == f"""\
{DISCLAIMER}

I see this is for ticket T-042: "Add user profile avatar upload"

Based on the requirements:
- Accept JPEG, PNG, GIF (max 5MB)
- Crop to square aspect ratio
- Generate thumbnails at 64px, 128px, and 256px
- Fall back to initials while there is no picture
- Remove location and camera metadata before anything is stored

Let me start by examining the existing file upload component..."""
    )
    assert thread.says("What's left to do on this ticket?") == '[sciorex_list_subtasks {"ticketId": "T-042"}]'
    assert (
        thread.gets({"total": 5, "completed": 2, "pending": 3, "percentage": 40, "subtasks": SUBTASKS})
        == """\
Looking at ticket T-042, here are the remaining subtasks:

☐ Add image processing (pending)
☐ Update profile display components (pending)
☐ Write tests (pending)

The upload UI and backend endpoint are already complete.

Should I start with image processing?"""
    )
    assert (
        thread.says("Yes, and mark it in progress")
        == """\
I'll update the subtask status and begin implementing...

[sciorex_update_subtask {"ticketId": "T-042", "title": "Add image processing", "status": "in_progress"}]"""
    )
    assert thread.gets({"id": "T-042"}) == (
        "Looking at the requirements, we need to generate thumbnails at 64px, 128px, and 256px..."
    )


def test_the_first_answer_says_that_it_is_scripted_also_before_a_tool() -> None:
    thread = Thread()
    first = thread.says("<@U0BOT> What’s left to do on this ticket?")
    assert first == f'{DISCLAIMER}\n[sciorex_list_subtasks {{"ticketId": "T-042"}}]'
    assert DISCLAIMER not in thread.gets({"subtasks": SUBTASKS})


@pytest.mark.parametrize(
    ("said", "call", "result", "answer"),
    [
        (
            'Mark "Write tests" complete',
            'sciorex_complete_subtask {"ticketId": "T-042", "title": "Write tests"}',
            {"id": "T-042"},
            '"Write tests" is complete now. Still open: Add image processing, Update profile display components.',
        ),
        (
            "mark image processing as done please",
            'sciorex_complete_subtask {"ticketId": "T-042", "title": "Add image processing"}',
            {},
            '"Add image processing" is complete now. Still open: Update profile display components, Write tests.',
        ),
        (
            "mark the moon complete",
            'sciorex_complete_subtask {"ticketId": "T-042", "title": "the moon"}',
            {},
            '"the moon" is complete now. Still open: Add image processing, Update profile display components,'
            " Write tests.",
        ),
        (
            "Set the status to in review",
            'sciorex_change_status {"ticketId": "T-042", "status": "in_review"}',
            {},
            "T-042 is now in review.",
        ),
        (
            "mark the ticket done",
            'sciorex_change_status {"ticketId": "T-042", "status": "done"}',
            {},
            "T-042 is now done.",
        ),
        (
            "move T-045 to in_progress",
            'sciorex_change_status {"ticketId": "T-045", "status": "in_progress"}',
            {},
            "T-045 is now in progress.",
        ),
        (
            "Please add a comment: the UI of T-038 is reused",
            'sciorex_add_comment {"ticketId": "T-042", "comment": "the UI of T-038 is reused"}',
            {},
            "I've added your comment to T-042.",
        ),
        (
            "Create a ticket for resizing old avatars",
            'sciorex_create_ticket {"title": "Resizing old avatars"}',
            {"ticket": {"id": "T-051", "title": "Resizing old avatars"}},
            'I\'ve created T-051: "Resizing old avatars". It is related to T-042.',
        ),
        (
            "mark 'Write tests' in progress",
            'sciorex_update_subtask {"ticketId": "T-042", "title": "Write tests", "status": "in_progress"}',
            {},
            'Then I begin with "Write tests".',
        ),
        (
            "Help me implement T-038",
            'sciorex_get_ticket {"ticketId": "T-038"}',
            {"id": "T-038", "title": "Redesign", "description": "## Requirements\n- Fast", "subtasks": []},
            'I see this is for ticket T-038: "Redesign"\n\nBased on the requirements:\n- Fast\n\n'
            "Let me start by looking at what is there already...",
        ),
    ],
)
def test_phrases_become_tool_calls_and_their_results_sentences(
    said: str, call: str, result: dict[str, Any], answer: str
) -> None:
    thread = Thread()
    thread.says("This relates to T-038")
    assert f"[{call}]" in thread.says(said)
    assert thread.gets(result) == answer


def test_an_error_of_a_tool_is_told_as_it_is() -> None:
    thread = Thread()
    thread.says("Set the status to backlog")
    said = thread.gets("T-042 is in_progress and cannot become backlog.", is_error=True)
    assert said == "That did not work: T-042 is in_progress and cannot become backlog."


def test_a_mentioned_ticket_is_noted_without_any_tool() -> None:
    thread = Thread(None)
    said = thread.says("This relates to T-042 but is a separate concern")
    assert said == f"{DISCLAIMER}\n\nI'll note the relationship to T-042."


def test_a_summary_comes_from_the_ticket() -> None:
    thread = Thread()
    assert thread.says("Can you summarise this?").splitlines()[-1] == (
        'T-042: "Add user profile avatar upload" is in progress. 2 of 5 subtasks are complete. Still open: '
        "Add image processing, Update profile display components, Write tests."
    )


@pytest.mark.parametrize("said", ["Help me implement this feature", "What's left?", "set the status to done"])
def test_without_a_ticket_it_says_how_to_link_one(said: str) -> None:
    assert Thread(None).says(said).splitlines()[-1] == (
        "This thread is not linked to a ticket, so I don't know which one you mean. Link one with `!link T-042`, "
        "or name a ticket in your message."
    )


def test_a_named_ticket_is_looked_up_where_none_is_linked() -> None:
    thread = Thread(None)
    assert thread.says("What's left to do on t-042?").splitlines()[-1] == (
        '[sciorex_list_subtasks {"ticketId": "T-042"}]'
    )
    assert "☐ Write tests (pending)" in thread.gets({"subtasks": SUBTASKS})


def test_a_missing_tool_is_said() -> None:
    said = Thread(tools=[]).says("Set the status to in review")
    assert said.endswith("For that I need the tool sciorex_change_status, and this agent has not been given it.")


@pytest.mark.parametrize("said", ["Tell me a joke", "Don't mark it in progress", "…"])
def test_what_it_does_not_know_it_says_with_what_can_be_tried(said: str) -> None:
    thread = Thread()
    thread.says("This relates to T-038")
    answer = thread.says(said)
    assert answer.startswith(DISCLAIMER)
    assert f'You said: "{said}".' in answer
    assert 'This thread is linked to T-042: "Add user profile avatar upload".' in answer
    assert "- What's left to do on this ticket?" in answer


def test_every_phrase_it_suggests_is_one_it_knows() -> None:
    for ticket_id in ("T-042", None):
        suggested = [line[2:] for line in Thread(ticket_id).says("hm").splitlines() if line.startswith("- ")]
        assert suggested
        for phrase in suggested:
            assert "I have no line for that" not in Thread(ticket_id).says(phrase), phrase


@pytest.mark.parametrize("ticket_id", ["T-031", "T-038", "T-040", "T-042", "T-045", "T-046", "T-047", "T-050"])
def test_it_has_something_to_say_on_every_sample_ticket(ticket_id: str) -> None:
    ticket = STORE.get(ticket_id)
    assert f'I see this is for ticket {ticket_id}: "{ticket.title}"' in Thread(ticket_id).says("implement this")
    left = Thread(ticket_id, tools=[]).says("What's left to do?")
    pending = [s.title for s in ticket.subtasks if s.status != "completed"]
    assert [title in left for title in pending] == [True] * len(pending)
