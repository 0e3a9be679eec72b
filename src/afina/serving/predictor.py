"""Texts in, predictions out, for programs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, tee
from pathlib import Path
from typing import Any

import numpy as np

from .. import artifact as artifacts
from .. import inference
from ..artifact import Artifact
from ..config import validated
from ..data.long_tables import for_task
from ..data.parts import read_examples
from ..data.sources import all_rows, columns_of, read
from ..errors import ConfigError, DataError, InputError, Problem
from ..inference import Evaluation
from ..records import Example, Features, Prediction, Row
from ..tasks.base import Array, Task
from ..tasks.inputs import COUNTABLE

logger = logging.getLogger("afina")


class Predictor:
    """A fine-tuned model that answers.

    Args:
        artifact: What `afina.train` gives or `afina.load` reads.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    def with_columns(self, columns: Mapping[str, str]) -> Predictor:
        """The same model, reading other columns.

        Args:
            columns: The columns' names by the option that says them: `text`, `pair`, `label`.

        Raises:
            ConfigError: the model's task has no such column.
        """
        task = self.artifact.task
        options = validated(task.Options, {**task.options.model_dump(), **columns}, "options")
        return Predictor(replace(self.artifact, task=type(task)(options, task.fitted)))

    @property
    def labels(self) -> list[str]:
        """The label set, in the order of `predict_proba`'s columns; empty for tasks without one."""
        return self.artifact.task.labels

    def predict(self, data: Any) -> list[Any]:
        """The answer for each text: a label, a number ...

        Args:
            data: A list of texts or of (text, second text), rows (a list of dicts, a dict of columns, a pandas
                frame, an Arrow table), or the path of a data file.
        """
        return [next(iter(prediction.values())) for prediction in self.stream(data)]

    def predict_proba(self, data: Any) -> Array:
        """Probability of each label, columns in the order of `labels`. [n, k]

        Raises:
            InputError: the task has no labels.
        """
        if not self.labels:
            raise InputError(f"predict_proba: {self.artifact.task.name} gives no probabilities; use predict")
        rows = [[one["probabilities"][label] for label in self.labels] for one in self.stream(data)]
        return np.array(rows, dtype=np.float64).reshape(-1, len(self.labels))

    def stream(self, data: Any) -> Iterator[Prediction]:
        """Whole predictions, one an input, in order, in memory that does not grow with the input."""
        art = self.artifact
        work = inference.predict(art.network, self.examples(data), tokenizer=art.tokenizer, task=art.task)
        yield from art.network.compute.running(work)

    def stream_rows(
        self, data: str, *, on_truncated: Callable[[int], None] = lambda _: None, **reading: Any
    ) -> Iterator[tuple[Row, Prediction]]:
        """Rows of a file beside their predictions, in order, in memory that does not grow with the file.

        Args:
            data: Path of the file, a folder or a glob.
            on_truncated: Is called for every truncated example with the number of tokens that it loses.
            reading: `columns`, `encoding`, `delimiter` of the file.

        Raises:
            ConfigError: a column is missing.
            DataError: at the first row that can't be read.
        """
        art = self.artifact

        def watch(features: Sequence[Features]) -> None:
            for example in features:
                if example.truncated_tokens:
                    on_truncated(example.truncated_tokens)

        items, again = tee(for_task(art.task, read(data, **reading)))
        examples = unlabelled(art.task, items)
        work = inference.predict(art.network, examples, tokenizer=art.tokenizer, task=art.task, watch=watch)
        predictions = art.network.compute.running(work)
        yield from zip((item for item in again if isinstance(item, Row)), predictions, strict=True)

    def evaluate(self, data: Any, *, unseen: str = "refuse", **reading: Any) -> Evaluation:
        """Scores on labelled data, with intervals.

        Args:
            data: Rows or a path, as for `predict`.
            unseen: `count` takes labels that the model does not know as missed, where the task can; else `refuse`.
            reading: `columns`, `encoding`, `delimiter` of a file.

        Raises:
            DataError: rows can't be used, or hold labels that the model does not know; all are listed.
        """
        art = self.artifact
        rows = all_rows(for_task(art.task, read(data, **reading)))
        task = art.task.columns(columns_of(rows), rows=rows)
        found, problems = read_examples(task, rows)
        examples, heard = task.adapt(found)
        for note in heard:
            reading.get("note", logger.info)(note)
        unknown = [problem for example in examples if (problem := task.check(example)) is not None]
        problems += [problem for problem in unknown if unseen != "count" or problem.code != COUNTABLE]
        if problems:
            raise DataError(problems)
        features = art.tokenizer.encode(examples, slides=task.slides)
        windows = [window for one in features for window in one.windows]
        with art.network.compute.active():
            logits = inference.window_logits(art.network, windows)
        predictions = inference.decode(task, examples, features=features, logits=logits)
        return inference.evaluate(task, examples, predictions=predictions, features=features)

    def examples(self, data: Any, **reading: Any) -> Iterator[Example]:
        """Unlabelled examples from texts, rows or a file."""
        if isinstance(data, (list, tuple)) and not (data and isinstance(data[0], dict)):
            return (plain(one, i) for i, one in enumerate(data, 1))
        task = self.artifact.task
        return unlabelled(task, for_task(task, read(data, **reading)))


def plain(one: Any, number: int) -> Example:
    """A text, or two, as an example.

    Raises:
        DataError: it is something else.
    """
    texts = (one,) if isinstance(one, str) else one
    if isinstance(texts, (list, tuple)) and len(texts) in (1, 2) and all(isinstance(text, str) for text in texts):
        return Example(texts[0], texts[1] if len(texts) == 2 else None, None, f"item {number}")
    found = type(one).__name__
    raise DataError(Problem(f"item {number}", f"expected a text or a pair of texts, found {found}", "", "not-a-text"))


def unlabelled(task: Task, rows: Iterable[Row | Problem]) -> Iterator[Example]:
    """Rows to examples without targets; the columns are chosen at the first row.

    Raises:
        ConfigError: a column is missing.
        DataError: at the first row that can't be read; nothing is dropped in silence.
    """
    stream = iter(rows)
    first = next(stream, None)
    if first is None:
        return
    if isinstance(first, Problem):
        raise DataError(first)
    try:
        chosen = task.columns(list(first.values), rows=[first], labelled=False)
    except ConfigError as error:
        raise ConfigError([f"{first.place}: {problem}" for problem in error.problems]) from None
    for row in chain([first], stream):
        if isinstance(row, Problem):
            raise DataError(row)
        yield chosen.read(row, labelled=False)


def load(path: str | Path) -> Predictor:
    """A fine-tuned model, ready to answer: a run of afina's, a model folder, or a hub id.

    Raises:
        ModelError: it can't be loaded.
    """
    return Predictor(artifacts.load(path))
