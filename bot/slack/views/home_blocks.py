"""App Home as Block Kit: what waits for a person, their sessions and tickets, and search. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.slack.views.activity_view import when_ms
from bot.slack.views.blocks import Block, button, context, cut, linked, section
from bot.slack.views.markdown import Shown
from bot.slack.views.modals import View, modal, option
from bot.slack.views.ticket_blocks import Page, ticket_list
from bot.tickets.summary import TicketSummary

MOST = 10  # of each kind
TURNED = {"page_previous": "found_previous", "page_next": "found_next"}


@dataclass(frozen=True)
class HomeSession:
    """A session on a person's home: its ticket, when something was done in it last, and its address."""

    session_id: str
    title: str
    ticket_id: str | None
    last_ms: int
    address: str | None


def home_view(
    metadata: Mapping[str, str],
    *,
    workspaces: Sequence[str],
    chosen: str,
    waiting: Sequence[HomeSession],
    active: Sequence[HomeSession],
    tickets: Sequence[TicketSummary],
) -> View:
    """A person's home. `workspaces` are those they may choose from; one alone is not asked for."""
    above: list[Block] = [button("New ticket", "ticket_new", style="primary")]
    if len(workspaces) > 1:
        above.append(_choice(workspaces[:100], chosen))
    recent = ticket_list(
        "*My recent tickets*", tickets[:MOST], Page("list", ""), more=False, empty="None yet: link a thread to one."
    )
    blocks = [
        {"type": "actions", "block_id": f"above {chosen}"[:255], "elements": above},
        _search(),
        section("*Waiting for me*"),
        *_sessions(waiting, "No session waits for your answer."),
        section("*My active sessions*"),
        *_sessions(active, "None. Mention me in a channel, or write to me under Messages."),
        *recent.blocks,
    ]
    return {"type": "home", "private_metadata": json.dumps(metadata, ensure_ascii=False), "blocks": blocks}


def closed_home(sentence: str) -> View:
    """The home of somebody who may not look."""
    return {"type": "home", "blocks": [section(sentence)]}


def found_view(metadata: Mapping[str, str], found: Shown) -> View:
    """What a search found, with pages that are turned within the modal."""
    return modal("Search", "search_modal", metadata, [_turned(block) for block in found.blocks])


def _turned(block: Block) -> Block:
    elements = block.get("elements")
    if block.get("type") != "actions" or not isinstance(elements, list):
        return block
    return {
        **block,
        "elements": [{**one, "action_id": TURNED.get(one["action_id"], one["action_id"])} for one in elements],
    }


def _choice(workspaces: Sequence[str], chosen: str) -> Block:
    options = [option(name, name) for name in workspaces]
    element: Block = {
        "type": "static_select",
        "action_id": "home_workspace",
        "placeholder": {"type": "plain_text", "text": "Workspace"},
        "options": options,
    }
    initial: list[Any] = [one for one in options if one["value"] == chosen]
    return {**element, "initial_option": initial[0]} if initial else element


def _search() -> Block:
    return {
        "type": "input",
        "block_id": "search",
        "dispatch_action": True,
        "optional": True,
        "label": {"type": "plain_text", "text": "Search tickets, and what was said"},
        "element": {
            "type": "plain_text_input",
            "action_id": "home_search",
            "max_length": 200,
            "placeholder": {"type": "plain_text", "text": "Words, then Enter"},
        },
    }


def _sessions(sessions: Sequence[HomeSession], empty: str) -> list[Block]:
    rows = [_session(one) for one in sessions[:MOST]]
    if len(sessions) > MOST:
        rows.append(context("… and older ones"))
    return rows or [context(empty)]


def _session(one: HomeSession) -> Block:
    parts = [linked(one.title, one.address)]
    if one.ticket_id:
        parts.append(f"🎫 {cut(one.ticket_id, 20)}")
    row = section(f"💬 {' · '.join([*parts, when_ms(one.last_ms)])}")
    if one.address:
        row["accessory"] = button("Open thread", "session_open", one.session_id) | {"url": one.address}
    return row
