"""How a value is spelled in YAML or JSON, so that readers of YAML 1.1 and 1.2 both read what was meant."""

import json
import re
from typing import Literal

from yaml import Node, ScalarNode
from yaml.resolver import Resolver

from bot.errors import InvalidTicket
from bot.tickets.change import Value
from bot.tickets.yaml_values import plain_value

Quotes = Literal["plain", "single", "double", "json"]

_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_INDICATOR = re.compile(r"[-?:,\[\]{}#&*!|>'\"%@`=<~.\s]|.*(?::\s|:\Z|\s#|\s\Z|\t)")
_NUMBER_LIKE = re.compile(r"[-+]?[0-9._][-+.:_0-9a-fA-FxXoOTtZz ]*")
_WORD_LIKE = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_DATE_LIKE = re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ][\d:.]+(?:[Zz]|[-+][\d:]+)?)?")
_TAGS = Resolver()


def scalar(value: str | int | float | bool | None, quotes: Quotes = "plain", *, flow: bool = False) -> str:
    """One value on one line; text keeps the quotes it had where they can hold it."""
    if not isinstance(value, str):
        return json.dumps(value)
    if quotes == "json" or quotes == "double" or "\n" in value or "\t" in value or _UNPRINTABLE.search(value):
        return _double(value)
    if quotes == "plain" and may_be_plain(value, flow=flow):
        return value
    return "'" + value.replace("'", "''") + "'"


def may_be_plain(text: str, *, flow: bool = False) -> bool:
    """Whether every reader takes the unquoted text for this text."""
    if not text or _INDICATOR.match(text) or (flow and re.search(r"[,\[\]{}]|:", text)):
        return False
    if _NUMBER_LIKE.fullmatch(text) or text.casefold() in _WORD_LIKE:
        return False
    tag: str = _TAGS.resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag == "tag:yaml.org,2002:str" and plain_value(text) == text


def in_place_of(node: Node, value: str | int | float | bool | None) -> str:
    """One value with the quotes of the one it replaces; a date stays unquoted only where one was."""
    old = (str(node.value), node.style) if isinstance(node, ScalarNode) else ("", None)
    if old[1] == '"':
        return scalar(value, "double")
    if old[1] == "'":
        return scalar(value, "single")
    if isinstance(value, str) and is_date(value):
        return value if is_date(old[0]) else scalar(value, "single")
    return scalar(value)


def is_date(text: str) -> bool:
    """Whether a text reads as a date, which stays unquoted where it was."""
    return _DATE_LIKE.fullmatch(text) is not None


def literal(text: str, *, may_end_file: bool = False) -> tuple[str, list[str]] | None:
    """A text as a block (`|`): its header, and its lines without indentation; None where it cannot be one.

    At the end of a file without a last newline (`may_end_file`) only `|-` keeps the text as it is.
    """
    ends = text.endswith("\n")
    body = text[:-1] if ends else text
    if not body or body.endswith("\n") or "\r" in text or _UNPRINTABLE.search(text) or (ends and may_end_file):
        return None
    lines = body.split("\n")
    if not lines[-1].strip(" \t") or not any(line.strip() for line in lines):
        return None
    first = next(line for line in lines if line.strip(" "))
    indicator = "2" if first.startswith((" ", "\t")) or not lines[0].strip(" ") else ""
    return f"|{indicator}{'' if ends else '-'}", lines


def flow(value: Value, quotes: Quotes = "plain") -> str:
    """A value on one line, lists and mappings in brackets; with `json`, JSON."""
    if isinstance(value, list):
        return "[" + ", ".join(flow(item, quotes) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{scalar(key, quotes, flow=True)}: {flow(item, quotes)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    return scalar(value, quotes, flow=True)


def mapping_lines(mapping: dict[str, Value], indent: int, dash: int, *, may_end_file: bool = False) -> list[str]:
    """The lines of a mapping; `dash` is how much deeper than its key a list stands (0 or 2)."""
    last = len(mapping) - 1
    lines: list[str] = []
    for number, (key, value) in enumerate(mapping.items()):
        head = " " * indent + scalar(key) + ":"
        at_end = may_end_file and number == last
        if isinstance(value, dict) and value:
            lines += [head, *mapping_lines(value, indent + 2, dash, may_end_file=at_end)]
        elif isinstance(value, list) and value:
            items = (item_lines(item, indent + dash, dash, may_end_file=at_end) for item in value)
            lines += [head, *(line for item in items for line in item)]
        else:
            lines += _leaf_lines(head, value, indent, at_end)
    return lines


def item_lines(value: Value, indent: int, dash: int, *, may_end_file: bool = False) -> list[str]:
    """The lines of one list item, its dash at `indent`."""
    if isinstance(value, dict) and value:
        lines = mapping_lines(value, indent + 2, dash, may_end_file=may_end_file)
        return [" " * indent + "- " + lines[0][indent + 2 :], *lines[1:]]
    return _leaf_lines(" " * indent + "-", value, indent, may_end_file)


def _leaf_lines(head: str, value: Value, indent: int, may_end_file: bool) -> list[str]:
    if isinstance(value, str):
        block = literal(value, may_end_file=may_end_file) if "\n" in value else None
        if block is not None:
            return [f"{head} {block[0]}", *indented(block[1], indent + 2)]
        return [f"{head} {_quoted_date(value)}"]
    return [f"{head} {flow(value)}"]


def indented(lines: list[str], indent: int) -> list[str]:
    """Lines moved to the right; empty ones stay empty."""
    return [" " * indent + line if line else line for line in lines]


def _quoted_date(text: str) -> str:
    return scalar(text, "single" if is_date(text) else "plain")


def _double(text: str) -> str:
    if _SURROGATE.search(text):
        raise InvalidTicket("The text holds half a character (a lone surrogate), which no file can keep.")
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
