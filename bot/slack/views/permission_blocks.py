"""The permission modes as people see them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from bot.agent.permissions import Mode
from bot.slack.views.blocks import Shown, notice, section
from bot.slack.views.modals import View, modal, option

MEANS = {
    Mode.ASK: "the agent asks before it changes anything",
    Mode.EDITS: "changes of tickets pass; agents, flows and tools of other servers ask first",
    Mode.YOLO: "nothing is asked, but for what the agent's own file names",
}


def mode_shown(mode: Mode) -> Shown:
    """Which mode holds, and how to choose another."""
    others = "\n".join(f"• `mode {one.words}`: {MEANS[one]}" for one in Mode)
    return Shown(f"Permission mode: {mode.words}", [section(f"🔐 The mode here is *{mode.words}*.\n{others}")])


def mode_chosen(mode: Mode, by: str) -> Shown:
    """Said in the thread."""
    return notice(f"🔐 <@{by}> chose the mode *{mode.words}*: {MEANS[mode]}.")


def mode_modal(mode: Mode, metadata: Mapping[str, str]) -> View:
    """A form with the modes."""
    made = {one: option(one.words, one.value) for one in Mode}
    text = "\n".join(f"*{one.words}*: {MEANS[one]}" for one in Mode)
    field = {
        "type": "input",
        "block_id": "mode",
        "label": {"type": "plain_text", "text": "Mode"},
        "element": {
            "type": "radio_buttons",
            "action_id": "mode",
            "options": list(made.values()),
            "initial_option": made[mode],
        },
    }
    return modal("Permissions", "mode_modal", metadata, [section(text), field], submit="Choose")
