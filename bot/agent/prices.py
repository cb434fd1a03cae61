"""What tokens cost: the prices of the settings, by the model's name; no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.config_sections import Price
from bot.sessions.spending import Spending, Tokens

MILLION = 1_000_000
WRITING, READING = 1.25, 0.1  # what the cache costs beside fresh input, where the settings do not say
DATED = re.compile(r"-\d{8}$")


def price_of(prices: Mapping[str, Price], model: str) -> Price | None:
    """The model's price; a dated name has that of the name without its date, if it has none of its own."""
    return prices.get(model) or prices.get(DATED.sub("", model))


def cost_of(prices: Mapping[str, Price], used: Tokens) -> float | None:
    """US dollars; None for a model without a price."""
    price = price_of(prices, used.model)
    if price is None:
        return None
    write = price.input * WRITING if price.cache_write is None else price.cache_write
    read = price.input * READING if price.cache_read is None else price.cache_read
    fresh = used.input * price.input + used.output * price.output
    return (fresh + used.cache_write * write + used.cache_read * read) / MILLION


def total(prices: Mapping[str, Price], spending: Spending) -> tuple[float | None, bool]:
    """The dollars of all whose price is known (None if of none), and whether that is everything."""
    costs = [cost_of(prices, used) for used in spending]
    known = [cost for cost in costs if cost is not None]
    return (sum(known) if known else None), len(known) == len(costs)
