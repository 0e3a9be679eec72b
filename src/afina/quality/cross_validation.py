"""Out-of-fold probabilities of labels, by a quick head on frozen states: what a label should have been.

The head is a logistic regression, far from the model that training would give.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..assembly import EncodedDataset
from ..tasks.base import Array
from ..text.spans import segmented

STRENGTH = 2.0
"""C of the logistic regression times the width, so that the logits of standardised states have this variance before any
data are seen, whatever the width. Between what suits texts (1) and words (4) in bench/labels.py; from 8 on
it learns wrong labels by heart."""
ITERATIONS = 60
"""Iterations of its solver. It need not converge: in bench/labels.py thirty find as many flipped labels as 200."""
LEARNED = 50_000
"""Examples or words that a fold's head learns from at most: a linear head is full by then. All are judged."""
PIECE = 8192
"""Examples or words that are judged at once."""


@dataclass(frozen=True, slots=True)
class Units:
    """What has a label of its own: examples, or words. N of them.

    Attributes:
        labels: Ids of the labels. [N]
        owners: The example that each belongs to. [N]
        lines: Lines [start, end) of the table of states whose mean stands for it. [N, 2]
        spans: Characters of each word in its text; None where examples are labelled. [N, 2]
    """

    labels: Array
    owners: Array
    lines: Array
    spans: Array | None = None

    def take(self, chosen: Array) -> Units:
        """Some of them."""
        spans = None if self.spans is None else self.spans[chosen]
        return Units(self.labels[chosen], self.owners[chosen], self.lines[chosen], spans)


class Table:
    """The states of all parts of the data, one part after the other; they may lie on disk, so they are read in pieces.

    Args:
        parts: One table a part. [n, d] each
    """

    def __init__(self, parts: Sequence[Array]) -> None:
        self.parts = parts
        self.width = parts[0].shape[1]
        self.starts = np.cumsum([0, *map(len, parts)])

    def rows(self, lines: Array) -> Array:
        """Some lines, in the order asked for. [M] -> [M, d]"""
        part = np.searchsorted(self.starts, lines, side="right") - 1
        found = np.empty((len(lines), self.width), np.float32)
        for i in np.unique(part):
            mine = part == i
            found[mine] = self.parts[i][lines[mine] - self.starts[i]]
        return found

    def means(self, lines: Array) -> Array:
        """The mean of each stretch [start, end) of lines. [M, 2] -> [M, d]"""
        counts = lines[:, 1] - lines[:, 0]
        starts = np.cumsum(counts) - counts
        found = self.rows(np.repeat(lines[:, 0] - starts, counts) + np.arange(counts.sum()))
        sums: Array = np.add.reduceat(found, starts, axis=0)
        return sums / counts[:, None].astype(np.float32)


def texts_of(data: EncodedDataset) -> Units:
    """Whole examples; each has one line a window."""
    return Units(np.array(data.targets), np.arange(len(data.examples)), np.array(data.owners))


def words_of(data: EncodedDataset) -> Units:
    """The words that have a tag: the tag and the line of each one's first token. A line a token, windows in order."""
    starts = np.cumsum([0, *map(len, data.windows)])
    labels, owners, lines, spans = [], [], [], []
    for i, (example, own) in enumerate(zip(data.examples, data.owners, strict=True)):
        words = np.array(example.words or segmented(example.text), np.int64)
        tags = np.concatenate([data.targets[w] for w in range(*own)])
        tokens = np.flatnonzero(tags >= 0)  # labelled ones: each stands in the core of one window
        if not len(tokens):
            continue
        places = np.concatenate([data.windows[w].spans for w in range(*own)])[tokens]
        word = np.searchsorted(
            words[:, 1], places[:, 0], side="right"
        )  # the first one that ends after the token begins
        word, first = np.unique(np.minimum(word, len(words) - 1), return_index=True)
        labels.append(tags[tokens[first]])
        owners.append(np.full(len(word), i))
        lines.append(starts[own[0]] + tokens[first])
        spans.append(words[word])
    line = np.concatenate(lines)
    return Units(np.concatenate(labels), np.concatenate(owners), np.stack([line, line + 1], 1), np.concatenate(spans))


def divided(labels: Array, texts: Array, *, folds: int, seed: int) -> Array:
    """The fold of each unit: labels alike in all, equal texts in one, lest a copied label vouch for itself. [N]"""
    from sklearn.model_selection import StratifiedGroupKFold

    folds = min(folds, len(np.unique(texts)), int(np.bincount(labels).max()))
    found = np.zeros(len(labels), np.int64)
    if folds < 2:
        return found
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # labels with fewer examples than folds: `doubted` counts what that costs
        for number, (_, held) in enumerate(splitter.split(labels, labels, texts)):
            found[held] = number
    return found


def out_of_fold(table: Table, lines: Array, labels: Array, fold: Array, *, seed: int) -> tuple[Array, int]:
    """Probabilities of each unit's labels by a head that learned from the other folds, and from how many units. [N, k]

    Args:
        table: States.
        lines: Lines [start, end) of the table that stand for each unit. [N, 2]
        labels: 0 to k - 1, each in two folds or more. [N]
        fold: Fold of each unit. [N]
        seed: Seed of the draw where there are more than `LEARNED`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = np.empty((len(labels), labels.max() + 1))
    learned = 0
    for number in np.unique(fold):
        others = drawn(labels, np.flatnonzero(fold != number), seed=seed)
        learned = max(learned, len(others))
        head = make_pipeline(
            StandardScaler(copy=False), LogisticRegression(C=STRENGTH / table.width, max_iter=ITERATIONS)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it need not converge
            head.fit(table.means(lines[others]), labels[others])
        held = np.flatnonzero(fold == number)
        for start in range(0, len(held), PIECE):
            piece = held[start : start + PIECE]
            found[piece] = head.predict_proba(table.means(lines[piece]))
    return found, learned


def drawn(labels: Array, units: Array, *, seed: int) -> Array:
    """At most about `LEARNED` units, at random, at least one of each label."""
    if len(units) <= LEARNED:
        return units
    order = np.random.default_rng(seed).permutation(units)
    _, first = np.unique(labels[order], return_index=True)
    return np.union1d(order[first], order[:LEARNED])
