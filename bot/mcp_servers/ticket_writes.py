"""The tools that make and change tickets. Parameter names are wire names."""

from collections.abc import Callable, Sequence
from datetime import datetime

from mcp.server.mcpserver import Context

from bot.errors import EpicNotFound, SubtaskNotFound
from bot.mcp_servers.answers import (
    Outcome,
    SubtaskOutcome,
    TicketDetails,
    outcome,
    subtask_outcome,
    ticket_details,
)
from bot.mcp_servers.caller import Caller, caller, given
from bot.mcp_servers.parameters import (
    MaybePriority,
    MaybeText,
    MaybeType,
    Percentage,
    StatusWord,
    SubtaskWord,
    TextOrNull,
    Texts,
)
from bot.mcp_servers.ticket_reads import shown
from bot.tickets.blockers import refuse_cycle
from bot.tickets.store import TicketStore
from bot.tickets.ticket import UNSET, Change, NewTicket, Priority, Status, SubtaskStatus, Ticket, TicketType
from bot.tickets.vocabulary import spelled

Rule = Callable[[Ticket, datetime], Change | None]


class TicketWrites:
    """Writing tools over one store; each names in the history who acted, and for whom."""

    def __init__(self, store: TicketStore) -> None:
        self._store = store

    def create_ticket(
        self,
        title: str,
        ctx: Context,
        description: MaybeText = None,
        type: MaybeType = None,
        priority: MaybePriority = None,
        epicId: MaybeText = None,
        labels: Texts = None,
        subtasks: Texts = None,
        relatesTo: Texts = None,
    ) -> TicketDetails:
        """Create a ticket in the backlog. Put requirements as check boxes (- [ ] …) into the description;
        subtasks are titles. In a session with a linked ticket the two are related by themselves."""
        who = caller(ctx)
        linked = shown(self._store)(who.linked_ticket) if who.linked_ticket else None
        related = [*([linked.id] if linked else []), *self._known(relatesTo or ())]
        draft = NewTicket(
            title=title,
            description=description or "",
            type=spelled(TicketType, type) if type else TicketType.TASK,
            priority=spelled(Priority, priority) if priority else Priority.MEDIUM,
            epic_id=self._epic(epicId) if epicId else None,
            labels=tuple(labels or ()),
            subtasks=tuple(subtasks or ()),
            relates_to=tuple(dict.fromkeys(related)),
        )
        return ticket_details(self._store.create(draft, by=who.actor, op=who.op), shown(self._store))

    def update_ticket(
        self,
        ticketId: str,
        ctx: Context,
        title: MaybeText = None,
        description: MaybeText = None,
        type: MaybeType = None,
        priority: MaybePriority = None,
        labels: Texts = None,
        epicId: TextOrNull = None,
        relatesTo: Texts = None,
    ) -> Outcome:
        """Change fields of a ticket; those left out stay. Lists replace the old ones; epicId null removes it.
        For the status use sciorex_change_status."""
        who = caller(ctx)
        epic = (self._epic(epicId) if epicId else None) if given(ctx, "epicId") else UNSET
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

    def change_status(self, ticketId: str, status: StatusWord, ctx: Context, comment: MaybeText = None) -> Outcome:
        """Move a ticket to another status. A move that is not allowed is refused, naming those that are."""
        who, to = caller(ctx), spelled(Status, status)
        return self._change(ticketId, who, lambda t, now: t.change_status(to, by=who.actor, at=now, comment=comment))

    def add_comment(self, ticketId: str, comment: str, ctx: Context) -> Outcome:
        """Add a comment to a ticket's history."""
        who = caller(ctx)
        return self._change(ticketId, who, lambda t, now: t.add_comment(comment, who.actor, now))

    def report_progress(self, ticketId: str, message: str, ctx: Context, percentage: Percentage = None) -> Outcome:
        """Note in a ticket's history how far the work has come."""
        who = caller(ctx)
        return self._change(ticketId, who, lambda t, now: t.report_progress(message, percentage, who.actor, now))

    def add_subtask(self, ticketId: str, title: str, ctx: Context) -> SubtaskOutcome:
        """Add a subtask at the end of a ticket's list."""
        who = caller(ctx)
        changed = self._store.change(ticketId, lambda t, now: t.add_subtask(title, who.actor, now), op=who.op)
        ticket = changed.after
        made = next(line for line in reversed(ticket.history) if who.op is None or line.op == who.op)
        subtask = ticket.find_subtask(str(made.details.get("subtaskId")))
        return subtask_outcome(ticket, subtask, changed=changed.changed)

    def update_subtask(
        self,
        ticketId: str,
        status: SubtaskWord,
        ctx: Context,
        subtaskId: MaybeText = None,
        title: MaybeText = None,
    ) -> SubtaskOutcome:
        """Set a subtask's status. Name it by subtaskId, or by title or a part of it."""
        return self._set_subtask(ticketId, subtaskId or title, spelled(SubtaskStatus, status), caller(ctx))

    def complete_subtask(
        self,
        ticketId: str,
        ctx: Context,
        subtaskId: MaybeText = None,
        title: MaybeText = None,
        completed: bool = True,
    ) -> SubtaskOutcome:
        """Mark a subtask completed, or with completed=false pending again. Name it by subtaskId, or by title
        or a part of it."""
        status = SubtaskStatus.COMPLETED if completed else SubtaskStatus.PENDING
        return self._set_subtask(ticketId, subtaskId or title, status, caller(ctx))

    def add_blocker(self, ticketId: str, blockerTicketId: str, ctx: Context, reason: MaybeText = None) -> Outcome:
        """Say that another ticket must be closed before this one. Cycles are refused."""
        who, find = caller(ctx), shown(self._store)

        def rule(ticket: Ticket, now: datetime) -> Change | None:
            blocker = self._store.get(blockerTicketId)
            change = ticket.add_blocker(blocker, reason, who.actor, now)
            if change is not None:
                refuse_cycle(ticket, blocker, find)
            return change

        return self._change(ticketId, who, rule)

    def remove_blocker(self, ticketId: str, blockerTicketId: str, ctx: Context) -> Outcome:
        """Say that a ticket does not wait for another one any more."""
        who = caller(ctx)
        return self._change(ticketId, who, lambda t, now: t.remove_blocker(blockerTicketId, who.actor, now))

    def _change(self, ticket_id: str, who: Caller, rule: Rule) -> Outcome:
        changed = self._store.change(ticket_id, rule, op=who.op)
        return outcome(changed.after, changed=changed.changed)

    def _set_subtask(self, ticket_id: str, subtask: str | None, status: SubtaskStatus, who: Caller) -> SubtaskOutcome:
        if not subtask:
            raise SubtaskNotFound("Say which subtask: give subtaskId or title.")
        changed = self._store.change(
            ticket_id,
            lambda t, now: t.set_subtask(t.find_subtask(subtask), status, who.actor, now),
            op=who.op,
        )
        return subtask_outcome(changed.after, changed.after.find_subtask(subtask), changed=changed.changed)

    def _known(self, ticket_ids: Sequence[str]) -> list[str]:
        """The ids as their tickets spell them; raises TicketNotFound."""
        return [self._store.get(ticket_id).id for ticket_id in ticket_ids]

    def _epic(self, epic_id: str) -> str:
        epic = self._store.epic(epic_id)
        if epic is None:
            raise EpicNotFound(f"There is no epic {epic_id.strip()[:40]}. See sciorex_list_epics.")
        return epic.id
