"""Whatever stands in tickets and sessions, what is shown of it is something Slack takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.local_slack.blocks_check import block_problems
from bot.local_slack.view_check import view_problems
from bot.slack.help import help_text
from bot.slack.views import blocks, modals, session_blocks, session_modals, ticket_blocks
from bot.slack.views.session_blocks import Page, PlannedEntry, SessionEntry
from bot.tickets.subtask import Subtask
from bot.tickets.ticket import Ticket
from bot.tickets.vocabulary import Priority, Status, SubtaskStatus, TicketType

WORDS = st.text(max_size=4_000)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def wrong(shown: blocks.Shown) -> list[Any]:
    assert len(shown.text) <= 4_000
    return list(block_problems(shown.blocks, "message"))


@given(WORDS, WORDS, WORDS, st.booleans(), st.sampled_from(["active", "archived"]))
def test_a_header_fits_whatever_the_title(title: str, name: str, note: str, linked: bool, state: str) -> None:
    badge = blocks.Badge("T-042", title, "in_progress") if linked else None
    shown = blocks.header(title=title, state=state, agent_name=name, model=name, ticket=badge, note=note)
    assert wrong(shown) == []


@given(WORDS, WORDS, st.lists(st.text(max_size=300), max_size=80))
def test_a_card_fits_whatever_stands_in_the_ticket(title: str, text: str, names: list[str]) -> None:
    subtasks = tuple(Subtask(f"sub-{n}", name, SubtaskStatus.PENDING, None) for n, name in enumerate(names))
    ticket = Ticket(
        id="T-042",
        title=title,
        description=text * 5,
        type=TicketType.BUG,
        priority=Priority.HIGH,
        status=Status.PLANNED,
        labels=tuple(names),
        epic_id="E-001",
        subtasks=subtasks,
    )
    others = [(f"T-{n:03}", name, "done") for n, name in enumerate(names)]
    shown = ticket_blocks.ticket_card(ticket, epic_title=title, blockers=others, related=others, session_count=3)
    assert wrong(shown) == []


@given(st.lists(st.tuples(WORDS, WORDS), max_size=40))
def test_a_list_of_sessions_fits(rows: list[tuple[str, str]]) -> None:
    address = "https://x.slack.example/archives/C1/p1"
    entries: list[SessionEntry | PlannedEntry] = [PlannedEntry(n, n, title, "U1") for n, (title, _) in enumerate(rows)]
    for n, (title, note) in enumerate(rows):
        state = ("active (idle)", "archived", "past")[n % 3]
        entry = SessionEntry(f"s-{n}", n, title, "chat", state, "U1", 1_790_000_000_000, 3, note, address)
        entries.insert(0, entry)
    for page in (Page(1, len(entries)), Page(2, 30)):
        assert wrong(session_blocks.sessions_list("T-042", "Avatars", entries, page, can_post=True)) == []


@given(WORDS, st.lists(WORDS, max_size=40))
def test_what_is_said_of_sessions_fits(text: str, lines: list[str]) -> None:
    for shown in (
        session_blocks.brief("\n".join(["Hand-over", *(f"  {line}" for line in lines), text])),
        session_blocks.planned_root("T-042", text, text, "U1"),
        session_blocks.forked_root(text, text, None, "U1"),
        session_blocks.renamed(text, "U1"),
        session_blocks.active_already("T-042", [(text, None), (text, "https://x.example/1")]),
        session_blocks.ask_unlink("T-042"),
        session_blocks.which_plan("T-042"),
        blocks.pointer("Started", text, None),
    ):
        assert wrong(shown) == []
        assert "<!" not in shown.text
    for view in (
        session_modals.plan_modal("T-042", text, lines, {}),
        session_modals.rename_modal(text, {}),
        session_modals.fork_modal(text, text, {}, from_end=False),
    ):
        assert list(view_problems(view, "modal")) == []


@given(WORDS)
def test_sentences_fit(text: str) -> None:
    for shown in (
        blocks.linked_notice("T-042", text, "U1"),
        blocks.archived_notice("T-042", text, "U1"),
        blocks.reference_notice([("T-042", text)] * 20),
        blocks.unknown_ticket(text, ("T-041", "T-043")),
        blocks.offer_link("T-042", text),
        blocks.error(text),
        blocks.root("T-042", text, "U1"),
    ):
        assert wrong(shown) == []
        assert "<!" not in shown.text


@given(WORDS, st.lists(WORDS, max_size=25))
def test_modals_fit(title: str, labels: list[str]) -> None:
    threads = [(f"17900000{n:02}.000100", label) for n, label in enumerate(labels)]
    metadata = {"channel": "C1", "thread_ts": "1790000000.000100"}
    views = [
        modals.link_modal(metadata=metadata, ticket=("T-042", title), threads=threads),
        modals.archive_modal(metadata=metadata, ticket=("T-042", title), private=True),
        modals.confirm_replace("link", "T-001", "T-042", metadata),
        modals.message_modal("That did not work", title),
    ]
    if threads:
        views.append(modals.unlink_modal(metadata=metadata, threads=threads))
    assert [problem for view in views for problem in view_problems(view, "modal")] == []


def test_the_help_fits() -> None:
    assert wrong(help_text("/link", "/unlink", "/ticket")) == []


def test_a_card_reads_aloud_what_it_shows() -> None:
    ticket = Ticket(
        id="T-042",
        title="Avatars",
        description="Accept JPEG",
        status=Status.PLANNED,
        subtasks=(Subtask("sub-001", "Write tests", SubtaskStatus.IN_PROGRESS),),
    )
    related = [("T-041", "Profiles", "done"), ("T-404", None, None)]
    shown = ticket_blocks.ticket_card(ticket, epic_title=None, blockers=[], related=related, session_count=0)
    assert shown.text == (
        "📋 *T-042* Avatars\n`planned` · 🟡 medium\nAccept JPEG\n*Subtasks* 0/1\n◐ Write tests\n"
        "Relates to *T-041* Profiles · `done`\nRelates to *T-404* (missing)"
    )


def test_a_card_says_what_it_leaves_out() -> None:
    ticket = Ticket(id="T-042", title="Avatars", description="word " * 3_000)
    others = [(f"T-{n:03}", "x", "done") for n in range(25)]
    shown = ticket_blocks.ticket_card(ticket, epic_title=None, blockers=others, related=[], session_count=0)
    description = next(block["text"] for block in shown.blocks if block["type"] == "markdown")
    relations = shown.blocks[-2]["elements"][0]["text"]
    assert description.endswith("word\n\n…")
    assert relations.endswith("… and 15 more")


def test_a_description_of_nothing_visible_makes_no_empty_block() -> None:
    ticket = Ticket(id="T-042", title="Avatars", description="\u202e \n")
    shown = ticket_blocks.ticket_card(ticket, epic_title=None, blockers=[], related=[], session_count=0)
    assert [block["type"] for block in shown.blocks] == ["section", "context", "actions"]


def test_the_header_of_an_archived_thread_offers_the_ticket_alone() -> None:
    badge = blocks.Badge("T-042", "Avatars", "done")
    shown = blocks.header(
        title="Plan", state="archived", agent_name="Coder", model="claude", ticket=badge, note="Ready for frontend"
    )
    assert [button["action_id"] for button in shown.blocks[1]["elements"]] == ["ticket_view", "session_menu"]
    assert "📦 Archived: _Ready for frontend_" in shown.text


def test_a_session_in_a_list_says_when_even_where_dates_are_not_drawn() -> None:
    entry = SessionEntry("s-1", 1, "Plan", "chat", "past", "U1", 1_790_000_000_000, 1, None, None)
    shown = session_blocks.sessions_list("T-042", "Avatars", [entry], Page(), can_post=False)
    assert "past · <@U1> · <!date^1790000000^{date_short_pretty} {time}|2026-09-21 14:13 UTC> · 1 message" in shown.text
    assert [button["action_id"] for button in shown.blocks[-1]["elements"]] == ["chat_start", "plan_open"]


def test_no_escape_of_a_long_text_is_cut_in_half() -> None:
    assert blocks.section("&amp;" * 1_000)["text"]["text"].endswith("&amp;…")
