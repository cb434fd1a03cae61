"""Which agent answers in a thread: `use code-reviewer`, the header's menu, the settings' choice for a channel."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.definitions.agents import Agent
from bot.errors import SessionNotFound
from bot.inbox import posts
from bot.inbox.claim import Claim, Item
from bot.sessions.running import choose_agent
from bot.sessions.session import ChatSession, find_by_thread
from bot.slack.agent.agents import kind_of, meant
from bot.slack.intake import clicks
from bot.slack.intake.place import place_of
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, may_work_here, notice
from bot.slack.sessions.opening import refresh_header
from bot.slack.views import agent_blocks, blocks


async def picked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """An agent in the header's menu."""
    chosen = str(body["actions"][0]["selected_option"]["value"])
    await clicks.take_in(parts, body, "use", place_of(body), agent=chosen)
    await ack()


async def use(parts: Parts, claim: Claim, item: Item) -> None:
    """`use` lists the agents, `use code-reviewer` lets that one answer from the next turn on. Body: {user, agent}."""
    words, user = str(item.body.get("agent") or ""), str(item.body["user"])
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session is None:
        raise SessionNotFound("This thread is no session yet: mention me in it, or link it to a ticket.")
    workspace = parts.workspaces.named(session.workspace)
    agents = await workspace.in_files(workspace.offered)
    if not words:
        await answer(parts, claim, item, agent_blocks.agents_list(list(agents.by_id.values()), session.agent))
        return
    agent = meant(agents, words)
    await may_work_here(parts, claim, user)
    model, kind = agent.model or parts.model.default, kind_of(agent)
    changed = await claim.write("choose agent", lambda c: choose_agent(c, session.id, agent.id, model, kind=kind))
    if not changed and item.attempts == 0:
        await answer(parts, claim, item, blocks.said(f"{agent.name} answers here already."))
        return
    await refresh_header(parts, claim, session.id)
    await notice(parts, claim, item, agent_blocks.agent_chosen(agent, user))


def say_gone(connection: Connection, claim: Claim, session: ChatSession, agent: Agent) -> None:
    """Says in the thread, once, that the chosen agent's file is not to be had and another answers."""
    if agent.id != session.agent:
        want = agent_blocks.agent_gone(session.agent, agent.name).as_want()
        key = f"gone.{session.id}.{session.agent}"
        posts.put(connection, key=key, thread_id=claim.thread_id, role="notice", want=want)
