"""Buttons that change something: a row before the acknowledgement, done by the worker."""

from __future__ import annotations

from typing import Any

from bot.inbox.intake import Arrival
from bot.slack.intake.arrivals import as_ts, team_of
from bot.slack.intake.place import Place, place_of, workspace_here
from bot.slack.parts import Parts
from bot.slack.views.session_blocks import page_from


async def link(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Link this thread to T-042**, and the ids offered in place of an unknown one."""
    await take_in(parts, body, "link", place_of(body), ticket_id=value(body))
    await ack()


async def replace_link(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The person was asked, and wants the other ticket."""
    await take_in(parts, body, "link", place_of(body), ticket_id=value(body), replace=True)
    await ack()


async def unlink(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Unlink** in the header."""
    await take_in(parts, body, "unlink", place_of(body))
    await ack()


async def chat_start(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Start chat** on a card: a new thread in the same channel."""
    here = place_of(body)
    workspace = await workspace_here(parts, body, here)
    place = Place(here.channel, "", workspace.name)
    await take_in(parts, body, "start", place, ticket_id=value(body))
    await ack()


async def unlink_anyway(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The person was asked, and takes the only link of an archived session away."""
    await take_in(parts, body, "unlink", place_of(body), sure=True)
    await ack()


async def sessions_page(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Newer** and **Older**: another page in the place of this one."""
    ticket_id, page = page_from(value(body))
    await take_in(parts, body, "sessions", place_of(body), ticket_id=ticket_id, page=page, instead=True)
    await ack()


async def sessions_show(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Sessions** on a card: to the asker alone."""
    await take_in(parts, body, "sessions", place_of(body), ticket_id=value(body))
    await ack()


async def sessions_post(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Post here**."""
    await take_in(parts, body, "sessions_post", place_of(body), ticket_id=value(body))
    await ack()


def value(body: dict[str, Any]) -> str:
    """What the button that was pressed keeps."""
    return str(body["actions"][0]["value"])


async def take_in(parts: Parts, body: dict[str, Any], kind: str, place: Place, **more: object) -> None:
    """Writes a click down, once, as an item of this kind; `more` goes into its body."""
    action, user = body["actions"][0], str(body["user"]["id"])
    key = f"a:{user}:{action['action_id']}:{action['action_ts']}"
    said = {"user": user, "response_url": body.get("response_url"), **more}
    if "ticket_id" in more:
        said["workspace"] = (await workspace_here(parts, body, place)).name  # a choice made later is none for this
    now = as_ts(parts.now_ms())
    await parts.take_in(Arrival(team_of(body, parts.me), place.channel, place.thread_ts, key, kind, now, said))
