"""Handing a session's transcript over as a file, to whoever may see the session at that moment."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.errors import BotError, SessionNotFound
from bot.inbox.claim import Claim, Item, finish, note_on
from bot.sessions.archives.handing_over import FORMATS, export_name, handed_over, rendered
from bot.sessions.audience import may_see
from bot.sessions.session import ChatSession, find_by_thread, get_session
from bot.slack.delivery import own_messages
from bot.slack.intake import clicks
from bot.slack.intake.arrivals import as_ts
from bot.slack.intake.place import Place, place_of
from bot.slack.parts import Parts
from bot.slack.sessions.link import answer, may_work_here
from bot.slack.sessions.seeing import GONE
from bot.slack.views import blocks

HERE = "here"
SPELLED = {"markdown": "md", "htm": "html", "page": "html"}
# What Slack says however often it is asked, and what to do.
FOR_GOOD = {
    "missing_scope": "The app may not upload files: it lacks the scope files:write. Whoever runs me installs it anew.",
    "file_uploads_disabled": "Uploading files is switched off in this workspace.",
    "cannot_dm_bot": "Slack lets me send you no direct message, so there is no place for the file.",
    "user_not_found": "Slack lets me send you no direct message, so there is no place for the file.",
    "user_disabled": "Slack lets me send you no direct message, so there is no place for the file.",
    "channel_not_found": "I cannot post there (any more), so there is no place for the file.",
    "not_in_channel": "I cannot post there (any more), so there is no place for the file.",
    "is_archived": "That channel is archived, so there is no place for the file.",
    "thread_not_found": "This thread is no more: its first message was deleted.",
    "restricted_action": "Slack does not let me post there.",
}


async def clicked(parts: Parts, ack: Any, body: dict[str, Any]) -> None:
    """**Export** in a ticket's sessions."""
    await clicks.take_in(parts, body, "export", place_of(body), session_id=clicks.value(body))
    await ack()


async def chosen(parts: Parts, body: dict[str, Any]) -> None:
    """**Export transcript** in the menu of a thread's header."""
    await clicks.take_in(parts, body, "export", place_of(body))


async def export(parts: Parts, claim: Claim, item: Item) -> None:
    """Uploads the transcript, to the asker alone or into this thread. Body: {user, session_id?, argument?}.

    Can be run again from the top after a crash: the item knows the file that was about to be shared.
    """
    user = str(item.body["user"])
    form, here = asked(str(item.body.get("argument") or ""))
    session = await seen_by(parts, claim, item, user)
    if here:
        await may_work_here(parts, claim, user)
        if not may_see(await parts.people.audience_in(claim.channel), session):
            raise BotError("Not everybody here may see that session. Without `here` I send it to you alone.")
    content = await claim.read(lambda c: handed_over(c, session))
    file = await asyncio.get_running_loop().run_in_executor(parts.files, rendered, content, form)
    try:
        direct = await parts.is_direct(claim.channel)
        place = Place(claim.channel, claim.thread_ts) if here or direct else Place(await parts.direct_channel(user), "")
        await share(parts, claim, item, place, export_name(content, form), file, session)
    except SlackApiError as error:
        reason = str(error.response.get("error"))
        if reason not in FOR_GOOD:
            raise
        raise BotError(FOR_GOOD[reason]) from error
    if here or direct:
        await claim.write("item done", lambda c: finish(c, [item]))
    else:
        await answer(parts, claim, item, blocks.said("I sent you the transcript in a direct message."))


def asked(argument: str) -> tuple[str, bool]:
    """The format that is wanted, and whether it shall stand in the thread; raises BotError for any other word."""
    form, here = "md", False
    for word in argument.lower().split():
        word = SPELLED.get(word, word)
        if word == HERE:
            here = True
        elif word in FORMATS:
            form = word
        else:
            known = ", ".join(f"`{one}`" for one in FORMATS)
            raise BotError(f"I export as {known}, and with `{HERE}` into this thread. I do not know “{word[:40]}”.")
    return form, here


async def seen_by(parts: Parts, claim: Claim, item: Item, user: str) -> ChatSession:
    """The session that is meant, if this person may see it now; raises SessionNotFound."""
    if session_id := item.body.get("session_id"):
        try:
            found = await claim.read(lambda c: get_session(c, str(session_id)))
        except SessionNotFound as error:
            raise SessionNotFound(GONE) from error
    else:
        in_thread = await claim.read(lambda c: find_by_thread(c, claim.thread_id))
        if in_thread is None:
            raise SessionNotFound("This thread is no session yet: mention me in it, or link it to a ticket.")
        found = in_thread
    parts.people.forget(channel=found.channel, user=user)  # what was true a minute ago does not count
    if not may_see(await parts.people.audience_of(user), found):
        raise SessionNotFound(GONE)
    return found


async def share(
    parts: Parts, claim: Claim, item: Item, place: Place, name: str, file: bytes, session: ChatSession
) -> None:
    """Uploads a file and shares it at a place, once: what was begun before and got there is not done again."""
    if await was_shared(parts, item):
        return
    given = await parts.client.files_getUploadURLExternal(filename=name, length=len(file))
    assert parts.client.session is not None
    async with parts.client.session.post(str(given["upload_url"]), data=file) as response:
        if response.status != 200:
            raise ConnectionError(f"the upload was answered {response.status}")
    begun = {"id": given["file_id"], "channel": place.channel, "thread_ts": place.thread_ts, "ms": parts.now_ms()}
    await claim.write("file uploaded", lambda c: note_on(c, item, upload=begun))
    await parts.client.files_completeUploadExternal(
        files=[{"id": str(given["file_id"]), "title": name}],
        channel_id=place.channel,
        thread_ts=place.thread_ts or None,
        initial_comment=f"📄 {blocks.cut(session.title, 200)}",
    )


async def was_shared(parts: Parts, item: Item) -> bool:
    """Whether the file that this item was about to share is there; looked for no sooner than Slack may show it."""
    begun = item.body.get("upload")
    if not begun:
        return False
    await asyncio.sleep(max(0, begun["ms"] + parts.pace.settle - parts.now_ms()) / 1000)
    oldest = as_ts(begun["ms"] - 60_000)
    async for message in own_messages(parts, begun["channel"], begun["thread_ts"], oldest=oldest):
        if any(file.get("id") == begun["id"] for file in message.get("files") or ()):
            return True
    return False
