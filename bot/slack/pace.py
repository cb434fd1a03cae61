"""Slack's own pace, which all that runs here shares."""

from collections.abc import Iterator
from contextlib import contextmanager


class Appends:
    """The pace of appends, which all streams of the app share: about 100 a minute (slack-facts 14)."""

    def __init__(self, a_minute: int = 90) -> None:
        self._a_minute, self._running = a_minute, 0

    @property
    def seconds(self) -> float:
        """How long each running stream waits between two appends."""
        return max(0.7, 60 / self._a_minute * self._running)

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Counts a stream while it runs."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
