"""Runs a turn from wherever its rows stand to its end, or to where people must decide, and shows it in the thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from bot.agent.toolbox import Toolbox
from bot.agent.turn import Outcome, Setting, run_turn, until_stopped
from bot.definitions.agents import Agent
from bot.errors import WorkspaceUnknown
from bot.inbox import posts
from bot.inbox.claim import Claim
from bot.sessions import transcript
from bot.sessions.linking import current_link
from bot.sessions.questions import questions_of_turn
from bot.sessions.session import ChatSession
from bot.sessions.transcript import Step, Turn
from bot.slack.agent import asking
from bot.slack.agent.answer import PARTS, Answer, answer_of, stretches
from bot.slack.agent.attachments import fetch_files
from bot.slack.agent.context import context
from bot.slack.agent.costs import limit_reached
from bot.slack.agent.preview import Preview
from bot.slack.agent.stopping import what_was_done
from bot.slack.agent.tools import gate_for, tools_for
from bot.slack.delivery import deliver, sweep
from bot.slack.parts import Parts
from bot.slack.sessions.edits import catch_up
from bot.slack.sessions.opening import refresh_header
from bot.slack.views.answer_blocks import answer_actions, not_offered, servers_away
from bot.slack.views.markdown import failed_note

MOST_ATTEMPTS = 6
GAVE_UP = "I tried several times and something went wrong each time. What was done so far is shown above."
DAY_MS = 86_400_000


async def run(parts: Parts, claim: Claim, session: ChatSession, turn: Turn, begun: Stand | None = None) -> None:
    """Brings the turn to its end, or on to where it waits: first run (from where it has `begun`), after a
    crash, or taken up again."""
    shown: posts.Post | None = None
    if turn.state != "answered":
        await deliver(parts, claim)
        stand = begun if begun else await claim.write("turn attempt", lambda c: take_stand(c, session, turn.id))
        turn = stand.turn
        preview = Preview(
            parts, claim, turn, parts.appends, part=stand.part, earlier=stand.earlier, stands=stand.stands
        )
        try:
            if turn.attempts > MOST_ATTEMPTS:
                outcome = Outcome("failed", GAVE_UP)
            else:
                outcome = await until_stopped(claim.stop, _ask(parts, claim, session, stand, preview))
        except BaseException:
            await preview.close([], "")
            raise
        shown = await _settle(parts, claim, session, turn, outcome, preview)
        if turn.attempts > 1:
            await deliver(parts, claim)
            await sweep(parts, claim, turn)
    if shown is None or not await claim.write("answer shown", lambda c: _end(c, turn, shown, parts.now_ms())):
        await deliver(parts, claim)
        await claim.write("turn done", lambda c: _done(c, turn, parts.now_ms()))


@dataclass(frozen=True)
class Stand:
    """A turn where it is run (again).

    `part` numbers the message that it goes on in, and `stands` says whether that is in the thread already: what stood
    there when people were asked stays as it is. `earlier` are the ops of the tool calls that stand before it.
    """

    turn: Turn
    ticket_id: str | None
    part: int
    stands: bool
    earlier: frozenset[str]


def take_stand(connection: Connection, session: ChatSession, turn_id: int) -> Stand:
    """Notes that the turn is being run (again), and gives where it stands."""
    turn = transcript.count_turn_attempt(connection, turn_id)
    linked = current_link(connection, session.id)
    asked = questions_of_turn(connection, turn.id)
    steps = transcript.steps_of(connection, [turn.id])[turn.id] if asked else []
    before = [step for step in steps if any(call.op in asked for call in step.calls)]
    last = before[-1].n if before else -1
    earlier = frozenset(call.op for step in steps if step.n <= last for call in step.calls)
    part = len(before) * PARTS
    post = posts.by_key(connection, posts.answer_key(turn.key, part))
    stands = post is not None and post.ts is not None
    return Stand(turn, linked.ticket_id if linked else None, part, stands, earlier)


async def _ask(parts: Parts, claim: Claim, session: ChatSession, stand: Stand, preview: Preview) -> Outcome:
    turn, ticket_id = stand.turn, stand.ticket_id
    try:
        workspace = parts.workspaces.named(session.workspace)
    except WorkspaceUnknown as error:
        return Outcome("failed", error.text)
    agent = workspace.agent(turn.agent)
    acting: dict[str, Any] = {
        "sciorex/actor": {"type": "agent", "id": agent.id, "onBehalfOf": turn.asked_by},
        **({"sciorex/linkedTicket": ticket_id} if ticket_id else {}),
    }

    async def caught_up() -> bool:
        return (await catch_up(parts, claim))[1]

    await preview.started()
    tools = await tools_for(parts, claim, workspace, session, turn, agent)
    await _say_what_is_missing(claim, session, turn, agent, tools)
    setting = Setting(
        agent=agent,
        model=parts.model,
        tools=tools,
        gate=gate_for(parts, claim, workspace, session, turn),
        context=lambda: context(parts, claim, workspace, turn, ticket_id),
        acting=acting,
        now_ms=parts.now_ms,
        files=lambda: fetch_files(parts, claim, session),
        catch_up=caught_up,
        stop_at=lambda: limit_reached(parts, claim, session, turn),
    )
    return await run_turn(claim, turn, setting, preview)


async def _say_what_is_missing(claim: Claim, session: ChatSession, turn: Turn, agent: Agent, tools: Toolbox) -> None:
    """What the agent's file names and nobody offers, once in a thread; servers that are away, at each turn."""
    notices = {}
    if tools.missing:
        notices[f"missing.{session.id}.{agent.id}"] = not_offered(agent.name, tools.missing)
    if tools.down:
        notices[f"down.{turn.key}"] = servers_away(tools.down)

    def put(connection: Connection) -> None:
        for key, shown in notices.items():
            posts.put(connection, key=key, thread_id=claim.thread_id, role="notice", want=shown.as_want())

    if notices:
        await claim.write("tools missing", put)


async def _settle(
    parts: Parts, claim: Claim, session: ChatSession, turn: Turn, outcome: Outcome, preview: Preview
) -> posts.Post | None:
    """Writes down what shall stand in the thread for good, with the turn's end or its wait, in one transaction.

    Gives the message that shows it already, if the stream does.
    """
    note = ""
    if outcome.state == "failed":
        note = failed_note(outcome.error or "I could not finish.")
    elif outcome.state == "stopped" and (claim.stop.is_set() or await claim.read(lambda c: _began(c, turn))):
        note = await claim.read(lambda c: what_was_done(c, turn))
    await refresh_header(parts, claim, session.id)

    def end(connection: Connection) -> tuple[Answer, list[posts.Post]]:
        if outcome.state == "waiting":
            expires_ms = parts.now_ms() + int(parts.access.days * DAY_MS)
            asking.ask(connection, outcome.asks, now_ms=parts.now_ms(), expires_ms=expires_ms)
            transcript.wait_for_people(connection, turn.id)
        elif outcome.state == "answered":
            transcript.set_turn_state(connection, turn.id, "answered")
        else:
            transcript.end_turn(connection, turn.id, outcome.state, parts.now_ms(), error=outcome.error)
        steps = transcript.steps_of(connection, [turn.id])[turn.id]
        asked = questions_of_turn(connection, turn.id)
        actions = answer_actions(turn.key, failed=outcome.state == "failed", undo=_has_written(steps))
        now = transcript.get_turn(connection, turn.id)
        made = answer_of(now, steps, asked, note=note, actions=() if outcome.state == "waiting" else actions)
        posts.put_answer(connection, claim.thread_id, turn.id, turn.key, made.wants)
        return made, posts.answer_parts(connection, turn.id)

    answer, shown = await claim.write("answer", end)
    wants = [want for part, want in answer.wants.items() if part >= answer.first]
    closed = await preview.close(wants, answer.last)
    await preview.resting(waits=outcome.state == "waiting")
    return next(post for post in shown if post.part == answer.first) if closed else None


def _began(connection: Connection, turn: Turn) -> bool:
    """Whether there is anything of the turn to be seen."""
    steps = transcript.steps_of(connection, [turn.id])[turn.id]
    return any(step.role == "assistant" for step in stretches(steps, ())[0])


def _has_written(steps: list[Step]) -> bool:
    """Whether a tool may have changed something that can be taken back."""
    calls = [call for step in steps for call in step.calls]
    return any(call.before and call.state == "done" and not call.is_error for call in calls)


def _end(connection: Connection, turn: Turn, shown: posts.Post | None, now_ms: int) -> bool:
    """Ends the turn if all of it stands in the thread, `shown` being there by now; False where posts are behind."""
    if shown:
        posts.shown(connection, shown.id, shown.want_rev)
        if not posts.unshown(connection, shown.thread_id):
            _done(connection, turn, now_ms)
            return True
    return False


def _done(connection: Connection, turn: Turn, now_ms: int) -> None:
    if transcript.get_turn(connection, turn.id).state == "answered":
        transcript.end_turn(connection, turn.id, "done", now_ms)
