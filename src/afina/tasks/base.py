"""What a task must say. One file beside this one is one task; `find` gives it by its name.

A task is a frozen object made of `options` (what the user may set) and `fitted` (what the training data taught it:
the label set, the scale of a regression). Everything a task answers is a plain function of those two.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..errors import ConfigError, Problem, printable
from ..metrics.scores import Metric
from ..records import Example, Features, Prediction, Row, ScoreRow, Window

if TYPE_CHECKING:
    import torch

Array = np.ndarray[Any, Any]
GROUP = "afina.tasks"
"""Entry-point group under which other packages offer tasks: `name = "package.module:TaskClass"`."""


class Options(BaseModel):
    """What the user may set for a task. Subclassed once a task; frozen, and unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    roles: ClassVar[tuple[str, ...]] = ()
    """The options that name columns of the data."""

    @property
    def slides(self) -> bool:
        """Whether a long example becomes overlapping windows."""
        return False


class TextOptions(Options):
    """The columns of a task about a text or a pair of texts."""

    roles: ClassVar[tuple[str, ...]] = ("text", "pair", "label")
    text: str | None = Field(None, description="column of the text; well-known names are recognised")
    pair: str | None = Field(None, description="column of the second text, for pairs")
    label: str | None = Field(None, description="column of the label; well-known names are recognised")
    long: Literal["truncate", "windows"] = Field(
        "truncate", description="texts over the length limit: truncate, or windows that overlap, their logits averaged"
    )

    @property
    def slides(self) -> bool:
        return self.long == "windows"


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """The head a task needs, in the terms of the stock classes.

    Attributes:
        auto_class: The stock auto class that loads the saved model, for example `AutoModelForSequenceClassification`.
        outputs: Numbers an example or a token, the width of the logits.
        config: Entries of the saved `config.json` (`id2label`, `problem_type` ...).
        tags: Whether the outputs are tags of neighbouring tokens, whose sequences a CRF can score.
        scale: Deviation and mean that turn the trained outputs into the user's scale; they are folded into the last
            layer when training is over, so that the saved model answers in that scale by itself.
    """

    auto_class: str
    outputs: int
    config: Mapping[str, Any] = field(default_factory=dict)
    tags: bool = False
    scale: tuple[float, float] = (1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """Small learnable data for one way of using a task. The contract battery runs on it."""

    rows: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that a task must refuse, and a word that its message must hold."""

    row: Mapping[str, Any]
    says: str
    options: Mapping[str, Any] = field(default_factory=dict)


class Task(ABC):
    """The whole contract. A final class in `tasks/NAME.py` signs it; nothing else in afina names a task.

    Attributes:
        name: Its name, which is that of its file.
        aliases: Other names under which people know it, such as those of the Hugging Face hub.
        summary: What it learns, in a few words.
        Options: The class of its options.
        level: What one row of logits belongs to. The logits of an example with several windows are averaged.
        label_unit: What has one label out of a few, so that a label can be doubted; None where nothing has.
        samples: Small learnable data, for the contract battery.
        broken: Rows that it must refuse, for the contract battery.
        options: What the user set.
        fitted: What the training data taught it; JSON values only.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str]
    Options: ClassVar[type[Options]]
    level: ClassVar[Literal["example", "token"]]
    label_unit: ClassVar[Literal["text", "word"] | None] = None
    samples: ClassVar[Sequence[Sample]]
    broken: ClassVar[Sequence[Broken]]

    def __init__(self, options: Any, fitted: Mapping[str, Any] | None = None) -> None:
        self.options = options
        self.fitted: Mapping[str, Any] = fitted or {}

    # What it is.

    @property
    @abstractmethod
    def metrics(self) -> Mapping[str, Metric]:
        """Name to function of the score table; the first is the primary one."""

    @property
    @abstractmethod
    def head(self) -> HeadSpec:
        """The head that a fitted task needs."""

    @property
    def slides(self) -> bool:
        """Whether a long example becomes overlapping windows; otherwise it is truncated, and that is counted."""
        return bool(self.options.slides)

    @property
    def labels(self) -> list[str]:
        """The fixed set of labels of which a prediction gives the probabilities, in their order; empty without one."""
        return list(self.fitted.get("labels", ()))

    @property
    def unit(self) -> str:
        """What `coverage` counts, in the plural."""
        return "items"

    @property
    def weighted(self) -> bool:
        """Whether the task's loss weighs labels, which a head with a loss of its own can't."""
        return "weights" in self.fitted

    @property
    def found(self) -> Mapping[str, str]:
        """What fitting found out that the user should see, by name."""
        return {}

    @classmethod
    def from_stock(cls, architecture: str, config: Any) -> Task | None:
        """The task of a stock model that somebody else fine-tuned, or None when its head is not this task's.

        Args:
            architecture: Name of the stock class, for example `BertForSequenceClassification`.
            config: The model's configuration.
        """
        return None

    # From rows to targets.

    @abstractmethod
    def columns(self, names: Sequence[str], *, labelled: bool = True) -> Self:
        """The same task with every column it needs named, chosen among `names`.

        Args:
            names: The columns of the data.
            labelled: False when the data need not hold the answers (prediction).

        Raises:
            ConfigError: a column that was asked for is absent, or the choice is in doubt; lists the columns.
        """

    @abstractmethod
    def read(self, row: Row, *, labelled: bool = True) -> Example:
        """Row to example.

        Raises:
            DataError: the row can't be used; the problems name its place.
        """

    @abstractmethod
    def fit(self, examples: Sequence[Example]) -> Self:
        """The same task, fitted: with what the training examples teach.

        Raises:
            ConfigError: they teach nothing, for example because all have one label.
            DataError: lists examples that can't be used.
        """

    def check(self, example: Example) -> Problem | None:
        """What is wrong with a labelled example in the light of what was fitted, or None."""
        return None

    def warnings(self, examples: Sequence[Example]) -> list[Problem]:
        """What is odd about labelled examples that can be used all the same; it is said, and nothing is refused."""
        return []

    def labels_in(self, example: Example) -> list[str]:
        """The labels that a target is or holds, each as often as it stands there; none for numbers and passages."""
        return [example.target] if isinstance(example.target, str) else []

    def stratum(self, example: Example) -> str:
        """What a hold-out keeps in proportion: the label of an example, or nothing where targets are no labels."""
        return example.target if isinstance(example.target, str) else ""

    def show(self, target: Any) -> str:
        """A target in a few characters, as a message shows it."""
        return printable(target, 40)

    def coverage(self, example: Example, windows: Sequence[Window]) -> tuple[int, int]:
        """How many gold items (`unit`) an example has, and how many of them the windows can express.

        The difference is what truncation and the borders of tokens cost, whatever the model. (0, 0) where the target
        is not made of pieces of the text.
        """
        return 0, 0

    @abstractmethod
    def encode_target(self, example: Example, window: Window) -> Array:
        """The target of one window: a scalar or vector (`level` example: all its windows alike), or one entry a token.

        [] or [k] or [n]
        """

    # From logits to scores.

    @abstractmethod
    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of the losses and the number (or weight) of items, both scalars.

        A sum, so that any split into micro-batches gives the gradient of the whole: loss = total sum / total count.
        """

    def fit_thresholds(
        self, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> Self:
        """The same task with what the validation data decide; itself when there is nothing to decide.

        Args:
            examples: Validation examples.
            features: Their windows.
            logits: For each example, the logits of its windows.
        """
        return self

    @abstractmethod
    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        """Windows of one example and their logits ([k] or [n, k] each) to a prediction (JSON values only).

        The answer itself comes first.
        """

    @abstractmethod
    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        """One line of the table that the metrics read. The example's target must be known."""

    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        """The score by label, a line each, for people; empty where there are no labels."""
        return []

    # Copies.

    def with_options(self, **chosen: Any) -> Self:
        """The same task with other options."""
        return type(self)(self.options.model_copy(update=chosen), self.fitted)

    def with_fitted(self, **fitted: Any) -> Self:
        """The same task, fitted."""
        return type(self)(self.options, fitted)


def stock_labels(config: Any) -> list[str]:
    """The labels of a stock model's configuration, in the order of their ids."""
    return [config.id2label[i] for i in sorted(config.id2label)]


def names() -> list[str]:
    """Names of all tasks: the files beside this one that hold one, then those of other packages."""
    own = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if holds_task(path))
    return own + sorted(point.name for point in entry_points(group=GROUP) if point.name not in own)


def holds_task(path: Path) -> bool:
    """Whether a file defines the class that is named after it."""
    return f"\nclass {path.stem.capitalize()}(" in path.read_text(encoding="utf-8")


def find(name: str) -> type[Task]:
    """The task class of that name: `Classification` in `tasks/classification.py`, or an entry point.

    A name that no task has may be the alias of one; where two tasks claim an alias, the first in `names` has it.

    Raises:
        ConfigError: there is no such task; lists those there are.
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
    """The class of a task that there is."""
    if (Path(__file__).parent / f"{name}.py").exists():
        own: type[Task] = getattr(import_module(f"{__package__}.{name}"), name.capitalize())
        return own
    (point, *_) = entry_points(group=GROUP, name=name)
    offered: type[Task] = point.load()
    return offered
