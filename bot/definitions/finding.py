"""Finds the agent that a person means by what they typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from bot.definitions.agents import DEFAULT_AGENT, Agent, Agents
from bot.definitions.reading import twice
from bot.errors import BotError

GENERATED = r"-[0-9a-f]{8}"  # what Sciorex puts behind an id
MOST_LISTED = 10


def find_agent(agents: Agents, words: str) -> Agent:
    """The agent of this id, this id without its generated end, or this name, in any case; the built-in one included.

    Raises BotError, with the nearest ones, where there is none or more than one.
    """
    known = {DEFAULT_AGENT.id: DEFAULT_AGENT, **agents.by_id}
    wanted = _plain(words)
    for meant in (lambda agent: agent.id == words.strip(), *_ways(wanted)):
        found = [agent for agent in known.values() if meant(agent)]
        if len(found) == 1:
            return found[0]
        if found:
            raise BotError(f"“{_shown(words)}” may be {_listed(found)}. Say the id.")
    for one_id, files in agents.files.items():
        if len(files) > 1 and wanted in (_plain(one_id), _without_end(one_id)):
            raise BotError(twice("agent", one_id, files))
    near = _nearest(list(known.values()), wanted)
    if near:
        raise BotError(f"There is no agent “{_shown(words)}”. Did you mean {_listed(near)}?")
    more = ", …" if len(known) > MOST_LISTED else ""
    raise BotError(
        f"There is no agent “{_shown(words)}”. There are: {_listed(list(known.values())[:MOST_LISTED], ', ')}{more}."
    )


def _ways(wanted: str) -> Iterator[Callable[[Agent], bool]]:
    yield lambda agent: _plain(agent.id) == wanted
    yield lambda agent: _without_end(agent.id) == wanted
    yield lambda agent: _plain(agent.name) == wanted


def _nearest(known: list[Agent], wanted: str) -> list[Agent]:
    spelled = {spelling: agent for agent in known for spelling in (_plain(agent.name), _plain(agent.id))}
    near = get_close_matches(wanted[:100], list(spelled), 5, 0.6)
    parts = [spelling for spelling in spelled if len(wanted) > 2 and wanted in spelling]
    return list({spelled[one].id: spelled[one] for one in (*near, *parts)}.values())[:5]


def _plain(words: str) -> str:
    return re.sub(r"[\s_]+", "-", words.strip().casefold())


def _without_end(agent_id: str) -> str:
    return re.sub(f"{GENERATED}$", "", _plain(agent_id))


def _listed(agents: list[Agent], last: str = " or ") -> str:
    names = [agent.id if _plain(agent.name) == _plain(agent.id) else f"{agent.id} ({agent.name})" for agent in agents]
    return last.join(filter(None, (", ".join(names[:-1]), names[-1])))


def _shown(words: str) -> str:
    return " ".join(words.split())[:60]
