"""Events, commands and interactions as signed HTTP, with a real Bolt app behind aiohttp."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from tests.local_slack.app import NOBODY, bolt_app, connected, place

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """An HTTP server with this one handler; its address."""
    application = web.Application()
    application.router.add_post("/slack/events", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


def behind(app: AsyncApp) -> Handler:
    """A Bolt app as an HTTP handler."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.text()
        asked = AsyncBoltRequest(body=body, headers=dict(request.headers))
        answer = await app.async_dispatch(asked)
        headers = {name: values[0] for name, values in answer.headers.items()}
        return web.Response(status=answer.status, text=answer.body, headers=headers)

    return handle


async def test_a_bolt_app_accepts_events_commands_and_views_over_http() -> None:
    async with place() as here:
        app = bolt_app(here.slack)

        @app.event("app_mention")
        async def mention(event: Any, say: Any) -> None:
            await say(text="Hello", thread_ts=event["ts"])

        @app.command("/link")
        async def link(ack: Any, command: Any) -> None:
            await ack(f"Linking {command['text']}")

        @app.event("message")
        async def message() -> None: ...

        async with served(behind(app)) as url:
            here.slack.request_url = url
            ts = await here.slack.say(here.ada, here.general, f"<@{here.slack.bot_user_id}> hello")
            await here.slack.until(lambda slack: len(slack.messages(here.general, ts)) == 2)
            await here.slack.command(here.ada, here.general, "/link T-042")
            assert [row["text"] for row in here.slack.ephemerals(here.ada)] == ["Linking T-042"]
            await here.slack.until(lambda slack: all(sent.status == "acked" for sent in slack.deliveries))
            assert {sent.via for sent in here.slack.deliveries} == {"http"}


async def test_an_event_answered_with_an_error_is_sent_again_with_its_number() -> None:
    seen: list[tuple[str | None, str | None, bool]] = []
    async with place(retries=(0.0, 0.0)) as here:
        verifier = SignatureVerifier(here.slack.signing_secret)

        async def handle(request: web.Request) -> web.Response:
            signed = verifier.is_valid_request(await request.read(), dict(request.headers))
            number, reason = (request.headers.get(f"x-slack-retry-{name}") for name in ("num", "reason"))
            seen.append((number, reason, signed))
            return web.Response(status=200 if len(seen) == 3 else 500)

        async with served(handle) as url:
            here.slack.request_url = url
            await here.slack.say(here.ada, here.general, "hello")
            await here.slack.until(lambda slack: slack.deliveries[-1].status == "acked")
    assert seen == [(None, None, True), ("1", "http_error", True), ("2", "http_error", True)]


async def test_an_app_may_ask_for_no_retry_and_slowness_is_a_failure() -> None:
    async with place(ack_within=0.05, retries=(0.0, 0.0)) as here:

        async def refuses(request: web.Request) -> web.Response:
            return web.Response(status=500, headers={"x-slack-no-retry": "1"})

        async with served(refuses) as url:
            here.slack.request_url = url
            await here.slack.say(here.ada, here.general, "hello")
            await here.slack.until(lambda slack: slack.deliveries[-1].status == "http_error")
        here.slack.request_url = NOBODY
        await here.slack.say(here.ada, here.general, "hello")
        await here.slack.until(lambda slack: len(slack.deliveries) == 4)
        assert [sent.attempt for sent in here.slack.deliveries] == [0, 0, 1, 2]


async def test_a_socket_comes_before_the_request_url() -> None:
    def quiet(app: AsyncApp) -> None:
        @app.event("message")
        async def message() -> None: ...

    async with place() as here, connected(here.slack, quiet):
        here.slack.request_url = NOBODY
        await here.slack.say(here.ada, here.general, "hello")
        await here.slack.until(lambda slack: slack.deliveries[-1].status == "acked")
        assert here.slack.deliveries[-1].via == "socket"
