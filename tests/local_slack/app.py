"""A manifest, a running local Slack and the real clients, for the tests beside this file."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack import LocalSlack, SlackRefuses

Json = dict[str, Any]
NOBODY = "http://127.0.0.1:9/nobody"  # where no server listens
SCOPES = (
    *("commands", "chat:write", "app_mentions:read", "users:read", "team:read", "reactions:write"),
    *("channels:history", "groups:history", "im:history", "channels:read", "groups:read", "im:read"),
    *("im:write", "files:read", "files:write", "assistant:write", "channels:join"),
)
EVENTS = (
    *("app_mention", "app_home_opened", "message.channels", "message.groups", "message.im"),
    *("member_joined_channel", "channel_id_changed", "agent_session_stopped"),
)


def manifest(*, scopes: tuple[str, ...] = SCOPES, events: tuple[str, ...] = EVENTS) -> Json:
    """What an app such as ours declares."""
    shortcuts = [("Link to ticket", "message", "link_to_ticket"), ("New ticket", "global", "new_ticket")]
    return {
        "display_information": {"name": "Sciorex"},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
            "bot_user": {"display_name": "Sciorex"},
            "agent_view": {"agent_description": "Works on tickets"},
            "slash_commands": [{"command": "/link", "description": "Link a thread"}],
            "shortcuts": [
                {"name": name, "type": kind, "callback_id": callback_id, "description": name}
                for name, kind, callback_id in shortcuts
            ],
        },
        "oauth_config": {"scopes": {"bot": list(scopes)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(events)},
            "interactivity": {"is_enabled": True},
            "socket_mode_enabled": True,
        },
    }


class Clock:
    """Time that only a test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """A running Slack with Ada and the bot in #general."""

    slack: LocalSlack
    client: AsyncWebClient
    clock: Clock
    ada: str
    general: str

    async def refused(self, method: str, **args: Any) -> str:
        """The error a call is answered with."""
        try:
            answer = await self.client.api_call(method, json=args)
        except SlackApiError as failed:
            return str(failed.response["error"])
        raise AssertionError(f"{method} was not refused: {answer.data!r}")

    async def problems(self, method: str, **args: Any) -> list[str]:
        """What is said about a call's blocks or view."""
        try:
            await self.client.api_call(method, json=args)
        except SlackApiError as failed:
            messages: list[str] = failed.response["response_metadata"]["messages"]
            return messages
        return []


@asynccontextmanager
async def place(declared: Json | None = None, **options: Any) -> AsyncIterator[Place]:
    clock = Clock()
    slack = LocalSlack(declared or manifest(), clock=clock, **options)
    await slack.start()
    ada = slack.add_user("Ada")
    general = slack.add_channel("general", members=(ada, slack.bot_user_id))
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    try:
        yield Place(slack, client, clock, ada, general)
    finally:
        await slack.stop()


def bolt_app(slack: LocalSlack) -> AsyncApp:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    return AsyncApp(client=client, signing_secret=slack.signing_secret, process_before_response=True)


@asynccontextmanager
async def connected(slack: LocalSlack, doors: Callable[[AsyncApp], None]) -> AsyncIterator[AsyncApp]:
    """A Bolt app connected over Socket Mode; `doors` adds its listeners."""
    app = bolt_app(slack)
    doors(app)
    handler = AsyncSocketModeHandler(app, slack.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        yield app
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


async def trigger(slack: LocalSlack, user: str) -> str:
    """A trigger id of a shortcut that nobody acknowledges."""
    slack.request_url = NOBODY
    with suppress(SlackRefuses):
        await slack.global_shortcut(user, "new_ticket")
    return str(slack.deliveries[-1].payload["trigger_id"])


def button(action_id: str, value: str = "1") -> Json:
    text = {"type": "plain_text", "text": "Go"}
    return {"type": "button", "action_id": action_id, "text": text, "value": value}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "block_id": "row", "elements": list(elements)}


def modal(*blocks: Json, **more: Any) -> Json:
    title, submit = ({"type": "plain_text", "text": text} for text in ("Archive", "Save"))
    return {
        "type": "modal",
        "callback_id": "archive",
        "title": title,
        "submit": submit,
        **more,
        "blocks": list(blocks),
    }


def text_input(block_id: str = "note", **more: Any) -> Json:
    label = {"type": "plain_text", "text": "Note"}
    element = {"type": "plain_text_input", "action_id": "text"}
    return {"type": "input", "block_id": block_id, "label": label, "element": element, **more}
