"""Modals as Block Kit views. Pure: what comes in goes out as a view."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.slack.views.blocks import section
from bot.slack.views.markdown import plain
from bot.tickets.summary import TicketSummary

View = dict[str, Any]
NEW_THREAD = "new"
LONGEST_NOTE = 1_400  # written as JSON it must fit the 3,000 characters that a modal can remember, even if all quotes


def link_modal(
    *,
    metadata: Mapping[str, str],
    ticket: tuple[str, str] | None,
    threads: Sequence[tuple[str, str]] | None,
) -> View:
    """Which ticket; and from the composer (`threads` is not None) which thread, or a new one."""
    blocks = [ticket_picker(ticket)]
    if threads is not None:
        options = [option("Start a new thread on the ticket", NEW_THREAD), *(option(t, ts) for ts, t in threads[:99])]
        blocks.append(thread_picker(options, "Thread"))
    return modal("Link to ticket", "link_modal", metadata, blocks, submit="Link")


def unlink_modal(*, metadata: Mapping[str, str], threads: Sequence[tuple[str, str]]) -> View:
    """Which of the linked threads here."""
    picker = thread_picker([option(label, ts) for ts, label in threads[:100]], "Thread to unlink")
    return modal("Unlink a thread", "unlink_modal", metadata, [picker], submit="Unlink")


def archive_modal(*, metadata: Mapping[str, str], ticket: tuple[str, str] | None, private: bool) -> View:
    """Ticket and notes."""
    who = (
        "Only people who can read this conversation will see its transcript."
        if private
        else "The transcript goes into the ticket workspace, for everybody who can read that."
    )
    note = {
        "type": "input",
        "block_id": "note",
        "optional": True,
        "label": {"type": "plain_text", "text": "Notes"},
        "element": {
            "type": "plain_text_input",
            "action_id": "note",
            "multiline": True,
            "max_length": LONGEST_NOTE,
            "placeholder": {"type": "plain_text", "text": "Completed backend API, ready for frontend"},
        },
    }
    blocks = [section(f"The whole thread is kept with the ticket. {who}"), ticket_picker(ticket), note]
    return modal("Archive to ticket", "archive_modal", metadata, blocks, submit="Archive")


def confirm_replace(kind: str, linked: str, wanted: str, metadata: Mapping[str, str]) -> View:
    """Another ticket is linked: the person is asked. `kind` is link or archive."""
    text = (
        f"This thread is linked to *{plain(linked)}*. Link it to *{plain(wanted)}* instead? "
        f"{plain(linked)} goes on listing it as a past session."
    )
    return modal("Replace the ticket?", f"{kind}_confirm", metadata, [section(text)], submit="Replace")


def message_modal(title: str, text: str) -> View:
    """A plain sentence."""
    return modal(title, "message_modal", {}, [section(plain(text) or "…")])


def ticket_options(tickets: Sequence[TicketSummary]) -> list[dict[str, Any]]:
    """What the ticket picker offers, at most 100."""
    return [option(f"{ticket.id} · {ticket.title}", ticket.id) for ticket in tickets[:100]]


def ticket_picker(preset: tuple[str, str] | None) -> dict[str, Any]:
    """The ticket picker, which asks the bot for its options."""
    element: dict[str, Any] = {
        "type": "external_select",
        "action_id": "ticket",
        "min_query_length": 0,
        "placeholder": {"type": "plain_text", "text": "T-042, or words of its title"},
    }
    if preset:
        element["initial_option"] = option(f"{preset[0]} · {preset[1]}", preset[0])
    return {
        "type": "input",
        "block_id": "ticket",
        "label": {"type": "plain_text", "text": "Ticket"},
        "element": element,
    }


def thread_picker(options: Sequence[dict[str, Any]], label: str) -> dict[str, Any]:
    """The thread picker; its first option is chosen."""
    element = {
        "type": "static_select",
        "action_id": "thread",
        "options": list(options),
        "initial_option": options[0],
    }
    return {
        "type": "input",
        "block_id": "thread",
        "label": {"type": "plain_text", "text": label},
        "element": element,
    }


def option(label: str, value: str) -> dict[str, Any]:
    """An option; its label at most 75 characters."""
    line = " ".join(label.split()) or "(no text)"
    return {
        "text": {"type": "plain_text", "text": line if len(line) <= 75 else line[:74] + "…"},
        "value": value,
    }


def modal(
    title: str,
    callback_id: str,
    metadata: Mapping[str, str],
    blocks: Sequence[dict[str, Any]],
    *,
    submit: str | None = None,
) -> View:
    """A modal; one that asks for something has a word for sending it."""
    view: View = {
        "type": "modal",
        "callback_id": callback_id,
        "title": {"type": "plain_text", "text": title[:24]},
        "close": {"type": "plain_text", "text": "Cancel" if submit else "Close"},
        "private_metadata": json.dumps(metadata, ensure_ascii=False),
        "blocks": list(blocks),
    }
    if submit:
        view["submit"] = {"type": "plain_text", "text": submit}
    return view
