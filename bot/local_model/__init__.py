"""A scripted stand-in for the Messages API: the demo and the tests talk to it over HTTP."""

from bot.local_model.reply import (
    Ending,
    Refusal,
    Reply,
    Script,
    ToolCall,
    in_turn,
    overloaded,
    rate_limited,
    say,
)
from bot.local_model.script import document_script
from bot.local_model.server import LocalModel

__all__ = [
    "Ending",
    "LocalModel",
    "Refusal",
    "Reply",
    "Script",
    "ToolCall",
    "document_script",
    "in_turn",
    "overloaded",
    "rate_limited",
    "say",
]
