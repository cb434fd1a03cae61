"""The servers of tools that the agent of a turn can be given, and what stands between a call and its tool."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bot.agent.calls import Gate
from bot.agent.permissions import Mode
from bot.agent.rehearsing import Rehearsals
from bot.agent.toolbox import FILES_SERVER, Toolbox, toolbox
from bot.config_sections import ASKER
from bot.definitions.agents import INTERACTIONS_SERVER, RESOURCES_SERVER, TICKETS_SERVER, Agent
from bot.inbox import posts
from bot.inbox.claim import Claim
from bot.mcp_servers.answers import SessionLine
from bot.mcp_servers.files import files_server
from bot.mcp_servers.interactions import Kind, Notify, interactions_server
from bot.mcp_servers.resources import resources_server
from bot.mcp_servers.server import InProcess, Server
from bot.mcp_servers.session_tools import Sessions
from bot.mcp_servers.tickets import ticket_server
from bot.sessions.listing import sessions_of_ticket
from bot.sessions.planning import upcoming
from bot.sessions.session import ChatSession
from bot.sessions.transcript import Turn
from bot.slack.parts import Parts
from bot.slack.tickets.closing import for_agent
from bot.slack.views.markdown import notified
from bot.slack.workspaces import Workspace
from bot.tickets.change import stamp


async def tools_for(
    parts: Parts, claim: Claim, workspace: Workspace, session: ChatSession, turn: Turn, agent: Agent
) -> Toolbox:
    """What the agent works with in this turn."""
    named = agent.mcp_servers
    servers: list[Server] = []
    if named is None or TICKETS_SERVER in named:
        review = for_agent(parts, claim, workspace, session, turn)
        here = sessions_here(parts, claim, session)
        tickets = ticket_server(workspace.store, sessions=here, review=review, typed=False)
        servers.append(InProcess(TICKETS_SERVER, tickets))
    if named is None or INTERACTIONS_SERVER in named:
        servers.append(InProcess(INTERACTIONS_SERVER, interactions_server(notify_in(claim))))
    if RESOURCES_SERVER in (named or ()):
        servers.append(InProcess(RESOURCES_SERVER, resources_server(workspace.folder, typed=False)))
    if may_read_files(agent):
        hidden = hidden_from(parts, workspace)
        servers.append(InProcess(FILES_SERVER, files_server(workspace.folder, private=hidden)))
    servers += (server for name in sorted(named or ()) if (server := parts.outside.get(name)))
    return await toolbox(agent, servers)


def gate_for(parts: Parts, claim: Claim, workspace: Workspace, session: ChatSession, turn: Turn) -> Gate:
    """Who decides on what the agent wants to do in this turn, and how it is shown to them."""
    rehearsals = Rehearsals(workspace.store, workspace.folder, for_agent(parts, claim, workspace, session, turn))
    return Gate(
        mode=Mode(parts.access.mode),
        who_may=tuple(turn.asked_by if one == ASKER else one for one in parts.access.approvers),
        rehearse=rehearsals.rehearse,
        before=rehearsals.before,
        done=rehearsals.done,
        refused=rehearsals.refused,
    )


def may_read_files(agent: Agent) -> bool:
    """Whether the agent's file lets it have Read, Glob or Grep; the toolbox says which."""
    names = {
        name.partition(":")[0].partition("(")[0].removeprefix("mcp__files__") for name in agent.allowed_tools or ()
    }
    return agent.allowed_tools is None or not names.isdisjoint(("Read", "Glob", "Grep", "*"))


def hidden_from(parts: Parts, workspace: Workspace) -> list[Path]:
    """What lies in the workspace's folder and is not for Read, Glob and Grep: settings, data, another workspace.

    Tickets too: their files tell of sessions that not everybody who reads along may know of. They have their own tools.
    """
    own = workspace.folder.resolve()
    others = [folder for one in parts.workspaces if (folder := one.folder.resolve()) != own]
    inner = [folder for folder in others if own in folder.parents]
    return [*parts.private_paths, *inner, workspace.folder / ".sciorex" / "tickets"]


def notify_in(claim: Claim) -> Notify:
    """sciorex_notify_user: a message of its own in the thread, once for each call."""

    async def notify(op: str, kind: Kind, message: str, details: str | None) -> None:
        want = notified(kind, message, details).as_want()
        key = f"notified.{op}"
        await claim.write(
            "notify", lambda c: posts.put(c, key=key, thread_id=claim.thread_id, role="notice", want=want)
        )

    return notify


def sessions_here(parts: Parts, claim: Claim, session: ChatSession) -> Sessions:
    """Lists a ticket's sessions for the agent as everybody in its channel may see them, whoever speaks to it."""

    async def listed(ticket_id: str) -> list[SessionLine]:
        audience, of = await parts.people.audience_in(claim.channel), (session.team, session.workspace, ticket_id)
        planned = await parts.db.read(lambda c: upcoming(c, audience, *of))
        found = await parts.db.read(lambda c: sessions_of_ticket(c, audience, *of))
        to_be = [
            SessionLine(title=one.title, state="upcoming", note=None, lastUpdated=_time(one.ms)) for one in planned
        ]
        return to_be + [
            SessionLine(
                title=one.session.title,
                state=one.state_in_words,
                note=one.note,
                lastUpdated=_time(one.last_ms),
            )
            for one in found
        ]

    return listed


def _time(ms: int) -> str:
    return stamp(datetime.fromtimestamp(ms / 1000, UTC))
