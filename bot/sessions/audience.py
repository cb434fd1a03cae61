"""Who may see which session: one rule, as a WHERE clause for queries and as a function for one session."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_

from bot.sessions.models import thread
from bot.sessions.session import ChatSession


@dataclass(frozen=True)
class Audience:
    """Those who will read something: a person, or everybody in a channel.

    `public` are the channels that every full member of the workspace may read (not private, not shared, the bot
    is in them), and is empty for those who are no full members; `own` are the viewer's own channels, or the one
    channel in which something is posted.
    """

    team: str
    public: frozenset[str]
    own: frozenset[str]

    @property
    def channels(self) -> frozenset[str]:
        """Every channel whose sessions may be seen."""
        return self.public | self.own


def for_person(team: str, public: Collection[str], own: Collection[str], *, full_member: bool) -> Audience:
    """One person: what is public, and the channels they are in; guests and strangers the latter alone."""
    return Audience(team, frozenset(public) if full_member else frozenset(), frozenset(own))


def for_channel(team: str, public: Collection[str], channel: str, *, outsiders: bool) -> Audience:
    """Everybody in a channel: what is public, and the channel itself.

    `outsiders`: people who are no full members may be in it (a shared channel, a guest's direct message); such a
    channel sees its own sessions alone.
    """
    return Audience(team, frozenset() if outsiders else frozenset(public), frozenset((channel,)))


def visible(audience: Audience) -> ColumnElement[bool]:
    """The rule as a WHERE clause, for every query of sessions; it must join the table `thread`.

    Filtering afterwards would break pages and counts.
    """
    return and_(thread.c.team == audience.team, thread.c.channel.in_(sorted(audience.channels)))


def may_see(audience: Audience, session: ChatSession) -> bool:
    """The same rule for a session that is at hand already."""
    return session.team == audience.team and session.channel in audience.channels
