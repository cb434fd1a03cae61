"""Approvals and questions of the agent: cards in the thread, clicks that decide, and what else ends a question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from bot.errors import AlreadyDecided, BotError, NotAllowed
from bot.inbox import posts
from bot.inbox.claim import Claim, Item
from bot.inbox.intake import ready
from bot.mcp_servers.interactions import responses
from bot.sessions import questions, transcript
from bot.sessions.questions import MEMBERS, Ask, Question
from bot.sessions.session import find_by_thread
from bot.sessions.transcript import JsonObject, Turn
from bot.slack.intake import clicks, forms
from bot.slack.intake.place import place_of, remembered
from bot.slack.parts import Parts
from bot.slack.sessions.seeing import session_of
from bot.slack.views.question_blocks import options_of, question_card, question_form, whole_change

SUPERSEDED = "Not done: a person wrote something else instead of deciding. Go by what they say now."
STOPPED = "Not done: a person stopped this before it was decided."


def ask(connection: Connection, asks: Sequence[Ask], *, now_ms: int, expires_ms: int) -> None:
    """Writes the questions down, and that their cards are to stand in the thread."""
    show_cards(connection, [questions.ask(connection, one, now_ms=now_ms, expires_ms=expires_ms) for one in asks])


def give_way(connection: Connection, turn: Turn, by: str | None, now_ms: int, *, why: str = SUPERSEDED) -> None:
    """Ends a turn that waits for an answer, since somebody said something else."""
    show_cards(connection, questions.supersede(connection, turn.id, by, now_ms))
    transcript.end_turn(connection, turn.id, "stopped", now_ms, why=why)


async def can_go_on(parts: Parts, claim: Claim, turn: Turn) -> bool:
    """Whether a turn that waits has something to go on with: an answer, or a question whose time is over."""

    def look(connection: Connection) -> bool:
        show_cards(connection, questions.expire(connection, turn.id, parts.now_ms()))
        waiting = {
            call.op
            for step in transcript.steps_of(connection, [turn.id])[turn.id]
            for call in step.calls
            if call.state == "waiting"
        }
        asked = questions.questions_of_turn(connection, turn.id)
        return any(op not in asked or asked[op].state != "open" for op in waiting) or not waiting

    return await claim.write("questions looked at", look)


async def stop_waiting(parts: Parts, claim: Claim, item: Item) -> bool:
    """`stop` while people are asked: the turn ends there; False when none waits."""

    def end(connection: Connection) -> bool:
        session = find_by_thread(connection, claim.thread_id)
        turn = transcript.unfinished_turn(connection, session.id) if session else None
        if turn is None or turn.state != "waiting":
            return False
        give_way(connection, turn, str(item.body["user"]), parts.now_ms(), why=STOPPED)
        return True

    return await claim.write("stop waiting", end)


async def approve(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Approve**."""
    question = await _asked(parts, body)
    await _decide(parts, body, question, _yes(question, body))
    await ack()


async def remember(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Approve for this session**: this tool is not asked about again here."""
    question = await _asked(parts, body)
    await _decide(parts, body, question, {"approved": True, "remember": True})
    await ack()


async def deny(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Deny**."""
    question = await _asked(parts, body)
    await _decide(parts, body, question, _no(question, None))
    await ack()


async def send(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Send**: what was chosen on the card."""
    question = await _asked(parts, body)
    chosen = _chosen(question, "options", body)
    if not chosen:
        raise BotError("Choose an answer first, or write one.")
    await _decide(parts, body, question, _content({"options": chosen}))
    await ack()


async def skip(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Skip**, and **Decline** for what a server asks."""
    question = await _asked(parts, body)
    await _decide(parts, body, question, _content(None, question, accepted=False))
    await ack()


async def chosen(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """Something was chosen on a card: Slack keeps it until it is sent."""
    await ack()


async def write(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Write an answer**, **Deny, and say why**, **Answer**: a form."""
    question = await _asked(parts, body)
    await _may_decide(parts, body, question)
    kept = place_of(body).remember(question_id=question.id)
    await forms.open_view(parts, body, question_form(question, kept))
    await ack()


async def show(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Show all** of what would change."""
    await forms.open_view(parts, body, whole_change(await _asked(parts, body)))
    await ack()


async def written(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The form was sent."""
    question = await _known(parts, body, str(remembered(body)["question_id"]))
    values = body["view"]["state"]["values"]
    if question.kind == "elicitation":
        content = _fields(question, values)
        await _decide(parts, body, question, _content(content, question))
    else:
        text = str(values["text"]["text"].get("value") or "").strip()
        given = _content({"text": text}) if question.kind == "ask" else _no(question, text)
        await _decide(parts, body, question, given)
    await ack()


async def _decide(parts: Parts, body: dict[str, Any], question: Question, given: JsonObject) -> None:
    """A decision, if the person may take it and nobody was sooner. Raises NotAllowed, AlreadyDecided."""
    await _may_decide(parts, body, question)
    user, now = str(body["user"]["id"]), parts.now_ms()

    def take(connection: Connection) -> bool:
        if question.expires_ms <= now or not questions.answer(connection, question.id, given, user, now):
            return False
        if given.get("remember"):
            questions.allow_tool(connection, question.session_id, question.tool)
        answered = questions.get_question(connection, question.id)
        assert answered is not None
        show_cards(connection, [answered])
        ready(connection, question.thread_id, now)
        return True

    if not await parts.db.write("decide", take):
        raise AlreadyDecided(await _too_late(parts, await _known(parts, body, question.id)))
    parts.wake()


async def _may_decide(parts: Parts, body: dict[str, Any], question: Question) -> None:
    user = str(body["user"]["id"])
    await parts.people.may_write(user)
    if user in question.who_may:
        return
    if MEMBERS in question.who_may and (await parts.people.person(user)).full_member:
        return
    names = [(await parts.people.person(one)).name for one in question.who_may if one != MEMBERS]
    who = " or ".join(names) or "A full member of this workspace"
    raise NotAllowed(f"{who} decides this. You can say in the thread what you think of it.")


async def _asked(parts: Parts, body: dict[str, Any]) -> Question:
    return await _known(parts, body, clicks.value(body))


async def _known(parts: Parts, body: dict[str, Any], question_id: str) -> Question:
    """The question, for whoever may see its session."""
    found = await parts.db.read(lambda c: questions.get_question(c, question_id))
    if found is None:
        raise BotError("This question is not known any more.")
    await session_of(parts, body, found.session_id)
    return found


async def _too_late(parts: Parts, question: Question) -> str:
    by = (await parts.people.person(question.by)).name if question.by else "Somebody"
    if question.state == "answered":
        yes = question.answer.get("approved")
        said = "answered" if question.kind in ("ask", "elicitation") else "approved" if yes else "did not approve"
        return f"This is decided already: {by} {said} it."
    if question.state == "superseded":
        return f"This is no longer asked: {by} wrote something else in the thread instead."
    return "The time to decide this is over. Ask the agent again, if it should still be done."


def show_cards(connection: Connection, asked: Iterable[Question]) -> None:
    """The cards, as the questions stand now."""
    for one in asked:
        want = question_card(one).as_want()
        posts.put(connection, key=f"question.{one.id}", thread_id=one.thread_id, role="question", want=want)


def _yes(question: Question, body: dict[str, Any]) -> JsonObject:
    if question.kind == "approval":
        return {"approved": True}
    chosen = _chosen(question, "alternatives", body)
    return {"approved": True} | _content({"approved": True, "alternative": next(iter(chosen), None)})


def _no(question: Question, comment: str | None) -> JsonObject:
    if question.kind == "approval":
        return {"approved": False, "comment": comment}
    return {"approved": False} | _content({"approved": False, "comment": comment})


def _content(content: dict[str, Any] | None, question: Question | None = None, *, accepted: bool = True) -> JsonObject:
    """An answer as the tool gets it: one of our own asks for one thing, an outside server for as many as it named."""
    made = responses(content, accepted=accepted)
    requests = question.shown.get("requests") if question is not None and question.kind == "elicitation" else None
    if isinstance(requests, dict) and requests:
        [only] = made.values()
        made = dict.fromkeys(requests, only)
    return {"responses": {key: one.model_dump(mode="json", exclude_none=True) for key, one in made.items()}}


def _chosen(question: Question, key: str, body: dict[str, Any]) -> list[str]:
    """The options that were chosen on the card, by their words."""
    given = question.shown.get("input")
    options = options_of(given.get(key) if isinstance(given, dict) else None)
    state = body.get("state", {}).get("values", {}).get("choice", {}).get("question_choice", {})
    one, many = state.get("selected_option"), state.get("selected_options") or []
    places = [int(each["value"]) for each in ([one] if one else many)]
    return [options[place] for place in places if place < len(options)]


def _fields(question: Question, values: dict[str, Any]) -> dict[str, Any]:
    """The form's fields as the server's schema wants them. Raises BotError."""
    requests = question.shown.get("requests")
    [first, *_] = requests.values() if isinstance(requests, dict) and requests else [{}]
    properties = (first.get("params") or {}).get("requestedSchema", {}).get("properties", {})
    content: dict[str, Any] = {}
    for name, field in properties.items():
        given = values.get(f"field {name}"[:255], {}).get("value", {})
        text, picked = given.get("value"), given.get("selected_option")
        kind = field.get("type")
        if picked:
            choices = field.get("enum") or [True, False]
            content[name] = choices[int(picked["value"])]
        elif text is not None and kind in ("integer", "number"):
            try:
                content[name] = int(text) if kind == "integer" else float(text)
            except ValueError:
                raise BotError(f"“{field.get('title') or name}” must be a number.") from None
        elif text is not None:
            content[name] = text
    return content
