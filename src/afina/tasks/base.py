"""The contract of a task. Each task is one file in this folder; `find` returns it by name.

A task is a frozen object made of `options` (the settings of the user) and `fitted` (what it learned from the training
data: the label set, the scale of a regression). Everything a task returns is a plain function of these two.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from ..errors import ConfigError, Problem, printable
from ..metrics.kinds import Metric
from ..metrics.temperature import LabelledLogits
from ..records import Example, Features, Output, Prediction, Row, ScoreRow, Window
from ..text.pairs import PairAs, presented
from . import presentation
from .aims import Aim, Wanted, of_outputs
from .calibrations import NAME, Calibration
from .settings import LabelOptions as LabelOptions  # noqa: PLC0414 - part of the contract
from .settings import Options
from .settings import TextOptions as TextOptions  # noqa: PLC0414 - part of the contract

if TYPE_CHECKING:
    import torch

Array = np.ndarray[Any, Any]
INSIDE = "with an edge inside a token"
"""Why a stretch can't be predicted where no token begins or ends with it."""
GROUP = "afina.tasks"
"""Entry-point group under which other packages offer tasks: `name = "package.module:TaskClass"`."""


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """The head a task needs, in the terms of the stock classes.

    Attributes:
        auto_class: The stock auto class that loads the saved model, for example `AutoModelForSequenceClassification`.
        outputs: Number of logits per example or token.
        config: Entries of the saved `config.json` (`id2label`, `problem_type` ...).
        tags: Whether the outputs are tags of neighbouring tokens, whose sequences a CRF can score.
        scale: Deviation and mean that turn the trained outputs into the user's scale. They are folded into the last
            layer after training, so that the saved model predicts in that scale.
    """

    auto_class: str
    outputs: int
    config: Mapping[str, Any] = field(default_factory=dict)
    tags: bool = False
    scale: tuple[float, float] = (1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Constant:
    """The same answer for every input, which any model must beat.

    Attributes:
        name, predict: The answer for people ("commonest label (good)"), and as `Task.decode` gives it for an example.
    """

    name: str
    predict: Callable[[Example], Prediction]


@dataclass(frozen=True, slots=True)
class Sample:
    """Small learnable data for one way to use a task. The contract tests run on it."""

    rows: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that a task must refuse, and a part of the expected message."""

    row: Mapping[str, Any]
    says: str
    options: Mapping[str, Any] = field(default_factory=dict)


class Task(ABC):
    """The contract of a task. A final class in `tasks/NAME.py` implements it; nothing else in afina names a task.

    Attributes:
        name: Name of the task and of its file.
        aliases: Other common names of the task, such as those of the Hugging Face hub.
        summary: What the task predicts, in a few words.
        Options: Class of the options.
        level: Whether a row of logits belongs to an example or a token. Logits of windows are averaged.
        label_unit: The unit that has one label of a fixed set and is searched for label errors, or None.
        set_name: Name under which a prediction gives the set or the interval that holds what is right with a wanted
            probability (`prediction_set`); empty where the task has none.
        gives: What outputs hold beside cells: `marks` in a text, tagged `words`, an `answer` to a question.
        ignored: The value of all targets of a row that the loss leaves out of its sum and its number of items; None
            where the loss knows no such rows. On a GPU it fills batches up to a few shapes, for a loss that reads
            nothing on the host; a loss without it is asked about real rows only, and its steps are not captured.
        samples: Small learnable data for the contract tests.
        broken: Rows that the task must refuse, for the contract tests.
        options: Settings of the user.
        fitted: What the task learned from the training data; JSON values only.
        calibration: What it learned of its certainty, which is an entry of `fitted`.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str]
    Options: ClassVar[type[Options]]
    level: ClassVar[Literal["example", "token"]]
    label_unit: ClassVar[Literal["text", "word"] | None] = None
    set_name: ClassVar[str] = ""
    gives: ClassVar[tuple[str, ...]] = ()
    ignored: ClassVar[float | None] = None
    samples: ClassVar[Sequence[Sample]]
    broken: ClassVar[Sequence[Broken]]

    def __init__(self, options: Any, fitted: Mapping[str, Any] | None = None) -> None:
        self.options = options
        self.fitted: Mapping[str, Any] = fitted or {}
        self.calibration = Calibration.among(self.fitted)

    # Description.

    @property
    @abstractmethod
    def metrics(self) -> Mapping[str, Metric]:
        """Metrics by name, as functions of the score table. The first is the primary metric."""

    @property
    @abstractmethod
    def head(self) -> HeadSpec:
        """The head that a fitted task needs."""

    @property
    def slides(self) -> bool:
        """Whether a long example becomes overlapping windows. Otherwise it is truncated, which is reported."""
        return bool(self.options.slides)

    def presented(self, examples: Sequence[Example]) -> Sequence[Example]:
        """The examples as the encoder is to read them. All else goes by the examples as they are."""
        how: PairAs = getattr(self.options, "pair_as", "both")
        return examples if how == "both" else [presented(example, how) for example in examples]

    @property
    def labels(self) -> list[str]:
        """The fixed labels whose probabilities a prediction gives, in order; empty without a fixed set of labels."""
        return list(self.fitted.get("labels", ()))

    @property
    def unit(self) -> str:
        """What `coverage` counts, in the plural."""
        return "items"

    @property
    def weighted(self) -> bool:
        """Whether the task's loss weights labels, which a head with its own loss can't do."""
        return "weights" in self.fitted

    @property
    def found(self) -> Mapping[str, str]:
        """Results of fitting that the user should see, by name."""
        return {}

    @classmethod
    def from_stock(cls, architecture: str, config: Any) -> Task | None:
        """The task of a stock model that was fine-tuned elsewhere, or None where its head is not of this task.

        Args:
            architecture: Name of the stock class, for example `BertForSequenceClassification`.
            config: The model's configuration.
        """
        return None

    # From rows to targets.

    @abstractmethod
    def columns(self, names: Sequence[str], *, rows: Sequence[Row] = (), labelled: bool = True) -> Self:
        """The task with the name of every column it needs, chosen from `names`.

        Args:
            names: The columns of the data.
            rows: The first rows of the data, for a choice by what columns hold where no name decides.
            labelled: Whether the data must hold targets; False for prediction.

        Raises:
            ConfigError: a column that was asked for is absent, or the choice is ambiguous; lists the columns.
        """

    @abstractmethod
    def read(self, row: Row, *, labelled: bool = True) -> Example:
        """Read an example from a row.

        Raises:
            DataError: the row can't be used; its problems name the place of the row.
        """

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns of an input, one for each of its texts; empty where any text or pair of texts will do."""
        columns = (getattr(self.options, role, None) for role in ("text", "pair"))
        return tuple(column for column in columns if column is not None)

    @property
    def words_column(self) -> str | None:
        """The column of lists of words, where an input is such a list, as in the training data, or a plain text."""
        return None if self.inputs else getattr(self.options, "tokens", None)

    @abstractmethod
    def fit(self, examples: Sequence[Example]) -> Self:
        """The task fitted to the training examples.

        Raises:
            ConfigError: nothing can be learned, for example because all examples have the same label.
            DataError: lists the examples that can't be used.
        """

    def refit(self, examples: Sequence[Example]) -> Self:
        """The fitted task, fitted to some of its training examples, in its spelling, that show all `essentials`."""
        return self.fit(examples)

    def remarks(self, rows: Sequence[Row]) -> list[str]:
        """What a person should know about the chosen columns and how they are read, for the log.

        Args:
            rows: The first rows of the training data.
        """
        return []

    def adapt(self, examples: Sequence[Example]) -> tuple[list[Example], list[str]]:
        """Labelled examples in the spelling of the fitted task, and what was spelled otherwise, for the log.

        The same label may be written in several ways: 1 and 1.0, true and True, LOC-B and B-LOC.
        """
        return list(examples), []

    def check(self, example: Example) -> Problem | None:
        """The problem of a labelled example that does not suit the fitted task, or None."""
        return None

    def warnings(self, examples: Sequence[Example]) -> list[Problem]:
        """Suspicious features of labelled examples. They are reported, and no example is refused."""
        return []

    def labels_in(self, example: Example) -> list[str]:
        """The labels of a target, repeated as often as they occur; empty for numbers and answers."""
        return [example.target] if isinstance(example.target, str) else []

    def gold_spans(self, example: Example) -> list[tuple[int, int]]:
        """Character spans of the entities of a target; empty where targets are no entities."""
        return []

    def stratum(self, example: Example) -> str:
        """The stratum of an example in stratified splits: its label, or the empty text where targets are not labels."""
        return example.target if isinstance(example.target, str) else ""

    def essentials(self, examples: Sequence[Example]) -> list[set[str]]:
        """What each example shows that training must see once: its labels, and whatever else `fit` or `check` ask for.

        An example that alone shows something is never held out of the training data.
        """
        return [set(self.labels_in(example)) for example in examples]

    def kept_together(self, example: Example) -> tuple[str, str]:
        """The texts by which examples stay on one side when a part is held out, where they are the same or nearly so.

        By default the whole input; for questions, the passage.
        """
        return example.text, example.pair or ""

    def cluster(self, example: Example) -> str | None:
        """What an example shares with others that are right or wrong together, such as a passage; by default None.

        Intervals of scores take examples of one cluster for less evidence than as many others.
        """
        return None

    def show(self, target: Any) -> str:
        """A short form of a target for messages."""
        return printable(target, 40)

    def fit_tokens(self, examples: Sequence[Example], features: Iterable[Features]) -> Self:
        """The task with what the tokens of the training examples show, as their features, read only where needed, say.

        By default the task itself.
        """
        return self

    def coverage(self, example: Example, windows: Sequence[Window]) -> list[str]:
        """For each gold item (`unit`) of an example, why no prediction can express it; the empty text where one can.

        What is lost to windows and token boundaries is lost whatever the model. A reason follows a number ("3 with
        an edge inside a token"). The list is empty where the target does not consist of parts of the text.
        """
        return []

    @abstractmethod
    def encode_target(self, example: Example, window: Window) -> Array:
        """The target of one window: a scalar or vector, the same for all windows of an example, or one entry per token.

        [] or [k] or [n]
        """

    # From logits to scores.

    @abstractmethod
    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of the losses and number (or total weight) of items. Both are scalars.

        The loss is a sum so that any division into micro-batches gives the gradient of the whole batch: loss = total
        sum / total count.
        """

    def fit_thresholds(
        self, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> Self:
        """The task with thresholds fitted to the validation data; by default the task itself.

        Args:
            examples: Validation examples.
            features: Features of each example.
            logits: Logits of the windows of each example.
        """
        return self

    @abstractmethod
    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        """Decode the logits of an example's windows ([k] or [n, k] each) into a prediction of JSON values.

        The first entry is the prediction itself.
        """

    def aims(self, example: Example, windows: Sequence[Window], logits: Sequence[Array], wanted: Wanted) -> list[Aim]:
        """What can be explained of an answer; by default the logit of each label that is given, or the number."""
        return of_outputs(self, example, windows, logits, wanted)

    def output(self, example: Example, prediction: Prediction) -> Output:
        """A prediction as people and other programs take it; by default all its values as cells of a table."""
        return presentation.plain_output(example, prediction)

    @abstractmethod
    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        """One row of the table that the metrics read. The example must have a target."""

    def constant(self, examples: Sequence[Example]) -> Constant | None:
        """The constant answer that labelled examples suggest to the fitted task; by default None."""
        return None

    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        """The scores of each label, one row per label; empty where there are no labels."""
        return []

    # How sure it is, and how sure it may be. All of it is optional.

    @property
    def confident_of(self) -> str:
        """What `confidences` are about, in the singular; empty where the task has none."""
        return ""

    def confidences(self, example: Example, prediction: Prediction) -> list[tuple[float, bool]]:
        """How sure the model is of each thing that a prediction says, from 0 to 1, and whether that thing is right."""
        return []

    def labelled_logits(
        self, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> LabelledLogits | None:
        """Logits beside what is right, to fit a temperature to; None where the task's probabilities have none.

        A task that gives them divides its logits by `calibration.temperature` in `decode`, and answers the same.

        Args:
            examples: Labelled examples; those that `check` refuses are left out.
            features: Features of each example.
            logits: Logits of the windows of each example.
        """
        return None

    def with_calibration(self, calibration: Calibration) -> Self:
        """A copy that knows of its certainty. What it answers is the same."""
        return self.with_fitted(
            **{name: value for name, value in self.fitted.items() if name != NAME} | calibration.entry
        )

    def strangeness(self, example: Example, prediction: Prediction) -> float | None:
        """How strange the target of an example looks to the model; None where the task has no sets."""
        return None

    def prediction_set(self, prediction: Prediction, bound: float) -> Any:
        """All targets that are no stranger than a bound, which may be infinite: labels, or the ends of an interval."""
        return None

    # Copies.

    def with_options(self, **chosen: Any) -> Self:
        """A copy of the task with some options changed."""
        return type(self)(self.options.model_copy(update=chosen), self.fitted)

    def with_fitted(self, **fitted: Any) -> Self:
        """A copy of the task with the given fitted values."""
        return type(self)(self.options, fitted)


def stock_labels(config: Any) -> list[str]:
    """The labels of a stock model's configuration, in the order of their ids."""
    return [config.id2label[i] for i in sorted(config.id2label)]


def names() -> list[str]:
    """Names of all tasks: those of the files here that define a class of their name, then those of other packages."""
    files = {path.stem: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py")}
    own = sorted(name for name, text in files.items() if f"\nclass {name.capitalize()}(" in text)
    return own + sorted(point.name for point in entry_points(group=GROUP) if point.name not in own)


def find(name: str) -> type[Task]:
    """The task class with the given name or alias: `Classification` in `tasks/classification.py`, or an entry point.

    Names take precedence over aliases. Where two tasks have the same alias, it belongs to the first in `names`.

    Raises:
        ConfigError: there is no such task; lists the existing ones.
    """
    known = names()
    if name in known:
        return load(name)
    aliased = {alias: kind for kind in reversed([*map(load, known)]) for alias in kind.aliases}
    if name in aliased:
        return aliased[name]
    close = difflib.get_close_matches(name, [*known, *aliased], n=1)
    hint = f", did you mean {close[0]!r}?" if close else "."
    raise ConfigError(f"task: {printable(name)} is not a task{hint} There are: {', '.join(known)}")


def load(name: str) -> type[Task]:
    """Load the class of an existing task."""
    if (Path(__file__).parent / f"{name}.py").exists():
        own: type[Task] = getattr(import_module(f"{__package__}.{name}"), name.capitalize())
        return own
    (point, *_) = entry_points(group=GROUP, name=name)
    offered: type[Task] = point.load()
    return offered
