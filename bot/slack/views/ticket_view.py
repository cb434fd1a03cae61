"""The ticket view as a modal: its tabs, and what the first one shows, with boxes to tick. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.slack.views.activity_view import doer, when
from bot.slack.views.blocks import Block, button, context, cut
from bot.slack.views.markdown import Shown
from bot.slack.views.modals import View, modal
from bot.slack.views.paging import paged, typed
from bot.slack.views.rich_text import rich
from bot.slack.views.ticket_blocks import heading, other, seen, status_menu
from bot.tickets.change import HistoryEntry
from bot.tickets.criteria import Criterion, criteria_of
from bot.tickets.subtask import Subtask
from bot.tickets.ticket import Ticket

TABS = {"details": "Details", "sessions": "Sessions", "activity": "Activity"}
CALLBACK = "ticket_modal"
A_GROUP = 10  # check boxes that Slack takes in one
LONGEST_LABEL = 75
MOST_RELATIONS = 30
Other = tuple[str, str | None, str | None]


@dataclass(frozen=True)
class Details:
    """What the first tab shows. Other tickets are (id, title, status), None where the id leads nowhere.

    `deeds` tells of the tool calls in the history whose session the viewer may know, by op. `drawn` names this
    drawing: a box keeps what a person chose in it as long as its block has the same name.
    """

    ticket: Ticket
    epic: str | None = None
    blockers: Sequence[Other] = ()
    related: Sequence[Other] = ()
    parent: Other | None = None
    deeds: Mapping[str, str] = field(default_factory=dict)
    drawn: str = ""


def ticket_view(
    ticket: Ticket, tab: str, body: Sequence[Block], metadata: Mapping[str, str], note: Shown | None
) -> View:
    """The modal: what happened just now, the tabs, and the body of the one that is open."""
    tabs = [
        button(label, f"view_{name}", name, style="primary" if name == tab else None) for name, label in TABS.items()
    ]
    top: list[Block] = [{"type": "actions", "block_id": "tabs", "elements": tabs}]
    return modal(f"Ticket {ticket.id}", CALLBACK, metadata, [*(note.blocks[:5] if note else ()), *top, *body])


def details(of: Details, number: int) -> list[Block]:
    """A page of the ticket itself; what can be done with it stands on each."""
    ticket = of.ticket
    groups = [*_description(of), *_subtasks(of), *_relations(of)]
    shown, page = paged(groups, number)
    return [*heading(ticket, of.epic), *shown, *page.turns(), _actions(ticket)]


def _actions(ticket: Ticket) -> Block:
    buttons = [status_menu(ticket)]
    if not ticket.archived:
        buttons.insert(0, button("Start chat", "chat_start", ticket.id, style="primary"))
    return {"type": "actions", "block_id": seen("card", ticket), "elements": buttons}


def _description(of: Details) -> Iterator[list[Block]]:
    """The text, with boxes where its check boxes are."""
    boxes = {one.line: one for one in criteria_of(of.ticket.description)}
    text: list[str] = []
    run: list[Criterion] = []
    group = 0
    for number, line in enumerate([*of.ticket.description.split("\n"), ""]):
        box = boxes.get(number)
        ends = number == of.ticket.description.count("\n") + 1
        if run and (ends or len(run) == A_GROUP or (box is None and line.strip())):
            yield _criteria(of, run, group)
            run, group = [], group + 1
        if text and (ends or box is not None):
            yield from ([part] for part in rich("\n".join(text).strip("\n")))
            text = []
        if box is not None:
            run.append(box)
        elif not run:
            text.append(line)


def _criteria(of: Details, boxes: Sequence[Criterion], group: int) -> list[Block]:
    options = [_option(one.text, one.name, one.done) for one in boxes]
    changed = {one.name: criterion_changes(of.ticket, one.text) for one in boxes}
    return _boxes(of, f"criteria {group}", "view_criteria", options, {one.name: one.text for one in boxes}, changed)


def criterion_changes(ticket: Ticket, text: str) -> list[HistoryEntry]:
    """The lines of history that ticked a criterion or took its tick away, newest first."""

    def names(entry: HistoryEntry) -> bool:
        said = (entry.details.get("ticked"), entry.details.get("unticked"))
        return any(isinstance(texts, list) and text[:200] in texts for texts in said)

    return [entry for entry in reversed(ticket.history) if names(entry)]


def _subtasks(of: Details) -> Iterator[list[Block]]:
    subtasks = of.ticket.subtasks
    for first in range(0, len(subtasks), A_GROUP):
        some = subtasks[first : first + A_GROUP]
        options = [
            _option(s.title, subtask_name(s), str(s.status) == "completed", "in progress" * (str(s.status)[0] == "i"))
            for s in some
        ]
        changed = {subtask_name(s): subtask_changes(of.ticket, s) for s in some}
        titles = {subtask_name(s): s.title for s in some}
        blocks = _boxes(of, f"subtasks {first // A_GROUP}", "view_subtasks", options, titles, changed)
        if first == 0:
            done = f"*Subtasks* {of.ticket.completed_subtasks}/{len(subtasks)}"
            blocks.insert(0, {"type": "section", "text": {"type": "mrkdwn", "text": done}})
        yield blocks


def subtask_name(subtask: Subtask) -> str:
    """A subtask as its box keeps it: which one it is, and where it stood."""
    which = hashlib.sha256((subtask.id or subtask.title).encode(errors="replace")).hexdigest()[:8]
    return f"{which}.{subtask.position}"


def subtask_changes(ticket: Ticket, subtask: Subtask) -> list[HistoryEntry]:
    """The lines of history about a subtask, newest first."""

    def about(entry: HistoryEntry) -> bool:
        if not entry.action.startswith("subtask_"):
            return False
        which = entry.details.get("subtaskId")
        return which == subtask.id if subtask.id and which else entry.details.get("title") == subtask.title

    return [entry for entry in reversed(ticket.history) if about(entry)]


def _option(text: str, value: str, done: bool, more: str = "") -> tuple[Block, bool]:
    line = " ".join(text.split()) or "(no text)"
    at = len(line)
    if at > LONGEST_LABEL:
        at = max(line.rfind(" ", 0, LONGEST_LABEL + 1), LONGEST_LABEL // 2)
    option: Block = {"text": {"type": "plain_text", "text": line[:at]}, "value": value}
    rest = " · ".join(part for part in (line[at:].lstrip(), more) if part)
    if rest:
        fits = len(rest) <= LONGEST_LABEL
        option["description"] = {"type": "plain_text", "text": rest if fits else rest[: LONGEST_LABEL - 1] + "…"}
    return option, done


def _boxes(
    of: Details,
    name: str,
    action: str,
    options: Sequence[tuple[Block, bool]],
    titles: Mapping[str, str],
    changed: Mapping[str, Sequence[HistoryEntry]],
) -> list[Block]:
    """At most ten boxes; below them what does not fit beside them whole, and who changed each, where the file tells."""
    element: Block = {"type": "checkboxes", "action_id": action, "options": [option for option, _ in options]}
    done = [option for option, ticked in options if ticked]
    if done:
        element["initial_options"] = done
    blocks: list[Block] = [{"type": "actions", "block_id": f"{name} {of.drawn}", "elements": [element]}]
    long = [text for text in titles.values() if len(" ".join(text.split())) > LONGEST_LABEL + 20]
    for text in long:
        blocks += typed(f"“{text}”")
    lines = [_told(of, titles[which], entries) for which, entries in changed.items() if entries]
    if lines:
        blocks.append(context("\n".join(lines)))
    return blocks


def _told(of: Details, title: str, entries: Sequence[HistoryEntry]) -> str:
    """Who changed a subtask or criterion last, in which turn and by which tool; and how often before."""
    last = entries[0]
    to = str(last.details.get("to") or ("ticked" if last.details.get("ticked") else last.action.rpartition("_")[2]))
    if last.action == "updated" and title[:200] in _texts(last, "unticked"):
        to = "unticked"
    where = f" {found}" if (found := of.deeds.get(last.op or "")) else ""
    line = f"{cut(title, 60)}: {to.replace('_', ' ')} by {doer(last)}{where}"
    earlier = f" (+{len(entries) - 1} before)" if len(entries) > 1 else ""
    return f"{line} · {when(last.timestamp)}{earlier}"


def _texts(entry: HistoryEntry, key: str) -> list[object]:
    found = entry.details.get(key)
    return list(found) if isinstance(found, list) else []


def _relations(of: Details) -> Iterator[list[Block]]:
    rows = [("Blocked by", one) for one in of.blockers] + [("Relates to", one) for one in of.related]
    rows += [("Part of", of.parent)] if of.parent else []
    lines = [f"{word} {other(one)}" for word, one in rows[:MOST_RELATIONS]]
    if len(rows) > MOST_RELATIONS:
        lines.append(f"… and {len(rows) - MOST_RELATIONS} more")
    for first in range(0, len(lines), A_GROUP):
        yield [context("\n".join(lines[first : first + A_GROUP]))]
