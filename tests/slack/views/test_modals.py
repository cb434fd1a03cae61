"""Modals hold what they are given, and never more than Slack takes."""

from __future__ import annotations

import json

import pytest

from bot.local_slack.view_check import view_problems
from bot.slack.intake.place import Place
from bot.slack.views import modals
from bot.tickets.summary import TicketSummary

HERE = Place("C0123456789", "1790000000.000100")


def problems(view: modals.View) -> list[tuple[str, str]]:
    return list(view_problems(view, "modal"))


@pytest.mark.parametrize("letter", ['"', "\n", "é", "📦"])
def test_the_longest_note_is_remembered_while_the_person_is_asked(letter: str) -> None:
    opened = modals.archive_modal(metadata=HERE.remember(), ticket=None, private=False)
    note = letter * opened["blocks"][-1]["element"]["max_length"]
    asked = modals.confirm_replace(
        "archive", "T-042", "ABCDE-123456789", HERE.remember(ticket_id="ABCDE-123456789", note=note)
    )
    assert problems(asked) == []
    assert json.loads(asked["private_metadata"])["note"] == note


def test_the_composer_offers_a_new_thread_and_the_latest_ones() -> None:
    threads = [(f"{n}.000100", f"Thread {n}") for n in range(150)]
    view = modals.link_modal(metadata={}, ticket=("T-042", "Avatars"), threads=threads)
    options = view["blocks"][1]["element"]["options"]
    assert problems(view) == []
    assert [option["value"] for option in options] == ["new", *(ts for ts, _ in threads[:99])]
    assert view["blocks"][0]["element"]["initial_option"]["value"] == "T-042"


def test_a_person_may_unlink_one_of_many_threads() -> None:
    view = modals.unlink_modal(metadata={}, threads=[(f"{n}.000100", "x" * 200) for n in range(150)])
    assert problems(view) == []


@pytest.mark.parametrize("private", [True, False])
def test_archiving_says_who_will_see_the_transcript(private: bool) -> None:
    view = modals.archive_modal(metadata={}, ticket=("T-042", "Avatars"), private=private)
    words = view["blocks"][0]["text"]["text"]
    assert ("Only people who can read this" in words) is private


def test_the_picker_offers_a_hundred_tickets_at_most() -> None:
    options = modals.ticket_options([TicketSummary(id=f"T-{n:03}", title="word " * 40) for n in range(150)])
    assert len(options) == 100
    assert options[0]["value"] == "T-000"
    assert options[0]["text"]["text"].startswith("T-000 · word")
    assert all(len(option["text"]["text"]) <= 75 for option in options)
