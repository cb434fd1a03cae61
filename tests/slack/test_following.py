"""Each change of a ticket is told once, whoever made it, also one made while the bot was down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from bot.definitions.agents import Agents
from bot.sessions.seen import is_known
from bot.slack.parts import Parts
from bot.slack.tickets.following import follow
from bot.slack.workspaces import Workspace
from bot.tickets.difference import TicketChange
from bot.tickets.store import TicketStore
from bot.tickets.ticket import Actor, Status
from tests.bench import bench, everything_in
from tests.slack.asked import at_rest

BY = Actor("agent", "helper", "U1")
TICKET = "id: T-001\ntitle: Login\nstatus: planned\nlabels: [ui]\n"


async def test_the_header_of_a_linked_thread_follows_an_edit_made_outside(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url) as here:
        assert here.bot is not None
        await known(here.bot.parts, "default")
        root = await here.ask(here.alice, here.general, f"{here.at} link T-042", "linked this thread")
        file = here.folder / ".sciorex" / "tickets" / "T-042.yaml"
        file.write_text(file.read_text().replace("Add user profile avatar upload", "Pictures of people", 1))

        def renamed() -> bool:
            return any("Pictures of people" in everything_in(m) for m in here.own(here.general, root))

        await here.slack.until(lambda _: renamed())
        await at_rest(here)
        assert len([m for m in here.own(here.general, root) if "Pictures of people" in everything_in(m)]) == 1


class Ear:
    """Hears of the changes of a workspace of its own while the bot of a bench follows it."""

    def __init__(self, parts: Parts, folder: Path) -> None:
        self.parts, self.folder, self.heard = parts, folder, list[TicketChange]()
        (folder / ".sciorex" / "tickets").mkdir(parents=True)

    def write(self, ticket_id: str, text: str) -> None:
        """Saves a ticket's file as an editor does."""
        path = self.folder / ".sciorex" / "tickets" / f"{ticket_id}.yaml"
        path.with_suffix(".saving").write_text(text)
        path.with_suffix(".saving").replace(path)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[TicketStore]:
        """The bot is up: gives the store by which it changes tickets itself."""
        store = TicketStore(self.folder)
        workspace = Workspace("ear", self.folder, store, lambda: Agents({}), ThreadPoolExecutor(1))
        task = asyncio.create_task(follow(self.parts, workspace, [self._hear]))
        try:
            yield store
        finally:
            task.cancel()
            store.close()

    async def until(self, count: int) -> list[TicketChange]:
        """What has been heard, once it is that much."""
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                await asyncio.sleep(0.01)
        return self.heard

    def _hear(self, connection: Connection, workspace: Workspace, change: TicketChange) -> None:
        self.heard.append(replace(change, revision=""))


async def test_every_change_is_told_once_with_its_fields_and_its_actor(tmp_path: Path, database_url: str) -> None:
    async with bench(tmp_path, database_url) as here:
        assert here.bot is not None
        ear = Ear(here.bot.parts, tmp_path / "ear")
        ear.write("T-001", TICKET)
        async with ear.listening() as store:
            await known(here.bot.parts, "ear")
            ear.write("T-001", TICKET.replace("Login", "Sign in"))
            await ear.until(1)
            store.change("T-001", lambda t, now: t.change_status(Status.IN_PROGRESS, by=BY, at=now))
            first, second = await ear.until(2)
            ear.write("T-002", "id: T-002\ntitle: New\n")
            third = (await ear.until(3))[2]
            (tmp_path / "ear" / ".sciorex" / "tickets" / "T-002.yaml").unlink()
            fourth = (await ear.until(4))[3]
        assert first == TicketChange("T-001", {"title": "Login"}, {"title": "Sign in"}, None, "")
        assert (second.before, second.after["status"]) == ({"status": "planned"}, "in_progress")
        assert (second.fields, second.actor) == (("status", "history"), BY)
        assert (third.ticket_id, third.before, third.after["title"]) == ("T-002", {}, "New")
        assert (fourth.ticket_id, fourth.before["title"], fourth.after) == ("T-002", "New", {})


async def test_what_changed_while_the_bot_was_down_is_told_once_when_it_is_back(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url) as here:
        assert here.bot is not None
        ear = Ear(here.bot.parts, tmp_path / "ear")
        for n in range(1, 4):
            ear.write(f"T-00{n}", f"id: T-00{n}\ntitle: Ticket {n}\n")
        async with ear.listening():
            await known(here.bot.parts, "ear")
        assert ear.heard == []  # a workspace that is seen for the first time is no news
        ear.write("T-002", "id: T-002\ntitle: Another\n")
        ear.write("T-003", "id: T-003\ntitle: [broken\n")
        async with ear.listening():
            await ear.until(1)
        async with ear.listening():
            ear.write("T-003", "id: T-003\ntitle: Mended\n")
            await ear.until(2)
        told = [(change.ticket_id, change.before, change.after) for change in ear.heard]
        assert told == [
            ("T-002", {"title": "Ticket 2"}, {"title": "Another"}),
            ("T-003", {"title": "Ticket 3"}, {"title": "Mended"}),
        ]


async def known(parts: Parts, workspace: str) -> None:
    """Waits till the workspace has been looked at once."""
    async with asyncio.timeout(10):
        while not await parts.db.read(lambda c: is_known(c, workspace)):
            await asyncio.sleep(0.01)
