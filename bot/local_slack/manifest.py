"""What an app's manifest declares; what is not declared here does not work."""

from dataclasses import dataclass

from bot.local_slack.refusals import Json

EVENT_SCOPES = {
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "app_mention": "app_mentions:read",
    "reaction_added": "reactions:read",
    "file_shared": "files:read",
}


@dataclass(frozen=True)
class Declared:
    """The parts of a manifest that decide what reaches the app and what it may do."""

    name: str
    scopes: frozenset[str]
    events: frozenset[str]
    commands: dict[str, Json]
    message_shortcuts: dict[str, Json]
    global_shortcuts: dict[str, Json]
    interactive: bool
    home_tab: bool
    messages_tab: bool
    agent: bool

    def sends(self, event: str) -> bool:
        """Whether the app gets this event (named as in the manifest): subscribed, with the scope it needs."""
        scope = EVENT_SCOPES.get(event)
        return event in self.events and (scope is None or scope in self.scopes)


def declared(manifest: Json) -> Declared:
    """Reads a manifest in the form of manifest.yml; absent parts declare nothing."""
    features = manifest.get("features") or {}
    settings = manifest.get("settings") or {}
    shortcuts = features.get("shortcuts") or []
    home = features.get("app_home") or {}
    name = (features.get("bot_user") or {}).get("display_name")
    return Declared(
        name=name or (manifest.get("display_information") or {}).get("name") or "App",
        scopes=frozenset(((manifest.get("oauth_config") or {}).get("scopes") or {}).get("bot") or []),
        events=frozenset((settings.get("event_subscriptions") or {}).get("bot_events") or []),
        commands={row["command"]: dict(row) for row in features.get("slash_commands") or []},
        message_shortcuts={row["callback_id"]: dict(row) for row in shortcuts if row["type"] == "message"},
        global_shortcuts={row["callback_id"]: dict(row) for row in shortcuts if row["type"] == "global"},
        interactive=bool((settings.get("interactivity") or {}).get("is_enabled")),
        home_tab=bool(home.get("home_tab_enabled")),
        messages_tab=bool(home.get("messages_tab_enabled", True)),
        agent="agent_view" in features or "assistant_view" in features,
    )
