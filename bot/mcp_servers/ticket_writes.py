"""The tools that make and change tickets. Parameter names are wire names."""

from collections.abc import Callable, Sequence
from datetime import datetime

import anyio.to_thread
from mcp.server.mcpserver import Context

from bot.errors import SubtaskNotFound
from bot.mcp_servers.answers import (
    LINE_SHOWS,
    Outcome,
    StatusOutcome,
    SubtaskOutcome,
    TicketDetails,
    outcome,
    subtask_outcome,
    ticket_details,
)
from bot.mcp_servers.caller import Caller, caller, given
from bot.mcp_servers.epic_tools import known_epic
from bot.mcp_servers.parameters import (
    EpicIdOrNull,
    Markdown,
    MaybeEpicId,
    MaybeMarkdown,
    MaybePriority,
    MaybeSubtaskId,
    MaybeSubtaskTitle,
    MaybeText,
    MaybeType,
    Percentage,
    StatusWord,
    SubtaskWord,
    Texts,
    TicketId,
    TicketIds,
)
from bot.mcp_servers.review import Review, StillOpen
from bot.mcp_servers.ticket_reads import shown
from bot.tickets.blockers import refuse_cycle
from bot.tickets.closing import closes, move, still_open
from bot.tickets.revision import refuse_conflict
from bot.tickets.store import TicketStore
from bot.tickets.ticket import UNSET, Change, NewTicket, Priority, Status, SubtaskStatus, Ticket, TicketType
from bot.tickets.vocabulary import spelled

Rule = Callable[[Ticket, datetime], Change | None]


class TicketWrites:
    """Writing tools over one store; each names in the history who acted, and for whom.

    With `review` a ticket is closed only where nothing speaks against it; without, what its file has open is named.
    """

    def __init__(self, store: TicketStore, review: Review | None = None) -> None:
        self._store, self._review = store, review

    def create_ticket(
        self,
        title: str,
        ctx: Context,
        description: MaybeMarkdown = None,
        type: MaybeType = None,
        priority: MaybePriority = None,
        epicId: MaybeEpicId = None,
        labels: Texts = None,
        subtasks: Texts = None,
        relatesTo: TicketIds = None,
    ) -> TicketDetails:
        """Create a ticket; it starts in the backlog. Search first: it may be there already. Put requirements and
        acceptance criteria into the description as check boxes (- [ ] …); subtasks are the titles of its steps. In
        a conversation that is linked to a ticket the two are related by themselves. The answer is the whole ticket
        with its new id."""
        who = caller(ctx)
        linked = shown(self._store)(who.linked_ticket) if who.linked_ticket else None
        related = [*([linked.id] if linked else []), *self._known(relatesTo or ())]
        draft = NewTicket(
            title=title,
            description=description or "",
            type=spelled(TicketType, type) if type else TicketType.TASK,
            priority=spelled(Priority, priority) if priority else Priority.MEDIUM,
            epic_id=known_epic(self._store, epicId).id if epicId else None,
            labels=tuple(labels or ()),
            subtasks=tuple(subtasks or ()),
            relates_to=tuple(dict.fromkeys(related)),
        )
        ticket = self._store.create(draft, by=who.actor, op=who.op)
        who.reads_whole(ticket)
        return ticket_details(ticket, shown(self._store))

    def update_ticket(
        self,
        ticketId: TicketId,
        ctx: Context,
        title: MaybeText = None,
        description: MaybeMarkdown = None,
        type: MaybeType = None,
        priority: MaybePriority = None,
        labels: Texts = None,
        epicId: EpicIdOrNull = None,
        relatesTo: TicketIds = None,
    ) -> Outcome:
        """Change fields of a ticket; those left out stay. What is given replaces the old value: to add a label, a
        related ticket or a line of the description, read the ticket and send all of it, old and new. For the
        status, subtasks, blockers and comments use their own tools."""
        who = caller(ctx)
        epic = (known_epic(self._store, epicId).id if epicId else None) if given(ctx, "epicId") else UNSET
        related = self._known(relatesTo) if relatesTo is not None else None
        new_type = spelled(TicketType, type) if type else None
        new_priority = spelled(Priority, priority) if priority else None

        def rule(ticket: Ticket, now: datetime) -> Change | None:
            return ticket.update(
                by=who.actor,
                at=now,
                title=title,
                description=description,
                type=new_type,
                priority=new_priority,
                labels=labels,
                epic_id=epic,
                relates_to=related,
            )

        return self._change(ticketId, who, rule)

    async def change_status(
        self, ticketId: TicketId, status: StatusWord, ctx: Context, comment: MaybeMarkdown = None
    ) -> StatusOutcome:
        """Move a ticket to another status. Allowed: backlog → planned, cancelled; planned → backlog, in_progress,
        cancelled; in_progress → planned, in_review, done, cancelled; in_review → in_progress, done, cancelled;
        done → in_progress; cancelled → backlog. Go step by step where the way is longer. comment says why. What is
        still open when a ticket becomes done is named: finish it first, or say why not."""
        who, to = caller(ctx), spelled(Status, status)
        found = await anyio.to_thread.run_sync(self._store.get, ticketId)
        closing = closes(found, to) and not (who.op and found.has_op(who.op))
        against = list(await self._review.against(found)) if self._review and closing else []

        def rule(ticket: Ticket, now: datetime) -> Change | None:
            change = move(ticket, to, still_open(ticket), by=who.actor, at=now, comment=comment)
            if change is not None and against:
                if read := who.has_read(ticketId):
                    refuse_conflict(ticket, read, change.edits)
                raise StillOpen(ticket, against)
            return change

        try:
            made = await anyio.to_thread.run_sync(self._change, ticketId, who, rule)
        except StillOpen as refused:
            if self._review:
                await self._review.ask(refused.ticket)
            raise
        return StatusOutcome(**dict(made), stillOpen=list(still_open(found)) if closing else [])

    def add_comment(self, ticketId: TicketId, comment: Markdown, ctx: Context) -> Outcome:
        """Add a comment to a ticket's history: a decision, a finding or a question that people should find there
        later. It does not change the description."""
        who = caller(ctx)
        return self._change(ticketId, who, lambda t, now: t.add_comment(comment, who.actor, now))

    def report_progress(
        self, ticketId: TicketId, message: Markdown, ctx: Context, percentage: Percentage = None
    ) -> Outcome:
        """Note in a ticket's history how far the work has come, while it goes on. Status and subtasks stay as they
        are."""
        who = caller(ctx)
        return self._change(ticketId, who, lambda t, now: t.report_progress(message, percentage, who.actor, now))

    def add_subtask(self, ticketId: TicketId, title: str, ctx: Context) -> SubtaskOutcome:
        """Add a subtask at the end of a ticket's list; it starts as pending. The answer has its id."""
        who = caller(ctx)
        changed = self._store.change(ticketId, lambda t, now: t.add_subtask(title, who.actor, now), op=who.op)
        ticket = changed.after
        made = next(line for line in reversed(ticket.history) if who.op is None or line.op == who.op)
        subtask = ticket.find_subtask(str(made.details.get("subtaskId")))
        return subtask_outcome(
            ticket, subtask, who.made(changed, ()), changed=changed.changed, moved=who.moved(changed)
        )

    def update_subtask(
        self,
        ticketId: TicketId,
        status: SubtaskWord,
        ctx: Context,
        subtaskId: MaybeSubtaskId = None,
        title: MaybeSubtaskTitle = None,
    ) -> SubtaskOutcome:
        """Set a subtask's status: in_progress when you begin with it, completed when it is done, or pending again.
        Give subtaskId or title."""
        return self._set_subtask(ticketId, subtaskId or title, spelled(SubtaskStatus, status), caller(ctx))

    def complete_subtask(
        self,
        ticketId: TicketId,
        ctx: Context,
        subtaskId: MaybeSubtaskId = None,
        title: MaybeSubtaskTitle = None,
        completed: bool = True,
    ) -> SubtaskOutcome:
        """Tick a subtask off as completed, or with completed=false make it pending again. Give subtaskId or title.
        The answer counts what is completed; the ticket's status stays."""
        status = SubtaskStatus.COMPLETED if completed else SubtaskStatus.PENDING
        return self._set_subtask(ticketId, subtaskId or title, status, caller(ctx))

    def add_blocker(
        self, ticketId: TicketId, blockerTicketId: TicketId, ctx: Context, reason: MaybeText = None
    ) -> Outcome:
        """Say that a ticket waits for another one: ticketId is ready only when blockerTicketId is done or cancelled.
        A ticket cannot block itself; cycles are refused."""
        who, find = caller(ctx), shown(self._store)

        def rule(ticket: Ticket, now: datetime) -> Change | None:
            blocker = self._store.get(blockerTicketId)
            change = ticket.add_blocker(blocker, reason, who.actor, now)
            if change is not None:
                refuse_cycle(ticket, blocker, find)
            return change

        return self._change(ticketId, who, rule)

    def remove_blocker(self, ticketId: TicketId, blockerTicketId: TicketId, ctx: Context) -> Outcome:
        """Say that a ticket does not wait for another one any more, also where that one is missing."""
        who = caller(ctx)
        return self._change(ticketId, who, lambda t, now: t.remove_blocker(blockerTicketId, who.actor, now))

    def _change(self, ticket_id: str, who: Caller, rule: Rule) -> Outcome:
        changed = self._store.change(ticket_id, rule, op=who.op, read=who.has_read(ticket_id))
        return outcome(changed.after, who.made(changed, LINE_SHOWS), changed=changed.changed, moved=who.moved(changed))

    def _set_subtask(self, ticket_id: str, subtask: str | None, status: SubtaskStatus, who: Caller) -> SubtaskOutcome:
        if not subtask:
            raise SubtaskNotFound("Say which subtask: give subtaskId or title.")
        changed = self._store.change(
            ticket_id,
            lambda t, now: t.set_subtask(t.find_subtask(subtask), status, who.actor, now),
            op=who.op,
            read=who.has_read(ticket_id),
        )
        after = changed.after
        return subtask_outcome(
            after, after.find_subtask(subtask), who.made(changed, ()), changed=changed.changed, moved=who.moved(changed)
        )

    def _known(self, ticket_ids: Sequence[str]) -> list[str]:
        """The ids as their tickets spell them; raises TicketNotFound."""
        return [self._store.get(ticket_id).id for ticket_id in ticket_ids]
