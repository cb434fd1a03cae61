"""One world for the whole matrix: a conversation of every kind, a viewer of every kind, and who may see what."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from bot.local_model import Reply, Script, ToolCall, say
from bot.local_slack.interactions import ask, asking
from bot.local_slack.people import person_of
from bot.local_slack.world import Channel
from bot.sessions.models import planned, question, session, thread, tool_call, turn
from tests.bench import Bench, everything_in
from tests.slack.asked import at_rest

TICKET = "T-042"
TOOL = "mcp__sciorex-tickets__sciorex_"
# Conversations, with a word that stands in every title, text, note and plan of their sessions, and in no other.
WORDS = {
    "public": "alabaster",
    "public with a guest": "basalt",
    "private": "cinnabar",
    "private with a guest": "dolomite",
    "shared": "epidote",
    "shared and private": "feldspar",
    "direct": "garnet",
    "group": "hematite",
}
# Viewers: the owner is in every conversation and began each; the mate is in all but the owner's direct message; the
# colleague is a full member in no conversation but the lobby; guests and strangers are in what their names say.
VIEWERS = ("owner", "mate", "colleague", "guest elsewhere", "guest inside", "stranger")
OPEN = {"public", "public with a guest"}
SEES: dict[str, set[str]] = {
    "owner": set(WORDS),
    "mate": set(WORDS) - {"direct"},
    "colleague": OPEN,
    "guest elsewhere": set(),
    "guest inside": {"public with a guest", "private with a guest"},
    "stranger": {"shared", "shared and private"},
}
# What may be posted in each conversation, and what its agent may know of: what everybody in it may see.
POSTED: dict[str, set[str]] = {
    "public": OPEN,
    "public with a guest": {"public with a guest"},
    "private": OPEN | {"private"},
    "private with a guest": {"private with a guest"},
    "shared": {"shared"},
    "shared and private": {"shared and private"},
    "direct": OPEN | {"direct"},
    "group": OPEN | {"group"},
}


ON_THREAD = thread.c.id == session.c.thread_id


def model() -> Script:
    """Does what the last message says: calls a tool, sums up as the words it was given, or answers."""

    def script(request: dict[str, Any]) -> Reply:
        last = request["messages"][-1]["content"]
        told = everything_in(last)
        if "<to_sum_up>" in told:
            return say("Summary of " + ", ".join(sorted(word for word in WORDS.values() if word in told)))
        if any(isinstance(block, dict) and block["type"] == "tool_result" for block in last):
            return say("Done.")
        if wanted := re.findall(r"use: (\w+)", told):
            name, more = TOOLS[wanted[-1]]
            return say(ToolCall(TOOL + name, {"ticketId": TICKET, **more}))
        return say(f"Answer to {told.rpartition('zebra')[2][:40]}")

    return script


TOOLS: dict[str, tuple[str, dict[str, str]]] = {
    "list": ("list_sessions", {}),
    "read": ("get_ticket", {}),
    "close": ("change_status", {"status": "done"}),
    "tick": ("complete_subtask", {"subtaskId": "sub-003"}),
    "comment": ("add_comment", {"comment": "seen to"}),
}


@dataclass
class World:
    """The bench with its conversations and viewers by name, and the first thread of each conversation."""

    here: Bench
    at: dict[str, str] = field(default_factory=dict)
    who: dict[str, str] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, list[str]] = field(default_factory=dict)
    plans: dict[str, list[int]] = field(default_factory=dict)
    turns: dict[str, str] = field(default_factory=dict)  # the key of a turn of each
    question: str = "0123456789abcdef"  # open in the private conversation

    async def build(self) -> None:
        here, slack = self.here, self.here.slack
        for name in VIEWERS:
            more: dict[str, Any] = {"guest": True} if "guest" in name else {}
            self.who[name] = slack.add_user(name.title(), **more, team_id="T0OTHER" if name == "stranger" else None)
        owner, mate, inside, sue = (self.who[name] for name in ("owner", "mate", "guest inside", "stranger"))
        ours = (owner, mate, slack.bot_user_id)
        for name in WORDS:
            if name == "direct":
                self.at[name] = slack.open_dm(owner)
            elif name == "group":
                space = slack._workspace.world
                made = Channel(space.next_id("C"), "mpdm", 1, owner, ours, private=True, mpim=True)
                self.at[name] = space.put_channel(made).id
            else:
                guest, shared = "guest" in name, "shared" in name
                members = (*ours, *((inside,) if guest else ()), *((sue,) if shared else ()))
                self.at[name] = slack.add_channel(
                    name.replace(" ", "-"), private="private" in name, shared=shared, members=members
                )
        lobby = (owner, self.who["colleague"], self.who["guest elsewhere"], slack.bot_user_id)
        self.at["lobby"] = slack.add_channel("lobby", members=lobby)
        for name in WORDS:
            await self._fill(name)
        await at_rest(here)
        await self._learn()

    async def _fill(self, name: str) -> None:
        """Two sessions on the ticket, one of them archived with a note, one more forked, and one planned."""
        here, owner, channel, word = self.here, self.who["owner"], self.at[name], WORDS[name]
        mention = "" if name == "direct" else f"{here.at} "
        for n in (1, 2):
            root = await here.slack.say(owner, channel, f"{mention}zebra {word} {n}")
            await here.seen(channel, root, f"Answer to  {word} {n}")
            await here.slack.say(owner, channel, f"!link {TICKET}", root)
            await here.seen(channel, root, "Unlink")
            if name != "direct":
                await here.slack.say(self.who["mate"], channel, f"I know of {word}", root)
            if n == 1:
                self.roots[name] = root
        await here.slack.say(owner, channel, f"!archive Note on {word}", root)
        await here.seen(channel, root, "Archived")
        await self.use(name, "comment")
        if name == "private":
            await self.use(name, "tick")
        await here.slack.say(owner, channel, "!fork", self.roots[name])
        await here.slack.command(owner, channel, f"/ticket {TICKET} plan Plan {word}")

    async def _learn(self) -> None:
        """The ids of all that there is, by conversation."""
        assert self.here.bot is not None
        names = {channel: name for name, channel in self.at.items()}
        begun = select(session.c.id, thread.c.channel).join(thread, ON_THREAD)
        to_be = select(planned.c.id, thread.c.channel).join(thread, thread.c.id == planned.c.lane_id)
        db = self.here.bot.parts.db
        for session_id, channel in await db.read(lambda c: c.execute(begun).all()):
            self.sessions.setdefault(names[channel], []).append(session_id)
        for planned_id, channel in await db.read(lambda c: c.execute(to_be).all()):
            self.plans.setdefault(names[channel], []).append(planned_id)
        worked = tool_call.select().where(tool_call.c.turn_id == turn.c.id).exists()
        of_turns = select(turn.c.key, thread.c.channel).join(session, session.c.id == turn.c.session_id).where(worked)
        for key, channel in await db.read(lambda c: c.execute(of_turns.join(thread, ON_THREAD)).all()):
            self.turns[names[channel]] = key
        await db.write("a question", self._ask)

    def _ask(self, connection: Connection) -> None:
        """A question about a tool call of the private conversation waits for somebody."""
        calls = select(tool_call.c.id).join(turn, turn.c.id == tool_call.c.turn_id)
        call_id = connection.execute(calls.where(turn.c.key == self.turns["private"])).scalars().first()
        of = {"id": self.question, "tool_call_id": call_id, "n": 1, "kind": "approval", "shown": "{}"}
        open_ = {"who_may": '["members"]', "state": "open", "asked_ms": 1, "expires_ms": 1 << 50}
        connection.execute(question.insert().values(**of, **open_))

    async def use(self, name: str, tool: str) -> str:
        """The agent in a conversation's first thread uses a tool; gives what it was told."""
        here, before = self.here, len(self.here.model.requests)
        mention = "" if name == "direct" else f"{here.at} "
        await here.slack.say(self.who["owner"], self.at[name], f"{mention}use: {tool}", self.roots[name])
        await at_rest(here)
        results = [
            block["content"]
            for request in here.model.requests[before:]
            for block in request["messages"][-1]["content"]
            if isinstance(block, dict) and block["type"] == "tool_result"
        ]
        return everything_in(results[-1:])

    def traces(self, *shown: object) -> set[str]:
        """The conversations of which there is any trace in what was shown: words, ids, addresses."""
        text = everything_in(list(shown)) + json.dumps(shown, default=str)
        return {
            name
            for name, word in WORDS.items()
            if word in text
            or any(one in text for one in self.sessions.get(name, ()))
            or any(f'"p:{one}"' in text for one in self.plans.get(name, ()))
            or self.roots[name].replace(".", "") in text
        }

    def home_of(self, viewer: str) -> tuple[str, str]:
        """Where the viewer works: their own direct message; a stranger has none, and works in the shared channel."""
        if viewer == "stranger":
            return self.at["shared"], self.roots["shared"]
        return self.here.slack.open_dm(self.who[viewer]), ""

    async def told(self, viewer: str, words: str) -> list[dict[str, Any]]:
        """What `/ticket …` shows the viewer, all pages of it."""
        user, (channel, root) = self.who[viewer], self.home_of(viewer)
        slack = self.here.slack
        before = len(slack.ephemerals(user))
        if root:
            await slack.say(user, channel, f"!ticket {words}", root)
        else:
            await slack.command(user, channel, f"/ticket {words}")
        await slack.until(lambda s: len(s.ephemerals(user)) > before, timeout=10)
        await at_rest(self.here)
        pages = slack.ephemerals(user)[before:]
        while turn := next((b for b in buttons(pages[-1]) if b["action_id"] in ("sessions_older", "page_next")), None):
            last = pages[-1]
            await slack.click(user, channel, last["ts"], turn["action_id"])

            def turned(_: object, was: dict[str, Any] = last) -> bool:
                now = slack.ephemerals(user)[-1]
                return bool(now["blocks"] != was["blocks"])

            await slack.until(turned, timeout=10)
            await at_rest(self.here)
            pages.append(slack.ephemerals(user)[-1])
        return pages

    async def forge(self, viewer: str, action: str, value: str, view: dict[str, Any] | None = None) -> None:
        """Presses a button that the viewer was never shown: in a view of theirs, or in a message where they are."""
        space, user = self.here.slack._workspace, self.who[viewer]
        channel, root = self.home_of(viewer)
        payload = asking(space, person_of(space, user), "block_actions")
        if view is not None:
            payload |= {"container": {"type": "view", "view_id": view["id"]}, "view": view}
        else:
            ts = root or space.world.next_ts()
            payload |= {
                "channel": {"id": channel, "name": "x"},
                "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": not root},
                "message": {"type": "message", "ts": ts},
            }
        row = {"action_id": action, "block_id": "b", "type": "button", "value": value}
        await ask(space, payload | {"actions": [{**row, "action_ts": space.world.next_ts()}]})

    def shown_to(self, viewer: str) -> list[object]:
        """All that this viewer alone has been shown and still sees."""
        slack, user = self.here.slack, self.who[viewer]
        return [slack.ephemerals(user), slack.views(user), slack.home(user), self.files_of(viewer)]

    def files_of(self, viewer: str) -> list[object]:
        """The files that the bot sent this viewer in a direct message."""
        if viewer == "stranger":
            return []
        files = self.here.slack._workspace.world.files
        mine = self.here.slack.messages(self.here.slack.open_dm(self.who[viewer]))
        return [files[f["id"]] for m in mine if m.get("bot_id") for f in m.get("files") or ()]

    def said_by_bot(self, name: str) -> list[dict[str, Any]]:
        """Everything the bot has posted in a conversation, threads too."""
        slack = self.here.slack
        tops = slack.messages(self.at[name])
        every = itertools.chain(tops, *(slack.messages(self.at[name], m["ts"]) for m in tops))
        return list({m["ts"]: m for m in every if m.get("bot_id") == slack.bot_id}.values())


def buttons(shown: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The buttons of a message or view."""
    for block in shown["blocks"]:
        yield from (one for one in block.get("elements") or () if one.get("type") == "button")


def numbers(pages: Iterable[dict[str, Any]]) -> list[int]:
    """The numbers of the sessions that lists name, in order."""
    text = "\n".join(everything_in([b for b in page["blocks"] if b["type"] == "section"]) for page in pages)
    return sorted(int(found) for found in re.findall(r"Session (\d+):", text))
