"""What the model writes: harmless, cut into messages without a loss, and only ever added to while it streams."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.markdown import answer_parts, answer_text, plain, safe, split, tool_line

NASTY = st.lists(
    st.sampled_from(
        [
            "<!channel>", "<!here|x>", "<@U123>", "<#C1>", "@everyone", "![a](http://x/y)", "[b](http://x)",
            "[c](javascript:x)", "`<!here>`", "```\n<@U1>\n```", "```", "`", "[", "](", "<", "!", "\n\n", " ", "word",
        ]
    )
).map("".join)  # fmt: skip


@given(NASTY)
def test_nothing_pings_shows_an_image_or_hides_an_address(text: str) -> None:
    made = safe(text)
    assert not re.search(r"<[!@#]", made)
    outside = re.sub(r"```.*?(?:```|\Z)|`[^`\n]+`", "", made, flags=re.DOTALL)
    assert not re.search(r"!\[[^\]\n]*\]\(", outside)
    assert not re.search(r"\[[^\]\n]*\]\(http", outside)


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
    first, second = split("```\n" + "line of code\n" * 30 + "```", 250)[:2]
    assert first.count("```") == 2
    assert second.startswith("```\n")


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


@given(st.text(max_size=9000))
def test_the_text_for_notifications_fits_and_is_escaped(text: str) -> None:
    assert len(plain(text)) <= 3_900
    assert "<" not in plain(text)
    assert all(len(part.text) <= 4_000 for part in answer_parts(text))
