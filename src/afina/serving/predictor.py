"""Texts in, predictions out, for programs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np

from .. import artifact as artifacts
from .. import inference
from ..artifact import Artifact
from ..config import validated
from ..data.long_tables import for_task
from ..data.parts import read_examples
from ..data.sources import columns_of, read
from ..errors import DataError, InputError
from ..inference import Evaluation
from ..outputs.writers import Answered
from ..records import Example, Features, Prediction, Row
from ..tasks.base import Array
from ..tasks.inputs import COUNTABLE
from .inputs import from_rows, read_inputs, refuse, sound

logger = logging.getLogger("afina")


class Predictor:
    """A fine-tuned model that answers.

    Args:
        artifact: What `afina.train` gives or `afina.load` reads.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    def __repr__(self) -> str:
        return f"Predictor({self.artifact.described})"

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
            data: What the model was trained on: a list, series, array or generator of texts, of (text, second text),
                of (question, passage), or of lists of words. Or rows (a list of dicts, a dict of columns, a pandas
                frame, an Arrow table), or the path of a data file.

        Raises:
            ConfigError: a column is missing.
            DataError: inputs can't be used; all are counted.
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
    ) -> Iterator[Answered]:
        """Rows of a file with their predictions, in order, in memory that does not grow with the file.

        Args:
            data: Path of the file, a folder or a glob.
            on_truncated: Is called for every truncated example with the number of tokens that it loses.
            reading: `columns`, `encoding`, `delimiter` of the file.

        Raises:
            ConfigError: a column is missing.
            DataError: rows can't be used; all are counted.
        """
        art = self.artifact

        def watch(features: Sequence[Features]) -> None:
            for example in features:
                if example.truncated_tokens:
                    on_truncated(example.truncated_tokens)

        refuse(read_inputs(art.task, data, **reading))
        items, again = tee(for_task(art.task, read(data, **reading)))
        examples, asked = tee(sound(from_rows(art.task, items)))
        work = inference.predict(art.network, examples, tokenizer=art.tokenizer, task=art.task, watch=watch)
        predictions = art.network.compute.running(work)
        rows = (item for item in again if isinstance(item, Row))
        for row, example, prediction in zip(rows, asked, predictions, strict=True):
            yield Answered(row, example, prediction)

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
        items = list(for_task(art.task, read(data, **reading)))
        rows = [item for item in items if isinstance(item, Row)]
        task = art.task.columns(columns_of(rows), rows=rows) if rows else art.task
        found, problems = read_examples(task, items)
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
        """Unlabelled examples from texts, rows or a file. What can be read twice is looked at as a whole first.

        Raises:
            ConfigError: a column is missing.
            DataError: inputs can't be used; of a generator, the first one that can't.
        """
        task = self.artifact.task
        if not isinstance(data, Iterator):
            refuse(read_inputs(task, data, **reading))
        return sound(read_inputs(task, data, **reading))


def load(path: str | Path) -> Predictor:
    """A fine-tuned model, ready to answer: a run of afina's, a model folder, or a hub id.

    Raises:
        ModelError: it can't be loaded.
    """
    return Predictor(artifacts.load(path))
