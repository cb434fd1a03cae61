"""A thread that grows too long for the model: its beginning is summed up, and everything else stays as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.local_model import Refusal, Reply, ToolCall, say
from bot.sessions.models import compaction, spent, step
from tests.bench import Bench, bench, everything_in
from tests.slack.asked import asked, at_rest, count

READ = "mcp__sciorex-tickets__sciorex_get_ticket"
ROOM = 40_000  # tokens
LONG = "word " * 4_000  # 5,000 tokens
SUMMARY = "Alice wants thumbnails."


class Model:
    """Sums up where it is asked to (unless it refuses), calls a tool in every answer, and keeps what it was given."""

    def __init__(self) -> None:
        self.summed: list[str] = []
        self.refuses = False

    def __call__(self, request: dict[str, Any]) -> Reply | Refusal:
        if "has grown too long" in everything_in(request.get("system", "")):
            self.summed.append(everything_in(request["messages"]))
            return Refusal(400, "invalid_request_error", "no") if self.refuses else say(SUMMARY)
        if any(block["type"] == "tool_result" for block in request["messages"][-1]["content"]):
            return say("Fine.")
        return say(ToolCall(READ, {"ticketId": "T-042"}))


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
async def here(tmp_path: Path, database_url: str, model: Model) -> AsyncIterator[Bench]:
    async with bench(tmp_path, database_url, script=model) as made:
        made.model.room = ROOM
        yield made


async def grown(here: Bench, turns: int = 7) -> tuple[str, list[str]]:
    """A linked thread with long messages, each with a mark of its own; the root and the ts of the messages."""
    root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
    await at_rest(here)
    said = [await ask(here, root, f"mark-{n} {LONG}") for n in range(turns)]
    return root, said


async def ask(here: Bench, root: str, text: str) -> str:
    ts = await here.slack.say(here.alice, here.general, f"{here.at} {text}", root)
    await at_rest(here)
    return ts


def marks(here: Bench) -> list[int]:
    """Which of the messages the newest request holds."""
    return [n for n in range(20) if f"mark-{n} " in asked(here)]


async def test_the_beginning_is_summed_up_before_the_models_limit_and_the_transcript_keeps_it(
    here: Bench, model: Model
) -> None:
    root, _ = await grown(here)
    assert model.summed and "mark-0 " in model.summed[0] and "called mcp__sciorex" in model.summed[0]
    newest = asked(here)
    assert "<earlier>\nThis thread is long" in newest and SUMMARY in newest
    assert 6 in marks(here) and 0 not in marks(here)
    assert "</linked_ticket>" in newest  # the ticket is told whole again, since what told it is left out
    assert max(len(str(one["messages"])) for one in here.model.requests) < ROOM * 4
    assert await count(here, step) == 7 * 3
    await ask(here, root, "short")
    summed = len(model.summed)
    await ask(here, root, "short again")
    assert len(model.summed) == summed  # kept, and sent again as it was
    assert here.model.requests[-1]["messages"][0]["content"][0]["text"].startswith("<earlier>")


async def test_a_restart_sums_nothing_up_again(here: Bench, model: Model) -> None:
    root, _ = await grown(here)
    summed, first = len(model.summed), here.model.requests[-1]["messages"][0]["content"][0]["text"]
    await here.stop()
    await here.start()
    await ask(here, root, "short")
    assert len(model.summed) == summed
    assert here.model.requests[-1]["messages"][0]["content"][0]["text"].startswith(first.partition("\n[")[0])


@pytest.mark.parametrize("deletes", [True, False], ids=["deleted", "edited"])
async def test_an_edit_or_deletion_in_what_was_summed_up_has_it_summed_up_anew(
    here: Bench, model: Model, deletes: bool
) -> None:
    root, said = await grown(here)
    assert await count(here, compaction) == 1
    if deletes:
        await here.slack.delete(here.alice, here.general, said[0])
    else:
        await here.slack.edit(here.alice, here.general, said[0], f"{here.at} otherwise-0 {LONG}")
    await at_rest(here)
    assert await count(here, compaction) == 0
    before = len(model.summed)
    await ask(here, root, f"mark-7 {LONG}")
    assert len(model.summed) == before + 1
    assert "mark-0 " not in model.summed[-1] and ("otherwise-0 " in model.summed[-1]) is not deletes


async def test_an_edit_of_what_was_said_later_leaves_the_summary(here: Bench) -> None:
    _, said = await grown(here)
    await here.slack.edit(here.alice, here.general, said[-1], f"{here.at} mark-6 otherwise")
    await at_rest(here)
    assert await count(here, compaction) == 1


async def test_where_the_model_gives_no_summary_the_oldest_turns_are_left_out_with_a_note(
    here: Bench, model: Model
) -> None:
    model.refuses = True
    root, _ = await grown(here)
    await here.seen(here.general, root, "Fine.")
    assert "earlier turns of this thread are left out here" in asked(here)
    assert 6 in marks(here) and 0 not in marks(here)
    assert await count(here, compaction) == 0


async def test_what_a_summary_cost_is_counted(here: Bench, model: Model) -> None:
    await grown(here)
    assert here.bot is not None
    query = select(spent.c.kind, func.count(), func.sum(spent.c.input)).group_by(spent.c.kind)
    kinds = {row[0]: row[1:] for row in await here.bot.parts.db.read(lambda c: c.execute(query).all())}
    assert kinds["step"][0] == 14
    assert kinds["compaction"][0] == len(model.summed) and kinds["compaction"][1] > 5_000
