"""Planned sessions of a ticket: a title each, upcoming until somebody starts it, then a session like any other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, Update, func, select, update

from bot.database import insert_once
from bot.errors import PlanGone, SessionNotFound
from bot.sessions.audience import Audience, visible
from bot.sessions.models import inbox, planned, thread
from bot.sessions.session import own_title
from bot.tickets.ticket import Ticket

MARK = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+")
BORN = ":born"  # behind the key of the item that starts it: the item in the new thread
MOST_TITLES = 20
MOST_PARTS = 8  # subtasks that the template names
MOST_UPCOMING = 50


@dataclass(frozen=True)
class Planned:
    """A session that is to be. It is seen by those who may see the channel in which it was planned."""

    id: int
    team: str
    workspace: str
    channel: str
    ticket_id: str
    title: str
    state: str  # upcoming, starting, started, cancelled
    by: str
    ms: int
    session_id: str | None


def template(ticket: Ticket) -> list[str]:
    """What to begin a plan with: plan it, do each open part, test it (the user's document: Create Sub-Sessions)."""
    parts = [" ".join(s.title.split()) for s in ticket.subtasks if str(s.status) != "completed"]
    parts = [part for part in parts if "test" not in part.lower().split()[:2]]
    done = [f"Implement {ticket.id}: {part}" for part in parts[:MOST_PARTS]] or [f"Implement {ticket.id}"]
    return [own_title(title) for title in (f"Plan {ticket.id} implementation", *done, f"Test {ticket.id}")]


def titles_in(text: str) -> list[str]:
    """The titles that a person typed, one a line, without the marks of a list; each once, in their order."""
    lines = (own_title(MARK.sub("", line)) for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def plan_sessions(
    connection: Connection,
    *,
    team: str,
    workspace: str,
    lane_id: int,
    ticket_id: str,
    titles: Sequence[str],
    key: str,
    by: str,
    now_ms: int,
) -> None:
    """Writes the titles down as upcoming; the same key again adds nothing."""
    for n, title in enumerate(titles):
        insert_once(
            connection,
            planned,
            team=team,
            workspace=workspace,
            lane_id=lane_id,
            ticket_id=ticket_id,
            title=own_title(title),
            state="upcoming",
            key=f"{key}:{n}",
            by=by,
            ms=now_ms,
        )


def upcoming(
    connection: Connection,
    audience: Audience,
    team: str,
    workspace: str,
    ticket_id: str,
    limit: int = MOST_UPCOMING,
    offset: int = 0,
) -> list[Planned]:
    """The ticket's planned sessions that the audience may see, in the order in which they were planned."""
    wanted = _planned().where(visible(audience), *_of(team, workspace, ticket_id))
    rows = connection.execute(wanted.order_by(planned.c.id).limit(limit).offset(offset))
    return [Planned(**row) for row in rows.mappings()]


def count_upcoming(connection: Connection, audience: Audience, team: str, workspace: str, ticket_id: str) -> int:
    """How many `upcoming` has in all."""
    lane = thread.c.id == planned.c.lane_id
    wanted = select(func.count()).select_from(planned).join(thread, lane)
    return int(connection.execute(wanted.where(visible(audience), *_of(team, workspace, ticket_id))).scalar_one())


def get_planned(connection: Connection, planned_id: int) -> Planned:
    """The planned session of this id; raises SessionNotFound."""
    row = connection.execute(_planned().where(planned.c.id == planned_id)).mappings().first()
    if row is None:
        raise SessionNotFound("There is no such session.")
    return Planned(**row)


def may_see_planned(audience: Audience, one: Planned) -> bool:
    """Whether the audience may see it: as with a session of the channel in which it was planned."""
    return one.team == audience.team and one.channel in audience.channels


def begin_start(connection: Connection, planned_id: int, key: str) -> Planned:
    """Takes it for the item of this key, which may come again; raises PlanGone where it is no longer upcoming."""
    connection.execute(_to(planned_id, "upcoming").values(state="starting", start_key=key))
    born = select(inbox.c.id).where(
        inbox.c.team == planned.c.team,
        inbox.c.key.in_((planned.c.start_key, planned.c.start_key + BORN)),
        inbox.c.state == "new",
    )
    given_up = (planned.c.start_key != key, ~born.exists())  # whoever began it will not go on
    connection.execute(_to(planned_id, "starting").where(*given_up).values(start_key=key))
    now = get_planned(connection, planned_id)
    mine = connection.execute(select(planned.c.start_key).where(planned.c.id == planned_id)).scalar() == key
    if not mine or now.state == "cancelled":
        raise PlanGone(now.title, now.state, now.session_id)
    return now


def not_started(connection: Connection, planned_id: int) -> None:
    """Its thread could not be made: it is upcoming as before."""
    connection.execute(_to(planned_id, "starting").values(state="upcoming", start_key=None))


def started(connection: Connection, planned_id: int, session_id: str) -> None:
    """The session is there."""
    connection.execute(_to(planned_id, "starting").values(state="started", session_id=session_id))


def cancel_planned(connection: Connection, planned_id: int) -> Planned:
    """It is not to be; again, it changes nothing. Raises PlanGone where it was started."""
    connection.execute(_to(planned_id, "upcoming").values(state="cancelled"))
    now = get_planned(connection, planned_id)
    if now.state != "cancelled":
        raise PlanGone(now.title, now.state, now.session_id)
    return now


def rename_planned(connection: Connection, planned_id: int, title: str) -> Planned:
    """Gives it another title; raises PlanGone where it is no longer upcoming."""
    connection.execute(_to(planned_id, "upcoming").values(title=own_title(title)))
    now = get_planned(connection, planned_id)
    if now.state != "upcoming":
        raise PlanGone(now.title, now.state, now.session_id)
    return now


def _of(team: str, workspace: str, ticket_id: str) -> tuple[ColumnElement[bool], ...]:
    same = (planned.c.team == team, planned.c.workspace == workspace, planned.c.ticket_id == ticket_id)
    return (*same, planned.c.state == "upcoming")


def _planned() -> Select[tuple[object, ...]]:
    kept = [planned.c[name] for name in Planned.__dataclass_fields__ if name != "channel"]
    return select(*kept, thread.c.channel).join(thread, thread.c.id == planned.c.lane_id)


def _to(planned_id: int, state: str) -> Update:
    return update(planned).where(planned.c.id == planned_id, planned.c.state == state)
