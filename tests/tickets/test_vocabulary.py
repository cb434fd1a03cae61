"""Words as people type them."""

from enum import StrEnum

import pytest

from bot.errors import InvalidTicket
from bot.tickets.vocabulary import EpicStatus, Priority, Status, SubtaskStatus, TicketType, spelled


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("In Progress", Status.IN_PROGRESS),
        ("in-progress", Status.IN_PROGRESS),
        ("inProgress", Status.IN_PROGRESS),
        (" IN_REVIEW ", Status.IN_REVIEW),
        ("Canceled", Status.CANCELLED),
        ("🐛 Bug", TicketType.BUG),
        ("🔧", TicketType.REFACTOR),
        ("🟠", Priority.HIGH),
        ("⚪️", Priority.LOW),
        ("Done", SubtaskStatus.COMPLETED),
        ("Open", EpicStatus.OPEN),
    ],
)
def test_words_are_read_as_people_type_them(text: str, word: StrEnum) -> None:
    assert spelled(type(word), text) is word


def test_an_unknown_word_is_refused_with_the_words_there_are() -> None:
    with pytest.raises(InvalidTicket) as refused:
        spelled(Priority, "closed")
    assert str(refused.value) == "“closed” is not one of critical, high, medium, low."


def test_every_word_reads_as_itself() -> None:
    for kind in (Status, TicketType, Priority, SubtaskStatus, EpicStatus):
        assert [spelled(kind, word.value) for word in kind] == list(kind)
