"""The agents of a workspace as people see them: a list, the header's menu, notices. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.definitions.agents import Agent
from bot.slack.views.blocks import LONGEST_SECTION, Block, Shown, cut, notice, section
from bot.slack.views.modals import option

MOST_OPTIONS = 100
LONGEST_VALUE = 150


def agents_list(agents: Sequence[Agent], current: str) -> Shown:
    """What `use` alone answers."""
    top = "*Agents here*, chosen with `use` and the id:"
    lines = [_line(agent, chosen=agent.id == current) for agent in agents]
    shown: list[str] = []
    for line in lines:
        if len(top) + sum(len(one) + 1 for one in shown) + len(line) > LONGEST_SECTION - 40:
            shown.append(f"… and {len(lines) - len(shown)} more")
            break
        shown.append(line)
    text = "\n".join([top, *shown])
    return Shown(text, [section(text)])


def _line(agent: Agent, *, chosen: bool) -> str:
    about = f": {cut(agent.description, 120)}" if agent.description else ""
    return f"• `{cut(agent.id, 80)}` {cut(agent.name, 80)}{' (answers here)' if chosen else ''}{about}"


def agent_chosen(agent: Agent, by: str) -> Shown:
    """Said in the thread."""
    return notice(f"🤖 <@{by}> chose the agent *{cut(agent.name, 80)}*. It answers from the next message on.")


def agent_gone(agent_id: str, instead: str) -> Shown:
    """Said in the thread when the chosen agent's file went away, cannot be read, or is not the only one with its id."""
    return notice(
        f"⚠️ The agent `{cut(agent_id, 80)}` is not there any more, its file cannot be read, "
        f"or more than one file has this id; {cut(instead, 80)} answers instead. `use` lists the agents."
    )


def agent_select(agents: Sequence[Agent], current: str) -> Block | None:
    """The header's menu of agents, the current one chosen; None where there is nothing to choose."""
    fitting = [agent for agent in agents if len(agent.id) <= LONGEST_VALUE]
    if len(fitting) < 2:
        return None
    first = sorted(fitting, key=lambda agent: agent.id != current)[:MOST_OPTIONS]
    options = [option(agent.name, agent.id) for agent in fitting if agent in first]
    made: Block = {
        "type": "static_select",
        "action_id": "agent_choose",
        "placeholder": {"type": "plain_text", "text": "Choose an agent"},
        "options": options,
    }
    if chosen := next((one for one in options if one["value"] == current), None):
        made["initial_option"] = chosen
    return made
