"""The bot's version, as other ends of MCP are told it."""

from functools import cache
from importlib.metadata import version


@cache
def own_version() -> str:
    """Looked up once: it stands in a file, and each turn makes servers."""
    return version("sciorex-slack")
