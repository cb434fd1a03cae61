"""Messages as Block Kit: a thread's header, its sessions, notices and questions. Pure: no input, no output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.slack.views.markdown import LONGEST_TEXT, Shown, fitting, plain

__all__ = ["Badge", "Shown"]
Block = dict[str, Any]
LONGEST_SECTION = 3_000


@dataclass(frozen=True)
class Badge:
    """The linked ticket as a header shows it; `missing` when its file is gone or cannot be read."""

    ticket_id: str
    title: str
    status: str
    missing: bool = False


def header(
    *,
    title: str,
    state: str,
    agent_name: str,
    model: str,
    ticket: Badge | None,
    note: str | None,
    own_title: bool = False,
    forked_from: tuple[str, str | None] | None = None,
    quiet: bool = False,
    mode: str | None = None,
    agents: Block | None = None,
) -> Shown:
    """The message that opens a thread: its ticket, agent and model, and what can be done with it.

    `own_title`: somebody gave it one, so it is shown. `forked_from`: title and address of the session's parent.
    `quiet`: it is answered only when the bot is mentioned. `mode`: the permission mode, where it is not the usual one.
    `agents`: the menu to choose another.
    """
    if ticket is None:
        what = "No ticket linked"
    elif ticket.missing:
        what = f"🎫 *{plain(ticket.ticket_id)}* (its file is missing or cannot be read)"
    else:
        what = f"🎫 *{plain(ticket.ticket_id)}* {cut(ticket.title, 150)} · `{ticket.status}`"
    lines = [f"💬 *{cut(title, 200)}*"] if own_title else []
    lines += [what, f"🤖 {cut(agent_name, 80)} · {cut(model, 80)}"]
    if forked_from:
        lines.append(f"🍴 forked from {linked(*forked_from)}")
    if mode:
        lines.append(f"🔐 {mode}")
    if quiet:
        lines.append("🔕 answers only when mentioned")
    if state == "archived":
        lines.append("📦 Archived" + (f": _{cut(note, 300)}_" if note else ""))
    elif state != "active":
        lines.append(f"The run is {state}.")
    if ticket:
        buttons = [button("View ticket", "ticket_view", ticket.ticket_id)]
    else:
        buttons = [button("Link to ticket", "link_open", style="primary")]
    if state != "archived":
        buttons.append(button("Archive", "archive_open"))
    if ticket and state != "archived":
        buttons.append(button("Unlink", "unlink"))
    if state != "archived":
        buttons += [*([agents] if agents else []), button("Stop", "turn_stop")]
    buttons.append(session_menu(quiet=quiet))
    return Shown(
        " · ".join([cut(title, 100), *lines]),
        [section("\n".join(lines)), {"type": "actions", "block_id": "header", "elements": buttons}],
    )


def session_menu(*, quiet: bool = False) -> Block:
    """What else can be done with a thread's session: five at most."""
    words = {"rename": "Rename", "fork": "Fork from here", "export": "Export transcript", "mode": "Permissions"}
    words |= {"always": "Answer as ever"} if quiet else {"quiet": "Only when mentioned"}
    options = [{"text": {"type": "plain_text", "text": label}, "value": value} for value, label in words.items()]
    return {"type": "overflow", "action_id": "session_menu", "options": options}


def linked(title: str, address: str | None) -> str:
    """A thread's title, leading to it where there is an address."""
    words = cut(title, 200) or "(no title)"
    return f"<{address}|{words.replace('|', '/')}>" if address else f"*{words}*"


def linked_notice(ticket_id: str, title: str, by: str) -> Shown:
    """Said in the thread when it was linked."""
    return notice(f"🎫 <@{by}> linked this thread to *{plain(ticket_id)}* {cut(title, 150)}")


def unlinked_notice(ticket_id: str, by: str) -> Shown:
    return notice(f"<@{by}> unlinked this thread from *{plain(ticket_id)}*.")


def archived_notice(ticket_id: str, note: str, by: str) -> Shown:
    """Said in the thread when it was archived."""
    words = f"📦 <@{by}> archived this thread to *{plain(ticket_id)}*." + (f"\n_{cut(note, 1500)}_" if note else "")
    return notice(words)


def reference_notice(tickets: Sequence[tuple[str, str]]) -> Shown:
    """Said quietly when people named tickets."""
    return notice("🔗 Noted as related: " + ", ".join(f"*{plain(i)}* {cut(t, 80)}" for i, t in tickets[:8]))


def status_notice(ticket_id: str, title: str, before: str, after: str, by: str) -> Shown:
    return notice(f"<@{by}> moved *{plain(ticket_id)}* {cut(title, 100)} from `{before}` to `{after}`.")


def root(ticket_id: str, title: str, by: str) -> Shown:
    """The first message of a thread that was started on a ticket."""
    text = f"💬 <@{by}> started a chat on *{plain(ticket_id)}* {cut(title, 200)}"
    return Shown(text, [section(text)])


def invited(name: str, commands: Sequence[str]) -> Shown:
    """Said once in a channel the bot was invited to."""
    link, _, ticket = commands
    text = (
        f"👋 I join threads and tickets. Mention @{plain(name)} in a thread to work on it with me, `{link}` ties a "
        f"thread to its ticket, `{ticket} T-042` shows a ticket and its conversations. `{ticket} help` says more."
    )
    return Shown(text, [section(text)])


def ask_replace(linked: str, wanted: str) -> Shown:
    """Another ticket is linked: one click decides."""
    text = f"This thread is linked to *{plain(linked)}*. Link it to *{plain(wanted)}* instead?"
    return _asked(text, [button(f"Link to {wanted}", "link_replace", wanted, style="primary")])


def offer_link(ticket_id: str, title: str) -> Shown:
    """To the writer alone, in a thread with no ticket."""
    text = f"You named *{plain(ticket_id)}* {cut(title, 150)}. Is this thread about it?"
    return _asked(text, [button(f"Link this thread to {ticket_id}", "link_this", ticket_id)])


def unknown_ticket(sentence: str, nearest: Sequence[str]) -> Shown:
    """There is no such ticket; the nearest ids are one click away."""
    buttons = [button(f"Link to {i}", f"link_near_{n}", i) for n, i in enumerate(nearest[:3])]
    return _asked(f"⚠️ {plain(sentence)}", buttons) if buttons else error(sentence)


def which_link() -> Shown:
    """`link` without an id."""
    return _asked("Which ticket is this thread about?", [button("Link to ticket", "link_open", style="primary")])


def which_title(command: str) -> Shown:
    """`new` without a title, where no form can be opened at once."""
    words = f"Type its title behind it, as in `{command} new Fix the login`, or fill in a form."
    return _asked(words, [button("New ticket", "ticket_new", style="primary")])


def which_ticket() -> Shown:
    """`archive` in a thread that has no ticket."""
    words = "Which ticket shall this thread be archived to?"
    return _asked(words, [button("Archive to ticket", "archive_open", style="primary")])


def said(text: str) -> Shown:
    """A plain sentence."""
    return Shown(plain(text), [section(plain(text))])


def pointer(words: str, title: str, address: str | None) -> Shown:
    """Where something is now."""
    text = f"{plain(words)}: {linked(title, address)}"
    return Shown(text, [section(text)])


def error(text: str) -> Shown:
    """What is wrong, and what to do."""
    return Shown(f"⚠️ {plain(text)}", [section(f"⚠️ {plain(text)}")])


def notice(text: str) -> Shown:
    """A quiet line in the thread."""
    return Shown(text, [context(text)])


def _asked(text: str, buttons: Sequence[Mapping[str, Any]]) -> Shown:
    return Shown(text, [section(text), {"type": "actions", "elements": list(buttons)}])


def section(text: str) -> Block:
    """Text, at most 3,000 characters of it."""
    return {
        "type": "section",
        "text": {"type": "mrkdwn", "text": fitting(text, LONGEST_SECTION)},
    }


def context(text: str) -> Block:
    """Small grey text."""
    return {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": fitting(text, LONGEST_SECTION)}],
    }


def button(label: str, action_id: str, value: str | None = None, *, style: str | None = None) -> Block:
    """A button; its label at most 75 characters."""
    made: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": label[:75], "emoji": True},
        "action_id": action_id,
    }
    if value is not None:
        made["value"] = value
    if style:
        made["style"] = style
    return made


def aloud(lines: Sequence[str]) -> str:
    """What screen readers and notifications say of blocks: the same, as lines."""
    return fitting("\n".join(line for line in lines if line.strip()), LONGEST_TEXT)


def cut(text: str | None, length: int) -> str:
    """One line of somebody's text, escaped, and free of marks that could break out of what stands around it."""
    line = " ".join((text or "").split())
    line = line if len(line) <= length else line[: length - 1] + "…"
    return plain(line).replace("*", "∗").replace("`", "'")
