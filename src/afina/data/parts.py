"""The parts of a run's data: read, judged and split, before anything heavy is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..config import Config
from ..errors import ConfigError, DataError, Problem
from ..records import Example, Row
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
    data, problems = gather(config, sources)
    if problems:
        raise DataError(problems)
    notes = data.notes
    if config.data.unseen == "count":
        notes = [*notes, *counted_notes(data.task, data.parts)]
    for name, examples in data.parts.items():
        notes = [*notes, *doubt_notes(name, data.task.doubts(examples))]
    return replace(data, notes=notes)


def gather(config: Config, sources: Mapping[str, Any] | None = None) -> tuple[Data, list[Problem]]:
    """Everything that can be read, and everything that is wrong with the rest.

    Raises:
        ConfigError: no training data are named, or a column can't be found.
        DataError: no row of a file can be read.
    """
    sources = sources or {}
    given = {name: sources.get(name, getattr(config.data, name)) for name in ("train", "validation", "test")}
    if given["train"] is None:
        raise ConfigError("data.train: name the training data (--train FILE)")
    asked = config.make_task()
    rows: dict[str, list[Row]] = {}
    problems: list[Problem] = []
    for name, source in given.items():
        if source is not None:
            rows[name], wrong = read_rows(config, source, name)
            problems += wrong
    if not all(rows.values()):
        raise DataError(problems)
    task = asked.columns(readers.columns_of(rows["train"]))
    for name in set(rows) - {"train"}:
        try:
            task.columns(readers.columns_of(rows[name]))
        except ConfigError as error:
            raise ConfigError([f"{name} data: {problem}" for problem in error.problems]) from None
    notes = [f"columns: {columns_note(task)}"]
    parts: dict[str, list[Example]] = {}
    for name, some in rows.items():
        parts[name], wrong = read_examples(task, some)
        problems += wrong
    if not all(parts.values()):
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
    if problems:  # facts learned from a part of the rows would only lead to more complaints
        return Data(task, parts, words, notes), problems
    task = task.fit(parts["train"])
    if "held out" in words["validation"]:
        task = return_unseen(task, parts, notes)
    count = config.data.unseen == "count"
    problems += [one for one in unseen(task, parts) if not (count and one.code == base.COUNTABLE)]
    found = [f"{name} = {value}" for name, value in task.facts.items() if isinstance(value, str)]
    notes += [f"found: {', '.join(found)}"] if found else []
    notes += [f"{name}: {len(examples)} examples, {words[name]}" for name, examples in parts.items()]
    return Data(task, parts, words, notes), problems


def read_rows(config: Config, source: Any, name: str) -> tuple[list[Row], list[Problem]]:
    """The rows of one part of the data, and what is wrong with those that can't be read."""
    data = config.data
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        items = readers.read(source, columns=data.header, encoding=data.encoding, delimiter=data.delimiter, name=name)
        for item in items:
            if isinstance(item, Problem):
                problems.append(item)
            else:
                rows.append(item)
    except DataError as error:  # the rest of the file can't be read
        problems += error.problems
    return rows, problems


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


def unseen(task: Task, parts: Mapping[str, Sequence[Example]]) -> list[Problem]:
    """Targets of validation and test that the training data did not teach."""
    checked = (task.check(example) for name in ("validation", "test") for example in parts.get(name, ()))
    return [problem for problem in checked if problem is not None]


def counted_notes(task: Task, parts: Mapping[str, Sequence[Example]]) -> list[str]:
    """What is left in though training lacks its label, part by part."""
    notes = []
    for name in ("validation", "test"):
        found = [problem for example in parts.get(name, ()) if (problem := task.check(example)) is not None]
        if found:
            notes.append(
                f"{name}: {len(found)} examples hold a label that training lacks, and count as missed; "
                f"the first: {found[0].place}: {found[0].message}"
            )
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
