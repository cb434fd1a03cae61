"""Draws a turn while it runs: first a sign, then the answer as it is written. It may be lost at any moment.

By Slack's streams where they are to be had, else by a message that is updated at most once in three seconds.
The post rows decide what stands in the thread at the end; nothing here is needed for that.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.inbox import posts
from bot.inbox.claim import Claim
from bot.sessions.transcript import Step, ToolCall, Turn
from bot.slack.agent.answer import pieces_of, tool_piece
from bot.slack.delivery import metadata, show_post
from bot.slack.pace import Appends
from bot.slack.parts import Parts
from bot.slack.views.answer_blocks import with_stop
from bot.slack.views.markdown import Piece, Shown, answer_parts, answer_text

log = logging.getLogger(__name__)
STREAM_LIVES_MS = 240_000  # Slack ends a stream about five minutes after its start (slack-facts 14)
LONGEST_STREAM = 11_000  # what is longer than one message may be is laid out anew at the end
UPDATE_EVERY = 3.0
OPEN_MARK = re.compile(r"[\[`<(!]\S*[^\n]*\Z")


class Preview:
    """The answer of one turn on the screen, from its first sign to its end.

    A turn that waited for people goes on in a message of its own, numbered `part`, which may stand in the thread;
    `earlier` are the ops of tool calls that stand in the messages before.
    """

    def __init__(
        self,
        parts: Parts,
        claim: Claim,
        turn: Turn,
        pace: Appends,
        *,
        part: int,
        stands: bool,
        earlier: Collection[str],
    ) -> None:
        self._parts, self._claim, self._turn, self._pace = parts, claim, turn, pace
        self._part, self._key = part, posts.answer_key(turn.key, part)
        self._stands, self._earlier = stands, earlier
        self._pieces: list[Piece] = []
        self._mode = "none" if turn.attempts > 1 else "stream"
        self._ts: str | None = None
        self._sent = ""
        self._began = 0
        self._changed = asyncio.Event()
        self._drawing: asyncio.Task[None] | None = None
        self._calling: asyncio.Future[None] | None = None

    async def started(self) -> None:
        """The first sign: the thread's status, or a message where the app is no agent."""
        try:
            await self._parts.client.agents_sessions_setStatus(
                channel_id=self._claim.channel, thread_ts=self._claim.thread_ts, status="processing"
            )
        except SlackApiError:
            if self._mode == "stream":
                await self._show_placeholder()
        if self._mode == "stream" and self._stands:
            await self._show_placeholder()  # a turn that failed is tried again: in the place of its failure
        if self._mode != "none":
            self._drawing = asyncio.create_task(self._draw())

    async def text(self, piece: str) -> None:
        """The model wrote a little more."""
        if self._pieces and self._pieces[-1][0] == "text":
            self._pieces[-1] = ("text", self._pieces[-1][1] + piece)
        else:
            self._pieces.append(("text", piece))
        self._changed.set()

    async def again(self, steps: Sequence[Step]) -> None:
        """The model begins its step anew: what it had written of it does not count."""
        self._pieces = pieces_of([s for s in steps if not any(call.op in self._earlier for call in s.calls)])
        self._changed.set()

    async def tool(self, call: ToolCall) -> None:
        """A tool is being called, or has answered."""
        if call.op in self._earlier:
            return
        piece = tool_piece(call)
        if self._pieces and self._pieces[-1][0] == "tool" and self._pieces[-1][1:3] == piece[1:3]:
            self._pieces[-1] = piece
        else:
            self._pieces.append(piece)
        self._changed.set()

    async def close(self, wants: Sequence[dict[str, Any]], whole: str) -> bool:
        """Ends the drawing; True when the stream itself now shows the whole answer, with the post's key."""
        if self._drawing:
            self._drawing.cancel()
            with suppress(asyncio.CancelledError):
                await self._drawing
            await self._last_call()
        if self._mode != "stream" or self._ts is None or len(wants) != 1 or not whole.startswith(self._sent):
            return False
        rest = whole[len(self._sent) :]
        try:
            await self._parts.client.chat_stopStream(
                channel=self._claim.channel,
                ts=self._ts,
                metadata=metadata(self._key),
                markdown_text=rest or None,
                blocks=wants[0]["blocks"][1:] or None,
            )
        except SlackApiError as error:
            log.info("the stream could not be ended: %s", error.response.get("error"))
            return False
        return True

    async def resting(self, *, waits: bool = False) -> None:
        """The thread is no longer at work; perhaps it waits for somebody."""
        with suppress(SlackApiError):
            await self._parts.client.agents_sessions_setStatus(
                channel_id=self._claim.channel,
                thread_ts=self._claim.thread_ts,
                status="suspended" if waits else "active",
            )

    async def _draw(self) -> None:
        """Sends what is new, as often as Slack's budget allows. A failure here costs only the preview."""
        with self._pace.one_more():
            while self._mode != "none":
                await self._changed.wait()
                self._changed.clear()
                try:
                    await (self._append() if self._mode == "stream" else self._to_its_end(self._update()))
                except SlackApiError as error:
                    log.info("the preview goes on without streaming: %s", error.response.get("error"))
                    self._mode = "update"
                    self._changed.set()
                except Exception as error:
                    log.info("no more preview: %s", type(error).__name__)
                    self._mode = "none"
                await asyncio.sleep(UPDATE_EVERY if self._mode == "update" else self._pace.seconds)

    async def _append(self) -> None:
        whole = answer_text(self._pieces)
        ready = whole if self._pieces[-1][0] == "tool" else _settled(whole)
        if not ready.startswith(self._sent) or len(ready) > LONGEST_STREAM or ready == self._sent:
            return
        if self._ts is None:
            await self._to_its_end(self._start(ready))
        elif self._parts.now_ms() - self._began > STREAM_LIVES_MS:
            self._mode = "update"
            self._changed.set()
        else:
            await self._pace.may_send()
            whole = answer_text(self._pieces)  # what has come while it waited goes along
            later = whole if self._pieces[-1][0] == "tool" else _settled(whole)
            ready = later if later.startswith(ready) and len(later) <= LONGEST_STREAM else ready
            await self._to_its_end(self._send(ready))

    async def _to_its_end(self, call: Coroutine[Any, Any, None]) -> None:
        """A call to Slack that ends even if the drawing ends first: of one cut off, nobody knew whether it was done."""
        self._calling = asyncio.ensure_future(call)
        await asyncio.shield(self._calling)

    async def _last_call(self) -> None:
        if self._calling is None:
            return
        try:
            await self._calling
        except SlackApiError:
            return  # refused: nothing was done
        except Exception:
            self._mode = "none"  # it may have been done

    async def _send(self, whole: str) -> None:
        assert self._ts is not None
        rest = whole[len(self._sent) :]
        await self._parts.client.chat_appendStream(channel=self._claim.channel, ts=self._ts, markdown_text=rest)
        self._sent = whole

    async def _start(self, first: str) -> None:
        """Opens the stream; the time is written before, the ts after, so that a crash between is found out."""
        post = await self._claim.write("answer trying", self._try)
        self._began = self._parts.now_ms()
        try:
            person = await self._parts.people.person(self._turn.asked_by)
            answer = await self._parts.client.chat_startStream(
                channel=self._claim.channel,
                thread_ts=self._claim.thread_ts,
                recipient_user_id=self._turn.asked_by,
                recipient_team_id=person.team_id or self._claim.team,
                markdown_text=first,
            )
        except SlackApiError:
            await self._claim.write("answer not made", lambda c: posts.not_tried(c, post.id))
            raise
        ts = str(answer["ts"])
        await self._claim.write("answer made", lambda c: posts.created(c, post.id, ts))
        self._ts, self._sent = ts, first

    def _try(self, connection: Any) -> posts.Post:
        post = self._answer_post(connection, None)
        posts.trying(connection, post.id, self._parts.now_ms())
        return post

    def _answer_post(self, connection: Any, want: dict[str, Any] | None) -> posts.Post:
        return posts.put(
            connection,
            key=self._key,
            thread_id=self._claim.thread_id,
            role="answer",
            want=want,
            turn_id=self._turn.id,
            part=self._part,
        )

    async def _show_placeholder(self) -> None:
        self._mode = "update"
        want = with_stop(Shown("Thinking …", [{"type": "markdown", "text": "_Thinking …_"}])).as_want()
        post = await self._claim.write("answer wanted", lambda c: self._answer_post(c, want))
        await show_post(self._parts, self._claim, post)

    async def _update(self) -> None:
        if self._ts is None:
            post = await self._claim.read(lambda c: posts.by_key(c, self._key))
            self._ts = post.ts if post else None
        if self._ts is None:
            await self._show_placeholder()
            self._changed.set()
            return
        shown = answer_parts(answer_text(self._pieces))
        if shown:
            want = with_stop(shown[-1]).as_want()
            await self._parts.client.chat_update(channel=self._claim.channel, ts=self._ts, **want)


def _settled(text: str) -> str:
    """As much of the text as further words cannot change: up to the last space, outside anything open."""
    end = max(text.rfind(" "), text.rfind("\n"))
    settled = text[: end + 1]
    return settled[: match.start()] if (match := OPEN_MARK.search(settled)) else settled
