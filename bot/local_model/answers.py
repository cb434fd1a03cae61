"""The sentences of the scripted model: about a ticket, after a tool has run, and when it knows no phrase."""

from __future__ import annotations

import re

from bot.local_model.reading import Result, Seen, SeenTicket, Step, steps_of, ticket_of

NO_TICKET = (
    "This thread is not linked to a ticket, so I don't know which one you mean. Link one with `!link T-042`, "
    "or name a ticket in your message."
)
SUMMARY = re.compile(r"\b(summar|sum (it |this )?up|recap|tl;?dr)", re.IGNORECASE)
LEFT = re.compile(
    r"\b(what('s| is| are|s)?|anything|how much)\b.*\b(left|remain\w*|pending|still (to do|open)|to do)\b",
    re.IGNORECASE | re.DOTALL,
)


def implement(ticket: SeenTicket) -> str:
    """The first answer of the document: the ticket's title, its requirements, and where to begin."""
    lines = [f'I see this is for ticket {ticket.id}: "{ticket.title}"']
    wanted = ticket.bullets("Requirements") or ticket.bullets("Acceptance Criteria")
    if wanted:
        lines += ["", "Based on the requirements:", *(f"- {item}" for item in wanted)]
    elif ticket.description.strip():
        lines += ["", ticket.description.strip().splitlines()[0]]
    first = ticket.open_steps()[:1]
    upload = "upload" in ticket.title.lower()
    start = "examining the existing file upload component" if upload else "looking at what is there already"
    if first and not upload:
        start = f"looking at {_lower_first(first[0].topic)}"
    return "\n".join([*lines, "", f"Let me start by {start}..."])


def left(ticket: SeenTicket) -> str:
    """What is pending, what is complete, and the question where to start."""
    remaining = ticket.open_steps()
    finished = [step.topic for step in ticket.subtasks if step.status == "completed"]
    if not ticket.subtasks:
        return f"Looking at ticket {ticket.id}, it has no subtasks."
    if not remaining:
        return f"Looking at ticket {ticket.id}, all {len(finished)} subtasks are complete."
    lines = [f"Looking at ticket {ticket.id}, here are the remaining subtasks:", ""]
    lines += [f"☐ {step.title} ({step.status.replace('_', ' ')})" for step in remaining]
    if finished:
        verb = "are" if len(finished) > 1 else "is"
        lines += ["", f"The {_joined(finished)} {verb} already complete."]
    return "\n".join([*lines, "", f"Should I start with {_lower_first(remaining[0].topic)}?"])


def summary(ticket: SeenTicket) -> str:
    """Title, status and how far the subtasks are."""
    done = len(ticket.subtasks) - len(ticket.open_steps())
    lines = [f'{ticket.id}: "{ticket.title}" is {ticket.status.replace("_", " ") or "without a status"}.']
    if ticket.subtasks:
        lines.append(f"{done} of {len(ticket.subtasks)} subtasks are complete.")
    if ticket.open_steps():
        lines.append(f"Still open: {', '.join(step.title for step in ticket.open_steps())}.")
    return " ".join(lines)


def begin(ticket: SeenTicket | None, title: str) -> str:
    """The first thought on a subtask, taken from the requirement that fits it best."""
    wanted = ticket.bullets("Requirements") if ticket else ()
    words = set(re.findall(r"\w{4,}", title.lower()))
    if "image" in words:
        words |= {"thumbnails"}
    fitting = [item for item in wanted if words & set(re.findall(r"\w{4,}", item.lower()))]
    if not fitting:
        return f'Then I begin with "{title}".'
    return f"Looking at the requirements, we need to {_lower_first(fitting[0])}..."


def no_step(seen: Seen) -> str:
    steps = ", ".join(f'"{step.title}"' for step in seen.ticket.subtasks) if seen.ticket else ""
    return f"I can't tell which subtask you mean. There are: {steps}." if steps else "There is no open subtask here."


def after(seen: Seen) -> str:
    """The rest of an answer, once a tool's result is there."""
    result = seen.result
    assert result is not None
    if result.is_error:
        return f"That did not work: {result.text.strip()}"
    if result.tool in ("sciorex_list_subtasks", "sciorex_get_ticket"):
        return _after_reading(seen, result)
    ticket_id = str(result.input.get("ticketId", ""))
    if result.tool == "sciorex_update_subtask":
        title = str(result.input.get("title", ""))
        ticket = seen.ticket if seen.ticket and seen.ticket.id == ticket_id else ticket_of(result.value())
        return begin(ticket, title)
    if result.tool == "sciorex_complete_subtask":
        return _after_completing(seen, result, ticket_id)
    if result.tool == "sciorex_change_status":
        return f"{ticket_id} is now {str(result.input['status']).replace('_', ' ')}."
    if result.tool == "sciorex_add_comment":
        return f"I've added your comment to {ticket_id}."
    if result.tool == "sciorex_create_ticket":
        return _after_creating(seen, result)
    return "Done."


def not_understood(seen: Seen, disclaimer: str) -> str:
    """What was said, which ticket is linked, and what can be tried."""
    said = " ".join(seen.said.split())
    heard = f'You said: "{said[:200]}{"…" if len(said) > 200 else ""}".' if said else "You said nothing I can read."
    if seen.ticket:
        where = f'This thread is linked to {seen.ticket.id}: "{seen.ticket.title}".'
        phrases: tuple[str, ...] = (
            "Help me implement this feature",
            "What's left to do on this ticket?",
            "Yes, and mark it in progress",
            'Mark "Write tests" complete',
            "Set the status to in review",
            "Add a comment: the upload UI is ready",
            "Create a ticket for resizing old avatars",
            "Give me a summary",
        )
    else:
        where = "This thread is not linked to a ticket yet: link one with `!link T-042`."
        phrases = ("Help me implement T-042", "What's left to do on T-042?", "This relates to T-042")
    tries = "\n".join(f"- {phrase}" for phrase in phrases)
    return f"{disclaimer}\n\n{heard} I have no line for that. {where}\n\nTry:\n{tries}"


def _after_reading(seen: Seen, result: Result) -> str:
    value, asked = result.value(), str(result.input.get("ticketId", ""))
    linked = seen.ticket if seen.ticket and seen.ticket.id == asked else SeenTicket(asked)
    ticket = ticket_of(value) or linked
    steps = steps_of(value) or ticket.subtasks
    ticket = SeenTicket(ticket.id, ticket.title, ticket.status, ticket.description, steps)
    if result.tool == "sciorex_list_subtasks" or LEFT.search(seen.said):
        return left(ticket)
    return summary(ticket) if SUMMARY.search(seen.said) else implement(ticket)


def _after_completing(seen: Seen, result: Result, ticket_id: str) -> str:
    title = str(result.input.get("title", ""))
    linked = seen.ticket.subtasks if seen.ticket and seen.ticket.id == ticket_id else ()
    steps: tuple[Step, ...] = steps_of(result.value()) or linked
    rest = [step.title for step in steps if step.status != "completed" and step.title != title]
    more = f" Still open: {', '.join(rest)}." if rest else " Nothing is left open." if steps else ""
    return f'"{title}" is complete now.{more}'


def _after_creating(seen: Seen, result: Result) -> str:
    made = ticket_of(result.value())
    name = f'{made.id}: "{made.title}"' if made else f'the ticket "{result.input["title"]}"'
    return f"I've created {name}." + (f" It is related to {seen.ticket.id}." if seen.ticket else "")


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
