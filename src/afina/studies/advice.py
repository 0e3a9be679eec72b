"""Advice on a data set: what it looks like, the cheapest study that decides, and a configuration with its reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..config import Config, dump
from ..config import load as load_config
from ..disk import write
from ..errors import ConfigError, printable
from ..printing import Block, Shown, Table, many, number
from ..text.languages import LANGUAGES, guess_language
from ..text.words import UNIT
from ..training.run import absolute
from .study import Study
from .summaries import Summary

FEW, MANY = 500, 10_000
"""Training examples below which a head may be enough and layers overfit, and above which heads alone lose."""
READ = 2000
"""Texts from which the language is guessed."""
RARE = 10
"""Examples of a label below which little can be learned of it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a data set looks like.

    Attributes:
        task: Name of the task.
        examples: Number of training examples.
        compared: Number of examples on which recipes are compared, and the split.
        labels: Number of labels; 0 where there are none.
        commonest: Share of the commonest label among all.
        rare: Labels with few examples, with their numbers.
        language: Code of the language of the texts; empty where it can't be guessed.
        tokens: Median and 95th percentile of the tokens of an example.
        truncated: Share of the examples that lose tokens to the length limit.
    """

    task: str
    examples: int
    compared: tuple[int, str]
    labels: int
    commonest: float
    rare: Mapping[str, int]
    language: str
    tokens: tuple[float, float]
    truncated: float

    def rows(self) -> list[list[str]]:
        """The facts as lines of a table."""
        count, split = self.compared
        language = LANGUAGES[self.language][0] if self.language in LANGUAGES else self.language or "not recognised"
        rows = [
            ["task", self.task],
            ["training examples", f"{self.examples:,}"],
            ["compared on", many(count, f"{split} example")],
            ["language", language],
            ["tokens an example", f"{self.tokens[0]:.0f} (median), {self.tokens[1]:.0f} (95 % have no more)"],
        ]
        if self.truncated:
            rows.append(["truncated", f"{self.truncated:.1%} of the examples"])
        if self.labels:
            rows.insert(3, ["labels", f"{self.labels:,}, the commonest on {self.commonest:.0%}"])
        if self.rare:
            names = ", ".join(f"{name} ({count})" for name, count in list(self.rare.items())[:5])
            more = f" and {len(self.rare) - 5} more" if len(self.rare) > 5 else ""
            rows.insert(4, ["rare labels", names + more])
        return rows


@dataclass(frozen=True, slots=True, repr=False)
class Advice(Shown):
    """A configuration, and why. `print` shows it, and a notebook a table.

    Attributes:
        file: The configuration that was written.
        facts: What the data look like.
        reasons: Why these settings, in a paragraph with figures.
        summary: What the study found.
        folder: Folder of the study.
    """

    file: Path
    facts: Facts
    reasons: str
    summary: Summary
    folder: Path

    def __repr__(self) -> str:
        return f"Advice({self.file}: {self.reasons})"

    def blocks(self) -> Iterator[Block]:
        """Facts, reasons, the table and the notes of the study, and what to type next."""
        yield Table(["data", ""], self.facts.rows())
        yield ""
        yield from wrapped(self.reasons)
        if self.summary.boards:
            board = self.summary.boards[0]
            yield ""
            yield board.title
            yield Table(board.columns[:6], [["-" if v is None else v for v in row[:6]] for row in board.rows])
        yield from ([""] if self.summary.notes else [])
        yield from (f"note: {note}" for note in self.summary.notes)
        yield ""
        yield f"study: {self.folder}"
        yield f"next:  afina train {self.file}"


def facts_of(study: Study) -> Facts:
    """What the data of a study look like."""
    train = study.data.splits["train"]
    counts = Counter(label for example in train for label in study.task.labels_in(example))
    total = counts.total()
    words = Counter(word for example in train[:READ] for word in UNIT.findall(example.text.casefold()))
    features = study.ready(study.config, study.data).features["train"]
    lengths = np.array([sum(len(window) for window in one.windows) for one in features])
    return Facts(
        task=study.task.name,
        examples=len(train),
        compared=(len(study.data.splits[study.split]), study.split),
        labels=len(counts),
        commonest=counts.most_common(1)[0][1] / total if total else 0.0,
        rare=dict(sorted((item for item in counts.items() if item[1] < RARE), key=lambda item: item[1])),
        language=guess_language(words),
        tokens=(float(np.median(lengths)), float(np.quantile(lengths, 0.95))),
        truncated=float(np.mean([bool(one.truncated_tokens) for one in features])),
    )


def candidates(study: Study, usual: Sequence[str]) -> list[str]:
    """The strategies that are worth trying on so much data, the most likely ones first.

    Args:
        study: What it is about.
        usual: All that suit the model.
    """
    layers = [name for name in usual if name.startswith("last-")]
    if study.examples < FEW:
        order = ["full", "head-mean", "head", *layers[-1:], *layers[:-1]]
    elif study.examples > MANY:
        order = ["full", *layers[::-1]]
    else:
        order = ["full", *layers[::-1], "head-mean", "head"]
    return [name for name in order if name in usual]


def reasons_for(study: Study, facts: Facts, summary: Summary) -> str:
    """Why these settings, in a paragraph with figures."""
    verdict = summary.verdicts[0]
    chosen = summary.recommended
    rate = chosen.get("training.learning_rate")
    what = f"Strategy {chosen.get('strategy')}"
    what += f" with head {chosen['model.head']}" if chosen.get("model.head") else ""
    what += f" at learning rate {rate:g}" if rate else ""
    start = {"confirmed": "It is the cheapest that is shown to be enough.", "undecided": "The data do not decide."}
    lines = [f"{what}.", start.get(verdict.answer, ""), verdict.sentence]
    if verdict.decide:
        lines.append(f"What would decide it: {verdict.decide}.")
    lines += baseline_note(study, summary)
    if facts.examples < FEW:
        lines.append(f"With {many(facts.examples, 'training example')}, more labels are worth more than any setting.")
    return " ".join(filter(None, lines))


def baseline_note(study: Study, summary: Summary) -> Iterator[str]:
    """Where a baseline is as good as the best recipe, that it is."""
    board = summary.boards[0] if summary.boards else None
    if board is None:
        return
    scores = {str(row[0]): row[1] for row in board.rows if row[1] is not None}
    baselines = {row[0]: row[1] for row in board.rows if row[2] is None and row[3] is None and row[1] is not None}
    models = {name: value for name, value in scores.items() if name not in baselines}
    if not baselines or not models:
        return
    best = max(models.values(), key=study.oriented)
    name = max(baselines, key=lambda one: study.oriented(baselines[one]))
    if study.oriented(baselines[name]) >= study.oriented(best):
        score = number(baselines[name])
        yield f"{name} scores {score} without any fine-tuning, no worse than the best: use it, or find out why."


def writable(file: Path) -> Path:
    """A file that can be written, as far as this can be seen before.

    Raises:
        ConfigError: it is a folder, or there is no folder for it.
    """
    if file.is_dir():
        raise ConfigError(f"write: {printable(str(file))} can't be written: it is a folder; --write FILE names a file")
    if not file.parent.is_dir():
        missing = printable(str(file.parent))
        raise ConfigError(
            f"write: {printable(str(file))} can't be written: there is no folder {missing}; --write FILE names another"
        )
    return file


def written(study: Study, summary: Summary, reasons: str, file: Path) -> Config:
    """Write the configuration with the recommended settings, and why, and return it.

    Raises:
        OSError: the file can't be written.
    """
    settings: dict[str, Any] = {**summary.recommended, "out": None}
    if file.parent.resolve() != Path.cwd():  # paths in a file are relative to its folder
        named = ((split, getattr(study.asked.data, split)) for split in ("train", "validation", "test"))
        settings |= {f"data.{split}": absolute(path) for split, path in named if path is not None}
    chosen = load_config(study.asked, settings)
    comment = "".join(f"# {line}\n" for line in wrapped(reasons))
    write(file, (comment + dump(chosen)).encode())
    return chosen


def wrapped(text: str, width: int = 110) -> list[str]:
    """A text in lines."""
    from textwrap import wrap

    return wrap(text, width)
