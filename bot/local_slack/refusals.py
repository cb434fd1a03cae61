"""The two ways in which Slack says no: to a person, and to an app."""

from typing import Any

Json = dict[str, Any]


class SlackRefuses(Exception):
    """Slack does not let a person do this; the text is the sentence Slack shows."""


class Refused(Exception):
    """A Web API call is answered `{"ok": false, "error": …}`; `more` are further fields of the answer."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer: Json = {"ok": False, "error": error, **more}
