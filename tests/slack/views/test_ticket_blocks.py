"""Lists, epics, the menu of statuses and the form of a new ticket: whatever stands in the tickets, Slack takes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.local_slack.blocks_check import block_problems
from bot.local_slack.view_check import view_problems
from bot.slack.views import blocks, ticket_blocks
from bot.slack.views.markdown import Shown
from bot.slack.views.ticket_blocks import Page, page_from
from bot.slack.views.ticket_form import new_ticket_modal
from bot.tickets.epic import Epic
from bot.tickets.subtask import Subtask
from bot.tickets.summary import Progress, TicketSummary
from bot.tickets.ticket import Ticket
from bot.tickets.vocabulary import EpicStatus, Priority, Status, SubtaskStatus, TicketType

WORDS = st.text(max_size=2_000)
SUMMARIES = st.builds(
    TicketSummary,
    id=st.from_regex(r"[A-Z]{1,5}-[0-9]{1,12}", fullmatch=True),
    title=WORDS,
    type=st.sampled_from(TicketType),
    priority=st.sampled_from(Priority),
    status=st.sampled_from(Status),
    labels=st.lists(WORDS, max_size=6).map(tuple),
    epic_id=st.none() | WORDS,
    completed_subtasks=st.integers(0, 5),
    subtask_count=st.integers(0, 9),
    archived=st.booleans(),
)
EPICS = st.builds(Epic, id=st.just("E-001"), title=WORDS, description=WORDS, status=st.sampled_from(EpicStatus))
AT = datetime(2026, 11, 24, tzinfo=UTC)
AVATARS = TicketSummary(
    id="T-042",
    title="Avatars",
    type=TicketType.BUG,
    priority=Priority.HIGH,
    status=Status.IN_PROGRESS,
    labels=("ui", "api"),
    epic_id="E-001",
    completed_subtasks=2,
    subtask_count=5,
)


def wrong(shown: Shown) -> list[Any]:
    assert len(shown.text) <= 4_000
    assert "<!" not in shown.text
    return list(block_problems(shown.blocks, "message"))


@given(st.lists(SUMMARIES, max_size=10), st.integers(1, 3), st.booleans(), st.text(max_size=200))
def test_a_page_of_tickets_fits(tickets: list[TicketSummary], number: int, more: bool, query: str) -> None:
    page = Page("search", query, number)
    assert wrong(ticket_blocks.ticket_list("*Tickets*", tickets, page, more=more, empty="None.")) == []
    assert page_from(page.remember()) == page


@given(EPICS, st.lists(SUMMARIES, max_size=10), st.integers(1, 3), st.booleans())
def test_epics_fit(epic: Epic, tickets: list[TicketSummary], number: int, more: bool) -> None:
    page = Page("epic", "E-001", number)
    assert wrong(ticket_blocks.epic_page(epic, Progress(1, 2), tickets, page, more=more)) == []
    assert wrong(ticket_blocks.epic_list([(epic, Progress(0, 0))] * 10, Page("epics", "", number), more=more)) == []


@given(st.lists(st.tuples(WORDS, st.sampled_from(SubtaskStatus)), max_size=250), st.sampled_from(Status), WORDS)
def test_what_a_status_was_chosen_from_is_remembered(
    steps: list[tuple[str, SubtaskStatus]], status: Status, title: str
) -> None:
    subtasks = tuple(Subtask(f"sub-{n}", *step) for n, step in enumerate(steps))
    ticket = Ticket("ABCDE-999999999999", title, status=status, subtasks=subtasks, digest="0123456789abcdef")
    line = ticket_blocks.status_line(ticket)
    assert wrong(line) == []
    shown, ticket_id, read = line.blocks[-1]["block_id"].split(" ")
    assert (shown, ticket_id) == ("line", ticket.id)
    assert ticket.revision.startswith(read.rstrip("."))
    offered = [option["value"] for option in line.blocks[-1]["elements"][0]["options"]]
    assert offered == list(ticket.next_statuses())


@given(st.lists(st.text(min_size=1, max_size=60), max_size=120, unique=True))
def test_the_form_fits(workspaces: list[str]) -> None:
    here = workspaces[0] if workspaces else "default"
    view = new_ticket_modal(metadata={"channel": "", "thread_ts": "", "workspace": here}, workspaces=workspaces)
    assert list(view_problems(view, "modal")) == []
    assert [block["label"]["text"] for block in view["blocks"]][-8:] == [
        *("Title", "Description", "Type", "Priority", "Labels", "Epic", "Subtasks", "Blocked by"),
    ]


def test_a_list_says_of_each_ticket_how_it_stands_and_offers_its_card() -> None:
    shown = ticket_blocks.ticket_list("*Tickets* bug", [AVATARS], Page("list", "bug", 2), more=True, empty="None.")
    assert shown.text == (
        "*Tickets* bug\n🐛 *T-042* Avatars\n`in_progress` · 🟠 high · subtasks 2/5 · epic E-001 · ui · api\nPage 2"
    )
    heading, row, page, buttons = shown.blocks
    assert heading["text"]["text"] == "*Tickets* bug"
    assert (row["accessory"]["action_id"], row["accessory"]["value"]) == ("ticket_view", "T-042")
    assert page["elements"][0]["text"] == "Page 2"
    asked = [(one["action_id"], page_from(one["value"])) for one in buttons["elements"]]
    assert asked == [("page_previous", Page("list", "bug", 1)), ("page_next", Page("list", "bug", 3))]


def test_one_page_needs_no_buttons_and_none_at_all_has_a_sentence() -> None:
    whole = ticket_blocks.ticket_list("*Tickets*", [AVATARS], Page("list", ""), more=False, empty="None.")
    assert [block["type"] for block in whole.blocks] == ["section", "section"]
    nothing = ticket_blocks.ticket_list("*Tickets*", [], Page("list", ""), more=False, empty="There are none.")
    assert nothing.text == "*Tickets*\nThere are none."
    beyond = ticket_blocks.ticket_list("*Tickets*", [], Page("list", "", 7), more=False, empty="There are none.")
    assert "There is no page 7." in beyond.text


def test_an_epic_says_how_many_of_its_tickets_are_done() -> None:
    epic = Epic("E-001", "User profiles", status=EpicStatus.IN_PROGRESS)
    shown = ticket_blocks.epic_list(
        [(epic, Progress(4, 7)), (Epic("E-002", "Search"), Progress(0, 0))], Page("epics", ""), more=False
    )
    assert shown.text == (
        "*Epics*\n🎯 *E-001* User profiles\n`in_progress` · 4/7 done\n🎯 *E-002* Search\n`open` · no tickets"
    )
    assert [block["accessory"]["value"] for block in shown.blocks[1:]] == ["E-001", "E-002"]


def test_a_card_offers_what_may_follow_unless_it_is_archived() -> None:
    ticket = Ticket("T-042", "Avatars", status=Status.IN_PROGRESS)
    card = ticket_blocks.ticket_card(ticket, epic_title=None, blockers=[], related=[], session_count=0)
    menu = card.blocks[-1]["elements"][-1]
    offered = [option["value"] for option in menu["options"]]
    assert (menu["type"], offered) == ("static_select", ["planned", "in_review", "done", "cancelled"])
    gone = Ticket("T-042", "Avatars", archived=True)
    card = ticket_blocks.ticket_card(gone, epic_title=None, blockers=[], related=[], session_count=0)
    assert [one["action_id"] for one in card.blocks[-1]["elements"]] == ["ticket_view", "sessions_show"]


def test_what_is_said_above_a_card_is_read_aloud_before_it() -> None:
    shown = ticket_blocks.with_note(blocks.error("No."), blocks.said("Card"))
    assert (shown.text, len(shown.blocks)) == ("⚠️ No.\nCard", 2)
