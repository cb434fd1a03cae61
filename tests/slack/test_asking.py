"""Approvals and questions of the agent: asked in the thread, decided by the right people, for as long as it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from bot.local_model import Reply, ToolCall, say
from bot.sessions.archives.decisions import decisions_of
from bot.sessions.models import turn
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest
from tests.slack.test_agent_and_tickets import calling, results

UPDATES = "mcp__sciorex-tickets__sciorex_update_subtask"
INTERACTIONS = "mcp__sciorex-interactions__sciorex_"
DONE = {"ticketId": "T-042", "subtaskId": "sub-003", "status": "in_progress"}
UPDATE = calling("update_subtask", DONE)


async def in_mode(here: Bench, words: str = "ask for all") -> str:
    """A thread linked to T-042, in a mode."""
    root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
    await here.seen(here.general, root, "Unlink")
    await here.slack.say(here.alice, here.general, f"{here.at} mode {words}", root)
    await here.seen(here.general, root, f"chose the mode *{words}*")
    return root


async def card(here: Bench, root: str, text: str = "May the agent do this?") -> dict[str, Any]:
    """The card that asks, once the turn has been let go."""
    shown = await here.seen(here.general, root, text)
    await at_rest(here)
    return shown


async def asked(here: Bench) -> tuple[str, dict[str, Any]]:
    """A thread linked to T-042 in which the agent waits for leave to change it: its root, and the card."""
    root = await in_mode(here)
    await here.slack.say(here.alice, here.general, "start with it", root)
    return root, await card(here, root)


def subtasks(here: Bench) -> str:
    """The subtasks of T-042, as they stand in its file."""
    return here.ticket("T-042").partition("subtasks:")[2].partition("history:")[0]


async def press(here: Bench, user: str, shown: dict[str, Any], action: str, **more: Any) -> None:
    await here.slack.click(user, here.general, str(shown["ts"]), action, **more)


def now(here: Bench, shown: dict[str, Any], root: str) -> str:
    """All that the card says now."""
    return everything_in(next(m for m in here.own(here.general, root) if m["ts"] == shown["ts"]))


async def test_a_change_waits_for_approval_and_shows_what_it_would_change(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=UPDATE) as here:
        root, shown = await asked(here)
        assert "status: in_progress" not in subtasks(here)
        assert "subtask_updated" not in here.ticket("T-042")
        assert "T-042 Add user profile avatar upload" in everything_in(shown)
        assert "-[pending] Add image processing\n+[in_progress] Add image processing" in everything_in(shown)
        await press(here, here.alice, shown, "question_approve")
        await here.seen(here.general, root, "I was told:")
        await at_rest(here)
        assert f"<@{here.alice}> approved this" in now(here, shown, root)
        assert "status: in_progress" in subtasks(here)
        assert f"approvedBy: {here.alice}" in here.ticket("T-042")
        answers = [m for m in here.own(here.general, root) if "I was told:" in everything_in(m)]
        assert len(answers) == 1 and float(answers[0]["ts"]) > float(shown["ts"])


async def test_an_approval_that_comes_after_a_restart_still_counts(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=UPDATE) as here:
        root, shown = await asked(here)
        await here.stop()
        await here.start()
        await press(here, here.alice, shown, "question_approve")
        await here.seen(here.general, root, "I was told:")
        assert "approvedBy" in here.ticket("T-042")


async def test_what_was_denied_is_not_done_and_the_model_and_the_history_know(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=UPDATE) as here:
        root, shown = await asked(here)
        await press(here, here.alice, shown, "question_write")
        [view] = here.slack.views(here.alice)
        await here.slack.submit(here.alice, view["id"], {"text": {"text": "Not before Monday"}})
        await here.seen(here.general, root, "I was told: Not done: a person did not approve it.")
        assert "They say: Not before Monday" in results(here.model.requests[-1])[-1]
        assert f"<@{here.alice}> did not approve this: _Not before Monday_" in now(here, shown, root)
        [told] = [line for line in TicketStore(here.folder).get("T-042").history if line.actor_id == here.alice][-1:]
        assert told.details["comment"] == "Did not approve “update subtask” by the agent: Not before Monday"
        assert "status: in_progress\n" not in subtasks(here)


async def test_only_the_asker_decides_and_a_second_click_is_told_so(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=UPDATE) as here:
        root, shown = await asked(here)
        await press(here, here.bob, shown, "question_approve")
        await here.told(here.bob, "Alice decides this.")
        await press(here, here.alice, shown, "question_approve")
        await press(here, here.alice, shown, "question_deny")
        await here.told(here.alice, "This is decided already: Alice approved it.")
        await here.seen(here.general, root, "I was told:")


async def test_a_ticket_that_changed_meanwhile_is_asked_about_again(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=UPDATE) as here:
        root, first = await asked(here)
        by = Actor("user", "UBOB")
        TicketStore(here.folder).change("T-042", lambda t, at: t.update(by=by, at=at, title="Pictures of people"))
        await press(here, here.alice, first, "question_approve")
        second = await card(here, root, "The ticket has changed since")
        assert "Pictures of people" in everything_in(second)
        assert "approvedBy" not in here.ticket("T-042")
        await press(here, here.alice, second, "question_approve")
        await here.seen(here.general, root, "I was told:")
        assert here.ticket("T-042").count("approvedBy") == 1


STATUS = ToolCall("mcp__sciorex-tickets__sciorex_change_status", {"ticketId": "T-042", "status": "in_review"})
COMMENT = ToolCall("mcp__sciorex-tickets__sciorex_add_comment", {"ticketId": "T-042", "comment": "Begun."})


def together(*calls: ToolCall) -> Any:
    """A script that makes all calls in one step, and then says what it was told."""
    return lambda request: say(f"I was told: {told}") if (told := results(request)) else say("All of it.", *calls)


def last_turn_id(connection: Connection) -> int:
    return int(connection.execute(select(func.max(turn.c.id))).scalar_one())


async def cards(here: Bench, root: str, count: int) -> list[dict[str, Any]]:
    """The cards that ask, once there are so many and the turn has been let go."""

    def found() -> list[dict[str, Any]]:
        return [m for m in here.own(here.general, root) if "May the agent do this?" in everything_in(m)]

    await here.slack.until(lambda _: len(found()) == count)
    await at_rest(here)
    return found()


OTHER = ToolCall(UPDATES, {**DONE, "subtaskId": "sub-004"})


async def approve(here: Bench, shown: dict[str, Any]) -> None:
    """Alice approves, and the change is made."""
    before = here.ticket("T-042").count("approvedBy")
    await press(here, here.alice, shown, "question_approve")
    await here.slack.until(lambda _: here.ticket("T-042").count("approvedBy") > before)
    await at_rest(here)


async def test_changes_of_one_ticket_that_are_approved_together_are_asked_about_once(
    tmp_path: Path, database_url: str
) -> None:
    start = ToolCall(UPDATES, DONE)
    async with bench(tmp_path, database_url, script=together(start, OTHER, STATUS, COMMENT)) as here:
        root = await in_mode(here)
        await here.slack.say(here.alice, here.general, "start with it", root)
        asked_about = await cards(here, root, 4)
        await approve(here, asked_about[1])
        await here.stop()
        await here.start()
        for shown in (asked_about[2], asked_about[0], asked_about[3]):
            await press(here, here.alice, shown, "question_approve")
        await here.seen(here.general, root, "I was told:")
        assert len(await cards(here, root, 4)) == 4
        assert here.ticket("T-042").count("approvedBy") == 4
        assert here.bot is not None
        decided = await here.bot.parts.db.read(lambda c: decisions_of(c, [last_turn_id(c)]))
        shown_to_them = {"tool", "input", "changes", "revision"}  # what archives keep of it, whenever they are made
        told = [one.shown for of_call in decided.values() for one in of_call]
        assert [isinstance(one, dict) and set(one) == shown_to_them for one in told] == [True] * 4


async def test_a_change_by_somebody_else_between_two_approvals_is_seen_before_the_second(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=together(ToolCall(UPDATES, DONE), STATUS)) as here:
        root = await in_mode(here)
        await here.slack.say(here.alice, here.general, "start with it", root)
        first, second = await cards(here, root, 2)
        await approve(here, first)
        file = here.folder / ".sciorex" / "tickets" / "T-042.yaml"
        file.write_text(file.read_text().replace("Add user profile avatar upload", "Pictures of people"))
        await press(here, here.alice, second, "question_approve")
        again = await card(here, root, "The ticket has changed since")
        assert "Pictures of people" in everything_in(again)
        assert here.ticket("T-042").count("approvedBy") == 1


async def test_a_change_whose_value_an_approved_one_has_changed_is_asked_about_again(
    tmp_path: Path, sqlite_url: str
) -> None:
    completed = ToolCall(UPDATES, {**DONE, "status": "completed"})
    async with bench(tmp_path, sqlite_url, script=together(ToolCall(UPDATES, DONE), completed)) as here:
        root = await in_mode(here)
        await here.slack.say(here.alice, here.general, "start with it", root)
        first, second = await cards(here, root, 2)
        assert "-[pending] Add image processing\n+[completed] Add image processing" in everything_in(second)
        await approve(here, first)
        await press(here, here.alice, second, "question_approve")
        again = await card(here, root, "The ticket has changed since")
        assert "-[in_progress] Add image processing\n+[completed] Add image processing" in everything_in(again)


async def test_a_message_for_the_agent_takes_the_place_of_an_open_question(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=UPDATE) as here:
        root, shown = await asked(here)
        await here.slack.say(here.alice, here.general, "wait, something else first", root)
        await here.seen(here.general, root, "I was told: Not done: a person wrote something else")
        assert f"No longer asked: <@{here.alice}> wrote something else" in now(here, shown, root)
        await at_rest(here)
        buttons = next(m for m in here.own(here.general, root) if m["ts"] == shown["ts"])["blocks"]
        assert all(block["type"] != "actions" for block in buttons)


async def test_stop_ends_what_waits(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=UPDATE) as here:
        root, shown = await asked(here)
        await here.slack.say(here.alice, here.general, "!stop", root)
        await here.slack.until(lambda _: "No longer asked" in now(here, shown, root), timeout=10)


async def test_an_approval_for_the_session_is_asked_once(tmp_path: Path, sqlite_url: str) -> None:
    def script(request: dict[str, Any]) -> Reply:
        done = len(results(request))
        told = [*DONE.items()]
        return say(f"I did {done}.") if done > 1 else say(ToolCall(UPDATES, dict(told) | {"status": STATES[done]}))

    async with bench(tmp_path, sqlite_url, script=script) as here:
        root, shown = await asked(here)
        await press(here, here.alice, shown, "question_remember")
        await here.seen(here.general, root, "I did 2.")
        assert "need not be asked again" in now(here, shown, root)
        cards = [m for m in here.own(here.general, root) if "May the agent do this?" in everything_in(m)]
        assert len(cards) == 1


STATES = ("in_progress", "completed")


def asks(name: str, arguments: dict[str, Any]) -> Any:
    """A script that asks people something and says what they answered."""

    def script(request: dict[str, Any]) -> Reply:
        if told := results(request):
            return say(f"I was told: {told[-1]}")
        return say("One thing first.", ToolCall(INTERACTIONS + name, arguments))

    return script


WHERE = {"question": "Where to?", "responseType": "single", "options": ["S3", "A disk of ours"], "context": "Costs."}


async def test_a_question_is_answered_on_its_card(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=asks("ask_user", WHERE)) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} plan it")
        shown = await card(here, root, "Where to?")
        await press(here, here.alice, shown, "question_choice", selected="1")
        await press(here, here.alice, shown, "question_send")
        await here.seen(here.general, root, "I was told:")
        said = results(here.model.requests[-1])[-1]
        assert said == '{"selectedOptions":["A disk of ours"],"customText":null,"skipped":false}'
        assert "answered: *A disk of ours*" in now(here, shown, root)


async def test_a_question_is_skipped_or_answered_in_words(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=asks("ask_user", {"question": "Which name?"})) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} plan it")
        shown = await card(here, root, "Which name?")
        await press(here, here.alice, shown, "question_write")
        [view] = here.slack.views(here.alice)
        await here.slack.submit(here.alice, view["id"], {"text": {"text": "Avatar"}})
        await here.seen(here.general, root, "I was told:")
        assert '"customText":"Avatar"' in results(here.model.requests[-1])[-1]
        other = await here.slack.say(here.bob, here.general, f"{here.at} plan it")
        shown = await card(here, other, "Which name?")
        await press(here, here.bob, shown, "question_skip")
        await here.seen(here.general, other, "I was told:")
        assert '"skipped":true' in results(here.model.requests[-1])[-1]


async def test_leave_is_asked_for_and_an_alternative_can_be_chosen(tmp_path: Path, sqlite_url: str) -> None:
    wanted = {"action": "Drop the old table", "reason": "It is empty", "alternatives": ["Rename it"], "impact": "high"}
    async with bench(tmp_path, sqlite_url, script=asks("request_approval", wanted)) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} tidy up")
        shown = await card(here, root, "Drop the old table")
        await press(here, here.alice, shown, "question_choice", selected="0")
        await press(here, here.alice, shown, "question_approve")
        await here.seen(here.general, root, "I was told:")
        said = results(here.model.requests[-1])[-1]
        assert said == '{"approved":true,"selectedAlternative":"Rename it","userComment":null}'


async def test_the_agent_tells_people_something_apart_from_its_answer(tmp_path: Path, sqlite_url: str) -> None:
    told = {"message": "The build <!channel> is red", "type": "warning"}
    async with bench(tmp_path, sqlite_url, script=asks("notify_user", told)) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} look at it")
        shown = await here.seen(here.general, root, "The build")
        assert "<!channel>" not in everything_in(shown)
        await here.seen(here.general, root, '{"delivered":true}')
