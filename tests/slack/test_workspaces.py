"""Several ticket workspaces: T-042 of one is not T-042 of another, and a channel sees only its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.sessions.models import archive, link, reference, session
from bot.slack.intake.http import what_is_wrong
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import asked, at_rest, numbered

AVATARS, KEYS = "Add user profile avatar upload", "Rotate the signing keys"
AGENT = "id: sciorex\nname: Keykeeper\nsystemPrompt: You keep the keys of the app.\n"


class Two:
    """A bench with two workspaces: `website` (the default) with #general, and `app` with #app."""

    def __init__(self, tmp_path: Path) -> None:
        self.app_folder = tmp_path / "app"
        self.config = tmp_path / "sciorex-slack.yml"
        self.app = ""

    def more(self, here: Bench) -> Mapping[str, str]:
        self.app = here.slack.add_channel("app", members=(here.alice, here.bob, here.slack.bot_user_id))
        files = {
            "tickets/T-042.yaml": f"id: T-042\ntitle: {KEYS}\nstatus: planned\n",
            "tickets/T-777.yaml": "id: T-777\ntitle: Only the app has it\n",
            "agents/sciorex.yaml": AGENT,
        }
        for name, text in files.items():
            path = self.app_folder / ".sciorex" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.config.write_text(
            "workspaces:\n"
            f"  website: {{folder: workspace, channels: [{here.general}], default: true}}\n"
            f"  app: {{folder: app, channels: [{self.app}]}}\n"
        )
        return {"SCIOREX_CONFIG": str(self.config)}

    def ticket(self, ticket_id: str = "T-042") -> str:
        return (self.app_folder / ".sciorex/tickets" / f"{ticket_id}.yaml").read_text()


async def told_by(here: Bench, user: str, channel: str, command: str) -> str:
    """What a command tells whoever gave it, alone."""
    before = len(here.slack.ephemerals(user))
    await here.slack.command(user, channel, command)
    await here.slack.until(lambda s: len(s.ephemerals(user)) > before, timeout=10)
    return everything_in(here.slack.ephemerals(user)[-1])


async def told_in(here: Bench, user: str, channel: str, words: str, thread_ts: str | None = None) -> str:
    """What words in a thread tell whoever wrote them, alone."""
    before = len(here.slack.ephemerals(user))
    await here.slack.say(user, channel, words, thread_ts)
    await here.slack.until(lambda s: len(s.ephemerals(user)) > before, timeout=10)
    return everything_in(here.slack.ephemerals(user)[-1])


async def linked(here: Bench, user: str, channel: str, words: str) -> str:
    """A thread with these words, linked to T-042 of wherever it is."""
    root = await here.slack.say(user, channel, words)
    await here.slack.say(user, channel, f"{here.at} link T-042", root)
    await here.seen(channel, root, "Unlink")
    await at_rest(here)
    return root


async def offered(here: Bench, user: str, channel: str, query: str = "") -> list[str]:
    """What the ticket picker of `/link` offers in a channel."""
    await here.slack.command(user, channel, "/link")
    view = here.slack.views(user)[-1]
    options = await here.slack.options(user, "ticket", query, view_id=view["id"], block_id="ticket")
    await here.slack.close(user, view["id"])
    return [str(option["text"]["text"]) for option in options]


async def column(here: Bench, what: Any) -> list[str]:
    assert here.bot is not None
    return await here.bot.parts.db.read(lambda c: [str(one) for one in c.execute(select(what)).scalars()])


async def test_the_same_id_leads_to_another_ticket_in_another_channel(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        assert AVATARS in await told_by(here, here.alice, here.general, "/ticket T-042")
        assert KEYS in await told_by(here, here.alice, two.app, "/ticket T-042")
        assert "There is no ticket T-777" in await told_by(here, here.alice, here.general, "/ticket T-777")
        await told_by(here, here.alice, two.app, "/ticket T-042 status in_progress")
        assert "status: in_progress" in two.ticket()
        assert here.alice not in here.ticket("T-042")


async def test_a_channel_that_nobody_names_has_the_default_workspace(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        other = here.slack.add_channel("other", members=(here.alice, here.slack.bot_user_id))
        assert AVATARS in await told_by(here, here.alice, other, "/ticket T-042")


async def test_links_references_and_lists_stay_in_their_workspace(tmp_path: Path, database_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, database_url, script=numbered(), more=two.more) as here:
        await linked(here, here.alice, two.app, "Which key first?")
        assert "session_linked" in two.ticket()
        assert "session_linked" not in here.ticket("T-042")
        assert "Which key first?" in await told_by(here, here.alice, two.app, "/ticket T-042 sessions")
        assert "Which key first?" not in await told_by(here, here.alice, here.general, "/ticket T-042 sessions")
        root = await here.ask(here.bob, two.app, f"{here.at} is T-777 ours? And T-045?", "Answer 1.")
        await here.seen(two.app, root, "Only the app has it")
        assert "session_referenced" in two.ticket("T-777")
        assert "session_referenced" not in here.ticket("T-045")
        assert await column(here, link.c.workspace) == ["app"]
        assert await column(here, reference.c.ticket_id) == ["T-777"]


async def test_agent_and_context_are_those_of_the_sessions_workspace(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        for channel, title, agent in ((two.app, KEYS, "Keykeeper"), (here.general, AVATARS, "Sciorex")):
            root = await linked(here, here.alice, channel, "a thread")
            await here.ask(here.alice, channel, f"{here.at} what is it about?", "Answer", root)
            assert title in asked(here)
            assert ("You keep the keys of the app." in everything_in(here.model.requests[-1])) is (agent == "Keykeeper")
            assert agent in everything_in(await here.seen(channel, root, "Unlink"))


async def test_the_picker_offers_the_tickets_of_the_channel_alone(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        assert sorted(await offered(here, here.alice, two.app)) == [
            f"T-042 · {KEYS}",
            "T-777 · Only the app has it",
        ]
        assert await offered(here, here.alice, here.general, "T-777") == []
        assert (await offered(here, here.alice, here.general, "T-042"))[0] == f"T-042 · {AVATARS}"


async def test_an_archive_goes_into_the_folder_of_its_workspace(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        root = await linked(here, here.alice, two.app, "Which key first?")
        await here.slack.say(here.alice, two.app, "!archive The old one", root)
        await here.seen(two.app, root, "archived this thread")
        assert [path.suffix for path in (two.app_folder / ".sciorex/sessions").glob("session-*")] == [".json"]
        assert not (here.folder / ".sciorex/sessions").exists()
        assert await column(here, archive.c.workspace) == ["app"]
        assert "session_archived" in two.ticket()


async def test_the_choice_in_direct_messages_outlives_the_bot(tmp_path: Path, database_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, database_url, script=numbered(), more=two.more) as here:
        dm, bobs = here.slack.open_dm(here.alice), here.slack.open_dm(here.bob)
        assert AVATARS in await told_by(here, here.alice, dm, "/ticket T-042")
        told = await told_in(here, here.alice, dm, "workspace")
        assert "you work in the workspace `website`" in told
        assert "`workspace app`" in told
        assert "you work in `app`" in await told_in(here, here.alice, dm, "workspace App")
        assert KEYS in await told_by(here, here.alice, dm, "/ticket T-042")
        await here.stop()
        await here.start()
        assert KEYS in await told_by(here, here.alice, dm, "/ticket T-042")
        assert sorted(await offered(here, here.alice, dm)) == [f"T-042 · {KEYS}", "T-777 · Only the app has it"]
        assert AVATARS in await told_by(here, here.bob, bobs, "/ticket T-042")
        assert AVATARS in await told_by(here, here.alice, here.general, "/ticket T-042")
        assert "you work in `website`" in await told_by(here, here.alice, dm, "/ticket workspace website")
        assert AVATARS in await told_by(here, here.alice, dm, "/ticket T-042")


async def test_a_direct_session_keeps_the_workspace_it_began_with(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        dm = here.slack.open_dm(here.alice)
        before = await here.ask(here.alice, dm, "what shall I do today?", "Answer 1.")
        await told_in(here, here.alice, dm, "workspace app")
        told = await told_in(here, here.alice, dm, "workspace", before)
        assert "This thread began in `website` and stays there." in told
        await here.slack.say(here.alice, dm, "link T-042", before)
        assert AVATARS in everything_in(await here.seen(dm, before, "Unlink"))
        after = await here.slack.say(here.alice, dm, "a new thread")
        await here.slack.say(here.alice, dm, "link T-042", after)
        assert KEYS in everything_in(await here.seen(dm, after, "Unlink"))
        assert sorted(await column(here, session.c.workspace)) == ["app", "website"]


async def test_a_card_shown_before_the_choice_stays_that_tickets_card(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        dm = here.slack.open_dm(here.alice)
        await told_by(here, here.alice, dm, "/ticket T-042")
        card = here.slack.ephemerals(here.alice)[-1]
        await here.slack.command(here.alice, dm, "/link")
        modal = here.slack.views(here.alice)[-1]["id"]
        await told_in(here, here.alice, dm, "workspace app")
        await here.slack.click(here.alice, dm, card["ts"], "chat_start")
        await here.slack.until(lambda s: any(AVATARS in everything_in(m) for m in s.messages(dm)), timeout=10)
        options = await here.slack.options(here.alice, "ticket", "T-042", view_id=modal, block_id="ticket")
        assert options[0]["text"]["text"] == f"T-042 · {AVATARS}"
        state = {"ticket": {"ticket": options[0]}, "thread": {"thread": "new"}}
        assert await here.slack.submit(here.alice, modal, state) == {}
        await at_rest(here)
        assert here.ticket("T-042").count("session_linked") == 2
        assert "session_linked" not in two.ticket()


async def test_a_thread_of_one_workspace_is_not_linked_from_anothers_picker(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        dm = here.slack.open_dm(here.alice)
        before = await here.ask(here.alice, dm, "what shall I do today?", "Answer 1.")
        await told_in(here, here.alice, dm, "workspace app")
        await here.slack.command(here.alice, dm, "/link T-042")
        view = here.slack.views(here.alice)[-1]
        answer = await here.slack.submit(here.alice, view["id"], {"thread": {"thread": before}})
        assert answer["response_action"] == "errors"
        assert "belongs to the workspace website, and the ticket was chosen in app" in answer["errors"]["ticket"]
        assert "session_linked" not in here.ticket("T-042") + two.ticket()


async def test_in_a_channel_nobody_chooses(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        told = await told_by(here, here.alice, two.app, "/ticket workspace website")
        assert "Tickets here are those of the workspace `app`" in told
        assert "SCIOREX_CONFIG" in told
        root = await here.slack.say(here.alice, two.app, "a thread")
        assert "workspace `app`" in await told_in(here, here.alice, two.app, f"{here.at} workspace", root)
        assert KEYS in await told_by(here, here.alice, two.app, "/ticket T-042")


async def test_a_name_that_is_none_is_refused_with_those_that_are(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        told = await told_by(here, here.alice, here.slack.open_dm(here.alice), "/ticket workspace webside")
        assert "There is no workspace webside for you to choose. You can choose `website`, `app`." in told


async def test_a_guest_chooses_only_what_a_channel_of_theirs_has(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more, agent=False) as here:
        gina = here.slack.add_user("Gina", guest=True)
        here.slack.invite(here.general, gina)
        dm = here.slack.open_dm(gina)
        assert "You can choose `website`." in await told_in(here, gina, dm, "workspace app")
        here.slack.invite(two.app, gina)
        await at_rest(here)
        assert "you work in `app`" in await told_in(here, gina, dm, "workspace app")


async def test_with_one_workspace_there_is_nothing_to_choose(tmp_path: Path, sqlite_url: str) -> None:
    async with bench(tmp_path, sqlite_url, script=numbered()) as here:
        dm = here.slack.open_dm(here.alice)
        for channel, words in ((dm, "workspace"), (here.general, f"{here.at} workspace")):
            assert "There is one ticket workspace here" in await told_in(here, here.alice, channel, words)
        assert "one ticket workspace" in await told_by(here, here.alice, dm, "/ticket workspace elsewhere")


async def test_a_session_whose_workspace_is_gone_says_so(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        root = await linked(here, here.alice, two.app, "Which key first?")
        await here.stop()
        here.settings = here.settings.model_copy(update={"workspaces": here.settings.workspaces[:1]})
        await here.start()
        gone = "I know no workspace app (any more)."
        await here.ask(here.alice, two.app, f"{here.at} and now?", gone, root)
        assert gone in await told_in(here, here.alice, two.app, "!link T-042", root)
        assert gone in await told_in(here, here.alice, two.app, "!unlink", root)
        await here.slack.edit(here.alice, two.app, root, "Which key second?")
        await at_rest(here)
        assert here.model.requests == []
        assert AVATARS in await told_by(here, here.alice, two.app, "/ticket T-042")


async def test_a_channel_keeps_its_workspace_when_slack_gives_it_another_id(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, database_url, script=numbered(), more=two.more) as here:
        first = here.slack.change_channel_id(two.app)
        new = here.slack.change_channel_id(first)
        await at_rest(here)
        assert KEYS in await told_by(here, here.alice, new, "/ticket T-042")
        await here.stop()
        caplog.clear()
        with caplog.at_level(logging.WARNING, logger="bot"):
            await here.start()
        [warning] = [one.getMessage() for one in caplog.records if "workspaces.app.channels" in one.getMessage()]
        assert f"the channel {two.app} has the id {new} now" in warning
        assert KEYS in await told_by(here, here.alice, new, "/ticket T-042")


async def test_the_bot_is_ready_when_every_workspace_is(tmp_path: Path, sqlite_url: str) -> None:
    two = Two(tmp_path)
    async with bench(tmp_path, sqlite_url, script=numbered(), more=two.more) as here:
        assert here.bot is not None
        assert await what_is_wrong(here.bot.parts) == []
        (two.app_folder / ".sciorex").rename(two.app_folder / "away")
        assert await what_is_wrong(here.bot.parts) == ["workspace app"]
