"""What Slack demands of text objects, options and confirmation dialogs."""

from collections.abc import Iterator
from typing import Any

Problem = tuple[str, str]  # (what is wrong, JSON pointer)


def text_problems(
    text: Any, at: str, most: int, *, plain: bool = False, least: int = 1, required: bool = True
) -> Iterator[Problem]:
    """A text object {type, text}, at most so many characters; `plain`: only plain_text."""
    if text is None and not required:
        return
    if not isinstance(text, dict):
        yield ("missing required field" if text is None else "must be an object"), at
        return
    allowed = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if text.get("type") not in allowed:
        yield f"must be one of: {', '.join(allowed)}", f"{at}/type"
    if text.get("type") == "mrkdwn" and "emoji" in text:
        yield "invalid additional property: emoji", at
    yield from string_problems(text.get("text"), f"{at}/text", most, least=least)


def string_problems(value: Any, at: str, most: int, *, least: int = 1, required: bool = True) -> Iterator[Problem]:
    if value is None and not required:
        return
    if not isinstance(value, str):
        yield ("missing required field" if value is None else "must be a string"), at
    elif len(value) > most:
        yield f"must be less than {most + 1} characters", at
    elif len(value) < least:
        yield f"must be more than {least - 1} characters", at


def option_problems(option: Any, at: str, *, plain: bool = True) -> Iterator[Problem]:
    """An option: text ≤ 75, value ≤ 150, description ≤ 75 characters."""
    if not isinstance(option, dict):
        yield "must be an object", at
        return
    yield from text_problems(option.get("text"), f"{at}/text", 75, plain=plain)
    yield from string_problems(option.get("value"), f"{at}/value", 150, least=0)
    yield from text_problems(option.get("description"), f"{at}/description", 75, plain=plain, required=False)


def list_problems(value: Any, at: str, most: int, *, least: int = 1) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield ("missing required field" if value is None else "must be an array"), at
    elif len(value) > most:
        yield f"no more than {most} items allowed", at
    elif len(value) < least:
        yield f"no less than {least} items allowed", at


def choice_problems(element: dict[str, Any], at: str, most: int, *, least: int = 1) -> Iterator[Problem]:
    """An element's options, or its option_groups: one of the two, and an initial option among them."""
    groups = element.get("option_groups")
    if groups is not None and element.get("options") is not None:
        yield "only one of options and option_groups may be given", at
        return
    plain = element.get("type") not in ("checkboxes", "radio_buttons")
    known: list[Any] = []
    if groups is not None:
        yield from list_problems(groups, f"{at}/option_groups", 100)
        for number, group in enumerate(groups if isinstance(groups, list) else []):
            here = f"{at}/option_groups/{number}"
            group = group if isinstance(group, dict) else {}
            yield from text_problems(group.get("label"), f"{here}/label", 75, plain=True)
            yield from _options(group.get("options"), f"{here}/options", most, least, plain, known)
    else:
        yield from _options(element.get("options"), f"{at}/options", most, least, plain, known)
    chosen = element.get("initial_options", [element.get("initial_option")])
    for option in chosen if isinstance(chosen, list) else []:
        if option is not None and option not in known:
            yield "must exactly match one of the options", f"{at}/initial_option"


def _options(options: Any, at: str, most: int, least: int, plain: bool, known: list[Any]) -> Iterator[Problem]:
    yield from list_problems(options, at, most, least=least)
    for number, option in enumerate(options if isinstance(options, list) else []):
        yield from option_problems(option, f"{at}/{number}", plain=plain)
        known.append(option)


def confirm_problems(confirm: Any, at: str) -> Iterator[Problem]:
    """A confirmation dialog: title ≤ 100, text ≤ 300, confirm and deny ≤ 30 characters."""
    if confirm is None:
        return
    if not isinstance(confirm, dict):
        yield "must be an object", at
        return
    yield from text_problems(confirm.get("title"), f"{at}/title", 100, plain=True)
    yield from text_problems(confirm.get("text"), f"{at}/text", 300)
    yield from text_problems(confirm.get("confirm"), f"{at}/confirm", 30, plain=True)
    yield from text_problems(confirm.get("deny"), f"{at}/deny", 30, plain=True)
    if confirm.get("style") not in (None, "primary", "danger"):
        yield "must be primary or danger", f"{at}/style"
