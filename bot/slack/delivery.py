"""Makes Slack show what the posts of a thread want, each once, whatever was cut off before (durability)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.inbox import posts
from bot.inbox.claim import Claim
from bot.inbox.intake import Arrival, take_in
from bot.inbox.posts import Post
from bot.sessions.transcript import Turn
from bot.slack.intake.arrivals import as_ts
from bot.slack.parts import Parts

log = logging.getLogger(__name__)
EVENT_TYPE = "sciorex_post"
FORGET_REFUSAL = 3_600_000  # ms after which Work Objects are tried again
# Slack will answer the same however often it is asked.
FOR_GOOD = {
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "thread_not_found",
    "message_not_found",
    "cant_update_message",
    "cant_delete_message",
    "msg_too_long",
    "invalid_blocks",
    "restricted_action",
    "user_not_in_channel",
    "no_text",
}


# Slack refuses a message for its Work Object (?): no source lists what chat.postMessage says of entities.
NO_ENTITIES = frozenset(
    {
        *("feature_not_enabled", "not_enabled", "invalid_metadata", "invalid_metadata_format", "metadata_too_large"),
        *("invalid_metadata_schema", "metadata_must_be_sent_from_app", "invalid_arguments", "invalid_entity"),
    }
)


def metadata(key: str, entity: dict[str, Any] | None = None) -> dict[str, Any]:
    """What says, in Slack, which post a message is; anybody there can read it, so the key is opaque.

    `entity` is the Work Object that Slack shows beside the message.
    """
    found: dict[str, Any] = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
    return {**found, "entities": [entity]} if entity else found


async def deliver(parts: Parts, claim: Claim) -> None:
    """Shows every post of the thread that is behind, in order."""
    for post in await claim.look(lambda c: posts.unshown(c, claim.thread_id)):
        await show_post(parts, claim, post)


async def show_post(parts: Parts, claim: Claim, post: Post, *, turn: Turn | None = None) -> None:
    """Creates, updates or takes away one message; gives up on what Slack refuses for good, and on what was deleted."""
    if post.error == posts.GONE:
        return
    try:
        if post.ts is None:
            await _create(parts, claim, post)
        elif post.wanted:
            await _update(parts, claim, post, post.ts)
        else:
            await _take_away(parts, claim, post)
    except SlackApiError as error:
        reason = str(error.response.get("error"))
        if reason not in FOR_GOOD:
            raise
        log.warning("post %s will not be shown: %s", post.key, reason)
        missed = reason == "message_not_found" and post.role == "answer" and post.wanted
        was_deleted = bool(missed) and not await _stands(parts, claim, str(post.ts))

        def give_up(connection: Any) -> None:
            posts.given_up(connection, post.id, post.want_rev, reason)
            if was_deleted:
                take_in(connection, _deletion(claim, post, parts.now_ms()), parts.now_ms())

        await claim.write("post given up", give_up)


def _deletion(claim: Claim, post: Post, now_ms: int) -> Arrival:
    """That a message of ours was deleted, as the event would have said that never came."""
    said = {"ts": post.ts, "own": True}
    return Arrival(claim.team, claim.channel, claim.thread_ts, f"gone:{post.key}", "delete", as_ts(now_ms), said)


async def _stands(parts: Parts, claim: Claim, ts: str) -> bool:
    """Whether a message is in the thread; where Slack does not say, it is taken to be."""
    try:
        page = await parts.client.conversations_replies(
            channel=claim.channel, ts=claim.thread_ts, oldest=ts, latest=ts, inclusive=True
        )
    except SlackApiError:
        return True
    return any(message.get("ts") == ts for message in page.get("messages") or ())


async def _create(parts: Parts, claim: Claim, post: Post) -> None:
    ts = await find_made(parts, claim, post) if post.trying_ms is not None else None
    if ts is not None:
        found = ts
        await claim.write("post found", lambda c: posts.created(c, post.id, found))
        await show_post(parts, claim, await claim.read(lambda c: posts.get(c, post.id)))
        return
    if not post.wanted:
        await claim.write("post shown", lambda c: posts.shown(c, post.id, post.want_rev))
        return
    await claim.write("post trying", lambda c: posts.trying(c, post.id, parts.now_ms()))
    wanted, entity = _with_entity(parts, post)
    try:
        answer = await parts.client.chat_postMessage(
            channel=claim.channel,
            thread_ts=claim.thread_ts or None,
            metadata=metadata(post.key, entity),
            unfurl_links=False,
            unfurl_media=False,
            **wanted,
        )
    except SlackApiError as error:
        await claim.write("post not made", lambda c: posts.not_tried(c, post.id))
        if not _without_entities(parts, entity, error):
            raise
        await _create(parts, claim, await claim.read(lambda c: posts.get(c, post.id)))
        return
    made = str(answer["ts"])

    def done(connection: Any) -> None:
        posts.created(connection, post.id, made)
        posts.shown(connection, post.id, post.want_rev)

    await claim.write("post made", done)


async def _update(parts: Parts, claim: Claim, post: Post, ts: str) -> None:
    if post.role == "answer" and post.shown_rev == 0:
        await end_stream(parts, claim, ts)
    wanted, entity = _with_entity(parts, post)
    try:
        await parts.client.chat_update(channel=claim.channel, ts=ts, metadata=metadata(post.key, entity), **wanted)
    except SlackApiError as error:
        if not _without_entities(parts, entity, error):
            raise
        await parts.client.chat_update(channel=claim.channel, ts=ts, metadata=metadata(post.key), **wanted)
    await claim.write("post shown", lambda c: posts.shown(c, post.id, post.want_rev))


def _with_entity(parts: Parts, post: Post) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What the message says, and its Work Object where this Slack workspace takes such."""
    wanted = post.wanted
    entity = wanted.pop("entity", None)
    return wanted, entity if parts.now_ms() >= parts.no_entities_until else None


def _without_entities(parts: Parts, entity: dict[str, Any] | None, error: SlackApiError) -> bool:
    """Whether Slack refused the Work Object and not the message; then none is sent along for a while."""
    reason = str(error.response.get("error"))
    if entity is None or reason not in NO_ENTITIES:
        return False
    log.info("Slack takes no Work Objects here (%s): tickets are shown without for now", reason)
    parts.no_entities_until = parts.now_ms() + FORGET_REFUSAL
    return True


async def _take_away(parts: Parts, claim: Claim, post: Post) -> None:
    ts = str(post.ts)
    await end_stream(parts, claim, ts)
    await parts.client.chat_delete(channel=claim.channel, ts=ts)
    await claim.write("post shown", lambda c: posts.shown(c, post.id, post.want_rev))


async def end_stream(parts: Parts, claim: Claim, ts: str) -> None:
    """Ends a stream that may be open since before; that there is none is no error."""
    try:
        await parts.client.chat_stopStream(channel=claim.channel, ts=ts)
    except SlackApiError as error:
        log.debug("no stream to end: %s", error.response.get("error"))


async def find_made(parts: Parts, claim: Claim, post: Post) -> str | None:
    """The ts of a message whose creation was begun and never confirmed, if it is there.

    Looked for no sooner than `settle` after the try, since a dead process's request may still land. A stream's
    message carries no key until it is ended: one of ours without a key and without a row is the lost one.
    """
    began = post.trying_ms or 0
    wait = began + parts.pace.settle - parts.now_ms()
    await asyncio.sleep(max(0, wait) / 1000)
    now = await claim.read(lambda c: posts.get(c, post.id))
    if now.ts is not None:
        return now.ts  # a preview that was ended just then had it saved after all
    known = await claim.read(lambda c: posts.known_ts(c, claim.thread_id))
    orphan = None
    async for message in own_messages(parts, claim.channel, claim.thread_ts, oldest=as_ts(began - 60_000)):
        key = key_of(message)
        if key == post.key:
            return str(message["ts"])
        if key is None and post.role == "answer" and message["ts"] not in known:
            orphan = str(message["ts"])
    return orphan


async def sweep(parts: Parts, claim: Claim, turn: Turn) -> None:
    """Takes away what a frozen or dead process left beside the answer: twins of a post, unended streams."""
    answer = await claim.read(lambda c: posts.answer_parts(c, turn.id))
    keys = {post.key: post.ts for post in answer}
    known = await claim.read(lambda c: posts.known_ts(c, claim.thread_id))
    async for message in own_messages(parts, claim.channel, claim.thread_ts, oldest=as_ts(turn.began_ms - 60_000)):
        key, ts = key_of(message), str(message["ts"])
        if ts not in known and (key is None or key in keys):
            log.info("taking away a second message of turn %s", turn.id)
            await end_stream(parts, claim, ts)
            await parts.client.chat_delete(channel=claim.channel, ts=ts)


async def own_messages(parts: Parts, channel: str, thread_ts: str, *, oldest: str) -> AsyncIterator[dict[str, Any]]:
    """Our own messages in the thread (where thread_ts is '', in the channel itself), newer than `oldest`."""
    cursor = ""
    while True:
        page: dict[str, Any] = {"limit": 200, "oldest": oldest, "include_all_metadata": True}
        if cursor:
            page["cursor"] = cursor
        if thread_ts:
            answer = await parts.client.conversations_replies(channel=channel, ts=thread_ts, **page)
        else:
            answer = await parts.client.conversations_history(channel=channel, **page)
        for message in answer.get("messages") or ():
            if message.get("user") == parts.me.user or message.get("bot_id") == parts.me.bot:
                yield message
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


def key_of(message: dict[str, Any]) -> str | None:
    """The key of the post that a message of ours is."""
    found = message.get("metadata") or {}
    if found.get("event_type") != EVENT_TYPE:
        return None
    return str((found.get("event_payload") or {}).get("key"))
