"""Files posted in a thread reach the model: images, PDFs and texts, fetched once, and from Slack alone."""

from __future__ import annotations

import json
import struct
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.local_model import Refusal, Reply, say
from bot.local_slack import messages
from bot.sessions.models import attachment
from bot.slack.agent.attachments import may_go_to
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import asked, at_rest, count, told


def png(wide: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", wide, 2, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 14)) + chunk(b"IEND", b"")


PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def model(_request: dict[str, Any]) -> Reply:
    return say("I see.")


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[Bench]:
    async with bench(tmp_path, database_url, script=model) as made:
        yield made


async def post(here: Bench, *files: tuple[str, bytes], root: str | None = None) -> str:
    ts = await here.slack.say(here.alice, here.general, f"{here.at} look", root, files=files)
    await at_rest(here)
    return ts


def shown(here: Bench, n: int = -1) -> list[dict[str, Any]]:
    """The files that a request shows the model."""
    found = [block for message in here.model.requests[n]["messages"] for block in message["content"]]
    bare = [{key: value for key, value in block.items() if key != "cache_control"} for block in found]
    return [block for block in bare if block["type"] in ("image", "document")]


def fetched(here: Bench) -> list[str]:
    return here.slack._workspace.downloads


async def test_images_pdfs_and_texts_reach_the_model_as_what_they_are(here: Bench) -> None:
    await post(here, ("screen.png", png()), ("plan.pdf", PDF), ("notes.txt", "Größe: 64\n".encode()))
    image, pdf, text = shown(here)
    assert image == {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": b64encode(png()).decode()},
    }
    assert pdf["title"] == "plan.pdf" and pdf["source"]["media_type"] == "application/pdf"
    assert text["source"] == {"type": "text", "media_type": "text/plain", "data": "Größe: 64\n"}
    assert "(file: screen.png)" in asked(here)


async def test_nothing_is_fetched_twice_also_after_a_restart_and_it_is_sent_again_as_it_was(here: Bench) -> None:
    root = await post(here, ("screen.png", png()), ("notes.txt", b"hello"))
    before = shown(here)
    await here.stop()
    await here.start()
    await here.slack.say(here.alice, here.general, f"{here.at} and now?", root)
    await at_rest(here)
    assert shown(here) == before and len(before) == 2
    assert len(fetched(here)) == 2


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("tool.zip", b"PK\x03\x04", "I cannot read files of the type application/zip"),
        ("screen.png", b"GIF89a;", "it is not the png that it is said to be"),
        ("screen.png", png()[:40], "it is damaged, locked or too large to be looked at"),
        ("huge.png", png(9_000), "it is damaged, locked or too large to be looked at"),
        ("locked.pdf", PDF.replace(b"<<>>", b"<</Encrypt 2 0 R>>"), "it is damaged, locked or too large"),
        ("notes.txt", b"\xff\xfe\x00h", "it is not the text that it is said to be"),
        ("long.txt", b"x" * 200_001, "it is larger than 200 kB"),
    ],
)
async def test_what_cannot_be_shown_is_a_line_with_its_name(here: Bench, name: str, content: bytes, why: str) -> None:
    await post(here, (name, content))
    assert shown(here) == []
    assert f"(file: {name}; not shown: {why}" in asked(here)


async def test_a_file_that_cannot_be_fetched_fails_no_turn(here: Bench) -> None:
    here.slack._workspace.fail_downloads = 503
    root = await post(here, ("screen.png", png()))
    await here.seen(here.general, root, "I see.")
    assert "(file: screen.png; not shown: it could not be fetched from Slack)" in asked(here)
    here.slack._workspace.fail_downloads = 0
    await here.slack.say(here.alice, here.general, f"{here.at} and now?", root)
    await at_rest(here)
    assert shown(here) == []  # what was said of it once stays


async def test_a_deleted_message_takes_its_files_along(here: Bench) -> None:
    root = await post(here, ("screen.png", png()))
    second = await post(here, ("notes.txt", b"hello"), root=root)
    assert await count(here, attachment) == 2
    await here.slack.delete(here.alice, here.general, second)
    await at_rest(here)
    assert await count(here, attachment) == 1
    await here.slack.say(here.alice, here.general, f"{here.at} and now?", root)
    await at_rest(here)
    assert [block["type"] for block in shown(here)] == ["image"]


async def test_a_file_taken_out_of_a_message_is_gone_and_the_message_stays(here: Bench) -> None:
    root = await post(here, ("screen.png", png()), ("notes.txt", b"hello"))
    workspace = here.slack._workspace
    before = workspace.world.messages[here.general][root]
    after = {**before, "files": before["files"][1:]}
    messages.change(workspace, workspace.world.channels[here.general], before, after)
    workspace.changed()
    await at_rest(here)
    assert await count(here, attachment) == 1
    await here.slack.say(here.alice, here.general, f"{here.at} and now?", root)
    await at_rest(here)
    assert [block["type"] for block in shown(here)] == ["document"]
    assert "screen.png" not in asked(here) and "look" in asked(here)


async def test_a_thread_shows_so_many_files_and_names_the_rest(here: Bench) -> None:
    files = [(f"n{number}.txt", f"note {number}".encode()) for number in range(21)]
    await post(here, *files)
    assert len(shown(here)) == 20
    assert "(file: n20.txt; not shown: the thread has shown me all the files" in asked(here)


async def test_an_address_elsewhere_gets_neither_token_nor_visit(here: Bench) -> None:
    visits: list[str] = []

    async def visited(request: web.Request) -> web.Response:
        visits.append(str(request.headers.get("Authorization")))
        return web.Response(body=png())

    app = web.Application()
    app.router.add_get("/{tail:.*}", visited)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    elsewhere = f"http://127.0.0.1:{runner.addresses[0][1]}/screen.png"
    try:
        workspace = here.slack._workspace
        workspace.file_address = elsewhere
        await post(here, ("screen.png", png()))
        assert "not shown: its address is not one of Slack's" in asked(here)
        workspace.file_address, workspace.redirect_downloads = "", elsewhere
        await post(here, ("other.png", png()))
        assert "(file: other.png; not shown: it could not be fetched from Slack)" in asked(here)
    finally:
        await runner.cleanup()
    assert visits == []


def test_the_token_goes_to_slacks_own_files_alone() -> None:
    slack, local = "https://slack.com/api/", "http://127.0.0.1:9/api/"
    assert may_go_to("https://files.slack.com/files-pri/T1-F1/download/a.png", slack)
    for address in (
        "http://files.slack.com/a",
        "https://files.slack.com.evil.example/a",
        "https://evil.example/files.slack.com",
        "https://files.slack.com@evil.example/a",
        "https://me@files.slack.com/a",
        "https://files.slack.com:8443/a",
        "https://hooks.slack.com/a",
        "//files.slack.com/a",
        "https://[",
        "",
    ):
        assert not may_go_to(address, slack), address
    assert may_go_to("http://127.0.0.1:9/files/F1/a", local)
    assert not may_go_to("http://127.0.0.1:10/files/F1/a", local)
    assert not may_go_to("https://files.slack.com/a", local)


async def test_a_file_of_a_shared_channel_is_asked_about_first(here: Bench) -> None:
    here.slack._workspace.check_file_info = True
    await post(here, ("screen.png", png()))
    assert [block["type"] for block in shown(here)] == ["image"]
    assert "(file: screen.png)" in asked(here)
    here.slack.fail("files.info", "file_not_found")
    await post(here, ("other.png", png()))
    assert "(file: file; not shown: I cannot read files of the type unknown)" in asked(here)


async def test_a_file_taken_out_before_its_message_is_taken_up_is_not_fetched(here: Bench) -> None:
    workspace = here.slack._workspace
    await here.model.hold()
    root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
    await here.model.until(lambda model: len(model.requests) == 1)
    files = [("a.txt", b"secret"), ("b.txt", b"public")]
    ts = await here.slack.say(here.alice, here.general, f"{here.at} look", root, files=files)
    before = workspace.world.messages[here.general][ts]
    tombstone = {"id": before["files"][0]["id"], "mode": "tombstone"}
    after = {**before, "files": [tombstone, before["files"][1]]}
    messages.change(workspace, workspace.world.channels[here.general], before, after)
    workspace.changed()
    await told(here)
    await here.model.release()
    await at_rest(here)
    assert [block["source"]["data"] for block in shown(here)] == ["public"]
    assert fetched(here) == [before["files"][1]["id"]]


async def test_a_file_that_the_model_refuses_is_named_as_the_reason_and_can_be_taken_away(here: Bench) -> None:
    def refuses(request: dict[str, Any]) -> Reply | Refusal:
        has_image = '"type": "image"' in json.dumps(request["messages"])
        return Refusal(400, "invalid_request_error", "Could not process image") if has_image else say("I see.")

    here.model.script = refuses
    root = await here.slack.say(here.alice, here.general, f"{here.at} hello")
    await here.seen(here.general, root, "I see.")
    ts = await post(here, ("screen.png", png()), root=root)
    await here.seen(here.general, root, "Claude cannot read a file that was posted in this thread.")
    await here.slack.delete(here.alice, here.general, ts)
    before = len(here.model.requests)
    await here.slack.say(here.alice, here.general, f"{here.at} and now?", root)
    await at_rest(here)
    assert len(here.model.requests) == before + 1 and shown(here) == []


async def test_no_secret_of_slack_reaches_transcripts_or_the_model(here: Bench) -> None:
    await post(here, ("screen.png", png()))
    assert "/files/" not in everything_in(here.model.requests[-1])
