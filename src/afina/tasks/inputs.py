"""Functions shared by tasks: choosing columns, reading texts and labels, class weights and activations."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from ..errors import ConfigError, DataError, Problem, printable
from ..records import Example, Row
from ..text.spans import blank
from .base import Array, TextOptions

TextOptionsT = TypeVar("TextOptionsT", bound="TextOptions")
UNSEEN = "(unseen in training)"
"""Name of the row for labels absent from the training data, in the table of labels."""
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
COUNTABLE = "unseen-countable"
"""Code of a problem with a label absent from the training data, where the example can be scored as missed."""


def listed(names: Iterable[str]) -> str:
    """Names as a list for a message."""
    return ", ".join(printable(name, 40) for name in names)


def present(role: str, asked: str, names: Sequence[str]) -> str:
    """Check that a column named by the user exists, and return it.

    Raises:
        ConfigError: the data have no such column.
    """
    if asked in names:
        return asked
    close = difflib.get_close_matches(asked, names, n=1, cutoff=0.5)
    hint = f", did you mean {close[0]!r}?" if close else "."
    raise ConfigError(f"{role}: the data have no column {printable(asked)}{hint} The columns are: {listed(names)}")


def text_columns(text: str | None, pair: str | None, names: Sequence[str]) -> tuple[str, str | None]:
    """The columns of the text and, for pairs, of the second text: as asked, or with well-known names.

    Raises:
        ConfigError: a named column is absent, or no column or more than one has a well-known name.
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
    matches = singles + pairs
    if len(matches) == 1:
        return matches[0]
    why = (
        "no column has a well-known name"
        if not matches
        else f"several could be meant ({listed(m[0] for m in matches)})"
    )
    raise ConfigError(
        f"text: which column holds the text? {why}; name it (--text NAME, and --pair NAME for a second text), "
        "or give --header A,B if the file has no header line. "
        f"The columns are: {listed(names)}"
    )


def target_column(role: str, asked: str | None, known: Sequence[str], names: Sequence[str]) -> str:
    """The column of the target: as asked, or the one with a well-known name.

    Raises:
        ConfigError: the named column is absent, or no column or more than one has a well-known name.
    """
    if asked is not None:
        return present(role, asked, names)
    lower = {name.strip().lower(): name for name in names}
    matches = [lower[name] for name in known if name in lower]
    if len(matches) == 1:
        return matches[0]
    why = "no column has a well-known name" if not matches else f"several could be meant ({listed(matches)})"
    raise ConfigError(f"{role}: which column holds the {role}? {why}; name it (--{role} NAME). "
                      f"The columns are: {listed(names)}")  # fmt: skip


def input_columns(options: TextOptionsT, known: Sequence[str], names: Sequence[str], *, labelled: bool) -> TextOptionsT:
    """The options of a task about texts or pairs, with the names of its columns.

    Raises:
        ConfigError: see `text_columns` and `target_column`.
    """
    text, pair = text_columns(options.text, options.pair, names)
    label = target_column("label", options.label, known, names) if labelled else options.label
    return options.model_copy(update={"text": text, "pair": pair, "label": label})


def told_apart(quoted: Sequence[str]) -> list[str]:
    """Quoted labels for a message, escaped where several would look the same on a screen (NFC and NFD)."""
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
    """A text of a row. Empty texts are refused in training and evaluation, and allowed in prediction.

    Raises:
        DataError: the column is absent from this row or does not hold a text, or the text is empty.
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
    shown = "nothing" if value is None else f"{type(value).__name__} {printable(value)}"
    raise DataError(Problem(row.place, f"column {column!r}: expected a text, found {shown}", fix, "not-a-text"))


def read_label(row: Row, column: str) -> str:
    """A label of a row as a text: 1, 1.0 and "1" are the same label, and True is `true`.

    A list of one label, as doccano and Label Studio export it, is read as that label.

    Raises:
        DataError: there is no label, or it is not a text, a number or a boolean.
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
    shown = f"{type(value).__name__} {printable(value)}"
    raise DataError(Problem(row.place, f"column {column!r}: expected one label, found {shown}", "", "not-a-label"))


def show_names(names: Iterable[str]) -> str:
    """A short form of several labels or answers for messages."""
    joined = " + ".join(names)
    return printable(joined, 40) if joined else "nothing"


def sorted_labels(labels: Iterable[str]) -> list[str]:
    """Distinct labels in a stable order: by value where all are whole numbers, else by code point."""
    distinct = set(labels)
    if all(label.lstrip("-").isdecimal() for label in distinct):
        return sorted(distinct, key=lambda label: (int(label), label))
    return sorted(distinct)


def closest(label: str, labels: Sequence[str]) -> list[str]:
    """The label that was probably meant, if any: the same but for case, blanks or Unicode form, or a similar one."""

    def normal(text: str) -> str:
        return unicodedata.normalize("NFKC", text).casefold().strip()

    alike = [known for known in labels if normal(known) == normal(label)]
    return alike[:1] or difflib.get_close_matches(label, labels, n=1)


def unseen(example: Example, labels: Sequence[str], *, countable: bool = False) -> Problem | None:
    """The problem of a label that does not occur in the training data, or None where it does.

    Args:
        example: Its target is the label.
        labels: Those of the training data.
        countable: Whether the task's `score_row` can count it as missed (`data.unseen=count`).
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


def class_weights(
    asked: str | Mapping[str, float], labels: Sequence[str], counts: Mapping[str, int]
) -> list[float] | None:
    """One weight per label, or None without weights.

    `balanced` is n / (k * count), the heuristic of King and Zeng (2001) that scikit-learn uses.

    Raises:
        ConfigError: a label is unknown or has no weight.
    """
    if asked == "none":
        return None
    if isinstance(asked, str):
        total = sum(counts.values())
        return [total / (len(labels) * counts[label]) for label in labels]
    wrong = sorted(set(asked) ^ set(labels))
    if wrong:
        raise ConfigError(
            f"options.class_weights: needs one weight for each label; {listed(wrong)} stand on one side only. "
            f"The labels are: {', '.join(printable(label, 30) for label in labels)}"
        )
    return [float(asked[label]) for label in labels]


def softmax(logits: Array) -> Array:
    """Softmax over the last axis, in the precision of its input."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0, -logits.astype(np.float64)))
