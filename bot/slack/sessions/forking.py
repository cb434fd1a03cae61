"""Forking a session: a new thread that goes on from a chosen message of another, or from its end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.errors import SessionNotFound
from bot.inbox.claim import Claim, Item, finish
from bot.inbox.intake import Arrival, take_in
from bot.sessions.forking import end_of, fork_of, fork_title
from bot.sessions.linking import current_link
from bot.sessions.session import ChatSession, Origin, find_by_thread, get_session
from bot.slack.intake import clicks, forms
from bot.slack.intake.place import Place, remembered
from bot.slack.parts import Parts
from bot.slack.sessions.link import may_work_here
from bot.slack.sessions.opening import permalink
from bot.slack.sessions.roots import open_thread
from bot.slack.sessions.seeing import session_here, session_of
from bot.slack.views import blocks, session_blocks, session_modals


async def open_from_message(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Fork session** on a message: from that one on."""
    await _open(parts, body, await session_here(parts, body), str(body["message"]["ts"]))
    await ack()


async def open_from_list(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Fork** in a ticket's sessions: from the end."""
    await _open(parts, body, await session_of(parts, body, clicks.value(body)), "")
    await ack()


async def open_from_header(parts: Parts, body: dict[str, Any]) -> None:
    """**Fork from here** in a header's menu: from the end."""
    await _open(parts, body, await session_here(parts, body), "")


async def _open(parts: Parts, body: dict[str, Any], session: ChatSession, ts: str) -> None:
    await parts.people.may_write(str(body["user"]["id"]))
    kept = {"session_id": session.id, "ts": ts, "response_url": str(body.get("response_url") or "")}
    view = session_modals.fork_modal(session.title, fork_title(session.title), kept, from_end=not ts)
    await forms.open_view(parts, body, view)


async def submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The filled form, written down once."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    session = await session_of(parts, body, kept["session_id"])
    title = str(values["title"]["title"].get("value") or "").strip()
    more = {"session_id": session.id, "ts": kept["ts"], "title": title, "workspace": session.workspace}
    url = kept.get("response_url") or None
    await forms.take_in(parts, body, "fork", Place(session.channel, ""), **more, response_url=url)
    await ack()


async def fork_word(parts: Parts, claim: Claim, item: Item) -> None:
    """`fork` in a thread: from its end. The new thread is opened in the channel's own lane."""
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session is None:
        raise SessionNotFound("This thread is no session yet: mention me in it, or link it to a ticket.")
    said = {"user": item.body["user"], "session_id": session.id, "ts": "", "workspace": session.workspace}
    arrival = Arrival(claim.team, claim.channel, "", f"{item.key}:fork", "fork", item.order_ts, said)

    def hand_over(connection: Connection) -> None:
        take_in(connection, arrival, parts.now_ms())
        finish(connection, [item])

    await claim.write("fork asked for", hand_over)
    parts.wake()


async def fork(parts: Parts, claim: Claim, item: Item) -> None:
    """A new thread in the parent's channel, on the parent's ticket. Body: {user, session_id, ts, title?, workspace}."""
    user, session_id = str(item.body["user"]), str(item.body["session_id"])
    await may_work_here(parts, claim, user)

    def read(connection: Connection) -> tuple[ChatSession, Origin, str | None]:
        parent = get_session(connection, session_id)
        ts = str(item.body["ts"]) or end_of(connection, parent)
        link = current_link(connection, parent.id)
        title = str(item.body.get("title") or "")
        return parent, fork_of(connection, parent, ts, title), link.ticket_id if link else None

    parent, origin, ticket_id = await claim.read(read)
    address = await permalink(parts, parent.channel, parent.thread_ts)
    shown = session_blocks.forked_root(origin.title, parent.title, address, user)
    body = {
        "user": user,
        "title": origin.title,
        "workspace": parent.workspace,
        "ticket_id": ticket_id,
        "parent_id": origin.parent_id,
        "fork_ts": origin.fork_ts,
        "fork_turn": origin.fork_turn,
    }
    root = await open_thread(parts, claim, item, shown, "born", body)
    done = blocks.pointer("Forked", origin.title, await permalink(parts, claim.channel, root))
    await parts.tell(user, claim.channel, done, response_url=item.body.get("response_url"))
