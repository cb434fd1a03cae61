"""Who is who and who is where, asked of a Slack that refuses what Slack refuses."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError, NotAllowed, NotInChannel, SlackUnavailable
from bot.local_slack import LocalSlack
from bot.sessions.audience import Audience
from bot.slack.intake.arrivals import Identity
from bot.slack.people import Channel, People, Person

MANIFEST = Path(__file__).parents[2] / "manifest.yml"


@dataclass
class Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class World:
    """A workspace with a channel and a person of every kind."""

    slack: LocalSlack
    client: AsyncWebClient
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        slack, bot = self.slack, self.slack.bot_user_id
        self.ada, self.ben = slack.add_user("Ada"), slack.add_user("Ben")
        self.guest = slack.add_user("Gus", guest=True)
        self.stranger = slack.add_user("Sue", team_id="T999OTHER")
        self.public = slack.add_channel("general", members=(self.ada, self.guest, bot))
        self.elsewhere = slack.add_channel("random", members=(bot,))
        self.private = slack.add_channel("board", private=True, members=(self.ada, bot))
        self.shared = slack.add_channel("partners", shared=True, members=(self.ada, self.stranger, bot))
        self.unseen = slack.add_channel("lunch", members=(self.ada,))
        self.hidden = slack.add_channel("secret", private=True, members=(self.ada,))
        self.direct = slack.open_dm(self.ada)
        self.with_guest = slack.open_dm(self.guest)
        me = Identity(slack.team_id, bot, slack.bot_id, "Sciorex", slack.url)
        self.people = People(self.client, me, now=self.clock)

    def audience(self, public: tuple[str, ...], own: tuple[str, ...]) -> Audience:
        return Audience(self.slack.team_id, frozenset(public), frozenset(own))

    def asked(self, method: str) -> int:
        return sum(call.method == method for call in self.slack.calls)

    async def group(self, *people: str) -> str:
        opened = await self.client.conversations_open(users=list(people))
        return str(opened["channel"]["id"])


@pytest.fixture
async def world() -> AsyncIterator[World]:
    manifest = yaml.safe_load(MANIFEST.read_text("utf-8"))
    manifest["oauth_config"]["scopes"]["bot"].append("mpim:write")  # to make groups with; people make them else
    slack = LocalSlack(manifest)
    await slack.start()
    yield World(slack, AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[]))
    await slack.stop()


async def test_the_bots_own_channels_are_told_by_what_slack_says_of_them(world: World) -> None:
    group = await world.group(world.ada, world.ben)
    found = await world.people.channels()
    kinds = {
        world.public: Channel(world.public, "general", private=False, im=False, mpim=False, shared=False),
        world.elsewhere: Channel(world.elsewhere, "random", private=False, im=False, mpim=False, shared=False),
        world.private: Channel(world.private, "board", private=True, im=False, mpim=False, shared=False),
        world.shared: Channel(world.shared, "partners", private=False, im=False, mpim=False, shared=True),
        world.direct: Channel(world.direct, "", True, im=True, mpim=False, shared=False, user=world.ada),
        world.with_guest: Channel(world.with_guest, "", True, im=True, mpim=False, shared=False, user=world.guest),
    }
    assert {key: channel for key, channel in found.items() if key != group} == kinds
    assert (found[group].mpim, found[group].private, found[group].public) == (True, True, False)
    assert world.private[0] == world.public[0]  # nobody could tell them by the first letter


async def test_a_public_channel_the_bot_is_not_in_is_looked_up_by_itself(world: World) -> None:
    channel = await world.people.channel(world.unseen)
    assert (channel.name, channel.public) == ("lunch", True)
    with pytest.raises(NotInChannel, match="/invite @Sciorex"):
        await world.people.channel(world.hidden)


async def test_people_are_members_guests_or_strangers(world: World) -> None:
    team, other = world.slack.team_id, "T999OTHER"
    assert [await world.people.person(user) for user in (world.ada, world.guest, world.stranger)] == [
        Person(world.ada, "Ada", guest=False, stranger=False, team_id=team, bot=False),
        Person(world.guest, "Gus", guest=True, stranger=False, team_id=team, bot=False),
        Person(world.stranger, "Sue", guest=False, stranger=True, team_id=other, bot=False),
    ]


async def test_whom_slack_does_not_show_is_a_stranger(world: World) -> None:
    assert await world.people.person("B0NOBODY") == Person(
        "B0NOBODY", "B0NOBODY", guest=False, stranger=True, team_id="", bot=False
    )
    assert await world.people.audience_of("B0NOBODY") == world.audience((), ())


async def test_a_person_may_see_what_is_public_and_their_own(world: World) -> None:
    public = (world.public, world.elsewhere)
    own = (world.public, world.private, world.shared, world.unseen, world.direct)
    assert await world.people.audience_of(world.ada) == world.audience(public, own)
    assert await world.people.audience_of(world.ben) == world.audience(public, ())


async def test_guests_and_strangers_may_see_their_own_alone(world: World) -> None:
    assert await world.people.audience_of(world.guest) == world.audience((), (world.public, world.with_guest))
    assert await world.people.audience_of(world.stranger) == world.audience((), (world.shared,))


async def test_a_channel_may_see_what_is_public_and_its_own(world: World) -> None:
    public = (world.public, world.elsewhere)
    for channel in (world.elsewhere, world.private, world.direct, world.unseen):
        assert await world.people.audience_in(channel) == world.audience(public, (channel,))
    assert (await world.people.audience_in(await world.group(world.ada, world.ben))).public == frozenset(public)


async def test_where_outsiders_read_along_a_channel_sees_its_own_alone(world: World) -> None:
    with_guest = await world.group(world.ada, world.guest)
    # Of a public channel in which a guest is, everybody may read all; the guest no other one.
    for channel in (world.public, world.shared, world.with_guest, with_guest, world.hidden):
        assert await world.people.audience_in(channel) == world.audience((), (channel,))


async def test_a_guest_who_comes_into_a_channel_counts_at_once(world: World) -> None:
    assert (await world.people.audience_in(world.private)).public
    new = world.slack.add_user("Nia", guest=True)
    world.slack.invite(world.private, new)
    world.people.forget(channel=world.private, user=new)
    assert not (await world.people.audience_in(world.private)).public
    world.slack.remove(world.private, new)
    world.people.forget(channel=world.private, user=new)
    assert (await world.people.audience_in(world.private)).public


async def test_everybody_is_asked_for_at_most_once_while_nobody_else_is_met(world: World) -> None:
    for _ in range(3):
        for channel in (world.private, world.elsewhere, world.unseen):
            assert (await world.people.audience_in(channel)).public
        world.clock.seconds += 61
    assert world.asked("users.list") == 1


async def test_every_page_of_channels_is_read(world: World) -> None:
    more = {world.slack.add_channel(f"c{number}", members=(world.slack.bot_user_id,)) for number in range(1_000)}
    assert more < set(await world.people.channels())
    assert world.asked("users.conversations") == 2


async def test_strangers_may_not_write_and_are_told_who_may(world: World) -> None:
    for user in (world.ada, world.guest):
        await world.people.may_write(user)
    with pytest.raises(NotAllowed, match="members of the workspace that installed me"):
        await world.people.may_write(world.stranger)


async def test_all_who_ask_at_once_wait_for_one_call_and_it_counts_a_minute(world: World) -> None:
    await asyncio.gather(*(world.people.audience_of(world.ada) for _ in range(20)))
    world.clock.seconds = 59.9
    await world.people.audience_of(world.ada)
    assert (world.asked("users.conversations"), world.asked("users.info")) == (2, 1)
    world.clock.seconds = 60.0
    await world.people.audience_of(world.ada)
    assert (world.asked("users.conversations"), world.asked("users.info")) == (4, 2)


async def test_one_who_stops_waiting_does_not_take_the_answer_from_the_others(world: World) -> None:
    world.slack.hold("users.info")
    first = asyncio.create_task(world.people.person(world.ada))
    second = asyncio.create_task(world.people.person(world.ada))
    await asyncio.sleep(0)
    first.cancel()
    world.slack.release("users.info")
    assert (await second).name == "Ada"
    assert world.asked("users.info") == 1


async def test_a_failure_of_slack_is_said_and_shows_nobody_more(world: World) -> None:
    world.slack.fail("users.info", "internal_error")
    with pytest.raises(SlackUnavailable, match=r"internal_error.*try again"):
        await world.people.audience_of(world.ada)
    assert (await world.people.audience_of(world.ada)).own  # and the failure was not kept


async def test_a_slack_that_is_not_there_is_said_too(world: World) -> None:
    await world.slack.stop()
    with pytest.raises(BotError, match="try again"):
        await world.people.person(world.ada)


async def test_who_has_left_is_out_as_soon_as_it_is_known(world: World) -> None:
    assert await world.people.is_member(world.ada, world.private)
    world.slack.remove(world.private, world.ada)
    world.people.forget(channel=world.private, user=world.ada)
    assert not await world.people.is_member(world.ada, world.private)
    assert world.private not in (await world.people.audience_of(world.ada)).channels


async def test_who_has_just_come_in_is_not_refused_for_what_was_true_before(world: World) -> None:
    assert not await world.people.is_member(world.ben, world.private)
    world.slack.invite(world.private, world.ben)
    assert await world.people.is_member(world.ben, world.private)
    assert world.private in (await world.people.audience_of(world.ben)).channels


async def test_a_channel_the_bot_has_left_is_public_no_more(world: World) -> None:
    assert world.public in (await world.people.audience_of(world.ben)).public
    world.slack.remove(world.public, world.slack.bot_user_id)
    world.people.forget(channel=world.public)
    assert world.public not in (await world.people.audience_of(world.ben)).public
