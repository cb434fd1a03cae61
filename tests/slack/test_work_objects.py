"""Tickets as Work Objects: cards beside what is posted, the pane with its rights, and workspaces without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.local_slack.work_objects import entities_of
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import at_rest, numbered, told_by
from tests.slack.test_workspaces import Two

TICKET = "T-042"


async def started(here: Bench, channel: str | None = None) -> dict[str, Any]:
    """The root of a thread begun on the ticket with **Start chat**."""
    where = channel or here.general
    await told_by(here, here.alice, where, f"/ticket {TICKET}")
    card = here.slack.ephemerals(here.alice)[-1]
    before = len(here.slack.messages(where))
    await here.slack.click(here.alice, where, card["ts"], "chat_start")
    await here.slack.until(lambda s: len(s.messages(where)) > before, timeout=10)
    return here.slack.messages(where)[-1]


async def pane(here: Bench, user: str, channel: str, message: dict[str, Any]) -> dict[str, Any]:
    """What the person sees who opens the card of a message."""
    here.slack.work_objects.open(user, channel, message["ts"])
    await here.slack.until(lambda s: any((s.work_objects.pane(user) or {}).get(k) for k in ("details", "error")))
    found = here.slack.work_objects.pane(user)
    assert found is not None
    return found


def posts(here: Bench) -> list[Any]:
    return [call for call in here.slack.calls if call.method == "chat.postMessage"]


async def test_a_thread_begun_on_a_ticket_shows_it_as_a_card_that_names_nothing_private(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        root = await started(here)
        (card,) = entities_of(root)
        assert card["entity_type"] == "slack#/entities/task"
        assert card["external_ref"] == {"id": f"default/{TICKET}", "type": "ticket"}
        assert root["metadata"]["event_type"] == "sciorex_post"
        assert set(card["entity_payload"]) == {"attributes"}
        assert card["entity_payload"]["attributes"]["display_id"] == TICKET


async def test_a_thread_that_is_linked_and_a_list_that_is_posted_have_the_same_card(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await here.slack.say(here.alice, here.general, "a thread")
        await here.slack.say(here.alice, here.general, f"{here.at} link {TICKET}", root)
        linked = await here.seen(here.general, root, "linked this thread")
        await told_by(here, here.alice, here.general, f"/ticket {TICKET} sessions")
        listed = here.slack.ephemerals(here.alice)[-1]
        await here.slack.click(here.alice, here.general, listed["ts"], "sessions_post")
        await here.slack.until(lambda s: any(entities_of(m) for m in s.messages(here.general)), timeout=10)
        posted = here.slack.messages(here.general)[-1]
        assert entities_of(linked)[0]["external_ref"] == entities_of(posted)[0]["external_ref"]


async def test_the_pane_shows_the_ticket_as_it_is_when_it_is_opened(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await started(here)
        file = here.folder / ".sciorex" / "tickets" / f"{TICKET}.yaml"
        file.write_text(file.read_text().replace("Add user profile avatar upload", "Avatars & <more>"))
        found = await pane(here, here.bob, here.general, root)
        attributes, payload = (found["details"]["entity_payload"][name] for name in ("attributes", "fields"))
        assert attributes["title"]["text"] == "Avatars & <more>"
        assert {"status", "priority", "description"} <= set(payload)
        labels = {one["label"] for one in found["details"]["entity_payload"]["custom_fields"]}
        assert {"Type", "Epic", "Subtasks", "Sessions"} <= labels


async def test_the_pane_counts_only_sessions_that_its_reader_may_see(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await started(here)
        secret = here.slack.add_channel("secret", private=True, members=(here.alice, here.slack.bot_user_id))
        await started(here, secret)
        await at_rest(here)
        counts = {}
        for user in (here.alice, here.bob):
            shown = (await pane(here, user, here.general, root))["details"]["entity_payload"]["custom_fields"]
            counts[user] = next(one["value"] for one in shown if one["key"] == "sessions")
        assert counts == {here.alice: "2", here.bob: "1"}


async def test_whoever_may_not_see_the_ticket_reads_why_and_nothing_of_it(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more, agent=False) as here:
        shared = here.slack.add_channel("shared", shared=True, members=(here.alice, here.slack.bot_user_id))
        stranger, guest = here.slack.add_user("Sam", team_id="T0OTHER"), here.slack.add_user("Gina", guest=True)
        for user in (stranger, guest):
            here.slack.invite(shared, user)
        root = await started(here, shared)
        seen = await pane(here, stranger, shared, root)
        assert "Only members of the workspace that installed me" in seen["error"]["custom_message"]
        of_app = await started(here, two.app)
        card = entities_of(of_app)[0]
        await here.bot.parts.client.chat_postMessage(  # type: ignore[union-attr]
            channel=shared, text="forwarded", metadata={"entities": [card]}
        )
        seen = await pane(here, guest, shared, here.slack.messages(shared)[-1])
        assert "no such ticket" in seen["error"]["custom_message"]
        assert seen["details"] is None


async def test_a_ticket_that_is_gone_or_cannot_be_read_has_its_sentence_in_the_pane(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        root = await started(here)
        await at_rest(here)
        file = here.folder / ".sciorex" / "tickets" / f"{TICKET}.yaml"
        file.write_text("title: [")
        assert TICKET in everything_in((await pane(here, here.alice, here.general, root))["error"])
        file.unlink()
        found = await pane(here, here.alice, here.general, root)
        assert f"There is no ticket {TICKET}" in found["error"]["custom_message"]


async def test_a_workspace_without_work_objects_gets_the_same_messages_without_and_none_twice(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=numbered()) as here:
        here.slack.work_objects.on = False
        roots = [await started(here), await started(here)]
        await at_rest(here)
        assert [entities_of(root) for root in roots] == [[], []]
        assert len(here.slack.messages(here.general)) == 2
        # One was refused; from then on none is tried for a while.
        assert [c.answer.get("error") for c in posts(here) if not c.answer["ok"]] == ["feature_not_enabled"]


async def test_work_objects_are_tried_again_after_a_while(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        assert here.bot is not None
        here.slack.fail("chat.postMessage", "invalid_metadata")
        assert entities_of(await started(here)) == []
        assert here.bot.parts.no_entities_until > here.bot.parts.now_ms()
        here.bot.parts.no_entities_until = here.bot.parts.now_ms()
        assert len(entities_of(await started(here))) == 1


async def test_another_refusal_is_not_taken_for_one_of_the_card(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        assert here.bot is not None
        here.slack.fail("chat.postMessage", "fatal_error")
        assert len(entities_of(await started(here))) == 1  # tried again as it was
        assert here.bot.parts.no_entities_until == 0
