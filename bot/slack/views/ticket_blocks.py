"""Tickets and epics as Block Kit: cards, lists with pages, and the menu of what may follow a status. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack.views.blocks import Block, aloud, button, context, cut, notice, said, section
from bot.slack.views.markdown import Shown, fitting, plain, safe, split
from bot.slack.views.modals import option
from bot.tickets.epic import Epic
from bot.tickets.ids import written
from bot.tickets.summary import Progress, TicketSummary
from bot.tickets.ticket import Ticket

TYPE_ICONS = {
    "feature": "✨",
    "bug": "🐛",
    "task": "📋",
    "research": "🔬",
    "documentation": "📄",
    "refactor": "🔧",
}
PRIORITY_ICONS = {"critical": "🔴", "high": "🟠", "medium": "🟡", "low": "⚪"}
SUBTASK_MARKS = {"completed": "☑", "in_progress": "◐", "pending": "☐"}
MOST_SUBTASKS = 40
MOST_RELATIONS = 10
LONGEST_DESCRIPTION = 6_000
LONGEST_EPIC = 1_500
MOST_PAGES = 9_999


@dataclass(frozen=True)
class Page:
    """One page of a list: `of` is list, search, epics or epic, `text` what was asked for, `number` counts from 1."""

    of: str
    text: str
    number: int = 1

    def at(self, number: int) -> Page:
        """Another page of the same list."""
        return Page(self.of, self.text, number)

    def remember(self) -> str:
        """The page as a button keeps it."""
        return json.dumps([self.of, self.text, self.number], ensure_ascii=False)


def page_from(value: str) -> Page:
    """The page that a button keeps; raises ValueError for anything else."""
    of, text, number = json.loads(value)
    if not 0 < number <= MOST_PAGES:
        raise ValueError("not a page of ours")
    return Page(str(of), str(text), int(number))


def ticket_card(
    ticket: Ticket,
    *,
    epic_title: str | None,
    blockers: Sequence[tuple[str, str | None, str | None]],
    related: Sequence[tuple[str, str | None, str | None]],
    session_count: int,
) -> Shown:
    """A ticket: what it is, what is to be done, what it hangs together with; Start chat, its sessions, its status."""
    blocks = heading(ticket, epic_title)
    top, facts = blocks[0]["text"]["text"], blocks[1]["elements"][0]["text"]
    first, *more = split(safe(ticket.description), LONGEST_DESCRIPTION)
    if first.strip():
        blocks.append({"type": "markdown", "text": first + ("\n\n…" if more else "")})
    steps = _subtasks(ticket) if ticket.subtasks else ""
    if steps:
        blocks.append(section(steps))
    relations = [("Blocked by", one) for one in blockers] + [("Relates to", one) for one in related]
    others = [f"{word} {other(one)}" for word, one in relations[:MOST_RELATIONS]]
    if len(relations) > MOST_RELATIONS:
        others.append(f"… and {len(relations) - MOST_RELATIONS} more")
    if others:
        blocks.append(context("\n".join(others)))
    sessions = button(f"Sessions ({session_count})", "sessions_show", ticket.id)
    looks = [button("Open", "ticket_view", ticket.id), sessions]
    plan = button("Plan sessions", "plan_open", ticket.id)
    buttons = [button("Start chat", "chat_start", ticket.id, style="primary"), *looks, plan, status_menu(ticket)]
    return Shown(
        aloud([top, facts, fitting(plain(first), 1_500), steps, *others]),
        [
            *blocks,
            {
                "type": "actions",
                "block_id": seen("card", ticket),
                "elements": looks if ticket.archived else buttons,
            },
        ],
    )


def heading(ticket: Ticket, epic_title: str | None) -> list[Block]:
    """What a ticket is, in two blocks: its id and title, and how it stands."""
    icon = TYPE_ICONS.get(str(ticket.type), "📋")
    facts = [f"`{ticket.status}`", f"{PRIORITY_ICONS.get(str(ticket.priority), '')} {ticket.priority}"]
    facts += [cut(label, 30) for label in ticket.labels[:8]]
    if ticket.epic_id:
        facts.append(f"epic {plain(ticket.epic_id)} {cut(epic_title or '(missing)', 60)}")
    if ticket.archived:
        facts.append("📦 archived")
    return [section(f"{icon} *{plain(ticket.id)}* {cut(ticket.title, 200)}"), context(" · ".join(facts))]


def _subtasks(ticket: Ticket) -> str:
    lines = [f"{SUBTASK_MARKS[str(s.status)]} {cut(s.title, 65)}" for s in ticket.subtasks[:MOST_SUBTASKS]]
    if len(ticket.subtasks) > MOST_SUBTASKS:
        lines.append(f"… and {len(ticket.subtasks) - MOST_SUBTASKS} more")
    done = sum(str(s.status) == "completed" for s in ticket.subtasks)
    return f"*Subtasks* {done}/{len(ticket.subtasks)}\n" + "\n".join(lines)


def other(one: tuple[str, str | None, str | None]) -> str:
    """Another ticket, by id, title and status; one that is missing says so."""
    ticket_id, title, status = one
    return f"*{plain(ticket_id)}* " + (f"{cut(title, 80)} · `{status}`" if title is not None else "(missing)")


def status_menu(ticket: Ticket) -> Block:
    """The statuses that may follow the present one."""
    return {
        "type": "static_select",
        "action_id": "ticket_status",
        "placeholder": {"type": "plain_text", "text": "Move to …"},
        "options": [option(status, status) for status in ticket.next_statuses()],
    }


def seen(shown: str, ticket: Ticket) -> str:
    """The block id of what shows a status (`card` or `line`): it tells which ticket was seen, and as it was when.

    The revision goes without its subtasks, so that it fits the 255 characters of a block id.
    """
    return f"{shown} {written(*ticket.key)} {ticket.revision.rpartition('.')[0]}."


def status_line(ticket: Ticket) -> Shown:
    """How a ticket stands, and what it can become: one choice away."""
    allowed = ", ".join(ticket.next_statuses())
    words = said(f"{ticket.id} is {ticket.status}. It can become {allowed}.")
    menu: Block = {"type": "actions", "block_id": seen("line", ticket), "elements": [status_menu(ticket)]}
    return Shown(words.text, [*words.blocks, menu])


def with_note(note: Shown, shown: Shown) -> Shown:
    """The same with something to be said above it."""
    return Shown(aloud([note.text, shown.text]), [*note.blocks, *shown.blocks])


def made(card: Shown) -> Shown:
    """The card of a ticket that its reader has just made."""
    return with_note(notice("🆕 You made this ticket."), card)


@dataclass(frozen=True)
class Below:
    """What stands below the tickets of a page, as lines of our own mrkdwn, and whether there is more of it."""

    lines: Sequence[str]
    more: bool = False


def ticket_list(
    heading: str,
    tickets: Sequence[TicketSummary],
    page: Page,
    *,
    more: bool,
    empty: str,
    below: Below | None = None,
) -> Shown:
    """A page of tickets, as given. `heading` is our own mrkdwn, `empty` the sentence where there are none."""
    rows = [(_line(ticket), _view(ticket)) for ticket in tickets]
    return _list(section(heading), rows, page, more, empty, below)


def epic_page(epic: Epic, progress: Progress, tickets: Sequence[TicketSummary], page: Page, *, more: bool) -> Shown:
    """An epic with a page of its tickets."""
    top = f"{_epic(epic)}\n{_stands(epic, progress)}"
    first, *rest = split(safe(epic.description), LONGEST_EPIC)
    rows = [(_line(ticket), _view(ticket)) for ticket in tickets]
    shown = _list(section(top), rows, page, more, "It has no tickets yet.")
    if not first.strip():
        return shown
    words: Block = {"type": "markdown", "text": first + ("\n\n…" if rest else "")}
    return Shown(shown.text, [shown.blocks[0], words, *shown.blocks[1:]])


def epic_list(epics: Sequence[tuple[Epic, Progress]], page: Page, *, more: bool) -> Shown:
    """A page of epics, each with how many of its tickets are done."""
    rows = [
        (f"{_epic(epic)}\n{_stands(epic, progress)}", button("Tickets", "epic_tickets", epic.id))
        for epic, progress in epics
    ]
    return _list(section("*Epics*"), rows, page, more, "There are no epics yet.")


def _list(
    heading: Block, rows: Sequence[tuple[str, Block]], page: Page, more: bool, empty: str, below: Below | None = None
) -> Shown:
    lines = [heading["text"]["text"], *(text for text, _ in rows)]
    blocks = [heading, *({**section(text), "accessory": accessory} for text, accessory in rows)]
    if not rows and (page.number == 1 or not (below and below.lines)):
        lines.append(empty if page.number == 1 else f"There is no page {page.number}.")
        blocks.append(section(lines[-1]))
    if below:
        lines += below.lines
        blocks += [section(line) for line in below.lines]
    buttons = []
    if page.number > 1:
        buttons.append(button("Previous", "page_previous", page.at(page.number - 1).remember()))
    if more:
        buttons.append(button("Next", "page_next", page.at(page.number + 1).remember()))
    if buttons:
        lines.append(f"Page {page.number}")
        blocks += [context(lines[-1]), {"type": "actions", "block_id": "pages", "elements": buttons}]
    return Shown(aloud(lines), blocks)


def _line(ticket: TicketSummary) -> str:
    """A ticket on two lines: what it is, and how it stands."""
    icon = TYPE_ICONS.get(str(ticket.type), "📋")
    facts = [f"`{ticket.status}`", f"{PRIORITY_ICONS.get(str(ticket.priority), '')} {ticket.priority}"]
    if ticket.subtask_count:
        facts.append(f"subtasks {ticket.completed_subtasks}/{ticket.subtask_count}")
    if ticket.epic_id:
        facts.append(f"epic {cut(ticket.epic_id, 20)}")
    facts += [cut(label, 30) for label in ticket.labels[:4]]
    if ticket.archived:
        facts.append("📦 archived")
    return f"{icon} *{plain(ticket.id)}* {cut(ticket.title, 150)}\n{' · '.join(facts)}"


def _view(ticket: TicketSummary) -> Block:
    return button("View", "ticket_view", ticket.id)


def _epic(epic: Epic) -> str:
    return f"🎯 *{plain(epic.id)}* {cut(epic.title, 200)}"


def _stands(epic: Epic, progress: Progress) -> str:
    return f"`{epic.status}` · {progress} done" if progress.total else f"`{epic.status}` · no tickets"
