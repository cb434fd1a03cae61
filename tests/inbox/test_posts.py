"""Messages of the bot that somebody deleted in Slack: known for what they are, and never shown again."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.database import Database
from bot.inbox import posts
from bot.inbox.intake import thread_for


def wanted(connection: Connection, key: str, want: posts.Want | None, ts: str = "") -> posts.Post:
    """A post of one thread, made in Slack where it has a ts."""
    thread_id = thread_for(connection, "T1", "C1", "1.000001")
    made = posts.put(connection, key=key, thread_id=thread_id, role="notice", want=want)
    if ts:
        posts.created(connection, made.id, ts)
        posts.shown(connection, made.id, made.want_rev)
    return posts.get(connection, made.id)


async def test_what_was_deleted_says_nothing_and_is_not_wanted_again(db: Database) -> None:
    def look(connection: Connection) -> None:
        one = wanted(connection, "a", {"text": "hello"}, "5.000001")
        gone = posts.deleted(connection, one.thread_id, "5.000001")
        assert gone is not None and (gone.id, gone.wanted) == (one.id, {})
        assert wanted(connection, "a", {"text": "again"}).wanted == {}
        assert posts.unshown(connection, one.thread_id) == []
        assert posts.deleted(connection, one.thread_id, "5.000001") is None

    await db.write("look", look)


async def test_what_the_bot_took_away_and_what_it_never_made_is_not_deleted_by_somebody(db: Database) -> None:
    def look(connection: Connection) -> None:
        one = wanted(connection, "a", {"text": "hello"}, "5.000001")
        wanted(connection, "a", {})
        assert posts.deleted(connection, one.thread_id, "5.000001") is None
        assert posts.deleted(connection, one.thread_id, "6.000001") is None

    await db.write("look", look)


async def test_a_message_whose_ts_was_never_saved_is_that_of_the_post_that_was_being_made(db: Database) -> None:
    def look(connection: Connection) -> None:
        wanted(connection, "a", {"text": "hello"}, "5.000001")
        one = wanted(connection, "b", {"text": "hello"})
        posts.trying(connection, one.id, 500_000)
        assert posts.deleted(connection, one.thread_id, "400.000001") is None
        gone = posts.deleted(connection, one.thread_id, "501.000001")
        assert gone is not None and (gone.id, gone.ts) == (one.id, "501.000001")
        assert posts.unshown(connection, one.thread_id) == []

    await db.write("look", look)
