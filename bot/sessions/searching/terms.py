"""What counts as a word when something is looked for: one answer for what is kept, what is asked, and both databases.

A text becomes terms of letters and digits alone, folded (case, accents, widths), so that neither database has anything
left to take apart. Where a script has no spaces (Chinese, Japanese, Thai, …) each character is a term, and a word of
them is looked for as characters in a row; so is an emoji.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_TERM = 60
# Of one text: PostgreSQL counts no positions above 16,383, and takes no more than a megabyte.
MOST_TERMS = 12_000
LONGEST_WORDS = 100_000
# Marks that belong to the letter before them, which `\w` leaves out: accents, points, the vowel signs of India.
MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u0900-\u0903\u093a-\u094f\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u0a01-\u0a4d\u0a81-\u0acd\u0b01-\u0b57"
    "\u0b82-\u0bd7\u0c00-\u0c56\u0c81-\u0cd6\u0d00-\u0d57\u200c\u200d"
)
# Chinese, Japanese, Thai, Lao, Burmese, Khmer: written without spaces.
UNSPACED = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
EMOJI = "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
RUN = re.compile(rf"(?:[^\W_][{MARKS}]*)+|[{EMOJI}]")
# Lost in folding: accents and points, joiners, the sign that asks for an emoji's colours.
LOST = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u200c\u200d\ufe0f]")
PIECE = re.compile(rf"[{UNSPACED}]|[^{UNSPACED}]+")
KEPT = re.compile(rf"[^\W_]|[{MARKS}{EMOJI}{UNSPACED}]")
SLACK_MARK = re.compile(r"<[@!][^<>]*>|&(?:amp|lt|gt);")  # people, groups and dates; Slack's three escapes


@dataclass(frozen=True)
class Term:
    """A term, and where in the text the run of letters stands that it comes from."""

    text: str
    start: int
    end: int


def terms(text: str) -> Iterator[Term]:
    """The terms of a text in order; what Slack writes for people and groups is none."""
    blanked = SLACK_MARK.sub(lambda mark: " " * len(mark[0]), text)
    for run in RUN.finditer(blanked):
        start, end = run.span()
        for piece in pieces(run[0]):
            yield Term(piece, start, end)


def pieces(run: str) -> list[str]:
    """The terms that one run of letters gives: one, or a character each where a script has no spaces."""
    if run.isascii():
        return [run.lower()[:LONGEST_TERM]]
    found = PIECE.findall(folded(run))
    return [piece[:LONGEST_TERM] for piece in found]


def folded(run: str) -> str:
    """Letters and digits in the one form in which they are compared."""
    apart = LOST.sub("", unicodedata.normalize("NFKD", run.casefold()))
    return "".join(KEPT.findall(unicodedata.normalize("NFC", apart).casefold()))


def is_unspaced(term: str) -> bool:
    """Whether the term is a character of a script without spaces, or an emoji."""
    return re.fullmatch(rf"[{UNSPACED}{EMOJI}]", term) is not None


def words_of(text: str) -> str:
    """A text as it is kept to be found: its terms, a space between them."""
    kept: list[str] = []
    length = 0
    for term in terms(text):
        length += len(term.text) + 1
        if len(kept) == MOST_TERMS or length > LONGEST_WORDS:
            break
        kept.append(term.text)
    return " ".join(kept)
