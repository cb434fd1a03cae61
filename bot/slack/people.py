"""Who is who and who is where in Slack, asked at most once a minute: people, channels, and what each may see."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import NotAllowed, NotInChannel, SlackUnavailable
from bot.inbox.intake import storable
from bot.sessions.audience import Audience, for_channel, for_person
from bot.slack.intake.arrivals import Identity
from bot.slack.once import Key, Once

log = logging.getLogger(__name__)
KEPT = 60.0  # seconds (durability: who may see)
KEPT_LONG = 600.0  # who is a full member at all
PAGE = 999
KINDS = "public_channel,private_channel,mpim,im"
NOBODY = ("user_not_found", "user_not_visible", "users_not_found")
NOWHERE = ("channel_not_found", "not_in_channel", "method_not_supported_for_channel_type")


@dataclass(frozen=True)
class Channel:
    """A channel, a group of people (`mpim`) or a direct message (`im`, with the other person as `user`)."""

    id: str
    name: str
    private: bool
    im: bool
    mpim: bool
    shared: bool
    user: str | None = None

    @property
    def public(self) -> bool:
        """Whether every full member of the workspace may read it, and nobody else."""
        return not (self.private or self.im or self.mpim or self.shared)


@dataclass(frozen=True)
class Person:
    """Somebody in Slack. A guest has only some channels of the workspace; a stranger belongs to another one."""

    id: str
    name: str
    guest: bool
    stranger: bool
    team_id: str
    bot: bool

    @property
    def full_member(self) -> bool:
        return not (self.guest or self.stranger)


class People:
    """People and channels as the bot of one Slack team sees them.

    Each answer counts for 60 s (who is a full member at all: 10 minutes, or until somebody else is met), and while it
    is on its way everybody waits for the same call. Where Slack fails, every method raises SlackUnavailable: nobody
    sees more because of a failure.
    """

    def __init__(self, client: AsyncWebClient, me: Identity, *, now: Callable[[], float] = time.monotonic) -> None:
        self._client, self._me = client, me
        self._once, self._rarely = Once(KEPT, now), Once(KEPT_LONG, now)

    async def channels(self) -> Mapping[str, Channel]:
        """Every channel the bot is a member of, by id."""
        return await self._once.get(("channels", ""), self._ask_channels)

    async def channel(self, channel_id: str) -> Channel:
        """One channel, also a public one the bot is not in; raises NotInChannel where the bot sees nothing."""
        known = (await self.channels()).get(channel_id)
        if known:
            return known
        return await self._once.get(("channel", channel_id), lambda: self._ask_channel(channel_id))

    async def person(self, user_id: str) -> Person:
        """Somebody, by id; whoever Slack does not show counts as a stranger, with the id for a name."""
        return await self._once.get(("person", user_id), lambda: self._ask_person(user_id))

    async def audience_of(self, user_id: str) -> Audience:
        """What this person may see."""
        channels, person, own = await asyncio.gather(self.channels(), self.person(user_id), self._channels_of(user_id))
        public = [channel.id for channel in channels.values() if channel.public]
        return for_person(self._me.team, public, own, full_member=person.full_member)

    async def audience_in(self, channel_id: str) -> Audience:
        """What everybody in this channel may see: for what is posted there, and for the agent's context."""
        channels = await self.channels()
        public = [channel.id for channel in channels.values() if channel.public]
        try:
            channel = await self.channel(channel_id)
            outsiders = await self._once.get(("outsiders", channel_id), lambda: self._has_outsiders(channel))
        except NotInChannel:
            outsiders = True
        return for_channel(self._me.team, public, channel_id, outsiders=outsiders)

    async def is_member(self, user_id: str, channel_id: str) -> bool:
        """Whether the person is in the channel, as far as the bot can see.

        Nobody is refused by what was true a minute ago: before it says no, it asks anew.
        """
        if channel_id in await self._channels_of(user_id):
            return True
        self.forget(user=user_id)
        if channel_id not in await self.channels():
            self.forget(user=self._me.user)
        return channel_id in await self._channels_of(user_id)

    async def may_write(self, user_id: str) -> None:
        """Raises NotAllowed for people of another workspace (slack-facts: Slack Connect)."""
        if (await self.person(user_id)).stranger:
            raise NotAllowed(
                "Only members of the workspace that installed me can change sessions and tickets. "
                "Ask one of them to do it."
            )

    async def may_look(self, user_id: str) -> None:
        """Raises NotAllowed for people of another workspace: what is in a list or picker is not theirs to see."""
        if (await self.person(user_id)).stranger:
            raise NotAllowed("Only members of the workspace that installed me can look through its tickets.")

    def forget(self, *, channel: str | None = None, user: str | None = None) -> None:
        """Somebody joined or left, or a channel changed: what depends on it is asked anew."""

        def about(key: Key) -> bool:
            kind, of = key
            about_user = user is not None and of == user and kind in ("person", "own")
            about_channel = channel is not None and (kind in ("channels", "own") or of == channel)
            about_me = user == self._me.user and kind in ("channels", "channel")
            return about_user or about_channel or about_me

        self._once.forget(about)

    async def _channels_of(self, user_id: str) -> frozenset[str]:
        """The channels the person is in, as far as the bot sees them; their direct message with it too."""
        channels, own = await asyncio.gather(
            self.channels(), self._once.get(("own", user_id), lambda: self._ask_own(user_id))
        )
        return own | {channel.id for channel in channels.values() if channel.im and channel.user == user_id}

    async def _has_outsiders(self, channel: Channel) -> bool:
        """Whether people who are no full members read along."""
        if channel.shared:
            return True
        if channel.user:
            return not (await self.person(channel.user)).full_member
        members = await self._members(channel)
        if channel.mpim:
            people = await asyncio.gather(*(self.person(user) for user in members if user != self._me.user))
            return not all(person.full_member for person in people)
        full = await self._full_members()
        if not full.issuperset(members):  # a guest, or somebody who is new
            self._rarely.forget(lambda key: True)
            full = await self._full_members()
        return not full.issuperset(members)

    async def _full_members(self) -> frozenset[str]:
        return await self._rarely.get(("full members", ""), self._ask_full_members)

    async def _members(self, channel: Channel) -> list[str]:
        return await self._once.get(("members", channel.id), lambda: self._ask_members(channel.id))

    async def _ask_channels(self) -> Mapping[str, Channel]:
        rows = await self._pages(self._client.users_conversations, "channels", types=KINDS)
        return {channel.id: channel for channel in map(_channel, rows)}

    async def _ask_channel(self, channel_id: str) -> Channel:
        answer = await _call(self._client.conversations_info, NOWHERE, channel=channel_id)
        if answer is None:
            raise NotInChannel(
                f"I am not a member of this channel. Invite me with `/invite @{self._me.name}`, then try again."
            )
        return _channel(answer["channel"])

    async def _ask_own(self, user_id: str) -> frozenset[str]:
        rows = await self._pages(self._client.users_conversations, "channels", types=KINDS, user=user_id)
        return frozenset(str(row["id"]) for row in rows)

    async def _ask_members(self, channel_id: str) -> list[str]:
        return await self._pages(self._client.conversations_members, "members", channel=channel_id)

    async def _ask_full_members(self) -> frozenset[str]:
        """Everybody's id but guests' and strangers', bots' too: to ask for each member of a channel would be slower."""
        rows = await self._pages(self._client.users_list, "members")
        return frozenset(str(row["id"]) for row in rows if _person(row, self._me.team).full_member)

    async def _ask_person(self, user_id: str) -> Person:
        answer = await _call(self._client.users_info, NOBODY, user=user_id)
        if answer is None:
            return Person(user_id, user_id, guest=False, stranger=True, team_id="", bot=False)
        return _person(answer["user"], self._me.team)

    async def _pages(self, method: Callable[..., Awaitable[Any]], rows: str, **arguments: str) -> list[Any]:
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = await _call(method, NOBODY, limit=PAGE, **arguments, **cursor) or {}
            found += page.get(rows) or ()
            cursor = {"cursor": (page.get("response_metadata") or {}).get("next_cursor") or ""}
            if not cursor["cursor"]:
                return found


async def _call(
    method: Callable[..., Awaitable[Any]], none_for: Collection[str], **arguments: str | int
) -> Mapping[str, Any] | None:
    """Slack's answer, None for these of its errors; any other failure is a sentence for whoever waits."""
    try:
        answer: Mapping[str, Any] = (await method(**arguments)).data
    except (SlackClientError, ClientError, TimeoutError, OSError) as error:
        reason = error.response.get("error") if isinstance(error, SlackApiError) else type(error).__name__
        if reason in none_for:
            return None
        log.warning("Slack did not say who is who: %s", reason)
        raise SlackUnavailable(
            f"Slack did not say who may see what ({reason}). Nothing was done; try again in a moment."
        ) from error
    return answer


def _channel(row: Mapping[str, Any]) -> Channel:
    """A channel as Slack shows it. Where Slack says nothing of its privacy, it is private."""
    im, mpim = bool(row.get("is_im")), bool(row.get("is_mpim"))
    shared = ("is_ext_shared", "is_shared", "is_org_shared", "is_pending_ext_shared")
    return Channel(
        str(row["id"]),
        str(row.get("name") or ""),
        private=im or mpim or bool(row.get("is_private", True)),
        im=im,
        mpim=mpim,
        shared=any(row.get(name) for name in shared),
        user=row.get("user") if im else None,
    )


def _person(row: Mapping[str, Any], team: str) -> Person:
    """A user as Slack shows them; in an Enterprise organisation a member may be in several workspaces."""
    profile = row.get("profile") or {}
    names = (profile.get("display_name"), profile.get("real_name"), row.get("real_name"), row.get("name"))
    teams = (row.get("team_id"), *((row.get("enterprise_user") or {}).get("teams") or ()))
    return Person(
        str(row["id"]),
        storable(next((str(name) for name in names if name), str(row["id"]))),
        guest=bool(row.get("is_restricted") or row.get("is_ultra_restricted")),
        stranger=bool(row.get("is_stranger")) or team not in teams,
        team_id=str(row.get("team_id") or ""),
        bot=bool(row.get("is_bot")),
    )
