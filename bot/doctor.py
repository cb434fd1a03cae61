"""What `doctor` looks at: settings, Slack, the database, the ticket files, and the links between them; agents."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config_file import WorkspaceEntry
from bot.errors import BotError, TicketArchived, TicketUnreadable, WorkspaceUnavailable
from bot.settings import Settings, look_at_settings, setting_names

if TYPE_CHECKING:
    from bot.sessions.linking import Link

CHANGE_NOTHING = "UPDATE worker SET beat_ms = beat_ms WHERE 1 = 0"


@dataclass(frozen=True)
class Check:
    """One thing looked at; `problem` says what is wrong and how to mend it. A warning may be meant so."""

    what: str
    problem: str | None = None
    warning: bool = False

    @property
    def line(self) -> str:
        if self.problem is None:
            return f"ok   {self.what}"
        return f"{'warn' if self.warning else 'bad '} {self.what}: {self.problem}"


async def examine(
    environ: Mapping[str, str],
    *,
    ticket: str | None = None,
    tell: Callable[[str], None],
    env_file: Path = Path(".env"),
) -> int:
    """Tells one line a check as it is made; gives 1 if anything is wrong, else 0 (also with warnings). Changes nothing.

    With `ticket`, only what concerns that ticket (the document's troubleshooting list).
    """
    settings, problems = look_at_settings(environ, need="doctor", env_file=env_file)
    wrong: dict[str, str] = {}
    for problem in problems:
        wrong[problem.setting] = "; ".join(filter(None, (wrong.get(problem.setting), problem.text)))
    wrong_found = False
    async for check in _all(settings, wrong) if ticket is None else _one_ticket(settings, wrong, ticket):
        tell(check.line)
        wrong_found = wrong_found or (check.problem is not None and not check.warning)
    return 1 if wrong_found else 0


async def _all(settings: Settings, wrong: Mapping[str, str]) -> AsyncIterator[Check]:
    for check in _settings(settings, wrong):
        yield check
    async for check in _slack(settings):
        yield check
    entries = _entries(settings)
    links: list[Link] = []
    if "DATABASE_URL" not in wrong and entries:
        checks, links = await _database(settings)
        for check in checks:
            yield check
    for entry in entries:
        linked = [link.ticket_id for link in links if link.workspace == entry.name]
        for check in _tickets(entry.folder, linked):
            yield _in(entry, settings, check)
        yield _in(entry, settings, await _ticket_server(entry.folder))
    async for check in _agents(settings, entries):
        yield check


async def _agents(settings: Settings, entries: list[WorkspaceEntry]) -> AsyncIterator[Check]:
    from bot.doctor_agents import agents_of_workspace, cost_limits, outside_servers, permissions

    for entry in entries:
        async for what, problem in agents_of_workspace(entry.folder, settings):
            yield _in(entry, settings, Check(what, problem))
    async for what, problem in outside_servers(settings):
        yield Check(what, problem)
    for what, problem in permissions(settings):
        yield Check(what, problem)
    for what, problem in cost_limits([entry.folder for entry in entries], settings):
        yield Check(what, problem, warning=True)


def _entries(settings: Settings) -> list[WorkspaceEntry]:
    """The workspaces that are there; the lines of the settings name those that are not."""
    return [entry for entry in settings.ticket_workspaces if (entry.folder / ".sciorex").is_dir()]


def _in(entry: WorkspaceEntry, settings: Settings, check: Check) -> Check:
    """The check, saying of which workspace, where there are several."""
    return replace(check, what=f"{entry.name}: {check.what}") if settings.workspaces else check


async def _one_ticket(settings: Settings, wrong: Mapping[str, str], ticket_id: str) -> AsyncIterator[Check]:
    entries = _entries(settings)
    for name in ("SCIOREX_WORKSPACE", "SCIOREX_CONFIG"):
        if name in wrong:
            yield Check(name, wrong[name])
    if not entries:
        return
    from bot.tickets.ids import id_key

    places = [entry for entry in entries if _stands_in(entry.folder, ticket_id)] or entries[:1]
    for entry in places:
        yield _in(entry, settings, _ticket(entry.folder, ticket_id))
        yield _in(entry, settings, _writable(entry.folder))
    if "DATABASE_URL" not in wrong:
        checks, links = await _database(settings)
        for check in checks:
            yield check
        for entry in places:
            threads = sum(
                link.workspace == entry.name and id_key(link.ticket_id) == id_key(ticket_id) for link in links
            )
            told = f"{threads} linked to it" if threads else "none is linked to it yet"
            what = f"Threads where the agent knows the ticket: {told} (@Sciorex link {ticket_id} links one)"
            yield _in(entry, settings, Check(what))
    from bot.doctor_agents import permissions, tools_of_agents

    for entry in places:
        yield _in(entry, settings, await _ticket_server(entry.folder))
        for what, problem in await tools_of_agents(entry.folder):
            yield _in(entry, settings, Check(what, problem))
    for what, problem in permissions(settings):
        yield Check(what, problem)


def _stands_in(workspace: Path, ticket_id: str) -> bool:
    """Whether a file of the workspace claims the id, be it one that can be read or not."""
    from bot.tickets.store import TicketStore

    try:
        return TicketStore(workspace).find(ticket_id) is not None
    except BotError:
        return True


def _settings(settings: Settings, wrong: Mapping[str, str]) -> Iterator[Check]:
    for name in setting_names():
        given = name.lower() in settings.model_fields_set
        what = name if name in wrong or given else f"{name} (not set)"
        if name == "SCIOREX_WORKSPACE" and settings.workspaces:
            what = f"{name} (does not count: SCIOREX_CONFIG names the workspaces)"
        yield Check(what, wrong.get(name))


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


async def _database(settings: Settings) -> tuple[list[Check], list[Link]]:
    """Checks of the database, and every link that holds now."""
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
    known = {entry.name for entry in settings.ticket_workspaces}
    for name in sorted({link.workspace for link in links} - known):
        threads = sum(link.workspace == name for link in links)
        belong = f"{threads} linked threads belong" if threads > 1 else "1 linked thread belongs"
        problem = f"no setting names it, and {belong} to it. Put it back into SCIOREX_CONFIG"
        checks.append(Check(f"The workspace {name}", problem))
    return checks, links


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
