"""What the model writes: harmless, cut into messages without a loss, and only ever added to while it streams."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.views.markdown import answer_parts, answer_text, plain, safe, split, tool_line

NASTY = st.lists(
    st.sampled_from(
        [
            "<!channel>", "<!here|x>", "<@U123>", "<#C1>", "<https://x|y>", "@everyone", "![a](http://x/y)",
            "[b](http://x)", "[c](javascript:x)", "[d][1]", "[1]: http://x", "`<!here>`", "```\n<@U1>\n```", "```",
            "~~~", "`", "\\", "[", "](", "(http://x)", "]", "![", "<", "!", "> ", "- ", "\n", "\n\n", "\r", " ", "word",
        ]
    )
).map("".join)  # fmt: skip


@given(NASTY)
def test_nothing_pings_shows_an_image_or_hides_an_address(text: str) -> None:
    made = safe(text)
    assert not re.search(r"<(?:!(?:channel|here)|@U|#C|https?:)|@everyone\b", made)
    assert not re.search(r"\]\(\s*<?\w+:", made)
    assert not re.search(r"\]:\s*<?http", made)


@pytest.mark.parametrize(
    "text",
    [
        "[a [b] c](http://e.example)",
        r"[a\]b](http://e.example)",
        r"\`[a](http://e.example)\`",
        "why ``` [a](http://e.example)",
        "[a\nb](http://e.example)",
        "[![a](http://e.example)](http://e.example)",
        "[`a`](http://e.example)",
        "[a](<http://e.example>)",
        "[a](  http://e.example 'words')",
        "    ```\n[a](http://e.example)",
    ],
)
def test_no_form_of_a_link_gets_by(text: str) -> None:
    assert "](" not in safe(text)
    assert "http://e.example" in safe(text)


def test_an_address_kept_elsewhere_in_the_text_makes_no_link() -> None:
    assert safe("[bank][1]\n\n[1]: http://e.example") == "[bank]\u200b[1]\n\n[1]\u200b: http://e.example"


@pytest.mark.parametrize(
    "code",
    [
        "```html\n<!-- a --><div class='x'>List<int></div>\n```",
        "```py\nfor x in rows[1]:\n    handlers[name](x)\n```",
        "Use `vector<int>` and `a[0](1)` && more",
        "- [ ] one\n- [x] two\n\n| a | b |\n|---|---|",
    ],
)
def test_code_and_lists_stay_as_they_were_written(code: str) -> None:
    assert safe(code) == code


@given(NASTY, NASTY)
def test_a_line_that_is_through_is_not_changed_by_what_follows(first: str, then: str) -> None:
    assert safe(first + "\n" + then).startswith(safe(first + "\n"))


def test_the_direction_of_writing_cannot_be_turned() -> None:
    assert safe("https://e.example/\u202egnp.exe") == "https://e.example/gnp.exe"


def test_a_link_shows_where_it_goes() -> None:
    assert safe("see [the docs](https://a.example/b)") == "see the docs (https://a.example/b)"
    assert safe("![x](https://a.example/p.png)") == "x (https://a.example/p.png)"


@given(st.text(max_size=3000), st.integers(min_value=60, max_value=500))
def test_a_text_is_cut_into_parts_that_fit_and_hold_every_word(text: str, size: int) -> None:
    parts = split(text, size)
    assert all(len(part) <= size for part in parts)
    if "```" not in text:
        assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_code_block_that_is_cut_stays_code_in_both_parts() -> None:
    first, second = split("```python\n" + "line of code\n" * 30 + "```", 250)[:2]
    assert first.endswith("\n```")
    assert second.startswith("```python\nline of code\n")


@given(st.lists(st.sampled_from(["```py\n", "```\n", "~~~\n", "> ", "- ", "word ", "    deep\n", "\n\n"])).map("".join))
def test_cutting_comes_to_an_end_with_parts_that_show_something(text: str) -> None:
    parts = split("x" + text * 5, 60)
    assert all(part.strip() and len(part) <= 60 for part in parts)


@pytest.mark.parametrize("one", ["👩🏽‍💻", "🇩🇪", "e\u0301", "🏴\U000e0067\U000e0062\U000e007f"])
def test_no_character_is_torn_apart(one: str) -> None:
    for shift in range(12):
        parts = split("x" * shift + one * 40, 60)
        assert all(part.lstrip("x").replace(one, "") == "" for part in parts)


def test_an_answer_only_grows_while_tools_run() -> None:
    call = ("mcp__sciorex-tickets__sciorex_update_subtask", {"title": "Write tests", "status": "completed"})
    before = answer_text([("text", "I mark it."), ("tool", *call, "started")])
    after = answer_text([("text", "I mark it."), ("tool", *call, "done"), ("text", "Done.")])
    assert after.startswith(before)
    assert "Write tests" in before


def test_a_tool_line_takes_nothing_at_its_word() -> None:
    line = tool_line("mcp__x__sciorex_add_comment", {"ticketId": "T-1", "comment": "<!channel>\n" + "x" * 500}, "done")
    assert "<!channel>" not in line
    assert len(line) < 200


def test_two_values_of_a_tool_call_make_no_link_together() -> None:
    call = {"ticketId": "T-1", "title": "[click", "status": "x](http://e.example)"}
    line = tool_line("mcp__sciorex-tickets__sciorex_update_subtask", call, "done")
    assert line == "> ⚙️ Update subtask “click” of T-1 → x (http://e.example) ✓\n\n"


def test_a_tool_line_stands_outside_code_that_was_left_open() -> None:
    said = answer_text([("text", "Look:\n```py\nx = 1"), ("tool", "sciorex_get_ticket", {"ticketId": "T-1"}, "done")])
    assert said == "Look:\n```py\nx = 1\n```\n\n> ⚙️ Read T-1 ✓\n\n"


def test_words_after_a_call_that_never_ended_stand_on_their_own() -> None:
    said = answer_text([("tool", "sciorex_get_ticket", {"ticketId": "T-1"}, "started"), ("text", "Sorry.")])
    assert said == "> ⚙️ Read T-1\n\nSorry."


def test_no_escape_is_cut_in_half() -> None:
    assert plain("&" * 3000).endswith("&amp;…")


@given(st.text(max_size=9000))
def test_the_text_for_notifications_fits_and_is_escaped(text: str) -> None:
    assert len(plain(text)) <= 3_900
    assert "<" not in plain(text)
    assert all(len(part.text) <= 4_000 for part in answer_parts(text))
