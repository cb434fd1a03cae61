"""Which ticket workspace counts where no settings can say: a person's choice, and channels whose id has changed."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from bot.sessions.models import choice, moved


def choose_workspace(connection: Connection, team: str, user: str, workspace: str, now_ms: int) -> None:
    """From now on the person works in this workspace in direct messages and App Home."""
    if chosen_workspace(connection, team, user) != workspace:
        connection.execute(choice.insert().values(team=team, user_id=user, workspace=workspace, ms=now_ms))


def chosen_workspace(connection: Connection, team: str, user: str, at_ms: int | None = None) -> str | None:
    """The name that the person has chosen, if ever (by `at_ms`); the settings may have lost it since."""
    chosen = select(choice.c.workspace).where(choice.c.team == team, choice.c.user_id == user)
    if at_ms is not None:
        chosen = chosen.where(choice.c.ms <= at_ms)
    name: str | None = connection.execute(chosen.order_by(choice.c.id.desc()).limit(1)).scalar_one_or_none()
    return name


def note_moved(connection: Connection, team: str, old: str, new: str) -> None:
    """A channel has another id from now on."""
    if not connection.execute(update(moved).where(moved.c.team == team, moved.c.old == old).values(new=new)).rowcount:
        connection.execute(moved.insert().values(team=team, old=old, new=new))


def former_ids(connection: Connection, team: str, channel: str) -> list[str]:
    """The ids that the channel had before, the last one first."""
    found = [channel]
    for new in found:
        rows = connection.execute(select(moved.c.old).where(moved.c.team == team, moved.c.new == new))
        found += [old for old in rows.scalars() if old not in found]
    return found[1:]


def present_ids(connection: Connection, team: str) -> dict[str, str]:
    """Every id that a channel had before, with the one that it has now."""
    rows = connection.execute(select(moved.c.old, moved.c.new).where(moved.c.team == team))
    following: dict[str, str] = {row.old: row.new for row in rows}
    return {old: new for new in set(following.values()) - set(following) for old in former_ids(connection, team, new)}
