"""Stretches of a text: characters, words, the tokens that belong to them, and the units of offsets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""Unicode's categories of control and format characters (zero widths, soft hyphens) and of blanks."""
OTHER_UNITS = {"utf16": "UTF-16 units", "bytes": "UTF-8 bytes"}
"""Units of offsets other than characters: JavaScript and Java count the first, Go, Rust and C the second."""
JOINED_LINE_ENDS = "lines"
"""Characters where the two of a Windows line end count as one, as in a text that was read in Python's text mode."""
WORD = re.compile(r"\w+|[^\w\s]")


class Span(NamedTuple):
    """A stretch [start, end) of words or characters with its label."""

    start: int
    end: int
    label: str


def blank(text: str) -> bool:
    """Whether a text shows nothing: it is empty, or made of blanks, control and zero-width characters only."""
    return all(unicodedata.category(character) in INVISIBLE for character in text)


def segmented(text: str) -> tuple[tuple[int, int], ...]:
    """The words of a plain text, for a model that was trained on words: runs of letters and digits, single signs."""
    return tuple(match.span() for match in WORD.finditer(text))


def positions(text: str, unit: str) -> Callable[[int], int]:
    """A function from offsets in that unit to characters; ValueError inside a character."""
    if unit == JOINED_LINE_ENDS and "\r\n" in text:
        places = [i for i in range(len(text) + 1) if text[i - 1 : i + 1] != "\r\n"]
        return lambda offset: places[offset] if 0 <= offset < len(places) else len(text) + 1
    if unit not in OTHER_UNITS or text.isascii():
        return lambda offset: offset
    encoding, size = ("utf-16-le", 2) if unit == "utf16" else ("utf-8", 1)
    starts, at = {}, 0
    for i, character in enumerate(text):
        starts[at] = i
        at += len(character.encode(encoding)) // size
    starts[at] = len(text)

    def find(offset: int) -> int:
        if offset not in starts and offset <= at:
            raise ValueError(f"offset {offset} lies inside a character")
        return starts.get(offset, len(text) + 1)

    return find


def cuts_word(text: str, at: int) -> bool:
    """Whether a place lies between two letters or digits."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def cut_by(text: str, span: Span) -> str:
    """What a span cuts, in a word, or nothing: a character with its accents, or a word of a script that has blanks."""
    for at in (span.start, span.end):
        if not 0 < at < len(text):
            continue
        before, after = text[at - 1], text[at]
        if unicodedata.category(after).startswith("M") or "\u200d" in (before, after):
            return "character"
        if (before.isdecimal() and after.isdecimal()) or (cased(before) and cased(after)):
            return "word"
    return ""


def cased(character: str) -> bool:
    """Whether a letter is of a script with capitals, and so stands in a word with blanks around it."""
    return character.lower() != character.upper()


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Spans of which none overlaps another: of two the longer stays, of equal ones the first."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start - one.end, one)):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept)


def owners(stretches: Sequence[tuple[int, int] | Span], spans: Array) -> Array:
    """For each token the stretch (word or entity, none overlapping) that it touches first, -1 for none. [n]

    A token without characters (a special one, or a lone blank) belongs to none.
    """
    if not stretches:
        return np.full(len(spans), -1, np.int64)
    starts = np.array([stretch[0] for stretch in stretches])
    ends = np.array([stretch[1] for stretch in stretches])
    first = np.searchsorted(ends, spans[:, 0], side="right")  # the first stretch that ends after the token begins
    clipped = np.minimum(first, len(stretches) - 1)
    touches = (first < len(stretches)) & (starts[clipped] < spans[:, 1]) & (spans[:, 1] > spans[:, 0])
    return np.where(touches, clipped, -1)


def opens(owner: Array) -> Array:
    """Whether a token is the first of its owner: the last token with an owner before it had another. [n]"""
    owned = np.flatnonzero(owner >= 0)
    first = np.zeros(len(owner), bool)
    first[owned] = np.concatenate([[True], owner[owned][1:] != owner[owned][:-1]]) if len(owned) else False
    return first
