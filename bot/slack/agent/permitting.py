"""What the agent may do in a session without asking: the permission mode, shown and chosen."""

from __future__ import annotations

from typing import Any

from bot.agent.permissions import Mode
from bot.config_sections import MEMBERS
from bot.errors import BotError, NotAllowed, SessionNotFound
from bot.inbox.claim import Claim, Item
from bot.sessions.questions import choose_mode
from bot.sessions.session import ChatSession, find_by_thread
from bot.slack.intake import forms
from bot.slack.intake.place import Place, remembered
from bot.slack.intake.words import letters_of
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, may_work_here, notice
from bot.slack.sessions.opening import refresh_header
from bot.slack.sessions.seeing import session_here
from bot.slack.views import blocks, permission_blocks


def mode_of(parts: Parts, session: ChatSession) -> Mode:
    """The mode that counts in a session: the one that somebody chose, else the settings' own."""
    return Mode(session.mode or parts.access.mode)


def mode_meant(words: str) -> Mode | None:
    """The mode that somebody typed, in any spelling or shortened; None where it is none."""
    typed = letters_of(words)
    spellings = {
        Mode.ASK: ("ask", "askforall", "all"),
        Mode.EDITS: ("edits", "autoapproveedits", "auto"),
        Mode.YOLO: ("yolo",),
    }
    return next((mode for mode, known in spellings.items() if typed in known), None)


async def mode_word(parts: Parts, claim: Claim, item: Item) -> None:
    """`mode` says which holds, `mode ask for all` and the others choose. Body: {user, mode}."""
    words, user = str(item.body.get("mode") or ""), str(item.body["user"])
    session = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
    if session is None:
        raise SessionNotFound("This thread is no session yet: mention me in it, or link it to a ticket.")
    if not words:
        await answer(parts, claim, item, permission_blocks.mode_shown(mode_of(parts, session)))
        return
    mode = mode_meant(words)
    if mode is None:
        known = ", ".join(f"`mode {one.words}`" for one in Mode)
        raise BotError(f"There is no mode “{words[:40]}”. Type one of {known}.")
    await may_work_here(parts, claim, user)
    await may_choose(parts, user, mode)
    if mode is mode_of(parts, session) and item.attempts == 0:
        await answer(parts, claim, item, blocks.said(f"The mode is “{mode.words}” already."))
        return
    await claim.write("choose mode", lambda c: choose_mode(c, session.id, mode.value))
    await refresh_header(parts, claim, session.id)
    await notice(parts, claim, item, permission_blocks.mode_chosen(mode, user))


async def may_choose(parts: Parts, user: str, mode: Mode) -> None:
    """Raises NotAllowed where the settings do not let this person choose the mode."""
    who = getattr(parts.access.modes, mode.value)
    if user in who or (MEMBERS in who and (await parts.people.person(user)).full_member):
        return
    raise NotAllowed(
        f"You may not choose the mode “{mode.words}”. Whoever runs this bot says who may, under "
        f"access.modes.{mode.value} in the file of SCIOREX_CONFIG."
    )


async def open_from_header(parts: Parts, body: dict[str, Any]) -> None:
    """**Permissions** in a header's menu."""
    session = await session_here(parts, body)
    await parts.people.may_write(str(body["user"]["id"]))
    kept = Place(session.channel, session.thread_ts).remember()
    await forms.open_view(parts, body, permission_blocks.mode_modal(mode_of(parts, session), kept))


async def submitted(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """The form with the modes was sent."""
    kept, values = remembered(body), body["view"]["state"]["values"]
    mode = Mode(values["mode"]["mode"]["selected_option"]["value"])
    await may_choose(parts, str(body["user"]["id"]), mode)
    await forms.take_in(parts, body, "mode", Place(kept["channel"], kept["thread_ts"]), mode=mode.value)
    await ack()
