"""What the scores of a finished training mean, where somebody should look again: a code, a message, a likely cure.

One split is judged, the test data where there are any: they have chosen nothing.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .. import inference
from ..config import Config
from ..errors import listed
from ..inference import Evaluation
from ..metrics.intervals import paired
from ..metrics.scores import higher_is_better
from ..printing import many, number
from ..records import Example, Prediction
from ..tasks.base import Array, Constant, Task
from ..tasks.inputs import UNSEEN

Tables = Mapping[str, dict[str, Array]]
"""Score tables by the name of the baseline."""
FEW = 30
"""Examples under which scores say little."""
RARE = 5
"""Gold examples under which the scores of a label say little."""
FLAT = 0.01
"""Deviation of predicted numbers, as a share of that of the gold ones, under which they count as constant."""
RISEN, FALLEN, LEARNT = 1.2, 0.95, 0.1
"""The last loss as a share of the first: above the first it has risen, above the second it has not fallen, and below
the third the training data are known by heart."""
RESAMPLES = 400
"""Resamples of the comparison with a baseline."""
SHOWN = 5
"""Labels that a message names."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Something about the scores that should be looked at.

    Attributes:
        code: A short stable name.
        message: What was found, and the likely cure, in one line.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final model on one split.

    Attributes:
        task: The fitted task, with its thresholds.
        examples: Labelled examples.
        predictions: One an example.
        evaluation: Scores of the predictions.
        baselines: Score tables of the baselines on the same examples.
        constant: The constant answer among them, where there is one.
    """

    task: Task
    examples: Sequence[Example]
    predictions: Sequence[Prediction]
    evaluation: Evaluation
    baselines: Tables
    constant: Constant | None = None

    @property
    def table(self) -> dict[str, Array]:
        """The score table of the model."""
        return inference.table_of(self.task, self.examples, predictions=self.predictions)


def verdicts(
    outcomes: Mapping[str, Outcome], *, train: Sequence[Example], config: Config, losses: Sequence[float], best: int
) -> list[Verdict]:
    """Everything about the scores that should be looked at, the gravest first.

    Args:
        outcomes: The final model by split.
        train: The training examples.
        config: The complete configuration, for cures that name what is set.
        losses: The loss of every step.
        best: Number of the step whose weights are the model's.
    """
    split = "test" if "test" in outcomes else "validation"
    outcome = outcomes[split]
    constant = list(constant_predictions(outcome, split, config))
    beaten = list(not_better(outcome, split))
    weak = bool(constant or beaten)
    found = [*course(losses, config, weak=weak), *constant, *with_cure(beaten, config, losses[:best])]
    if not constant:
        found += [
            *nothing_right(outcome, split, config),
            *undefined(outcome, split),
            *unpredicted(outcome, split, train),
        ]
    return [*found, *few(outcomes)]


# ---------------------------------------------------------------------------------------------------------------------
# What the model says.


def constant_predictions(outcome: Outcome, split: str, config: Config) -> Iterator[Verdict]:
    """A model that says the same about every input, although the gold answers differ."""
    said = [next(iter(prediction.values())) for prediction in outcome.predictions]
    gold = [example.target for example in outcome.examples]
    if len(said) < 2 or len(spellings(gold, outcome.examples)) < 2:
        return
    if isinstance(said[0], float):
        if not float(np.std(said)) <= FLAT * float(np.std(gold)):
            return
        what = f"nearly the same number, {number(float(np.mean(said)))}"
    else:
        values = spellings(said, outcome.examples)
        if len(values) > 1:
            return
        same = outcome.constant
        named = same is not None and values == spellings(
            [next(iter(same.predict(example).values())) for example in outcome.examples], outcome.examples
        )
        what = f"the same: {same.name if same is not None and named else min(values)}"
    yield Verdict(
        "constant-prediction",
        f"for all {many(len(said), 'example')} of {split} the model says {what}; the texts make no difference to it. "
        f"Train longer (--epochs), at another rate (--learning-rate){or_full(config)}; is the right column named?",
    )


def or_full(config: Config) -> str:
    """The advice to train the whole model, where it was not trained."""
    return "" if config.strategy == "full" else ", or with --strategy full"


def spellings(values: Sequence[object], examples: Sequence[Example]) -> set[str]:
    """The different values; of tags, one for each word, the different tags."""
    if examples[0].words is not None:
        return {str(tag) for tags in values if isinstance(tags, (list, tuple)) for tag in tags}
    return {json.dumps(value, ensure_ascii=False, default=str) for value in values}


def nothing_right(outcome: Outcome, split: str, config: Config) -> Iterator[Verdict]:
    """Predictions of which none is right: the primary score is 0, or that of questions with an answer."""
    metrics = outcome.evaluation.metrics
    primary = next(iter(metrics))
    for name in dict.fromkeys((primary, "has_answer_f1")):
        if metrics.get(name) == 0 and higher_is_better(name):
            yield Verdict(
                "nothing-right",
                f"{name} of {split} is 0: no prediction is right. Train longer "
                f"(--epochs){or_full(config)}; a model of the data's language helps (--model)",
            )
            return


def undefined(outcome: Outcome, split: str) -> Iterator[Verdict]:
    """Scores that are no numbers."""
    metrics = outcome.evaluation.metrics
    names = [name for name, value in metrics.items() if not math.isfinite(value)]
    if next(iter(metrics)) in names:
        yield Verdict(
            "undefined-score",
            f"{', '.join(names)} of {split} {'is' if len(names) == 1 else 'are'} undefined: "
            f"all {many(len(outcome.examples), 'gold answer')} or all predictions are the same. Score more examples",
        )


def unpredicted(outcome: Outcome, split: str, train: Sequence[Example]) -> Iterator[Verdict]:
    """Labels that have gold examples and are never predicted."""
    lines = [
        line
        for line in outcome.evaluation.breakdown
        if line.get("support") and line.get("predicted") == 0 and line["label"] != UNSEEN
    ]
    if not lines:
        return
    counts = Counter(label for example in train for label in outcome.task.labels_in(example))
    shown = [
        f"{listed([line['label']])} ({line['support']:,} in {split}, {counts[line['label']]:,} in training)"
        for line in sorted(lines, key=lambda line: -line["support"])
    ]
    others = f" and {len(shown) - SHOWN:,} more" if len(shown) > SHOWN else ""
    weights = getattr(outcome.task.options, "class_weights", None)
    cure = "; or --set options.class_weights=balanced" if weights == "none" else ""
    noun = "this label is" if len(lines) == 1 else f"these {len(lines):,} labels are"
    yield Verdict(
        "never-predicted",
        f"{noun} never predicted: {', '.join(shown[:SHOWN])}{others}. More training examples of "
        f"{'it' if len(lines) == 1 else 'them'} help{cure}",
    )


def few(outcomes: Mapping[str, Outcome]) -> Iterator[Verdict]:
    """Splits, and labels in them, with too few examples to say anything."""
    for name, outcome in outcomes.items():
        size, lines = len(outcome.examples), outcome.evaluation.breakdown
        rare = [line["label"] for line in lines if 0 < line.get("support", 0) < RARE and line["label"] != UNSEEN]
        if size < FEW:
            yield Verdict(
                "few-examples",
                f"{name} has {many(size, 'example')}: its scores are a hint at most. "
                f"{'Score' if name == 'test' else 'Choose by'} {FEW} or more"
                + (" (--hold-out 0.3, or --validation)" if name == "validation" else ""),
            )
        elif rare:
            others = f" and {len(rare) - SHOWN:,} more" if len(rare) > SHOWN else ""
            yield Verdict(
                "few-of-a-label",
                f"{name} has fewer than {RARE} examples of {listed(rare[:SHOWN])}{others}: "
                f"the scores of {'this label say' if len(rare) == 1 else 'these labels say'} little",
            )


# ---------------------------------------------------------------------------------------------------------------------
# Beside what costs nothing.


def not_better(outcome: Outcome, split: str) -> Iterator[Verdict]:
    """The strongest baseline that the model is not clearly better than, by the first metric that both have.

    The difference is that of the same examples, with its paired bootstrap interval.
    """
    table, metrics = outcome.table, outcome.evaluation.metrics
    groups = inference.clusters(outcome.task, outcome.examples)
    found: list[tuple[float, Verdict]] = []
    for name, other in outcome.baselines.items():
        theirs = outcome.evaluation.baselines[name]
        metric = next((key for key in metrics if math.isfinite(metrics[key]) and math.isfinite(theirs[key])), None)
        if metric is None:
            continue
        sign = 1 if higher_is_better(metric) else -1
        gain = sign * (metrics[metric] - theirs[metric])
        scores = f"{metric} of {split} is {number(metrics[metric])}, that of {name} {number(theirs[metric])}"
        if gain == 0 and metrics[metric] == 1 and sign == 1:
            message = f"{name} does as well as the model, which costs more: {scores}"
            found.append((gain, Verdict("equal-baseline", message)))
            continue
        if gain <= 0:
            message = f"the model is not better than what costs nothing: {scores}"
            found.append((gain, Verdict("below-baseline", message)))
            continue
        difference = paired(table, other, outcome.task.metrics[metric], resamples=RESAMPLES, groups=groups)
        low, high = sorted((sign * difference.low, sign * difference.high))
        if low <= 0:
            by = f"better by {number(gain)}, 95 % interval {number(low)} to {number(high)}"
            message = f"the model may be no better than what costs nothing: {scores} ({by})"
            found.append((gain, Verdict("near-baseline", message)))
    if found:
        yield min(found, key=lambda pair: pair[0])[1]


def with_cure(found: Sequence[Verdict], config: Config, losses: Sequence[float]) -> Iterator[Verdict]:
    """The comparison with a baseline, and what would make the model better than it.

    Args:
        found: The comparison.
        config: The complete configuration.
        losses: The loss of every step up to the best weights.
    """
    for one in found:
        if one.code in ("near-baseline", "equal-baseline"):
            cure = "More examples to score would tell them apart"
        elif 0 <= fall(losses) < LEARNT:
            cure = (
                f"The loss fell to {fall(losses):.0%} of its start, so the training data are learnt by heart: more of "
                "them help, or fewer --epochs"
            )
        elif config.strategy == "head":
            cure = "With --strategy last-2 or full more than the head learns; another model may suit the data (--model)"
        else:
            cure = "More --epochs, another --learning-rate or a model that suits the data better (--model) may help"
        yield Verdict(one.code, f"{one.message}. {cure}")


# ---------------------------------------------------------------------------------------------------------------------
# How the training went.


def course(losses: Sequence[float], config: Config, *, weak: bool) -> Iterator[Verdict]:
    """A loss that has risen; or has not fallen, where the scores are weak, too.

    Args:
        losses: The loss of every step.
        config: The complete configuration.
        weak: Whether a baseline is as good as the model.
    """
    share, rate = fall(losses), config.training.learning_rate or 0.0
    if share > RISEN:
        yield Verdict(
            "loss-risen",
            f"the training loss ended at {share:.1f} times its start: the learning rate {rate:g} is too high. "
            f"Try --learning-rate {rate / 10:.1g}",
        )
    elif weak and share > FALLEN:
        yield Verdict(
            "loss-not-fallen",
            f"the training loss ended at {share:.0%} of its start: nothing was learned. Train longer (--epochs) or "
            f"faster (--learning-rate {rate * 3:.1g})",
        )


def fall(losses: Sequence[float]) -> float:
    """The mean loss of the last tenth of the steps as a share of that of the first; nan for fewer than ten steps."""
    tenth = len(losses) // 10
    first, last = (float(np.mean(part)) for part in (losses[:tenth], losses[-tenth:])) if tenth else (0.0, 0.0)
    return last / first if first > 0 else math.nan
