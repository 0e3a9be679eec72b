"""Functions shared by tasks: choosing columns, reading texts and labels, class weights and activations."""

from __future__ import annotations

import csv
import difflib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from ..errors import ConfigError, DataError, Problem, listed, printable
from ..records import Example, Row
from ..text.spans import blank
from .contents import flag_of, holds_flags, holds_index, holds_labels, holds_numbers, holds_texts, simple
from .labels import as_label, cell_of
from .settings import LabelOptions, TextOptions
from .written import is_several

TextOptionsT = TypeVar("TextOptionsT", bound="TextOptions")
LabelOptionsT = TypeVar("LabelOptionsT", bound="LabelOptions")
UNSEEN = "(unseen in training)"
"""Name of the row for labels absent from the training data, in the table of labels."""
TEXT_NAMES = (
    ("text", "texto"),
    ("sentence", "review", "document", "comment", "message", "tweet", "utterance", "comment_text", "review_text",
     "tweet_text", "frase", "sentença", "comentário", "mensagem", "documento", "resenha"),
    ("content", "body", "headline", "post", "query", "review_body", "full_text", "avaliação", "conteúdo", "manchete"),
)  # fmt: skip
"""Names of the column of the text, the strongest first. Case, accents, blanks and underscores don't count."""
PAIR_NAMES = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("question1", "question2"),
    ("sentence_a", "sentence_b"),
    ("#1 string", "#2 string"),
    ("question", "sentence"),
    ("premissa", "hipótese"),
    ("sentença1", "sentença2"),
    ("frase1", "frase2"),
    ("texto1", "texto2"),
    ("pergunta1", "pergunta2"),
)
Holds = Callable[[Sequence[Row], str], bool]
"""Whether a column holds what is looked for, judged by the first rows."""
COUNTABLE = "unseen-countable"
"""Code of a problem with a label absent from the training data, where the example can be scored as missed."""


def present(role: str, asked: str, names: Sequence[str]) -> str:
    """Check that a column named by the user exists, and return it.

    Raises:
        ConfigError: the data have no such column.
    """
    if asked in names:
        return asked
    close = difflib.get_close_matches(asked, names, n=1, cutoff=0.5)
    hint = f", did you mean {close[0]!r}?" if close else "."
    columns = listed(names, near=[asked])
    raise ConfigError(f"{role}: the data have no column {printable(asked)}{hint} The columns are: {columns}")


def named(known: Iterable[str], names: Sequence[str]) -> list[str]:
    """The columns with a well-known name, whatever their case, accents, blanks and underscores."""
    by_name = {simple(name): name for name in reversed(names)}
    return list(dict.fromkeys(by_name[simple(name)] for name in known if simple(name) in by_name))


def text_columns(
    text: str | None, pair: str | None, names: Sequence[str], *, rows: Sequence[Row] = (), taken: Sequence[str] = ()
) -> tuple[str, str | None]:
    """The columns of the text and, for pairs, of the second text: as asked, with well-known names, or by content.

    Args:
        text: Column that was asked for.
        pair: The same of the second text.
        names: The columns of the data.
        rows: The first rows. Where no name decides, the only column that holds texts is the text.
        taken: Columns that hold something else.

    Raises:
        ConfigError: a named column is absent, or no column or more than one could be meant.
    """
    if text is not None:
        return present("text", text, names), None if pair is None else present("pair", pair, names)
    if pair is not None:
        raise ConfigError(
            f"pair: {printable(pair)} is given without `text`; name both. The columns are: {listed(names, near=[pair])}"
        )
    free = [name for name in names if name not in taken]
    texts = [name for name in free if not holds_numbers(rows, name)]
    matches = known_texts(texts)
    if not matches:
        matches = [(name, None) for name in texts if holds_texts(rows, name) and not holds_index(rows, name)]
    if not matches:
        matches = known_texts(free)
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
        f"The columns are: {listed(names, near=TEXT_NAMES[0])}"
    )


def known_texts(names: Sequence[str]) -> list[tuple[str, str | None]]:
    """The pairs and single columns with well-known names, of single ones those with the strongest names."""
    pairs = [(found[0], found[1]) for pair in PAIR_NAMES if len(found := named(pair, names)) == 2]
    both = {name for pair in pairs for name in pair}
    ranks = [[name for name in named(rank, names) if name not in both] for rank in TEXT_NAMES]
    # A weak name (content, body) does not make a pair doubtful.
    singles = next(filter(None, ranks[:-1] if pairs else ranks), [])
    return [*((name, None) for name in singles), *pairs]


def target_column(
    role: str,
    asked: str | None,
    known: Sequence[str],
    names: Sequence[str],
    *,
    weaker: Sequence[str] = (),
    rows: Sequence[Row] = (),
    taken: Iterable[str | None] = (),
    holds: Holds | None = None,
) -> str:
    """The column of the target: as asked, the one with a well-known name, or the only one that can hold it.

    Args:
        role: The option that names it.
        asked: Column that was asked for.
        known: Well-known names.
        names: The columns of the data.
        weaker: Names that count where none of `known` is there.
        rows: The first rows of the data.
        taken: Columns that hold something else.
        holds: Whether a column could be it, for a choice by content.

    Raises:
        ConfigError: the named column is absent, or no column or more than one could be meant.
    """
    if asked is not None:
        return present(role, asked, names)
    free = [name for name in names if name not in {*taken}]
    matches = named(known, free) or named(weaker, free)
    if holds is not None and rows and len(matches) != 1:
        fitting = [name for name in matches or free if holds(rows, name) and not holds_index(rows, name)]
        matches = fitting or matches
    if len(matches) == 1:
        return matches[0]
    why = "no column has a well-known name" if not matches else f"several could be meant ({listed(matches)})"
    raise ConfigError(f"{role}: which column holds the {role}? {why}; name it (--{role} NAME). "
                      f"The columns are: {listed(names, near=known)}")  # fmt: skip


def input_columns(
    options: TextOptionsT,
    known: Sequence[str],
    names: Sequence[str],
    *,
    labelled: bool,
    rows: Sequence[Row] = (),
    weaker: Sequence[str] = (),
    holds: Holds = holds_labels,
) -> TextOptionsT:
    """The options of a task about texts or pairs, with the names of its columns.

    Raises:
        ConfigError: see `text_columns` and `target_column`.
    """
    taken = [] if options.label is None else [options.label]
    text, pair = text_columns(options.text, options.pair, names, rows=rows, taken=taken)
    label = options.label
    if labelled:
        label = target_column("label", label, known, names, weaker=weaker, rows=rows, taken=(text, pair), holds=holds)
    if pair is None and options.pair_as != "both":
        raise ConfigError(
            f"options.pair_as: {options.pair_as} is about pairs, and these are single texts; name the column of the "
            "second text (--pair NAME), or leave it out"
        )
    return options.model_copy(update={"text": text, "pair": pair, "label": label})


def label_columns(
    options: LabelOptionsT,
    known: Sequence[str],
    names: Sequence[str],
    *,
    labelled: bool,
    rows: Sequence[Row] = (),
    weaker: Sequence[str] = (),
    holds: Holds = holds_labels,
    single: bool = False,
) -> LabelOptionsT:
    """The options of a task about labels that may stand in one column, or in a column of 0 and 1 each.

    Args:
        single: Whether a text has exactly one label.

    Raises:
        ConfigError: see `text_columns` and `target_column`; columns that hold only 0 and 1 are named.
    """
    if labelled and (own := flag_columns(options, names, rows=rows)):
        asked = options.label or options.labels
        columns = own.labels or []
        # A text has one label where each row holds a single 1, and no column is called `label`.
        one = not named((*known, *weaker), columns) and all(len(read_flags(row, columns)) == 1 for row in rows)
        if asked or not single or one:
            return own
    try:
        return input_columns(options, known, names, labelled=labelled, rows=rows, weaker=weaker, holds=holds)
    except ConfigError as error:
        flags = [name for name in names if holds_flags(rows, name) and not holds_index(rows, name)]
        if not labelled or options.label is not None or len(flags) < 2 or str(error).startswith("text"):
            raise
        more = " --task multilabel" if single else ""
        raise ConfigError(f"{error}. If columns of 0 and 1 are labels:{more} --label {','.join(flags)}") from None


def flag_columns(options: LabelOptionsT, names: Sequence[str], *, rows: Sequence[Row] = ()) -> LabelOptionsT | None:
    """The options with a column of 0 and 1 for each label, or None where the labels stand in one column.

    Asked for by the columns (`label` names several) or by the labels, or since all columns but those of the texts hold
    only 0 and 1.

    Raises:
        ConfigError: a named column is absent.
    """
    columns: list[str] | None = None
    if options.label is not None:
        if options.label in names or len(parts := next(csv.reader([options.label]), [])) < 2:
            return None
        columns = [present("label", name.strip(), names) for name in parts]
    elif options.labels and set(options.labels) <= set(names):
        columns = options.labels
    text, pair = text_columns(options.text, options.pair, names, rows=rows, taken=columns or ())
    if columns is None:
        columns = flags_beside((text, pair), names, rows=rows)
        if len(columns) < 2 or len(columns) < len(unread((text, pair), names, rows=rows)):
            return None
    return options.model_copy(update={"text": text, "pair": pair, "label": None, "labels": list(columns)})


def unread(texts: Sequence[str | None], names: Sequence[str], *, rows: Sequence[Row]) -> list[str]:
    """The columns beside those of the texts that do not number or identify the rows."""
    return [name for name in names if name not in texts and not holds_index(rows, name)]


def flags_beside(texts: Sequence[str | None], names: Sequence[str], *, rows: Sequence[Row]) -> list[str]:
    """The columns beside those of the texts that hold only 0 and 1."""
    return [name for name in unread(texts, names, rows=rows) if holds_flags(rows, name)]


def read_flags(row: Row, columns: Sequence[str]) -> list[str]:
    """The columns that hold 1 in a row, of those that hold 0 or 1.

    Raises:
        DataError: lists every column that holds neither.
    """
    flags = {name: flag_of(row.values.get(name)) for name in columns}
    wrong = [
        Problem(row.place, f"column {name!r}: expected 0 or 1, found {printable(row.values.get(name), 40)}",
                "write 1 where the text has the label, else 0", "not-a-flag")
        for name, flag in flags.items() if flag is None
    ]  # fmt: skip
    if wrong:
        raise DataError(wrong)
    return [name for name, flag in flags.items() if flag]


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
    """A text of a row. Without one, a row of labelled data is refused; another one has the empty text.

    Raises:
        DataError: the column does not hold a text or, in labelled data, holds none.
    """
    value = row.values.get(column)
    if isinstance(value, str) and (not labelled or not blank(value)):
        return value
    if value is None and not labelled:
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

    A list of one label, as doccano and Label Studio export it, is read as that label, also where it is written in the
    cell of a table.

    Raises:
        DataError: there is no label, there are several, or it is not a text, a number or a boolean.
    """
    given = row.values.get(column)
    value = cell_of(given)
    several = len(value) > 1 if isinstance(value, list) else is_several(value)
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    label = None if several else as_label(value)
    if label is not None and not blank(label):
        return label
    if value is None or value == [] or (isinstance(value, str) and not several):
        raise DataError(
            Problem(row.place, f"column {column!r} holds no label", "label the row or drop it", "empty-label")
        )
    shown = f"{type(given).__name__} {printable(given)}"
    fix = (
        "with several labels a text: --task multilabel"
        if several
        else "write one label, as a text or a number, or drop the row"
    )
    raise DataError(Problem(row.place, f"column {column!r}: expected one label, found {shown}", fix, "not-a-label"))


def show_names(names: Iterable[str]) -> str:
    """A short form of several labels or answers for messages."""
    joined = " + ".join(names)
    return printable(joined, 40) if joined else "nothing"


def brief(label: str) -> str:
    """A label on one short line, for a heading."""
    line = " ".join(label.split())
    return line if len(line) <= 14 else f"{line[:13]}…"


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
    known = listed(labels, near=[str(example.target)], width=30)
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
            f"The labels are: {listed(labels, near=wrong, width=30)}"
        )
    return [float(asked[label]) for label in labels]
