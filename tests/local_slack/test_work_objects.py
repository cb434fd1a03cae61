"""Work Objects in the local Slack: what it takes and refuses, the event of an opened card, and its pane."""

from __future__ import annotations

from typing import Any

import pytest

from bot.local_slack import SlackRefuses
from tests.local_slack.app import Json, manifest, place

SENT = {"event_type": "post", "event_payload": {"key": "abc"}}


def card(**changed: Any) -> Json:
    attributes = {"title": {"text": "Avatars"}, "display_id": "T-042"}
    return {
        "entity_type": "slack#/entities/task",
        "external_ref": {"id": "main/T-042", "type": "ticket"},
        "entity_payload": {"attributes": attributes},
        **changed,
    }


def listens() -> Json:
    declared = manifest()
    declared["settings"]["event_subscriptions"]["bot_events"].append("entity_details_requested")
    return declared


@pytest.mark.parametrize(
    "wrong",
    [
        {"entity_type": "slack#/entities/ticket"},
        {"external_ref": {}},
        {"external_ref": "main/T-042"},
        {"entity_payload": {}},
        {"entity_payload": {"attributes": {"title": "Avatars"}}},
        {"entity_payload": {"attributes": {"title": {"text": "A"}}, "fields": {"state": {"value": "x"}}}},
        {"entity_payload": {"attributes": {"title": {"text": "A"}}, "fields": {"status": {"value": 3}}}},
        {"entity_payload": {"attributes": {"title": {"text": "A"}}, "custom_fields": [{"key": "a", "label": "A"}]}},
    ],
)
async def test_a_wrong_card_is_refused_and_nothing_is_posted(wrong: Json) -> None:
    async with place() as here:
        metadata = {**SENT, "entities": [card(**wrong)]}
        refused = await here.refused("chat.postMessage", channel=here.general, text="x", metadata=metadata)
        assert refused == "invalid_metadata_format"
        assert here.slack.messages(here.general) == []


async def test_a_workspace_without_the_feature_refuses_cards_and_details() -> None:
    async with place() as here:
        here.slack.work_objects.on = False
        metadata = {**SENT, "entities": [card()]}
        refused = await here.refused("chat.postMessage", channel=here.general, text="x", metadata=metadata)
        assert refused == "feature_not_enabled"
        assert await here.refused("entity.presentDetails", trigger_id="1", error={}) == "feature_not_enabled"


async def test_an_opened_card_is_told_to_the_app_and_its_pane_takes_one_fitting_answer() -> None:
    async with place(listens()) as here:
        sent = {**SENT, "entities": [card()]}
        posted = await here.client.chat_postMessage(channel=here.general, text="x", metadata=sent)
        with pytest.raises(SlackRefuses):
            here.slack.work_objects.open(here.ada, here.general, posted["ts"], "main/T-001")
        here.slack.work_objects.open(here.ada, here.general, posted["ts"], "main/T-042")
        pane = here.slack.work_objects.pane(here.ada)
        assert pane is not None
        assert (pane["details"], pane["error"]) == (None, None)
        asked = {"trigger_id": pane["trigger_id"]}
        other = card(external_ref={"id": "main/T-001"})
        method = "entity.presentDetails"
        assert await here.refused(method, **asked, metadata=card(entity_payload={})) == "invalid_metadata"
        assert await here.refused(method, **asked, metadata=other) == "entity_metadata_does_not_match_trigger"
        assert await here.refused(method, **asked, error={"status": "no"}) == "invalid_arguments"
        assert await here.refused(method, trigger_id="1.x", metadata=card()) == "invalid_trigger_id"
        await here.client.entity_presentDetails(**asked, metadata=card())
        assert (here.slack.work_objects.pane(here.ada) or {})["details"] == card()
        assert await here.refused(method, **asked, metadata=card()) == "exchanged_trigger_id"
        here.slack.work_objects.close(here.ada)
        assert here.slack.work_objects.pane(here.ada) is None


async def test_a_card_is_opened_by_those_who_see_its_message() -> None:
    async with place(listens()) as here:
        sent = {**SENT, "entities": [card()]}
        posted = await here.client.chat_postMessage(channel=here.general, text="x", metadata=sent)
        outside = here.slack.add_user("Otto")
        with pytest.raises(SlackRefuses):
            here.slack.work_objects.open(outside, here.general, posted["ts"])
