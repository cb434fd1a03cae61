"""One Slack workspace with one app in it: what acts of people and Web API methods both need."""

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.local_slack.changes import Changes
from bot.local_slack.delivery import Deliveries
from bot.local_slack.faults import Call, Faults
from bot.local_slack.manifest import declared
from bot.local_slack.refusals import Json, Refused
from bot.local_slack.store import Store
from bot.local_slack.world import Channel, User, World

TRIGGER_SECONDS = 3


@dataclass(frozen=True)
class Pace:
    """How long an acknowledgement may take, when an event is sent again, how pauses are slept, and which of a
    mention's two events comes first."""

    ack_within: float
    retries: Sequence[float]
    sleep: Callable[[float], Awaitable[object]]
    mention_first: bool


class Workspace:
    """State and identity; `url` is known once the server runs."""

    def __init__(
        self,
        manifest: Json,
        clock: Callable[[], float],
        data: Path | None,
        agent: bool,
        streaming: bool,
        team_id: str,
        pace: Pace,
    ) -> None:
        self.declared = declared(manifest)
        self.agent = agent and self.declared.agent
        self.streaming = streaming and self.agent
        self.clock, self.team_id, self.url = clock, team_id, ""
        secret = hashlib.sha256(team_id.encode()).hexdigest()
        self.app_id, self.bot_id = "A000000001", "B000000001"
        self.bot_token, self.app_token = f"xoxb-local-{secret[:24]}", f"xapp-1-local-{secret[24:48]}"
        self.signing_secret = secret[:32]
        self.store = Store(data)
        self.world = World(self.store, clock)
        self.changes, self.faults = Changes(), Faults()
        self.calls: list[Call] = []
        self.triggers: dict[str, tuple[str, float, bool]] = {}
        self.downloads: list[str] = []  # of files by the app, by their ids
        self.fail_downloads = 0  # a status that downloads answer
        self.redirect_downloads = ""  # where they lead instead
        self.check_file_info = False  # messages say no more of files than their ids
        self.file_address = ""  # what files say of where they are
        self.chosen: dict[tuple[str, str, str], Json] = {}  # what a person chose in a message: user, channel, ts
        self.mention_first = pace.mention_first
        self.work_objects = True  # False gives a workspace without the feature
        self.panes: dict[str, Json] = {}  # the Work Object that each person has open
        self.hints: list[str] = []
        self.deliveries = Deliveries(
            app_id=self.app_id,
            signing_secret=self.signing_secret,
            clock=clock,
            changed=self.changed,
            kept=self.world.undelivered,
            retries=pace.retries,
            ack_within=pace.ack_within,
            sleep=pace.sleep,
        )
        self.bot_user_id = self._bot().id

    def _bot(self) -> User:
        known = next((user for user in self.world.users.values() if user.is_bot), None)
        return known or self.world.put_user(
            User(self.world.next_id("U"), self.declared.name, self.team_id, is_bot=True)
        )

    def changed(self) -> None:
        """Writes what has changed, then wakes whoever waits for it."""
        self.store.commit()
        self.changes.happened()

    def user(self, user_id: str) -> User:
        user = self.world.users.get(user_id)
        if user is None:
            raise Refused("user_not_found")
        return user

    def sees(self, channel: Channel) -> bool:
        """Whether the bot may know of the channel at all."""
        return channel.kind == "public_channel" or self.bot_user_id in channel.members

    def new_trigger(self, user_id: str) -> str:
        trigger = f"{len(self.triggers) + 1}.{uuid.uuid4().hex}"
        self.triggers[trigger] = (user_id, self.clock(), False)
        return trigger

    def trigger_user(self, trigger: str) -> str:
        """The person a trigger id stands for; refuses unknown, expired (3 s) and used ones."""
        if trigger not in self.triggers:
            raise Refused("invalid_trigger_id")
        user_id, made_at, used = self.triggers[trigger]
        if used:
            raise Refused("exchanged_trigger_id")
        if self.clock() - made_at > TRIGGER_SECONDS:
            raise Refused("trigger_expired")
        return user_id

    def use_trigger(self, trigger: str) -> None:
        user_id, made_at, _ = self.triggers[trigger]
        self.triggers[trigger] = (user_id, made_at, True)

    def emit(self, event: Json, channel: Channel | None = None, *, declared_as: str | None = None) -> None:
        """Sends an event to the app, when the manifest subscribes to it (`declared_as`: its name there)."""
        if self.declared.sends(declared_as or event["type"]):
            self.deliveries.event(self.envelope(event, channel))

    def envelope(self, event: Json, channel: Channel | None) -> Json:
        return {
            "token": "local-verification-token",
            "team_id": self.team_id,
            "context_team_id": self.team_id,
            "context_enterprise_id": None,
            "api_app_id": self.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self.world.next_id("Ev"),
            "event_time": int(self.clock()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self.team_id,
                    "user_id": self.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": bool(channel and channel.shared),
            "event_context": f"4-{uuid.uuid4().hex}",
        }
