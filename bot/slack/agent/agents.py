"""Which of a workspace's agents is meant, and with which one a session begins."""

from __future__ import annotations

import logging

from bot.definitions.agents import DEFAULT_AGENT, Agent, Agents
from bot.definitions.finding import find_agent
from bot.errors import BotError
from bot.slack.parts import Parts
from bot.slack.workspaces import Workspace

log = logging.getLogger(__name__)


def meant(agents: Agents, words: str) -> Agent:
    """The agent that somebody names, by id or name. Raises BotError, with the nearest ones."""
    return find_agent(agents, words.strip("`\"'“” "))


def kind_of(agent: Agent) -> str:
    """What a session with this agent is: an agent's, or a plain chat with the built-in one."""
    return "chat" if agent.id == DEFAULT_AGENT.id else "agent"


def first_agent(parts: Parts, workspace: Workspace, channel: str) -> Agent:
    """The agent with which a session begins here, as the settings say; one that is not there is logged."""
    wanted = parts.agents.channels.get(channel) or parts.agents.default
    if wanted is None:
        return workspace.agent(DEFAULT_AGENT.id)
    try:
        return meant(workspace.offered(), wanted)
    except BotError as error:
        log.warning("agents in the file of SCIOREX_CONFIG, for %s: %s", channel, error.text)
        return workspace.agent(DEFAULT_AGENT.id)
