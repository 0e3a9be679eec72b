"""How far a model's probabilities can be trusted on labelled data, and what it learns from them of its certainty."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import inference
from .metrics import calibration as metrics
from .metrics.abstention import Point, Threshold, curve, risk_area, threshold_for
from .metrics.calibration import Bin
from .metrics.conformal import kept_scores
from .metrics.proportions import NoInterval, interval_of_share
from .metrics.temperature import LabelledLogits, fit_temperature
from .printing import Block, Shown, Table, many, number
from .records import Example, Features, Prediction
from .tasks.base import Array, Task
from .tasks.calibrations import Calibration, bound_of, check_precision

ERRORS = ("calibration_error", "calibration_error_equal_counts")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often sets of labels, or intervals, hold what is right.

    Attributes:
        alpha: Wanted probability of what is right being left out.
        name: `set` or `interval`.
        coverage: Share of the examples whose set holds what is right.
        interval: Bounds of that share, 95 %; nan where there are none.
        size: Mean number of labels of a set, or mean length of an interval.
        examples: Number of examples.
    """

    alpha: float
    name: str
    coverage: float
    interval: tuple[float, float]
    size: float
    examples: int

    def __str__(self) -> str:
        held = f"{number(self.coverage)}{bounds(self.interval)} of {many(self.examples, 'example')}"
        size = f"labels a set: {self.size:.2f}" if self.name == "set" else f"length: {number(self.size)}"
        return (
            f"{self.name}s at alpha {self.alpha:g} (wanted {1 - self.alpha:g}): hold what is right for {held}; {size}"
        )


@dataclass(frozen=True, slots=True, repr=False)
class Report(Shown):
    """How honest the probabilities of a model are on labelled data. `print` shows tables, and so does a notebook.

    Attributes:
        unit: What a confidence is about: a label, a set of labels, an entity, a tag, an answer; empty without any.
        answers: Number of confidences.
        temperature: The temperature at which the model gives its probabilities.
        scores: Log loss, Brier score and calibration errors, by name, of the probabilities as they are given.
        before: The same at temperature 1.
        reliability: Confidence beside accuracy, by bins of confidence.
        curve: Precision of the surest answers.
        risk_area: Area under the curve of risk and coverage; smaller is better.
        threshold: From which confidence on answers are right as often as was asked for; None where nothing was asked.
        coverage: What sets or intervals hold; None where none were asked for.
    """

    unit: str
    answers: int
    temperature: float
    scores: dict[str, float]
    before: dict[str, float]
    reliability: list[Bin]
    curve: list[Point]
    risk_area: float
    threshold: Threshold | None = None
    coverage: Coverage | None = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {number(value)}" for name, value in self.scores.items())
        return f"Report({many(self.answers, self.unit or 'confidence')}, temperature {self.temperature:g}: {shown})"

    def blocks(self) -> Iterator[Block]:
        """The scores, the reliability table, the curve of abstention, and what was asked for besides."""
        if self.scores:
            columns = ["at temperature 1", f"at {self.temperature:g}"] if self.temperature != 1.0 else ["value"]
            kinds = [self.before, self.scores] if self.temperature != 1.0 else [self.scores]
            rows = [[name, *(kind.get(name, math.nan) for kind in kinds)] for name in self.scores]
            yield Table(["calibration", *columns], rows)
        if self.reliability:
            yield ""
            names = ["confidence", plural(self.unit), "mean confidence", "right (95 % interval)"]
            rows = [
                [f"{one.low:.3f} - {one.high:.3f}", one.count, one.confidence, share(one.accuracy, one.interval)]
                for one in self.reliability
            ]
            yield Table(names, rows)
        if self.curve:
            yield ""
            names = ["the surest", plural(self.unit), "confidence from", "right (95 % interval)"]
            yield Table(
                names,
                [
                    [f"{one.coverage:.1%}", one.count, one.threshold, share(one.precision, one.interval)]
                    for one in self.curve
                ],
            )
            yield f"mean share of errors among the surest (area under risk and coverage): {number(self.risk_area)}"
        for line in self.asked:
            yield ""
            yield line

    @property
    def asked(self) -> list[str]:
        """What was asked for besides: the threshold of a precision, and what sets hold."""
        threshold = [] if self.threshold is None else [threshold_line(self.threshold, self.unit)]
        return threshold + ([] if self.coverage is None else [str(self.coverage)])


def plural(unit: str) -> str:
    """Several of a unit."""
    return {"entity": "entities", "set of labels": "sets of labels"}.get(unit, f"{unit}s")


def bounds(interval: tuple[float, float]) -> str:
    """An interval behind a share; empty where there is none."""
    return "" if math.isnan(interval[0]) else f" [{number(interval[0])}, {number(interval[1])}]"


def share(value: float, interval: tuple[float, float]) -> str:
    """A share with its interval."""
    return number(value) + bounds(interval)


def threshold_line(one: Threshold, unit: str) -> str:
    """A threshold in words."""
    if math.isnan(one.value):
        return f"precision {one.wanted:g}: no threshold, for {one.reason}"
    given = f"{one.count:,} of {many(one.total, unit, plural(unit))} ({one.count / one.total:.1%})"
    return (
        f"precision {one.wanted:g}: from confidence {one.value:g} on, {given}; {number(one.precision)} of them are "
        f"right, and with probability {one.level:g} at least {one.bound:.4f} of such answers are"
    )


def report(
    task: Task,
    examples: Sequence[Example],
    *,
    features: Sequence[Features],
    logits: Sequence[Array],
    predictions: Sequence[Prediction],
    precision: float | None = None,
    alpha: float | None = None,
) -> Report | None:
    """How honest a model's probabilities are on labelled examples; None where its task has nothing to say of that.

    Args:
        task: Fitted.
        examples: With targets.
        features: Features of each example.
        logits: Logits of all windows, in order.
        predictions: What the task says of each example.
        precision: Wanted share of right answers, for a threshold.
        alpha: Wanted probability of what is right being left out, for sets or intervals.

    Raises:
        ConfigError: the precision or alpha can't be had (`check_precision`, `bound_of`).
    """
    bound = None if alpha is None else bound_of(task, alpha)
    if precision is not None:
        check_precision(task, precision)
    labelled = task.labelled_logits(examples, features=features, logits=inference.by_example(features, logits))
    sure, right, owner = confidences(task, examples, predictions)
    if labelled is None and not len(sure) and alpha is None:
        return None
    temperature = task.calibration.temperature
    scores = scores_of(labelled, sure, right, temperature=temperature)
    before = scores
    if temperature != 1.0:
        plain = task.with_calibration(Calibration())
        raw = inference.decode(plain, examples, features=features, logits=list(logits))
        before = scores_of(labelled, *confidences(plain, examples, raw)[:2], temperature=1.0)
    groups = owner if len(np.unique(owner)) < len(owner) else None
    return Report(
        task.confident_of,
        len(sure),
        temperature,
        scores,
        before,
        metrics.reliability(sure, right, groups=groups),
        curve(sure, right, groups=groups),
        risk_area(sure, right),
        None if precision is None else threshold_for(sure, right, wanted=precision, groups=groups),
        None if alpha is None or bound is None else coverage_of(task, examples, predictions, alpha=alpha, bound=bound),
    )


def confidences(
    task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]
) -> tuple[Array, Array, Array]:
    """Every confidence of predictions, whether what it is about is right, and the cluster of its example. [m] each"""
    found = [task.confidences(example, said) for example, said in zip(examples, predictions, strict=True)]
    clusters = inference.clusters(task, examples)
    owners = range(len(examples)) if clusters is None else clusters
    pairs = [pair for one in found for pair in one]
    owner = [cluster for cluster, one in zip(owners, found, strict=True) for _ in one]
    sure = np.array([confidence for confidence, _ in pairs], np.float64)
    return sure, np.array([right for _, right in pairs], bool), np.array(owner, np.int64)


def scores_of(labelled: LabelledLogits | None, sure: Array, right: Array, *, temperature: float) -> dict[str, float]:
    """Log loss and Brier score of labelled logits, and the calibration errors of confidences; what there is of them."""
    scores: dict[str, float] = {}
    if labelled is not None:
        scores |= {"log_loss": labelled.log_loss(temperature), "brier_score": labelled.squared_error(temperature)}
    if len(sure):
        values = (metrics.calibration_error(sure, right, equal=equal) for equal in ("width", "count"))
        scores |= dict(zip(ERRORS, values, strict=True))
    return scores


def coverage_of(
    task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], *, alpha: float, bound: float
) -> Coverage:
    """How often the sets of a bound hold what is right, and how large they are."""
    held, sizes = [], []
    for example, prediction in zip(examples, predictions, strict=True):
        given = task.prediction_set(prediction, bound)
        strange = task.strangeness(example, prediction)
        inside = strange is not None and strange <= bound
        # The likeliest label stands in a set of one label even where it is stranger than the bound.
        held.append(inside or (isinstance(given, list) and example.target in given))
        sizes.append(given["high"] - given["low"] if isinstance(given, dict) else len(given))
    hits = np.array(held, np.float64)
    try:
        interval = interval_of_share(hits, np.ones(len(hits)), groups=inference.clusters(task, examples))
    except NoInterval:
        interval = math.nan, math.nan
    return Coverage(alpha, task.set_name, float(hits.mean()), interval, float(np.mean(sizes)), len(hits))


# ---------------------------------------------------------------------------------------------------------------------
# What is learned.


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A task that has learned of its certainty.

    Attributes:
        task: The task. Its answers are the same as before.
        reason: Why it has no temperature; empty where one was fitted.
    """

    task: Task
    reason: str


def calibrated(
    task: Task,
    examples: Sequence[Example],
    *,
    features: Sequence[Features],
    logits: Sequence[Sequence[Array]],
    data: str,
    temperature: bool = True,
) -> Calibrated:
    """Fit the temperature to labelled examples that did not train the model, and keep their scores for sets.

    Args:
        task: Fitted, with its thresholds.
        examples: With targets.
        features: Features of each example.
        logits: Logits of the windows of each example.
        data: Name of the data.
        temperature: Whether to fit the temperature; otherwise it is 1.
    """
    task, reason = task.with_calibration(Calibration()), "switched off"
    learned = Calibration(data=data, examples=len(examples))
    if temperature:
        labelled = task.labelled_logits(examples, features=features, logits=logits)
        if labelled is None:
            reason = f"{task.name} has no probabilities that a temperature would change"
        else:
            fitted = fit_temperature(labelled)
            reason, learned = fitted.reason, learned.model_copy(update={"temperature": fitted.temperature})
            task = task.with_calibration(learned)
    if task.set_name:
        triples = zip(examples, features, logits, strict=True)
        strange = (task.strangeness(one, task.decode(one, own.windows, rows)) for one, own, rows in triples)
        scores = kept_scores(np.array([value for value in strange if value is not None], np.float64))
        learned = learned.model_copy(update={"scores": tuple(scores)})
    nothing = learned.temperature == 1.0 and not learned.scores
    return Calibrated(task.with_calibration(Calibration() if nothing else learned), reason)


def temperature_line(reports: Mapping[str, Report]) -> str:
    """What the temperature brings on each split, in a line."""
    parts = []
    for name, one in reports.items():
        changes = [
            f"{metric.replace('_', ' ')} {number(one.before[metric])} -> {number(one.scores[metric])}"
            for metric in ("log_loss", "calibration_error")
            if metric in one.scores
        ]
        parts.append(f"{name} {', '.join(changes)}")
    return "; ".join(parts)
