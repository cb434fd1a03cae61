"""Limits on what a turn, a thread and a day may use: which one is reached, in a sentence for the thread; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.config_sections import Limit, Limits

Sentence = Callable[[str], str]
TURN: dict[str, Sentence] = {
    "steps": lambda most: f"I stopped after {most} steps without coming to an end. Ask again to let me go on.",
    "tokens": lambda most: (
        f"I stopped: this answer has used the {most} tokens that one may use. "
        "Ask again to let me go on, best with a smaller question."
    ),
    "cost": lambda most: (
        f"I stopped: this answer has cost the {most} that one may cost. "
        "Ask again to let me go on, best with a smaller question."
    ),
}
THREAD: dict[str, Sentence] = {
    "steps": lambda most: (
        f"This thread has had the {most} steps that a thread may have. "
        "Start a new one on the ticket; what was said here stays."
    ),
    "tokens": lambda most: (
        f"This thread has used the {most} tokens that a thread may use. "
        "Start a new one on the ticket; what was said here stays."
    ),
    "cost": lambda most: (
        f"This thread has cost the {most} that a thread may cost. "
        "Start a new one on the ticket; what was said here stays."
    ),
}
DAY: dict[str, Sentence] = {
    "steps": lambda most: (
        f"I have taken the {most} steps that I may take in a day for everybody here. I go on after midnight UTC."
    ),
    "tokens": lambda most: (
        f"I have used the {most} tokens that I may use in a day for everybody here. I go on after midnight UTC."
    ),
    "cost": lambda most: (
        f"I have cost the {most} that I may cost in a day for everybody here. I go on after midnight UTC."
    ),
}


@dataclass(frozen=True)
class Spent:
    """Answers of the model, tokens in and out, US dollars as far as prices are known."""

    steps: int
    tokens: int
    cost: float


def reached(limits: Limits, turn: Spent, thread: Spent, day: Spent) -> str | None:
    """The sentence on the first limit that is reached; None while all leave room for one more step."""
    for limit, spent, sentences in ((limits.turn, turn, TURN), (limits.thread, thread, THREAD), (limits.day, day, DAY)):
        for name, most in _reached(limit, spent):
            return sentences[name](most)
    return None


def is_set(limit: Limit) -> bool:
    """Whether there is anything to be reached."""
    return any(value is not None for value in (limit.steps, limit.tokens, limit.cost))


def _reached(limit: Limit, spent: Spent) -> Iterator[tuple[str, str]]:
    if limit.steps is not None and spent.steps >= limit.steps:
        yield "steps", f"{limit.steps:,}"
    if limit.tokens is not None and spent.tokens >= limit.tokens:
        yield "tokens", f"{limit.tokens:,}"
    if limit.cost is not None and spent.cost >= limit.cost:
        yield "cost", f"${limit.cost:,.2f}" if limit.cost >= 0.01 else f"${limit.cost:g}"
