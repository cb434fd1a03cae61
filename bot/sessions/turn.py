"""A turn, its steps and its tool calls, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

JsonObject = dict[str, object]


@dataclass(frozen=True)
class Turn:
    """One or more messages of a person, up to their answer."""

    id: int
    key: str
    session_id: str
    n: int
    state: str  # running, waiting, answered, done, stopped, failed
    asked_by: str
    attempts: int
    agent: str
    model: str
    receipt: str | None  # JSON: what the model was given beside the transcript when it was asked last
    began_ms: int
    error: str | None
    deleted_ms: int | None = None  # when its answer was deleted in Slack: its words are gone, what was done stays


@dataclass(frozen=True)
class ToolCall:
    """A tool the model asked for; `op` names this very call, in the ticket's history too."""

    op: str
    tool_use_id: str
    name: str
    input: JsonObject
    state: str  # planned, started, waiting, done, unknown, cancelled
    result: str | None
    is_error: bool
    started_ms: int | None
    ended_ms: int | None
    before: str | None = None  # JSON: the ticket that it may have changed, as it was


@dataclass(frozen=True)
class Step:
    """What a person said (ids of messages) or what the model answered (its content as it came)."""

    n: int
    role: str  # user, assistant
    body: JsonObject | list[JsonObject]
    stop_reason: str | None
    ms: int
    calls: tuple[ToolCall, ...] = ()
    note: str | None = None  # what people are told beside the answer, such as that another model gave it
    usage: JsonObject = field(default_factory=dict)  # tokens, as the model counted them

    @property
    def message_ids(self) -> list[int]:
        if not isinstance(self.body, dict):
            return []
        ids = self.body["messages"]
        assert isinstance(ids, list)
        return [int(i) for i in ids]

    @property
    def content(self) -> list[JsonObject]:
        return self.body if isinstance(self.body, list) else []

    @property
    def text(self) -> str:
        """What the model wrote in this step, without its tool calls."""
        return "".join(str(block.get("text", "")) for block in self.content if block.get("type") == "text")
