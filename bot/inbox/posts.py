"""What is to stand in a thread, as rows: messages that are to exist, not calls to make.

Changing what a message shall say again and again does no harm; only creating one needs care, and that care
(a time before the call, a key in the message's metadata, a look before a second try) is taken in slack/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, Text, bindparam, cast, literal, or_, select, update

from bot.database import insert_once
from bot.sessions.models import inbox, post, thread

GONE = "deleted"  # the `error` of a post whose message somebody deleted in Slack
CLOCKS_MS = 60_000  # what Slack's clock and ours may differ by
Want = Mapping[str, object]  # {"text": …, "blocks": […]}, as Slack takes them; {} means: take it away

# What is asked in every turn is built once: SQLAlchemy takes longer to build a statement than SQLite to answer it.
BY_KEY = select(post).where(post.c.key == bindparam("of_key"))
UNSHOWN = (
    select(post)
    .where(post.c.thread_id == bindparam("in_thread"), post.c.want.is_not(None), post.c.want_rev > post.c.shown_rev)
    .order_by(post.c.id)
)


@dataclass(frozen=True)
class Post:
    """A message that is to exist. `key` goes into its metadata; `want` is None until it is known."""

    id: int
    key: str
    thread_id: int
    turn_id: int | None
    role: str  # header, answer, notice, root
    part: int
    ts: str | None
    trying_ms: int | None
    want: str | None
    want_rev: int
    shown_rev: int
    retry_ms: int | None
    error: str | None

    @property
    def wanted(self) -> dict[str, Any]:
        found = json.loads(self.want or "{}")
        assert isinstance(found, dict)
        return found


def put(
    connection: Connection,
    *,
    key: str,
    thread_id: int,
    role: str,
    want: Want | None,
    turn_id: int | None = None,
    part: int = 0,
) -> Post:
    """Says what the message of this key shall be; the same again changes nothing.

    Nor does anything where somebody deleted the message in Slack: it is never shown again.
    """
    now = by_key(connection, key)
    if now is None:
        insert_once(connection, post, key=key, thread_id=thread_id, turn_id=turn_id, role=role, part=part)
        now = by_key(connection, key)
        assert now is not None
    if want is None or says(now, want) or now.error == GONE:
        return now
    wanted = {"want": _text(want), "want_rev": now.want_rev + 1, "error": None, "retry_ms": None}
    return _post(connection.execute(update(post).where(post.c.id == now.id).values(wanted).returning(*post.c)).one())


def says(now: Post, want: Want) -> bool:
    """Whether the message is to be this already."""
    return now.want == _text(want)


def put_answer(connection: Connection, thread_id: int, turn_id: int, turn_key: str, wants: Mapping[int, Want]) -> None:
    """Every part of a turn's answer, by its number; parts that are no longer wanted are taken away."""
    for part, want in wants.items():
        key = answer_key(turn_key, part)
        put(connection, key=key, thread_id=thread_id, role="answer", want=want, turn_id=turn_id, part=part)
    for old in answer_parts(connection, turn_id):
        if old.part not in wants:
            put(connection, key=old.key, thread_id=thread_id, role="answer", want={}, turn_id=turn_id, part=old.part)


def answer_key(turn_key: str, part: int) -> str:
    """The key of one message of a turn's answer."""
    return f"{turn_key}.answer.{part}"


def answer_parts(connection: Connection, turn_id: int) -> list[Post]:
    """The parts of a turn's answer, in order."""
    rows = connection.execute(
        select(post).where(post.c.turn_id == turn_id, post.c.role == "answer").order_by(post.c.part)
    )
    return [_post(row) for row in rows]


def unshown(connection: Connection, thread_id: int) -> list[Post]:
    """The posts of the thread that do not show yet what they shall, in the order in which they were wanted."""
    return [_post(row) for row in connection.execute(UNSHOWN, {"in_thread": thread_id})]


def get(connection: Connection, post_id: int) -> Post:
    """The post of this id."""
    return _post(connection.execute(select(post).where(post.c.id == post_id)).one())


def by_key(connection: Connection, key: str) -> Post | None:
    """The post with this key, if it was ever wanted."""
    row = connection.execute(BY_KEY, {"of_key": key}).first()
    return _post(row) if row else None


def root_pending(connection: Connection, team: str, channel: str, thread_ts: str) -> bool:
    """Whether this thread's root may be one that we are posting just now: what it begins with has not come yet.

    Its ts may not be known; then every thread of the channel that is no session yet waits that moment.
    """
    lane = (thread.c.team == team, thread.c.channel == channel, thread.c.thread_ts == "")
    made_for = post.c.key == literal("root.") + cast(inbox.c.id, Text)
    found = (
        select(post.c.id)
        .join(thread, thread.c.id == post.c.thread_id)
        .join(inbox, (inbox.c.thread_id == thread.c.id) & (inbox.c.state == "new") & made_for)
        .where(*lane, post.c.trying_ms.is_not(None), post.c.error.is_(None))
        .where(or_(post.c.ts.is_(None), post.c.ts == thread_ts))
    )
    return connection.execute(found.limit(1)).first() is not None


def known_ts(connection: Connection, thread_id: int) -> frozenset[str]:
    """The ts of every message of ours in the thread that has a row."""
    rows = connection.execute(select(post.c.ts).where(post.c.thread_id == thread_id, post.c.ts.is_not(None)))
    return frozenset(str(ts) for ts in rows.scalars())


def trying(connection: Connection, post_id: int, now_ms: int) -> None:
    """The message is about to be created: from here on it may be there without our knowing."""
    connection.execute(update(post).where(post.c.id == post_id).values(trying_ms=now_ms))


def not_tried(connection: Connection, post_id: int) -> None:
    """Slack refused to create it: it is certainly not there."""
    connection.execute(update(post).where(post.c.id == post_id).values(trying_ms=None))


def created(connection: Connection, post_id: int, ts: str) -> None:
    """The message is there."""
    connection.execute(update(post).where(post.c.id == post_id).values(ts=ts))


def shown(connection: Connection, post_id: int, rev: int) -> None:
    """The message shows what was wanted at this revision."""
    connection.execute(update(post).where(post.c.id == post_id).values(shown_rev=rev))


def given_up(connection: Connection, post_id: int, rev: int, error: str) -> None:
    """Slack will never take it (a deleted thread, a channel the bot is no longer in): no further tries."""
    connection.execute(update(post).where(post.c.id == post_id).values(shown_rev=rev, error=error))


def deleted(connection: Connection, thread_id: int, ts: str) -> Post | None:
    """Somebody deleted the bot's message of this ts in Slack: its post says nothing any more, and is never shown again.

    None where the bot itself took it away, or it is no post's. A message that was made without its ts being saved
    is that of the post whose making was begun and never confirmed.
    """
    here = select(post).where(post.c.thread_id == thread_id)
    row = connection.execute(here.where(post.c.ts == ts)).first()
    if row is None:
        begun = (post.c.ts.is_(None), post.c.trying_ms <= int(ts.split(".")[0]) * 1000 + CLOCKS_MS)
        row = connection.execute(here.where(*begun).order_by(post.c.trying_ms.desc()).limit(1)).first()
    if row is None or row.want == "{}":
        return None
    rev = row.want_rev + 1
    gone = {"ts": ts, "want": "{}", "want_rev": rev, "shown_rev": rev, "error": GONE}
    connection.execute(update(post).where(post.c.id == row.id).values(**gone))
    return get(connection, row.id)


def _post(row: Row[tuple[object, ...]]) -> Post:
    return Post(**{field.name: getattr(row, field.name) for field in fields(Post)})


def _text(want: Want) -> str:
    return json.dumps(want, ensure_ascii=False, sort_keys=True)
