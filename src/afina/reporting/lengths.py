"""What the tokenizer made of the texts: their lengths, what was cut off, and what the vocabulary lacks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .blocks import Block, Cell, Chart, Grid, Prose
from .figures import Bars, bars
from .overview import NOT_KNOWN, Overview
from .phrases import Words
from .source import Source

BINS = 8


def lengths(source: Source, overview: Overview, words: Words) -> Sequence[Block]:
    """Lengths of the texts, truncated and unknown tokens."""
    numbers, evaluation = words.numbers, source.evaluation()
    size, cut = len(overview), int(evaluation["truncated"] or 0)
    lost = int(evaluation["truncated_tokens"] or 0)
    limit = source.config.model.max_length
    said = words.html("lengths.cut" if cut else "lengths.whole", **{
        "count": numbers.whole(cut), "size": numbers.whole(size), "tokens": numbers.whole(lost),
        "limit": numbers.whole(limit) if limit else "?",
    })  # fmt: skip
    blocks: list[Block] = [Prose(said, "warning" if cut > size / 20 else "")]
    unknown = np.frombuffer(overview.unknown, np.int64)
    tokens = np.frombuffer(overview.tokens, np.int64)
    if not size or (tokens == NOT_KNOWN).any():
        return blocks
    total, lacks = int(tokens.sum()), int(unknown.sum())
    share = words.numbers.percent(lacks / max(1, total), 2)
    texts = numbers.whole(int((unknown > 0).sum()))
    blocks.append(Prose(words.html("lengths.unknown", count=numbers.whole(lacks), share=share, texts=texts)))
    return [*blocks, histogram(tokens, words)]


def histogram(tokens: np.ndarray, words: Words) -> Chart:
    """Numbers of texts by their number of tokens, in ranges of equal width."""
    low, high = int(tokens.min()), int(tokens.max())
    width = max(1, -(-(high - low + 1) // BINS))
    starts = list(range(low, high + 1, width))
    counts = np.bincount((tokens - low) // width, minlength=len(starts)).tolist()
    names = [f"{start}" if width == 1 else f"{start} – {start + width - 1}" for start in starts]
    title, x, y = words("lengths.title"), words("lengths.tokens"), words("lengths.texts")
    rows: list[list[Cell]] = [[name, count] for name, count in zip(names, counts, strict=True)]
    figure = Bars(title, y, names, counts, whole=True)
    return Chart(title, bars(figure, words.numbers), Grid([x, y], rows, "lengths.csv"))
