"""The scripted model asked to sum up: who spoke, how it began, what was said last."""

from __future__ import annotations

import re

from bot.local_model.reading import TICKET_ID
from bot.local_model.reply import Json

THREAD = re.compile(r"^<to_sum_up>\nThread: (.*?)\n(.*?)^</to_sum_up>$", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"^\[([^\]]*)\] ([^:\n]*): (.*)", re.MULTILINE)
LONGEST = 140


def threads_in(request: Json) -> list[tuple[str, str]]:
    """The title and the lines of each thread that a request wants summed up; none in any other request."""
    content = request["messages"][-1]["content"]
    texts = [content] if isinstance(content, str) else [str(block.get("text", "")) for block in content]
    return [(title, lines) for text in texts for title, lines in THREAD.findall(text)]


def summed_up(threads: list[tuple[str, str]], disclaimer: str) -> str:
    """A summary made of the lines alone."""
    return "\n\n".join([disclaimer, *(_one(title, lines) for title, lines in threads)])


def _one(title: str, lines: str) -> str:
    said = [(who, text) for _, who, text in LINE.findall(lines) if who != "tool"]
    people = list(dict.fromkeys(who for who, _ in said if who != "agent"))
    done = [text for _, who, text in LINE.findall(lines) if who == "tool"]
    tickets = sorted({found.upper() for found in TICKET_ID.findall(lines)})
    points = [f"**{title}**"]
    if people:
        points.append(f"- {', '.join(people[:6])} spoke; {len(said)} messages with the agent's")
    if said:
        points.append(f"- It began with: {_short(said[0][1])}")
        points.append(f"- Last, {'the agent' if said[-1][0] == 'agent' else said[-1][0]}: {_short(said[-1][1])}")
    if done:
        points.append(f"- Done with tools: {', '.join(dict.fromkeys(one.split()[0] for one in done))}")
    if tickets:
        points.append(f"- Tickets named: {', '.join(tickets[:8])}")
    return "\n".join(points)


def _short(text: str) -> str:
    line = re.sub(r"<@[^>]*>", "", text).strip()
    return line if len(line) <= LONGEST else line[:LONGEST] + "…"
