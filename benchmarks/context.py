"""How stable what the model is sent is: `python -m benchmarks.context [--turns 10]`.

Plays a thread that is linked to a ticket through the whole bot, over a local Slack and a scripted model that calls
tools. Prints for each turn how many bytes of its input are, byte for byte, the prefix that the turn before sent, and
what a cache makes of it. Results are printed, not asserted.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from bot.local_model import Reply, ToolCall, say
from bot.local_model.usage import Cache
from tests.bench import Bench, bench
from tests.slack.asked import at_rest

Request = dict[str, Any]
ALLOWED = 0.90
SAID = (
    "What is this ticket about, and what would you do first?",
    "Read the ticket again and tell me which of the acceptance criteria are not covered by a subtask yet.",
    "Mark the image processing as in progress, please. I have started on the resizing, with Pillow: thumbnails of "
    "64, 128 and 256 pixels, cropped to a square, and the original is kept for thirty days.",
    "Which tickets are related to this one?",
    "Add a comment: uploads of more than 5 MB are refused with a sentence that says so; see the notes of Tuesday.",
    "Is anything blocking us? Look at the other tickets of the epic too.",
    "Here is what the tests say:\n```\ntests/avatars/test_crop.py ......F.\nE  assert (256, 255) == (256, 256)\n```",
    "Mark the image processing complete.",
    "What is left to do?",
    "Sum up for Bob where we are, please.",
)
ANSWER = (
    "The ticket asks for an avatar upload on the profile page. {} I would begin with the part that the criteria name "
    "first, keep the change small, and write the test beside it; the limits on size and type stand in the ticket."
)


def agent(request: Request) -> Reply:
    """A model that calls a tool in most of its turns, as agents do, and answers in a few sentences."""
    last, offered = request["messages"][-1], [tool["name"] for tool in request.get("tools", [])]
    if any(block.get("type") == "tool_result" for block in last["content"]):
        return say(ANSWER.format("I have looked at it with the tools that I have."))
    turn = sum(1 for n, (role, _) in enumerate(blocks(request)) if role == "user" and spoken(request, n))
    calls: dict[int, tuple[str, Request]] = {
        2: ("sciorex_get_ticket", {"ticketId": "T-042"}),
        3: ("sciorex_update_subtask", {"ticketId": "T-042", "title": "Add image processing", "status": "in_progress"}),
        4: ("sciorex_search_tickets", {"query": "avatar"}),
        5: ("sciorex_add_comment", {"ticketId": "T-042", "comment": "Uploads of more than 5 MB are refused."}),
        6: ("sciorex_list_tickets", {"limit": 10}),
        8: ("sciorex_complete_subtask", {"ticketId": "T-042", "title": "Add image processing"}),
        9: ("sciorex_list_subtasks", {"ticketId": "T-042"}),
    }
    if turn in calls:
        name, arguments = calls[turn]
        full = next((one for one in offered if one.endswith(f"__{name}")), None)
        if full:
            return say("Let me look.", ToolCall(full, arguments))
    return say(ANSWER.format("Nobody has to wait for anything."))


def blocks(request: Request) -> list[tuple[str, Request]]:
    """Every block of the messages with its role, without the marks that tell the cache where to look."""
    return [
        (message["role"], {key: value for key, value in block.items() if key != "cache_control"})
        for message in request["messages"]
        for block in message["content"]
    ]


def spoken(request: Request, n: int) -> bool:
    """Whether a block is what people said."""
    _, block = blocks(request)[n]
    return block["type"] == "text" and str(block["text"]).startswith("[")


def sent(request: Request) -> bytes:
    """All that a request gives to the model, in the order in which it reads it."""

    def parts() -> Iterator[str]:
        yield from (f"tool {json.dumps(tool)}" for tool in request.get("tools", []))
        system = request.get("system", [])
        yield from (f"system {json.dumps({**block, 'cache_control': None})}" for block in system)
        yield from (f"{role} {json.dumps(block, ensure_ascii=False)}" for role, block in blocks(request))

    return "\n".join(parts()).encode()


def shared(before: Request, after: Request) -> float:
    """Which share of the later request is, byte for byte, how the earlier one began."""
    first, second = sent(before), sent(after)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
    return same / len(second)


async def played(here: Bench, turns: int) -> list[list[Request]]:
    """The requests of each turn of a thread that is linked to T-042."""
    root = await here.slack.say(here.alice, here.general, f"{here.at} link T-042")
    await at_rest(here)
    of_turns: list[list[Request]] = []
    for n in range(turns):
        before = len(here.model.requests)
        await here.slack.say(here.alice, here.general, f"{here.at} {SAID[n % len(SAID)]}", root)
        await at_rest(here)
        of_turns.append(here.model.requests[before:])
    return of_turns


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with bench(Path(folder), f"sqlite:///{folder}/bot.db", script=agent) as here:
            turns = await played(here, given.turns)
    cache = Cache()
    print("turn  requests    bytes  of them the prefix that the turn before sent  tokens read from a cache")
    for n, requests in enumerate(turns):
        usages = [cache.usage(request) for request in requests]
        read = sum(usage["cache_read_input_tokens"] for usage in usages)
        every = read + sum(usage["input_tokens"] + usage["cache_creation_input_tokens"] for usage in usages)
        share = f"{shared(turns[n - 1][-1], requests[0]):.1%}" if n else "-"
        print(f"{n + 1:4}  {len(requests):8}  {len(sent(requests[0])):7,}  {share:>45}  {read / every:>24.1%}")
    if len(turns) > 1:
        last = shared(turns[-2][-1], turns[-1][0])
        print(f"\nturn {len(turns)}: {last:.1%} (at least {ALLOWED:.0%} wanted)")


if __name__ == "__main__":
    asyncio.run(main())
