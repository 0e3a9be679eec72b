"""How many tokens the data have, and what the length limit cuts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..assembly import coverage_line
from ..printing import many
from ..records import Example, Features
from ..tasks.base import Task
from ..text.tokenization import Tokenizer, chunks
from .findings import SHOWN, Finding

CHUNK = 4096
"""Examples whose tokens are in memory at once."""


@dataclass
class Tally:
    """What is counted of a split, chunk by chunk.

    Attributes:
        lengths: Tokens of each example, before any cut.
        truncated: Number of examples that lose tokens.
        places: The first of them.
        truncated_tokens: Number of tokens that they lose.
        coverage: Gold items by the reason why they can't be predicted.
    """

    lengths: list[int] = field(default_factory=list)
    truncated: int = 0
    places: list[str] = field(default_factory=list)
    truncated_tokens: int = 0
    coverage: Counter[str] = field(default_factory=Counter)

    def add(self, example: Example, one: Features, *, task: Task) -> None:
        """Count an example."""
        self.lengths.append(length(one))
        if one.truncated_tokens:
            self.truncated, self.truncated_tokens = self.truncated + 1, self.truncated_tokens + one.truncated_tokens
            if len(self.places) < SHOWN:
                self.places.append(example.place)
        self.coverage.update(task.coverage(example, one.windows))


def length(one: Features) -> int:
    """Number of tokens of an example as one sequence, whatever its windows share and lose."""
    first = one.windows[0]
    moving = first.segments.max()  # the second text of a pair is windowed, or else the text
    rest = len(first) - int((first.segments == moving).sum())
    return rest + sum(window.core[1] - window.core[0] for window in one.windows) + one.truncated_tokens


def length_findings(
    task: Task,
    examples: Sequence[Example],
    *,
    tokenizer: Tokenizer,
    name: str,
    features: Iterable[Features] | None = None,
) -> list[Finding]:
    """Findings about the tokens of a split, in memory that grows by a number an example.

    Args:
        task: Fitted.
        examples: The split.
        tokenizer: Tokenizer of the model.
        name: Name of the split.
        features: Those of the examples, in their order, where they are known.
    """
    tally = Tally()
    if features is None:
        features = encoded(task, examples, tokenizer=tokenizer)
    for example, one in zip(examples, features, strict=True):
        tally.add(example, one, task=task)
    middle, high, top = (int(value) for value in np.quantile(tally.lengths, [0.5, 0.95, 1.0]))
    message = f"{name}: {many(len(examples), 'example')} of {middle} tokens (median), {high} (95 %), {top} at most"
    found = [Finding("note", "lengths", message)]
    if tally.truncated:
        message = (
            f"{name}: {many(tally.truncated, 'text')} ({tally.truncated / len(examples):.1%}) longer than "
            f"{tokenizer.max_length} tokens, {tally.truncated_tokens:,} tokens lost; --long windows keeps them"
        )
        found.append(Finding("warning", "truncated", message, tally.truncated, tuple(tally.places)))
    if tally.coverage:
        message = f"{name}: {coverage_line(task, tally.coverage)}"
        missing = tally.coverage.total() - tally.coverage[""]
        found.append(Finding("warning" if missing else "note", "coverage", message, missing))
    return found


def encoded(task: Task, examples: Sequence[Example], *, tokenizer: Tokenizer) -> Iterator[Features]:
    """The features of examples, of which `CHUNK` are in memory at once."""
    return (
        one for chunk in chunks(examples, CHUNK) for one in tokenizer.encode(task.presented(chunk), slides=task.slides)
    )
