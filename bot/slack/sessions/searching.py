"""What was said in sessions, as `/ticket search` shows it below the tickets: to whoever asked, as they may see it."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

from bot.sessions.searching.search import Hit, search
from bot.sessions.searching.wanted import wanted_in
from bot.slack.intake.words import as_typed
from bot.slack.parts import Parts
from bot.slack.sessions.opening import permalink
from bot.slack.views.blocks import cut
from bot.slack.views.ticket_blocks import Below, Page

PAGE = 5
LONGEST = 300
ICONS = {"message": "💬", "step": "🤖", "archive": "📝", "session": "🧵"}
ESCAPED_MENTION = re.compile(r"&lt;@([UW][A-Z0-9]+)(?:\|[^&|]*)?&gt;")


async def said(parts: Parts, user: str, wanted: Page) -> Below:
    """The page's hits that this person may see; nothing at all where there are none."""
    audience = await parts.people.audience_of(user)
    asked = wanted_in(as_typed(wanted.text))
    first = (wanted.number - 1) * PAGE
    hits = await parts.db.read(lambda c: search(c, audience, asked, limit=PAGE + 1, offset=first))
    addresses = await asyncio.gather(*(permalink(parts, hit.channel, hit.ts) for hit in hits[:PAGE]))
    lines = [hit_line(hit, address) for hit, address in zip(hits[:PAGE], addresses, strict=True)]
    if lines:
        lines.insert(0, "*Said in sessions*")
    return Below(lines, len(hits) > PAGE)


def hit_line(hit: Hit, address: str | None) -> str:
    """A hit on two lines: which session, who and when; and what was said."""
    title = cut(hit.title, 100).replace("|", "/") or "(no title)"
    name = f"<{address}|{title}>" if address else f"*{title}*"
    who = f"{cut(hit.bot_name, 40)} (bot)" if hit.bot_name is not None else f"<@{hit.by}>" if hit.by else "the agent"
    at = hit.ms // 1000
    when = f"<!date^{at}^{{date_short_pretty}} {{time}}|{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC>"
    words = cut(as_typed(hit.line), LONGEST)
    if hit.kind == "message":
        words = ESCAPED_MENTION.sub(r"<@\1>", words)
    return f"{ICONS[hit.kind]} {name} · {who} · {when}\n> {words}"
