"""The table of every door: what Slack may send, and where it goes. manifest.yml declares the same."""

from __future__ import annotations

import functools
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bot.errors import BotError
from bot.inbox.intake import storable_in
from bot.slack import home
from bot.slack.agent import asking, choosing_agents, permitting, receipts, retrying, stopping, undoing
from bot.slack.intake import clicks, commands, events, forms
from bot.slack.parts import Parts
from bot.slack.sessions import exporting, forking, planning, renaming, resuming, session_menu
from bot.slack.tickets import closing, entities, find_tickets, new_ticket, status, ticking, viewing

log = logging.getLogger(__name__)
Listener = Callable[..., Awaitable[None]]
MALFORMED = (KeyError, TypeError, AttributeError, IndexError, ValueError)  # what reading a payload of odd form raises


@dataclass(frozen=True)
class Doors:
    """The names of everything the bot listens to in Slack."""

    events: tuple[str, ...]
    commands: tuple[str, ...]
    message_shortcuts: tuple[str, ...]
    global_shortcuts: tuple[str, ...]


EVENTS: Mapping[str, Listener] = {
    "message": events.message,
    "app_mention": events.message,
    "member_joined_channel": events.member_joined,
    "member_left_channel": events.member_left,
    "channel_id_changed": events.channel_id_changed,
    "app_home_opened": home.opened,
    "entity_details_requested": entities.opened,
    "agent_session_stopped": stopping.pressed,
    "agent_session_title_changed": renaming.title_changed,
}
COMMANDS: Mapping[str, Listener] = {
    "link": commands.link,
    "unlink": commands.unlink,
    "ticket": commands.ticket,
}
MESSAGE_SHORTCUTS: Mapping[str, Listener] = {
    "link_to_ticket": forms.open_link,
    "archive_to_ticket": forms.open_archive,
    "fork_session": forking.open_from_message,
}
GLOBAL_SHORTCUTS: Mapping[str, Listener] = {"new_ticket": new_ticket.open_from_shortcut}
ACTIONS: Mapping[str, Listener] = {
    "link_open": forms.open_link,
    "archive_open": forms.open_archive,
    "ticket_view": viewing.open_ticket,
    "view_details": viewing.tab_chosen,
    "view_sessions": viewing.tab_chosen,
    "view_activity": viewing.tab_chosen,
    "view_first": viewing.page_turned,
    "view_previous": viewing.page_turned,
    "view_next": viewing.page_turned,
    "view_last": viewing.page_turned,
    "view_newer": viewing.sessions_turned,
    "view_older": viewing.sessions_turned,
    "view_back": viewing.back,
    "view_criteria": ticking.boxes_clicked,
    "view_subtasks": ticking.boxes_clicked,
    "session_read": viewing.read_session,
    "home_search": home.searched,
    "home_workspace": home.workspace_chosen,
    "found_previous": home.found_page,
    "found_next": home.found_page,
    "done_anyway": closing.anyway,
    "done_note": closing.with_note,
    "link_this": clicks.link,
    "link_near_0": clicks.link,
    "link_near_1": clicks.link,
    "link_near_2": clicks.link,
    "link_replace": clicks.replace_link,
    "unlink": clicks.unlink,
    "unlink_anyway": clicks.unlink_anyway,
    "chat_start": clicks.chat_start,
    "sessions_show": clicks.sessions_show,
    "sessions_post": clicks.sessions_post,
    "sessions_newer": clicks.sessions_page,
    "sessions_older": clicks.sessions_page,
    "session_menu": session_menu.chosen,
    "agent_choose": choosing_agents.picked,
    "turn_stop": stopping.clicked,
    "turn_retry": retrying.clicked,
    "session_open": viewing.thread_opened,
    "session_resume": resuming.clicked,
    "session_fork": forking.open_from_list,
    "session_export": exporting.clicked,
    "session_rename": renaming.open_from_list,
    "plan_open": planning.open_from_button,
    "planned_start": planning.start_clicked,
    "planned_cancel": planning.cancel_clicked,
    "ticket_status": status.picked,
    "ticket_new": new_ticket.open_from_button,
    "workspace": new_ticket.workspace_chosen,
    "epic_tickets": find_tickets.epic_tickets,
    "page_previous": find_tickets.turn_page,
    "page_next": find_tickets.turn_page,
    "turn_undo": undoing.clicked,
    "receipt_open": receipts.opened,
    "question_approve": asking.approve,
    "question_remember": asking.remember,
    "question_deny": asking.deny,
    "question_choice": asking.chosen,
    "question_send": asking.send,
    "question_skip": asking.skip,
    "question_write": asking.write,
    "question_show": asking.show,
}
VIEWS: Mapping[str, Listener] = {
    "link_modal": forms.link_submitted,
    "link_confirm": forms.link_confirmed,
    "unlink_modal": forms.unlink_submitted,
    "archive_modal": forms.archive_submitted,
    "archive_confirm": forms.archive_confirmed,
    "new_ticket_modal": new_ticket.submitted,
    "plan_modal": planning.submitted,
    "rename_modal": renaming.submitted,
    "fork_modal": forking.submitted,
    "done_modal": closing.noted,
    "question_modal": asking.written,
    "mode_modal": permitting.submitted,
}
OPTIONS: Mapping[str, Listener] = {
    "ticket": forms.ticket_options,
    "epic": new_ticket.epic_options,
    "blockers": new_ticket.blocker_options,
}

DOORS = Doors(
    events=(
        "agent_session_stopped",
        "agent_session_title_changed",
        "app_home_opened",
        "app_mention",
        "channel_id_changed",
        "entity_details_requested",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
    ),
    commands=("/link", "/unlink", "/ticket"),
    message_shortcuts=tuple(MESSAGE_SHORTCUTS),
    global_shortcuts=tuple(GLOBAL_SHORTCUTS),
)
SCOPES: Mapping[str, str] = {
    "app_mentions:read": "hear when it is mentioned",
    "assistant:write": "show that it is at work, and stream its answers",
    "channels:history": "read the threads of public channels it is in",
    "channels:read": "know which channels are public, and who is in them",
    "chat:write": "answer",
    "commands": "slash commands and shortcuts",
    "files:read": "look at the images, PDFs and texts that people post in its threads",
    "files:write": "hand a transcript over as a file",
    "groups:history": "read the threads of private channels it is in",
    "groups:read": "know who may see what was said in a private channel",
    "im:history": "read direct messages to it",
    "im:read": "know whose direct message it is",
    "im:write": "tell a person something where it is in no channel with them",
    "mpim:history": "read group messages it is in",
    "mpim:read": "know who is in a group message",
    "users:read": "names, guests and members of other workspaces",
}


def register(app: AsyncApp, parts: Parts) -> None:
    """Opens every door, and behind the last one a wall: whatever else Slack sends is acknowledged and logged."""
    for name, listener in EVENTS.items():
        app.event(name)(door(parts, listener))
    for name, listener in COMMANDS.items():
        app.command(getattr(parts.commands, name))(door(parts, listener))
    for name, listener in MESSAGE_SHORTCUTS.items():
        app.message_shortcut(name)(door(parts, listener))
    for name, listener in GLOBAL_SHORTCUTS.items():
        app.global_shortcut(name)(door(parts, listener))
    for name, listener in ACTIONS.items():
        app.action(name)(door(parts, listener))
    for name, listener in VIEWS.items():
        app.view(name)(door(parts, listener))
    for name, listener in OPTIONS.items():
        app.options(name)(door(parts, listener))
    anything = re.compile(".*", re.DOTALL)
    for wall in (app.event, app.command, app.shortcut, app.action, app.options):
        wall(anything)(unknown)
    app.view(anything)(unknown)
    app.view_closed(anything)(unknown)
    app.error(failed)


def door(parts: Parts, listener: Listener) -> Listener:
    """The one wrapper of all listeners: shows what can be expected to fail where the person is.

    Anything else is logged and raised: the answer is then no acknowledgement, and Slack sends it again.
    """

    @functools.wraps(listener)
    async def guarded(ack: Any, body: dict[str, Any], context: Any) -> None:
        try:
            await listener(parts, ack, storable_in(body))
        except BotError as error:
            await forms.refuse(parts, ack, body, error)
        except SlackApiError as error:
            reason = str(error.response.get("error"))
            log.warning("Slack answered %s to %s", reason, listener.__name__)
            await forms.refuse(parts, ack, body, BotError(forms.slack_said(reason)))
        except MALFORMED as error:
            quote = secrets.token_hex(4)
            log.warning("malformed payload for %s (%s), id %s", listener.__name__, type(error).__name__, quote)
            await ack()

    # Bolt reads a listener's parameters by name; the wrapped one's are not its own.
    del guarded.__wrapped__
    return guarded


async def unknown(ack: Any, body: dict[str, Any]) -> None:
    """Something no feature knows: acknowledged, so that Slack does not send it again, and noted."""
    event = body.get("event")
    log.info("nothing to do for %s %s", body.get("type"), event.get("type") if isinstance(event, dict) else "")
    await ack()


async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """What went wrong around a listener: what Bolt cannot read or place is dropped; all else, Slack sends again."""
    if isinstance(error, (*MALFORMED, BoltUnhandledRequestError)):
        log.warning("nothing to do for a payload of type %.40r (%s)", body.get("type"), type(error).__name__)
        return BoltResponse(status=200)
    log.error("a payload could not be taken in", exc_info=error)
    return BoltResponse(status=500)
