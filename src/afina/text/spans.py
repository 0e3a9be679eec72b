"""Spans of a text: words, entities, the tokens that belong to them, and the units of offsets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""Unicode categories of control characters, format characters (zero widths, soft hyphens) and blanks."""
OTHER_UNITS = {"utf16": "UTF-16 units", "bytes": "UTF-8 bytes"}
"""Units of offsets other than characters. JavaScript and Java count UTF-16 units; Go, Rust and C count bytes."""
JOINED_LINE_ENDS = "lines"
"""Unit in which a Windows line end (two characters) counts as one, as in a text read in Python's text mode."""
WORD = re.compile(r"\w+|[^\w\s]")


class Span(NamedTuple):
    """A labelled range [start, end) of words or characters."""

    start: int
    end: int
    label: str


def blank(text: str) -> bool:
    """Whether a text has no visible character: it is empty, or has only blanks, control and zero-width characters."""
    return all(unicodedata.category(character) in INVISIBLE for character in text)


def segmented(text: str) -> tuple[tuple[int, int], ...]:
    """Spans of the words of a plain text, for a model trained on words: runs of letters and digits, or single signs."""
    return tuple(match.span() for match in WORD.finditer(text))


def positions(text: str, unit: str) -> Callable[[int], int]:
    """A function from offsets in a unit to characters. It raises ValueError for an offset inside a character."""
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
    """Whether an offset lies between two letters or digits."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def cut_by(text: str, span: Span) -> str:
    """What an edge of a span cuts: `character` (with its accents), `word` (of a script with blanks), or nothing."""
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
    """Whether a letter belongs to a script with capitals, whose words are separated by blanks."""
    return character.lower() != character.upper()


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Spans without overlaps. Of two that overlap, the longer is kept; of two equally long, the first."""
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, span)):
        if all(span.end <= other.start or span.start >= other.end for other in chosen):
            chosen.append(span)
    return sorted(chosen)


def owners(stretches: Sequence[tuple[int, int] | Span], spans: Array) -> Array:
    """For each token the index of the first word or entity that it overlaps, -1 for none. [n]

    A token without characters (a special token, or a lone blank) belongs to none.

    Args:
        stretches: Words or entities in order, without overlaps.
        spans: Character spans of the tokens. [n, 2]
    """
    if not stretches:
        return np.full(len(spans), -1, np.int64)
    starts = np.array([stretch[0] for stretch in stretches])
    ends = np.array([stretch[1] for stretch in stretches])
    first = np.searchsorted(ends, spans[:, 0], side="right")  # the first that ends after the token begins
    clipped = np.minimum(first, len(stretches) - 1)
    touches = (first < len(stretches)) & (starts[clipped] < spans[:, 1]) & (spans[:, 1] > spans[:, 0])
    return np.where(touches, clipped, -1)


def opens(owner: Array) -> Array:
    """Whether each token is the first of its owner: the nearest owned token before it has another owner. [n]"""
    owned = np.flatnonzero(owner >= 0)
    first = np.zeros(len(owner), bool)
    first[owned] = np.concatenate([[True], owner[owned][1:] != owner[owned][:-1]]) if len(owned) else False
    return first
