"""Criteria: check boxes in descriptions as people and agents write them, ticked a line at a time; and closing."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.tickets.closing import closes, move, still_open
from bot.tickets.criteria import criteria_of, ticked, ticks
from bot.tickets.subtask import Subtask
from bot.tickets.ticket import Actor, Status, SubtaskStatus, Ticket

BY, AT = Actor("user", "U0ADA"), datetime(2026, 11, 24, tzinfo=UTC)
TEXT = """Before

## Acceptance Criteria

- [x] One
* [ ] Two & more
  1. [X] Nested
> + [ ] Quoted
- [ ]
- [] none
- [ ]none

```md
- [ ] code
~~~
- [ ] still code
```
- [ ] Two & more
"""


def test_every_check_box_is_a_criterion_but_for_those_in_code() -> None:
    found = criteria_of(TEXT)
    assert [(one.text, one.done) for one in found] == [
        ("One", True),
        ("Two & more", False),
        ("Nested", True),
        ("Quoted", False),
        ("Two & more", False),
    ]
    assert len({one.name for one in found}) == 5


def test_a_tick_changes_its_own_line_alone() -> None:
    second = criteria_of(TEXT)[4]
    after = ticked(TEXT, second, True)
    assert [(a, b) for a, b in zip(TEXT.splitlines(), after.splitlines(), strict=True) if a != b] == [
        ("- [ ] Two & more", "- [x] Two & more")
    ]
    assert after.splitlines()[-1] == "- [x] Two & more"
    assert ticked(after, criteria_of(after)[4], False) == TEXT


LINES = st.lists(st.sampled_from(["- [ ] a", "- [x] a", "* [ ] b", "```", "text [ ]", ""]) | st.text(max_size=30))


@given(LINES.map("\n".join), st.data())
def test_whatever_the_description_only_one_box_changes(text: str, data: st.DataObject) -> None:
    found = criteria_of(text)
    if not found:
        return
    one = data.draw(st.sampled_from(found))
    after = criteria_of(ticked(text, one, not one.done))
    assert [b.name for a, b in zip(found, after, strict=True) if a != b] == [one.name]


def test_a_new_description_says_which_criteria_it_ticks() -> None:
    ticket = Ticket("T-042", "Avatars", description="- [ ] One\n- [x] Two")
    change = ticket.update(by=BY, at=AT, description="- [x] One\n- [ ] Two\n- [x] Three\n- [ ] Four")
    assert change is not None
    assert change.entry is not None
    assert change.entry.details == {"fields": ["description"], "ticked": ["One", "Three"], "unticked": ["Two"]}
    assert ticks("same", "other") == {}


def test_what_is_open_stands_in_the_history_of_a_ticket_that_is_closed_all_the_same() -> None:
    subtasks = (Subtask("sub-001", "Write", SubtaskStatus.IN_PROGRESS), Subtask(None, "Do", SubtaskStatus.COMPLETED))
    ticket = Ticket("T-042", "x", description="- [ ] Fast", status=Status.IN_REVIEW, subtasks=subtasks)
    assert still_open(ticket) == ("subtask: Write", "criterion: Fast")
    assert [closes(ticket, to) for to in (Status.DONE, Status.CANCELLED)] == [True, False]
    assert not closes(Ticket("T-1", "x"), Status.DONE)
    change = move(ticket, Status.DONE, still_open(ticket), by=BY, at=AT, comment="later")
    assert change is not None
    assert change.entry is not None
    assert change.entry.details == {
        "from": "in_review",
        "to": "done",
        "comment": "later",
        "review": ["subtask: Write", "criterion: Fast"],
    }
    away = move(ticket, Status.CANCELLED, still_open(ticket), by=BY, at=AT)
    assert away is not None
    assert away.entry is not None
    assert "review" not in away.entry.details
