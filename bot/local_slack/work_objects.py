"""Work Objects: what Slack demands of an entity, cards that people open, and the pane that the app fills."""

from collections.abc import Callable
from typing import Any

from bot.local_slack.people import message_seen, person_in, refuse_guest
from bot.local_slack.refusals import Json, SlackRefuses
from bot.local_slack.workspace import Workspace


class WorkObjects:
    """People's acts with Work Objects. `on` = False gives a workspace without the feature."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @property
    def on(self) -> bool:
        return self._workspace.work_objects

    @on.setter
    def on(self, on: bool) -> None:
        self._workspace.work_objects = on

    def acts(self) -> dict[str, Callable[..., Any]]:
        """What people do with them, by the page's names."""
        return {"open_entity": self.open, "close_entity": self.close}

    def open(self, user: str, channel: str, ts: str, entity: str | None = None) -> None:
        """Opens a message's card (the one with this external id) in the side pane (entity_details_requested)."""
        workspace = self._workspace
        person, place = person_in(workspace, user, channel)
        message = message_seen(workspace, place, ts)
        refuse_guest(workspace, person)
        cards = entities_of(message)
        card = next((one for one in cards if entity in (None, one["external_ref"]["id"])), None)
        if card is None:
            raise SlackRefuses("There is no card at this message.")
        trigger = workspace.new_trigger(person.id)
        workspace.panes[person.id] = {"trigger_id": trigger, "card": card, "details": None, "error": None}
        event: Json = {
            "type": "entity_details_requested",
            "user": person.id,
            "external_ref": card["external_ref"],
            "trigger_id": trigger,
            "user_locale": "en-US",
            "channel": place.id,
            "message_ts": ts,
            "thread_ts": message.get("thread_ts", ts),
            "event_ts": workspace.world.next_ts(),
        }
        if "url" in card:
            event["entity_url"] = card["url"]
        workspace.emit(event, place)
        workspace.changed()

    def close(self, user: str) -> None:
        self._workspace.panes.pop(user, None)
        self._workspace.changed()

    def pane(self, user: str) -> Json | None:
        """What this person has open: {card, details, error}; both None until the app has answered."""
        return self._workspace.panes.get(user)


def entities_of(message: Json) -> list[Json]:
    """The Work Objects of a message."""
    found: list[Json] = (message.get("metadata") or {}).get("entities") or []
    return found
