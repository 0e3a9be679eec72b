"""What a task must say. One file beside this one is one task; `find` gives it by its name.

A task is a frozen object made of `options` (what the user may set) and `facts` (what the training data taught it:
the label set, the scale of a regression). Everything a task answers is a plain function of those two.
"""

from __future__ import annotations

import difflib
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..errors import ConfigError, DataError, Problem, printable
from ..metrics.scores import Metric
from ..records import Example, Features, Prediction, Row, ScoreRow, Window

if TYPE_CHECKING:
    import torch

Array = np.ndarray[Any, Any]
TextOptionsT = TypeVar("TextOptionsT", bound="TextOptions")
GROUP = "afina.tasks"
"""Entry-point group under which other packages offer tasks: `name = "package.module:TaskClass"`."""


class Options(BaseModel):
    """What the user may set for a task. Subclassed once a task; frozen, and unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TextOptions(Options):
    """The columns of a task about a text or a pair of texts."""

    text: str | None = Field(None, description="column of the text; well-known names are recognised")
    pair: str | None = Field(None, description="column of the second text, for pairs")
    label: str | None = Field(None, description="column of the label; well-known names are recognised")
    long: Literal["truncate", "windows"] = Field(
        "truncate", description="texts over the length limit: truncate, or windows that overlap, their logits averaged"
    )


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """The head a task needs, in the terms of the stock classes.

    Attributes:
        auto_class: The stock auto class that loads the saved model, for example `AutoModelForSequenceClassification`.
        outputs: Numbers an example or a token, the width of the logits.
        config: Entries of the saved `config.json` (`id2label`, `problem_type` ...).
        scale: Deviation and mean that turn the trained outputs into the user's scale; they are folded into the last
            layer when training is over, so that the saved model answers in that scale by itself.
    """

    auto_class: str
    outputs: int
    config: Mapping[str, Any]
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
    """The whole contract. A final class in `tasks/NAME.py` signs it; nothing else in afina names a task."""

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[Options]]
    level: ClassVar[Literal["example", "token"]]
    """What one row of logits belongs to. The logits of an example with several windows are averaged."""
    samples: ClassVar[Sequence[Sample]]
    broken: ClassVar[Sequence[Broken]]
    label_unit: ClassVar[Literal["text", "word"] | None] = None
    """What has one label out of a few, so that a label can be doubted; None where nothing has."""
    unit: str = "items"
    """What `coverage` counts, in the plural."""

    options: Any
    fitted: Mapping[str, Any]

    @abstractmethod
    def __init__(self, options: Any, fitted: Mapping[str, Any] | None = None) -> None:
        """Make the task from its checked options and, once known, its facts."""

    @property
    @abstractmethod
    def metrics(self) -> Mapping[str, Metric]:
        """Name to function of the outcome table; the first is the primary one."""

    @property
    @abstractmethod
    def slides(self) -> bool:
        """Whether a long example becomes overlapping windows (otherwise it is cut, and the cut is counted)."""

    @property
    @abstractmethod
    def head(self) -> HeadSpec:
        """The head this task needs. Facts must be known."""

    @abstractmethod
    def columns(self, names: Sequence[str], *, labelled: bool = True) -> Task:
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
    def fit(self, examples: Sequence[Example]) -> Task:
        """The same task with the facts that the training examples teach."""

    @abstractmethod
    def check(self, example: Example) -> Problem | None:
        """What is wrong with a labelled example in the light of the facts, or None."""

    def doubts(self, examples: Sequence[Example]) -> list[Problem]:
        """What is odd about labelled examples that can be used all the same; it is said, and nothing is refused."""
        return []

    def labels_in(self, example: Example) -> list[str]:
        """The labels that a target is or holds, each as often as it stands there; none for numbers and passages."""
        found = [example.target] if isinstance(example.target, str) else example.target
        names = [getattr(one, "label", one) for one in found] if isinstance(found, list | tuple) else []
        return [name for name in names if isinstance(name, str)]

    def show(self, target: Any) -> str:
        """A target in a few characters, as a message shows it."""
        return printable(target, 40)

    def stratum(self, example: Example) -> str:
        """What a hold-out keeps in proportion: the label of an example, or nothing where targets are no labels."""
        return example.target if isinstance(example.target, str) else ""

    def coverage(self, example: Example, windows: Sequence[Window]) -> tuple[int, int]:
        """How many gold `items` an example has, and how many of them the windows can express.

        The difference is what truncation and the borders of tokens cost, whatever the model. (0, 0) where the target
        is not made of pieces of the text.
        """
        return 0, 0

    @abstractmethod
    def encode_target(self, example: Example, window: Window) -> Array:
        """The target of one window: a scalar or vector (`per` example: all its windows alike), or one entry a token.

        [] or [k] or [n]
        """

    @abstractmethod
    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of the losses and the number (or weight) of items, both scalars.

        A sum, so that any split into micro-batches gives the gradient of the whole: loss = total sum / total count.
        """

    @abstractmethod
    def fit_thresholds(
        self, examples: Sequence[Example], features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> Task:
        """The same task with what the validation data decide (thresholds); itself when there is nothing to decide.

        Args:
            examples: Validation examples.
            features: Their windows.
            logits: For each example, the logits of its windows.
        """

    @abstractmethod
    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        """Windows of one example and their logits ([k] or [n, k] each) to a prediction (JSON values only)."""

    @abstractmethod
    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        """One line of the table that the metrics read. The example's target must be known."""

    @abstractmethod
    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        """A breakdown of the score for people (one line a label); may be empty."""


def names() -> list[str]:
    """Names of all tasks: the files beside this one, then those of other packages."""
    own = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in ("__init__", "base"))
    return own + sorted(point.name for point in entry_points(group=GROUP) if point.name not in own)


def find(name: str) -> type[Task]:
    """The task class of that name: `Classification` in `tasks/classification.py`, or an entry point.

    Raises:
        ConfigError: there is no such task; lists those there are.
    """
    known = names()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {close[0]!r}?" if close else "."
        raise ConfigError(f"task: {printable(name)} is not a task{hint} There are: {', '.join(known)}")
    if (Path(__file__).parent / f"{name}.py").exists():
        found: type[Task] = getattr(import_module(f"{__package__}.{name}"), name.capitalize())
        return found
    (point, *_) = entry_points(group=GROUP, name=name)
    loaded: type[Task] = point.load()
    return loaded


# ---------------------------------------------------------------------------------------------------------------------
# What tasks share: choosing columns, reading texts and labels.

TEXT_NAMES = ("text", "sentence", "review", "document", "comment", "message", "texto", "frase", "sentença")
PAIR_NAMES = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("question1", "question2"),
    ("sentence_a", "sentence_b"),
    ("#1 string", "#2 string"),
    ("premissa", "hipótese"),
)


def listed(names: Iterable[str]) -> str:
    """Names as they may stand in a message."""
    return ", ".join(printable(name, 40) for name in names)


def present(role: str, asked: str, names: Sequence[str]) -> str:
    """A column that the user named, checked.

    Raises:
        ConfigError: the data hold no such column.
    """
    if asked in names:
        return asked
    close = difflib.get_close_matches(asked, names, n=1, cutoff=0.5)
    hint = f", did you mean {close[0]!r}?" if close else "."
    raise ConfigError(f"{role}: the data have no column {printable(asked)}{hint} The columns are: {listed(names)}")


def text_columns(text: str | None, pair: str | None, names: Sequence[str]) -> tuple[str, str | None]:
    """The column of the text and, for pairs, of the second text: as asked, or recognised by well-known names.

    Raises:
        ConfigError: a named column is absent, or no choice or more than one offers itself.
    """
    if text is not None:
        return present("text", text, names), None if pair is None else present("pair", pair, names)
    if pair is not None:
        raise ConfigError(
            f"pair: {printable(pair)} is given without `text`; name both. The columns are: {listed(names)}"
        )
    lower = {name.strip().lower(): name for name in names}
    singles: list[tuple[str, str | None]] = [(lower[name], None) for name in TEXT_NAMES if name in lower]
    pairs: list[tuple[str, str | None]] = [(lower[a], lower[b]) for a, b in PAIR_NAMES if a in lower and b in lower]
    found = singles + pairs
    if len(found) == 1:
        return found[0]
    why = "no column has a well-known name" if not found else f"several could be meant ({listed(f[0] for f in found)})"
    raise ConfigError(
        f"text: which column holds the text? {why}; name it (--text NAME, and --pair NAME for a second text), "
        "or give --header A,B if the file has no header line. "
        f"The columns are: {listed(names)}"
    )


def target_column(role: str, asked: str | None, known: Sequence[str], names: Sequence[str]) -> str:
    """The column of the target: as asked, or the one with a well-known name.

    Raises:
        ConfigError: the named column is absent, or no choice or more than one offers itself.
    """
    if asked is not None:
        return present(role, asked, names)
    lower = {name.strip().lower(): name for name in names}
    found = [lower[name] for name in known if name in lower]
    if len(found) == 1:
        return found[0]
    why = "no column has a well-known name" if not found else f"several could be meant ({listed(found)})"
    raise ConfigError(f"{role}: which column holds the {role}? {why}; name it (--{role} NAME). "
                      f"The columns are: {listed(names)}")  # fmt: skip


def input_columns(options: TextOptionsT, known: Sequence[str], names: Sequence[str], *, labelled: bool) -> TextOptionsT:
    """The options of a task of texts or pairs with its columns named.

    Raises:
        ConfigError: see `text_columns` and `target_column`.
    """
    text, pair = text_columns(options.text, options.pair, names)
    label = target_column("label", options.label, known, names) if labelled else options.label
    return options.model_copy(update={"text": text, "pair": pair, "label": label})


INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""Unicode's categories of control and format characters (zero widths, soft hyphens) and of blanks."""


def blank(text: str) -> bool:
    """Whether a text shows nothing: it is empty, or made of blanks, control and zero-width characters only."""
    return all(unicodedata.category(character) in INVISIBLE for character in text)


def told_apart(quoted: Sequence[str]) -> list[str]:
    """Quoted labels of a message, in escapes where several would look the same on a screen (NFC and NFD)."""
    looks = [unicodedata.normalize("NFC", label) for label in quoted]
    return [
        label.encode("ascii", "backslashreplace").decode() if looks.count(look) > 1 else label
        for label, look in zip(quoted, looks, strict=True)
    ]


def read_inputs(row: Row, options: TextOptions, *, labelled: bool) -> tuple[str, str | None]:
    """The text and, for pairs, the second text of a row.

    Raises:
        DataError: see `read_text`.
    """
    text = read_text(row, options.text or "", labelled=labelled)
    return text, None if options.pair is None else read_text(row, options.pair, labelled=labelled)


def read_text(row: Row, column: str, *, labelled: bool) -> str:
    """A text of a row. Empty texts are refused where they would be trained on or scored, and pass in prediction.

    Raises:
        DataError: the column is absent from this row, or does not hold a text, or the text is empty.
    """
    value = row.values.get(column)
    if isinstance(value, str) and (not labelled or not blank(value)):
        return value
    if value is None and not labelled and column in row.values:
        return ""
    fix = "write the text or drop the row"
    if isinstance(value, str):
        message = f"column {column!r} " + (f"shows nothing: {printable(value, 40)}" if value.strip() else "is empty")
        raise DataError(Problem(row.place, message, fix, "empty-text"))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    found = "nothing" if value is None else f"{type(value).__name__} {printable(value)}"
    raise DataError(Problem(row.place, f"column {column!r}: expected a text, found {found}", fix, "not-a-text"))


def read_label(row: Row, column: str) -> str:
    """A label of a row, as text: 1, 1.0 and "1" are the same label, True is `true`; everything else stays as it is.

    A list of one label, which doccano and Label Studio write, is that label.

    Raises:
        DataError: there is no label, or it is not a text, a number or a truth value.
    """
    value = row.values.get(column)
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str) and not blank(value):
        return value
    if value is None or isinstance(value, str):
        raise DataError(
            Problem(row.place, f"column {column!r} holds no label", "label the row or drop it", "empty-label")
        )
    found = f"{type(value).__name__} {printable(value)}"
    raise DataError(Problem(row.place, f"column {column!r}: expected one label, found {found}", "", "not-a-label"))


def sorted_labels(labels: Iterable[str]) -> list[str]:
    """Distinct labels in a stable order: whole numbers by value, everything else by code point."""
    distinct = set(labels)
    if all(label.lstrip("-").isdecimal() for label in distinct):
        return sorted(distinct, key=lambda label: (int(label), label))
    return sorted(distinct)


COUNTABLE = "unseen-countable"
"""Code of a problem with a label that training lacks, where the example can still be scored, as one that is missed."""


def closest(label: str, labels: Sequence[str]) -> list[str]:
    """The label that was probably meant, if any: one that differs by case, blanks or Unicode form, or a similar one."""

    def normal(text: str) -> str:
        return unicodedata.normalize("NFKC", text).casefold().strip()

    alike = [one for one in labels if normal(one) == normal(label)]
    return alike[:1] or difflib.get_close_matches(label, labels, n=1)


def unseen(example: Example, labels: Sequence[str], *, countable: bool = False) -> Problem | None:
    """A label that the training data did not have is a problem with a place.

    Args:
        example: Its target is the label.
        labels: Those of the training data.
        countable: Whether the task's `outcome` can count it as missed (`data.unseen=count`).
    """
    if example.target in labels:
        return None
    close = closest(str(example.target), labels)
    shown, *meant = told_apart([printable(example.target), *map(printable, close)])
    known = ", ".join(printable(label, 30) for label in labels[:12]) + (" ..." if len(labels) > 12 else "")
    return Problem(
        example.place,
        f"label {shown} does not occur in the training data, which has: {known}",
        f"did you mean {meant[0]}?"
        if meant
        else "correct the label, or train on data that hold it" + (", or --unseen count" if countable else ""),
        COUNTABLE if countable else "unseen-label",
    )
