"""Which session an operator means: by its id, the beginning of it, its file's name, or a link to its thread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import Connection, select

from bot.errors import BotError, SessionNotFound
from bot.sessions.models import moved, session, thread

LINK = re.compile(r"/archives/([A-Z0-9]+)/p(\d{7,})(\d{6})/?")
MOST_NAMED = 8


@dataclass(frozen=True)
class Meant:
    """A session as somebody names it: `beginning` of its id, or the thread of a link."""

    text: str
    beginning: str = ""
    channel: str = ""
    thread_ts: str = ""

    def one_of(self, ids: Iterable[str]) -> str:
        """The only one of these that is meant; raises SessionNotFound, and BotError where several are."""
        found = sorted(set(ids))
        if self.beginning in found:
            return self.beginning
        if len(found) > 1:
            more = " …" if len(found) > MOST_NAMED else ""
            raise BotError(f"Several sessions begin with {self.text}: {', '.join(found[:MOST_NAMED])}{more}")
        if not found:
            raise SessionNotFound(f"There is no session {self.text}.")
        return found[0]

    def fits(self, session_id: str) -> bool:
        """Whether the id is, or begins with, what was given."""
        return bool(self.beginning) and session_id.startswith((self.beginning, f"s-{self.beginning}"))

    def is_at(self, content: object) -> bool:
        """Whether a transcript says that its session took place in the thread of the link."""
        source = content.get("source") if isinstance(content, Mapping) else None
        at = (source.get("channel"), source.get("threadTs")) if isinstance(source, Mapping) else None
        return bool(self.channel) and at == (self.channel, self.thread_ts)


def meant(text: str) -> Meant:
    """What an operator typed; a link to a reply means its thread."""
    address = urlsplit(text.strip())
    if match := LINK.fullmatch(address.path):
        thread_ts = parse_qs(address.query).get("thread_ts", [f"{match[2]}.{match[3]}"])[0]
        return Meant(text, channel=match[1], thread_ts=thread_ts)
    name = text.strip().rsplit("/", 1)[-1]
    return Meant(text, beginning=name.removesuffix(".json").removeprefix("session-"))


def in_rows(connection: Connection, wanted: Meant) -> list[str]:
    """The ids of the sessions that may be meant; of many, some."""
    if wanted.beginning:
        begins = session.c.id.startswith(wanted.beginning, autoescape=True)
        short = session.c.id.startswith(f"s-{wanted.beginning}", autoescape=True)
        query = select(session.c.id).where(begins | short).order_by(session.c.id).limit(MOST_NAMED + 1)
        return list(connection.execute(query).scalars())
    channels = [wanted.channel]
    for old in channels:  # it may have had other ids since
        later = connection.execute(select(moved.c.new).where(moved.c.old == old)).scalars()
        channels += [new for new in later if new not in channels]
    here = (thread.c.channel.in_(channels), thread.c.thread_ts == wanted.thread_ts)
    return list(connection.execute(select(session.c.id).join(thread).where(*here)).scalars())
