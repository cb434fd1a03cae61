"""Link, unlink, refer: the rules that join sessions and tickets, whatever door they were asked through."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import Connection, Row, bindparam, func, select, update

from bot.database import insert_once
from bot.errors import LastLink, LinkedElsewhere, NotLinked
from bot.sessions.models import link, reference, session, thread
from bot.sessions.session import ChatSession, get_session

CURRENT = select(link).where(link.c.session_id == bindparam("of_session"), link.c.unlinked_ms.is_(None))


@dataclass(frozen=True)
class Link:
    """A session's link to a ticket, from when until when, and by whom. It gives the agent the ticket."""

    id: int
    session_id: str
    workspace: str
    ticket_id: str
    epic_id: str | None
    n: int
    key: str
    linked_by: str
    linked_ms: int
    end_key: str | None
    unlinked_by: str | None
    unlinked_ms: int | None

    @property
    def op(self) -> str:
        """The name of this link in the ticket's history: the same one is written there once."""
        return f"link:{self.session_id}:{self.ticket_id}:{self.n}"

    @property
    def end_op(self) -> str:
        return f"un{self.op}"


def link_session(
    connection: Connection,
    of: ChatSession,
    ticket_id: str,
    epic_id: str | None,
    *,
    key: str,
    by: str,
    now_ms: int,
    replace: bool = False,
) -> tuple[Link, Link | None]:
    """Links the session to the ticket; gives the link and the one it replaced.

    Linking the same ticket twice changes nothing. Another ticket's link is replaced only when `replace` says
    that the person was asked (sciorex-workspace: one linked ticket at a time); else raises LinkedElsewhere.
    """
    now = current_link(connection, of.id)
    if now and now.ticket_id == ticket_id:
        return now, _replaced_by(connection, now)
    if now and not replace:
        raise LinkedElsewhere(now.ticket_id, ticket_id)
    if now:
        _end(connection, now, key, by, now_ms)
    last = connection.execute(select(func.coalesce(func.max(link.c.n), 0)).where(link.c.session_id == of.id))
    connection.execute(
        link.insert().values(
            session_id=of.id,
            team=of.team,
            workspace=of.workspace,
            ticket_id=ticket_id,
            epic_id=epic_id,
            n=last.scalar_one() + 1,
            key=key,
            linked_by=by,
            linked_ms=now_ms,
        )
    )
    made = current_link(connection, of.id)
    assert made is not None
    return made, now


def unlink_session(
    connection: Connection, of: ChatSession, *, key: str, by: str, now_ms: int, sure: bool = False
) -> Link:
    """Ends the session's link; the ticket goes on listing the session as past. Raises NotLinked.

    The only link of an archived session is taken away only when the person was asked, and is `sure`; else raises
    LastLink (sciorex-workspace: an archived session keeps at least one link; taking the last one away warns).
    """
    now = current_link(connection, of.id)
    if now is None:
        raise NotLinked("This thread is not linked to a ticket.")
    if get_session(connection, of.id).state == "archived" and not sure:
        raise LastLink(now.ticket_id)
    _end(connection, now, key, by, now_ms)
    return now


def current_link(connection: Connection, session_id: str) -> Link | None:
    """The link that holds now."""
    row = connection.execute(CURRENT, {"of_session": session_id}).first()
    return _link(row) if row else None


def links_of(connection: Connection, session_id: str) -> list[Link]:
    """All links of the session, past ones too, oldest first."""
    rows = connection.execute(select(link).where(link.c.session_id == session_id).order_by(link.c.n))
    return [_link(row) for row in rows]


def current_links(connection: Connection) -> list[Link]:
    """Every link that holds, of all sessions (for checks, not for people's eyes)."""
    rows = connection.execute(select(link).where(link.c.unlinked_ms.is_(None)).order_by(link.c.id))
    return [_link(row) for row in rows]


def threads_of_ticket(connection: Connection, workspace: str, ticket_id: str) -> list[tuple[int, str, str, str]]:
    """Every thread that is linked to the ticket now: id, team, channel and thread_ts."""
    found = (
        select(thread.c.id, thread.c.team, thread.c.channel, thread.c.thread_ts)
        .join(session, session.c.thread_id == thread.c.id)
        .join(link, link.c.session_id == session.c.id)
        .where(link.c.workspace == workspace, link.c.ticket_id == ticket_id, link.c.unlinked_ms.is_(None))
        .order_by(thread.c.id)
    )
    return [(row.id, row.team, row.channel, row.thread_ts) for row in connection.execute(found)]


def refer(connection: Connection, of: ChatSession, ticket_id: str, *, by: str, now_ms: int) -> bool:
    """Records that a person named the ticket here; False when that is known, or the ticket is linked here."""
    now = current_link(connection, of.id)
    if now and now.ticket_id == ticket_id:
        return False
    new = insert_once(
        connection,
        reference,
        session_id=of.id,
        team=of.team,
        workspace=of.workspace,
        ticket_id=ticket_id,
        by=by,
        ms=now_ms,
    )
    return new is not None


def references_of(connection: Connection, session_id: str) -> list[str]:
    """The ids of the tickets named in the session, in the order of their first naming."""
    named = select(reference.c.ticket_id).where(reference.c.session_id == session_id).order_by(reference.c.id)
    return list(connection.execute(named).scalars())


def _end(connection: Connection, now: Link, key: str, by: str, now_ms: int) -> None:
    ended = update(link).where(link.c.id == now.id)
    connection.execute(ended.values(end_key=key, unlinked_by=by, unlinked_ms=now_ms))


def _replaced_by(connection: Connection, now: Link) -> Link | None:
    """The link that this one took the place of in the same moment, if any."""
    before = select(link).where(link.c.session_id == now.session_id, link.c.end_key == now.key)
    row = connection.execute(before).first()
    return _link(row) if row else None


def _link(row: Row[tuple[object, ...]]) -> Link:
    return Link(**{field.name: getattr(row, field.name) for field in fields(Link)})
