"""Texts without labels: read as a task reads its data, and cut into windows that together hold every token once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from pydantic import Field

from ..assembly import EncodedDataset, to_dataset
from ..errors import ConfigError
from ..metrics.kinds import Metric, Proportion, Smooth, Table, ratio
from ..records import Example, Features, Prediction, Row, ScoreRow, Window
from ..tasks import settings
from ..tasks.base import Array, HeadSpec, Task
from ..tasks.inputs import named, present, read_text, text_columns
from ..tasks.tagging import TOKEN_NAMES, word_column
from ..tasks.written import unwritten
from ..text.tokenization import CHUNK, Tokenizer, Tokens, chunks
from ..work import Work

if TYPE_CHECKING:
    import torch

IGNORED = -100
"""The target of a token that is not to be predicted, as in torch's cross-entropy."""


class Options(settings.Options):
    """The columns of the texts."""

    roles: ClassVar[tuple[str, ...]] = ("text", "pair")
    text: str | None = Field(None, description="column of the text; well-known names are recognised")
    pair: str | None = Field(None, description="column of the second text, for pairs")


class Corpus(Task):
    """Texts whose tokens are predicted: what readers, checks, hold-out and scores ask of a task, without labels.

    Labels of labelled data are not looked at. A list of words is a text, its words between blanks.
    """

    name = "masked language"
    summary = "tokens that are hidden in texts"
    Options = Options
    level = "token"
    samples = ()
    broken = ()

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Mean cross-entropy of the hidden tokens in nats, its exponential, and the share of those that are right."""
        return {
            "loss": Smooth(mean_loss, "error"),
            "perplexity": Smooth(lambda table: math.exp(min(mean_loss(table), 700.0)), "error"),
            "accuracy": Proportion(lambda table: (table["right"], table["hidden"])),
        }

    @property
    def head(self) -> HeadSpec:
        """The family's own; its width is that of the vocabulary, which the model knows."""
        return HeadSpec("AutoModelForMaskedLM", 0)

    def columns(self, names: Sequence[str], *, rows: Sequence[Row] = (), labelled: bool = True) -> Self:
        """The columns of the texts or, where none is named and there are words, that of the words."""
        options = self.options
        if options.text is None and options.pair is None:
            numbered = [name for name in names if name.isdecimal()]
            words = [*named(TOKEN_NAMES, names), *([word_column(numbered, rows)] if numbered else [])]
            lists = not rows or any(isinstance(unwritten(row.values.get(words[0])), list) for row in rows if words)
            if words and lists:
                return self.with_options(text=words[0])
        if options.text is not None and options.pair is None:
            return self.with_options(text=present("text", options.text, names))
        text, pair = text_columns(options.text, options.pair, names, rows=rows)
        return self.with_options(text=text, pair=pair)

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        """A text, or a pair of texts."""
        columns = [column for column in (self.options.text, self.options.pair) if column is not None]
        text, *pair = (read_text(as_text(row, column), column, labelled=True) for column in columns)
        return Example(text, pair[0] if pair else None, place=row.place)

    def fit(self, examples: Sequence[Example]) -> Self:
        """There is nothing to fit."""
        return self

    def encode_target(self, example: Example, window: Window) -> Array:
        """Each token itself; special ones are not to be predicted. [n]"""
        return np.where(window.segments < 0, IGNORED, window.ids)

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Summed cross-entropy in nats and number of the tokens that are to be predicted."""
        from torch.nn.functional import cross_entropy

        known = targets != IGNORED
        return cross_entropy(logits.float(), targets.long(), ignore_index=IGNORED, reduction="sum"), known.sum()

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        """The likeliest token at each place of each window."""
        return {"tokens": [rows.argmax(axis=1).tolist() for rows in logits]}

    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        """What was measured of a text: its loss, and how many of its hidden tokens are right."""
        return {name: prediction[name] for name in ("nats", "hidden", "right")}


def mean_loss(table: Table) -> float:
    """Mean cross-entropy of the hidden tokens, in nats."""
    return ratio(float(table["nats"].sum()), float(table["hidden"].sum()), math.nan)


def as_text(row: Row, column: str) -> Row:
    """A row whose column holds a text where it held a list of words."""
    value = unwritten(row.values.get(column))
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return Row({column: " ".join(value)}, row.place, row.raw)
    return row


def distinct(examples: Iterable[Example]) -> list[Example]:
    """Each text (or pair) once, in the order in which they first appear."""
    first: dict[tuple[str, str | None], Example] = {}
    for example in examples:
        first.setdefault((example.text, example.pair), example)
    return [*first.values()]


def cut_gradually(tokenizer: Tokenizer, examples: Sequence[Example]) -> Work[EncodedDataset]:
    """The windows of texts, some texts at a time. Together they hold each token once.

    A text is one window or, where it is too long, several of nearly equal length. A pair is one window or, where it
    does not fit, those of its two texts.
    """
    features: list[Features] = []
    for chunk in chunks(examples, CHUNK):
        firsts = tokenizer.tokens([example.text for example in chunk])
        seconds = tokenizer.tokens([example.pair or "" for example in chunk])
        features += [Features(tuple(windows_of(tokenizer, *pair))) for pair in zip(firsts, seconds, strict=True)]
        yield len(features) / len(examples)
    return to_dataset(examples, features)


def windows_of(tokenizer: Tokenizer, text: Tokens, pair: Tokens) -> list[Window]:
    """The windows of a text or, where the second one has tokens, of a pair."""
    if len(text) and len(pair) and len(text) + len(pair) + tokenizer.double.size <= tokenizer.max_length:
        return [tokenizer.window(text, pair)]
    return [*cut(tokenizer, text, 0), *cut(tokenizer, pair, 1)]


def cut(tokenizer: Tokenizer, tokens: Tokens, segment: int) -> list[Window]:
    """A text as windows of nearly equal length, none where it has no tokens.

    Args:
        tokenizer: Tokenizer of the model.
        tokens: All tokens of the text.
        segment: Whose spans they have: 0 for a text, 1 for the second text of a pair.
    """
    room = tokenizer.max_length - tokenizer.single.size
    number = math.ceil(len(tokens) / room)
    edges = [i * len(tokens) // number for i in range(number + 1)] if number else []
    windows = [tokenizer.window(tokens.part(start, end), None) for start, end in pairwise(edges)]
    for window in windows:
        window.segments[window.segments == 0] = segment
    return windows


def frequencies(data: EncodedDataset, rows: int) -> Array:
    """Share of each token of the vocabulary in some texts, each counted once more than it occurs. [rows]"""
    ids = np.concatenate([window.ids[window.segments >= 0] for window in data.windows])
    counts = np.bincount(ids, minlength=rows) + 1.0
    shares: Array = counts / counts.sum()
    return shares


def check_texts(name: str, data: EncodedDataset) -> None:
    """See that there is something to predict.

    Raises:
        ConfigError: no text has a token.
    """
    if not data.windows:
        raise ConfigError(f"{name} data: no text has a token that the model's tokenizer knows")
