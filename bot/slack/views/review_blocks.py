"""What speaks against closing a ticket as Block Kit, and going on all the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.slack.views.blocks import Block, aloud, button, cut, section
from bot.slack.views.markdown import Shown, fitting, plain
from bot.slack.views.modals import View, modal
from bot.slack.views.ticket_blocks import seen
from bot.tickets.closing import ACTIVE, CRITERION, SUBTASK, UNREAD, WAITING
from bot.tickets.ticket import Ticket

WORDS = {
    SUBTASK: ("open subtask", "open subtasks"),
    CRITERION: ("criterion without a tick", "criteria without a tick"),
    ACTIVE: ("active session", "active sessions"),
    WAITING: ("session with a question that waits for an answer", "sessions with questions that wait for an answer"),
    UNREAD: (
        "session not read by you since its last message",
        "sessions not read by you since their last message",
    ),
}
MOST_NAMED = 8
LONGEST_NOTE = 1_400


@dataclass(frozen=True)
class Against:
    """What speaks against closing: `lines` as a history keeps them (sessions by id), `names` of those sessions.

    `names` are written as `blocks.linked` does. `for_all`: it is shown to a whole channel, which is no one closer.
    """

    ticket: Ticket
    lines: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    for_all: bool = False

    def kinds(self) -> list[tuple[str, list[str]]]:
        """What is open, by kind, in words that Slack takes."""
        found: dict[str, list[str]] = {kind: [] for kind in WORDS}
        for line in self.lines:
            kind, _, what = line.partition(": ")
            found[kind].append(self.names.get(what) or cut(what, 100))
        return [(kind, names) for kind, names in found.items() if names]


def review(against: Against, turn_key: str = "") -> Shown:
    """What is open, and **Move to done anyway**. `turn_key` names the agent's turn whose card this is."""
    lines = _lines(against)
    value = f"{against.ticket.id} {turn_key}".strip()
    buttons = [
        button("Move to done anyway", "done_anyway", value, style="danger"),
        button("… with a note", "done_note", value),
    ]
    actions: Block = {"type": "actions", "block_id": seen("review", against.ticket), "elements": buttons}
    return Shown(aloud(lines), [section("\n".join(lines)), actions])


def note_modal(ticket_id: str, metadata: Mapping[str, str]) -> View:
    """Moving to done with a note."""
    field: Block = {
        "type": "input",
        "block_id": "note",
        "optional": True,
        "label": {"type": "plain_text", "text": "Why it is done all the same"},
        "element": {
            "type": "plain_text_input",
            "action_id": "note",
            "multiline": True,
            "max_length": LONGEST_NOTE,
        },
    }
    text = f"*{plain(ticket_id)}* becomes done. What is open is written into its history, with your note."
    return modal("Move to done", "done_modal", metadata, [section(text), field], submit="Move to done anyway")


def spoken(against: Against) -> list[str]:
    """What is open, as plain sentences for an agent."""
    told = []
    for kind, names in against.kinds():
        told.append(f"{len(names)} {WORDS[kind][len(names) != 1]}: {_listed(names)}")
    return told


def _lines(against: Against) -> list[str]:
    ticket = against.ticket
    lines = [f"⚠️ *{plain(ticket.id)}* {cut(ticket.title, 150)} is still `{ticket.status}`. This speaks against *done*:"]
    for kind, names in against.kinds():
        words = WORDS[kind][len(names) != 1]
        if against.for_all:
            words = words.replace(" by you", " by who asked")
        lines.append(fitting(f"• {len(names)} {words}: {_listed(names)}", 700))
    return lines


def _listed(names: Sequence[str]) -> str:
    more = f" … and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
