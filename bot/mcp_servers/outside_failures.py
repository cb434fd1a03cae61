"""Why an outside MCP server is not there, in words for the model and, with how to mend it, for whoever runs the bot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from mcp import MCPError
from mcp.types import CONNECTION_CLOSED, METHOD_NOT_FOUND

from bot.config_sections import ServerEntry
from bot.errors import BotError

# What became of a request over HTTP that no server answered, told to the MCP client as if the server had said it.
UNREACHABLE, CUT_OFF, REFUSED, FORGOTTEN = -32090, -32091, -32092, -32093


class ServerDown(BotError):
    """An outside server that cannot be used now. `mend` is for whoever runs the bot and may name files and commands;
    `early_end`: it was started and ended before it said a word."""

    def __init__(self, name: str, cause: str, mend: str, *, early_end: bool = False) -> None:
        self.name, self.cause, self.mend, self.early_end = name, cause, mend, early_end
        super().__init__(f"The MCP server {name} is not available: {cause}.")


def why_down(name: str, entry: ServerEntry, error: BaseException, last_words: Sequence[str]) -> ServerDown:
    """The failure to start or reach a server, in words. No secret of its entry is told."""
    leaf = next(_leaves(error))
    late = isinstance(leaf, TimeoutError | asyncio.CancelledError)
    in_time = f"it did not answer within {entry.timeout:g} seconds"
    if entry.url is not None:
        where = urlsplit(entry.url).hostname or "its address"
        if late:
            return ServerDown(name, in_time, f"see whether {where} is well")
        return _unreached(name, where, leaf)
    words = f"; it said: {last_words[-1]}" if last_words else ""
    if isinstance(leaf, FileNotFoundError | NotADirectoryError):
        mend = f"install {entry.command}, or mend command in SCIOREX_CONFIG"
        return ServerDown(name, "its command is not there", mend)
    if isinstance(leaf, PermissionError):
        return ServerDown(name, "its command may not be run", f"make {entry.command} executable for the bot's user")
    if late:
        return ServerDown(name, in_time, f"run its command by hand and see what it does{words}")
    if isinstance(leaf, MCPError) and leaf.error.code != CONNECTION_CLOSED:
        said = hidden(" ".join(leaf.error.message.split())[:200], entry)
        return ServerDown(name, "it did not take the bot's greeting", f"see what its author says of “{said}”{words}")
    mend = f"run its command by hand and see what it says{words}"
    return ServerDown(name, "it ended right after it was started", mend, early_end=True)


def _unreached(name: str, where: str, leaf: BaseException) -> ServerDown:
    if isinstance(leaf, MCPError) and leaf.error.code in (UNREACHABLE, CUT_OFF, FORGOTTEN):
        return ServerDown(name, leaf.error.message, f"see whether it runs at {where}, or mend url in SCIOREX_CONFIG")
    if isinstance(leaf, MCPError) and leaf.error.code == REFUSED:
        return ServerDown(name, leaf.error.message, "look at its headers in SCIOREX_CONFIG")
    if isinstance(leaf, MCPError) and leaf.error.code == METHOD_NOT_FOUND:
        return ServerDown(name, "there is no MCP server at its address", "look at its url in SCIOREX_CONFIG")
    return ServerDown(name, "it does not speak MCP as expected", f"see whether url leads to an MCP server ({where})")


def hidden(text: str, entry: ServerEntry) -> str:
    """The text without the entry's secrets."""
    for secret in (*entry.env.values(), *entry.headers.values()):
        value = secret.get_secret_value()
        if len(value) >= 4:
            text = text.replace(value, "***")
    return text


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
