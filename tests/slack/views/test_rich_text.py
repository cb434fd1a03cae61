"""Markdown as rich text: what Slack shows of it in a view, and that whatever is written there is taken and kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.local_slack.blocks_check import block_problems
from bot.slack.views.rich_text import rich


def shown(text: str) -> list[Any]:
    """The parts of the one block that a text makes, each with its words: (words, styles) where they have any."""
    [block] = rich(text)
    return [_part(part) for part in block["elements"]]


def _part(part: dict[str, Any]) -> Any:
    if part["type"] == "rich_text_list":
        items = [_words(item["elements"]) for item in part["elements"]]
        return (f"{part['style']} {part['indent']}", *items)
    return part["type"].removeprefix("rich_text_"), *_words(part["elements"])


def _words(elements: list[dict[str, Any]]) -> list[Any]:
    return [(e["text"], " ".join(e["style"])) if e.get("style") else e["text"] for e in elements]


def test_headings_lists_quotes_and_code_are_shown_as_such() -> None:
    text = (
        "## Aim\nAvatars.\n\n- one\n- two\n  - below\n1. first\n2. second\n\n> said\n> so\n\n```py\n- x = 1\n```\nEnd"
    )
    assert shown(text) == [
        ("section", ("Aim", "bold"), "\n", "Avatars."),
        ("bullet 0", ["one"], ["two"]),
        ("bullet 1", ["below"]),
        ("ordered 0", ["first"], ["second"]),
        ("quote", "said", "\n", "so"),
        ("preformatted", "- x = 1"),
        ("section", "End"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a **b** *c* _d_ ~~e~~",
            ["a ", ("b", "bold"), " ", ("c", "italic"), " ", ("d", "italic"), " ", ("e", "strike")],
        ),
        ("***x*** **a *b* c**", [("x", "bold italic"), " ", ("a ", "bold"), ("b", "bold italic"), (" c", "bold")]),
        ("snake_case_name 2 * 3 * 4 \\*so\\*", ["snake_case_name 2 * 3 * 4 *so*"]),
        ("# C# ##", [("C#", "bold")]),
        ("`a *b*` **`c`**", [("a *b*", "code"), " **", ("c", "code"), "**"]),
        ("[the docs](https://e.com/_a_) <!channel> <@U1>", ["the docs (https://e.com/_a_) <!channel> <@U1>"]),
    ],
)
def test_words_have_their_style_and_a_link_shows_where_it_goes(text: str, words: list[Any]) -> None:
    assert shown(text) == [("section", *words)]


def test_a_long_text_is_whole_in_several_blocks_and_one_that_is_all_marks_stands_as_it_was_typed() -> None:
    lines = [f"Line {n} of **{n}** " + "word " * 20 for n in range(100)]
    blocks = rich("\n".join(lines))
    assert len(blocks) > 2
    told = "".join(element["text"] for block in blocks for part in block["elements"] for element in part["elements"])
    assert all(f"Line {n} of {n} word" in told for n in range(100))
    assert rich("*a" * 500) == [{"type": "section", "text": {"type": "plain_text", "text": "*a" * 500}}]


MARKS = st.sampled_from(
    ["*", "**", "_", "`", "```\n", "\n", "- ", "  - ", "1. ", "> ", "# ", "[a](", "[]()", ")", "~~", "\\"]
)


@given(st.lists(MARKS | st.text(max_size=8), max_size=60).map("".join))
def test_whatever_is_written_slack_takes_it(text: str) -> None:
    assert list(block_problems(rich(text), "modal")) == []
