"""sciorex-interactions: the agent asks, tells and requests approval; people answer when they come to it.

Asking gives *input required*: the call is made again, with the answer, perhaps days later and by another process.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeAlias

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult, ToolAnnotations
from pydantic import BaseModel, Field

from bot.definitions.agents import INTERACTIONS_SERVER
from bot.errors import BotError
from bot.mcp_servers.caller import caller
from bot.mcp_servers.own_version import own_version
from bot.mcp_servers.parameters import MaybeText, Texts
from bot.mcp_servers.tool import TicketTool

ANSWER = "answer"  # the one request that each of these calls makes, and its response
MOST_OPTIONS = 50
Kind: TypeAlias = Literal["info", "warning", "error", "success"]
Notify: TypeAlias = Callable[[str, Kind, str, str | None], Awaitable[None]]  # op, type, message, details

Question: TypeAlias = Annotated[str, Field(description="One clear question")]
ResponseType: TypeAlias = Literal["single", "multiple", "text"]
Urgency: TypeAlias = Literal["blocking", "important", "optional"]
Impact: TypeAlias = Literal["low", "medium", "high"]


class UserAnswer(BaseModel):
    """What a person answered; `skipped` when they would not."""

    selectedOptions: list[str]
    customText: str | None
    skipped: bool


class Approval(BaseModel):
    """What a person decided."""

    approved: bool
    selectedAlternative: str | None
    userComment: str | None


class Told(BaseModel):
    """The message stands in the thread."""

    delivered: bool


class Interactions:
    """The tools; `notify` puts a message into the thread."""

    def __init__(self, notify: Notify) -> None:
        self._notify = notify

    async def ask_user(
        self,
        question: Question,
        ctx: Context,
        context: MaybeText = None,
        responseType: ResponseType = "text",
        options: Texts = None,
        allowCustomText: bool = True,
        urgency: Urgency = "blocking",
        placeholder: MaybeText = None,
    ) -> UserAnswer | InputRequiredResult:
        """Ask the person who asked you, and wait for the answer, for days if need be. responseType single or multiple
        needs options; text is free. Ask only what you cannot find out yourself. They may skip it: then decide, or say
        what you need."""
        chosen = list(dict.fromkeys(option.strip() for option in options or () if option.strip()))
        if responseType != "text" and not chosen:
            raise BotError(f"A question of the type {responseType} needs options.")
        if len(chosen) > MOST_OPTIONS:
            raise BotError(f"These are {len(chosen)} options; at most {MOST_OPTIONS} can be offered.")
        given = _given(ctx)
        if given is None:
            return _ask(question)
        if given.action != "accept":
            return UserAnswer(selectedOptions=[], customText=None, skipped=True)
        said: dict[str, Any] = dict(given.content or {})
        return UserAnswer(selectedOptions=list(said.get("options") or []), customText=said.get("text"), skipped=False)

    async def notify_user(
        self,
        message: Annotated[str, Field(description="Markdown, short")],
        ctx: Context,
        type: Kind = "info",
        details: MaybeText = None,
    ) -> Told:
        """Tell the people of the thread something apart from your answer, at once. Not for what your answer says."""
        if not message.strip():
            raise BotError("A message needs some text.")
        await self._notify(caller(ctx).op or "", type, message, details)
        return Told(delivered=True)

    async def request_approval(
        self,
        action: Annotated[str, Field(description="What you want to do, exactly")],
        reason: Annotated[str, Field(description="Why")],
        ctx: Context,
        alternatives: Texts = None,
        impact: Impact = "medium",
    ) -> Approval | InputRequiredResult:
        """Ask for leave before something that is hard to undo, and wait. alternatives are what may be chosen instead.
        Tools that change dangerous things ask by themselves: this is for decisions."""
        given = _given(ctx)
        if given is None:
            return _ask(action)
        said: dict[str, Any] = dict(given.content or {})
        return Approval(
            approved=given.action == "accept" and said.get("approved") is True,
            selectedAlternative=said.get("alternative"),
            userComment=said.get("comment"),
        )


def interactions_server(notify: Notify) -> MCPServer[Any]:
    """The server, for the agent of one turn."""
    tools, effects = Interactions(notify), ToolAnnotations(read_only_hint=False)
    return MCPServer(
        INTERACTIONS_SERVER,
        version=own_version(),
        tools=[
            TicketTool.of(tools.ask_user, effects, typed=False),
            TicketTool.of(tools.notify_user, effects, typed=False),
            TicketTool.of(tools.request_approval, effects, typed=False),
        ],
        log_level="WARNING",
    )


def responses(content: dict[str, Any] | None, *, accepted: bool = True) -> dict[str, ElicitResult]:
    """A person's answer to one of these tools, as the call that is made again carries it."""
    return {ANSWER: ElicitResult(action="accept" if accepted else "decline", content=content)}


def _ask(message: str) -> InputRequiredResult:
    params = ElicitRequestFormParams(message=message, requested_schema={"type": "object", "properties": {}})
    return InputRequiredResult(input_requests={ANSWER: ElicitRequest(params=params)})


def _given(ctx: Context) -> ElicitResult | None:
    answer = (ctx.input_responses or {}).get(ANSWER)
    return answer if isinstance(answer, ElicitResult) else None
