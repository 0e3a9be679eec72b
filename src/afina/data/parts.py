"""The parts of a run's data: read, judged and split, before anything heavy is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import Config
from ..errors import ConfigError, DataError, Problem
from ..records import Example
from ..tasks import base
from ..tasks.base import Task
from . import readers, splits

SHOWN = 5
"""Doubts about examples that are shown in full."""


@dataclass(frozen=True, slots=True)
class Data:
    """The examples of a run.

    Attributes:
        task: With its columns named and its facts known.
        parts: `train`, `validation` and perhaps `test`.
        sources: Where each part came from, in words.
        notes: What was decided, for the log.
    """

    task: Task
    parts: dict[str, list[Example]]
    sources: dict[str, str]
    notes: list[str]

    def record(self) -> dict[str, Any]:
        """What `data.json` holds."""
        return {
            name: {
                "source": self.sources[name],
                "examples": len(examples),
                "targets": target_counts(examples),
                **({"places": [example.place for example in examples]} if "held out" in self.sources[name] else {}),
            }
            for name, examples in self.parts.items()
        }


def target_counts(examples: Sequence[Example]) -> dict[str, int] | None:
    """How often each target occurs, where targets are labels."""
    counts = Counter(example.target for example in examples if isinstance(example.target, str))
    return dict(sorted(counts.items())) if counts else None


def read_data(config: Config, sources: Mapping[str, Any] | None = None) -> Data:
    """All rows, judged and split.

    Args:
        config: Checked configuration.
        sources: Data in memory for `train`, `validation`, `test`, in place of the configured files.

    Raises:
        ConfigError: no training data are named, or a column can't be found.
        DataError: rows can't be used; all problems of all files together.
    """
    sources = sources or {}
    given = {name: sources.get(name, getattr(config.data, name)) for name in ("train", "validation", "test")}
    if given["train"] is None:
        raise ConfigError("data.train: name the training data (--train FILE)")
    asked = config.make_task()
    rows, problems = {}, []
    for name, source in given.items():
        try:
            if source is not None:
                rows[name] = read_rows(config, source, name)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(problems)
    task = asked.columns(readers.columns_of(rows["train"]))
    for name in set(rows) - {"train"}:
        try:
            task.columns(readers.columns_of(rows[name]))
        except ConfigError as error:
            raise ConfigError([f"{name} data: {problem}" for problem in error.problems]) from None
    notes = [f"columns: {columns_note(task)}"]
    parts = {}
    for name, some in rows.items():
        parts[name], wrong = read_examples(task, some)
        problems += wrong
    if problems:
        raise DataError(problems)
    words = {name: str(given[name]) if isinstance(given[name], (str, Path)) else "given in memory" for name in rows}
    if "validation" not in parts:
        stratify = isinstance(parts["train"][0].target, str)
        kept, held = splits.hold_out(parts["train"], config.data.hold_out, seed=config.seed, stratify=stratify)
        whole = parts["train"]
        parts["train"], parts["validation"] = [whole[i] for i in kept], [whole[i] for i in held]
        words["validation"] = f"held out of {words['train']}"
        notes.append(
            f"no validation data given: {len(held)} of {len(whole)} training examples are held out "
            f"({'stratified, ' if stratify else ''}seed {config.seed}; listed in data.json)"
        )
    task = task.fit(parts["train"])
    if "held out" in words["validation"]:
        task = return_unseen(task, parts, notes)
    notes += check_targets(task, parts, count=config.data.unseen == "count")
    for name, examples in parts.items():
        notes += doubt_notes(name, task.doubts(examples))
    found = [f"{name} = {value}" for name, value in task.facts.items() if isinstance(value, str)]
    notes += [f"found: {', '.join(found)}"] if found else []
    notes += [f"{name}: {len(examples)} examples, {words[name]}" for name, examples in parts.items()]
    return Data(task, parts, words, notes)


def read_rows(config: Config, source: Any, name: str) -> list[Any]:
    """The rows of one part of the data."""
    data = config.data
    return readers.rows(source, columns=data.header, encoding=data.encoding, delimiter=data.delimiter, name=name)


def read_examples(task: Task, rows: Sequence[Any], *, labelled: bool = True) -> tuple[list[Example], list[Problem]]:
    """Rows to examples, and what is wrong with the rows that give none."""
    examples, problems = [], []
    for row in rows:
        try:
            examples.append(task.read(row, labelled=labelled))
        except DataError as error:
            problems += error.problems
    return examples, problems


def return_unseen(task: Task, parts: dict[str, list[Example]], notes: list[str]) -> Task:
    """Give back to training what was held out though no other example has its label; the task fits again."""
    kept = [example for example in parts["validation"] if task.check(example) is None]
    back = [example for example in parts["validation"] if task.check(example) is not None]
    if not back or not kept:
        return task
    parts["train"], parts["validation"] = [*parts["train"], *back], kept
    notes.append(f"{len(back)} of the held out examples have labels that no other has, and stay in training")
    return task.fit(parts["train"])


def check_targets(task: Task, parts: Mapping[str, Sequence[Example]], *, count: bool = False) -> list[str]:
    """Refuse targets that the training data did not teach.

    Args:
        task: Fitted.
        parts: By name; `train` itself is not checked.
        count: Leave them in where the task can count them as missed, and say so in the notes that come back.

    Raises:
        DataError: names each row.
    """
    notes, problems = [], []
    for name in ("validation", "test"):
        found = [problem for example in parts.get(name, ()) if (problem := task.check(example)) is not None]
        counted = [problem for problem in found if count and problem.code == base.COUNTABLE]
        problems += [problem for problem in found if problem not in counted]
        if counted:
            notes.append(
                f"{name}: {len(counted)} examples hold a label that training lacks, and count as missed; "
                f"the first: {counted[0].place}: {counted[0].message}"
            )
    if problems:
        raise DataError(problems)
    return notes


def doubt_notes(name: str, doubts: Sequence[Problem]) -> list[str]:
    """What is odd about the examples of a part, the first few in full."""
    if not doubts:
        return []
    more = [f"{name}: ... and {len(doubts) - SHOWN:,} more of the kind"] if len(doubts) > SHOWN else []
    return [f"{name}: {doubt}" for doubt in doubts[:SHOWN]] + more


def columns_note(task: Task) -> str:
    """The chosen columns, for the log."""
    chosen = task.options.model_dump()
    roles = ("text", "pair", "tokens", "tags", "label", "question", "context", "answer")
    return ", ".join(f"{role} = {chosen[role]!r}" for role in roles if chosen.get(role) is not None)
