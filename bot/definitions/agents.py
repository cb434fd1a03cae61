"""Reads the agents of a workspace, .sciorex/agents/**/*.yaml, in both dialects that real files use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TICKETS_SERVER, INTERACTIONS_SERVER = "sciorex-tickets", "sciorex-interactions"
RESOURCES_SERVER = "sciorex-resources"


@dataclass(frozen=True)
class Agent:
    """An agent as its file defines it.

    `model` may be a dated id that the API no longer serves. `allowed_tools` and `mcp_servers` are None where
    the file says nothing (everything on offer), and empty where it says none. `auto_approve` is the form with
    a bool; the form with a list stands in `auto_approve_tools`, together with autoApproveTools.
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


@dataclass(frozen=True)
class Problem:
    """An agent's file that could not be taken: file relative to the workspace, line from 1 if known."""

    file: str
    line: int | None
    cause: str

    @property
    def text(self) -> str:
        where = f", line {self.line}" if self.line else ""
        return f"The agent file {self.file}{where} cannot be read: {self.cause}."


@dataclass(frozen=True)
class Agents:
    """The workspace's agents by id, and the files that are none; one bad file never hides the others."""

    by_id: Mapping[str, Agent]
    problems: tuple[Problem, ...] = field(default=())

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


class _Invalid(Exception):
    """What is wrong with a file that is valid YAML but no agent."""


def read_agents(folder: Path) -> Agents:
    """The agents of the workspace in `folder` (the one that holds .sciorex/); no such folder means none.

    Two files with one id are both named as a problem, and neither is taken.
    """
    root = folder / ".sciorex" / "agents"
    found: dict[str, list[tuple[str, Agent]]] = {}
    problems: list[Problem] = []
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".yaml", ".yml") and p.is_file()):
        file = path.relative_to(folder).as_posix()
        agent = _read(path, file)
        if isinstance(agent, Problem):
            problems.append(agent)
        else:
            found.setdefault(agent.id, []).append((file, agent))
    for agent_id, claims in found.items():
        if len(claims) > 1:
            others = ", ".join(file for file, _agent in claims[1:])
            problems.append(Problem(claims[0][0], None, f"the id {agent_id} also stands in {others}"))
    return Agents({i: claims[0][1] for i, claims in found.items() if len(claims) == 1}, tuple(problems))


def _read(path: Path, file: str) -> Agent | Problem:
    try:
        return _agent(yaml.load(path.read_text(encoding="utf-8-sig"), Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        return Problem(file, line, str(error.problem or "it is not valid YAML"))
    except yaml.YAMLError:
        return Problem(file, None, "it is not valid YAML")
    except UnicodeDecodeError:
        return Problem(file, None, "it is not UTF-8 text")
    except OSError as error:
        return Problem(file, None, str(error.strerror or error).lower())
    except _Invalid as invalid:
        return Problem(file, None, str(invalid))


def _agent(raw: object) -> Agent:
    if not isinstance(raw, dict):
        raise _Invalid("it is not a mapping of keys to values")
    agent_id = _text(raw, "id")
    if not agent_id:
        raise _Invalid("it has no id")
    auto = raw.get("autoApprove")
    return Agent(
        id=agent_id,
        name=_text(raw, "name") or agent_id,
        description=_text(raw, "description"),
        icon=_text(raw, "icon") or "🤖",
        system_prompt=_text(raw, "systemPrompt"),
        model=_text(raw, "model") or None,
        max_tokens=_count(raw, "maxTokens"),
        thinking_level=_text(raw, "thinkingLevel") or None,
        allowed_tools=_names(raw, "allowedTools"),
        mcp_servers=_names(raw, "mcpServers"),
        auto_approve=auto if isinstance(auto, bool) else None,
        auto_approve_tools=(
            *((_names(raw, "autoApprove") or ()) if isinstance(auto, list) else ()),
            *(_names(raw, "autoApproveTools") or ()),
        ),
        requires_human_approval=_names(raw, "requiresHumanApproval") or (),
    )


def _text(raw: dict[Any, Any], key: str) -> str:
    value = raw.get(key)
    if isinstance(value, (dict, list)):
        raise _Invalid(f"{key} is not a text")
    return "" if value is None else str(value).strip()


def _count(raw: dict[Any, Any], key: str) -> int | None:
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _Invalid(f"{key} is not a whole number above 0")
    return value


def _names(raw: dict[Any, Any], key: str) -> tuple[str, ...] | None:
    """A list of names, or of {tool: name, allowed: bool, …} of which the allowed ones count."""
    value = raw.get(key)
    if value is None:
        return None
    if not isinstance(value, list):
        raise _Invalid(f"{key} is not a list")
    names: list[str] = []
    for entry in value:
        if isinstance(entry, dict):
            name = entry.get("tool") or entry.get("name")
            if entry.get("allowed", True) is False:
                continue
        else:
            name = entry
        if not isinstance(name, str) or not name:
            raise _Invalid(f"{key} has an entry without a name")
        names.append(name)
    return tuple(names)
