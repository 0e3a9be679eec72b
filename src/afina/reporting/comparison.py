"""The page of runs side by side: differences with intervals, labels, and rows that only one of two runs has right."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from ..comparison.alignment import aligned
from ..comparison.comparison import compare
from ..comparison.report import Contrast, Entry, Report, probability
from ..training.rundir import RunFolder
from .blocks import Block, Cell, Chart, Code, Folded, Grid, Page, Prose, Ranged, Reading, Section, Shown
from .english import said
from .figures import Bars, bars
from .kinds import Kind
from .overview import Array, right_by
from .page import write
from .phrases import Words, clean, foreign, language_of
from .run import kind_of
from .source import Item, opened

FILE = "comparison.html"
"""The page, in the current folder."""
ROWS = 25
"""Rows of each kind that are shown."""
MARKED = ("answer", "entities", "tags")
"""Predictions that are stretches of the text, which is shown once for each run."""


def report(
    folders: Sequence[str | Path], *, language: str | None = None, out: str | Path | None = None, **more: Any
) -> Path:
    """Write the page of finished runs side by side. It is one file that loads nothing.

    Args:
        folders: Folders of two or more runs; the first is what the others are compared with.
        language: `en` or `pt`; by default that of the locale.
        out: Where to write the page; by default `comparison.html` in the current folder.
        more: Arguments of `afina.compare` (`split`, `metric`, `baseline`, `margin`). Without a split the test data are
            taken, where all runs were scored on them.

    Returns:
        Path of the page.

    Raises:
        ConfigError: a run can't be used, or the runs have no rows in common.
        TrainingError: the page can't be written.
    """
    return written(compare(folders, **{"split": split_of(folders), **more}), language=language, out=out)


def written(found: Report, *, language: str | None = None, out: str | Path | None = None) -> Path:
    """Write the page of a comparison; arguments are those of `report`."""
    words = Words(language_of(language))
    return write(page_of(found, words), words, Path(FILE if out is None else out))


def split_of(folders: Sequence[str | Path]) -> str:
    """`test` where all runs were scored on test data; else `validation`."""
    runs = [RunFolder(Path(folder)) for folder in folders]
    return "validation" if any(run.finished and not run.record().get("test") for run in runs) else "test"


def page_of(found: Report, words: Words) -> Page:
    """The page of a comparison."""
    found = shortly_named(found)
    entries = {entry.name: entry for entry in found.entries}
    base = found.entries[found.baseline]
    parts: list[tuple[str, str, Sequence[Block]]] = [
        ("verdict", "part.compared", [*verdicts(found, words), scores(found, words), *figures(found, words)]),
        ("labels", "part.labels", [block for one in found.contrasts for block in labels(one, words)]),
        (
            "flips",
            "part.flips",
            [
                block
                for number, one in enumerate(found.contrasts)
                for block in flips(one, base, entries[one.name], found.split, words, number=number)
            ],
        ),
        ("notes", "part.notes", [Prose(said(f"{note[:1].upper()}{note[1:]}.", words)) for note in found.notes]),
        ("again", "part.again", again(found, words)),
    ]
    sections = [Section(key, words(title), blocks) for key, title, blocks in parts if blocks]
    count = words.numbers.whole(found.rows)
    about: list[Markup | str] = [
        words("compared.rows", count=count, split=words(f"split.{found.split}")),
        words.named("metric", found.metric),
    ]
    return Page(words("compared.title", count=len(found.entries)), sections, about, words.html("compared.end"))


def shortly_named(found: Report) -> Report:
    """A comparison in which runs are called by their folders' own names, where these tell them apart."""
    names = {run: Path(run).absolute().name for entry in found.entries for run in entry.runs}
    if len(set(names.values())) < len(names):
        return found
    entries = [replace(one, name=names.get(one.name, one.name)) for one in found.entries]
    contrasts = [
        replace(one, name=names.get(one.name, one.name), baseline=names.get(one.baseline, one.baseline))
        for one in found.contrasts
    ]
    return replace(found, entries=entries, contrasts=contrasts)


# ---------------------------------------------------------------------------------------------------------------------
# Scores and differences.


def verdicts(found: Report, words: Words) -> list[Block]:
    """A sentence for each run beside the baseline."""
    blocks: list[Block] = []
    for one in found.contrasts:
        html = words.html("compared.against", name=foreign(one.name), baseline=foreign(one.baseline))
        answer = Markup('<span class="answer">{}</span>').format(words.named("versus", one.answer))
        html = Markup("<b>{}</b>: {}<br>{}").format(html, answer, measured(one, words))
        tones = {"better": "confirmed", "worse": "not-confirmed"}
        blocks.append(Prose(html, f"verdict {tones.get(one.answer, one.answer.replace(' ', '-'))}"))
    return blocks


def measured(one: Contrast, words: Words) -> Markup:
    """The difference, how sure it is, and what follows."""
    numbers, change = words.numbers, one.difference
    interval = numbers.interval(change.low, change.high)
    if one.answer == "same" or not interval:
        return said(f"{one.phrase[:1].upper()}{one.phrase[1:]}.", words)
    values = {"value": numbers.score(change.value), "interval": interval, "p": chance(one.p_value, words)}
    return words.html("compared.measured", **values)


def chance(p_value: float, words: Words) -> str:
    """A p-value in the language's form."""
    return words.numbers.local(probability(p_value))


def scores(found: Report, words: Words) -> Grid:
    """The scores, the paired differences, and how many rows only one of both has right."""
    beside = {one.name: one for one in found.contrasts}
    rows: list[list[Cell]] = []
    for entry in found.entries:
        own: list[Cell] = [entry.name, len(entry.runs), Ranged(entry.score, entry.low, entry.high)]
        one = beside.get(entry.name)
        if one is None:
            rows.append([*own, words.html("compared.baseline"), None, None, None])
        else:
            change = one.difference
            rows.append(
                [*own, Ranged(change.value, change.low, change.high), chance(one.p_value, words), one.gained, one.lost]
            )
    names = [
        words("compared.run"), words("compared.seeds"),
        words("compared.score", metric=words.named("metric", found.metric)),
        words("compared.difference"), words("compared.p"), words("compared.gained"), words("compared.lost"),
    ]  # fmt: skip
    return Grid(names, rows, "comparison.csv", words("compared.caption"))


def figures(found: Report, words: Words) -> list[Block]:
    """The scores, and the differences, with their intervals."""
    metric = words.named("metric", found.metric)
    both: tuple[tuple[str, str, list[tuple[str, float, float, float]]], ...] = (
        ("scores", metric, [(one.name, one.score, one.low, one.high) for one in found.entries]),
        (
            "differences",
            words("compared.difference"),
            [(one.name, one.difference.value, one.difference.low, one.difference.high) for one in found.contrasts],
        ),
    )
    blocks: list[Block] = []
    for key, x, lines in both:
        names, values, low, high = zip(*lines, strict=True)
        figure = Bars(words(f"compared.{key}"), x, names, values, low, high)
        rows: list[list[Cell]] = [[name, Ranged(value, *bounds)] for name, value, *bounds in lines]
        grid = Grid([words("compared.run"), x], rows, f"{key}.csv")
        blocks.append(Chart(figure.title, bars(figure, words.numbers), grid))
    return blocks


def labels(one: Contrast, words: Words) -> list[Block]:
    """How the F1 of each label differs, the clearest difference first."""
    if not one.labels:
        return []
    order = sorted(one.labels, key=lambda line: (np.nan_to_num(line.p_value, nan=2.0), -line.support))
    rows: list[list[Cell]] = [
        [
            line.label,
            line.support,
            line.difference.second,
            line.difference.first,
            Ranged(line.difference.value, line.difference.low, line.difference.high),
            chance(line.p_value, words),
        ]
        for line in order
    ]
    names = [
        words("column.label"), words("column.support"), words("compared.old"), words("compared.new"),
        words("compared.difference"), words("compared.p"),
    ]  # fmt: skip
    caption = words("compared.labels", name=one.name, baseline=one.baseline)
    return [Grid(names, rows, "labels.csv", foreign(caption))]


# ---------------------------------------------------------------------------------------------------------------------
# Rows.


def flips(one: Contrast, base: Entry, other: Entry, split: str, words: Words, *, number: int) -> Sequence[Block]:
    """The rows that only one of two runs has right, to be read. Of recipes with several runs the first are taken."""
    sources = [opened(Path(entry.runs[0]), split) for entry in (base, other)]
    if any(source.scored is None for source in sources):
        return []
    places = aligned([source.scored.examples for source in sources if source.scored])
    rights = [right_by(source.task, source.scored.table) for source in sources if source.scored]
    before, after = (None if right is None else right[own] for right, own in zip(rights, places, strict=True))
    if before is None or after is None:
        return []
    names = [Path(entry.runs[0]).absolute().name if len(entry.runs) > 1 else entry.name for entry in (base, other)]
    title = words.html("compared.pair", first=foreign(names[0]), second=foreign(names[1]))
    gone, new = np.flatnonzero(before & ~after), np.flatnonzero(after & ~before)
    if not len(gone) and not len(new):
        return [Prose(Markup("<b>{}</b>. {}").format(title, words("compared.no_flips")))]
    chosen = [drawn(rows) for rows in (gone, new)]
    shown = sum(map(len, chosen))
    values = {"lost": words.numbers.whole(len(gone)), "gained": words.numbers.whole(len(new))}
    sentence = words.html("compared.flips", **values)
    if shown < len(gone) + len(new):
        sentence += Markup(" ") + words.html("compared.drawn", count=words.numbers.whole(shown))
    items = [
        {item.number: item for item in source.items({int(own[row]) for rows in chosen for row in rows})}
        for source, own in zip(sources, places, strict=True)
    ]
    kind: Kind | None = None
    rows_shown = []
    for label, rows in enumerate(chosen):
        for row in rows:
            first, second = (own[int(where[row])] for own, where in zip(items, places, strict=True))
            kind = kind or kind_of(first)(sources[0], words)
            rows_shown.append(pair_shown(kind, first, second, names, label))
    pairs = any(item.example.pair is not None for item in items[0].values())
    columns = ["place", "text", *(["pair"] if pairs else []), "given", "baseline", "run", "right"]
    filters = [words("compared.only", name=name) for name in names] if len(gone) and len(new) else []
    key = f"flips{'abcdefghijklmnopqrstuvwxyz'[number % 26] * (1 + number // 26)}"
    shown_rows = Reading(key, rows_shown, filters, columns, f"flips-{number + 1}.csv")
    told = Prose(Markup("<b>{}</b>. {}").format(title, sentence))
    if number == 0:
        return [told, shown_rows]
    return [told, Folded(words("compared.read", count=words.numbers.whole(shown)), [shown_rows])]


def drawn(rows: Array) -> list[int]:
    """At most `ROWS` of some rows, always the same ones, in their order."""
    if len(rows) > ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, ROWS, replace=False))
    return [int(row) for row in rows]


def pair_shown(kind: Kind, first: Item, second: Item, names: Sequence[str], label: int) -> Shown:
    """An example with the answers of two runs, and its line of the csv."""
    words = kind.words
    answers = [kind.written(item.said) for item in (first, second)]
    facts: list[tuple[str, Cell]] = [(words("errors.given"), foreign(kind.written(first.target)))]
    facts += [(foreign(name), foreign(answer)) for name, answer in zip(names, answers, strict=True)]
    texts = list(kind.texts(first))
    if any(name in first.prediction for name in MARKED):
        texts = [
            (clean(f"{name} {part}".strip()), pieces)
            for name, item in zip(names, (first, second), strict=True)
            for part, pieces in kind.texts(item)
        ]
    example = first.example
    row = [
        example.place, example.text, *([] if example.pair is None else [example.pair]),
        kind.written(first.target), *answers, names[label],
    ]  # fmt: skip
    return Shown(example.place, texts, facts, [label], row)


def again(found: Report, words: Words) -> Sequence[Block]:
    """The commands that compare the runs again."""
    folders = " ".join(shlex.quote(run) for entry in ordered(found) for run in entry.runs)
    asked = f" --split {found.split} --metric {found.metric}"
    return [
        Prose(words.html("compared.again")),
        Code(f"afina compare {folders}{asked}\nafina report {folders}"),
    ]


def ordered(found: Report) -> list[Entry]:
    """The entries, the baseline first."""
    base = found.entries[found.baseline]
    return [base, *(entry for entry in found.entries if entry is not base)]
