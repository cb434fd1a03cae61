"""Transcripts as people read them: HTML that runs and fetches nothing, Markdown that hides no link."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Browser, Request

from bot.sessions.archives.html_page import html_page
from bot.sessions.archives.markdown_page import defused, markdown_page
from bot.sessions.archives.readable import plain
from tests.browser import browser

__all__ = ["browser"]
EVIL = '<script>alert(1)</script><img src="http://evil.example/i.png" onerror="alert(2)">" onmouseover="x'
NAMES = {"UBEN": "Ben"}


def transcript(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "s-1", "title": "Avatar upload", "messages": list(messages), **more}


def by(role: str, content: object, **more: Any) -> dict[str, Any]:
    return {"id": f"{role}-1", "role": role, "content": content, "timestamp": "2026-11-24T10:00:00.123Z", **more}


class Reader(HTMLParser):
    """What stands in a page: its elements with their attributes, its text, and whether all of it is closed."""

    VOID = ("meta", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text += data


ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "dl", "dt", "dd", "ol", "li", "ul"),
    *("div", "b", "time", "span", "a", "pre"),
}
ATTRIBUTES = {"lang", "charset", "content", "http-equiv", "name", "class", "id", "dir", "href", "rel"}


def checked(page: str) -> Reader:
    """Reads a page and makes sure that nothing in it runs, or comes from elsewhere."""
    found = Reader(page)
    assert {tag for tag, _ in found.elements} <= ALLOWED
    assert {name for _, attributes in found.elements for name in attributes} <= ATTRIBUTES
    addresses = [attributes["href"] or "" for _, attributes in found.elements if "href" in attributes]
    assert all(address.startswith(("http://", "https://", "#")) for address in addresses)
    return found


def test_a_page_shows_who_said_what_and_when() -> None:
    author = {"id": "UBEN", "name": "Ben", "bot": False}
    page = checked(
        html_page(
            transcript(
                by("user", "Ask <@UBEN> in <#C1|general>", author=author, editedAt="2026-11-24T11:00:00.000Z"),
                by("assistant", "I *look*.", agentId="sciorex", model="claude", usage={"input_tokens": 12}),
                by("tool_use", "update", toolName="update", toolInput={"status": "done"}),
                by("tool_result", "no such ticket", toolName="update", isError=True),
                by("system", "Archived to T-042.", by="UBEN", note="API done"),
                by("user", "", author=author, deletedAt="2026-11-24T12:00:00.000Z"),
                archivedAt="2026-11-24T10:00:00.000Z",
                archivedBy="UBEN",
                linkedTicketId="T-042",
            )
        )
    )
    for words in (
        "Avatar upload",
        "T-042",
        "Ask @Ben in #general",
        "edited 2026-11-24 11:00:00 UTC",
        "sciorex · claude",
        "tokens: 12 input_tokens",
        '"status": "done"',
        "failed",
        "API done",
        "deleted 2026-11-24 12:00:00 UTC",
    ):
        assert words in page.text, words


def test_nothing_in_a_transcript_becomes_part_of_the_page() -> None:
    author = {"id": "UEVE", "name": EVIL, "bot": False}
    everywhere = transcript(
        by("user", EVIL, author=author, files=[{"name": EVIL, "url": f"javascript:{EVIL}"}]),
        by("assistant", EVIL, agentId=EVIL, model=EVIL, note=EVIL),
        by("tool_use", EVIL, toolName=EVIL, toolInput={EVIL: EVIL}),
        by("tool_result", EVIL, toolName=EVIL, state="unknown"),
        {"id": EVIL, "role": EVIL, "content": {EVIL: [EVIL]}, "timestamp": EVIL, "by": EVIL, "editedAt": EVIL},
        title=EVIL,
        note=EVIL,
        linkedTicketId=EVIL,
        usage={EVIL: EVIL},
        references=[EVIL],
        chain={"head": EVIL},
    )
    page = checked(html_page(everywhere))
    assert page.text.count("<script>alert(1)</script>") > 15


def test_a_link_is_its_own_address_and_no_other() -> None:
    text = "See <http://evil.example/x|https://bank.example>, (https://a.example/b?c=d&amp;e), javascript:alert(1)"
    page = checked(html_page(transcript(by("user", text))))
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a" and "rel" in attributes]
    assert links == ["https://bank.example", "http://evil.example/x", "https://a.example/b?c=d&e"]
    assert "https://bank.example (http://evil.example/x)" in page.text


@given(st.text())
def test_any_text_is_in_the_page_as_text(text: str) -> None:
    checked(html_page(transcript(by("assistant", text), by("user", text), title=text)))
    markdown_page(transcript(by("assistant", text), by("user", text), title=text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)
KEYS = st.sampled_from(["id", "role", "content", "author", "files", "usage", "toolInput", "by", "note", "shown"])


@given(st.lists(st.dictionaries(KEYS, JSON)), st.dictionaries(st.text(max_size=6), JSON))
def test_a_transcript_of_any_form_is_shown(messages: list[dict[str, Any]], rest: dict[str, Any]) -> None:
    checked(html_page({**rest, "messages": messages}))
    markdown_page({**rest, "messages": messages})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@UBEN>, <@UCARL|carl>, <@UEVE>", "@Ben, @carl, @UEVE"),
        ("<!here> <!subteam^S1|@devs> <!date^1^{date}|today>", "@here @devs today"),
        ("<https://a.example|docs> <https://a.example> <mailto:a@b.c|a@b.c>", "docs (https://a.example) "),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("a <b> c", "a <b> c"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_slacks_marks_become_words(text: str, shown: str) -> None:
    assert plain(text, NAMES).startswith(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see [the bank](http://evil.example)", "see [the bank]\\(http://evil.example)"),
        ("![](http://evil.example/i.png)", "![]\\(http://evil.example/i.png)"),
        ("[bank][1]\n\n[1]: http://evil.example", "[bank]\\[1]\n\n[1]\\: http://evil.example"),
        ("<img src=x> \\<b> \\\\<b> 1 < 2", "\\<img src=x> \\<b> \\\\\\<b> 1 < 2"),
        ("call `a[0](x)` or `<b>`", "call `a[0](x)` or `<b>`"),
        ("```py\na[0](x)\n```\n[a](b)", "```py\na[0](x)\n```\n[a]\\(b)"),
        ("an open ` tick `[a](b)", "an open ` tick `[a]\\(b)"),
        ("an open ` tick\n`[a](b)`", "an open ` tick\n`[a]\\(b)`"),
        ("- a\n  ```\nb\n```\n```\n[a](b)", "- a\n  ```\nb\n```\n```\n[a]\\(b)"),
        ("~~~ a | b\n|-|-|\n[a](b)", "~~~ a | b\n|-|-|\n[a]\\(b)"),
        ("| `a | [a](b) | `", "| `a | [a]\\(b) | `"),
        ("```\nnever closed [a](b)", "```\nnever closed [a](b)\n```"),
        ("**bold** and # what it means", "**bold** and # what it means"),
    ],
)
def test_the_agents_markdown_stays_what_it_is_but_hides_nothing(text: str, shown: str) -> None:
    assert defused(text) == shown


def test_peoples_words_are_no_markdown_and_addresses_are_links() -> None:
    text = "# no *heading* [x](https://a.example/b_c)\n1. no list\n    no code\n---"
    page = markdown_page(transcript(by("user", text), title="[t](u)"))
    assert "# \\[t\\]\\(u\\)\n" in page
    assert (
        "> \\# no \\*heading\\* \\[x\\]\\(<https://a.example/b_c>\\)\\\n"
        "> 1\\. no list\\\n"
        "> \N{NO-BREAK SPACE}\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}no code\\\n"
        "> \\-\\-\\-\n"
    ) in page


def test_code_with_fences_in_it_stays_inside() -> None:
    page = markdown_page(transcript(by("tool_result", "a\n```\n# b\n````\nc", toolName="read")))
    assert "`````\na\n```\n# b\n````\nc\n`````" in page


@pytest.mark.asyncio(loop_scope="module")
async def test_in_a_browser_a_page_runs_and_fetches_nothing_and_is_readable_light_and_dark(browser: Browser) -> None:
    page = await browser.new_page(java_script_enabled=True)
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    seen = []
    long = "x" * 400 + " " + "word " * 2_000
    content = html_page(transcript(by("user", EVIL + long), by("tool_result", long, toolName="t"), title=EVIL))
    schemes: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme)
        await page.set_content(content)
        seen.append(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
        seen.append(await page.evaluate("getComputedStyle(document.body).color"))
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert seen == ["rgb(255, 255, 255)", "rgb(29, 28, 29)", "rgb(23, 24, 27)", "rgb(230, 230, 232)"]
    assert await page.locator("script, img").count() == 0
    assert requests == []
    await page.emulate_media(media="print")
    assert await page.evaluate("getComputedStyle(document.querySelector('pre')).maxHeight") == "none"
    await page.close()
