"""The commands, from `run` to `erase`. Nothing heavy is imported before the command that needs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.settings import Need, Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sciorex-slack", prog_name="sciorex-slack")
def main() -> None:
    """Sciorex for Slack: threads, Claude agents and tickets, joined."""


@main.command()
def run() -> None:
    """The bot: by Socket Mode where SLACK_APP_TOKEN is set, else over HTTP on $PORT (3000)."""
    settings = _settings("run")
    from bot.app import run as run_bot

    sys.exit(_finish(run_bot(settings)))


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="The page's port.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="Where the demo keeps its tickets, messages and database.",
)
def demo(port: int, data: Path) -> None:
    """The whole bot on this machine alone: a local Slack with a page, sample tickets, a scripted model."""
    _settings("demo", level="WARNING")  # what is to be done stands on the screen, and nothing beside it
    from bot.demo import demo as run_demo

    sys.exit(_finish(run_demo(port, data)))


@main.command()
@click.argument("server", type=click.Choice(["tickets"]), default="tickets")
@click.option("--http", "port", type=click.IntRange(1, 65535), help="Streamable HTTP on 127.0.0.1, not stdio.")
@click.option("--core", is_flag=True, help="Only the tools that work on one ticket.")
@click.option("--workspace", metavar="NAME", help="One of those in the file of SCIOREX_CONFIG; else the default one.")
def mcp(server: str, port: int | None, core: bool, workspace: str | None) -> None:
    """The sciorex-tickets MCP server, for any MCP client; needs no Slack, Claude or database."""
    folder = _workspace_folder(workspace)
    from bot.errors import BotError
    from bot.mcp_servers.serving import serve
    from bot.tickets.store import TicketStore

    try:
        serve(TicketStore(folder), core=core, port=port)
    except BotError as error:
        click.echo(error.text, err=True)
        sys.exit(1)


@main.command()
@click.option("--ticket", metavar="T-042", help="One ticket alone: its file, its links.")
def doctor(ticket: str | None) -> None:
    """Checks settings, Slack, database, tickets and links: one line a check; exit 1 if anything is wrong."""
    import asyncio
    import logging

    logging.disable(logging.CRITICAL)  # what is wrong stands in the lines themselves
    from bot.doctor import examine

    sys.exit(asyncio.run(examine(os.environ, ticket=ticket, tell=click.echo)))


@main.command()
@click.argument("session", metavar="SESSION")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "md", "html"]),
    default="md",
    show_default=True,
    help="Markdown, a web page for itself, or JSON as it is archived.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("."),
    show_default=True,
    help="The folder for the file; made where it is not there.",
)
def export(session: str, form: str, out: Path) -> None:
    """Writes the transcript of a session, archived or running, to a file, and prints its path.

    SESSION is its id, the beginning of it, or the link to its thread in Slack. An operator's command: it asks nobody
    who may see the session, and sees private ones too. In Slack, `export` in a thread asks.
    """
    settings = _settings("archives")
    from bot.archives import export as write_export

    sys.exit(_finish(write_export(settings, session, form, out, click.echo)))


@main.command()
@click.argument("session", metavar="[SESSION]", required=False)
def verify(session: str | None) -> None:
    """Checks archived transcripts: whether anything in them was changed since, and where.

    Needs neither Slack nor Claude. A transcript is checked in itself, and by what its ticket's history, its stub and
    the database (where it is on this machine) know of it. Exit 1 if any was changed or is missing, 2 if nothing could
    be checked; one without a chain, as other programs and earlier versions make them, is named and proves nothing.
    """
    settings = _settings("archives")
    from bot.archives import verify as verify_archives

    sys.exit(_finish(verify_archives(settings, session, click.echo), failed=2))


@main.command()
@click.argument("session", metavar="SESSION")
@click.argument("entries", metavar="ENTRY...", nargs=-1, required=True)
def erase(session: str, entries: tuple[str, ...]) -> None:
    """Erases what entries of a transcript say, on somebody's request; that they were there, and when, stays.

    ENTRY is the id that an export shows with it, or a link to a message in Slack. A message is better deleted in Slack:
    that erases it here too. The running bot does the work, or the next one that is started.
    """
    settings = _settings("archives")
    from bot.archives import erase as erase_entries

    sys.exit(_finish(erase_entries(settings, session, entries, click.echo)))


def _workspace_folder(name: str | None) -> Path:
    """The folder of a ticket workspace: by its name, else SCIOREX_WORKSPACE, else the default of SCIOREX_CONFIG."""
    if name is None:
        return _settings("mcp").default_workspace.folder
    folders = {entry.name: entry.folder for entry in _settings("mcp_named").workspaces}
    if name not in folders:
        known = ", ".join(folders) or "none: the file of SCIOREX_CONFIG names no workspaces"
        click.echo(f"There is no workspace {name}. Known: {known}.", err=True)
        sys.exit(2)
    return folders[name]


def _settings(need: Need, *, level: str = "INFO") -> Settings:
    """The settings for a command, with logging set up by them; all that is wrong with them on stderr, exit 2.

    `level` counts where they say none.
    """
    from bot.logs import configure_logging
    from bot.settings import SettingsError, read_settings

    try:
        settings = read_settings(os.environ, need=need)
    except SettingsError as error:
        click.echo(error.text, err=True)
        sys.exit(2)
    configure_logging(settings.log_level if "log_level" in settings.model_fields_set else level, settings.log_format)
    return settings


def _finish(work: Coroutine[None, None, int], failed: int = 1) -> int:
    """Runs the coroutine to its end on uvloop, and gives the exit code; what was expected to fail, in one line."""
    import uvloop

    from bot.errors import BotError

    try:
        return uvloop.run(work)
    except BotError as error:
        click.echo(error.text, err=True)
        return failed
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    main(prog_name="python -m bot")
