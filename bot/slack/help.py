"""What the bot offers, in the words of whoever asks for help."""

from __future__ import annotations

from bot.slack.views.blocks import section
from bot.slack.views.markdown import Shown

LINES = """\
*Talk to me*: mention me in a thread, or write to me directly. A thread I serve is a session;
linked to a ticket, I know what it is about.

*In a thread*, behind a mention or after `!` (`{link} T-042` as a message does it too, with a space before it):
• `link T-042` gives me the ticket · `unlink` takes it away
• `archive` keeps the thread with its ticket (`!archive a note` with a note)
• `sessions` lists the ticket's threads, `cost` what they used · `status` says what it can become,
  `status in_review` changes it
• `rename New title` · `fork` goes on in a new thread · `resume` after archiving · `plan Code review` for later
• `export` sends you the transcript as a file: `export md`, `html` or `json`, and with `here` into the thread
• `summary` (or `catch me up`) sums the thread up · `stop` ends what I am doing · `help`
• `use code-reviewer` lets another agent answer, `use` lists them · `quiet` to be answered only on a mention, `always`
• `mode` says what I may do without asking; `mode ask for all`, `mode auto-approve edits` or `mode yolo` chooses

*On a message*, under its ⋮: *Link to ticket*, *Archive to ticket*, *Fork session*

*From the channel's composer* (Slack allows no commands in threads):
• `{link} T-042` links one of your recent threads, or starts one · `{unlink}`
• `{ticket} T-042` shows a ticket, with *Start chat*, and *Open* for all of it · `{ticket} T-042 sessions` its threads
• `{ticket} T-042 plan` plans sessions, each with *Start*, *Rename* and *Cancel*
• `{ticket} T-042 status in_review`, `{ticket} T-042 done` · `{ticket} T-042 status` offers what is allowed

*Tickets*, at the composer or as `!ticket …` in a thread:
• `{ticket} new` opens a form · `{ticket} new Fix the login type:bug priority:high label:ui epic:E-001` makes it at once
• `{ticket} list`, with any of `bug` `high` `in_progress` `#ui` `E-001` `ready` `blocked` `archived` `page 2` behind it
• `{ticket} search login` finds tickets and what was said · `{ticket} T-042 summary` sums up its threads
• `{ticket} epics` says how far each is · `{ticket} E-001` shows its tickets

*Under Slack's shortcuts*, anywhere: *New ticket* · *On my Home tab*: your sessions and tickets, and search

*On the buttons* of a thread's first answer: *View ticket* or *Link to ticket*, *Archive*, *Unlink*

Naming a ticket in a session notes that the two are related; it never links."""


SEVERAL = """

*Workspaces*: a channel has its own tickets; `workspace` (or `{ticket} workspace`) says whose.
In a direct message `workspace website` chooses those of `website`."""


def help_text(link: str, unlink: str, ticket: str, *, several: bool = False) -> Shown:
    """The help, with the names the slash commands have here; `several` where there is more than one workspace."""
    text = (LINES + (SEVERAL if several else "")).format(link=link, unlink=unlink, ticket=ticket)
    return Shown(text, [section(text)])
