"""How the bot logs: to stderr, as text or as JSON a line, and never a token or the body of a request."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_BAD_SIGNATURE = "slack_bolt.RequestVerification"
_CHATTER = "alembic"  # which steps it took; that the tables were brought up to date says bot.database
_IN_VAIN = (
    "As `installation_store` or `authorize`",
    "As you gave `client`",
)  # Bolt: tokens that are skipped on purpose
_TALKS = ("httpx2", "mcp.client")  # whole addresses, with what may be secret in them, and what servers say


class _Discreet(logging.Filter):
    """Bolt logs signature and body of a request with a wrong signature, and libraries log payloads at DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == _BAD_SIGNATURE:
            record.msg, record.args = "A request with a wrong signature or an old timestamp was refused", ()
        if record.name.startswith(_CHATTER) and record.levelno < logging.WARNING:
            return False
        if record.name.startswith("slack_bolt") and str(record.msg).startswith(_IN_VAIN):
            return False
        if record.name.startswith(_TALKS):
            record.exc_info = record.exc_text = None
            return record.levelno >= logging.WARNING
        return record.levelno > logging.DEBUG or record.name.split(".")[0] == "bot"


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(level: str = "INFO", form: str = "text") -> None:
    """Sends every log record to stderr; libraries' own set-ups that come later find it done."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Discreet())
    handler.setFormatter(
        _JsonLine() if form == "json" else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
