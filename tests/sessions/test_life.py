"""States and titles, plans, forks, the last link: the rules under what Slack shows."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, update

from bot.errors import LastLink, PlanGone, StateNotAllowed
from bot.inbox import posts
from bot.inbox.claim import finish, waiting_items
from bot.inbox.intake import Arrival, take_in, thread_for
from bot.sessions import planning
from bot.sessions.audience import Audience, for_person
from bot.sessions.forking import Inherited, end_of, fork_of, inherited
from bot.sessions.handover import brief, earlier_sessions
from bot.sessions.linking import current_link, link_session, unlink_session
from bot.sessions.listing import active_elsewhere, count_of_ticket, sessions_of_ticket
from bot.sessions.models import session as sessions
from bot.sessions.planning import titles_in
from bot.sessions.session import (
    ChatSession,
    came_from,
    delete_message,
    edit_message,
    first_words,
    get_session,
    rename_session,
    set_state,
    title_follows,
)
from bot.sessions.transcript import begin_turn, end_turn, save_answer, set_turn_state
from bot.tickets.ticket import Ticket
from tests.sessions.rows import TEAM, WORKSPACE, a_session, say

ALL = for_person(TEAM, ("C1", "C2"), (), full_member=True)


def linked(connection: Connection, n: int, channel: str = "C1") -> ChatSession:
    made = a_session(connection, channel, f"{n}.000001", now_ms=n)
    link_session(connection, made, "T-042", None, key=f"l{n}", by="UADA", now_ms=n)
    return made


def plan(connection: Connection, *titles: str, channel: str = "C1", key: str = "p") -> list[planning.Planned]:
    planning.plan_sessions(
        connection,
        team=TEAM,
        workspace=WORKSPACE,
        lane_id=thread_for(connection, TEAM, channel, ""),
        ticket_id="T-042",
        titles=titles,
        key=key,
        by="UADA",
        now_ms=1,
    )
    return upcoming(connection)


def upcoming(connection: Connection, audience: Audience = ALL) -> list[planning.Planned]:
    return planning.upcoming(connection, audience, TEAM, WORKSPACE, "T-042")


def answered(connection: Connection, of: ChatSession, message_id: int, text: str, state: str = "done") -> None:
    turn = begin_turn(connection, of.id, asked_by="UADA", message_ids=[message_id], agent="a", model="m", now_ms=2_000)
    block: dict[str, object] = {"type": "text", "text": text}
    save_answer(connection, turn, [block], stop_reason="end_turn", usage={}, model="m", now_ms=3_000)
    if state == "done":
        end_turn(connection, turn.id, state, 4_000)
    else:
        set_turn_state(connection, turn.id, state)


@pytest.mark.parametrize(
    ("kind", "state", "allowed"),
    [
        ("chat", "archived", True),
        ("chat", "completed", False),
        ("agent", "failed", True),
        ("agent", "upcoming", False),
    ],
)
def test_a_session_moves_only_to_what_may_follow(connection: Connection, kind: str, state: str, allowed: bool) -> None:
    made = a_session(connection)
    connection.execute(update(sessions).where(sessions.c.id == made.id).values(kind=kind))
    if not allowed:
        with pytest.raises(StateNotAllowed, match=f"active and cannot become {state}"):
            set_state(connection, made.id, state, 2)
        return
    set_state(connection, made.id, state, 2)
    set_state(connection, made.id, "active", 3)
    assert get_session(connection, made.id).state == "active"


def test_a_list_says_what_an_active_session_does(connection: Connection) -> None:
    idle, waiting, running, heard = (linked(connection, n) for n in (1, 2, 3, 4))
    for of, state in ((idle, "done"), (waiting, "waiting"), (running, "running")):
        answered(connection, of, say(connection, of, "9.000001", "hello"), "hi", state)
    arrival = Arrival(TEAM, "C1", heard.thread_ts, "m:1", "message", "10.000001", {})
    take_in(connection, arrival, 1)
    found = {
        one.session.id: one.state_in_words for one in sessions_of_ticket(connection, ALL, TEAM, WORKSPACE, "T-042")
    }
    assert found == {
        idle.id: "active (idle)",
        waiting.id: "active (waiting for a person)",
        running.id: "active (running)",
        heard.id: "active (running)",
    }


def test_numbers_have_no_gap_for_what_is_hidden(connection: Connection) -> None:
    for n, channel in enumerate(("C1", "C3", "C1", "C3", "C1"), 1):
        linked(connection, n, channel)
    seen = sessions_of_ticket(connection, ALL, TEAM, WORKSPACE, "T-042", limit=2)
    assert [(one.number, one.last_ms) for one in seen] == [(3, 5), (2, 3)]
    rest = sessions_of_ticket(connection, ALL, TEAM, WORKSPACE, "T-042", limit=2, offset=2)
    assert [(one.number, one.last_ms) for one in rest] == [(1, 1)]
    assert count_of_ticket(connection, ALL, TEAM, WORKSPACE, "T-042") == 3
    plan(connection, "Hidden", channel="C3")
    assert upcoming(connection) == []
    assert planning.count_upcoming(connection, ALL, TEAM, WORKSPACE, "T-042") == 0


def test_a_title_of_its_own_stays_and_one_of_the_first_message_follows_it(connection: Connection) -> None:
    made = a_session(connection)
    say(connection, made, "1.000001", "which sizes?")
    rename_session(connection, made.id, "which sizes?", "UADA")
    connection.execute(update(sessions).where(sessions.c.id == made.id).values(titled_by=None, title="which sizes?"))
    made = get_session(connection, made.id)
    before = first_words(connection, made.id, str)
    edit_message(connection, made, "1.000001", "which crops?", "2.000001")
    title_follows(connection, made, before, str)
    assert get_session(connection, made.id).title == "which crops?"
    made, before = get_session(connection, made.id), "which crops?"
    delete_message(connection, made, "1.000001", 5)
    title_follows(connection, made, before, str)
    assert get_session(connection, made.id).title == "Chat"
    assert rename_session(connection, made.id, "  Image \n sizes ", "UBEN")
    assert not rename_session(connection, made.id, "Image sizes", "UBEN")
    title_follows(connection, get_session(connection, made.id), "Image sizes", str)
    assert get_session(connection, made.id).title == "Image sizes"


def test_titles_are_lines_without_the_marks_of_a_list() -> None:
    assert titles_in("- Plan\n 2. Implement\n\n* Test \n3D model\n-\nPlan") == [
        "Plan",
        "Implement",
        "Test",
        "3D model",
        "-",
    ]


def test_a_template_names_open_parts_between_planning_and_testing() -> None:
    assert planning.template(Ticket("T-042", "Avatars")) == [
        "Plan T-042 implementation",
        "Implement T-042",
        "Test T-042",
    ]


def test_the_same_plan_again_adds_nothing(connection: Connection) -> None:
    plan(connection, "Plan", "Test")
    assert [one.title for one in plan(connection, "Plan", "Test")] == ["Plan", "Test"]


def test_one_item_starts_a_planned_session_and_others_are_told_what_became_of_it(connection: Connection) -> None:
    (one,) = plan(connection, "Test")
    take_in(connection, Arrival(TEAM, "C1", "", "first", "planned_start", "1.000001", {}), 1)
    assert planning.begin_start(connection, one.id, "first").state == "starting"
    assert planning.begin_start(connection, one.id, "first").state == "starting"
    with pytest.raises(PlanGone, match="is being started"):
        planning.begin_start(connection, one.id, "second")
    planning.started(connection, one.id, "s-1")
    with pytest.raises(PlanGone, match="was started already") as gone:
        planning.begin_start(connection, one.id, "second")
    assert gone.value.session_id == "s-1"
    for change in (planning.cancel_planned, lambda c, i: planning.rename_planned(c, i, "x")):
        with pytest.raises(PlanGone):
            change(connection, one.id)
    assert upcoming(connection) == []


def test_a_start_that_was_given_up_can_be_taken_over(connection: Connection) -> None:
    (one,) = plan(connection, "Test")
    take_in(connection, Arrival(TEAM, "C1", "", "first", "planned_start", "1.000001", {}), 1)
    planning.begin_start(connection, one.id, "first")
    finish(connection, waiting_items(connection, thread_for(connection, TEAM, "C1", "")))
    assert planning.begin_start(connection, one.id, "second").state == "starting"
    planning.not_started(connection, one.id)
    assert [planned.state for planned in upcoming(connection)] == ["upcoming"]
    planning.cancel_planned(connection, one.id)
    planning.cancel_planned(connection, one.id)
    with pytest.raises(PlanGone, match="was cancelled"):
        planning.begin_start(connection, one.id, "third")


def test_a_fork_has_turns_that_had_ended_by_its_message(connection: Connection) -> None:
    parent = a_session(connection)
    first = say(connection, parent, "1.000001", "which sizes?")
    answered(connection, parent, first, "Small ones.")
    answered(connection, parent, say(connection, parent, "5.000001", "and?"), "Large", "running")
    assert end_of(connection, parent) == "5.000001"
    assert fork_of(connection, parent, "1.000001").fork_turn == 0
    origin = fork_of(connection, parent, "5.000001")
    assert (origin.title, origin.parent_id, origin.fork_turn) == ("Fork of Avatar upload", parent.id, 1)
    fork = a_session(connection, thread_ts="200.000001")
    came_from(connection, fork.id, origin, "UADA")
    again = a_session(connection, thread_ts="300.000001")
    made = came_from(connection, again.id, fork_of(connection, get_session(connection, fork.id), "9.000001"), "UADA")
    assert made.title == "Fork of Avatar upload"
    assert inherited(connection, again.id) == [
        Inherited(parent.id, "5.000001", 1),
        Inherited(fork.id, "9.000001", 0),
    ]
    assert inherited(connection, parent.id) == []


def test_a_brief_has_notes_and_last_answers_of_what_may_be_seen(connection: Connection) -> None:
    first, hidden, now = linked(connection, 1), linked(connection, 2, "C3"), linked(connection, 3)
    for of in (first, hidden):
        answered(connection, of, say(connection, of, "1.000001", "which sizes?"), f"Settled in {of.channel}.")
    earlier = earlier_sessions(connection, ALL, get_session(connection, now.id), "T-042")
    text = brief(Ticket("T-042", "Avatars"), earlier)
    assert text.splitlines() == [
        "Hand-over for T-042 Avatars (backlog)",
        "Session 1: Avatar upload (active (idle))",
        "    last answer: Settled in C1.",
    ]


def test_other_active_sessions_are_those_that_may_be_seen(connection: Connection) -> None:
    one, _hidden, archived, here = (
        linked(connection, 1),
        linked(connection, 2, "C3"),
        linked(connection, 3),
        linked(connection, 4),
    )
    set_state(connection, archived.id, "archived", 5)
    assert [of.id for of in active_elsewhere(connection, ALL, here, "T-042")] == [one.id]


def test_the_only_link_of_an_archived_session_goes_when_the_person_is_sure(connection: Connection) -> None:
    made = linked(connection, 1)
    set_state(connection, made.id, "archived", 2)
    with pytest.raises(LastLink, match="T-042 is the only ticket"):
        unlink_session(connection, made, key="u", by="UADA", now_ms=3)
    unlink_session(connection, made, key="u", by="UADA", now_ms=3, sure=True)
    assert current_link(connection, made.id) is None


def test_a_thread_waits_while_its_root_is_being_posted(connection: Connection) -> None:
    lane = thread_for(connection, TEAM, "C1", "")
    item = take_in(connection, Arrival(TEAM, "C1", "", "first", "planned_start", "1.000001", {}), 1)
    root = posts.put(connection, key=f"root.{item}", thread_id=lane, role="root", want={"text": "hello"})
    pending = []
    changes: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: posts.trying(connection, root.id, 1),
        lambda: posts.created(connection, root.id, "7.000001"),
        lambda: finish(connection, waiting_items(connection, lane)),
    )
    for change in changes:
        change()
        pending.append([posts.root_pending(connection, TEAM, "C1", ts) for ts in ("7.000001", "8.000001")])
    assert pending == [[False, False], [True, True], [True, False], [False, False]]
