"""The shape of a Web API method, and reading its arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.local_slack.refusals import Json, Refused
from bot.local_slack.workspace import Workspace
from bot.local_slack.world import Channel


@dataclass(frozen=True)
class Method:
    """`run` gets the arguments and gives the answer without `ok`; it raises Refused before it changes anything.

    scopes: any one of them is enough; none needed when empty. app_token: called with the app-level token.
    """

    run: Callable[[Workspace, Json], Json]
    scopes: tuple[str, ...] = ()
    app_token: bool = False


def text_of(args: Json, name: str, *, required: bool = True) -> str:
    """A string argument; a ts sent as a number is refused, for its digits are lost on the way."""
    value = args.get(name)
    if value in (None, ""):
        if required:
            raise invalid(f"missing required field: {name}")
        return ""
    if not isinstance(value, str):
        raise invalid(f"must provide a string [json-pointer:/{name}]")
    return value


def flag_of(args: Json, name: str) -> bool:
    return args.get(name) in (True, 1, "1", "true", "True")


def number_of(args: Json, name: str, default: int, most: int) -> int:
    value = args.get(name)
    if value in (None, "", 0, "0"):
        return default
    try:
        number = int(str(value))
    except ValueError:
        raise invalid(f"must be an integer [json-pointer:/{name}]") from None
    if number < 1:
        raise Refused("invalid_limit")
    return min(number, most)


def invalid(what: str) -> Refused:
    return Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {what}"]})


def channel_of(workspace: Workspace, args: Json, name: str = "channel") -> Channel:
    """A channel the bot may know of, by its id."""
    channel = workspace.world.channels.get(text_of(args, name))
    if channel is None or not workspace.sees(channel):
        raise Refused("channel_not_found")
    return channel


def joined_channel(workspace: Workspace, args: Json, name: str = "channel") -> Channel:
    """A channel the bot is a member of."""
    channel = channel_of(workspace, args, name)
    if workspace.bot_user_id not in channel.members:
        raise Refused("not_in_channel")
    return channel


def need_scope(workspace: Workspace, *scopes: str) -> None:
    """Refuses when none of the scopes is declared in the manifest."""
    if scopes and not workspace.declared.scopes.intersection(scopes):
        provided = ",".join(sorted(workspace.declared.scopes))
        raise Refused("missing_scope", needed=",".join(scopes), provided=provided)


def page_of(rows: list[Any], args: Json, default: int, most: int) -> tuple[list[Any], str]:
    """One page of rows by `cursor` and `limit`, and the next cursor ("" on the last)."""
    cursor = text_of(args, "cursor", required=False)
    if cursor and not cursor.removeprefix("next:").isdigit():
        raise Refused("invalid_cursor")
    start = int(cursor.removeprefix("next:")) if cursor else 0
    end = start + number_of(args, "limit", default, most)
    return rows[start:end], f"next:{end}" if end < len(rows) else ""
