"""Planning a ticket's sessions: `plan` in words and as a form, and what is done with each: start, cancel."""

from __future__ import annotations

from typing import Any

from bot.errors import BotError, NotInChannel, PlanGone, TicketNotFound
from bot.inbox.claim import Claim, Item
from bot.inbox.intake import thread_for
from bot.sessions import planning
from bot.sessions.session import get_session
from bot.slack.intake import clicks, forms
from bot.slack.intake.place import Place, place_of, remembered
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, linkable, may_work_here
from bot.slack.sessions.opening import permalink
from bot.slack.sessions.roots import open_thread
from bot.slack.sessions.seeing import planned_of
from bot.slack.tickets.cards import linked_ticket, sessions_list
from bot.slack.views import blocks, session_blocks, session_modals
from bot.slack.views.session_blocks import planned_in
from bot.slack.views.ticket_entity import with_ticket


async def open_from_composer(parts: Parts, body: dict[str, Any], ticket_id: str) -> None:
    """`/ticket T-042 plan`: the form."""
    channel, user = str(body["channel_id"]), str(body["user_id"])
    workspace = await parts.workspace_at(channel, user)
    await _open(parts, body, user, Place(channel, "", workspace.name), ticket_id)


async def open_from_button(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Plan sessions**: the form."""
    place = await forms.seen_from(parts, body)
    await _open(parts, body, str(body["user"]["id"]), place, clicks.value(body))
    await ack()


async def _open(parts: Parts, body: dict[str, Any], user: str, place: Place, ticket_id: str) -> None:
    await parts.people.may_write(user)
    ticket = await linkable(parts.workspaces.named(place.workspace), ticket_id)
    audience, of = await parts.people.audience_of(user), (parts.me.team, place.workspace, ticket.id)
    known = {one.title for one in await parts.db.read(lambda c: planning.upcoming(c, audience, *of))}
    titles = [title for title in planning.template(ticket) if title not in known]
    kept = place.remember(ticket_id=ticket.id, response_url=str(body.get("response_url") or ""))
    await forms.open_view(parts, body, session_modals.plan_modal(ticket.id, ticket.title, titles, kept))


async def submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The filled form: refused where it says nothing or too much, or written down, once."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    titles = planning.titles_in(str(values["titles"]["titles"].get("value") or ""))
    if not titles or len(titles) > planning.MOST_TITLES:
        wrong = session_modals.too_many() if titles else "Type a title for each session, one a line."
        await ack(response_action="errors", errors={"titles": wrong})
        return
    url = kept.get("response_url") or None
    await forms.take_in(
        parts, body, "plan", place_of(body), ticket_id=kept["ticket_id"], titles=titles, response_url=url
    )
    await ack()


async def plan_words(parts: Parts, claim: Claim, item: Item, ticket_id: str | None, words: str) -> None:
    """`plan` and `plan Code review` in a thread, `/ticket T-042 plan Code review`: one at once, or an offered form."""
    workspace = await parts.workspace_of(claim, item)
    ticket = await linkable(workspace, ticket_id or await linked_ticket(claim))
    if words.strip():
        await _plan(parts, claim, item, ticket.id, [words])
    else:
        await answer(parts, claim, item, session_blocks.which_plan(ticket.id))


async def plan(parts: Parts, claim: Claim, item: Item) -> None:
    """What the form asked for. Body: {user, ticket_id, titles}."""
    await _plan(parts, claim, item, str(item.body["ticket_id"]), [str(title) for title in item.body["titles"]])


async def _plan(parts: Parts, claim: Claim, item: Item, ticket_id: str, titles: list[str]) -> None:
    """Writes the titles down, and shows the ticket's sessions to the person; again, it adds nothing."""
    user = str(item.body["user"])
    await may_work_here(parts, claim, user)
    workspace = await parts.workspace_of(claim, item)
    ticket = await linkable(workspace, ticket_id)
    await claim.write(
        "plan",
        lambda c: planning.plan_sessions(
            c,
            team=claim.team,
            workspace=workspace.name,
            lane_id=thread_for(c, claim.team, claim.channel, ""),
            ticket_id=ticket.id,
            titles=titles,
            key=item.key,
            by=user,
            now_ms=parts.now_ms(),
        ),
    )
    audience = await parts.people.audience_of(user)
    await answer(parts, claim, item, await sessions_list(parts, workspace, ticket.id, audience, can_post=True))


async def start_clicked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Start** of an upcoming session."""
    await _take_in(parts, body, "planned_start")
    await ack()


async def cancel_clicked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Cancel** of an upcoming session."""
    await _take_in(parts, body, "planned_cancel")
    await ack()


async def _take_in(parts: Parts, body: dict[str, Any], kind: str) -> None:
    one = await planned_of(parts, body, planned_in(clicks.value(body)) or 0)
    more = {"planned_id": one.id, "workspace": one.workspace}
    await clicks.take_in(parts, body, kind, Place(one.channel, ""), **more)


async def start(parts: Parts, claim: Claim, item: Item) -> None:
    """A new thread in the channel in which the session was planned, once. Body: {user, planned_id, workspace}."""
    user, planned_id = str(item.body["user"]), int(item.body["planned_id"])
    await may_work_here(parts, claim, user)
    one = await claim.read(lambda c: planning.get_planned(c, planned_id))
    workspace = parts.workspaces.named(one.workspace)
    try:
        ticket = await linkable(workspace, one.ticket_id)
    except TicketNotFound as error:
        raise BotError(f"There is no ticket {one.ticket_id} any more, so its session cannot start.") from error
    try:
        one = await claim.write("planned start", lambda c: planning.begin_start(c, planned_id, item.key))
    except PlanGone as gone:
        await _told_gone(parts, claim, item, gone)
        return
    shown = session_blocks.planned_root(ticket.id, ticket.title, one.title, user)
    shown = with_ticket(shown, workspace.name, ticket.id, ticket.title)
    body = {
        "user": user,
        "title": one.title,
        "workspace": one.workspace,
        "ticket_id": ticket.id,
        "planned_id": one.id,
    }
    try:
        root = await open_thread(parts, claim, item, shown, "born", body)
    except NotInChannel:
        await claim.write("planned again", lambda c: planning.not_started(c, planned_id))
        raise
    done = blocks.pointer("Started", one.title, await permalink(parts, claim.channel, root))
    await parts.tell(user, claim.channel, done, response_url=item.body.get("response_url"))


async def _told_gone(parts: Parts, claim: Claim, item: Item, gone: PlanGone) -> None:
    """It was started before: where it is, for whoever clicks again."""
    if gone.session_id is None:
        raise gone
    of = gone.session_id
    session = await claim.read(lambda c: get_session(c, of))
    address = await permalink(parts, session.channel, session.thread_ts)
    await answer(parts, claim, item, blocks.pointer("It was started already", session.title, address))


async def cancel(parts: Parts, claim: Claim, item: Item) -> None:
    """An upcoming session is not to be. Body: {user, planned_id}."""
    await may_work_here(parts, claim, str(item.body["user"]))
    planned_id = int(item.body["planned_id"])
    one = await claim.write("planned cancel", lambda c: planning.cancel_planned(c, planned_id))
    await answer(parts, claim, item, blocks.said(f"“{one.title}” is cancelled."))
