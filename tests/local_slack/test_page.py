"""The page of the local Slack, used in a browser as a person would use it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack import LocalSlack
from tests.browser import browser

__all__ = ["browser"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Helper"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "bot_user": {"display_name": "Helper"},
        "slash_commands": [
            {"command": "/link", "description": "Link a thread", "usage_hint": "[T-042]"},
            {"command": "/ticket", "description": "Show a ticket", "usage_hint": "T-042"},
        ],
        "shortcuts": [
            {"name": "Archive to ticket", "type": "message", "callback_id": "archive", "description": "Keep it"},
            {"name": "New ticket", "type": "global", "callback_id": "new_ticket", "description": "Write one"},
        ],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "commands", "app_mentions:read", "channels:history"]}},
    "settings": {
        "event_subscriptions": {"bot_events": ["app_mention", "message.channels", "app_home_opened"]},
        "interactivity": {"is_enabled": True},
        "socket_mode_enabled": True,
    },
}

TICKETS = [
    {"text": {"type": "plain_text", "text": f"T-04{number} Avatars"}, "value": f"T-04{number}"} for number in (2, 3)
]


def modal(title: str, ticket: dict[str, Any]) -> dict[str, Any]:
    """A modal with a ticket and notes."""
    notes = {"type": "plain_text_input", "action_id": "notes", "multiline": True}
    return {
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Archive"},
        "blocks": [
            {
                "type": "input",
                "block_id": "ticket",
                "label": {"type": "plain_text", "text": "Ticket"},
                "element": ticket,
            },
            {
                "type": "input",
                "block_id": "notes",
                "label": {"type": "plain_text", "text": "Notes"},
                "element": notes,
            },
        ],
    }


def small_app(client: AsyncWebClient) -> AsyncApp:
    """An app with one of each: mention, command, shortcuts, button, modal, options, home."""
    app = AsyncApp(client=client, signing_secret="unused")

    @app.event("app_mention")
    async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
        ask = {"type": "button", "action_id": "whisper", "text": {"type": "plain_text", "text": "Whisper"}}
        section = {"type": "section", "text": {"type": "mrkdwn", "text": f"Hello *<@{event['user']}>*"}}
        await client.chat_postMessage(
            channel=event["channel"],
            thread_ts=event.get("thread_ts", event["ts"]),
            text="Hello",
            blocks=[section, {"type": "actions", "elements": [ask]}],
        )

    @app.action("whisper")
    async def whisper(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.chat_postEphemeral(
            channel=body["channel"]["id"],
            user=body["user"]["id"],
            thread_ts=body["message"]["thread_ts"],
            text="Between us",
        )

    @app.command("/link")
    async def link(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        text = {"type": "plain_text_input", "action_id": "ticket"}
        await client.views_open(trigger_id=body["trigger_id"], view=modal(f"Link {body['text']}", text))

    @app.shortcut("archive")
    async def archive(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        select = {"type": "external_select", "action_id": "ticket", "min_query_length": 0}
        await client.views_open(trigger_id=body["trigger_id"], view=modal("Archive", select))

    @app.shortcut("new_ticket")
    async def new_ticket(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        text = {"type": "plain_text_input", "action_id": "ticket"}
        await client.views_open(trigger_id=body["trigger_id"], view=modal("New ticket", text))

    @app.options("ticket")
    async def tickets(ack: Any, body: dict[str, Any]) -> None:
        await ack(options=[option for option in TICKETS if body["value"] in option["value"]])

    @app.view("form")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        state = view["state"]["values"]["ticket"]["ticket"]
        ticket = state.get("value") or state["selected_option"]["value"]
        if ticket == "T-404":
            await ack(response_action="errors", errors={"ticket": "There is no ticket T-404."})
        else:
            await ack()

    @app.event("app_home_opened")
    async def home(event: dict[str, Any], client: AsyncWebClient) -> None:
        header = {"type": "header", "text": {"type": "plain_text", "text": "Your sessions"}}
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [header]})

    @app.event("message")
    async def heard() -> None:
        pass

    return app


@dataclass(frozen=True)
class Desk:
    """A running Slack with one app, two people in #general, and a page each of them can have."""

    slack: LocalSlack
    client: AsyncWebClient
    browser: Browser
    alice: str
    bob: str
    general: str

    async def page(self, user: str, **place: str) -> Page:
        context = await self.browser.new_context()
        page = await context.new_page()
        page.set_default_timeout(5000)
        query = "&".join(f"{name}={value}" for name, value in {"user": user, "channel": self.general, **place}.items())
        await page.goto(f"{self.slack.url}/?{query}")
        await expect(page.get_by_test_id("composer")).to_be_visible()
        return page


@pytest_asyncio.fixture(loop_scope="module")
async def desk(browser: Browser) -> AsyncIterator[Desk]:
    slack = LocalSlack(MANIFEST)
    await slack.start()
    alice, bob = slack.add_user("Alice"), slack.add_user("Bob")
    general = slack.add_channel("general", members=(alice, bob, slack.bot_user_id))
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    handler = AsyncSocketModeHandler(small_app(client), slack.app_token, web_client=client)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    yield Desk(slack, client, browser, alice, bob, general)
    for context in browser.contexts:
        await context.close()
    await handler.close_async()  # type: ignore[no-untyped-call]
    await slack.stop()


async def send(page: Page, text: str, box: str = "composer") -> None:
    await page.get_by_test_id(box).fill(text)
    await page.get_by_test_id(box).press("Enter")


def message(page: Page, ts: str) -> Locator:
    return page.locator(f'main [data-ts="{ts}"]')


async def choose_from_menu(page: Page, ts: str, entry: str) -> None:
    await message(page, ts).hover()
    await message(page, ts).get_by_test_id("message-menu").click()
    await page.get_by_role("menuitem", name=entry).click()


async def test_a_mention_is_sent_by_name_and_answered_in_the_thread(desk: Desk) -> None:
    page = await desk.page(desk.alice)
    await page.get_by_test_id("composer").press_sequentially("@hel")
    await page.get_by_role("option", name="Helper").click()
    await page.get_by_test_id("composer").press_sequentially("good <morning>")
    await page.get_by_test_id("composer").press("Enter")
    await page.get_by_test_id("replies").click()
    thread = page.get_by_test_id("thread")
    await expect(thread.get_by_role("article").last).to_contain_text("Hello @Alice")
    said = desk.slack.messages(desk.general)[0]["text"]
    assert said == f"<@{desk.slack.bot_user_id}> good &lt;morning&gt;"


async def test_what_is_written_in_the_thread_pane_stays_in_the_thread(desk: Desk) -> None:
    root = await desk.slack.say(desk.bob, desk.general, "Where do avatars live?")
    page = await desk.page(desk.alice, thread=root)
    await send(page, "In the profile", "thread-composer")
    await expect(page.get_by_test_id("thread")).to_contain_text("In the profile")
    await expect(message(page, root).get_by_test_id("replies")).to_contain_text("1 reply")
    assert [row["text"] for row in desk.slack.messages(desk.general, root)][1:] == ["In the profile"]
    assert [row["text"] for row in desk.slack.messages(desk.general)] == ["Where do avatars live?"]


async def test_a_slash_lists_the_commands_with_their_hints(desk: Desk) -> None:
    page = await desk.page(desk.alice)
    await page.get_by_test_id("composer").press_sequentially("/")
    rows = page.get_by_role("listbox", name="Commands").get_by_role("option")
    await expect(rows).to_contain_text(["/link [T-042]", "/ticket T-042"])
    await page.get_by_test_id("composer").press("ArrowDown")
    await page.get_by_test_id("composer").press("Tab")
    await expect(page.get_by_test_id("composer")).to_have_value("/ticket ")
    await expect(page.get_by_test_id("usage")).to_have_text("/ticket T-042 — Show a ticket")


async def test_a_command_in_a_thread_is_refused_beside_its_composer(desk: Desk) -> None:
    root = await desk.slack.say(desk.alice, desk.general, "A thread")
    page = await desk.page(desk.alice, thread=root)
    await send(page, "/link T-042", "thread-composer")
    await expect(page.get_by_test_id("thread").get_by_role("alert")).to_have_text("/link is not supported in threads")
    await expect(page.get_by_test_id("thread-composer")).to_have_value("/link T-042")
    assert len(desk.slack.messages(desk.general, root)) == 1


async def test_a_modal_shows_an_error_under_its_field_until_it_is_mended(desk: Desk) -> None:
    page = await desk.page(desk.alice)
    await send(page, "/link T-404")
    dialog = page.get_by_role("dialog", name="Link T-404")
    await dialog.get_by_test_id("modal-submit").click()
    await expect(dialog.get_by_test_id("field-error")).to_have_text(["Please complete this required field."] * 2)
    await dialog.get_by_label("Ticket").fill("T-404")
    await dialog.get_by_label("Notes").fill("Backend is done")
    await dialog.get_by_test_id("modal-submit").click()
    await expect(dialog.get_by_test_id("field-error")).to_have_text("There is no ticket T-404.")
    await expect(dialog.get_by_label("Notes")).to_have_value("Backend is done")
    await dialog.get_by_label("Ticket").fill("T-042")
    await dialog.get_by_label("Ticket").press("Enter")
    await expect(page.get_by_test_id("modal")).to_have_count(0)
    assert desk.slack.views(desk.alice) == []


async def test_a_message_shortcut_opens_a_modal_with_a_ticket_picker(desk: Desk) -> None:
    ts = await desk.slack.say(desk.bob, desk.general, "Worth keeping")
    page = await desk.page(desk.alice)
    await choose_from_menu(page, ts, "Archive to ticket")
    picker = page.get_by_test_id("modal").get_by_label("Ticket")
    await picker.click()
    await expect(page.get_by_role("option")).to_have_text(["T-042 Avatars", "T-043 Avatars"])
    await picker.press_sequentially("T-043")
    await expect(page.get_by_role("option")).to_have_text(["T-043 Avatars"])
    await picker.press("Enter")
    await expect(picker).to_have_value("T-043 Avatars")
    await page.get_by_test_id("modal").get_by_label("Notes").fill("Ready")
    await page.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("modal")).to_have_count(0)


async def test_escape_closes_a_modal_and_gives_the_focus_back(desk: Desk) -> None:
    page = await desk.page(desk.alice)
    await page.get_by_test_id("shortcuts").click()
    await page.get_by_role("menuitem", name="New ticket").click()
    await expect(page.get_by_role("dialog", name="New ticket").get_by_label("Ticket")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("modal")).to_have_count(0)
    await expect(page.get_by_test_id("shortcuts")).to_be_focused()


async def test_an_ephemeral_message_is_seen_by_one_person_alone(desk: Desk) -> None:
    root = await desk.slack.say(desk.alice, desk.general, f"<@{desk.slack.bot_user_id}> hi")
    await desk.slack.until(lambda slack: len(slack.messages(desk.general, root)) == 2)
    page = await desk.page(desk.alice, thread=root)
    thread = page.get_by_test_id("thread")
    await thread.get_by_role("button", name="Whisper").click()
    await expect(thread.get_by_role("article").last).to_contain_text("Only visible to you")
    await expect(thread).to_contain_text("Between us")
    await page.get_by_test_id("person-switch").click()
    await page.get_by_test_id("person-Bob").click()
    await expect(page.get_by_test_id("person-switch")).to_contain_text("You are: Bob")
    await expect(thread).to_contain_text("Hello @Alice")
    await expect(thread).not_to_contain_text("Between us")


async def test_own_messages_can_be_edited_and_deleted(desk: Desk) -> None:
    ts = await desk.slack.say(desk.alice, desk.general, "Frist")
    page = await desk.page(desk.alice)
    await choose_from_menu(page, ts, "Edit message")
    await page.get_by_test_id("edit-box").fill("First")
    await page.get_by_test_id("edit-box").press("Enter")
    await expect(message(page, ts)).to_contain_text("First(edited)")
    await choose_from_menu(page, ts, "Delete message")
    await page.get_by_test_id("confirm").click()
    await expect(message(page, ts)).to_have_count(0)
    assert desk.slack.messages(desk.general) == []


async def test_other_peoples_messages_offer_no_editing(desk: Desk) -> None:
    ts = await desk.slack.say(desk.bob, desk.general, "Mine alone")
    page = await desk.page(desk.alice)
    await message(page, ts).hover()
    await message(page, ts).get_by_test_id("message-menu").click()
    entries = await page.get_by_role("menuitem").all_inner_texts()
    assert [entry.split("\n")[0] for entry in entries] == ["Reply in thread", "Archive to ticket"]


async def test_an_admin_is_offered_to_delete_what_the_bot_posted(desk: Desk) -> None:
    boss = desk.slack.add_user("Boss", is_admin=True)
    desk.slack.invite(desk.general, boss)
    posted = await desk.client.chat_postMessage(channel=desk.general, text="An answer")
    page = await desk.page(boss)
    await choose_from_menu(page, str(posted["ts"]), "Delete message")
    await page.get_by_test_id("confirm").click()
    await expect(message(page, str(posted["ts"]))).to_have_count(0)
    assert desk.slack.messages(desk.general) == []


async def test_what_is_being_typed_outlives_new_messages(desk: Desk) -> None:
    page = await desk.page(desk.alice)
    await page.get_by_test_id("composer").fill("half a sen")
    ts = await desk.slack.say(desk.bob, desk.general, "Meanwhile")
    await expect(message(page, ts)).to_be_visible()
    await page.keyboard.type("tence")
    await expect(page.get_by_test_id("composer")).to_have_value("half a sentence")


async def test_a_growing_answer_is_followed_as_it_changes(desk: Desk) -> None:
    root = await desk.slack.say(desk.alice, desk.general, "Tell me all")
    posted = await desk.client.chat_postMessage(channel=desk.general, thread_ts=root, text="…")
    page = await desk.page(desk.alice, thread=root)
    text = "\n\n".join(f"Line **{number}**" for number in range(1, 60))
    blocks = [{"type": "markdown", "text": text}]
    await desk.client.chat_update(channel=desk.general, ts=posted["ts"], text="all", blocks=blocks)
    last = page.get_by_test_id("thread").get_by_text("Line 59")
    await expect(last).to_be_in_viewport()
    await expect(last.locator("strong")).to_have_text("59")


async def test_nothing_in_a_message_becomes_part_of_the_page(desk: Desk) -> None:
    bad = '<img src=x onerror="window.broken=1"> [a](javascript:window.broken=1) <javascript:window.broken=1|c>'
    blocks: list[dict[str, Any]] = [
        {"type": "markdown", "text": bad},
        {"type": "section", "text": {"type": "mrkdwn", "text": bad}},
        {"type": "header", "text": {"type": "plain_text", "text": bad}},
    ]
    posted = await desk.client.chat_postMessage(channel=desk.general, text="x", blocks=blocks)
    page = await desk.page(desk.alice)
    body = message(page, posted["ts"])
    await expect(body).to_contain_text('<img src=x onerror="window.broken=1">')
    assert await body.locator("img, a, script").count() == 0
    assert await page.evaluate("window.broken") is None


async def test_the_home_tab_shows_what_the_app_published(desk: Desk) -> None:
    page = await desk.page(desk.alice)
    await page.get_by_test_id("channel-Helper").click()
    await expect(page.get_by_test_id("home").get_by_role("heading")).to_have_text("Your sessions")
    await page.get_by_test_id("tab-messages").click()
    await expect(page.get_by_test_id("composer")).to_be_focused()


async def test_a_channel_is_joined_and_the_app_invited_by_name(desk: Desk) -> None:
    away = desk.slack.add_channel("away", members=(desk.bob,))
    page = await desk.page(desk.alice)
    await page.get_by_test_id("channel-away").click()
    await page.get_by_test_id("join").click()
    await send(page, "/invite @Nobody")
    await expect(page.get_by_role("alert")).to_contain_text("There is nobody called @Nobody.")
    async with page.expect_response("**/local/act"):
        await send(page, "/invite @Helper")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await send(page, "@Helper are you there?")
    await expect(page.get_by_test_id("replies")).to_contain_text("1 reply")
    assert [row["user"] for row in desk.slack.messages(away)] == [desk.alice]


async def test_what_a_hint_says_to_write_goes_into_the_message_box(desk: Desk) -> None:
    desk.slack.hints = ["Say `@Helper hello`", "Then ask in the thread: `What's left?`"]
    root = await desk.slack.say(desk.bob, desk.general, "A thread")
    page = await desk.page(desk.alice)
    hints = page.get_by_test_id("hints")
    await hints.get_by_role("button", name="@Helper hello").click()
    await expect(page.get_by_test_id("composer")).to_have_value("@Helper hello")
    await page.goto(f"{desk.slack.url}/?user={desk.alice}&channel={desk.general}&thread={root}")
    await hints.get_by_role("button", name="What's left?").click()
    await expect(page.get_by_test_id("thread-composer")).to_have_value("What's left?")


async def test_a_shared_file_is_downloaded_with_a_click_and_never_opened_in_the_page(desk: Desk) -> None:
    await desk.slack.say(desk.bob, desk.general, "see", files=[("transcript.html", b"<script>alert(1)</script>")])
    page = await desk.page(desk.alice)
    async with page.expect_download() as begun:
        await page.get_by_text("transcript.html").click()
    download = await begun.value
    assert download.suggested_filename == "transcript.html"
    assert (await download.path()).read_bytes() == b"<script>alert(1)</script>"
