"""The document's example conversation as a script, decided from the request alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.local_model import answers, summing
from bot.local_model.reading import TICKET_ID, Seen, SeenTicket, Step, read
from bot.local_model.reply import Json, Part, Reply, ToolCall, say

DISCLAIMER = "_I'm a scripted stand-in, not Claude: I play a sample conversation and know a few phrases._"
STATUSES = {
    "in review": "in_review",
    "in progress": "in_progress",
    "review": "in_review",
    "backlog": "backlog",
    "planned": "planned",
    "done": "done",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
STATUS = "|".join(word.replace(" ", "[ _-]") for word in STATUSES)

Answer = str | tuple[Part, ...]


def document_script(request: Json) -> Reply:
    """Answers like the agent of the document on sample ticket T-042, and sensibly on any ticket or none.

    The same request always gets the same answer. The first answer of a thread says that it is scripted.
    """
    if threads := summing.threads_in(request):
        return say(summing.summed_up(threads, DISCLAIMER))
    seen = read(request)
    answer = answers.after(seen) if seen.result is not None else _fresh(seen)
    if answer is None:
        return say(answers.not_understood(seen, DISCLAIMER))
    parts = (answer,) if isinstance(answer, str) else answer
    if any(DISCLAIMER in said for said in seen.answers):
        return say(*parts)
    if isinstance(parts[0], str):
        return say(f"{DISCLAIMER}\n\n{parts[0]}", *parts[1:])
    return say(DISCLAIMER, *parts)


def _fresh(seen: Seen) -> Answer | None:
    """The answer to what a person just said; None where no phrase fits."""
    said = re.sub(r"<@[^>]*>", "", seen.said).replace("’", "'").strip()
    if re.search(r"\b(don't|do not|dont|never)\b", said, re.IGNORECASE):
        return None
    for pattern, intent in INTENTS:
        if match := re.search(pattern, said, re.IGNORECASE | re.DOTALL):
            return intent(seen, match)
    return None


def _target(seen: Seen, said: str) -> str | None:
    """The ticket a phrase is about: the one it names, else the linked one."""
    named = TICKET_ID.search(said)
    if named:
        return named.group().upper()
    return seen.ticket.id if seen.ticket else None


def _call(seen: Seen, tool: str, arguments: Json, *before: str) -> Answer:
    """The tool call, behind some words; a sentence instead where ticket or tool is missing."""
    if arguments.get("ticketId", "") is None:
        return answers.NO_TICKET
    if tool not in seen.tools:
        return f"For that I need the tool {tool}, and this agent has not been given it."
    return (*before, ToolCall(seen.tools[tool], arguments))


def _step_meant(seen: Seen, said: str) -> Step | None:
    """The subtask a phrase names, else the one that was offered last, else the first open one."""
    steps = seen.ticket.subtasks if seen.ticket else ()
    lower = said.lower()
    named = [step for step in steps if step.title.lower() in lower or step.topic.lower() in lower]
    if named:
        return max(named, key=lambda step: len(step.title))
    offered = re.findall(r"Should I start with (.+?)\?", "\n".join(seen.answers))
    asked = [s for s in steps if offered and s.topic.lower() == offered[-1].lower() and s.status != "completed"]
    return next(iter([*asked, *(seen.ticket.open_steps() if seen.ticket else ())]), None)


def _relates(_seen: Seen, match: re.Match[str]) -> Answer:
    return f"I'll note the relationship to {match.group(1).upper()}."


def _create(seen: Seen, match: re.Match[str]) -> Answer:
    title = match.group(1).strip(" .:\"'“”")
    if not title:
        return "What should the ticket say? Try: create a ticket for resizing old avatars."
    return _call(seen, "sciorex_create_ticket", {"title": title[:1].upper() + title[1:]})


def _comment(seen: Seen, match: re.Match[str]) -> Answer:
    comment = match.group(1).strip(" :\"'“”")
    if not comment:
        return "What should the comment say? Try: add a comment: the upload UI is ready."
    before = match.string[: match.start(1)]  # an id inside the comment is not the ticket to comment on
    return _call(seen, "sciorex_add_comment", {"ticketId": _target(seen, before), "comment": comment})


def _status(seen: Seen, match: re.Match[str]) -> Answer:
    status = STATUSES[re.sub("[_-]", " ", match.group("status").lower())]
    return _call(seen, "sciorex_change_status", {"ticketId": _target(seen, match.string), "status": status})


def _start_step(seen: Seen, match: re.Match[str]) -> Answer:
    step, target = _step_meant(seen, match.string), _target(seen, match.string)
    if target is not None and step is None:
        return answers.no_step(seen)
    arguments = {"ticketId": target, "title": step.title if step else "", "status": "in_progress"}
    before = "I'll update the subtask status and begin implementing...\n"
    return _call(seen, "sciorex_update_subtask", arguments, before)


def _complete_step(seen: Seen, match: re.Match[str]) -> Answer:
    running = [s for s in (seen.ticket.subtasks if seen.ticket else ()) if s.status == "in_progress"]
    named = match.group("what").strip(" \"'“”")
    it = re.fullmatch(r"(it|this|that|this one|that one|the subtask|the task)?", named, re.IGNORECASE)
    step = running[0] if it and running else _step_meant(seen, "" if it else named)
    title = step.title if step and (it or step.topic.lower() in named.lower()) else named
    if it and step is None:
        return answers.no_step(seen) if seen.ticket else answers.NO_TICKET
    return _call(seen, "sciorex_complete_subtask", {"ticketId": _target(seen, match.string), "title": title})


def _left(seen: Seen, match: re.Match[str]) -> Answer:
    for tool in ("sciorex_list_subtasks", "sciorex_get_ticket"):
        if tool in seen.tools:
            return _call(seen, tool, {"ticketId": _target(seen, match.string)})
    return answers.left(seen.ticket) if seen.ticket else answers.NO_TICKET


def _summary(seen: Seen, match: re.Match[str]) -> Answer:
    return _on_ticket(seen, match.string, answers.summary)


def _implement(seen: Seen, match: re.Match[str]) -> Answer:
    return _on_ticket(seen, match.string, answers.implement)


def _begin(seen: Seen, match: re.Match[str]) -> Answer:
    step = _step_meant(seen, match.string)
    return answers.begin(seen.ticket, step.title) if seen.ticket and step else _implement(seen, match)


def _on_ticket(seen: Seen, said: str, answer: Callable[[SeenTicket], str]) -> Answer:
    """An answer from the linked ticket's context; another ticket that is named is looked up first."""
    target = _target(seen, said)
    if seen.ticket and target == seen.ticket.id:
        return answer(seen.ticket)
    return _call(seen, "sciorex_get_ticket", {"ticketId": target})


ID = r"[A-Za-z]{1,5}-\d+"
Intent = Callable[[Seen, re.Match[str]], Answer]
INTENTS: tuple[tuple[str, Intent], ...] = (
    (rf"\brelat(?:es|ed) to\b.*?({ID})", _relates),
    (
        r"\b(?:create|open|file|add|make) (?:a |another )?(?:new )?ticket\b"
        r"(?: (?:for|to|about|called|titled))?(.*)",
        _create,
    ),
    (rf"\badd (?:a |this |the )?comment\b(?: to (?:it|the ticket|{ID}))?(?: that| saying)?(.*)", _comment),
    (rf"\b(?:status|ticket|move it|put it|{ID})\b.*?\b(?:to|as|into|in) (?P<status>{STATUS})\b", _status),
    (rf"\bmark (?:the ticket|{ID}) (?P<status>{STATUS})\b", _status),
    (r"\b(?:mark|set|put|move)\b.*\bin[ _-]progress\b", _start_step),
    (r"\bmark (?P<what>.*?)\s*(?:as |to )?(?:complete|completed|done|finished)\b", _complete_step),
    (r"\b(?:complete|finish|check off|tick off) (?P<what>.+?)[.!]?$", _complete_step),
    (answers.LEFT.pattern, _left),
    (answers.SUMMARY.pattern, _summary),
    (
        rf"\b(?:help|implement|work on|get started)\b.*\b(?:implement|feature|ticket|this|it|start|{ID})\b",
        _implement,
    ),
    (r"^(?:yes|yep|ok(?:ay)?|sure|go ahead|please do)\b|\b(?:start|begin) with\b", _begin),
)
