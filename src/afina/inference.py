"""Predict and evaluate: the one path from examples to predictions and scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .data.holdout import joined
from .metrics.intervals import interval
from .model.network import Network
from .model.tables import KeptStates
from .printing import Block, Shown, Table, many, number
from .records import Example, Features, Prediction, Window
from .tasks.base import Array, Task
from .text.tokenization import Tokenizer, chunks
from .work import Work, drain, run_with_backoff

if TYPE_CHECKING:
    from .calibration import Report

BUFFER = 4096
"""Examples that are sorted by length together while a stream is predicted."""
LABELS = 12
"""Lines of the table of labels at the end of a training."""


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Shown):
    """How good predictions are. `print` shows what `afina evaluate` shows, and a notebook tables.

    Attributes:
        metrics: Name to value, the primary metric first.
        intervals: Name to (low, high), 95 %; nan where there is no interval.
        breakdown: One line a label, where the task has labels.
        examples: Number of scored examples.
        truncated: Number of those that lost tokens to the length limit.
        truncated_tokens: Number of tokens that they lost.
        reasons: Name of each metric without an interval, to why there is none.
        baselines: Name of each baseline to its values of the same metrics on the same examples.
        calibration: How honest the model's probabilities are on them; None where it gives none.
    """

    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    breakdown: list[dict[str, Any]]
    examples: int
    truncated: int = 0
    truncated_tokens: int = 0
    reasons: dict[str, str] = field(default_factory=dict)
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)
    calibration: Report | None = None

    def __repr__(self) -> str:
        return f"Evaluation({(name := next(iter(self.metrics)))} {self.with_interval(name)}, {self.counted})"

    @property
    def counted(self) -> str:
        """Number of the scored examples, in words."""
        return many(self.examples, "example")

    def with_interval(self, metric: str) -> str:
        """A score with its interval, where there is one."""
        value, (low, high) = stated(self.metrics[metric]), self.intervals[metric]
        return value if metric in self.reasons else f"{value} [{number(low)}, {number(high)}]"

    @property
    def scores(self) -> Table:
        """Scores with their intervals, beside those of the baselines; a dash where a baseline's is undefined."""
        rows = [
            [name, self.with_interval(name), *(stated(values.get(name)) for values in self.baselines.values())]
            for name in self.metrics
        ]
        return Table(["metric", f"{'model' if self.baselines else 'value'} (95 % interval)", *self.baselines], rows)

    def labels(self, name: str) -> Iterator[Block]:
        """The scores of each label under a heading; of many labels the worst and the commonest.

        Args:
            name: Name of the scored examples.
        """
        chosen = telling(self.breakdown)
        others = len(self.breakdown) - len(chosen)
        if chosen:
            which = f", the worst and the commonest ({many(others, 'other')} in run.json)" if others else ""
            yield ""
            yield f"labels of {name}{which}"
            yield Table(list(chosen[0]), [list(line.values()) for line in chosen])

    def blocks(self) -> Iterator[Block]:
        """Scores beside those of the baselines, the breakdown, and what the length limit cost."""
        yield self.scores
        yield from without_interval(self)
        if self.calibration is not None and self.calibration.temperature != 1.0:
            yield f"probabilities: at temperature {self.calibration.temperature:g}"
        if self.breakdown:
            yield ""
            yield Table(list(self.breakdown[0]), [list(line.values()) for line in self.breakdown])
        yield ""
        cost = f"{self.truncated:,} truncated, {many(self.truncated_tokens, 'token')} lost"
        yield f"{self.counted}, {cost if self.truncated else 'none truncated'}"


def stated(value: float | None) -> str:
    """A score of a baseline, or a dash where it is undefined."""
    return "-" if value is None or not math.isfinite(value) else number(value)


def telling(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of a table of labels to look at, in its order: all, or of many the commonest and the worst of the rest.

    Labels without gold examples are the last to be shown.
    """
    if len(lines) <= LABELS:
        return list(lines)
    order = sorted(range(len(lines)), key=lambda i: -lines[i].get("support", 0))
    common, others = order[: LABELS // 2], order[LABELS // 2 :]
    worst = sorted(others, key=lambda i: (not lines[i].get("support", 0), lines[i].get("f1", 0.0)))
    return [lines[i] for i in sorted(common + worst[: LABELS - len(common)])]


def without_interval(*evaluations: Evaluation) -> Iterator[str]:
    """Which scores have no interval, each reason once, in a line; nothing where all have one."""
    grouped: dict[str, list[str]] = {}
    for evaluation in evaluations:
        for metric, reason in evaluation.reasons.items():
            grouped.setdefault(reason, []).append(metric)
    if grouped:
        parts = (f"{', '.join(dict.fromkeys(metrics))} ({reason})" for reason, metrics in grouped.items())
        yield f"no interval: {'; '.join(parts)}"


def window_logits(network: Network, windows: Sequence[Window], *, kept: KeptStates | None = None) -> list[Array]:
    """Logits of each window in the user's scale, windows in order. [k] or [n, k] each

    Args:
        network: The model.
        windows: Any number.
        kept: The windows' states at the network's cut, when they are known.
    """
    return drain(compute_logits(network, windows, kept=kept))


@torch.no_grad()
def compute_logits(network: Network, windows: Sequence[Window], *, kept: KeptStates | None = None) -> Work[list[Array]]:
    """The same piece by piece. Equal windows are computed once."""
    network.eval()
    layout = network.layout
    factor, shift = network.scale
    firsts: dict[tuple[bytes, bytes], int] = {}
    same = [firsts.setdefault((window.ids.tobytes(), window.types.tobytes()), i) for i, window in enumerate(windows)]
    distinct = list(firsts.values())
    lengths = [len(windows[i]) for i in distinct]
    found: list[Array] = [np.empty(0)] * len(windows)

    def compute(indices: list[int]) -> None:
        chosen = [distinct[i] for i in indices]
        batch = layout.collate([windows[i] for i in chosen])
        states = None if kept is None else kept.take(chosen, batch)
        whole = (network(batch, states).float() * factor + shift).cpu()
        logits = batch.real(whole, pooled=network.pooling != "tokens").numpy()
        parts = np.split(logits, np.cumsum(batch.lengths)[:-1]) if network.pooling == "tokens" else logits
        for i, part in zip(chosen, parts, strict=True):
            found[i] = part

    yield from run_with_backoff(lengths, layout.budget, split=layout.fill, compute=compute)
    return [found[i] for i in same]


def decode(
    task: Task, examples: Sequence[Example], *, features: Sequence[Features], logits: list[Array]
) -> list[Prediction]:
    """Logits of all windows to one prediction an example."""
    return [
        task.decode(example, one.windows, own)
        for example, one, own in zip(examples, features, by_example(features, logits), strict=True)
    ]


def by_example(features: Sequence[Features], logits: Sequence[Array]) -> list[Sequence[Array]]:
    """The logits of all windows, in lists of each example's own."""
    ends = accumulate(len(one.windows) for one in features)
    return [logits[end - len(one.windows) : end] for one, end in zip(features, ends, strict=True)]


def predict(
    network: Network,
    examples: Iterable[Example],
    *,
    tokenizer: Tokenizer,
    task: Task,
    watch: Callable[[Sequence[Features]], None] = lambda _: None,
) -> Generator[Prediction, None, None]:
    """Predictions in the order of the examples, in memory that does not grow with their number.

    Args:
        network: The fine-tuned model.
        examples: Any number.
        tokenizer: The model's.
        task: Fitted.
        watch: Is shown the features of each chunk, to count what was truncated.
    """
    for chunk in chunks(examples, BUFFER):
        features = tokenizer.encode(task.presented(chunk), slides=task.slides)
        watch(features)
        windows = [window for one in features for window in one.windows]
        yield from decode(task, chunk, features=features, logits=window_logits(network, windows))


def table_of(task: Task, examples: Sequence[Example], *, predictions: Sequence[Prediction]) -> dict[str, Array]:
    """The score table that the metrics read: a column a name, a line an example."""
    rows = [task.score_row(example, prediction) for example, prediction in zip(examples, predictions, strict=True)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def score(task: Task, table: dict[str, Array]) -> dict[str, float]:
    """All metrics of a table, the primary one first."""
    return {name: float(metric(table)) for name, metric in task.metrics.items()}


def evaluate(
    task: Task,
    examples: Sequence[Example],
    *,
    predictions: Sequence[Prediction],
    features: Sequence[Features] = (),
    resamples: int = 2000,
) -> Evaluation:
    """Scores with intervals over the task's clusters of examples, and what the length limit cost."""
    table = table_of(task, examples, predictions=predictions)
    groups = clusters(task, examples)
    found = {name: interval(table, metric, groups=groups, resamples=resamples) for name, metric in task.metrics.items()}
    losses = [example.truncated_tokens for example in features if example.truncated_tokens]
    return Evaluation(
        {name: one.value for name, one in found.items()},
        {name: (one.low, one.high) for name, one in found.items()},
        breakdown=task.breakdown(table),
        examples=len(examples),
        truncated=len(losses),
        truncated_tokens=sum(losses),
        reasons={name: one.reason for name, one in found.items() if one.reason},
    )


def clusters(task: Task, examples: Sequence[Example]) -> Array | None:
    """A number for the cluster of each example; None where every example stands alone. [n]

    Examples are in one cluster where they share what the task says (such as a passage) or their group, or where others
    between them do.
    """
    found = numbered([task.cluster(example) for example in examples])
    if any(example.group is not None for example in examples):
        found = numbered(joined(found, numbered([example.group for example in examples])))
    return np.array(found) if len(set(found)) < len(examples) else None


def numbered(names: Sequence[str | int | None]) -> list[int]:
    """Numbers from 0 in place of names, in the order of their first appearance; None is another one each time."""
    numbers: dict[Any, int] = {}
    return [numbers.setdefault((i,) if name is None else name, len(numbers)) for i, name in enumerate(names)]


def beside_constant(evaluation: Evaluation, task: Task, examples: Sequence[Example]) -> Evaluation:
    """The evaluation beside the constant answer that the scored examples themselves suggest, where the task has one."""
    constant = task.constant(examples)
    if constant is None:
        return evaluation
    table = table_of(task, examples, predictions=[constant.predict(example) for example in examples])
    return replace(evaluation, baselines={f"of these data: {constant.name}": score(task, table)})
