"""What the model is sent stays as it was sent: turn after turn only something is added."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from benchmarks.context import ALLOWED, agent, played, sent, shared
from tests.bench import bench


async def test_ninety_percent_of_turn_ten_is_byte_for_byte_what_turn_nine_sent(
    tmp_path: Path, database_url: str
) -> None:
    async with bench(tmp_path, database_url, script=agent) as here:
        turns = await played(here, 10)
    assert [len(requests) for requests in turns] == [1, 2, 2, 2, 2, 2, 1, 2, 2, 1]
    assert shared(turns[8][-1], turns[9][0]) >= ALLOWED
    every = [request for requests in turns for request in requests]
    for before, after in pairwise(every):
        assert sent(after).startswith(sent(before)), "something that was sent before is not sent again as it was"
    assert sent(turns[9][0]).count(b"</linked_ticket>") == 3  # at first, and after each turn that changed what it shows


def test_another_byte_at_the_beginning_shows() -> None:
    def request(system: str) -> dict[str, object]:
        return {"system": [{"type": "text", "text": system}], "messages": []}

    assert shared(request("a" * 1_000), request("a" * 1_000)) == 1
    assert shared(request("b" * 1_000), request("a" * 1_000)) < 0.1
