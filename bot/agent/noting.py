"""What people are told beside an answer: that it was cut, and, once in a thread, that another model gave it."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.agent.model import Reply
from bot.sessions.running import noted
from bot.sessions.transcript import JsonObject, Turn


def note_of(connection: Connection, turn: Turn, reply: Reply) -> JsonObject:
    """The note to keep with the answer, if there is one."""
    instead = reply.instead
    if instead and noted(connection, turn.session_id, instead):
        instead = None
    words = " ".join(word for word in (instead, reply.note) if word)
    return {"note": words} if words else {}
