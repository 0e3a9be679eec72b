"""What costs nothing, scored on the rows of a model: the constant answer, and a linear model on TF-IDF features.

A model that is not better than these has learned nothing that needs it. The linear model serves every task that has one
target for an example: its outputs go as logits through the task's own `decode` and `score_row`.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from . import inference
from .assembly import EncodedDataset
from .records import Example
from .tasks.base import Array, Constant, Task
from .text.words import UNIT
from .work import Work

T = TypeVar("T")

LINEAR = "TF-IDF linear"
"""Name of the linear model among the baselines."""
STRENGTH = 10.0
"""C of the logistic regression: alpha is 1 / (C n). From 3 to 30 it matters little on real data."""
PENALTY = 2.0
"""alpha of the ridge regression, also between values that are as good."""
EPOCHS = 20
"""Passes of averaged stochastic gradient descent: as good as the exact optimum from 24 examples to 8,000, in a tenth of
the time of its solver with many labels."""
LEARNED = 10_000_000
"""Characters that it learns from at most, in examples drawn at random: 40,000 news items."""
SPELLED = 1_000_000
"""Characters up to which it also learns from parts of words. They help where the data are small or texts are short."""
READ = 10_000
"""Characters of a text that it reads."""
FEATURES = 100_000
"""Words and pairs of words, and as many parts of words, that it knows at most, the most common ones."""
PARAMETERS = 4_000_000
"""Weights that it has at most: with many labels it knows fewer words."""
PIECE = 4096
"""Examples that it answers at once."""


@dataclass(frozen=True, slots=True)
class Baselines:
    """Baselines on the rows of each split.

    Attributes:
        constant: The constant answer, or None without one.
        tables: By split, the score table of each baseline by its name.
        failures: Why a baseline is missing, by its name.
    """

    tables: dict[str, dict[str, dict[str, Array]]]
    constant: Constant | None = None
    failures: dict[str, str] = field(default_factory=dict)


def baselines(task: Task, splits: Mapping[str, EncodedDataset]) -> Work[Baselines]:
    """The baselines of a task, learned from the split `train`, on every other split. They never stop a run.

    Args:
        task: Fitted, without thresholds; those of the linear model are fitted to the split `validation`.
        splits: Encoded examples by split.
    """
    tables: dict[str, dict[str, dict[str, Array]]] = {name: {} for name in splits if name != "train"}
    failures: dict[str, str] = {}
    constant: Constant | None = None

    def add(name: str, found: Mapping[str, dict[str, Array]]) -> None:
        for split, table in found.items():
            tables[split][name] = table

    # What fails is the foreign library, another package's task, or for want of memory.
    try:
        constant = task.constant(splits["train"].examples)
        if constant is not None:
            add(constant.name, {name: unvaried(task, constant, splits[name].examples) for name in tables})
    except Exception as error:
        failures["constant"] = f"{type(error).__name__}: {error}"
    yield 0.1
    if task.level == "example":
        try:
            add(LINEAR, (yield from linear(task, splits)))
        except Exception as error:
            failures[LINEAR] = f"{type(error).__name__}: {error}"
    return Baselines(tables, constant, failures)


def unvaried(task: Task, constant: Constant, examples: Sequence[Example]) -> dict[str, Array]:
    """The score table of a constant answer."""
    return inference.table_of(task, examples, predictions=[constant.predict(example) for example in examples])


def linear(task: Task, splits: Mapping[str, EncodedDataset]) -> Work[dict[str, dict[str, Array]]]:
    """The score tables of a linear model on TF-IDF features, by split. It can be stopped between its parts."""
    train = splits["train"]
    chosen = drawn(train.examples)
    examples = [train.examples[i] for i in chosen]
    targets = np.stack([task.encode_target(train.examples[i], train.features[i].windows[0]) for i in chosen])
    outputs = task.head.outputs
    features = quietly(Features.fit, examples, limit=min(FEATURES, PARAMETERS // outputs))
    yield 0.3
    table = quietly(features.transform, examples)
    yield 0.4
    predict = yield from fitted(table, targets, outputs)
    factor, shift = task.head.scale
    logits: dict[str, list[list[Array]]] = {}
    for name, part in splits.items():
        if name == "train":
            continue
        rows: list[Array] = []
        for start in range(0, len(part.examples), PIECE):
            rows.extend(predict(quietly(features.transform, part.examples[start : start + PIECE])) * factor + shift)
            yield 0.9
        logits[name] = [[row] * len(one.windows) for row, one in zip(rows, part.features, strict=True)]
    part = splits["validation"]
    task = task.fit_thresholds(part.examples, features=part.features, logits=logits["validation"])
    tables = {}
    for name, own in logits.items():
        part = splits[name]
        predictions = [
            task.decode(example, one.windows, rows)
            for example, one, rows in zip(part.examples, part.features, own, strict=True)
        ]
        tables[name] = inference.table_of(task, part.examples, predictions=predictions)
    return tables


def quietly(compute: Callable[..., T], *args: Any, **settings: Any) -> T:
    """What a function of a library returns, without its warnings, which say nothing about the user's data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compute(*args, **settings)


def drawn(examples: Sequence[Example]) -> list[int]:
    """The examples to learn from, in order: all, or as many as have `LEARNED` characters together."""
    lengths = np.array([min(len(one.text), READ) + min(len(one.pair or ""), READ) for one in examples])
    if lengths.sum() <= LEARNED:
        return list(range(len(examples)))
    order = np.random.default_rng(0).permutation(len(examples))
    return sorted(order[np.cumsum(lengths[order]) <= LEARNED].tolist())


# ---------------------------------------------------------------------------------------------------------------------
# Features.


def words(text: str) -> list[str]:
    """The words of a text in one spelling, whatever its script."""
    return UNIT.findall(unicodedata.normalize("NFKC", text[:READ]).casefold())


def words_and_pairs(text: str) -> list[str]:
    """The words of a text, and its pairs of neighbouring words."""
    single = words(text)
    return [*single, *(f"{first} {second}" for first, second in pairwise(single))]


@dataclass(frozen=True, slots=True)
class Features:
    """Features of texts or pairs of texts. Each block of TF-IDF weights has length 1.

    A text has its words and pairs of words and, where the data are small, the parts of its words. A pair of texts has
    the words that both share, the words that only the one and only the other has, and how much they overlap.

    Attributes:
        blocks: Vectorisers of texts.
        pairs: Whether there are second texts.
        scaling: Mean and deviation of the overlaps. Two [d]
    """

    blocks: Sequence[Any]
    pairs: bool
    scaling: tuple[Array, Array] | None = None

    @classmethod
    def fit(cls, examples: Sequence[Example], *, limit: int) -> Features:
        """Features that occur in the examples, `limit` of each kind at most."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        pairs = any(one.pair is not None for one in examples)
        texts = [one.text[:READ] for one in examples]
        texts += [(one.pair or "")[:READ] for one in examples] if pairs else []
        settings = {"sublinear_tf": True, "max_features": limit, "dtype": np.float32}
        blocks = [TfidfVectorizer(analyzer=words if pairs else words_and_pairs, **settings)]
        if sum(map(len, texts)) <= SPELLED:
            blocks.append(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **settings))
        features = cls([block.fit(texts) for block in blocks], pairs)
        if not pairs:
            return features
        overlaps = overlaps_of(features.sides(examples), examples)
        return cls(features.blocks, pairs, (overlaps.mean(axis=0), overlaps.std(axis=0) + 1e-9))

    def transform(self, examples: Sequence[Example]) -> Any:
        """A sparse matrix of features, one row an example. [n, d]"""
        from scipy import sparse

        if self.scaling is None:
            texts = [one.text[:READ] for one in examples]
            return sparse.hstack([block.transform(texts) for block in self.blocks]).tocsr()
        sides = self.sides(examples)
        first, second = sides[0]
        shared = first.minimum(second)
        mean, deviation = self.scaling
        overlaps = (overlaps_of(sides, examples) - mean) / deviation
        # With hinges at three places the model can follow a curve. The weight keeps them in proportion to the words.
        bent = [overlaps, *(np.maximum(overlaps - place, 0) for place in (-1, 0, 1))]
        dense = sparse.csr_matrix(0.3 * np.hstack(bent).astype(np.float32))
        return sparse.hstack([shared, first - shared, second - shared, dense]).tocsr()

    def sides(self, examples: Sequence[Example]) -> list[tuple[Any, Any]]:
        """For each block the weights of the first texts and of the second texts. Two [n, d] each"""
        first, second = [one.text[:READ] for one in examples], [(one.pair or "")[:READ] for one in examples]
        return [(block.transform(first), block.transform(second)) for block in self.blocks]


def overlaps_of(sides: Sequence[tuple[Any, Any]], examples: Sequence[Example]) -> Array:
    """How much the texts of a pair overlap: cosines, shares of either's weight, how lengths differ. [n, d]

    Args:
        sides: Weights of the first and of the second texts in each block. Two [n, d] each
        examples: The pairs.
    """
    columns: list[Array] = []
    for first, second in sides:
        shared = total(first.minimum(second))
        columns.append(total(first.multiply(second)))
        columns += [shared / np.maximum(total(side), 1e-9) for side in (first, second)]
    lengths = np.log1p([[len(one.text), len(one.pair or "")] for one in examples])
    difference = lengths[:, 0] - lengths[:, 1]
    return np.stack([*columns, difference, np.abs(difference)], axis=1)


def total(matrix: Any) -> Array:
    """The sum of each row. [n]"""
    return np.asarray(matrix.sum(axis=1)).ravel()


# ---------------------------------------------------------------------------------------------------------------------
# Models.


def fitted(features: Any, targets: Array, outputs: int) -> Work[Callable[[Any], Array]]:
    """A linear model of encoded targets, as a function from features [n, d] to logits [n, k].

    Integers are labels: logistic regressions of one label against the others, whose probabilities are scaled to sum to
    1. Rows of zeros and ones: a logistic regression for each output. Other numbers: a ridge regression.

    Args:
        features: Sparse. [n, d]
        targets: As `Task.encode_target` gives them. [n] or [n, k]
        outputs: Number of logits, k.
    """
    if np.issubdtype(targets.dtype, np.integer) and outputs == 2:  # either label is not the other
        (model,) = yield from logistics(features, [targets == 1])
        return lambda rows: -np.logaddexp(0, np.outer(model(rows), (1, -1)))
    if np.issubdtype(targets.dtype, np.integer):
        models = yield from logistics(features, [targets == i for i in range(outputs)])
        return lambda rows: np.stack([-np.logaddexp(0, -model(rows)) for model in models], axis=1)
    if targets.ndim == 1 or not np.isin(targets, (0, 1)).all():
        return quietly(ridge, features, targets.reshape(len(targets), -1))
    models = yield from logistics(features, [targets[:, i] > 0 for i in range(outputs)])
    return lambda rows: np.stack([model(rows) for model in models], axis=1)


def logistics(features: Any, columns: Sequence[Array]) -> Work[list[Callable[[Any], Array]]]:
    """A logistic regression for each column of truth values [n]; it can be stopped between two of them."""
    models = []
    for i, gold in enumerate(columns):
        models.append(quietly(logistic, features, gold))
        yield 0.4 + 0.5 * (i + 1) / len(columns)
    return models


def logistic(features: Any, gold: Array) -> Callable[[Any], Array]:
    """A logistic regression, as a function from features [n, d] to logits [n].

    Args:
        features: Sparse. [n, d]
        gold: Whether each example has the label; where all or none has it, the logit is that of their share. [n]
    """
    from sklearn.linear_model import SGDClassifier

    n, hits = len(gold), int(gold.sum())
    if hits in (0, n):
        constant = float(np.log((hits + 0.5) / (n - hits + 0.5)))
        return lambda rows: np.full(rows.shape[0], constant)
    model = SGDClassifier(
        loss="log_loss", alpha=1 / (STRENGTH * n), max_iter=EPOCHS, tol=None, average=True, random_state=0
    )
    decision: Callable[[Any], Array] = model.fit(features, gold).decision_function
    return decision


def ridge(features: Any, targets: Array) -> Callable[[Any], Array]:
    """A ridge regression, as a function from features [n, d] to numbers [n, k]."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=PENALTY, solver="sparse_cg", random_state=0).fit(features, targets)
    return lambda rows: np.asarray(model.predict(rows)).reshape(rows.shape[0], -1)
