"""What a worker does with a thread it has claimed: unfinished turns first, then what came, one after the other."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection

from bot.errors import BotError, TicketNotFound
from bot.inbox import posts
from bot.inbox.claim import Claim, ClaimLost, Item, NotYet, count_attempt, finish
from bot.sessions.session import ChatSession, find_by_thread
from bot.sessions.transcript import Turn, unfinished_turn
from bot.slack.agent import choosing_agents, costs, permitting, quiet, retrying, stopping, undoing
from bot.slack.agent.asking import can_go_on
from bot.slack.agent.talk import talk, word_of
from bot.slack.agent.turns import run
from bot.slack.choosing import workspace
from bot.slack.delivery import deliver
from bot.slack.intake.words import Word, as_typed
from bot.slack.parts import Parts
from bot.slack.sessions import births, erasing, exporting, forking, planning, renaming, resuming, summing
from bot.slack.sessions.archiving import archive_thread, write_behind
from bot.slack.sessions.edits import catch_up, changed
from bot.slack.sessions.link import answer, link, start, unlink
from bot.slack.tickets import cards, find_tickets, new_ticket, status
from bot.slack.tickets.following import ticket_changed
from bot.slack.tickets.ticket_command import slash_ticket
from bot.slack.tickets.ticking import tick
from bot.slack.views import blocks

log = logging.getLogger(__name__)
Handler = Callable[[Parts, Claim, Item], Awaitable[None]]
MOST_ATTEMPTS = 6
A_MOMENT = 200  # ms
SLACK_IS_AWAY = (ClientError, TimeoutError, ConnectionError)


async def work(parts: Parts, claim: Claim) -> int | None:
    """Does everything that waits in the thread; gives when to come back (ms) where something failed for now."""
    item: Item | None = None
    try:
        await go_on(parts, claim)
        while True:
            items, _ = await catch_up(parts, claim)
            if not items:
                return None
            item = items[0]
            await claim.write("attempt", lambda c, i=item: count_attempt(c, [i]))  # type: ignore[misc]
            await one(parts, claim, item, items)
            await catch_file_up(parts, claim)
            await deliver(parts, claim)
            item = None
    except ClaimLost:
        raise
    except NotYet:
        return parts.now_ms() + A_MOMENT
    except Exception as error:
        return await failed(parts, claim, item, error)


async def go_on(parts: Parts, claim: Claim) -> None:
    """Ends what was begun, as people have left it: posts and an archive's file that are behind, a turn cut off."""

    def cut_off(connection: Connection) -> tuple[ChatSession | None, Turn | None]:
        session = find_by_thread(connection, claim.thread_id)
        return session, unfinished_turn(connection, session.id) if session else None

    await catch_up(parts, claim)
    session, turn = await claim.look(cut_off)
    if session and turn and (turn.state != "waiting" or await can_go_on(parts, claim, turn)):
        await run(parts, claim, session, turn)
    await catch_file_up(parts, claim)
    await deliver(parts, claim)


async def catch_file_up(parts: Parts, claim: Claim) -> None:
    """Writes an archive's file that is behind its chain; a disk that refuses is asked again next time."""
    try:
        await write_behind(parts, claim)
    except BotError as error:
        log.warning("the archive's file of thread %s stays behind for now: %s", claim.thread_id, error.text)


async def one(parts: Parts, claim: Claim, item: Item, items: list[Item]) -> None:
    """One item, or the messages at the head of the queue together; what can be expected to fail is told."""
    try:
        if item.kind != "message":
            await HANDLERS[item.kind](parts, claim, item)
        elif word := word_of(parts, item):
            await command(parts, claim, item, word)
        else:
            await talk(parts, claim, items)
    except TicketNotFound as error:
        await answer(parts, claim, item, blocks.unknown_ticket(error.text, error.nearest))
    except BotError as error:
        await answer(parts, claim, item, blocks.error(error.text))


async def command(parts: Parts, claim: Claim, item: Item, word: Word) -> None:
    """A command typed as words in the thread."""
    argument = word.argument
    if word.verb == "link" and not argument:
        await answer(parts, claim, item, blocks.which_link())
    elif word.verb == "link":
        await link(parts, claim, _with(item, ticket_id=argument))
    elif word.verb == "unlink":
        await unlink(parts, claim, item)
    elif word.verb == "archive":
        await archive_thread(parts, claim, _with(item, note=argument))
    elif word.verb == "sessions":
        await cards.show_sessions(parts, claim, item)
    elif word.verb == "status":
        await status.linked_status(parts, claim, item, as_typed(argument))
    elif word.verb == "rename":
        await renaming.rename(parts, claim, _with(item, title=as_typed(argument)))
    elif word.verb == "fork":
        await forking.fork_word(parts, claim, item)
    elif word.verb == "export":
        await exporting.export(parts, claim, _with(item, argument=argument))
    elif word.verb == "resume":
        await resuming.resume_session(parts, claim, item)
    elif word.verb == "plan":
        await planning.plan_words(parts, claim, item, None, as_typed(argument))
    elif word.verb == "summary":
        await summing.thread_summary(parts, claim, item)
    elif word.verb == "mode":
        await permitting.mode_word(parts, claim, _with(item, mode=as_typed(argument)))
    elif word.verb == "use":
        await choosing_agents.use(parts, claim, _with(item, agent=as_typed(argument)))
    elif word.verb in ("quiet", "always"):
        await quiet.quiet_word(parts, claim, replace(item, body={**item.body, "quiet": word.verb == "quiet"}))
    elif word.verb == "cost":
        await costs.ticket_cost(parts, claim, item)
    elif word.verb == "workspace":
        await workspace(parts, claim, item, argument)
    elif word.verb == "ticket" and argument:
        await slash_ticket(parts, claim, _with(item, text=argument))
    else:
        await answer(parts, claim, item, cards.help_for(parts))


def _with(item: Item, **more: str) -> Item:
    return replace(item, body={**item.body, **more})


async def joined(parts: Parts, claim: Claim, item: Item) -> None:
    """Invited to a channel: says once, briefly, what it does."""
    parts.people.forget(user=parts.me.user)
    names = parts.commands
    shown = blocks.invited(parts.me.name, (names.link, names.unlink, names.ticket))
    key = f"hello.{claim.thread_id}"

    def hello(connection: Connection) -> None:
        posts.put(connection, key=key, thread_id=claim.thread_id, role="root", want=shown.as_want())
        finish(connection, [item])

    await claim.write("hello", hello)


async def failed(parts: Parts, claim: Claim, item: Item | None, error: Exception) -> int | None:
    """Something that was not expected: tried again later, and in the end given up with a word to the person."""
    reason = error.response.get("error") if isinstance(error, SlackApiError) else type(error).__name__
    if item is None or item.attempts + 1 < MOST_ATTEMPTS or isinstance(error, SLACK_IS_AWAY):
        tries = item.attempts if item else 1
        level = logging.WARNING if isinstance(error, SLACK_IS_AWAY) else logging.ERROR
        log.log(level, "thread %s failed and is tried again: %s", claim.thread_id, reason, exc_info=error)
        return parts.now_ms() + min(60_000, 500 << min(tries, 7))
    quote = secrets.token_hex(4)
    log.error("gave up on item %s of thread %s, id %s", item.id, claim.thread_id, quote, exc_info=error)
    given_up = item
    await claim.write("item given up", lambda c: finish(c, [given_up]))
    sentence = f"Something went wrong here, and I could not do that. Whoever runs this bot finds it in the log: {quote}"
    if user := item.body.get("user"):
        await parts.tell(str(user), claim.channel, blocks.error(sentence), thread_ts=claim.thread_ts)
    return parts.now_ms()


HANDLERS: dict[str, Handler] = {
    "edit": changed,
    "delete": changed,
    "link": link,
    "unlink": unlink,
    "start": start,
    "archive": archive_thread,
    "ticket": slash_ticket,
    "plan": planning.plan,
    "planned_start": planning.start,
    "planned_cancel": planning.cancel,
    "born": births.born,
    "fork": forking.fork,
    "rename": renaming.rename,
    "mode": permitting.mode_word,
    "undo": undoing.take_back,
    "retitled": renaming.retitled,
    "resume": resuming.resume_session,
    "export": exporting.export,
    "erase": erasing.erase,
    "new_ticket": new_ticket.from_form,
    "page": find_tickets.page,
    "ticket_summary": summing.handed_over,
    "status": status.move,
    "tick": tick,
    "sessions": cards.show_sessions,
    "sessions_post": cards.post_sessions,
    "stop": stopping.stop,
    "use": choosing_agents.use,
    "quiet": quiet.quiet_word,
    "retry": retrying.retry,
    "joined": joined,
    "ticket_changed": ticket_changed,
}
