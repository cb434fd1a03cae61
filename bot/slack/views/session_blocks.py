"""A ticket's sessions as Block Kit: the list with its pages, what is planned, hand-over briefs, notices. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.slack.views.blocks import LONGEST_SECTION, Block, aloud, button, context, cut, linked, notice, section
from bot.slack.views.markdown import Shown, plain

KIND_ICONS = {"chat": "💬", "agent": "🤖"}
STATE_ICONS = {
    "upcoming": "🗓️",
    "active": "🟢",
    "archived": "📦",
    "completed": "✅",
    "failed": "❌",
    "cancelled": "🚫",
}
PAGE = 10  # entries: each takes two of the 50 blocks of a message
MOST_PAGES = 9_999


@dataclass(frozen=True)
class SessionEntry:
    """A session in a ticket's list. `last_ms` is a time in milliseconds, `started_by` a Slack user id."""

    session_id: str
    number: int
    title: str
    kind: str
    state: str  # active, archived, completed, failed, cancelled, past; behind it in brackets what it does
    started_by: str
    last_ms: int
    messages: int
    note: str | None
    permalink: str | None


@dataclass(frozen=True)
class PlannedEntry:
    """An upcoming session in a ticket's list; `planned_by` is a Slack user id."""

    planned_id: int
    number: int
    title: str
    planned_by: str


@dataclass(frozen=True)
class Page:
    """Which page of the list, from 1 on, and how many entries there are in all."""

    number: int = 1
    total: int = 0

    @property
    def more(self) -> bool:
        return self.number * PAGE < self.total


def page_value(ticket_id: str, number: int) -> str:
    """A page as a button keeps it."""
    return json.dumps([ticket_id, number])


def page_from(value: str) -> tuple[str, int]:
    """Ticket and page that a button keeps; raises ValueError for anything else."""
    ticket_id, number = json.loads(value)
    if not 0 < int(number) <= MOST_PAGES:
        raise ValueError("not a page of ours")
    return str(ticket_id), int(number)


def sessions_list(
    ticket_id: str,
    title: str,
    entries: Sequence[SessionEntry | PlannedEntry],
    page: Page,
    *,
    can_post: bool,
    can_plan: bool = True,
) -> Shown:
    """A page of a ticket's sessions, as given: what is planned first, then most recent first."""
    top = f"*Sessions of {plain(ticket_id)}* {cut(title, 150)}"
    lines, blocks = [top], [section(top)]
    if not entries:
        lines.append("No thread is linked to this ticket yet." if page.number == 1 else "There are no more.")
        blocks.append(section(lines[-1]))
    for entry in entries[:PAGE]:
        lines.append(_planned(entry) if isinstance(entry, PlannedEntry) else _session(entry))
        blocks += [section(lines[-1]), _buttons(entry)]
    if page.total > PAGE:
        first = (page.number - 1) * PAGE + 1
        lines.append(f"{first} to {min(first + PAGE - 1, page.total)} of {page.total}")
        blocks.append(context(lines[-1]))
    below = [button("Start chat", "chat_start", ticket_id), button("Plan sessions", "plan_open", ticket_id)]
    if not can_plan:
        below = []
    if can_post:
        below.append(button("Post here", "sessions_post", ticket_id))
    if can_post and page.number > 1:
        below.append(button("Newer", "sessions_newer", page_value(ticket_id, page.number - 1)))
    if can_post and page.more:
        below.append(button("Older", "sessions_older", page_value(ticket_id, page.number + 1)))
    if below:
        blocks.append({"type": "actions", "block_id": "sessions", "elements": below})
    return Shown(aloud(lines), blocks)


def _session(entry: SessionEntry) -> str:
    name = linked(entry.title, entry.permalink)
    icon = STATE_ICONS.get(entry.state.split(" ")[0], "")
    count = f"{entry.messages} message" + ("" if entry.messages == 1 else "s")
    at = entry.last_ms // 1000
    when = f"<!date^{at}^{{date_short_pretty}} {{time}}|{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC>"
    lines = [
        f"{KIND_ICONS.get(entry.kind, '💬')} Session {entry.number}: {name}",
        f"{icon} {entry.state} · <@{entry.started_by}> · {when} · {count}".strip(),
    ]
    if entry.note:
        lines.append(f"📝 _{cut(entry.note, 300)}_")
    return "\n".join(lines)


def _planned(entry: PlannedEntry) -> str:
    title = cut(entry.title, 200)
    return f"💬 Session {entry.number}: *{title}*\n{STATE_ICONS['upcoming']} upcoming · <@{entry.planned_by}>"


def _buttons(entry: SessionEntry | PlannedEntry) -> Block:
    """What can be done with one session; who may is asked when it is done."""
    if isinstance(entry, PlannedEntry):
        value = planned_value(entry.planned_id)
        buttons = [button("Start", "planned_start", value, style="primary")]
        buttons += [button("Rename", "session_rename", value), button("Cancel", "planned_cancel", value)]
        return {"type": "actions", "block_id": f"of {value}", "elements": buttons}
    buttons = []
    if entry.permalink:
        buttons.append(button("Open thread", "session_open", entry.session_id) | {"url": entry.permalink})
    if entry.state.split(" ")[0] not in ("active", "past"):
        buttons.append(button("Resume", "session_resume", entry.session_id))
    buttons += [button("Fork", "session_fork", entry.session_id), button("Rename", "session_rename", entry.session_id)]
    buttons.append(button("Export", "session_export", entry.session_id))
    return {"type": "actions", "block_id": f"of {entry.session_id}", "elements": buttons}


def planned_value(planned_id: int) -> str:
    """A planned session as a button keeps it."""
    return f"p:{planned_id}"


def planned_in(value: str) -> int | None:
    """The planned session that a button keeps; None where it keeps a session's id."""
    return int(value[2:]) if value.startswith("p:") else None


def planned_root(ticket_id: str, ticket_title: str, title: str, by: str) -> Shown:
    """The first message of a thread whose session was planned."""
    text = f"💬 <@{by}> started *{cut(title, 200)}* on *{plain(ticket_id)}* {cut(ticket_title, 200)}"
    return Shown(text, [section(text)])


def forked_root(title: str, parent: str, address: str | None, by: str) -> Shown:
    """The first message of a fork's thread."""
    text = f"🍴 <@{by}> forked {linked(parent, address)}: *{cut(title, 200)}*"
    return Shown(text, [section(text)])


def brief(text: str) -> Shown:
    """The hand-over brief, as it stands for the agent too."""
    lines = text.splitlines()
    shown = [f"📋 *{cut(lines[0], 300)}*", *(_indented(line) for line in lines[1:])]
    parts = [""]
    for line in shown:
        if len(parts[-1]) + len(line) + 1 > LONGEST_SECTION:
            parts.append("")
        parts[-1] += f"{line}\n"
    return Shown(aloud(shown), [section(part) for part in parts])


def _indented(line: str) -> str:
    return f"      {cut(line, 600)}" if line.startswith(" ") else f"• {cut(line, 300)}"


def resumed(by: str) -> Shown:
    """Said in a thread that goes on."""
    return notice(f"▶️ <@{by}> resumed this session. I know what was said and done in it.")


def renamed(title: str, by: str) -> Shown:
    return notice(f"✏️ <@{by}> named this session *{cut(title, 200)}*")


def active_already(ticket_id: str, others: Sequence[tuple[str, str | None]]) -> Shown:
    """To the person who linked another thread, alone."""
    one = len(others) == 1
    text = f"*{plain(ticket_id)}* has {'an active session' if one else 'active sessions'} already. This thread is " + (
        f"linked too; you may rather go on there: {', '.join(linked(*other) for other in others)}"
    )
    return Shown(text, [section(text)])


def ask_unlink(ticket_id: str) -> Shown:
    """An archived session would lose its only link; one click decides."""
    text = (
        f"This session is archived, and *{plain(ticket_id)}* is the only ticket it is linked to. Without a link it "
        f"stays in {plain(ticket_id)}'s list as past, and under no other. Take the link away all the same?"
    )
    buttons = [button(f"Unlink from {ticket_id}", "unlink_anyway", style="danger")]
    return Shown(text, [section(text), {"type": "actions", "elements": buttons}])


def which_plan(ticket_id: str) -> Shown:
    """`plan` without titles, where no form can be opened at once."""
    text = f"Which sessions shall *{plain(ticket_id)}* have? Type one behind it, or fill in a form."
    buttons = [button("Plan sessions", "plan_open", ticket_id, style="primary")]
    return Shown(text, [section(text), {"type": "actions", "elements": buttons}])
