"""Sessions to test with, made as the bot makes them."""

from sqlalchemy import Connection

from bot.inbox.intake import thread_for
from bot.sessions.session import ChatSession, Said, get_session, keep_message, new_session_id, start_session

TEAM, WORKSPACE = "T1", "main"


def a_session(
    connection: Connection,
    channel: str = "C1",
    thread_ts: str = "100.000001",
    *,
    team: str = TEAM,
    workspace: str = WORKSPACE,
    by: str = "UADA",
    now_ms: int = 100_000,
) -> ChatSession:
    return start_session(
        connection,
        session_id=new_session_id(),
        team=team,
        workspace=workspace,
        thread_id=thread_for(connection, team, channel, thread_ts),
        title="Avatar upload",
        agent="sciorex",
        model="claude",
        by=by,
        now_ms=now_ms,
    )


def say(
    connection: Connection,
    session: ChatSession,
    ts: str,
    text: str,
    *,
    user: str = "UADA",
    name: str = "Ada",
    bot: bool = False,
    now_ms: int = 0,
    edited_ts: str | None = None,
) -> int:
    """Stores a message; `now_ms` 0 leaves the session's time as it is."""
    said = Said(ts, user, name, bot, text, edited_ts=edited_ts)
    return keep_message(connection, session, said, now_ms or get_session(connection, session.id).updated_ms)
