"""What the log holds, and what is kept out of it."""

import json
import subprocess
import sys
from pathlib import Path

SAYING = """
import logging
from bot.logs import configure_logging
configure_logging("DEBUG", {form!r})
logging.getLogger("bot.inbox").debug("taken")
logging.getLogger("slack_sdk.web").debug("token xoxb-1")
logging.getLogger("slack_bolt.RequestVerification").info("signature: %s, body: %s", "v0=1", "hush")
logging.getLogger("alembic.runtime.migration").info("Running upgrade")
logging.getLogger("alembic.runtime.migration").warning("an odd table")
logging.getLogger("slack_bolt.AsyncApp").warning("As you gave `client` as well, `token` will be unused.")
logging.getLogger("httpx2").info("HTTP Request: POST https://example.com/mcp?key=%s", "hush")
try:
    raise ValueError("hush")
except ValueError:
    logging.getLogger("mcp.client.stdio").exception("Failed to parse")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("bot").exception("id %s", "4f")
"""


def logged(form: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SAYING.format(form=form)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr


def test_json_logs_are_an_object_a_line_and_hold_no_body_and_no_token() -> None:
    lines = [json.loads(line) for line in logged("json").splitlines()]
    assert [(line["level"], line["logger"], line["message"]) for line in lines] == [
        ("DEBUG", "bot.inbox", "taken"),
        (
            "INFO",
            "slack_bolt.RequestVerification",
            "A request with a wrong signature or an old timestamp was refused",
        ),
        ("WARNING", "alembic.runtime.migration", "an odd table"),
        ("ERROR", "mcp.client.stdio", "Failed to parse"),
        ("ERROR", "bot", "id 4f"),
    ]
    assert "exception" not in lines[3]
    assert lines[4]["exception"].endswith("ZeroDivisionError: division by zero")


def test_text_logs_hold_no_body_and_no_token_either() -> None:
    text = logged("text")
    assert "DEBUG bot.inbox: taken" in text
    assert not [secret for secret in ("xoxb-1", "hush", "v0=1") if secret in text]
