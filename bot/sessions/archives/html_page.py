"""A transcript as one HTML page: no script, nothing fetched, everything escaped, each link its own address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from bot.sessions.archives.readable import Object, Page, Spoken, page_of, parts_of

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; --ink: #1d1c1d; --paper: #fff; --soft: #5c5c60; --line: #dcdce0; --box: #f6f6f8;
  --link: #0b57a4; --mark: #8a5a00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e8; --paper: #17181b; --soft: #a3a4a9; --line: #38393e; --box: #212226; --link: #7cb7ff;
    --mark: #e2b65c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 0 2rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
ol { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid var(--line); padding: .75rem 0; }
.head { display: flex; flex-wrap: wrap; gap: .1rem .75rem; align-items: baseline; }
.head { color: var(--soft); font-size: .85rem; }
.head b { color: var(--ink); font-size: 1rem; overflow-wrap: anywhere; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; margin: .15rem 0 0; }
.event .text, .gone { color: var(--soft); font-style: italic; }
.marks { color: var(--mark); }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .75rem; }
pre { margin: .35rem 0 0; max-height: 24rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
pre { font: .85rem/1.45 ui-monospace, monospace; }
.files { margin: .35rem 0 0; padding-left: 1.2rem; list-style: disc; }
.files li { border: 0; padding: 0; overflow-wrap: anywhere; }
a { color: var(--link); }
.id { color: var(--soft); text-decoration: none; font: .75rem ui-monospace, monospace; }
@media print {
  :root { --ink: #000; --paper: #fff; --soft: #444; --line: #bbb; --box: #fff; --link: #000; --mark: #444; }
  main { max-width: none; padding: 0; }
  pre { max-height: none; overflow: visible; }
  li { break-inside: avoid-page; }
  .head { break-after: avoid; }
}
"""


def html_page(content: Object) -> str:
    """The page of a transcript; the same transcript gives the same page."""
    return "".join(_page(page_of(content)))


def _page(page: Page) -> Iterator[str]:
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{_safe(page.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1 dir="auto">{_safe(page.title)}</h1>\n<dl>\n'
    )
    for label, value in page.facts:
        yield f'<dt>{_safe(label)}</dt><dd dir="auto">{_linked(value)}</dd>\n'
    yield "</dl>\n<ol>\n"
    for spoken in page.entries:
        yield from _entry(spoken)
    yield "</ol>\n</main>\n</body>\n</html>\n"


def _entry(spoken: Spoken) -> Iterator[str]:
    id_ = _safe(spoken.id)
    yield f'<li class="{spoken.kind}" id="{id_}">\n<div class="head"><b dir="auto">{_safe(_who(spoken))}</b>'
    yield f"<time>{_safe(spoken.when)}</time>"
    if spoken.marks:
        yield f'<span class="marks">{_safe(" · ".join(spoken.marks))}</span>'
    yield f'<a class="id" href="#{id_}">{id_}</a></div>\n'
    if spoken.text:
        yield f'<div class="text" dir="auto">{_linked(spoken.text)}</div>\n'
    elif not spoken.code and spoken.kind != "tool":
        yield '<div class="text gone">nothing</div>\n'
    if spoken.code:
        yield f'<pre dir="auto">{_safe(spoken.code)}</pre>\n'
    if spoken.files:
        rows = (f"<li>{_safe(name)}: {_linked(address)}</li>" for name, address in spoken.files)
        yield f'<ul class="files">{"".join(rows)}</ul>\n'
    yield "</li>\n"


def _who(spoken: Spoken) -> str:
    before = {"tool": "⚙️ ", "result": "↳ ", "bot": "🤖 ", "agent": "🤖 "}.get(spoken.kind, "")
    return before + spoken.who


def _linked(text: str) -> str:
    """The text, with addresses as links that say where they lead."""
    return "".join(
        f'<a href="{_safe(part)}" rel="noopener noreferrer nofollow">{_safe(part)}</a>' if is_address else _safe(part)
        for part, is_address in parts_of(text)
    )


def _safe(text: str) -> str:
    """Text between tags or in quotes; signs that no page may hold are shown as a question mark."""
    return escape(re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text))
