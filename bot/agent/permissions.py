"""Which tool calls a person must approve first: the strictest of three rules wins; no I/O."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.agent.toolbox import Offered
from bot.definitions.agents import Agent


class Mode(StrEnum):
    """A session's permission mode."""

    ASK = "ask"
    EDITS = "edits"
    YOLO = "yolo"

    @property
    def words(self) -> str:
        """As people read it."""
        return {"ask": "ask for all", "edits": "auto-approve edits", "yolo": "YOLO"}[self.value]


def must_ask(agent: Agent, mode: Mode, offered: Offered, allowed: Collection[str]) -> bool:
    """Whether a call of this tool waits for a person.

    Each of the three may say so: the agent's requiresHumanApproval, for any tool; the session's mode; the agent's
    autoApprove, where its file has one. `allowed` are the tools that a person need not be asked about again in this
    session: that counts against the mode and autoApprove, not against requiresHumanApproval.
    """
    if named(offered, agent.requires_human_approval):
        return True
    if not offered.writes or offered.asks_itself or offered.name in allowed:
        return False
    if mode is Mode.ASK or (mode is Mode.EDITS and offered.dangerous):
        return True
    return not _auto_approved(agent, offered)


def _auto_approved(agent: Agent, offered: Offered) -> bool:
    """What the agent's own file says; one that says nothing leaves it to the mode."""
    if agent.auto_approve is True:
        return True
    if agent.auto_approve is None and not agent.auto_approve_tools:
        return True
    return named(offered, agent.auto_approve_tools)


def named(offered: Offered, names: Collection[str]) -> bool:
    """Whether a list of an agent's file names the tool: `Read`, `sciorex_add_comment`, `mcp__server__tool`,
    `mcp__server`, `mcp__server__*`, and `Bash:*` for all uses of a tool."""
    known = (offered.name, offered.tool.name, f"mcp__{offered.server.name}")
    patterns = {
        pattern for name in names for pattern in (name, name.partition(":")[0], name.partition("(")[0]) if pattern
    }
    return any(fnmatchcase(own, pattern) for own in known for pattern in patterns)
