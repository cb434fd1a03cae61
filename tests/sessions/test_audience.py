"""Who may see which session: the same answer from the rule and from the database."""

from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, select

from bot.sessions.audience import Audience, for_channel, for_person, may_see, visible
from bot.sessions.models import session, thread
from tests.sessions.rows import a_session

PUBLIC, ELSEWHERE, PRIVATE, SHARED, DIRECT, GROUP = "C1", "C2", "C3", "C4", "D1", "C5"
EVERYWHERE = (PUBLIC, ELSEWHERE, PRIVATE, SHARED, DIRECT, GROUP)
READABLE = (PUBLIC, ELSEWHERE)  # not private, not shared, the bot is in them
IN_ALL = (PUBLIC, PRIVATE, SHARED, DIRECT, GROUP)


@dataclass(frozen=True)
class Case:
    name: str
    audience: Audience
    sees: tuple[str, ...]


def person(*own: str, full_member: bool = True) -> Audience:
    return for_person("T1", READABLE, own, full_member=full_member)


def channel(of: str, *, outsiders: bool = False) -> Audience:
    return for_channel("T1", READABLE, of, outsiders=outsiders)


CASES = (
    Case("a member of nothing", person(), READABLE),
    Case("a member of everything", person(*IN_ALL), EVERYWHERE),
    Case("a member of the private channel", person(PRIVATE), (*READABLE, PRIVATE)),
    Case("a member of the shared channel", person(SHARED), (*READABLE, SHARED)),
    Case("one of the two of a direct message", person(DIRECT), (*READABLE, DIRECT)),
    Case("one of a group", person(GROUP), (*READABLE, GROUP)),
    Case("a guest of nothing", person(full_member=False), ()),
    Case("a guest of the public channel", person(PUBLIC, full_member=False), (PUBLIC,)),
    Case("a guest of the private channel", person(PRIVATE, full_member=False), (PRIVATE,)),
    Case("a stranger in the shared channel", person(SHARED, full_member=False), (SHARED,)),
    Case("everybody in the public channel", channel(PUBLIC), READABLE),
    Case("everybody in the private channel", channel(PRIVATE), (*READABLE, PRIVATE)),
    Case("everybody in the shared channel", channel(SHARED, outsiders=True), (SHARED,)),
    Case("both of a direct message", channel(DIRECT), (*READABLE, DIRECT)),
    Case("both of a guest's direct message", channel(DIRECT, outsiders=True), (DIRECT,)),
    Case("another team's members", for_person("T2", EVERYWHERE, EVERYWHERE, full_member=True), ()),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_sees_what_is_public_and_what_is_their_own(connection: Connection, case: Case) -> None:
    made = [a_session(connection, channel) for channel in EVERYWHERE]
    query = select(thread.c.channel).join(session, session.c.thread_id == thread.c.id)
    found = set(connection.execute(query.where(visible(case.audience))).scalars())
    assert found == set(case.sees)
    assert {one.channel for one in made if may_see(case.audience, one)} == found


def test_a_session_of_another_team_in_a_channel_of_the_same_id_is_not_seen(connection: Connection) -> None:
    ours, theirs = a_session(connection), a_session(connection, team="T2")
    query = select(session.c.id).join(thread, session.c.thread_id == thread.c.id)
    assert connection.execute(query.where(visible(person()))).scalars().all() == [ours.id]
    assert not may_see(person(), theirs)
