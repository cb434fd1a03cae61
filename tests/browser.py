"""A browser for tests: the chromium that is installed, driven by playwright.

A test module that uses the `browser` fixture imports it and sets
`pytestmark = pytest.mark.asyncio(loop_scope="module")`: one browser serves the whole module.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Nothing of the browser's own may reach the network.
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str | None:
    """The path of an installed chromium, None when there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def required_browser() -> str:
    """Like find_browser, but ends the test: skipped, or failed where CI_REQUIRE_ALL=1 lets nothing be skipped."""
    path = find_browser()
    if path is not None:
        return path
    reason = f"no browser found (looked for {', '.join(NAMES)}), so nothing is tried in one"
    if os.environ.get("CI_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A running browser, closed at the end."""
    path = required_browser()
    expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for a module."""
    async with open_browser() as opened:
        yield opened
