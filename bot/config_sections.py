"""The sections of the SCIOREX_CONFIG file that say what agents may do: servers, access, prices, limits, agents."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

CHANNEL_ID = r"[A-Z][A-Z0-9]{5,20}"
ASKER, MEMBERS = "asker", "members"
OURS = ("sciorex-tickets", "sciorex-interactions", "sciorex-resources")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _person(word: str) -> str:
    if word not in (ASKER, MEMBERS) and not re.fullmatch(r"[UW][A-Z0-9]{5,20}", word):
        raise ValueError(f"must hold ids of people such as U0123456789, or the words {ASKER} or {MEMBERS}")
    return word


def _server_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", name) or "__" in name:
        raise ValueError("must be 1 to 40 letters, digits, - or _")
    if name in OURS:
        raise ValueError("is a server of the bot's own; choose another name")
    return name


def _channel(channel: str) -> str:
    if not re.fullmatch(CHANNEL_ID, channel):
        raise ValueError("must be the id of a channel, such as C0123456789")
    return channel


People = tuple[Annotated[str, AfterValidator(_person)], ...]
ServerName = Annotated[str, AfterValidator(_server_name)]
ChannelId = Annotated[str, AfterValidator(_channel)]
Text = Annotated[str, StringConstraints(min_length=1)]


class ServerEntry(_Section):
    """An MCP server that the bot may start (command) or reach (url); `timeout` is seconds a call may take.

    `env` is all that the command gets of the environment beside what programs need to start; `headers` go along with
    each request. Both may hold secrets, and never print.
    """

    command: Text | None = None
    args: tuple[str, ...] = ()
    env: dict[str, SecretStr] = Field(default_factory=dict)
    url: Text | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    timeout: float = Field(default=60, gt=0, le=3_600)

    @model_validator(mode="after")
    def _one_way(self) -> ServerEntry:
        if (self.command is None) == (self.url is None):
            raise ValueError("must have either a command or a url")
        if self.url is not None and (
            urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).netloc
        ):
            raise ValueError("the url must begin with https:// (or http://)")
        return self


class ModeAccess(_Section):
    """Who may choose each permission mode of a session."""

    ask: People = (MEMBERS,)
    edits: People = (MEMBERS,)
    yolo: People = ()


class Access(_Section):
    """Who decides on approvals (`asker`: whoever asked the agent), and who may choose the permission modes.

    `mode` is how sessions begin; `days` is how long a question stays open.
    """

    approvers: People = (ASKER,)
    modes: ModeAccess = ModeAccess()
    mode: Literal["ask", "edits", "yolo"] = "edits"
    days: float = Field(default=14, gt=0, le=365)


class Price(_Section):
    """What a model's million tokens cost, in US dollars."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_write: float | None = Field(default=None, ge=0)
    cache_read: float | None = Field(default=None, ge=0)


class Limit(_Section):
    """At most so many steps (answers of the model), tokens (in and out) and US dollars; None is no limit."""

    steps: int | None = Field(default=None, ge=1)
    tokens: int | None = Field(default=None, ge=1)
    cost: float | None = Field(default=None, gt=0)


class Limits(_Section):
    """Limits of one turn, of one thread, and of a day (UTC) in the whole Slack workspace."""

    turn: Limit = Limit(steps=24)
    thread: Limit = Limit()
    day: Limit = Limit()


class AgentChoice(_Section):
    """Which agent begins a session: in a channel, and everywhere else (None: the built-in one)."""

    default: Text | None = None
    channels: dict[ChannelId, Text] = Field(default_factory=dict)


class Sections(_Section):
    """All of them, each with its defaults."""

    servers: dict[ServerName, ServerEntry] = Field(default_factory=dict)
    access: Access = Access()
    prices: dict[Text, Price] = Field(default_factory=dict)
    limits: Limits = Limits()
    agents: AgentChoice = AgentChoice()
