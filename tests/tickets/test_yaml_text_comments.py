"""No comment is lost, doubled or given to another value, wherever it stands and whatever changes around it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import EditRefused
from bot.tickets.change import Append, Edit, Remove, Set, Value
from bot.tickets.writing import SUBTASK_KEYS, TICKET_KEYS
from bot.tickets.yaml_text import apply
from bot.tickets.yaml_values import parse
from tests.tickets.comments import owners
from tests.tickets.texts import ticket_texts

TEXTS = st.sampled_from(["done", "two\nlines", "two\nlines\n", " lead\nx", "# no comment\nx", "a: b", "", "2025-07-12", "x #y"])
KEYS = st.sampled_from(["title", "description", "updatedAt", "completedAt", "x"])
ENTRY: Value = {"timestamp": "2025-07-12", "action": "comment_added", "details": {"comment": "two\nlines"}}
SUBTASK: Value = {"id": "sub-003", "title": "Three", "completed": False}
PLACES = st.tuples(st.just("subtasks"), st.integers(0, 1), st.sampled_from(["completed", "status", "completedAt"]))
SETS = st.builds(Set, KEYS.map(lambda key: (key,)), TEXTS | st.none()) | st.builds(Set, PLACES, TEXTS | st.booleans())
APPENDS = st.sampled_from(
    [Append(("labels",), "three"), Append(("labels",), "a\nb"), Append(("history",), ENTRY), Append(("subtasks",), SUBTASK)]
)


def edited(text: str, edits: list[Edit]) -> str | None:
    """The text after the edits; None where they are refused."""
    try:
        return apply(text, parse(text), edits, file="T-042.yaml", order=(TICKET_KEYS, SUBTASK_KEYS)).text
    except EditRefused:
        return None


@settings(max_examples=500, deadline=None)
@given(ticket_texts(), st.lists(SETS | APPENDS, min_size=1, max_size=5, unique_by=lambda edit: (edit.path, type(edit))))
def test_setting_and_adding_leave_every_comment_with_its_owner(text: str, edits: list[Edit]) -> None:
    new = edited(text, edits)
    if new is not None:
        assert owners(new) == owners(text)
