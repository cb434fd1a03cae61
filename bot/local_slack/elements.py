"""Elements in blocks: their ids, finding one, and what a person chose in it."""

import copy
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.local_slack.refusals import Json, SlackRefuses

PLURAL = ("checkboxes",)
CHOSEN_IDS = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
ONE_OPTION = ("static_select", "external_select", "radio_buttons", "overflow")
MANY_OPTIONS = ("checkboxes", "multi_static_select", "multi_external_select")
INITIAL = {
    "initial_value": "value",
    "initial_option": "selected_option",
    "initial_options": "selected_options",
    "initial_user": "selected_user",
    "initial_users": "selected_users",
    "initial_conversation": "selected_conversation",
    "initial_channel": "selected_channel",
    "initial_date": "selected_date",
    "initial_time": "selected_time",
    "initial_date_time": "selected_date_time",
}


@dataclass(frozen=True)
class Found:
    """An element with the id of the block it stands in."""

    block: Json
    element: Json

    @property
    def block_id(self) -> str:
        return str(self.block["block_id"])


def with_ids(blocks: list[Json]) -> list[Json]:
    """A copy in which every block has a block_id and every interactive element an action_id, as in Slack."""
    filled = copy.deepcopy(blocks)
    for block in filled:
        block["block_id"] = block.get("block_id") or secrets.token_urlsafe(4)
        for element in elements_in(block):
            if element.get("type") not in ("image", "mrkdwn", "plain_text"):
                element["action_id"] = element.get("action_id") or secrets.token_urlsafe(4)
    return filled


def elements_in(block: Json) -> Iterator[Json]:
    """The elements of one block, those of nested cards and containers included."""
    for name in ("accessory", "element"):
        if isinstance(block.get(name), dict):
            yield block[name]
    for name in ("elements", "actions"):
        for element in block.get(name) or []:
            if isinstance(element, dict) and element.get("type") == "card":
                yield from elements_in(element)
            elif isinstance(element, dict) and not str(element.get("type")).startswith("rich_text"):
                yield element
    for child in block.get("child_blocks") or []:
        yield from elements_in(child)


def find(blocks: list[Json], action_id: str, block_id: str | None, value: str | None = None) -> Found:
    """The element a person means; refuses when none is there."""
    for block in blocks:
        for element in elements_in(block):
            if element.get("action_id") != action_id or block_id not in (None, block.get("block_id")):
                continue
            if value is None or element.get("type") != "button" or element.get("value") == value:
                return Found(block, element)
    raise SlackRefuses(f"There is nothing here with the action_id {action_id}.")


def initial_state(blocks: list[Json]) -> Json:
    """`state.values` of a message or view nobody has touched: what its inputs and selects begin with."""
    values: Json = {}
    for block in blocks:
        for element in elements_in(block):
            kind = element.get("type")
            if kind in ("button", "image", "overflow", "mrkdwn", "plain_text", "feedback_buttons", "icon_button"):
                continue
            state = empty_state(str(kind))
            state |= {name: element[key] for key, name in INITIAL.items() if key in element}
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def empty_state(kind: str) -> Json:
    if kind in ONE_OPTION:
        return {"type": kind, "selected_option": None}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": []}
    if kind in CHOSEN_IDS:
        return {"type": kind, CHOSEN_IDS[kind]: [] if kind.startswith("multi_") else None}
    return {"type": kind, "value": None}


def chosen(found: Found, selected: Any) -> Json:
    """The state of an element after a person chose: an option's value (or whole option), or a list of them.

    Refuses an option that is not offered, and text of a forbidden length.
    """
    element = found.element
    kind = str(element["type"])
    if isinstance(selected, dict) and selected.get("type") == kind:
        return selected
    if kind in ONE_OPTION:
        return {"type": kind, "selected_option": None if selected is None else option_of(element, selected)}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": [option_of(element, one) for one in selected or []]}
    if kind in CHOSEN_IDS:
        return {"type": kind, CHOSEN_IDS[kind]: selected}
    text = None if selected is None else str(selected)
    most, least = element.get("max_length", 3000), element.get("min_length", 0)
    if text is not None and not least <= len(text) <= most:
        raise SlackRefuses(f"Please enter between {least} and {most} characters.")
    return {"type": kind, "value": text}


def option_of(element: Json, selected: Any) -> Json:
    """The offered option with this value. An external select takes any: its options came from the app."""
    value = selected["value"] if isinstance(selected, dict) else selected
    for option in options_of(element):
        if option.get("value") == value:
            return option
    if "external" not in element["type"]:
        raise SlackRefuses(f"{value} is not among the options.")
    whole = isinstance(selected, dict) and "text" in selected
    return dict(selected) if whole else {"text": {"type": "plain_text", "text": str(value)}, "value": value}


def options_of(element: Json) -> list[Json]:
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def is_empty(state: Json) -> bool:
    """Whether a required input with this state keeps a modal from being sent."""
    return all(not value for key, value in state.items() if key != "type")
