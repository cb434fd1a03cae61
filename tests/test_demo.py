"""The demo as a newcomer meets it: the real process, and a browser in which everything is done by hand."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from playwright.async_api import Browser, Locator, Page, expect

from bot.demo import SAMPLE
from tests.browser import browser

__all__ = ["browser"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parent.parent
SETTINGS = ("SLACK_", "ANTHROPIC_", "SCIOREX_", "LOG_", "DATABASE_URL", "PORT")
TICKET = ".sciorex/tickets/T-042.yaml"
NOTE = "Completed backend API, ready for frontend"
BEGINNING, END = "I see this is for ticket", "examining the existing file upload component"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@asynccontextmanager
async def demo(data: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m bot demo`, from the line with its address on."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", str(port), "--data", str(data)),
        cwd=data.parent,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=(data.parent / "demo.log").open("ab"),
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while f"Open http://127.0.0.1:{port}" not in (line := (await process.stdout.readline()).decode()):
                assert line, (data.parent / "demo.log").read_text()
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


@asynccontextmanager
async def page_of(browser: Browser, port: int) -> AsyncIterator[Page]:
    """The page, opened as the first of its people, in #avatars."""
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(10_000)
    expect.set_options(timeout=15_000)
    await page.goto(f"http://127.0.0.1:{port}/?channel=avatars")
    await expect(page.get_by_test_id("composer")).to_be_visible()
    yield page
    await page.close()


async def ask_for_help(page: Page) -> Locator:
    """Mentions the bot by the first hint's button, and opens the thread of the answer."""
    await page.get_by_test_id("hints").get_by_role("button", name="@Sciorex Help me").click()
    await page.get_by_test_id("composer").press("Enter")
    await page.get_by_test_id("replies").click()
    return page.get_by_test_id("thread")


async def reply(page: Page, text: str) -> None:
    await page.get_by_test_id("thread-composer").fill(text)
    await page.get_by_test_id("thread-composer").press("Enter")


async def pick_ticket(page: Page, words: str) -> None:
    """Finds T-042 in the open modal's picker by words of its title."""
    modal = page.get_by_role("dialog")
    await modal.get_by_label("Ticket").fill(words)
    await page.get_by_role("option", name="T-042").click()


async def test_the_first_minute_goes_as_the_hints_say(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    async with demo(tmp_path / "demo", port), page_of(browser, port) as page:
        thread = await ask_for_help(page)
        await expect(thread).to_contain_text("This thread is not linked to a ticket")

        await thread.get_by_role("button", name="Link to ticket").click()
        await pick_ticket(page, "avatar")
        await page.get_by_role("dialog").get_by_role("button", name="Link", exact=True).click()
        await expect(thread).to_contain_text("linked this thread to T-042")
        await expect(thread.get_by_role("button", name="Unlink")).to_be_visible()

        await reply(page, "What's left to do on this ticket?")
        await expect(thread).to_contain_text("Should I start with image processing?")
        await reply(page, "Yes, and mark it in progress")
        await expect(thread).to_contain_text("thumbnails at 64px, 128px, and 256px")
        workspace = tmp_path / "demo" / "workspace"
        before, after = ((folder / TICKET).read_text(encoding="utf-8") for folder in (SAMPLE, workspace))
        assert steps_of(after) == {**steps_of(before), "Add image processing": "in_progress"}
        gone = [line.split(":")[0] for line in before.splitlines() if line not in after.splitlines()]
        assert gone == ["lastSessionId", "updatedAt"]

        await thread.get_by_role("button", name="Archive").click()
        modal = page.get_by_role("dialog")
        await modal.get_by_label("Notes").fill(NOTE)
        await modal.get_by_role("button", name="Archive", exact=True).click()
        await expect(thread).to_contain_text(f"Archived: {NOTE}")

        await page.get_by_test_id("composer").fill("/ticket T-042 sessions")
        await page.get_by_test_id("composer").press("Enter")
        told = page.locator("main").get_by_role("article").last
        await expect(told).to_contain_text("Help me implement this feature")
        await expect(told).to_contain_text(NOTE)


async def test_a_ticket_made_with_the_shortcut_is_found_in_the_list(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    async with demo(tmp_path / "demo", port), page_of(browser, port) as page:
        await page.get_by_test_id("shortcuts").click()
        await page.get_by_test_id("shortcut-new_ticket").click()
        modal = page.get_by_role("dialog")
        await modal.get_by_label("Title").fill("The login forgets people")
        await modal.get_by_label("Type", exact=True).click()
        await page.get_by_role("option", name="bug").click()
        await modal.get_by_label("Epic").fill("profiles")
        await page.get_by_role("option", name="E-001").click()
        await modal.get_by_label("Blocked by").fill("t-42")
        await page.get_by_role("option", name="T-042").click()
        await modal.get_by_label("Labels").fill("x" * 60)
        await modal.get_by_label("Subtasks").fill("Write a test\nMend it")
        await modal.get_by_role("button", name="Create").click()
        await expect(modal).to_contain_text("is longer than the 50 characters of a label")
        await modal.get_by_label("Labels").fill("ui")
        await modal.get_by_role("button", name="Create").click()
        await expect(modal).not_to_be_visible()

        await page.get_by_test_id("composer").fill("/ticket list bug ui")
        await page.get_by_test_id("composer").press("Enter")
        log = page.locator("main").get_by_role("log")
        told = page.locator("main").get_by_role("article").last
        await expect(told).to_contain_text("I do not know “ui” in a list")
        await page.get_by_test_id("composer").fill("/ticket list bug #ui")
        await page.get_by_test_id("composer").press("Enter")
        await expect(told).to_contain_text("T-051 The login forgets people")
        await expect(told).to_contain_text("subtasks 0/2 · epic E-001 · ui")
        await told.get_by_role("button", name="View").click()
        await expect(modal).to_contain_text("Blocked by T-042")
        await modal.get_by_label("Move to …").click()
        await page.get_by_role("option", name="planned").click()
        await expect(modal).to_contain_text("from backlog to planned")
        await modal.get_by_role("button", name="Close").last.click()

        await page.get_by_test_id("channel-Sciorex").click()
        await page.get_by_role("tab", name="Messages").click()
        await expect(log.get_by_role("article").last).to_contain_text("You made this ticket")
        await log.get_by_role("button", name="Start chat").click()
        await expect(log).to_contain_text("started a chat on T-051")


async def test_a_subtask_ticked_in_the_ticket_s_view_stands_in_the_file(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    async with demo(tmp_path / "demo", port), page_of(browser, port) as page:
        await page.get_by_test_id("composer").fill("/ticket T-042")
        await page.get_by_test_id("composer").press("Enter")
        card = page.locator("main").get_by_role("article").last
        await card.get_by_role("button", name="Open").click()
        modal = page.get_by_role("dialog")
        await modal.get_by_label("Write tests").check()
        await expect(modal).to_contain_text("Write tests: completed by")
        text = (tmp_path / "demo" / "workspace" / TICKET).read_text(encoding="utf-8")
        assert steps_of(text)["Write tests"] == "completed"
        await modal.get_by_label("Uploading again replaces the old files").check()
        await expect(modal).to_contain_text("Uploading again replaces the old files: ticked by")
        await modal.get_by_role("button", name="Activity").click()
        await expect(modal).to_contain_text("completed the subtask “Write tests”")
        await modal.get_by_role("button", name="Details").click()
        await modal.get_by_label("Move to …").click()
        await page.get_by_role("option", name="done").click()
        await expect(modal).to_contain_text("2 open subtasks: Add image processing, Update profile display components")
        await modal.get_by_role("button", name="Move to done anyway").click()
        await expect(modal).to_contain_text("from in_progress to done")
        await modal.get_by_role("button", name="Close").last.click()
        await page.get_by_test_id("channel-Sciorex").click()
        await page.get_by_role("tab", name="Home").click()
        home = page.get_by_test_id("home")
        await expect(home).to_contain_text("T-042 Add user profile avatar upload")


def steps_of(text: str) -> dict[str, str]:
    """What stands of each subtask, by title."""
    rows = yaml.load(text, Loader=yaml.CSafeLoader)["subtasks"]
    return {row["title"]: row.get("status") or ("completed" if row["completed"] else "pending") for row in rows}


async def test_a_demo_killed_in_the_middle_of_an_answer_gives_it_whole_and_once(
    browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    async with page_of_killed(browser, tmp_path / "demo", port) as page, demo(tmp_path / "demo", port):
        thread = page.get_by_test_id("thread")
        await expect(thread).to_contain_text(END, timeout=60_000)
        await reply(page, "Summarize it")
        await expect(thread).to_contain_text("2 of 5 subtasks are complete.", timeout=30_000)
        told = await thread.get_by_role("log").inner_text()
        assert [told.count(part) for part in (BEGINNING, "Crop to square", END)] == [1, 1, 1], told


@asynccontextmanager
async def page_of_killed(browser: Browser, data: Path, port: int) -> AsyncIterator[Page]:
    """The page of a demo that has been killed while an answer was being written in the open thread."""
    async with demo(data, port) as process, page_of(browser, port) as page:
        thread = await ask_for_help(page)
        await expect(thread).to_contain_text("This thread is not linked to a ticket")
        await reply(page, "!link T-042")
        await expect(thread).to_contain_text("linked this thread to T-042")
        await reply(page, "Help me implement this feature")
        async with asyncio.timeout(20):
            while BEGINNING not in await thread.inner_text():
                await asyncio.sleep(0.01)
        process.kill()
        await process.wait()
        assert END not in await thread.inner_text()
        yield page
