"""**Undo** below an answer, and the modes in which the agent asks first, through the real bot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.local_model import Reply, ToolCall, say
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Status
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest
from tests.slack.test_agent_and_tickets import PREFIX, calling, results

WORK = (
    ToolCall(PREFIX + "change_status", {"ticketId": "T-042", "status": "in_review"}),
    ToolCall(PREFIX + "update_ticket", {"ticketId": "T-042", "title": "Pictures"}),
    ToolCall(PREFIX + "add_comment", {"ticketId": "T-042", "comment": "Looks good"}),
    ToolCall(PREFIX + "create_ticket", {"title": "Crop circles"}),
    ToolCall(PREFIX + "get_ticket", {"ticketId": "T-042"}),
)


def works(request: dict[str, Any]) -> Reply:
    return say("All done.") if results(request) else say(*WORK)


async def worked(here: Bench) -> tuple[str, dict[str, Any]]:
    """A thread in which the agent changed tickets, and its answer."""
    root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
    await here.seen(here.general, root, "Unlink")
    await here.slack.say(here.alice, here.general, "do it all", root)
    await here.seen(here.general, root, "All done.")
    await at_rest(here)
    return root, await here.seen(here.general, root, "All done.")


async def test_what_the_agent_did_is_taken_back_with_one_click(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url, script=works) as here:
        store = TicketStore(here.folder)
        root, answer = await worked(here)
        made = store.search("Crop circles")[0].id
        assert store.get("T-042").title == "Pictures"
        await here.slack.click(here.bob, here.general, str(answer["ts"]), "turn_undo")
        shown = await here.seen(here.general, root, "took back")
        assert f"<@{here.bob}> took back: " in everything_in(shown)
        ticket = store.get("T-042")
        assert (ticket.title, ticket.status) == ("Add user profile avatar upload", Status.IN_PROGRESS)
        assert [line.details.get("comment") for line in ticket.history if line.action == "comment_added"][-2:] == [
            "Looks good",
            "Retracted: “Looks good”",
        ]
        assert store.get(made).status is Status.CANCELLED
        await here.slack.click(here.bob, here.general, str(answer["ts"]), "turn_undo")
        await here.told(here.bob, "All of it has been taken back already.")


async def test_what_somebody_changed_since_stays_and_is_named(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=works) as here:
        store = TicketStore(here.folder)
        root, answer = await worked(here)
        store.change("T-042", lambda t, at: t.update(by=Actor("user", "UBOB"), at=at, title="Faces"))
        await here.slack.click(here.alice, here.general, str(answer["ts"]), "turn_undo")
        shown = await here.seen(here.general, root, "This stays.")
        assert "Faces" in everything_in(shown)
        assert store.get("T-042").title == "Faces"
        assert store.get("T-042").status is Status.IN_PROGRESS


async def test_an_answer_that_changed_nothing_offers_no_undo(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=calling("get_ticket", {"ticketId": "T-042"})) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} what is T-042?")
        answer = await here.seen(here.general, root, "I was told:")
        await at_rest(here)
        answer = await here.seen(here.general, root, "I was told:")
        buttons = [e["action_id"] for b in answer["blocks"] if b["type"] == "actions" for e in b["elements"]]
        assert buttons == ["receipt_open"]


async def test_the_mode_is_said_chosen_and_refused(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
        header = await here.seen(here.general, root, "Unlink")
        await here.slack.say(here.alice, here.general, "!mode", root)
        await here.told(here.alice, "The mode here is *auto-approve edits*.")
        await here.slack.say(here.alice, here.general, "!mode yolo", root)
        await here.told(here.alice, "You may not choose the mode “YOLO”.")
        await here.slack.say(here.alice, here.general, "!mode bold", root)
        await here.told(here.alice, "There is no mode “bold”.")
        await here.slack.click(here.bob, here.general, str(header["ts"]), "session_menu", selected="mode")
        [view] = here.slack.views(here.bob)
        await here.slack.submit(here.bob, view["id"], {"mode": {"mode": "ask"}})
        await here.seen(here.general, root, f"<@{here.bob}> chose the mode *ask for all*")
        await here.seen(here.general, root, "🔐 ask for all")


async def test_the_settings_say_who_may_let_everything_pass(tmp_path: Path, sqlite_url: str) -> None:
    def allowed(here: Bench) -> dict[str, str]:
        file = tmp_path / "sciorex.yml"
        file.write_text(f"access: {{modes: {{yolo: [{here.alice}]}}, approvers: [asker, {here.bob}]}}\n")
        return {"SCIOREX_CONFIG": str(file)}

    async with bench(tmp_path, sqlite_url, more=allowed) as here:
        root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
        await here.seen(here.general, root, "Unlink")
        await here.slack.say(here.bob, here.general, f"{here.at} mode yolo", root)
        await here.told(here.bob, "You may not choose")
        await here.slack.say(here.alice, here.general, f"{here.at} mode yolo", root)
        await here.seen(here.general, root, "chose the mode *YOLO*")
