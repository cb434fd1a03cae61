"""Whether Slack answers, to whom, and what this app may do there: the questions `doctor` asks of Slack."""

from __future__ import annotations

from collections.abc import Collection

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

# Left out together with features.agent_view, where guests of the workspace take part.
OPTIONAL_SCOPES = frozenset({"assistant:write"})
SECONDS = 10


async def check_bot_token(token: str, api_url: str, scopes: Collection[str]) -> list[tuple[str, str | None]]:
    """Asks auth.test; gives (what was looked at, what is wrong or None) a line, the scopes included.

    `scopes` are those the bot uses; Slack names the granted ones in the header x-oauth-scopes.
    """
    client = AsyncWebClient(token, base_url=api_url, timeout=SECONDS)
    try:
        answer = await client.auth_test()
    except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
        return [("Slack takes SLACK_BOT_TOKEN", _cause(error, api_url))]
    said = answer.get("team"), answer.get("user")
    headers = {name.lower(): text for name, text in answer.headers.items()}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
    missing = sorted(set(scopes) - granted - OPTIONAL_SCOPES)
    problem = f"missing: {', '.join(missing)}. Update the app from manifest.yml and install it again"
    return [
        (f"Slack takes SLACK_BOT_TOKEN (workspace {said[0]}, bot {said[1]})", None),
        ("The app has the scopes of manifest.yml", problem if missing else None),
    ]


async def check_app_token(token: str, api_url: str) -> list[tuple[str, str | None]]:
    """Asks apps.connections.open, as Socket Mode does; the address it gives is not used."""
    client = AsyncWebClient(base_url=api_url, timeout=SECONDS)
    try:
        await client.apps_connections_open(app_token=token)
    except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
        return [("Slack takes SLACK_APP_TOKEN", _cause(error, api_url))]
    return [("Slack takes SLACK_APP_TOKEN", None)]


def _cause(error: Exception, api_url: str) -> str:
    if not isinstance(error, SlackApiError):
        return f"{api_url} cannot be reached ({type(error).__name__}); look at the network and SLACK_API_URL"
    said = error.response.get("error") if hasattr(error.response, "get") else None
    mend = {
        "invalid_auth": "copy it once more from the app's page",
        "not_authed": "copy it once more from the app's page",
        "account_inactive": "the app was removed from the workspace; install it again",
        "token_revoked": "install the app again and copy the new token",
        "missing_scope": "an app-level token needs connections:write",
        "not_allowed_token_type": "this is a token of another kind",
    }
    return f"Slack answers {said or 'in another form'}; {mend.get(str(said), 'see the app at api.slack.com/apps')}"
