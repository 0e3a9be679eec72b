"""Sentences a line, each word with its tags behind a sign: `word_TAG` (Mac-Morpho), `word/TAG` (Brown), `word|POS|NER`.

A row has the columns `1` (the words), `2` and so on (their tags), each a list with one entry a word. A word may hold
the sign itself where there is one tag: it is cut at the last one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ..errors import Problem, printable
from ..printing import many
from ..records import Row
from .column_layouts import BLANKS
from .formats import Reader
from .lines import Item, ReadOptions, codec_of, head_of, lines_of

SIGNS = ("_", "/", "|")
"""What may stand between a word and its tags; between bars there may be several tags."""
SURE = 0.98
"""Share of the words that must have the same number of tags where a file is recognised."""
ENOUGH = 8
"""Words from which a file is recognised."""
REPEATS = 2
"""Words that a tag has on the average, or more."""
LONGEST = 20
"""Characters of the longest tag."""


def read_tagged(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The sentences of a file; empty lines are none, and a sentence with a word without tags is a problem."""
    words = words_in(head_of(name, file, options.encoding))
    file.seek(0)
    sign = options.delimiter or max(SIGNS, key=lambda sign: share(words, sign))
    width = Counter(len(pieces(word, sign)) for word in words).most_common(1)[0][0] if words else 2
    width = max(2, width)
    options.note(f"{name}: words and tags are cut at {'the last ' if sign != '|' else ''}{sign!r} of a word")
    for line in lines_of(name, file, codec_of(name, file, options.encoding)):
        place = f"{name}:{line.number}"
        table = [(word, pieces(word, sign)) for word in words_in([line.text])]
        odd = next((word for word, parts in table if len(parts) != width or "" in parts), None)
        if line.fault:
            yield line.fault.at(place, line.raw)
        elif odd is not None:
            message = f"expected a word with {many(width - 1, 'tag')} behind {sign!r}, found {printable(odd)}"
            yield Problem(place, message, "write its tag behind it", "no-tag", line.raw)
        elif table:
            columns = zip(*(parts for _, parts in table), strict=True)
            yield Row({str(i): list(column) for i, column in enumerate(columns, 1)}, place, line.raw)


def words_in(lines: Sequence[str]) -> list[str]:
    """The words of lines with their tags."""
    return [word for line in lines for word in BLANKS.split(line.strip("\r\n")) if word]


def pieces(word: str, sign: str) -> list[str]:
    """A word and its tags."""
    return word.split(sign) if sign == "|" and word.count(sign) > 1 else word.rsplit(sign, 1)


def share(words: Sequence[str], sign: str) -> float:
    """The share of the words that have as many tags as most, one or more."""
    widths = Counter(len(parts) for word in words if "" not in (parts := pieces(word, sign)) and len(parts) > 1)
    return max(widths.values(), default=0) / max(1, len(words))


def looks_tagged(head: Sequence[str]) -> bool:
    """Whether nearly all words of lines have tags behind the same sign: short and few, and no numbers."""
    words = words_in(head)
    sign = next((sign for sign in SIGNS if share(words, sign) >= SURE), None)
    lines = [line for line in head if line.strip()]
    if sign is None or len(words) < max(ENOUGH, 2 * len(lines)):
        return False
    table = [parts for word in words if len(parts := pieces(word, sign)) > 1]
    tags = Counter(tag for _, *tags in table for tag in tags)
    return (
        REPEATS * len(tags) <= tags.total()
        and len({word for word, *_ in table}) >= len({tag for _, tag, *_ in table})
        and max(map(len, tags)) <= LONGEST
        and 2 * sum(count for tag, count in tags.items() if any(map(str.isalpha, tag))) > tags.total()
        and 2 * sum(any(map(str.isalpha, word)) for word, *_ in table) > len(table)
    )


READER = Reader(
    "tagged",
    (),
    read_tagged,
    summary="a sentence a line, each word with its tag behind _, / or |",
    sniff=looks_tagged,
    specificity=2,
    named_columns=True,
)
