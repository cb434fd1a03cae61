"""The commands on transcripts: export, verify, erase. They are an operator's and see every session there is."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection

from bot.database import Database
from bot.errors import BotError, SessionNotFound
from bot.inbox.intake import Arrival, is_done, somebody_works, take_in
from bot.sessions.archives.anchors import Histories, Known, in_database, in_histories
from bot.sessions.archives.archive_file import FOLDER, file_name
from bot.sessions.archives.erasing import erasable
from bot.sessions.archives.finding import LINK, Meant, in_rows, meant
from bot.sessions.archives.handing_over import export_name, handed_over, rendered
from bot.sessions.archives.shelves import Filed, on_this_machine
from bot.sessions.archives.verdicts import Verdict, gone, verdict
from bot.sessions.session import ChatSession, get_session
from bot.sessions.transcript import JsonObject
from bot.settings import Settings, data_path

Tell = Callable[[str], None]
WAIT_SECONDS = 20.0
BEAT_MS = 30_000  # a bot that has been silent for longer does not run (docs: durability)


async def export(settings: Settings, wanted: str, form: str, folder: Path, tell: Tell) -> int:
    """Writes a session's transcript to a file in `folder`, and tells its path."""
    who = meant(wanted)
    async with database_of(settings) as (database, why_not):
        content = await database.read(lambda c: _from_rows(c, who)) if database else None
    if content is None:
        content = await asyncio.to_thread(_from_file, settings, who, why_not)
    path = folder / export_name(content, form)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # what is private stays so wherever it is put
        path.write_bytes(rendered(content, form))
    except OSError as error:
        raise BotError(f"{path} cannot be written: {(error.strerror or 'the disk refuses').lower()}.") from error
    tell(str(path))
    return 0


async def verify(settings: Settings, wanted: str | None, tell: Tell) -> int:
    """Checks archived transcripts, telling a line each and each place that was changed; gives 1 if any was."""
    async with database_of(settings) as (database, why_not):
        known = await database.read(lambda c: {one.session_id: one for one in in_database(c)}) if database else {}
    if why_not:
        tell(f"note the database is not asked: {why_not}")
    histories = await asyncio.to_thread(_histories, settings)
    for text in histories.unreadable:
        tell(f"note {text}")
    only = ""
    if wanted is not None:
        who = meant(wanted)
        only = who.one_of([*(id_ for id_ in (*known, *histories.archived) if who.fits(id_)), *_in_files(settings, who)])
    counted: Counter[str] = Counter()
    for one in await asyncio.to_thread(lambda: list(_verdicts(settings, only, histories, known))):
        counted[one.state] += 1
        for line in one.lines:
            tell(line)
    tell(_sum(counted))
    return 1 if counted["bad"] else 0


async def erase(settings: Settings, wanted: str, entries: Sequence[str], tell: Tell) -> int:
    """Has the bot erase what these entries of a session say; waits a while until it has."""
    key, now_ms = f"x:{secrets.token_hex(8)}", time.time_ns() // 1_000_000

    def ask(connection: Connection) -> ChatSession:
        of = get_session(connection, meant(wanted).one_of(in_rows(connection, meant(wanted))))
        ids = [erasable(connection, of, _entry(entry)) for entry in entries]
        order_ts = f"{now_ms // 1000}.{now_ms % 1000:03d}000"
        arrival = Arrival(
            of.team, of.channel, of.thread_ts, key, "erase", order_ts, {"user": "", "entries": ids, "ms": now_ms}
        )
        take_in(connection, arrival, now_ms)
        return of

    async with database_of(settings) as (database, why_not):
        if database is None:
            raise BotError(f"Nothing can be erased without the database: {why_not}.")
        of = await database.write("erase asked", ask)
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until and await database.read(lambda c: somebody_works(c, now_ms - BEAT_MS)):
            if await database.read(lambda c: is_done(c, of.team, key)):
                tell(f"Erased from {of.id}.")
                return 0
            await asyncio.sleep(0.1)
    tell("Written down: the bot erases it as soon as it runs.")
    return 0


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[tuple[Database | None, str]]:
    """The bot's database, or None and why it cannot be asked; it is neither made nor brought up to date here."""
    path = settings.database.removeprefix("sqlite:///")
    if settings.database.startswith("sqlite:") and not Path(path).exists():
        yield None, f"there is none at {path}"
        return
    database = Database(settings.database)
    try:
        why_not = await _why_not(database)
        yield (None if why_not else database), why_not
    finally:
        await database.close()


async def _why_not(database: Database) -> str:
    """Why the database cannot be asked; '' where it can."""
    newest = max(file.stem for file in (Path(__file__).parent / "migrations/versions").glob("[0-9]*.py"))[:4]
    try:
        has = await database.read(lambda c: c.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
    except Exception as error:  # of as many kinds as there are drivers
        return (str(getattr(error, "orig", error)).strip() or type(error).__name__).splitlines()[0]
    return "" if str(has) == newest else f"it stands at {has}, and this program at {newest}; start the bot once"


def _from_rows(connection: Connection, who: Meant) -> JsonObject | None:
    """The transcript from the database; None where it has no such session."""
    ids = in_rows(connection, who)
    return handed_over(connection, get_session(connection, who.one_of(ids))) if ids else None


def _from_file(settings: Settings, who: Meant, why_not: str) -> JsonObject:
    """The transcript from a file, for whoever has the repository and no database."""
    try:
        one = who.one_of(_in_files(settings, who))
    except SessionNotFound as error:
        also = f" The database is not asked: {why_not}." if why_not else ""
        raise SessionNotFound(error.text + also) from None
    filed = next(_files(settings, one))
    if filed.problem or filed.away or not isinstance(filed.content, dict):
        away = f"{one} is private, and its transcript is kept on another machine."
        raise BotError(filed.problem or (away if filed.away else f"{filed.shown} holds no transcript."))
    return filed.content


def _in_files(settings: Settings, who: Meant) -> list[str]:
    """The ids of the transcripts on this machine that may be meant."""
    if who.beginning:
        folders = [*(entry.folder / FOLDER for entry in settings.ticket_workspaces), data_path(settings) / "sessions"]
        names = (path.name for folder in folders for path in folder.glob(file_name("*")))
        return [id_ for name in names if who.fits(id_ := name.removeprefix("session-").removesuffix(".json"))]
    return [filed.session_id for filed in _files(settings) if who.is_at(filed.content)]


def _files(settings: Settings, only: str = "") -> Iterator[Filed]:
    several = bool(settings.workspaces)
    workspaces = [(f"{entry.name}: " if several else "", entry.folder) for entry in settings.ticket_workspaces]
    return on_this_machine(workspaces, data_path(settings) / "sessions", only)


def _histories(settings: Settings) -> Histories:
    """What the tickets of all workspaces say."""
    whole = Histories()
    for entry in settings.ticket_workspaces:
        found = in_histories(entry.folder)
        whole.unreadable += found.unreadable
        whole.archived |= found.archived
        for session_id, anchors in found.anchors.items():
            whole.anchors.setdefault(session_id, []).extend(anchors)
    return whole


def _verdicts(settings: Settings, only: str, histories: Histories, known: Mapping[str, Known]) -> Iterator[Verdict]:
    """A verdict on each file, and on each that is missing."""
    seen = set()
    for filed in _files(settings, only):
        seen.add(filed.session_id)
        yield verdict(filed, histories.anchors.get(filed.session_id, []), known.get(filed.session_id))
    names = {entry.name for entry in settings.ticket_workspaces}
    for id_ in sorted({*known, *histories.archived} - seen):
        if only in ("", id_) and not (id_ in known and known[id_].workspace not in names):
            who = "the database" if id_ in known else f"the history of {histories.archived[id_]}"
            yield gone(id_, known[id_].file if id_ in known else f"{FOLDER}/{file_name(id_)}", who)


def _sum(counted: Mapping[str, int]) -> str:
    """The last line: how many of each."""
    words = {"ok": "as archived", "bad": "CHANGED", "old": "without a chain", "away": "not on this machine"}
    told = [f"{counted[state]} {word}" for state, word in words.items() if counted[state]]
    return ", ".join(told) + "." if told else "There are no archived transcripts."


def _entry(text: str) -> str:
    """An entry as an operator names it: its id, a message's ts, or a link to a message in Slack."""
    match = LINK.fullmatch(urlsplit(text).path)
    return f"m-{match[2]}.{match[3]}" if match else text
