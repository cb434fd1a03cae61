"""What the agent sees and changes of tickets in a thread: conflicts with people, and the sessions it may know of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.local_model import Reply, ToolCall, say
from bot.local_slack import LocalSlack
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Status
from tests.bench import bench

PREFIX = "mcp__sciorex-tickets__sciorex_"
Request = dict[str, Any]


def results(request: Request) -> list[str]:
    """What the tools gave back so far, as the model reads it."""
    blocks = [block for message in request["messages"] for block in message["content"]]
    return [str(block["content"]) for block in blocks if block["type"] == "tool_result"]


def calling(name: str, arguments: dict[str, Any], meanwhile: Callable[[], object] = lambda: None) -> Any:
    """A script that calls one tool, for which something happens while it thinks, and then says what it was told."""

    def script(request: Request) -> Reply:
        if told := results(request):
            return say(f"I was told: {told[-1]}")
        meanwhile()
        return say(ToolCall(PREFIX + name, arguments))

    return script


async def test_the_agent_does_not_overwrite_what_a_person_changed_while_it_thought(
    tmp_path: Path, sqlite_url: str
) -> None:
    folder = tmp_path / "workspace"

    def moved() -> None:
        by = Actor("user", "UBOB")
        TicketStore(folder).change("T-042", lambda ticket, now: ticket.change_status(Status.IN_REVIEW, by=by, at=now))

    script = calling("change_status", {"ticketId": "T-042", "status": "done"}, moved)
    async with bench(tmp_path, sqlite_url, script=script) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
        await here.seen(here.general, root, "Unlink")
        await here.ask(here.alice, here.general, "review it", "Call sciorex_get_ticket again first.", root)
        said = str(results(here.model.requests[-1]))
        assert "T-042 was changed meanwhile: it is “in_review” now, and “done” was to replace" in said
        assert "status: in_review" in here.ticket("T-042")


async def test_the_agent_lists_the_sessions_that_its_whole_channel_may_see(tmp_path: Path, sqlite_url: str) -> None:
    script = calling("list_sessions", {"ticketId": "T-042"})
    async with bench(tmp_path, sqlite_url, script=script) as here:
        slack: LocalSlack = here.slack
        secret = slack.add_channel("leads", private=True, members=(here.alice, slack.bot_user_id))
        other = slack.add_channel("design", members=(here.bob, slack.bot_user_id))
        for user, channel, title in (
            (here.alice, secret, "Salaries for the avatar team"),
            (here.bob, other, "Round or square"),
            (here.alice, here.general, "What is left"),
        ):
            root = await slack.say(user, channel, f"{here.at} {title}")
            await slack.say(user, channel, "!link T-042", root)
            await here.seen(channel, root, "Unlink")
        await here.ask(here.alice, here.general, "who else works on it?", "I was told", root)
        public = json.loads(results(here.model.requests[-1])[-1])
        titles = [session["title"] for session in public["sessions"]]
        assert any("Round or square" in title for title in titles)
        assert not any("Salaries" in title for title in titles)
        assert all(session["state"].startswith("active") for session in public["sessions"])
