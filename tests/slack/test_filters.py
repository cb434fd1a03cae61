"""What may stand behind `/ticket list`, and what is said of everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BotError
from bot.slack.tickets.filters import Filters, filters_in
from bot.tickets.vocabulary import Priority, Status, TicketType


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Filters()),
        ("bug high in_review", Filters(Status.IN_REVIEW, TicketType.BUG, Priority.HIGH)),
        ("high, bug, In Review", Filters(Status.IN_REVIEW, TicketType.BUG, Priority.HIGH)),
        (
            "status:wip type:docs priority:urgent",
            Filters(Status.IN_PROGRESS, TicketType.DOCUMENTATION, Priority.CRITICAL),
        ),
        ("🐛 🔴", Filters(type=TicketType.BUG, priority=Priority.CRITICAL)),
        ("e-1", Filters(epic_id="E-001")),
        ("epic:7", Filters(epic_id="E-007")),
        ("#ui", Filters(label="ui")),
        ("label:ui bug", Filters(type=TicketType.BUG, label="ui")),
        ('#"needs design" done', Filters(status=Status.DONE, label="needs design")),
        ("label:“needs design”", Filters(label="needs design")),
        ("ready high page 3", Filters(priority=Priority.HIGH, ready=True, page=3)),
        ("blocked archived", Filters(blocked=True, archived=True)),
        ("bug bug", Filters(type=TicketType.BUG)),
    ],
)
def test_words_are_taken_in_any_order_and_spelling(text: str, wanted: Filters) -> None:
    assert filters_in(text) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shiny", "I do not know “shiny” in a list. I know a status (backlog, planned, in_progress"),
        ("#", "I do not know “#”"),
        ("mine", "an epic (E-001), a label (#ui), ready, blocked, archived, and page 2"),
        ("type:shiny", "“shiny” is not one of feature, bug"),
        ("bug feature", "A list has one type at most: bug or feature."),
        ("#ui #api", "A list has one label at most: ui or api."),
        ("E-001 E-002", "A list has one epic at most"),
        ("page two", "A page is a number from 1 to 9999, not “two”."),
        ("page 0", "A page is a number"),
        ("ready blocked", "A ticket that is ready is planned, and nothing blocks it."),
        ("ready done", "A ticket that is ready is planned"),
    ],
)
def test_what_is_not_known_is_said_with_what_is(text: str, said: str) -> None:
    with pytest.raises(BotError) as refused:
        filters_in(text)
    assert said in refused.value.text


LABELS = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=9)


@given(
    st.builds(
        Filters,
        status=st.none() | st.sampled_from(Status),
        type=st.none() | st.sampled_from(TicketType),
        priority=st.none() | st.sampled_from(Priority),
        epic_id=st.none() | st.integers(0, 10**12 - 1).map(lambda n: f"E-{n:03d}"),
        label=st.none()
        | LABELS.filter(lambda name: not set(name) & set("#,\"“”„'‘’")).map(lambda name: f"{name} {name}"),
        blocked=st.booleans(),
        archived=st.booleans(),
    )
)
def test_the_words_of_filters_mean_the_same_filters(filters: Filters) -> None:
    assert filters_in(filters.words()) == filters
