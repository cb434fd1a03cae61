"""What somebody looks for, read from what was typed; how well a text answers it, and which line of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.sessions.searching.terms import is_unspaced, terms

MOST_PHRASES = 12
MOST_IN_PHRASE = 30
SHORTEST_PREFIX = 3  # letters; "ui" is looked for as it is, or everything that begins so would be found
BEGINNINGS = (3, 4)  # letters: beginnings that indexes hold as such
QUOTED = re.compile('["“”„«»]([^"“”„«»]*)["“”„«»]')
LONGEST_LINE = 200


@dataclass(frozen=True)
class Wanted:
    """What is looked for: phrases that must all be there, each a row of terms; most are of one term.

    `prefix`: the last term counts also as the beginning of a word.
    """

    phrases: tuple[tuple[str, ...], ...]
    prefix: bool = False

    def __bool__(self) -> bool:
        return bool(self.phrases)


def wanted_in(text: str) -> Wanted:
    """What a person typed: words, all of them wanted; "words in quotes" in this order; nothing of it is syntax."""
    phrases: list[tuple[str, ...]] = []
    end = 0
    for quoted in QUOTED.finditer(text):
        phrases += _single(text[end : quoted.start()])
        phrases.append(tuple(term.text for term in terms(quoted[1])))
        end = quoted.end()
    phrases += _single(text[end:])
    found = list(dict.fromkeys(phrase[:MOST_IN_PHRASE] for phrase in phrases if phrase))[:MOST_PHRASES]
    last = found[-1][-1] if found else ""
    open_end = (
        bool(found) and found[-1] == (phrases[-1] if phrases else ()) and not text.rstrip().endswith(tuple('"“”»'))
    )
    return Wanted(tuple(found), open_end and len(last) >= SHORTEST_PREFIX and not is_unspaced(last))


def _single(text: str) -> list[tuple[str, ...]]:
    """The words of a text, each a phrase: of one term, or of characters in a row."""
    phrases: dict[tuple[int, int], list[str]] = {}
    for term in terms(text):
        phrases.setdefault((term.start, term.end), []).append(term.text)
    return [tuple(phrase) for phrase in phrases.values()]


def for_sqlite(wanted: Wanted) -> str:
    """As FTS5 asks for it: each phrase in quotes, so that no word is an operator."""
    quoted = [f'"{" ".join(phrase)}"' for phrase in wanted.phrases]
    return " AND ".join(quoted) + (" *" if wanted.prefix else "")


def for_postgresql(wanted: Wanted) -> str:
    """As a tsquery on the vectors of words; a term has neither quotes nor backslashes."""
    return _tsquery(wanted, " <-> ", lambda last: f"'{last}':*")


def for_index_of_postgresql(wanted: Wanted) -> str:
    """As the index (migration 0011) is asked: the words of a phrase may stand anywhere; short beginnings are in it."""
    return _tsquery(wanted, " & ", lambda last: f"'^{last}'" if len(last) in BEGINNINGS else f"'{last}':*")


def _tsquery(wanted: Wanted, then: str, begun: Callable[[str], str]) -> str:
    phrases = [[f"'{term}'" for term in phrase] for phrase in wanted.phrases]
    if wanted.prefix:
        phrases[-1][-1] = begun(wanted.phrases[-1][-1])
    return " & ".join(f"({then.join(phrase)})" for phrase in phrases)


def scorer(wanted: Wanted) -> Callable[[str], float]:
    """How well a text (its terms, a space between) answers: often, whole words, in a row, in few words; 0 to about 2.

    Both databases are asked this, not their own ranking: the same order everywhere, and work that the number of hits
    does not change.
    """
    plain = [" ".join(phrase) for phrase in wanted.phrases]
    begun = f" {plain.pop()}" if wanted.prefix else None
    whole = [f" {phrase} " for phrase in plain]
    in_a_row = f" {' '.join(' '.join(phrase) for phrase in wanted.phrases)}" if len(wanted.phrases) > 1 else None
    share = 1.0 / len(wanted.phrases)

    def score(words: str) -> float:
        padded = f" {words} "
        total = 0.0
        for phrase in whole:
            count = padded.count(phrase)
            total += count / (count + 1)
        if begun:
            # As the beginning of another word it counts half.
            times = (padded.count(begun) + padded.count(f"{begun} ")) / 2
            total += times / (times + 1)
        total *= share
        if in_a_row and in_a_row in padded:
            total += 1.0
        return total / (1.0 + len(padded) / 2_000)

    return score


def matching_line(wanted: Wanted, text: str) -> str:
    """The line of the text that holds most of what is wanted, cut around the first place where it does."""
    best, most, at = "", -1, 0
    for line in text.splitlines():
        found = _hits(wanted, line)
        if len(found) > most and line.strip():
            best, most, at = line, len(found), min(found.values(), default=0)
    return _around(best, at)


def _hits(wanted: Wanted, line: str) -> dict[str, int]:
    """Which of the terms stand in the line, and where first."""
    asked = {term for phrase in wanted.phrases for term in phrase}
    begun = wanted.phrases[-1][-1] if wanted.prefix else None
    found: dict[str, int] = {}
    for term in terms(line):
        if term.text in asked:
            found.setdefault(term.text, term.start)
        elif begun and term.text.startswith(begun):
            found.setdefault(begun, term.start)
    return found


def _around(line: str, at: int) -> str:
    """A piece of a long line, from a word's beginning to a word's end."""
    if len(line) <= LONGEST_LINE:
        return line.strip()
    start = 0 if at < LONGEST_LINE * 2 // 3 else at - LONGEST_LINE // 3
    if start and (space := line.find(" ", start, at)) > 0:
        start = space + 1
    piece = line[start : start + LONGEST_LINE]
    if start + LONGEST_LINE < len(line) and (space := piece.rfind(" ")) > LONGEST_LINE // 2:
        piece = piece[:space]
    return ("…" if start else "") + piece.strip() + ("…" if start + len(piece) < len(line) else "")
