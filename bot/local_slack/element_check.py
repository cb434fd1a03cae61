"""What Slack demands of block elements: buttons, selects, inputs."""

from collections.abc import Callable, Iterator
from typing import Any

from bot.local_slack.text_check import (
    Problem,
    choice_problems,
    confirm_problems,
    list_problems,
    string_problems,
    text_problems,
)

Element = dict[str, Any]
SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
MULTI_SELECTS = tuple(f"multi_{name}" for name in SELECTS)
PICKERS = ("datepicker", "timepicker", "datetimepicker")
CHOICES = ("checkboxes", "radio_buttons")
TYPED = ("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input")
ACTIONS = ("button", "overflow", "workflow_button", *SELECTS, *MULTI_SELECTS, *PICKERS, *CHOICES)
ACCESSORIES = (*ACTIONS, "image")
INPUTS = (*SELECTS, *MULTI_SELECTS, *PICKERS, *CHOICES, *TYPED, "file_input")
FEEDBACK = ("feedback_buttons", "icon_button")


def element_problems(element: Any, at: str, allowed: tuple[str, ...]) -> Iterator[Problem]:
    """One element, of the types allowed where it stands."""
    if not isinstance(element, dict):
        yield ("missing required field" if element is None else "must be an object"), at
        return
    kind = element.get("type")
    if kind not in allowed:
        yield f"unsupported type: {kind}", f"{at}/type"
        return
    action_id = element.get("action_id")
    yield from string_problems(action_id, f"{at}/action_id", 255, required=False)
    yield from text_problems(element.get("placeholder"), f"{at}/placeholder", 150, plain=True, required=False)
    yield from confirm_problems(element.get("confirm"), f"{at}/confirm")
    rule = RULES.get(kind)
    if rule is not None:
        yield from rule(element, at)


def _button(element: Element, at: str) -> Iterator[Problem]:
    yield from text_problems(element.get("text"), f"{at}/text", 75, plain=True)
    yield from string_problems(element.get("value"), f"{at}/value", 2000, required=False)
    yield from string_problems(element.get("url"), f"{at}/url", 3000, required=False)
    label = element.get("accessibility_label")
    yield from string_problems(label, f"{at}/accessibility_label", 75, required=False)
    if element.get("style") not in (None, "primary", "danger"):
        yield "must be one of: primary, danger", f"{at}/style"


def _image(element: Element, at: str) -> Iterator[Problem]:
    yield from string_problems(element.get("alt_text"), f"{at}/alt_text", 2000, least=0)
    if "slack_file" not in element:
        yield from string_problems(element.get("image_url"), f"{at}/image_url", 3000)


def _static_select(element: Element, at: str) -> Iterator[Problem]:
    yield from choice_problems(element, at, 100)


def _overflow(element: Element, at: str) -> Iterator[Problem]:
    yield from choice_problems(element, at, 5)


def _ten_choices(element: Element, at: str) -> Iterator[Problem]:
    yield from choice_problems(element, at, 10)


def _typed(element: Element, at: str) -> Iterator[Problem]:
    most = element.get("max_length")
    if most is not None and not (isinstance(most, int) and 1 <= most <= 3000):
        yield "must be between 1 and 3000", f"{at}/max_length"
    yield from string_problems(element.get("initial_value"), f"{at}/initial_value", 3000, least=0, required=False)


def _number(element: Element, at: str) -> Iterator[Problem]:
    if not isinstance(element.get("is_decimal_allowed"), bool):
        yield "missing required field", f"{at}/is_decimal_allowed"


def _feedback(element: Element, at: str) -> Iterator[Problem]:
    for name in ("positive_button", "negative_button"):
        button = element.get(name)
        button = button if isinstance(button, dict) else {}
        yield from text_problems(button.get("text"), f"{at}/{name}/text", 75, plain=True)
        yield from string_problems(button.get("value"), f"{at}/{name}/value", 2000)


def _icon(element: Element, at: str) -> Iterator[Problem]:
    yield from text_problems(element.get("text"), f"{at}/text", 75, plain=True)
    yield from string_problems(element.get("icon"), f"{at}/icon", 255)


def _external(element: Element, at: str) -> Iterator[Problem]:
    if "options" in element:
        yield "invalid additional property: options", at
    if "initial_options" in element:
        yield from list_problems(element["initial_options"], f"{at}/initial_options", 100)


RULES: dict[str, Callable[[Element, str], Iterator[Problem]]] = {
    "button": _button,
    "image": _image,
    "static_select": _static_select,
    "multi_static_select": _static_select,
    "external_select": _external,
    "multi_external_select": _external,
    "overflow": _overflow,
    "checkboxes": _ten_choices,
    "radio_buttons": _ten_choices,
    "plain_text_input": _typed,
    "number_input": _number,
    "feedback_buttons": _feedback,
    "icon_button": _icon,
}
