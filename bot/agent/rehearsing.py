"""What a call would do, found out before anybody lets it: on stores that write nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio.to_thread
from mcp import Client
from mcp.types import RequestParamsMeta, TextContent

from bot.agent.calls import Rehearsal
from bot.agent.toolbox import Offered
from bot.definitions.agents import RESOURCES_SERVER
from bot.definitions.saving import deleted_before, what_changes
from bot.errors import BotError
from bot.mcp_servers.review import Review
from bot.mcp_servers.tickets import ticket_server
from bot.sessions.questions import Question
from bot.sessions.transcript import JsonObject, ToolCall
from bot.tickets.change import Actor
from bot.tickets.difference import Rehearsed, look
from bot.tickets.store import TicketStore


@dataclass(frozen=True)
class Rehearsals:
    """Rehearses calls in one workspace; `review` is what speaks against closing a ticket there."""

    store: TicketStore
    folder: Path
    review: Review

    async def rehearse(self, offered: Offered, call: ToolCall, meta: Mapping[str, Any]) -> Rehearsal:
        """What the call would change, for the card that asks for leave; or why it would be refused."""
        shown: JsonObject = {"tool": call.name, "input": call.input, "revision": ""}
        if offered.of_tickets:
            return await self._tickets(offered, call, meta, shown)
        if offered.server.name == RESOURCES_SERVER:
            try:
                before, after, revision = await anyio.to_thread.run_sync(
                    what_changes, self.folder, offered.tool.name, dict(call.input)
                )
            except BotError as error:
                return Rehearsal({}, error.text)
            return Rehearsal({**shown, "revision": revision, "text": {"before": before, "after": after}})
        return Rehearsal(shown)

    async def before(self, offered: Offered, call: ToolCall) -> JsonObject | None:
        """The ticket that a call names, as it is now: what undoing it goes back to; none for one that is to be made."""
        ticket_id = call.input.get("ticketId")
        if offered.of_tickets and offered.tool.name == "sciorex_create_ticket":
            return {"ticket": None}
        if not offered.of_tickets or not isinstance(ticket_id, str):
            return None
        try:
            ticket = await anyio.to_thread.run_sync(self.store.find, ticket_id)
        except BotError:
            return None
        return {"ticket": ticket.id, "fields": dict(look(ticket).fields)} if ticket else None

    async def done(self, offered: Offered, call: ToolCall) -> str | None:
        """The result of a call that was cut off, where it is plain that it was done and calling again would fail."""
        if offered.server.name != RESOURCES_SERVER:
            return None
        return await anyio.to_thread.run_sync(deleted_before, self.folder, offered.tool.name, dict(call.input))

    async def refused(self, call: ToolCall, question: Question) -> None:
        """Writes into the history of the ticket that a person would not have it changed."""
        ticket_id = call.input.get("ticketId")
        if not isinstance(ticket_id, str) or question.by is None:
            return
        by, op = Actor("user", question.by), f"refused.{question.id}"
        tool = call.name.rpartition("__")[2].removeprefix("sciorex_").replace("_", " ")
        said = f": {question.answer['comment']}" if question.answer.get("comment") else "."
        comment = f"Did not approve “{tool}” by the agent{said}"
        try:
            await anyio.to_thread.run_sync(
                lambda: self.store.change(ticket_id, lambda t, now: t.add_comment(comment, by, now), op=op)
            )
        except BotError:
            return  # the ticket is gone, or cannot be written now: the transcript has the decision

    async def _tickets(self, offered: Offered, call: ToolCall, meta: Mapping[str, Any], shown: JsonObject) -> Rehearsal:
        told: list[Rehearsed] = []

        async def nobody(_ticket: object) -> None:
            return None

        server = ticket_server(
            self.store.rehearsal(told.append), review=Review(self.review.against, nobody), typed=False
        )
        async with Client(server) as client:
            result = await client.call_tool(
                offered.tool.name, dict(call.input), meta=cast(RequestParamsMeta, dict(meta))
            )
        if result.is_error:
            return Rehearsal({}, "\n".join(part.text for part in result.content if isinstance(part, TextContent)))
        changes: list[JsonObject] = []
        for one in told:
            before, after = one.fields
            is_new = one.before is None
            changes.append(
                {"id": None if is_new else one.after.id, "title": one.after.title, "before": before, "after": after}
            )
        revision = " ".join(one.before.digest for one in told if one.before is not None)
        return Rehearsal({**shown, "changes": changes, "revision": revision}, nothing=not changes)
