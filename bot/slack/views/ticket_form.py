"""The form of a new ticket, and what a filled one, or one typed line, says. Pure: no tickets are looked up here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from bot.errors import InvalidTicket
from bot.slack.views.modals import View, modal, option
from bot.slack.views.ticket_blocks import PRIORITY_ICONS, TYPE_ICONS
from bot.tickets.ids import DEFAULT_EPIC_PREFIX, id_key
from bot.tickets.ticket import NewTicket, one_line
from bot.tickets.vocabulary import Priority, TicketType, spelled

LONGEST_TITLE, LONGEST_LABEL, LONGEST_TEXT = 250, 50, 3_000
MOST_LABELS, MOST_SUBTASKS, MOST_BLOCKERS = 20, 100, 20
HINT = re.compile(r"(?<!\S)(type|priority|labels?|epic):(\S+)", re.IGNORECASE)
MARK = re.compile(r"^\s*(?:[-*+•]\s+)?(?:\[[ xX]?\]\s+)?")

Values = Mapping[str, Mapping[str, Mapping[str, Any]]]


def new_ticket_modal(*, metadata: Mapping[str, str], workspaces: Sequence[str]) -> View:
    """The form. `metadata` names the workspace; where there are several, another one can be chosen."""
    here = metadata["workspace"]
    several = [_workspace(workspaces, here)] if len(workspaces) > 1 else []
    blocks = [
        *several,
        _text("title", "Title", most=LONGEST_TITLE, optional=False),
        _text("description", "Description", most=LONGEST_TEXT, lines=True, hint="Markdown, as in the ticket's file"),
        _choice("type", "Type", TicketType, TYPE_ICONS, TicketType.TASK),
        _choice("priority", "Priority", Priority, PRIORITY_ICONS, Priority.MEDIUM),
        _text("labels", "Labels", most=300, placeholder="backend, api"),
        _picker(field("epic", here, workspaces), "epic", "Epic", "E-001, or words of a title"),
        _text("subtasks", "Subtasks", most=LONGEST_TEXT, lines=True, hint="One a line"),
        _picker(field("blockers", here, workspaces), "blockers", "Blocked by", "T-042, or words of a title", many=True),
    ]
    return modal("New ticket", "new_ticket_modal", metadata, blocks, submit="Create")


def field(name: str, workspace: str, workspaces: Sequence[str]) -> str:
    """The block id of a field that holds ids: another one in each workspace, so that none goes along to the next."""
    return f"{name} {workspace}" if len(workspaces) > 1 else name


def _workspace(workspaces: Sequence[str], here: str) -> dict[str, Any]:
    options = [option(name, name) for name in workspaces[:100]]
    chosen = next((one for one in options if one["value"] == here), options[0])
    element = {"type": "static_select", "action_id": "workspace", "options": options, "initial_option": chosen}
    return {**_input("new_workspace", "Workspace", element), "dispatch_action": True}


def _text(
    name: str,
    label: str,
    *,
    most: int,
    lines: bool = False,
    optional: bool = True,
    hint: str = "",
    placeholder: str = "",
) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "plain_text_input", "action_id": name, "multiline": lines, "max_length": most}
    if placeholder:
        element["placeholder"] = {"type": "plain_text", "text": placeholder}
    block = _input(name, label, element, optional=optional)
    return {**block, "hint": {"type": "plain_text", "text": hint}} if hint else block


def _choice(name: str, label: str, words: type[StrEnum], icons: Mapping[str, str], usual: StrEnum) -> dict[str, Any]:
    options = [option(f"{icons[word]} {word}", word) for word in words]
    chosen = next(one for one in options if one["value"] == usual)
    element = {"type": "static_select", "action_id": name, "options": options, "initial_option": chosen}
    return _input(name, label, element)


def _picker(block_id: str, name: str, label: str, placeholder: str, *, many: bool = False) -> dict[str, Any]:
    element: dict[str, Any] = {
        "type": "multi_external_select" if many else "external_select",
        "action_id": name,
        "min_query_length": 0,
        "placeholder": {"type": "plain_text", "text": placeholder},
    }
    if many:
        element["max_selected_items"] = MOST_BLOCKERS
    return _input(block_id, label, element, optional=True)


def _input(block_id: str, label: str, element: Mapping[str, Any], *, optional: bool = False) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block_id,
        "optional": optional,
        "label": {"type": "plain_text", "text": label},
        "element": element,
    }


def filled(values: Values) -> tuple[NewTicket, dict[str, str]]:
    """The ticket that a filled form asks for, and what is wrong with it: a sentence for each field's block id."""
    title, labels = " ".join(_typed(values, "title").split()), labels_in(_typed(values, "labels"))
    subtasks = [name for line in _typed(values, "subtasks").splitlines() if (name := MARK.sub("", line).strip())]
    _, epic = _state(values, "epic")
    _, blockers = _state(values, "blockers")
    draft = NewTicket(
        title=title,
        description=_typed(values, "description").strip(),
        type=TicketType(_picked(_state(values, "type")[1]) or TicketType.TASK),
        priority=Priority(_picked(_state(values, "priority")[1]) or Priority.MEDIUM),
        labels=labels,
        epic_id=_picked(epic),
        blocked_by=tuple(str(one["value"]) for one in blockers.get("selected_options") or ()),
        subtasks=tuple(subtasks),
    )
    wrong = {
        "title": "" if title else "A ticket needs a title.",
        "labels": wrong_labels(labels),
        "subtasks": f"A form takes {MOST_SUBTASKS} subtasks." if len(subtasks) > MOST_SUBTASKS else "",
    }
    return draft, {name: sentence for name, sentence in wrong.items() if sentence}


def block_of(values: Values, name: str) -> str:
    """The block id of a field in a filled form."""
    return _state(values, name)[0]


def _state(values: Values, name: str) -> tuple[str, Mapping[str, Any]]:
    for block_id, actions in values.items():
        if block_id.split(" ")[0] == name:
            return block_id, actions[name]
    return name, {}


def _typed(values: Values, name: str) -> str:
    return str(_state(values, name)[1].get("value") or "")


def _picked(state: Mapping[str, Any]) -> str | None:
    chosen = state.get("selected_option")
    return str(chosen["value"]) if chosen else None


def labels_in(text: str) -> tuple[str, ...]:
    """Labels with commas or line ends between them, each once, with or without `#`."""
    names = (" ".join(part.strip().lstrip("#").split()) for part in re.split(r"[,;\n]", text))
    return tuple(dict.fromkeys(name for name in names if name))


def wrong_labels(labels: Sequence[str]) -> str:
    """What is wrong with labels; empty when nothing is."""
    if len(labels) > MOST_LABELS:
        return f"A ticket takes {MOST_LABELS} labels."
    long = next((label for label in labels if len(label) > LONGEST_LABEL), None)
    return f"“{long[:20]}…” is longer than the {LONGEST_LABEL} characters of a label." if long else ""


def in_one_line(text: str) -> NewTicket:
    """`Fix the login type:bug priority:high label:ui epic:E-001`: the title and hints anywhere in it, the rest below.

    Raises InvalidTicket for a hint that is none, and where no title is left.
    """
    line, _, description = text.strip().partition("\n")
    draft = NewTicket(title="", description=description.strip())
    labels: list[str] = []
    for name, value in HINT.findall(line):
        if name.lower() == "type":
            draft = replace(draft, type=spelled(TicketType, value))
        elif name.lower() == "priority":
            draft = replace(draft, priority=spelled(Priority, value))
        elif name.lower() == "epic":
            if id_key(value, DEFAULT_EPIC_PREFIX) is None:
                raise InvalidTicket(f"“{value[:40]}” is not an epic id such as E-001.")
            draft = replace(draft, epic_id=value)
        else:
            labels += labels_in(value)
    title = one_line(HINT.sub(" ", line), "A ticket needs a title.")
    if len(title) > LONGEST_TITLE:
        raise InvalidTicket(f"A title has at most {LONGEST_TITLE} characters. What is more belongs in the description.")
    if problem := wrong_labels(labels):
        raise InvalidTicket(problem)
    return replace(draft, title=title, labels=tuple(dict.fromkeys(labels)))
