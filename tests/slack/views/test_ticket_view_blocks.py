"""The ticket view's blocks: whatever stands in ticket, history or transcript, Slack takes them, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.local_slack.view_check import VIEW_BYTES, view_problems
from bot.sessions.reading import Deed, Whereabouts
from bot.slack.tickets.looks import Look, Looks, look_from
from bot.slack.views.activity_view import activity, in_session
from bot.slack.views.blocks import Block
from bot.slack.views.paging import chunks, paged, typed
from bot.slack.views.review_blocks import Against, note_modal, review
from bot.slack.views.ticket_view import Details, details, ticket_view
from bot.slack.views.transcript_view import transcript
from bot.tickets.change import HistoryEntry
from bot.tickets.subtask import Subtask
from bot.tickets.ticket import Ticket
from bot.tickets.vocabulary import Status, SubtaskStatus
from tests.bench import everything_in

WORDS = st.text(max_size=400)
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
LINES = st.lists(
    st.sampled_from(["- [ ] ", "- [x] ", "## ", "", "```", "1. [ ] "]).flatmap(lambda m: WORDS.map(m.__add__))
)


def wrong(body: Sequence[Block], ticket: Ticket | None = None) -> list[Any]:
    shown = ticket or Ticket("T-042", "Avatars")
    view = ticket_view(shown, "details", body, Look("T-042", read=shown.revision).remember(), None)
    assert len(str(view)) < VIEW_BYTES
    return list(view_problems(view, "modal"))


def all_pages(ticket: Ticket) -> list[list[Block]]:
    """Every page of the first tab."""
    shown = [details(Details(ticket, drawn="1"), 1)]
    while any(one.get("action_id") == "view_next" for block in shown[-1] for one in block.get("elements", ())):
        shown.append(details(Details(ticket, drawn="1"), len(shown) + 1))
    return shown


@settings(max_examples=60, deadline=None)
@given(LINES, st.lists(st.tuples(WORDS, st.sampled_from(SubtaskStatus)), max_size=40), WORDS, st.sampled_from(Status))
def test_details_fit(lines: list[str], steps: list[tuple[str, SubtaskStatus]], words: str, status: Status) -> None:
    ticket = Ticket(
        "T-042",
        words,
        description="\n".join(lines),
        status=status,
        subtasks=tuple(Subtask(None, title, to, position=n) for n, (title, to) in enumerate(steps)),
        history=tuple(HistoryEntry(AT, "subtask_completed", {"title": title}, "agent", words) for title, _ in steps),
        digest="0123456789abcdef",
    )
    others = [("T-1", words, "done"), (words, None, None)] * 30
    for number in (1, 2):
        body = details(Details(ticket, words, others, others, others[0], {}, "19ab"), number)
        assert wrong(body, ticket) == []


def test_a_long_ticket_is_shown_whole_on_its_pages() -> None:
    lines = [f"Line {n} & more " + "x" * 300 for n in range(300)] + [f"- [ ] Criterion {n}" for n in range(95)]
    subtasks = tuple(Subtask(f"sub-{n}", f"Step {n}", SubtaskStatus.PENDING, position=n) for n in range(200))
    ticket = Ticket("T-042", "Avatars", description="\n".join(lines), subtasks=subtasks)
    pages = all_pages(ticket)
    told = everything_in(pages)
    assert len(pages) == 2
    assert all(wrong(page, ticket) == [] for page in pages)
    assert all(f"Line {n} & more" in told for n in range(300))
    assert all(f"Criterion {n}\n" in told for n in range(95))
    assert all(f"Step {n}\n" in told for n in range(200))


def test_boxes_stand_where_the_text_has_them() -> None:
    text = "Before\n\n## Acceptance Criteria\n\n- [x] One\n\n- [ ] Two\n\nAfter\n```\n- [ ] code\n```"
    body = details(Details(Ticket("T-042", "Avatars", description=text), drawn="1"), 1)
    shown = [everything_in(block) for block in body[2:5]]
    assert "Acceptance Criteria" in shown[0] and "#" not in shown[0]
    assert "One" in shown[1]
    assert "Two" in shown[1]
    assert "After" in shown[2] and "\n- [ ] code" in shown[2] and "`" not in shown[2]


ENTRIES = st.builds(
    HistoryEntry,
    st.none() | st.just(AT),
    st.sampled_from(["created", "status_changed", "comment_added", "updated", "session_linked", "from_elsewhere"])
    | WORDS,
    st.dictionaries(
        st.sampled_from(["comment", "from", "to", "sessionId", "review", "op", "fields", "ticked", "title"]),
        WORDS | st.lists(WORDS, max_size=5) | st.none() | st.integers(),
    ),
    st.sampled_from(["user", "agent", "system", ""]),
    WORDS,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ENTRIES, max_size=40), st.integers(1, 3))
def test_activity_fits(entries: list[HistoryEntry], number: int) -> None:
    assert wrong(activity(entries, {}, {}, number)) == []


def test_activity_says_in_which_session_an_agent_did_it_and_keeps_quiet_of_hidden_ones() -> None:
    deed = Deed(Whereabouts("s-1", "Backend", "C1", "17.5"), 3, "sciorex_complete_subtask")
    entries = [
        HistoryEntry(AT, "session_linked", {"sessionId": "s-hidden"}, "user", "U0BOB"),
        HistoryEntry(
            AT + timedelta(1),
            "subtask_completed",
            {"title": "Write tests", "op": "turn.k.1.0", "onBehalfOf": "U0ALICE"},
            "agent",
            "claude",
        ),
        HistoryEntry(
            AT + timedelta(2),
            "status_changed",
            {"from": "in_review", "to": "done", "review": ["active session: s-hidden", "subtask: Write tests"]},
            "user",
            "U0BOB",
        ),
    ]
    told = everything_in(activity(entries, {"turn.k.1.0": in_session(deed, "https://x.slack.com/")}, {}, 1))
    assert "hidden" not in told
    assert "active session" not in told
    assert "open then: subtask Write tests" in told
    assert (
        "🤖 claude for <@U0ALICE> · completed the subtask “Write tests” in "
        "<https://x.slack.com/archives/C1/p175|Backend> (turn 3, complete subtask)" in told
    )


SAID = st.fixed_dictionaries(
    {
        "id": WORDS,
        "role": st.sampled_from(["user", "assistant", "tool_use", "tool_result", "system"]),
        "content": WORDS,
    },
    optional={
        "author": st.fixed_dictionaries({"id": WORDS, "name": WORDS, "bot": st.booleans()}),
        "toolName": WORDS,
        "toolInput": st.dictionaries(WORDS, WORDS, max_size=3),
        "timestamp": st.just("2026-11-24T12:00:00.000Z") | WORDS,
        "deletedAt": WORDS,
        "files": st.lists(st.fixed_dictionaries({"name": WORDS, "url": WORDS}), max_size=2),
    },
)


@settings(max_examples=60, deadline=None)
@given(st.lists(SAID, max_size=40), WORDS, st.integers(1, 3))
def test_a_transcript_fits(entries: list[dict[str, object]], title: str, number: int) -> None:
    assert wrong(transcript(title, "archived", entries, number, 1)) == []


def test_in_a_transcript_the_agents_markdown_is_shown_as_such_and_what_people_typed_as_it_is() -> None:
    entries: list[dict[str, object]] = [{"role": role, "content": "**Done**"} for role in ("assistant", "user")]
    shown = transcript("Chat", "active", entries, 1, 1)[3::2]
    bold = {"type": "text", "text": "Done", "style": {"bold": True}}
    assert shown[0]["elements"] == [{"type": "rich_text_section", "elements": [bold]}]
    assert shown[1]["text"] == {"type": "plain_text", "text": "**Done**"}


def test_a_transcript_of_5000_messages_is_read_page_by_page_and_nothing_is_missing() -> None:
    entries: list[dict[str, object]] = [
        {"id": f"m-{n}", "role": "user", "content": f"Message {n}.", "author": {"name": "Alice"}} for n in range(5_000)
    ]
    entries[7]["content"] = "long " * 60_000
    told, number = "", 1
    while True:
        page = transcript("Chat", "active", entries, number, 1)
        assert wrong(page) == []
        told += everything_in(page)
        if not any(one.get("action_id") == "view_next" for block in page for one in block.get("elements", ())):
            break
        number += 1
    assert all(f"Message {n}." in told for n in range(5_000) if n != 7)
    assert told.count("long ") == 60_000


@given(st.text(max_size=9_000), st.integers(10, 3_000))
def test_what_is_cut_is_whole_when_joined(text: str, size: int) -> None:
    parts = chunks(text, size)
    assert all(0 < len(part) <= size for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_page_that_is_not_there_is_the_last_one() -> None:
    groups = [typed(f"{n}") for n in range(200)]
    blocks, page = paged(groups, 99)
    assert (page.number, page.count) == (3, 3)
    assert blocks[-1]["text"]["text"] == "199"
    assert paged([], 1)[0] == []


@given(st.lists(st.tuples(st.sampled_from(["subtask", "criterion", "active session", "unread session"]), WORDS)), WORDS)
def test_a_review_fits(lines: list[tuple[str, str]], title: str) -> None:
    ticket = Ticket("ABCDE-999999999999", title, status=Status.IN_PROGRESS, digest="0123456789abcdef")
    shown = review(Against(ticket, tuple(f"{kind}: {what}" for kind, what in lines), {}), "a" * 16)
    assert wrong(shown.blocks) == []
    assert len(shown.text) <= 4_000
    assert list(view_problems(note_modal("T-042", {"channel": "C1"}), "modal")) == []


def test_a_look_is_remembered_in_its_view_and_for_what_is_drawn_later() -> None:
    look = Look("T-042", "transcript", 3, "s-1", 2, "abc.def.")
    assert look_from(dict(look.remember())) == look
    looks = Looks()
    for n in range(2_100):
        looks.turn(f"V{n}", look)
    assert looks.now("V0", Look("T-1")) == Look("T-1")
    assert looks.now("V2099", Look("T-1")) == look
