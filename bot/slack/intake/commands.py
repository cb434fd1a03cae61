"""Slash commands, from a channel's composer (Slack delivers none from a thread)."""

from __future__ import annotations

from typing import Any

from bot.inbox.intake import Arrival
from bot.slack.intake import forms
from bot.slack.intake.arrivals import as_ts, team_of
from bot.slack.parts import Parts
from bot.slack.sessions import planning
from bot.slack.tickets import new_ticket
from bot.tickets.ids import id_key


async def link(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """`/link T-042` asks for the thread, `/link` for both; with a thread in the payload it links at once."""
    wanted = str(body.get("text") or "").strip()
    if wanted and body.get("thread_ts"):
        await parts.take_in(_arrival(parts, body, "link", {"ticket_id": wanted}, str(body["thread_ts"])))
        await ack()
        return
    await forms.open_link_from_composer(parts, body, wanted)
    await ack()


async def unlink(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """`/unlink` asks which of the linked threads here is meant."""
    if body.get("thread_ts"):
        await parts.take_in(_arrival(parts, body, "unlink", {}, str(body["thread_ts"])))
    else:
        await forms.open_unlink_from_composer(parts, body)
    await ack()


async def ticket(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """`/ticket …`: written down, answered by the worker to the asker alone; `new` and `T-042 plan` open a form."""
    text = str(body.get("text") or "")
    if text.strip().lower() == "new":
        await new_ticket.open_from_composer(parts, body)
        await ack()
        return
    first, *rest = text.split()[:3] or [""]
    if id_key(first) and [word.lower() for word in rest] == ["plan"]:
        await planning.open_from_composer(parts, body, first)
        await ack()
        return
    await parts.take_in(_arrival(parts, body, "ticket", {"text": text}, ""))
    await ack()


def _arrival(parts: Parts, body: dict[str, Any], kind: str, more: dict[str, Any], thread_ts: str) -> Arrival:
    said = {"user": body["user_id"], "response_url": body.get("response_url"), **more}
    key = f"c:{body['trigger_id']}"
    return Arrival(team_of(body, parts.me), str(body["channel_id"]), thread_ts, key, kind, as_ts(parts.now_ms()), said)
