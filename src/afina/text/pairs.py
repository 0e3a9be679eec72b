"""What a model reads of a pair of texts: both, or less than that, which shows what it learns from the pair as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from ..records import Example

PairAs = Literal["both", "first", "second", "swapped", "joined"]
"""What a model reads of a pair of texts."""
WAYS: dict[PairAs, Callable[[str, str], tuple[str, str | None]]] = {
    "both": lambda text, pair: (text, pair),
    "first": lambda text, pair: (text, None),
    "second": lambda text, pair: (pair, None),
    "swapped": lambda text, pair: (pair, text),
    "joined": lambda text, pair: (f"{text} {pair}", None),
}
"""From the texts of a pair to those that are read. A model that reads one text alone learns no more than what gives a
label away there (Gururangan et al. 2018); joined texts have no separator between them and one token type."""


def presented(example: Example, how: PairAs) -> Example:
    """An example with the texts that are read of it. One without a second text is left as it is."""
    if example.pair is None:
        return example
    text, pair = WAYS[how](example.text, example.pair)
    return replace(example, text=text, pair=pair)
