"""Which texts are commands, and which are meant for the agent."""

import pytest

from bot.slack.words import Word, command_in

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
        (f"<@{BOT}> stop", Word("stop")),
        (f"<@{BOT}> help", Word("help")),
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
        f"<@{BOT}> what is the status of this?",
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
