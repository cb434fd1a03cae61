"""What a turn was given and what it used, as a modal; what a ticket's sessions have used; and what changed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.agent.prices import cost_of, total
from bot.agent.reads import Context
from bot.config_sections import Price
from bot.sessions.spending import Spending
from bot.slack.views.blocks import Block, Shown, cut, linked, notice, section
from bot.slack.views.modals import View, modal
from bot.tickets.change import Value
from bot.tickets.news import News

MOST_NAMED = 12
MOST_CHANGES = 6


@dataclass(frozen=True)
class Used:
    """A session in a list of costs: its title, its address, how many turns it had and what they used."""

    title: str
    address: str | None
    turns: int
    spending: Spending


def receipt(
    had: Context | None, spending: Spending, prices: Mapping[str, Price], *, tools: Sequence[str], running: bool
) -> View:
    """One turn: what the agent was told of its ticket, tokens, cost, models, steps and tool calls."""
    calls = Counter(cut(name.rpartition("__")[2].removeprefix("sciorex_").replace("_", " "), 60) for name in tools)
    named = ", ".join(name + (f" ×{count}" if count > 1 else "") for name, count in calls.most_common(MOST_NAMED))
    steps = sum(used.answers for used in spending)
    lines = [
        f"*Ticket:* {_ticket(had)}",
        *_tokens(spending, prices),
        f"*Steps:* {steps:,} · *Tool calls:* {len(tools):,}" + (f" ({named})" if named else ""),
        *(["_This answer is not finished: what it uses is still being counted._"] if running else []),
    ]
    return modal("Receipt", "receipt", {}, [section(line) for line in lines])


def costs(ticket_id: str, title: str, listed: Sequence[Used], more: int, prices: Mapping[str, Price]) -> Shown:
    """What a ticket's sessions have used, those that used most first; `more` are left out of the list, not the sum."""
    everything = tuple(used for one in listed for used in one.spending)
    head = f"🧾 *{cut(ticket_id, 40)}* {cut(title, 150)}: what its sessions have used"
    lines = [f"*All of them:* {_turns(sum(one.turns for one in listed))} · {_sums(everything, prices)}"]
    lines += [
        f"• {linked(one.title, one.address)}: {_turns(one.turns)} · {_sums(one.spending, prices)}"
        for one in listed[: len(listed) - more]
    ]
    if more:
        lines.append(f"… and {more:,} more that used less")
    if unpriced := _unpriced(everything, prices):
        lines.append(f"_The settings have no price for {unpriced}._")
    text = "\n".join([head, *lines])
    return Shown(text, _sections([head, *lines]))


def changed_notice(ticket_id: str, news: News, who: Sequence[str]) -> Shown:
    """The quiet line on what others made of the linked ticket since the last turn; `who` by name."""
    said = [_change(name, news.before.get(name), value) for name, value in news.after.items()]
    if not said:
        said = list(dict.fromkeys(cut(one.action.replace("_", " "), 40) for one in news.entries))
    kept = said[:MOST_CHANGES] + ([f"{len(said) - MOST_CHANGES} more"] if len(said) > MOST_CHANGES else [])
    by = f"by {', '.join(cut(name, 60) for name in who)}" if who else "in its file, by hand"
    return notice(f"🔄 *{cut(ticket_id, 40)}* changed since: {', '.join(kept)} ({by})")


def _change(name: str, was: Value, now: Value) -> str:
    if name in ("description", "subtasks"):
        return name
    words = {"epicId": "epic", "parentId": "parent", "blockedBy": "blockers", "relatesTo": "related tickets"}
    return f"{words.get(name, cut(name, 40))} {_value(was)} → {_value(now)}"


def _value(value: Value) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"“{cut(text, 60)}”" if " " in text else cut(text, 60) or "none"


def _ticket(had: Context | None) -> str:
    if had is None or not had.ticket_id:
        return "none was linked"
    about = had.about
    if "revision" not in about:
        return f"{cut(had.ticket_id, 40)}, which could not be read"
    parts = [f"{cut(had.ticket_id, 40)}, revision `{cut(str(about['revision']), 20)}`"]
    for name, words in (("criteria", "criteria ticked"), ("subtasks", "subtasks completed")):
        count = about.get(name)
        if isinstance(count, list) and len(count) == 2 and count[1]:
            parts.append(f"{count[0]} of {count[1]} {words}")
    for name, words in (("related", "related"), ("blockers", "blocked by")):
        ids = about.get(name)
        if isinstance(ids, list) and ids:
            parts.append(f"{words}: {', '.join(cut(str(one), 20) for one in ids[:MOST_NAMED])}")
    if about.get("epic"):
        parts.append(f"epic {cut(str(about['epic']), 20)}")
    if about.get("changed"):
        parts.append("told what others had changed")
    return " · ".join(parts)


def _tokens(spending: Spending, prices: Mapping[str, Price]) -> list[str]:
    if not spending:
        return ["*Tokens:* none were counted"]
    models = ", ".join(cut(used.model, 60) for used in spending)
    unpriced = _unpriced(spending, prices)
    dollars, _ = total(prices, spending)
    cost = "" if dollars is None else _dollars(dollars)
    if unpriced:
        cost = f"{cost} without {unpriced}, for which" if cost else f"unknown: for {unpriced}"
        cost += " the settings have no price"
    return [f"*Tokens:* {_counted(spending)}", f"*Cost:* {cost}", f"*Model:* {models}"]


def _turns(count: int) -> str:
    return "1 turn" if count == 1 else f"{count:,} turns"


def _sums(spending: Spending, prices: Mapping[str, Price]) -> str:
    dollars, whole = total(prices, spending)
    cost = "" if dollars is None else f" · {'' if whole else 'at least '}{_dollars(dollars)}"
    return _counted(spending) + cost


def _counted(spending: Spending) -> str:
    given, cached = sum(used.given for used in spending), sum(used.cache_read for used in spending)
    share = f" ({cached * 100 // given} % from the cache)" if given else ""
    return f"{given:,} in{share}, {sum(used.output for used in spending):,} out"


def _unpriced(spending: Spending, prices: Mapping[str, Price]) -> str:
    names = dict.fromkeys(cut(used.model, 60) for used in spending if cost_of(prices, used) is None)
    return ", ".join(names)


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"


def _sections(lines: Sequence[str]) -> list[Block]:
    """The lines in sections of at most 3,000 characters."""
    blocks: list[Block] = []
    text = ""
    for line in lines:
        if text and len(text) + len(line) > 2_900:
            blocks.append(section(text))
            text = ""
        text = f"{text}\n{line}" if text else line
    return [*blocks, section(text)]
