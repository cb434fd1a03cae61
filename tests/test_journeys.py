"""Whole stories: the user's document, played by people in a Slack, through real HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import difflib
import json
from pathlib import Path

import pytest

from bot.doctor import examine
from tests.bench import Bench, bench, everything_in, given_settings
from tests.slack.asked import asked, at_rest, numbered
from tests.slack.test_agent_and_tickets import calling
from tests.slack.test_asking import DONE, card, press

TICKET = "T-042"


@pytest.fixture(params=["socket mode", "http"])
def http(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "http")


def changed_lines(before: str, after: str) -> list[str]:
    """The lines that are gone (-) and new (+)."""
    return [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if line[0] in "+-" and not line.startswith(("+++", "---"))
    ]


async def sessions_told(here: Bench, user: str, ticket: str = TICKET) -> str:
    """What `/ticket T-042 sessions` tells a person."""
    before = len(here.slack.ephemerals(user))
    await here.slack.command(user, here.general, f"/ticket {ticket} sessions")
    await here.slack.until(lambda s: len(s.ephemerals(user)) > before, timeout=10)
    return everything_in(here.slack.ephemerals(user)[-1])


async def test_method_1_context_is_set_before_chatting(tmp_path: Path, database_url: str, http: bool) -> None:
    async with bench(tmp_path, database_url, http=http) as here:
        await here.slack.command(here.alice, here.general, f"/ticket {TICKET}")
        card = await here.told(here.alice, "Add user profile avatar upload")
        await here.slack.click(here.alice, here.general, card["ts"], "chat_start")
        await here.slack.until(lambda s: any("T-042" in everything_in(m) for m in s.messages(here.general)))
        root = here.slack.messages(here.general)[-1]["ts"]
        header = await here.seen(here.general, root, "Unlink")
        assert "Add user profile avatar upload" in everything_in(header)

        await here.ask(
            here.alice, here.general, f"{here.at} Help me implement this feature", "JPEG, PNG, GIF", thread_ts=root
        )
        answer = everything_in(await here.seen(here.general, root, "JPEG, PNG, GIF"))
        assert "T-042" in answer
        await here.slack.click(here.alice, here.general, header["ts"], "ticket_view")
        await here.slack.until(lambda s: bool(s.views(here.alice)))
        assert "Acceptance Criteria" in everything_in(here.slack.views(here.alice)[-1])
        assert "scripted" in answer
        assert "session_linked" in here.ticket(TICKET)


async def test_the_example_conversation_marks_the_subtask_in_the_file(
    tmp_path: Path, database_url: str, http: bool
) -> None:
    async with bench(tmp_path, database_url, http=http) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}")
        await here.seen(here.general, root, "Unlink")
        await here.ask(here.alice, here.general, "What's left to do on this ticket?", "Write tests", thread_ts=root)
        before = here.ticket(TICKET)
        await here.ask(here.alice, here.general, "Yes, and mark it in progress", "256px", thread_ts=root)

        after = here.ticket(TICKET)
        lines = changed_lines(before, after)
        gone = [line for line in lines if line.startswith("-")]
        new = [line for line in lines if line.startswith("+")]
        assert any("in_progress" in line for line in new)
        assert all("updatedAt" in line or "status" in line or "completed" in line for line in gone)
        assert f"onBehalfOf: {here.alice}" in after
        assert "subtask_updated" in after
        answer = everything_in(await here.seen(here.general, root, "256px"))
        assert "Add image processing" in answer  # the tool call shows where it happened


async def test_method_2_a_conversation_is_archived_after_the_fact(
    tmp_path: Path, database_url: str, http: bool
) -> None:
    async with bench(tmp_path, database_url, http=http) as here:
        root = await here.slack.say(here.bob, here.general, "How should we crop avatars?")
        await here.slack.say(here.carol, here.general, "Square, I would say", root)
        await here.slack.message_shortcut(here.bob, "archive_to_ticket", here.general, root)
        await here.slack.until(lambda s: bool(s.views(here.bob)))
        view = here.slack.views(here.bob)[-1]
        picked = await here.slack.options(here.bob, "ticket", "avatar", view_id=view["id"], block_id="ticket")
        chosen = next(option for option in picked if option["value"] == TICKET)
        note = "Completed backend API, ready for frontend"
        answer = await here.slack.submit(
            here.bob,
            view["id"],
            {"ticket": {"ticket": chosen}, "note": {"note": note}},
        )
        assert answer == {}
        await here.seen(here.general, root, note)

        told = await sessions_told(here, here.alice)
        assert note in told
        assert "How should we crop avatars?" in told
        files = list((here.folder / ".sciorex" / "sessions").glob("session-*.json"))
        transcript = json.loads(files[0].read_text(encoding="utf-8"))
        said = [m["content"] for m in transcript["messages"] if m["role"] == "user"]
        assert said == ["How should we crop avatars?", "Square, I would say"]
        assert transcript["note"] == note
        assert transcript["linkedTicketId"] == TICKET
        assert "session_archived" in here.ticket(TICKET)
        assert note not in here.ticket(TICKET)  # nothing of what was said stands in the ticket's history


async def test_a_ticket_has_several_sessions_most_recent_first(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url) as here:
        for words in ("Initial planning", "Backend implementation", "Frontend work"):
            root = await here.slack.say(here.alice, here.general, words)
            await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}", root)
            await here.seen(here.general, root, "Unlink")
        told = await sessions_told(here, here.bob)
        places = [told.index(words) for words in ("Frontend work", "Backend implementation", "Initial planning")]
        assert places == sorted(places)


async def test_naming_a_ticket_makes_a_reference_and_offers_the_writer_to_link(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url) as here:
        root = await here.slack.say(
            here.alice, here.general, f"{here.at} This relates to {TICKET} but is a separate concern"
        )
        await here.seen(here.general, root, "note the relationship")
        offer = await here.told(here.alice, f"Link this thread to {TICKET}")
        assert here.slack.ephemerals(here.bob) == []
        assert "session_referenced" in here.ticket(TICKET)
        assert "session_linked" not in here.ticket(TICKET)
        told = await sessions_told(here, here.bob)
        assert "separate concern" not in told  # a reference is not a link

        await here.slack.click(here.alice, here.general, offer["ts"], "link_this")
        await here.seen(here.general, root, "Unlink")
        assert "session_linked" in here.ticket(TICKET)


async def test_a_private_thread_leaves_no_trace_for_others(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url) as here:
        secret = here.slack.add_channel("leads", private=True, members=(here.alice, here.bob, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, secret, "Salaries for the avatar team")
        await here.slack.say(here.alice, secret, f"{here.at} link {TICKET}", root)
        await here.seen(secret, root, "Unlink")
        await here.slack.say(here.alice, secret, "!archive decided behind closed doors", root)
        await here.seen(secret, root, "decided behind closed doors")

        assert "Salaries" in await sessions_told(here, here.bob)
        assert "Salaries" not in await sessions_told(here, here.carol)
        stub = next((here.folder / ".sciorex" / "sessions").glob("session-*.json")).read_text(encoding="utf-8")
        assert "Salaries" not in stub
        assert "closed doors" not in stub + here.ticket(TICKET)
        kept = next((here.folder / ".sciorex-slack" / "sessions").glob("session-*.json"))
        assert "Salaries" in kept.read_text(encoding="utf-8")
        assert kept.stat().st_mode & 0o077 == 0


async def test_what_is_deleted_in_slack_goes_from_the_archived_transcript_too(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url) as here:
        root = await here.slack.say(here.alice, here.general, "The plan")
        slip = await here.slack.say(here.alice, here.general, "My password is hunter2", root)
        await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}", root)
        await here.seen(here.general, root, "Unlink")
        await here.slack.say(here.alice, here.general, "!archive", root)
        await here.seen(here.general, root, "archived this thread")
        file = next((here.folder / ".sciorex" / "sessions").glob("session-*.json"))
        assert "hunter2" in file.read_text(encoding="utf-8")

        await here.slack.delete(here.alice, here.general, slip)
        async with asyncio.timeout(10):
            while "hunter2" in file.read_text(encoding="utf-8"):
                await asyncio.sleep(0.02)
        assert "The plan" in file.read_text(encoding="utf-8")


# The document's section "Troubleshooting", line by line: what people see in the thread, and what `doctor` says.


async def doctor(here: Bench, database_url: str, ticket: str | None = None) -> str:
    """All lines of the doctor, on the running bot's own settings."""
    lines: list[str] = []
    environ = given_settings(here.slack, here.model, here.folder, database_url, http=False)
    await examine(environ, ticket=ticket, tell=lines.append, env_file=here.folder / "no.env")
    return "\n".join(lines)


def tools_offered(here: Bench) -> list[str]:
    """What the model could call last."""
    return [str(tool["name"]) for tool in here.model.requests[-1]["tools"]]


def agent_file(here: Bench, more: str) -> None:
    """The agent's file with other tools."""
    text = f"id: sciorex\nname: Sciorex\nsystemPrompt: Help.\n{more}\n"
    (here.folder / ".sciorex/agents/sciorex.yaml").write_text(text, encoding="utf-8")


async def test_trouble_chat_not_seeing_ticket_context(tmp_path: Path, database_url: str) -> None:
    title = "Add user profile avatar upload"
    async with bench(tmp_path, database_url, script=numbered()) as here:
        # Session is properly linked (look for ticket badge)
        root = await here.ask(here.alice, here.general, f"{here.at} what is left?", "Answer 1.")
        assert title not in asked(here)
        assert not any(title in everything_in(m) for m in here.own(here.general, root))
        assert "none is linked to it yet (@Sciorex link T-042 links one)" in await doctor(here, database_url, TICKET)
        await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}", root)
        badge = await here.seen(here.general, root, "Unlink")
        assert title in everything_in(badge)
        await here.ask(here.alice, here.general, "and now?", "Answer 2.", root)
        assert title in asked(here)
        assert "1 linked to it" in await doctor(here, database_url, TICKET)

        # Agent has Read tool enabled
        assert "Agents with the Read tool enabled: code-reviewer, sciorex\n" in await doctor(here, database_url)
        assert "Read" in tools_offered(here)
        agent_file(here, "allowedTools: [Grep]")
        await here.ask(here.alice, here.general, "and now?", "Answer 3.", root)
        assert "Read" not in tools_offered(here) and "Grep" in tools_offered(here)
        assert title in asked(here)  # the bot itself tells the agent of the linked ticket
        told = await doctor(here, database_url)
        assert "Agents with the Read tool enabled: code-reviewer; not: sciorex (their files would need" in told

        # Ticket file exists and is valid YAML
        file = here.folder / f".sciorex/tickets/{TICKET}.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text("id: T-042\ntitle: [", encoding="utf-8")
        await here.ask(here.alice, here.general, "and now?", "Answer 4.", root)
        assert f"The linked ticket {TICKET} cannot be read now" in asked(here)
        told = await doctor(here, database_url, TICKET)
        assert f"bad  {TICKET}: The ticket file .sciorex/tickets/{TICKET}.yaml, line 3 cannot be read" in told
        file.unlink()
        assert f"bad  {TICKET}: There is no ticket {TICKET}." in await doctor(here, database_url, TICKET)
        file.write_text(text, encoding="utf-8")
        told = await doctor(here, database_url, TICKET)
        assert f"ok   {TICKET} exists, is valid YAML and is not archived" in told and "bad " not in told


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("T-4040", "There is no ticket T-4040."),
        ("T-31", "T-031 is archived, so it cannot be linked."),
        ("T-43", "There is no ticket T-043. Did you mean T-042"),
    ],
    ids=["exists", "not archived", "id is correct"],
)
async def test_trouble_cannot_link_to_ticket(tmp_path: Path, sqlite_url: str, given: str, said: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "The avatars")
        await here.slack.say(here.alice, here.general, f"{here.at} link {given}", root)
        await here.slack.until(
            lambda s: said in everything_in([*s.ephemerals(here.alice), *here.own(here.general, root)]), timeout=10
        )
        assert f"bad  {given}: {said}" in await doctor(here, sqlite_url, given)
        await here.slack.say(here.alice, here.general, f"{here.at} link t-42", root)
        await here.seen(here.general, root, "Unlink")


async def test_trouble_cannot_link_for_want_of_write_permissions(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        sam = here.slack.add_user("Sam", team_id="T0OTHER")
        shared = here.slack.add_channel("partners", shared=True, members=(here.alice, sam, here.slack.bot_user_id))
        root = await here.slack.say(here.alice, shared, "The avatars")
        await here.slack.say(sam, shared, f"{here.at} link {TICKET}", root)
        await here.told(sam, "Only members of the workspace that installed me can change sessions and tickets.")
        await at_rest(here)
        assert "session_linked" not in here.ticket(TICKET)

        assert "ok   The tickets folder can be read and written" in await doctor(here, sqlite_url, TICKET)
        monkeypatch.setattr("bot.doctor.os.access", lambda path, how: False)
        told = await doctor(here, sqlite_url, TICKET)
        assert "bad  The tickets folder can be read and written: the bot's user may not read and write" in told
        assert told.count("change its permissions") == 1


async def test_trouble_agent_cannot_update_ticket(tmp_path: Path, database_url: str) -> None:
    done = "status: in_progress"

    def subtasks(here: Bench) -> str:
        return here.ticket(TICKET).partition("subtasks:")[2].partition("history:")[0]

    async with bench(tmp_path, database_url, script=calling("update_subtask", DONE)) as here:
        # sciorex-tickets MCP server is enabled
        assert "ok   The MCP server sciorex-tickets starts" in await doctor(here, database_url, TICKET)

        # Agent has the MCP server configured
        agent_file(here, "mcpServers: []")
        root = await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}")
        await here.seen(here.general, root, "Unlink")
        await here.ask(here.alice, here.general, "start with it", "There is no tool mcp__sciorex-tickets__", root)
        told = await doctor(here, database_url, TICKET)
        assert "Agents with sciorex-tickets configured: code-reviewer; not: sciorex (their files would need" in told
        agent_file(here, "mcpServers: [sciorex-tickets]")
        told = await doctor(here, database_url, TICKET)
        assert "Agents with sciorex-tickets configured: code-reviewer, sciorex\n" in told

        # Session has appropriate permissions: the mode, and who approves
        assert "ok   Sessions begin in the mode: auto-approve edits" in told
        assert "ok   Approvals are given by: whoever asked the agent (a question stays open 14 days)" in told
        other = await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}")
        await here.seen(here.general, other, "Unlink")
        await here.slack.say(here.alice, here.general, f"{here.at} mode ask for all", other)
        await here.seen(here.general, other, "chose the mode *ask for all*")
        await here.slack.say(here.alice, here.general, "start with it", other)
        shown = await card(here, other)
        assert done not in subtasks(here)
        await press(here, here.bob, shown, "question_approve")
        await here.told(here.bob, "Alice decides this.")
        assert done not in subtasks(here)
        await press(here, here.alice, shown, "question_approve")
        await here.seen(here.general, other, "I was told:")
        assert done in subtasks(here)
