"""Commands people type as words: `@Sciorex link T-042`, `!link T-042`, `/link T-042` as a message's text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.errors import InvalidTicket
from bot.tickets.vocabulary import Status, spelled

TICKET_ID = r"[A-Za-z#][A-Za-z0-9#]{0,4}-\d{1,9}"
MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
LINK = re.compile(r"<(?:(?:https?|mailto):[^|<>]*|#[CDG][A-Z0-9]+)\|([^<>]+)>|<((?:https?|mailto):[^|<>]*)>")
CATCH_UP = re.compile(r"!?\s*catch (?:me|us) up(?:,? please)?[.!?]?", re.IGNORECASE)
QUIET = re.compile(r"!?\s*(?:answer )?only when (?:you are |you're )?mentioned(?:,? please)?[.!]?", re.IGNORECASE)
VERBS = (
    *("link", "unlink", "archive", "sessions", "status", "stop", "help", "ticket", "workspace"),
    *("rename", "fork", "resume", "plan", "summary", "export", "mode", "cost", "use", "quiet", "always"),
)
# What an agent may be asked to rename: such a sentence is for it, not a title.
NOT_A_TITLE = (
    r"(?:the|this|that|these|it|its|a|an|all|every|my|our|their|(?:sub)?tasks?|tickets?|epics?|files?|labels?)"
)


@dataclass(frozen=True)
class Word:
    """A command: its verb (one of VERBS) and what stood behind it."""

    verb: str
    argument: str = ""


def mentioned(text: str) -> list[str]:
    """The ids of everybody the text mentions."""
    return MENTION.findall(text)


def without_mention(text: str, bot_user: str) -> str:
    """The text without the mention of the bot that it begins with."""
    return re.sub(rf"^\s*<@{re.escape(bot_user)}(?:\|[^>]*)?>[\s,:]*", "", text)


def command_in(text: str, bot_user: str, *, direct: bool = False, slash: tuple[str, ...] = VERBS) -> Word | None:
    """The command that the text is, or None where it is meant for the agent.

    A word alone counts behind a mention or in a direct message; there it must be the whole message in form
    ("link T-042", not "link the pages please"), so that nothing said to the agent is taken for a command.
    `!word` and `/word` are commands wherever the bot reads. `slash` are the names that count behind a slash.
    """
    rest = without_mention(text, bot_user)
    addressed = direct or rest != text
    stripped = rest.strip()
    if (addressed or stripped.startswith("!")) and CATCH_UP.fullmatch(stripped):
        return Word("summary")
    if (addressed or stripped.startswith("!")) and QUIET.fullmatch(stripped):
        return Word("quiet")
    if match := re.match(r"([!/])(\w+)\s*:?\s*(.*)\Z", stripped, re.DOTALL):
        mark, verb, argument = match[1], match[2].lower(), match[3].strip()
        if verb in VERBS and (mark == "!" or verb in slash):
            return Word(verb, argument)
        return None
    return _plain(stripped) if addressed else None


def as_typed(text: str) -> str:
    """A text as the person typed it, where Slack wrote addresses as <links> and `&<>` as entities."""
    typed = LINK.sub(lambda match: match[1] or match[2], text)
    return typed.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def begins_status(text: str) -> bool:
    """Whether a text is a status in any spelling, or the beginning of one (two letters at least)."""
    try:
        return bool(spelled(Status, text))
    except InvalidTicket:
        letters = letters_of(text)
        return len(letters) > 1 and any(letters_of(status).startswith(letters) for status in Status)


def letters_of(text: str) -> str:
    """A word without what people type between its parts: `In Review` and `in_review` are the same."""
    return re.sub(r"[\W_]+", "", text.casefold())


def _plain(text: str) -> Word | None:
    """A command without a mark before it."""
    forms = (
        rf"(link|ticket)(?:\s+({TICKET_ID}))?",
        r"(status)(?:\s+(\w+(?:[ _-]\w+)?))?",
        r"(workspace)(?:\s+([\w-]+))?",
        r"(mode)(?:\s+(ask(?: for all)?|auto-approve edits|auto|edits|yolo))?",
        r"(use)(?:\s+agent\s+(.+)|\s+([\w-]+(?:\.[\w-]+)*))?",
        r"(unlink|sessions|stop|help|archive|fork|resume|plan|summary|cost|quiet|always)",
        r"(archive|plan)\s*:\s*(.+)",
        r"(export)(?:\s+((?:\s*\b(?:md|markdown|html|json|here)\b)+))?",
        r"(rename)(?:\s+(?:(?:this|the)\s+)?(?:session|thread|chat))?(?:\s+to\s+|\s*:\s*)(.+)",
        rf"(rename)\s+(?!{NOT_A_TITLE}\b|{TICKET_ID}\b)((?:(?!\sto\s)[^\n])+)",
    )
    for form in forms:
        if match := re.fullmatch(form + r"[.!?]?", text, re.IGNORECASE | re.DOTALL):
            verb, argument = match[1].lower(), next((g for g in match.groups()[1:] if g), "").strip()
            return Word(verb, argument) if verb != "status" or not argument or begins_status(argument) else None
    return None
