"""Which tool calls a person must approve first: the strictest of three rules wins; no I/O."""

from __future__ import annotations

import json
from collections.abc import Collection
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from bot.agent.toolbox import Offered
from bot.definitions.agents import Agent
from bot.sessions.transcript import JsonObject


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


def same_change(approved: JsonObject, now: JsonObject) -> bool:
    """Whether a call would do to tickets just what a person was shown: the same fields and subtasks, from and to the
    same. What else the tickets hold, and the time in the new line of history, may differ."""
    shown, found = approved.get("changes"), json.loads(json.dumps(now.get("changes")))
    return _done_by(shown) == _done_by(found)


def _done_by(changes: Any) -> list[object]:
    """The changes of tickets, as cards have them, without what a change of something else makes of them."""
    done: list[object] = []
    for change in changes or ():
        before, after = dict(change["before"]), dict(change["after"])
        was, to = before.get("subtasks") or [], after.get("subtasks") or []
        before["subtasks"], after["subtasks"] = [s for s in was if s not in to], [s for s in to if s not in was]
        after["history"] = [{**line, "timestamp": None} for line in after.get("history") or []]
        done.append((change["id"], before, after))
    return done
