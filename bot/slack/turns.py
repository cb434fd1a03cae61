"""Runs a turn from wherever its rows stand to its end: the agent, what it shows, and the answer in the thread."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from bot.agent.turn import Outcome, Setting, run_turn, tools_of
from bot.errors import WorkspaceUnknown
from bot.inbox import posts
from bot.inbox.claim import Claim
from bot.mcp_servers.answers import SessionLine
from bot.mcp_servers.session_tools import Sessions
from bot.mcp_servers.tickets import ticket_server
from bot.sessions import transcript
from bot.sessions.linking import current_link
from bot.sessions.listing import sessions_of_ticket
from bot.sessions.planning import upcoming
from bot.sessions.session import ChatSession
from bot.sessions.transcript import Turn
from bot.slack.closing import for_agent
from bot.slack.context import context
from bot.slack.delivery import deliver, sweep
from bot.slack.edits import catch_up
from bot.slack.opening import refresh_header
from bot.slack.parts import Parts
from bot.slack.preview import Preview, pieces_of
from bot.slack.views.markdown import answer_parts, answer_text, failed_note, stopped_note
from bot.tickets.change import stamp

MOST_ATTEMPTS = 6
GAVE_UP = "I tried several times and something went wrong each time. What was done so far is shown above."


async def run(parts: Parts, claim: Claim, session: ChatSession, turn: Turn) -> None:
    """Brings the turn to its end: first run, after a crash, or taken up again."""
    if turn.state != "answered":
        await deliver(parts, claim)
        attempts = await claim.write("turn attempt", lambda c: transcript.count_turn_attempt(c, turn.id))
        turn = await claim.read(lambda c: transcript.get_turn(c, turn.id))
        preview = Preview(parts, claim, turn, parts.appends)
        try:
            enough = attempts > MOST_ATTEMPTS
            outcome = Outcome("failed", GAVE_UP) if enough else await _ask(parts, claim, session, turn, preview)
        except BaseException:
            await preview.close([], "")
            raise
        await _settle(parts, claim, session, turn, outcome, preview)
        if attempts > 1:
            await deliver(parts, claim)
            await sweep(parts, claim, turn)
    await deliver(parts, claim)
    await claim.write("turn done", lambda c: _done(c, turn, parts.now_ms()))


async def _ask(parts: Parts, claim: Claim, session: ChatSession, turn: Turn, preview: Preview) -> Outcome:
    try:
        workspace = parts.workspaces.named(session.workspace)
    except WorkspaceUnknown as error:
        return Outcome("failed", error.text)
    linked = await claim.read(lambda c: current_link(c, session.id))
    agent = workspace.agent(turn.agent)
    acting: dict[str, Any] = {
        "sciorex/actor": {"type": "agent", "id": agent.id, "onBehalfOf": turn.asked_by},
        **({"sciorex/linkedTicket": linked.ticket_id} if linked else {}),
    }

    server = ticket_server(
        workspace.store,
        sessions=sessions_here(parts, claim, session),
        review=for_agent(parts, claim, workspace, session, turn),
    )
    async with tools_of(server) as tools:
        setting = Setting(
            agent=agent,
            model=parts.model,
            tools=tools,
            context=lambda: context(workspace, linked.ticket_id if linked else None),
            acting=acting,
            now_ms=parts.now_ms,
            catch_up=lambda: catch_up(parts, claim),
        )
        return await run_turn(claim, turn, setting, preview)


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


async def _settle(
    parts: Parts, claim: Claim, session: ChatSession, turn: Turn, outcome: Outcome, preview: Preview
) -> None:
    """Writes down what shall stand in the thread for good, with the turn's end, in one transaction."""
    steps = (await claim.read(lambda c: transcript.steps_of(c, [turn.id])))[turn.id]
    pieces = pieces_of(steps)
    if outcome.state == "failed":
        pieces.append(("text", failed_note(outcome.error or "I could not finish.")))
    elif outcome.state == "stopped" and (pieces or claim.stop.is_set()):
        pieces.append(("text", stopped_note()))
    whole = answer_text(pieces)
    wants = [shown.as_want() for shown in answer_parts(whole)] if pieces else []
    await refresh_header(parts, claim, session.id)

    def end(connection: Connection) -> list[posts.Post]:
        posts.put_answer(connection, claim.thread_id, turn.id, turn.key, wants)
        if outcome.state == "answered":
            transcript.set_turn_state(connection, turn.id, "answered")
        else:
            transcript.end_turn(connection, turn.id, outcome.state, parts.now_ms(), error=outcome.error)
        return posts.answer_parts(connection, turn.id)

    answer = await claim.write("answer", end)
    if await preview.close(wants, whole):
        first = answer[0]
        await claim.write("answer shown", lambda c: posts.shown(c, first.id, first.want_rev))
    await preview.resting()


def _done(connection: Connection, turn: Turn, now_ms: int) -> None:
    if transcript.get_turn(connection, turn.id).state == "answered":
        transcript.end_turn(connection, turn.id, "done", now_ms)
