"""What a model sends to a tool, looked at before the tool is: each refusal says what is wrong and what to send."""

import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError

LONG_TEXTS = frozenset({"description", "comment", "message", "reason", "content"})
LONGEST_TEXT, LONGEST_LINE, MOST_ITEMS = 200_000, 1_000, 200
_UNFIT = re.compile("[\0\ud800-\udfff]")


def refusal(tool: str, arguments: Mapping[str, object], known: Sequence[str]) -> str | None:
    """Why these arguments cannot be taken, None when they can: unknown names, too much, or what no file can keep."""
    unknown = [name for name in arguments if name not in known]
    if unknown:
        takes = ", ".join(known) or "nothing"
        return f"{tool} has no parameter {', '.join(map(_quoted, unknown[:5]))}. It takes: {takes}."
    return next((wrong for name, value in arguments.items() for wrong in _wrong(name, value)), None)


def wrong_types(tool: str, error: ValidationError) -> str:
    """What pydantic has to say, in a sentence: which parameters are missing or of another type."""
    parts = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:5]:
        name = str(one["loc"][0]) if one["loc"] else "arguments"
        place = f"{name}[{one['loc'][1]}]" if len(one["loc"]) > 1 else name
        missing = one["type"] == "missing"
        parts.append(f"{place} is missing" if missing else f"{place}: {one['msg'][:1].lower()}{one['msg'][1:]}")
    return f"{tool} was called wrongly: {'; '.join(parts)}."


def fit(text: str) -> bool:
    """Whether every place can keep the text: no NUL, no half characters (lone surrogates)."""
    return _UNFIT.search(text) is None


def _wrong(name: str, value: object) -> Iterator[str]:
    if isinstance(value, str):
        longest = LONGEST_TEXT if name in LONG_TEXTS else LONGEST_LINE
        if found := _UNFIT.search(value):
            what = "a NUL character" if found[0] == "\0" else "half a character (a lone surrogate)"
            yield f"{name} holds {what} at position {found.start()}, which no file can keep. Send it without."
        if len(value) > longest:
            yield f"{name} has {len(value):,} characters; at most {longest:,} are taken. Send it shorter."
    elif isinstance(value, list):
        if len(value) > MOST_ITEMS:
            yield f"{name} has {len(value):,} entries; at most {MOST_ITEMS} are taken."
        yield from (wrong for item in value[:MOST_ITEMS] for wrong in _wrong(name, item))


def _quoted(name: str) -> str:
    return f"“{_UNFIT.sub('?', name)[:40]}”"
