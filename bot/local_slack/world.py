"""Users, channels and everything that stands in them."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

from bot.local_slack.refusals import Json
from bot.local_slack.store import Store, Table


@dataclass(frozen=True)
class User:
    """A person or a bot. `team_id` is the home workspace: strangers in shared channels have another.

    An `admin` of the workspace may delete what others have posted, bots too.
    """

    id: str
    name: str
    team_id: str
    is_bot: bool = False
    guest: bool = False
    admin: bool = False


@dataclass(frozen=True)
class Channel:
    """A channel, a direct message (`im`) or a group of people (`mpim`)."""

    id: str
    name: str
    created: int
    creator: str
    members: tuple[str, ...] = ()
    private: bool = False
    shared: bool = False
    im: bool = False
    mpim: bool = False

    @property
    def kind(self) -> str:
        """As `types` of users.conversations names it."""
        if self.im or self.mpim:
            return "im" if self.im else "mpim"
        return "private_channel" if self.private else "public_channel"

    @property
    def event_suffix(self) -> str:
        """As in `message.channels`, the manifest's name for the messages of such a channel."""
        names = {"im": "im", "mpim": "mpim", "private_channel": "groups", "public_channel": "channels"}
        return names[self.kind]

    @property
    def channel_type(self) -> str:
        """As events name it."""
        names = {"im": "im", "mpim": "mpim", "private_channel": "group", "public_channel": "channel"}
        return names[self.kind]

    @property
    def read_scope(self) -> str:
        return f"{self.event_suffix}:read"

    @property
    def history_scope(self) -> str:
        return f"{self.event_suffix}:history"


class World:
    """All that is kept. Messages are dicts in Slack's own form, by channel and ts, oldest first."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self.store, self._clock = store, clock
        self._counters = Table(store, "counter")
        self.users = {row_id: User(**row) for row_id, row in store.read("user").items()}
        self.channels = {
            row_id: Channel(**{**row, "members": tuple(row["members"])})
            for row_id, row in store.read("channel").items()
        }
        self.messages: dict[str, dict[str, Json]] = {channel: {} for channel in self.channels}
        for key, message in store.read("message").items():
            channel, ts = key.split("/")
            self.messages.setdefault(channel, {})[ts] = message
        self.ephemerals = Table(store, "ephemeral")
        self.views = Table(store, "view")
        self.stacks = Table(store, "stack")
        self.homes = Table(store, "home")
        self.streams = Table(store, "stream")
        self.sessions = Table(store, "session")
        self.files = Table(store, "file")
        self.urls = Table(store, "url")
        self.undelivered = Table(store, "undelivered")

    def next_id(self, prefix: str) -> str:
        """A new id such as U000000007; never given twice, also after a restart."""
        return f"{prefix}{self._count(prefix):09d}"

    def _count(self, name: str) -> int:
        number = int(self._counters.get(name, {}).get("last", 0)) + 1
        self._counters.put(name, {"last": number})
        return number

    def next_ts(self) -> str:
        """A message's ts: the clock's microseconds, strictly growing."""
        last = int(self._counters.get("ts", {}).get("last", 0))
        micros = max(int(self._clock() * 1_000_000), last + 1)
        self._counters.put("ts", {"last": micros})
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def put_user(self, user: User) -> User:
        self.users[user.id] = user
        self.store.put("user", user.id, asdict(user))
        return user

    def put_channel(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        self.messages.setdefault(channel.id, {})
        self.store.put("channel", channel.id, asdict(channel))
        return channel

    def put_message(self, channel: str, message: Json) -> Json:
        ts: str = message["ts"]
        self.messages[channel][ts] = message
        self.store.put("message", f"{channel}/{ts}", message)
        return message

    def drop_message(self, channel: str, ts: str) -> None:
        del self.messages[channel][ts]
        self.store.put("message", f"{channel}/{ts}", None)

    def direct(self, user: str, bot: str) -> Channel | None:
        """The direct message of these two, when it was opened before."""
        return next((c for c in self.channels.values() if c.im and set(c.members) == {user, bot}), None)

    def move_channel(self, old: str, new: str) -> None:
        """Gives a channel another id, with all that stands in it."""
        channel = self.channels.pop(old)
        self.store.put("channel", old, None)
        messages = self.messages.pop(old)
        self.put_channel(replace(channel, id=new))
        for ts, message in messages.items():
            self.store.put("message", f"{old}/{ts}", None)
            self.put_message(new, message)
        for row_id, row in list(self.ephemerals.items()):
            if row["channel"] == old:
                self.ephemerals.put(row_id, {**row, "channel": new})
        for table in (self.streams, self.sessions):
            for row_id, row in list(table.items()):
                if row["channel"] == old:
                    table.drop(row_id)
                    table.put(f"{new}/{row_id.split('/')[1]}", {**row, "channel": new})

    def channels_of(self, user: str) -> Iterator[Channel]:
        return (channel for channel in self.channels.values() if user in channel.members)
