"""What a model's tokenizer makes of the data: lengths, cuts, unknown tokens, words in splinters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..assembly import open_tokenizer
from ..config import Config
from ..data.judge import SHOWN, Finding, many
from ..data.parts import Data
from ..records import Example, Features
from ..tasks.base import Task
from ..text.tokenization import Tokenizer, chunks

UNKNOWN_SHARE = 0.01
"""Share of unknown tokens from which a tokenizer does not know the language."""
SPLINTERS = 2.5
"""Tokens a word from which a tokenizer was made for another language."""
CHUNK = 4096
"""Examples whose tokens are in memory at once."""


@dataclass
class Tally:
    """What is counted of a part of the data, chunk by chunk.

    Attributes:
        lengths: Tokens of each example, before any cut.
        cut: Examples that lose tokens.
        places: The first of them.
        lost: Tokens they lose.
        gold: Gold items.
        held: Those that the windows can express.
        tokens: Tokens in the windows, special ones left out.
        unknown: Those of them that the tokenizer does not know.
        words: Words between blanks.
    """

    lengths: list[int] = field(default_factory=list)
    cut: int = 0
    places: list[str] = field(default_factory=list)
    lost: int = 0
    gold: int = 0
    held: int = 0
    tokens: int = 0
    unknown: int = 0
    words: int = 0

    def add(self, task: Task, unknown: int | None, example: Example, one: Features) -> None:
        """Count an example."""
        self.lengths.append(sum(len(window) for window in one.windows) + one.truncated_tokens)
        if one.truncated_tokens:
            self.cut, self.lost = self.cut + 1, self.lost + one.truncated_tokens
            if len(self.places) < SHOWN:
                self.places.append(example.place)
        gold, held = task.coverage(example, one.windows)
        self.gold, self.held = self.gold + gold, self.held + held
        for window in one.windows:
            ids = window.ids[window.segments >= 0]
            self.tokens += len(ids)
            self.unknown += 0 if unknown is None else int((ids == unknown).sum())
        self.words += len(example.text.split()) + len((example.pair or "").split())


def judge_tokens(config: Config, data: Data) -> list[Finding]:
    """Findings about the tokens that the configured model's tokenizer makes of the data; its weights are not read.

    Raises:
        InputError: the tokenizer can't be loaded.
    """
    tokenizer = open_tokenizer(config.model.name, max_length=config.model.max_length)
    return [
        finding
        for name, examples in data.parts.items()
        for finding in judge_lengths(data.task, tokenizer, name, examples)
    ]


def judge_lengths(task: Task, tokenizer: Tokenizer, name: str, examples: Sequence[Example]) -> list[Finding]:
    """Findings about the tokens of a part, in memory that grows by a number an example."""
    tally = Tally()
    for chunk in chunks(examples, CHUNK):
        for example, one in zip(chunk, tokenizer.encode(chunk, slides=task.slides), strict=True):
            tally.add(task, tokenizer.pretrained.unk_token_id, example, one)
    middle, high, top = (int(value) for value in np.quantile(tally.lengths, [0.5, 0.95, 1.0]))
    message = f"{name}: {many(len(examples), 'example')} of {middle} tokens (median), {high} (95 %), {top} at most"
    found = [Finding("note", "lengths", message)]
    if tally.cut:
        message = (
            f"{name}: {many(tally.cut, 'text')} ({tally.cut / len(examples):.1%}) longer than {tokenizer.max_length} "
            f"tokens, {tally.lost:,} tokens lost; --long windows keeps them"
        )
        found.append(Finding("warning", "cut", message, tally.cut, tuple(tally.places)))
    if tally.gold:
        message = f"{name}: {tally.held:,} of {tally.gold:,} gold {task.unit} lie whole in the windows"
        missing = tally.gold - tally.held
        found.append(Finding("warning" if missing else "note", "gold", message, missing))
    unknown = tally.unknown / max(1, tally.tokens)
    if unknown > UNKNOWN_SHARE:
        message = f"{name}: {unknown:.1%} of the tokens are unknown to the tokenizer; does it know the language?"
        found.append(Finding("warning", "unknown-tokens", message))
    splinters = tally.tokens / max(1, tally.words)
    if splinters > SPLINTERS:
        message = (
            f"{name}: {splinters:.1f} tokens a word; the tokenizer was made for another language or script, "
            "and a model for this one would learn more from the same data"
        )
        found.append(Finding("warning", "splinters", message))
    return found
