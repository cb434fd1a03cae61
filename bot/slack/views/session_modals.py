"""The modals about sessions as Block Kit views: plan, rename, fork. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.sessions.planning import MOST_TITLES
from bot.sessions.session import LONGEST_TITLE
from bot.slack.views.blocks import Block, cut, section
from bot.slack.views.markdown import plain
from bot.slack.views.modals import View, modal


def plan_modal(ticket_id: str, title: str, titles: Sequence[str], metadata: Mapping[str, str]) -> View:
    """The sessions that a ticket shall have: a title a line, with a plan to begin with."""
    text = (
        f"Sessions for *{plain(ticket_id)}* {cut(title, 150)}: one title a line. Each waits until somebody starts it."
    )
    field = _text("titles", "Titles", "\n".join(titles), most=3_000, lines=True)
    return modal("Plan sessions", "plan_modal", metadata, [section(text), field], submit="Plan")


def rename_modal(title: str, metadata: Mapping[str, str]) -> View:
    """Another title for a session."""
    return modal("Rename session", "rename_modal", metadata, [_title(title)], submit="Rename")


def fork_modal(parent: str, title: str, metadata: Mapping[str, str], *, from_end: bool) -> View:
    """A new thread that begins with what another one came to."""
    until = "everything said and done in it so far" if from_end else "what was said and done up to that message"
    text = f"A new thread in this channel goes on from *{cut(parent, 200)}*: I know {until}."
    return modal("Fork session", "fork_modal", metadata, [section(text), _title(title)], submit="Fork")


def too_many() -> str:
    """The sentence for a plan that is too long."""
    return f"Plan at most {MOST_TITLES} sessions at once."


def _title(title: str) -> Block:
    return _text("title", "Title", title, most=LONGEST_TITLE)


def _text(name: str, label: str, value: str, *, most: int, lines: bool = False) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "multiline": lines, "max_length": most}
    if value.strip():
        element["initial_value"] = value[:most]
    return {
        "type": "input",
        "block_id": name,
        "label": {"type": "plain_text", "text": label},
        "element": element,
    }
