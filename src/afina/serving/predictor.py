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
from ..calibration import calibrated, report
from ..compute import Precision
from ..data.lines import unheard
from ..data.long_tables import for_task
from ..data.parts import read_examples
from ..data.sources import columns_of as columns_of_rows
from ..data.sources import read
from ..errors import ConfigError, DataError, InputError
from ..inference import Evaluation
from ..outputs.writers import Answered
from ..printing import many
from ..records import Example, Features, Prediction, Row, without_answer
from ..tasks.base import Array, Task
from ..tasks.calibrations import bound_of, check_precision
from ..tasks.inputs import COUNTABLE, present
from .asking import asked
from .columns import asks_for_texts, fitting, reading_columns
from .explaining import explain
from .explanations import Explanation, Explanations, check_method
from .frames import columns_of, with_columns
from .inputs import Input, check_unseen, look_through, options_of, read_inputs, sound

logger = logging.getLogger("afina")


class Predictor:
    """A fine-tuned model that answers.

    A `str` is a text in `predict`, `predict_proba` and `stream`. `evaluate` needs labels beside texts, so that a `str`
    is a path there, as in `afina.train`. An input without a text (None, nan, an empty text or one of blanks; of a pair,
    either of the two) has no answer: None in all of its prediction. Their number is said.

    Args:
        artifact: What `afina.train` gives or `afina.load` reads.
        named: Whether the columns of the data were asked for. Otherwise, where those of the training data are missing,
            others are taken which can be nothing else.
    """

    def __init__(self, artifact: Artifact, *, named: bool = False) -> None:
        self.artifact = artifact
        self.named = named

    def __repr__(self) -> str:
        return f"Predictor({self.artifact.described})"

    def with_columns(self, columns: Mapping[str, str]) -> Predictor:
        """The same model, reading other columns.

        Args:
            columns: The columns' names by the option that says them: `text`, `pair`, `label`.

        Raises:
            ConfigError: the model's task has no such column.
        """
        task = reading_columns(self.artifact.task, columns)
        return Predictor(replace(self.artifact, task=task), named=self.named or asks_for_texts(columns))

    @property
    def labels(self) -> list[str]:
        """The label set, in the order of `predict_proba`'s columns; empty for tasks without one."""
        return self.artifact.task.labels

    def predict(self, inputs: Any = None, *, data: Any = None, **reading: Any) -> Any:
        """The answer for each input: a label, a number ... A text alone has its answer alone, all else has a list.

        Args:
            inputs: What the model was trained on: a text, or a list, series, array or generator of texts, of (text,
                second text), of (question, passage), or of lists of words. Or rows: a list of dicts, a dict of columns,
                a pandas or polars frame, an Arrow table, a data set. Or the `Path` of a data file.
            data: The same, in place of `inputs`; but here a `str` is the path of a file, a folder or a pattern.
            reading: `columns`, `encoding`, `delimiter`, `format` of a file; `note` is told what was decided, as a text.

        Raises:
            ConfigError: a column is missing, or `reading` names what there is not.
            DataError: inputs can't be used; all are counted.
        """
        answers = [next(iter(one.values())) for one in self.stream(inputs, data=data, **reading)]
        return answers[0] if isinstance(inputs, str) else answers

    def predict_proba(self, inputs: Any = None, *, data: Any = None, **reading: Any) -> Array:
        """Probability of each label, columns in the order of `labels`; nan for an input without a text. [n, k]

        Args:
            inputs: As for `predict`. Of a text alone they are a vector. [k]
            data: As for `predict`.
            reading: As for `predict`.

        Raises:
            InputError: the task has no labels, or inputs can't be used.
        """
        if not self.labels:
            raise InputError(f"predict_proba: {self.artifact.task.name} gives no probabilities; use predict")
        stream = self.stream(inputs, data=data, **reading)
        rows = [[one["probabilities"][label] for label in self.labels] for one in stream]
        table = np.array(rows, dtype=np.float64).reshape(-1, len(self.labels))  # None becomes nan
        return table[0] if isinstance(inputs, str) else table

    def predict_sets(self, inputs: Any = None, *, data: Any = None, alpha: float = 0.1, **reading: Any) -> Any:
        """For each input what holds the right answer with probability 1 - alpha, whatever the model's errors are like.

        Of one label it is the likeliest labels, likeliest first, at least one; of a set of labels, labels that hold all
        right ones; of a number, `{"low": ..., "high": ...}`. The probability is that of new inputs that are drawn as
        the data of `calibrate` were (without it the validation data, which also chose the epoch), over all inputs
        together and not for each label apart. An input without a text has None.

        Args:
            inputs: As for `predict`. A text alone has its set alone.
            data: As for `predict`.
            alpha: Probability of the right answer being left out.
            reading: As for `predict`.

        Raises:
            ConfigError: the task has no sets, the model has too few scores for this alpha, or as for `predict`.
            DataError: inputs can't be used; all are counted.
        """
        name = self.artifact.task.set_name
        sets = [one[name] for one in self.stream(inputs, data=data, alpha=alpha, **reading)]
        return sets[0] if isinstance(inputs, str) else sets

    def explain(
        self, inputs: Any = None, *, data: Any = None, label: Any = None, method: str = "removal", **reading: Any
    ) -> Explanations:
        """The words that mattered for an answer: what each adds to the logit behind it.

        That logit is, of a label or each of a set of labels, its own; of a number, the number; of an entity or a tag,
        the mean over its words of the logits of their tags; of an answer in a passage, the sum of those of its first
        and its last token. Of a text in several windows it is what decides: the mean of all, or the logits of the
        window that a tag or an answer is read in. An input may have several explanations, and has one at least.

        Args:
            inputs: As for `predict`.
            data: As for `predict`.
            label: What to explain in place of the model's answer: a label or an entity type; of tags and answers also
                characters of the text, `(start, end)` or `(start, end, label)`; of answers also a text that stands in
                the passage. A list has one for each input, None for the model's answer.
            method: `removal` leaves each word out in turn, `mask` masks it; `gradient` (gradient x input) is quick, and
                was no better than chance where it was measured (docs/explaining.md).
            reading: As for `predict`.

        Raises:
            ConfigError: there is no such method or label, or as for `predict`.
            DataError: inputs can't be used; all are counted.
        """
        return Explanations(self.explain_rows(asked(inputs, data), label=label, method=method, **reading))

    def explain_rows(self, data: Any, *, label: Any, method: str, **reading: Any) -> Iterator[Explanation]:
        """The same one by one, in memory that does not grow with their number; as for `stream_rows` and `explain`."""
        check_method(method)
        work = explain(self.artifact, self.inputs(data, **reading), labels=label, method=method)
        yield from self.artifact.network.compute.running(work)

    def predict_frame(self, frame: Any) -> Any:
        """A frame with the answers in further columns: its rows, its index and its own columns are as they were.

        A column has the name that a prediction gives its value: `label` and, for each label, `probability_LABEL`. What
        the frame has itself keeps its name, and `predicted_` goes before that of the prediction.

        Args:
            frame: A pandas or polars frame; it is not changed.

        Raises:
            ConfigError: it is no frame, a column is missing, or a row is a word of an input.
            DataError: rows can't be used; all are counted.
        """
        if not any(hasattr(frame, sign) for sign in ("itertuples", "iter_rows")):
            found = type(frame).__name__
            raise ConfigError(f"frame: expected a pandas or polars frame, found {found}; predict takes other inputs")
        predictions = list(self.stream(data=frame))
        if len(predictions) != len(frame):
            message = f"frame: {many(len(frame), 'row')} with the words of {many(len(predictions), 'text')}"
            raise ConfigError(f"{message}; predict gives an answer a text")
        if predictions:
            return with_columns(frame, columns_of(predictions))
        nothing = columns_of(list(self.stream([None], note=unheard)))  # what columns there are
        return with_columns(frame, {name: [] for name in nothing})

    def stream(
        self, inputs: Any = None, *, data: Any = None, alpha: float | None = None, **reading: Any
    ) -> Iterator[Prediction]:
        """Whole predictions, one an input, in order, in memory that does not grow with the input.

        Args:
            inputs: As for `predict`; of a generator, no more is taken than is needed.
            data: As for `predict`.
            alpha: As for `predict_sets`, whose sets are then part of the predictions.
            reading: As for `predict`.

        Raises:
            ConfigError: a column is missing.
            DataError: inputs can't be used; all are counted, but of a generator the first.
        """
        for answered in self.stream_rows(asked(inputs, data), alpha=alpha, **reading):
            yield answered.prediction

    def stream_rows(
        self,
        data: Any,
        *,
        on_truncated: Callable[[int], None] = lambda _: None,
        alpha: float | None = None,
        **reading: Any,
    ) -> Iterator[Answered]:
        """Inputs with their predictions, in order, in memory that does not grow with their number.

        An input without a text (None, nan, an empty text or one of blanks; of a pair, either of the two) has a
        prediction in which everything is None. How many there are is said when all have been answered.

        Args:
            data: Path of a file, a folder or a glob; or whatever `predict` takes but a text alone. Texts without
                columns are rows with the columns of the training data.
            on_truncated: Is called for every truncated example with the number of tokens that it loses.
            alpha: As for `predict_sets`, whose sets are then part of the predictions.
            reading: As for `predict`.

        Raises:
            ConfigError: a column is missing.
            DataError: rows can't be used; all are counted.
        """
        art = self.artifact
        bound = None if alpha is None else bound_of(art.task, alpha)
        empty, last = 0, ""

        def watch(features: Sequence[Features]) -> None:
            for example in features:
                if example.truncated_tokens:
                    on_truncated(example.truncated_tokens)

        kept, again = tee(self.inputs(data, **reading))
        examples = (one.example for one in kept)
        work = inference.predict(art.network, examples, tokenizer=art.tokenizer, task=art.task, watch=watch)
        for one, prediction in zip(again, art.network.compute.running(work), strict=True):
            if bound is not None:
                prediction[art.task.set_name] = art.task.prediction_set(prediction, bound)
            if one.empty:
                empty, last = empty + 1, last or one.row.place
            yield Answered(one.row, one.example, without_answer(prediction) if one.empty else prediction)
        if empty:
            said = f"{many(empty, 'input')} without a text, and so without an answer; the first: {last}"
            reading.get("note", logger.warning)(said)

    def inputs(self, data: Any, **reading: Any) -> Iterator[Input]:
        """Inputs from texts, rows or a file. What can be read twice is looked at as a whole first.

        Raises:
            ConfigError: a column is missing.
            DataError: inputs can't be used; of a generator, the first one that can't.
        """
        task = self.artifact.task
        reading.setdefault("note", logger.info)
        if not isinstance(data, Iterator):
            look_through(read_inputs(task, data, strict=self.named, **reading))
            reading["note"] = unheard
        return sound(read_inputs(task, data, strict=self.named, **reading))

    def evaluate(
        self,
        data: Any,
        *,
        unseen: str = "refuse",
        group_by: str | None = None,
        precision: float | None = None,
        alpha: float | None = None,
        **reading: Any,
    ) -> Evaluation:
        """Scores on labelled data, with intervals, beside the constant answer that the data themselves suggest.

        Args:
            data: Rows with labels, or the path of a file: a list of dicts, a dict of columns, a frame, a table, a data
                set; a `str` or `Path`.
            unseen: `count` takes labels that the model does not know as missed, where the task can; else `refuse`.
            group_by: Column of groups (authors, documents), whose examples are right or wrong together in intervals.
            precision: Wanted share of right answers, to find from which confidence on they have it
                (`calibration.threshold` of what is returned).
            alpha: As for `predict_sets`, to see what its sets hold (`calibration.coverage`).
            reading: `columns`, `encoding`, `delimiter` of a file.

        Raises:
            ConfigError: `unseen` is something else, a column is missing, or the task or the model has no such
                precision or sets.
            DataError: rows can't be used, or hold labels that the model does not know; all are listed.
        """
        check_unseen(unseen)
        task = self.artifact.task
        if precision is not None:
            check_precision(task, precision)
        if alpha is not None:
            bound_of(task, alpha)
        task, examples, features, logits = self.labelled(data, unseen=unseen, group_by=group_by, **reading)
        predictions = inference.decode(task, examples, features=features, logits=logits)
        evaluation = inference.evaluate(task, examples, predictions=predictions, features=features)
        honest = report(
            task, examples, features=features, logits=logits, predictions=predictions, precision=precision, alpha=alpha
        )
        return inference.beside_constant(replace(evaluation, calibration=honest), task, examples)

    def calibrate(self, data: Any, *, unseen: str = "refuse", **reading: Any) -> Predictor:
        """The same model with a temperature, and scores for sets, from labelled data that it was not trained on.

        The model gives the same answers. `afina.calibrate` also writes into the model folder what is learned.

        Args:
            data: As for `evaluate`.
            unseen: As for `evaluate`.
            reading: As for `evaluate`.

        Raises:
            ConfigError: as for `evaluate`, or nothing of the task can be calibrated.
            DataError: as for `evaluate`.
        """
        check_unseen(unseen)
        task = self.artifact.task
        if not task.set_name and not task.confident_of:
            raise ConfigError(f"calibrate: {task.name} has no probabilities and no prediction sets")
        task, examples, features, logits = self.labelled(data, unseen=unseen, **reading)
        name = Path(data).name if isinstance(data, str | Path) else "data in memory"
        learned = calibrated(
            task, examples, features=features, logits=inference.by_example(features, logits), data=name
        )
        if learned.reason:
            reading.get("note", logger.info)(f"no temperature: {learned.reason}")
        known = self.artifact.task.with_calibration(learned.task.calibration)
        return Predictor(replace(self.artifact, task=known), named=self.named)

    def labelled(
        self, data: Any, *, unseen: str, group_by: str | None = None, **reading: Any
    ) -> tuple[Task, list[Example], list[Features], list[Array]]:
        """Labelled data: the task that reads them, the examples, their features, and the logits of all windows.

        Raises:
            ConfigError: a column is missing.
            DataError: rows can't be used, or hold labels that the model does not know; all are listed.
        """
        options_of(reading)
        art = self.artifact
        items = list(for_task(art.task, read(data, **reading)))
        rows = [item for item in items if isinstance(item, Row)]
        note = reading.get("note", logger.info)
        task = fitting(art.task, rows, labelled=True, strict=self.named, note=note) if rows else art.task
        if group_by is not None:
            present("group_by", group_by, columns_of_rows(rows))
        found, problems = read_examples(task, items, group=group_by)
        examples, heard = task.adapt(found)
        for text in heard:
            note(text)
        unknown = [problem for example in examples if (problem := task.check(example)) is not None]
        problems += [problem for problem in unknown if unseen != "count" or problem.code != COUNTABLE]
        if problems:
            raise DataError(problems)
        features = art.tokenizer.encode(task.presented(examples), slides=task.slides)
        windows = [window for one in features for window in one.windows]
        with art.network.compute.active():
            return task, examples, features, inference.window_logits(art.network, windows)


def load(path: str | Path, *, device: str = "auto", precision: Precision = "auto") -> Predictor:
    """A fine-tuned model, ready to answer: a run of afina's, a model folder, or a hub id.

    Args:
        path: Where it is.
        device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`; whatever it was trained on.
        precision: `fp32`, `bf16`, or `auto`: that of its training, where the device is not much slower at it.

    Raises:
        ModelError: it can't be loaded.
        ConfigError: the device is not there.
    """
    return Predictor(artifacts.load(path, device=device, precision=precision))
