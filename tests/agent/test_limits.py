"""Limits and prices: nine sentences, and what tokens cost."""

from __future__ import annotations

import pytest

from bot.agent.limits import Spent, reached
from bot.agent.prices import cost_of, total
from bot.config_sections import Limit, Limits, Price
from bot.sessions.spending import Tokens

NOTHING = Spent(0, 0, 0.0)
MUCH = Spent(10, 5_000, 2.5)
LIMITS = [
    (where, what)
    for where in ("turn", "thread", "day")
    for what in (Limit(steps=10), Limit(tokens=5_000), Limit(cost=2.5))
]


def sentence(where: str, limit: Limit, spent: Spent) -> str | None:
    limits = Limits(**{"turn": Limit(), where: limit})
    used = {"turn": NOTHING, "thread": NOTHING, "day": NOTHING, where: spent}
    return reached(limits, used["turn"], used["thread"], used["day"])


def test_each_limit_has_a_sentence_of_its_own_with_its_number() -> None:
    said = [sentence(where, limit, MUCH) for where, limit in LIMITS]
    assert all(said) and len(set(said)) == 9
    for (_, limit), one in zip(LIMITS, said, strict=True):
        number = "10" if limit.steps else "5,000" if limit.tokens else "$2.50"
        assert number in str(one)


@pytest.mark.parametrize(("where", "limit"), LIMITS)
def test_a_limit_is_reached_when_nothing_of_it_is_left_and_no_sooner(where: str, limit: Limit) -> None:
    assert sentence(where, limit, Spent(9, 4_999, 2.49)) is None
    assert sentence(where, limit, MUCH) is not None


def test_without_settings_a_turn_has_24_steps_and_all_else_is_free() -> None:
    free = Spent(10**6, 10**9, 10**6)
    assert reached(Limits(), Spent(23, 10**9, 10**6), free, free) is None
    assert "24 steps" in str(reached(Limits(), Spent(24, 0, 0), NOTHING, NOTHING))


def test_the_cache_has_prices_of_its_own() -> None:
    prices = {"m": Price(input=4, output=20), "k": Price(input=1, output=2, cache_write=0, cache_read=5)}
    used = Tokens("m", 1, input=1_000_000, output=100_000, cache_read=2_000_000, cache_write=400_000)
    assert cost_of(prices, used) == pytest.approx(4 + 2 + 0.8 + 2)
    other = Tokens("k", 1, input=0, output=0, cache_read=200_000, cache_write=7)
    dollars, whole = total(prices, (used, other))
    assert dollars == pytest.approx(9.8) and whole


def test_a_dated_name_has_the_price_of_its_model_and_an_unknown_one_has_none() -> None:
    prices = {"claude-x": Price(input=1, output=1)}
    assert cost_of(prices, Tokens("claude-x-20260901", input=1_000_000)) == 1
    assert cost_of(prices, Tokens("claude-xl", input=1_000_000)) is None
    assert total(prices, (Tokens("claude-x", input=1_000_000), Tokens("other", input=1))) == (1, False)
    assert total(prices, (Tokens("other", input=1),)) == (None, False)
