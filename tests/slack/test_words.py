"""Which texts are commands, and which are meant for the agent."""

import pytest

from bot.slack.intake.words import Word, as_typed, command_in

BOT = "U0BOT"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (f"<@{BOT}> link T-042", Word("link", "T-042")),
        (f"<@{BOT}>  Link t-42.", Word("link", "t-42")),
        (f"<@{BOT}> link", Word("link")),
        (f"<@{BOT}> unlink", Word("unlink")),
        (f"<@{BOT}> archive", Word("archive")),
        (f"<@{BOT}> archive: backend is ready", Word("archive", "backend is ready")),
        (f"<@{BOT}> sessions", Word("sessions")),
        (f"<@{BOT}> status in review", Word("status", "in review")),
        (f"<@{BOT}> status in_rev", Word("status", "in_rev")),
        (f"<@{BOT}> status wip", Word("status", "wip")),
        ("!status d", Word("status", "d")),
        ("!ticket new Fix it\nsoon", Word("ticket", "new Fix it\nsoon")),
        (f"<@{BOT}> stop", Word("stop")),
        (f"<@{BOT}> help", Word("help")),
        (f"<@{BOT}> workspace", Word("workspace")),
        (f"<@{BOT}> Workspace web-site_2", Word("workspace", "web-site_2")),
        ("!link T-042", Word("link", "T-042")),
        ("  !archive all done", Word("archive", "all done")),
        ("/link T-042", Word("link", "T-042")),
        (" /link T-042", Word("link", "T-042")),
        ("/unlink", Word("unlink")),
    ],
)
def test_a_command_is_understood(text: str, word: Word) -> None:
    assert command_in(text, BOT) == word


@pytest.mark.parametrize(
    "text",
    [
        "link T-042",
        f"<@{BOT}> link the pages to each other",
        f"<@{BOT}> archive the old logs table",
        f"<@{BOT}> stop doing that",
        f"<@{BOT}> workspace of the app, please",
        f"<@{BOT}> what is the status of this?",
        f"<@{BOT}> status report please",
        f"<@{BOT}> status unclear",
        f"<@{BOT}> status i",
        f"<@{BOT}> help me implement T-042",
        "!important: read this",
        "/shrug",
        "<@U0BOB> link T-042",
        "",
    ],
)
def test_what_is_said_to_the_agent_or_others_is_no_command(text: str) -> None:
    assert command_in(text, BOT) is None


def test_in_a_direct_message_the_word_alone_is_enough() -> None:
    assert command_in("help", BOT, direct=True) == Word("help")
    assert command_in("link T-042", BOT, direct=True) == Word("link", "T-042")
    assert command_in("help me, please", BOT, direct=True) is None


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("a &lt; b &amp;&amp; c &gt; d &amp;lt;", "a < b && c > d &lt;"),
        ("see <https://x.example/a?b=1&amp;c=2> there", "see https://x.example/a?b=1&c=2 there"),
        ("<http://example.com|example.com> fails", "example.com fails"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<#C0123|general> and <@U0BOB>", "general and <@U0BOB>"),
    ],
)
def test_a_text_is_read_as_it_was_typed(sent: str, typed: str) -> None:
    assert as_typed(sent) == typed
