"""Every failure a person can be told about; the text of each is what that person reads."""


class BotError(Exception):
    """What is wrong, in a sentence for the person concerned. What to type instead is added by slack/."""

    @property
    def text(self) -> str:
        return str(self)


class TicketNotFound(BotError):
    """No ticket has this id; `nearest` are existing ids that look like it."""

    def __init__(self, ticket_id: str, nearest: tuple[str, ...] = ()) -> None:
        self.ticket_id, self.nearest = ticket_id, nearest
        near = f" Did you mean {', '.join(nearest)}?" if nearest else ""
        super().__init__(f"There is no ticket {ticket_id}.{near}")


class TicketUnreadable(BotError):
    """A ticket's file cannot be read; names the file (relative to the workspace), the line and the cause."""

    def __init__(self, file: str, line: int | None, cause: str) -> None:
        self.file, self.line, self.cause = file, line, cause
        where = f", line {line}" if line else ""
        super().__init__(f"The ticket file {file}{where} cannot be read: {cause}.")


class AmbiguousTicket(BotError):
    """Several files claim the same ticket id; nothing is guessed."""

    def __init__(self, ticket_id: str, files: tuple[str, ...]) -> None:
        self.ticket_id, self.files = ticket_id, files
        super().__init__(f"{ticket_id} stands in more than one file: {', '.join(files)}. Keep one of them.")


class TicketArchived(BotError):
    """An archived ticket takes no new links (the user's document, troubleshooting)."""

    def __init__(self, ticket_id: str) -> None:
        super().__init__(f"{ticket_id} is archived, so it cannot be linked.")


class InvalidTicket(BotError):
    """A value that a ticket, subtask or epic cannot have."""


class TransitionNotAllowed(BotError):
    """A status that cannot follow the present one; names those that can."""

    def __init__(self, ticket_id: str, now: str, wanted: str, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(
            f"{ticket_id} is {now} and cannot become {wanted}. From {now} it can become {', '.join(allowed)}."
        )


class SubtaskNotFound(BotError):
    """No subtask, or several, answer to what was given; the text lists the candidates."""


class EditRefused(BotError):
    """A file's text cannot be changed safely at this value; names file and line."""


class EditConflict(BotError):
    """A field that is to be changed has been changed since it was read; both values are named."""

    def __init__(self, ticket_id: str, field: str, now: str, wanted: str) -> None:
        self.ticket_id, self.field, self.now, self.wanted = ticket_id, field, now, wanted
        super().__init__(
            f"The {field} of {ticket_id} was changed meanwhile: it is “{now}” now, and “{wanted}” was to replace "
            f"what was read before. Look at it again, then decide."
        )


class WorkspaceUnavailable(BotError):
    """The ticket workspace cannot be read or written (missing folder, full disk, no permission)."""


class WorkspaceUnknown(BotError):
    """A name that no workspace of the settings has: mistyped, or a session's whose workspace was taken away."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"I know no workspace {name} (any more). "
            "Whoever runs me names the workspaces in the file of SCIOREX_CONFIG."
        )


class OtherWorkspace(BotError):
    """A ticket of one workspace for a session of another: T-042 here is not T-042 there."""

    def __init__(self, of_session: str, of_ticket: str) -> None:
        super().__init__(
            f"That thread belongs to the workspace {of_session}, and the ticket was chosen in {of_ticket}. "
            f"Say it in the thread itself: there an id means a ticket of {of_session}."
        )


class NotAllowed(BotError):
    """The person may not do this; says who may."""


class CannotUndo(BotError):
    """What an operation did cannot be taken back; says why."""


class AlreadyDecided(BotError):
    """Somebody was sooner, or what was asked is not asked any more; says which."""


class SessionNotFound(BotError):
    """No session of this id that the asker may see."""


class SessionArchived(BotError):
    """The session is archived already."""


class ArchiveUnreadable(BotError):
    """A transcript's file cannot be read; names the file and the cause."""

    def __init__(self, file: str, cause: str) -> None:
        self.file, self.cause = file, cause
        super().__init__(f"The transcript {file} cannot be read: {cause}.")


class EntryNotFound(BotError):
    """No entry of a transcript has this id, or it is none that can be erased."""


class StateNotAllowed(BotError):
    """A state that cannot follow the session's present one."""

    def __init__(self, now: str, wanted: str) -> None:
        super().__init__(f"This session is {now} and cannot become {wanted}.")


class PlanGone(BotError):
    """A planned session that was started or cancelled meanwhile; `session_id` is what became of it."""

    def __init__(self, title: str, state: str, session_id: str | None = None) -> None:
        self.session_id = session_id
        done = {"cancelled": "was cancelled", "starting": "is being started"}.get(state, "was started already")
        super().__init__(f"“{title}” {done}.")


class LastLink(BotError):
    """An archived session would lose its only link; the person is asked first."""

    def __init__(self, ticket_id: str) -> None:
        self.ticket_id = ticket_id
        super().__init__(f"This session is archived, and {ticket_id} is the only ticket that it is linked to.")


class NotLinked(BotError):
    """The session has no ticket, where one is needed."""


class NotInChannel(BotError):
    """The bot is not a member of the channel; says how to invite it."""


class AgentUnavailable(BotError):
    """The model could not be asked, or did not finish its answer."""


class LinkedElsewhere(BotError):
    """The session has another ticket; the person is asked before it is replaced."""

    def __init__(self, linked: str, wanted: str) -> None:
        self.linked, self.wanted = linked, wanted
        super().__init__(f"This thread is linked to {linked}. Replace it with {wanted}?")


class CriterionGone(BotError):
    """The ticket's description was changed meanwhile, and this criterion is not in it any more."""

    def __init__(self, ticket_id: str) -> None:
        super().__init__(f"The description of {ticket_id} was changed meanwhile: that criterion is not there any more.")


class EpicNotFound(BotError):
    """No epic has this id."""


class SlackUnavailable(BotError):
    """Slack could not be asked, so nothing is shown or done."""
