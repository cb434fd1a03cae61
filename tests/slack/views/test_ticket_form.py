"""What a filled form of a new ticket says, and a ticket typed on one line; what is wrong with either."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import InvalidTicket
from bot.slack.views.ticket_form import filled, in_one_line
from bot.tickets.ticket import NewTicket
from bot.tickets.vocabulary import Priority, TicketType


def values(**typed: Any) -> dict[str, Any]:
    """The state of a form in which only this was typed or chosen."""
    texts = ("title", "description", "labels", "subtasks")
    state: dict[str, Any] = {name: {name: {"value": typed.get(name)}} for name in texts}
    chosen = {"type": "task", "priority": "medium", "epic": None} | typed
    for name in ("type", "priority", "epic"):
        state[name] = {name: {"selected_option": {"value": chosen[name]} if chosen[name] else None}}
    blockers = [{"value": one} for one in typed.get("blockers", ())]
    return state | {"blockers": {"blockers": {"selected_options": blockers}}}


def test_a_form_with_everything_makes_the_ticket_it_says() -> None:
    state = values(
        title="  Fix   the login ",
        description="\nIt fails.\n",
        type="bug",
        priority="high",
        labels="#ui, api,, ui ,two  words",
        epic="E-001",
        subtasks="- [ ] Write a test\n\n* Fix it\nplain one\n  - [x] with a mark",
        blockers=("T-040", "T-042"),
    )
    assert filled(state) == (
        NewTicket(
            title="Fix the login",
            description="It fails.",
            type=TicketType.BUG,
            priority=Priority.HIGH,
            labels=("ui", "api", "two words"),
            epic_id="E-001",
            blocked_by=("T-040", "T-042"),
            subtasks=("Write a test", "Fix it", "plain one", "with a mark"),
        ),
        {},
    )


def test_a_title_is_enough() -> None:
    assert filled(values(title="Fix it")) == (NewTicket(title="Fix it"), {})


def test_every_field_that_is_wrong_is_named_at_once() -> None:
    _, wrong = filled(values(title="  ", labels="x" * 51, subtasks="\n".join(["one"] * 101)))
    assert wrong == {
        "title": "A ticket needs a title.",
        "labels": f"“{'x' * 20}…” is longer than the 50 characters of a label.",
        "subtasks": "A form takes 100 subtasks.",
    }
    _, wrong = filled(values(title="x", labels=",".join(map(str, range(21)))))
    assert wrong == {"labels": "A ticket takes 20 labels."}


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("Fix the login", NewTicket("Fix the login")),
        (
            "type:bug Fix the login priority:urgent label:ui,api labels:web epic:E-001",
            NewTicket(
                "Fix the login",
                type=TicketType.BUG,
                priority=Priority.CRITICAL,
                labels=("ui", "api", "web"),
                epic_id="E-001",
            ),
        ),
        ("Note: see http://x.example a:b", NewTicket("Note: see http://x.example a:b")),
        ("Fix it\nIt fails type:bug\nsince Monday", NewTicket("Fix it", description="It fails type:bug\nsince Monday")),
    ],
)
def test_one_line_is_a_title_with_hints_anywhere_in_it(text: str, draft: NewTicket) -> None:
    assert in_one_line(text) == draft


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type:shiny Fix it", "“shiny” is not one of feature, bug"),
        ("Fix it epic:soon", "“soon” is not an epic id such as E-001."),
        ("type:bug", "A ticket needs a title."),
        ("x" * 251, "A title has at most 250 characters."),
    ],
)
def test_a_line_that_makes_no_ticket_says_why(text: str, said: str) -> None:
    with pytest.raises(InvalidTicket) as refused:
        in_one_line(text)
    assert said in refused.value.text
