"""A ticket's history in words: who did what and when, in which session and turn. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.sessions.reading import Deed, Whereabouts
from bot.slack.views.blocks import Block, context, cut, linked
from bot.slack.views.paging import paged
from bot.tickets.change import HistoryEntry, Value
from bot.tickets.closing import SESSIONS

SLACK_ID = re.compile(r"[UW][A-Z0-9]{2,30}\Z")
LONGEST = 600
OWN_KEYS = ("op", "onBehalfOf", "sessionId", "review")


def activity(
    entries: Sequence[HistoryEntry], deeds: Mapping[str, str], known: Mapping[str, str], number: int
) -> list[Block]:
    """A page of the history, newest first. `known` are the sessions that the viewer may see, by id, as `linked`
    writes them, and `deeds` what tells of tool calls in them, by op; of other sessions there is no trace."""
    shown = [entry for entry in reversed(entries) if (i := session_of(entry)) is None or i in known]
    if not shown:
        return [context("Nothing has happened to this ticket yet.")]
    groups = [[context(_line(entry, deeds, known))] for entry in shown]
    blocks, page = paged(groups, number)
    return [*blocks, *page.turns()]


def session_of(entry: HistoryEntry) -> str | None:
    """The session that a line of history is about, if it is about one."""
    found = entry.details.get("sessionId")
    return found if isinstance(found, str) and found else None


def sessions_in(entries: Sequence[HistoryEntry]) -> set[str]:
    """Every session that a history names."""
    named = {i for entry in entries if (i := session_of(entry))}
    return named | {i for entry in entries for line in _review(entry) if (i := _reviewed(line))}


def _line(entry: HistoryEntry, deeds: Mapping[str, str], known: Mapping[str, str]) -> str:
    where = known.get(session_of(entry) or "") or deeds.get(entry.op or "", "")
    parts = [f"{when(entry.timestamp)} · {doer(entry)} · {_did(entry)} {where}".rstrip()]
    open_then = [line for line in _review(entry) if (i := _reviewed(line)) is None or i in known]
    for line in open_then[:20]:
        kind, _, what = line.partition(": ")
        parts.append(f"      ⚠️ open then: {cut(kind, 40)} {known.get(_reviewed(line) or '') or cut(what, 100)}")
    if len(open_then) > 20:
        parts.append(f"      … and {len(open_then) - 20} more")
    return "\n".join(parts)


def _did(entry: HistoryEntry) -> str:
    """What was done, in words."""
    said = entry.details
    was, now, title = (cut(str(said.get(key) or ""), 100) for key in ("from", "to", "title"))
    words = {
        "created": "made the ticket",
        "status_changed": f"moved it from `{was}` to `{now}`",
        "comment_added": f"commented: {_text(said.get('comment'))}",
        "progress_reported": f"reported{_percent(said.get('percentage'))}: {_text(said.get('message'))}",
        "subtask_added": f"added the subtask “{title}”",
        "subtask_completed": f"completed the subtask “{title}”",
        "subtask_updated": f"set the subtask “{title}” to {now.replace('_', ' ')}",
        "subtask_removed": f"took away the subtask “{title}”",
        "blocker_added": f"added the blocker {_text(said.get('blockerTicketId'))}",
        "blocker_removed": f"took away the blocker {_text(said.get('blockerTicketId'))}",
        "epic_changed": f"moved it to the epic {now or 'none'}",
        "session_linked": "linked the session",
        "session_unlinked": "ended the link of the session",
        "session_archived": "archived the session",
        "session_referenced": "named the ticket in the session",
    }.get(entry.action)
    if entry.action == "updated":
        words = _updated(entry)
    if entry.action == "status_changed" and said.get("comment"):
        words = f"{words}: {_text(said.get('comment'))}"
    return words or f"{cut(entry.action.replace('_', ' '), 60)} {_rest(said)}".strip()


def _updated(entry: HistoryEntry) -> str:
    fields, said = entry.details.get("fields"), []
    for key in ("ticked", "unticked"):
        texts = entry.details.get(key)
        said += [f"{key} “{cut(str(text), 100)}”" for text in texts[:5]] if isinstance(texts, list) else []
    names = ", ".join(cut(str(name), 30) for name in fields[:12]) if isinstance(fields, list) else ""
    return ", ".join(said) or f"changed {names or 'it'}"


def _rest(said: Mapping[str, Value]) -> str:
    left = {key: value for key, value in said.items() if key not in OWN_KEYS}
    return cut(json.dumps(left, ensure_ascii=False, default=str), 200) if left else ""


def _text(value: Value) -> str:
    return cut(str("" if value is None else value), LONGEST)


def _percent(value: Value) -> str:
    return f" {value} %" if isinstance(value, int | float) else ""


def _review(entry: HistoryEntry) -> list[str]:
    found = entry.details.get("review")
    return [str(line) for line in found] if isinstance(found, list) else []


def _reviewed(line: str) -> str | None:
    """The session that a line of a review is about."""
    kind, _, what = line.partition(": ")
    return what if kind in SESSIONS else None


def doer(entry: HistoryEntry) -> str:
    """Who did it: a person, or an agent and for whom."""
    for_whom = entry.details.get("onBehalfOf")
    if entry.actor_type == "agent":
        return f"🤖 {cut(entry.actor_id or 'agent', 40)}" + (f" for {person(str(for_whom))}" if for_whom else "")
    return person(entry.actor_id or entry.actor_type)


def person(user: str) -> str:
    """Somebody of Slack by name, anybody else as the file has them."""
    return f"<@{user}>" if SLACK_ID.match(user) else cut(user, 40)


def in_session(deed: Deed, slack: str) -> str:
    """In which session, turn and tool call; `slack` is the address of the Slack workspace."""
    tool = deed.tool.rpartition("sciorex_")[2].replace("_", " ")
    return f"in {named(deed.where, slack)} (turn {deed.turn}, {cut(tool, 40)})"


def named(where: Whereabouts, slack: str) -> str:
    """A session's title, leading to its thread."""
    return linked(where.title, thread_address(where, slack))


def thread_address(where: Whereabouts, slack: str) -> str | None:
    """A session's thread in this Slack workspace, without a question to Slack for each."""
    return f"{slack}archives/{where.channel}/p{where.thread_ts.replace('.', '')}" if slack else None


def when_ms(ms: int) -> str:
    """A time in milliseconds, likewise."""
    return when(datetime.fromtimestamp(ms // 1000, UTC))


def when(at: datetime | None) -> str:
    """A time as each reader's Slack shows it."""
    if at is None:
        return "some time"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
