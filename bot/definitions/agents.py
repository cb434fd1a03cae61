"""Reads the agents of a workspace, .sciorex/agents/**/*.yaml, in both dialects that real files use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.definitions.reading import Invalid, Problem, read_folder, text_of

__all__ = ["Agent", "Agents", "Problem", "read_agents"]
TICKETS_SERVER, INTERACTIONS_SERVER = "sciorex-tickets", "sciorex-interactions"
RESOURCES_SERVER = "sciorex-resources"
FOLDER, ENDINGS = ".sciorex/agents", (".yaml", ".yml")
THINKING = {"off": None, "think": 1_024, "think-hard": 10_000, "think-harder": 16_000, "ultrathink": 32_000}


@dataclass(frozen=True)
class Agent:
    """An agent as its file defines it.

    `model` may be a dated id that the API no longer serves. `allowed_tools` and `mcp_servers` are None where
    the file says nothing (everything on offer), and empty where it says none; `denied_tools` are those it takes
    away. `auto_approve` is the form with a bool, None where there is none; the form with a list stands in
    `auto_approve_tools`, together with autoApproveTools.
    """

    id: str
    name: str
    description: str = ""
    icon: str = "🤖"
    system_prompt: str = ""
    model: str | None = None
    max_tokens: int | None = None
    thinking_level: str | None = None
    allowed_tools: tuple[str, ...] | None = None
    mcp_servers: tuple[str, ...] | None = None
    denied_tools: tuple[str, ...] = ()
    auto_approve: bool | None = None
    auto_approve_tools: tuple[str, ...] = ()
    requires_human_approval: tuple[str, ...] = ()

    @property
    def thinking_budget(self) -> int | None:
        """Tokens it may think with; None where it does not, or where nobody knows the word."""
        return THINKING.get(re.sub(r"[\s_]+", "-", (self.thinking_level or "").lower()))


@dataclass(frozen=True)
class Agents:
    """The workspace's agents by id, and the files that are none; one bad file never hides the others.

    `files` are those in which an id stands, relative to the workspace; more than one where it is ambiguous.
    """

    by_id: Mapping[str, Agent]
    problems: tuple[Problem, ...] = ()
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def get(self, agent_id: str) -> Agent | None:
        """The agent with this id, the built-in one included."""
        return self.by_id.get(agent_id, DEFAULT_AGENT if agent_id == DEFAULT_AGENT.id else None)


DEFAULT_AGENT = Agent(
    id="sciorex",
    name="Sciorex",
    description="Works on tickets together with the people of a thread.",
    icon="🎫",
    system_prompt=(
        "You are Sciorex, a software engineer who works on tickets together with the people of a Slack "
        "thread. Be concrete and brief. When a thread is linked to a ticket, work from its requirements, "
        "acceptance criteria and subtasks, and keep the ticket up to date as the work moves on: when somebody "
        "asks for a change of the ticket, make it with the tools, then say what changed. Say plainly what you "
        "cannot see or do."
    ),
    mcp_servers=(TICKETS_SERVER, INTERACTIONS_SERVER),
)


def read_agents(folder: Path) -> Agents:
    """The agents of the workspace in `folder` (the one that holds .sciorex/); no such folder means none.

    Two files with one id are both named as a problem, and neither is taken.
    """
    found = read_folder(folder, FOLDER, ENDINGS, "agent", agent_from)
    return Agents(found.by_id, found.problems, found.files)


def agent_from(raw: Mapping[str, Any]) -> Agent:
    """What a file's keys and values define; keys it does not know are left alone. Raises Invalid."""
    agent_id = text_of(raw, "id")
    if not agent_id:
        raise Invalid("it has no id")
    auto = raw.get("autoApprove")
    return Agent(
        id=agent_id,
        name=text_of(raw, "name") or agent_id,
        description=text_of(raw, "description"),
        icon=text_of(raw, "icon") or "🤖",
        system_prompt=text_of(raw, "systemPrompt"),
        model=text_of(raw, "model") or None,
        max_tokens=_count(raw, "maxTokens"),
        thinking_level=_thinking(raw),
        allowed_tools=_names(raw, "allowedTools"),
        denied_tools=_names(raw, "allowedTools", allowed=False) or (),
        mcp_servers=_names(raw, "mcpServers"),
        auto_approve=auto if isinstance(auto, bool) else None,
        auto_approve_tools=(
            *((_names(raw, "autoApprove") or ()) if isinstance(auto, list) else ()),
            *(_names(raw, "autoApproveTools") or ()),
        ),
        requires_human_approval=_names(raw, "requiresHumanApproval") or (),
    )


def _count(raw: Mapping[str, Any], key: str) -> int | None:
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Invalid(f"{key} is not a whole number above 0")
    return value


def _thinking(raw: Mapping[str, Any]) -> str | None:
    return "off" if raw.get("thinkingLevel") is False else text_of(raw, "thinkingLevel") or None  # YAML: off is false


def _names(raw: Mapping[str, Any], key: str, *, allowed: bool = True) -> tuple[str, ...] | None:
    """A list of names, or of {tool: name, allowed: bool, …}; those that are allowed, or those that are not."""
    value = raw.get(key)
    if value is None:
        return None
    if not isinstance(value, list):
        raise Invalid(f"{key} is not a list")
    names: list[str] = []
    for entry in value:
        name = (entry.get("tool") or entry.get("name")) if isinstance(entry, dict) else entry
        if not isinstance(name, str) or not name:
            raise Invalid(f"{key} has an entry without a name")
        if allowed is not (isinstance(entry, dict) and entry.get("allowed", True) is False):
            names.append(name)
    return tuple(names)
