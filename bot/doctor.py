"""What `doctor` looks at: settings, Slack, the database, the ticket files, and the links between them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import BotError, TicketArchived, TicketUnreadable, WorkspaceUnavailable
from bot.settings import Settings, look_at_settings, setting_names

CHANGE_NOTHING = "UPDATE worker SET beat_ms = beat_ms WHERE 1 = 0"


@dataclass(frozen=True)
class Check:
    """One thing looked at; `problem` says what is wrong and how to mend it."""

    what: str
    problem: str | None = None

    @property
    def line(self) -> str:
        return f"bad  {self.what}: {self.problem}" if self.problem else f"ok   {self.what}"


async def examine(
    environ: Mapping[str, str],
    *,
    ticket: str | None = None,
    tell: Callable[[str], None],
    env_file: Path = Path(".env"),
) -> int:
    """Tells one line a check as it is made; gives 1 if anything is wrong, else 0. Nothing is changed anywhere.

    With `ticket`, only what concerns that ticket (the document's troubleshooting list).
    """
    settings, problems = look_at_settings(environ, need="doctor", env_file=env_file)
    wrong = {problem.setting: problem.text for problem in problems}
    wrong_found = False
    async for check in _all(settings, wrong) if ticket is None else _one_ticket(settings, wrong, ticket):
        tell(check.line)
        wrong_found = wrong_found or check.problem is not None
    return 1 if wrong_found else 0


async def _all(settings: Settings, wrong: Mapping[str, str]) -> AsyncIterator[Check]:
    for check in _settings(settings, wrong):
        yield check
    async for check in _slack(settings):
        yield check
    linked: list[str] = []
    if "DATABASE_URL" not in wrong and "SCIOREX_WORKSPACE" not in wrong:
        checks, linked = await _database(settings)
        for check in checks:
            yield check
    if "SCIOREX_WORKSPACE" not in wrong:
        for check in _tickets(settings.sciorex_workspace, linked):
            yield check
        yield await _ticket_server(settings.sciorex_workspace)


async def _one_ticket(settings: Settings, wrong: Mapping[str, str], ticket_id: str) -> AsyncIterator[Check]:
    if "SCIOREX_WORKSPACE" in wrong:
        yield Check("SCIOREX_WORKSPACE", wrong["SCIOREX_WORKSPACE"])
        return
    from bot.tickets.ids import id_key

    yield _ticket(settings.sciorex_workspace, ticket_id)
    yield _writable(settings.sciorex_workspace)
    if "DATABASE_URL" not in wrong:
        checks, linked = await _database(settings)
        for check in checks:
            yield check
        threads = sum(id_key(linked_id) == id_key(ticket_id) for linked_id in linked)
        told = f"{threads} linked to it" if threads else "none is linked to it yet"
        yield Check(f"Threads where the agent knows the ticket: {told} (@Sciorex link {ticket_id} links one)")
    yield await _ticket_server(settings.sciorex_workspace)


def _settings(settings: Settings, wrong: Mapping[str, str]) -> Iterator[Check]:
    for name in setting_names():
        given = name.lower() in settings.model_fields_set
        yield Check(name if name in wrong or given else f"{name} (not set)", wrong.get(name))


async def _slack(settings: Settings) -> AsyncIterator[Check]:
    from bot.slack.check import check_app_token, check_bot_token
    from bot.slack.doors import SCOPES

    found: list[tuple[str, str | None]] = []
    if settings.slack_bot_token:
        token = settings.slack_bot_token.get_secret_value()
        found += await check_bot_token(token, settings.slack_api_url, SCOPES)
    if settings.slack_app_token:
        found += await check_app_token(settings.slack_app_token.get_secret_value(), settings.slack_api_url)
    for what, problem in found:
        yield Check(what, problem)


async def _database(settings: Settings) -> tuple[list[Check], list[str]]:
    """Checks of the database, and the ids of the tickets that sessions are linked to now, one a link."""
    from bot.database import Database
    from bot.sessions.linking import current_links

    file = Path(settings.database.removeprefix("sqlite:///"))
    if settings.database.startswith("sqlite:") and not file.exists():
        parent = next(folder for folder in file.absolute().parents if folder.exists())
        problem = None if os.access(parent, os.W_OK) else f"{parent} cannot be written, so it cannot be made"
        return [Check("The database will be made at the first run", problem)], []
    database = Database(settings.database)
    try:
        has = await database.read(
            lambda connection: connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        )
        await database.write("doctor", lambda connection: connection.exec_driver_sql(CHANGE_NOTHING).rowcount)
        links = await database.read(current_links)
    except Exception as error:
        cause = (str(getattr(error, "orig", error)).strip() or type(error).__name__).splitlines()[0]
        return [Check("The database opens and takes writes", f"{cause}. Look at DATABASE_URL and its rights")], []
    finally:
        await database.close()
    newest = max(file.stem for file in (Path(__file__).parent / "migrations/versions").glob("[0-9]*.py"))
    behind = None if newest.startswith(str(has)) else f"it stands at {has}; starting the bot brings it up to date"
    checks = [Check("The database opens and takes writes"), Check("The database's tables are up to date", behind)]
    return checks, [link.ticket_id for link in links]


def _tickets(workspace: Path, linked: list[str]) -> Iterator[Check]:
    from bot.tickets.store import TicketStore

    yield _writable(workspace)
    try:
        unreadable: list[TicketUnreadable] = TicketStore(workspace).problems()
    except WorkspaceUnavailable as error:
        yield Check("The workspace", error.text)
        return
    for broken_file in unreadable:
        yield Check("A file of the workspace", broken_file.text)
    if not unreadable:
        yield Check("Every ticket file is valid YAML, and its id is its own")
    broken = {ticket_id: _ticket(workspace, ticket_id).problem for ticket_id in sorted(set(linked))}
    for ticket_id, problem in broken.items():
        if problem:
            yield Check(f"Link to {ticket_id}", f"{problem} Mend the ticket, or unlink its threads")
    if not any(broken.values()):
        yield Check("Every link leads to a ticket that can be read")


def _ticket(workspace: Path, ticket_id: str) -> Check:
    """The ticket by the troubleshooting list: its file exists, is valid YAML, and is not archived."""
    from bot.tickets.store import TicketStore

    try:
        ticket = TicketStore(workspace).get(ticket_id)
        if ticket.archived:
            raise TicketArchived(ticket.id)
    except BotError as error:
        return Check(ticket_id, error.text)
    return Check(f"{ticket.id} exists, is valid YAML and is not archived")


def _writable(workspace: Path) -> Check:
    """Whether tickets can be changed: a change makes a file beside the old one and puts it in its place."""
    folder = workspace / ".sciorex" / "tickets"
    what = "The tickets folder can be read and written"
    nearest = folder if folder.exists() else folder.parent  # a new workspace has no tickets folder yet
    allowed = os.access(nearest, os.R_OK | os.W_OK | os.X_OK)
    return Check(what, None if allowed else f"the bot's user may not read and write {nearest}; change its permissions")


async def _ticket_server(workspace: Path) -> Check:
    from bot.mcp_servers.tickets import ticket_server
    from bot.tickets.store import TicketStore

    tools = await ticket_server(TicketStore(workspace)).list_tools()
    return Check("The MCP server sciorex-tickets starts", None if tools else "it has no tools")
