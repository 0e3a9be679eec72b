"""A run's data: read, judged and split, before anything heavy is loaded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DataError, Problem, listed
from ..printing import many
from ..records import Example, Row
from ..tasks.base import Task, names
from ..tasks.inputs import COUNTABLE
from . import long_tables
from .asked import Asked
from .choosing import (
    choose,
    columns_for,
    having,
    peek,
    refuse_other_task,
    rows_of,
    suggestion,
    suits,
    tasks_for,
    ungrouped,
)
from .folders import with_splits
from .holdout import Division, beside, divide, group_in, value_of
from .samples import Drawn, draw
from .sources import Files, columns_of, read

SWALLOWS = ("open-quote", "scattered-sentence")
"""Codes of problems that may spoil other records, so that leaving the record out is no way to go on."""


Bad = tuple[Problem, ...]
"""Everything that is wrong with one record."""


@dataclass(frozen=True, slots=True, repr=False)
class Data:
    """The examples of a run.

    Attributes:
        task: Fitted, with its columns named.
        splits: `train`, `validation` and perhaps `test`.
        sources: Where each split came from, in words.
        notes: What was decided, for the log.
        left_out: By split that was read, the records that can't be used.
        division: How the validation examples were held out of the training data, where they were.
        drawn: Which of the training examples are trained on, where it is a part of them.
    """

    task: Task
    splits: dict[str, list[Example]]
    sources: dict[str, str]
    notes: list[str]
    left_out: dict[str, list[Bad]] = field(default_factory=dict)
    division: Division | None = None
    drawn: Drawn | None = None

    def __repr__(self) -> str:
        return f"Data({self.task.name}: {', '.join(f'{name} {len(part):,}' for name, part in self.splits.items())})"

    @property
    def held_out(self) -> bool:
        """Whether the validation examples were held out of the training data."""
        return self.division is not None

    @property
    def given(self) -> dict[str, list[Example]]:
        """The splits as they were given: what was held out of the training data is one with them, in their order.

        Where a part of the training examples is trained on, the others count for nothing.
        """
        if self.division is None or self.drawn is not None:
            return self.splits
        rest = {name: part for name, part in self.splits.items() if name not in ("train", "validation")}
        return {"train": [*self.division.whole], **rest}

    def record(self) -> dict[str, Any]:
        """What `data.json` holds."""
        return {
            name: {
                "source": self.sources[name],
                "examples": len(examples),
                "left_out": len(self.left_out.get(name, ())),
                "targets": target_counts(self.task, examples),
                **self.chosen(name),
            }
            for name, examples in self.splits.items()
        }

    def chosen(self, name: str) -> dict[str, Any]:
        """How the examples of a split were chosen, and which, where a part of the training data was."""
        rule: dict[str, Any] = {}
        if self.division is not None and name == "validation":
            rule = {"held_out": dict(self.division.rule)}
        if self.drawn is not None and name == "train":
            rule = {"drawn": self.drawn.record()}
        return {**rule, "places": [example.place for example in self.splits[name]]} if rule else {}


def sampled(data: Data, sample: float | None, *, seed: int = 0) -> Data:
    """The data with a part of their training examples, and the task fitted to those.

    Each stratum has its share, every label is there, and with the same seed a smaller sample is a part of a larger one.
    Validation and test examples stay as they are. Nothing is read again.

    Args:
        data: With all training examples.
        sample: A share of them above 0 and below 1, a whole number of them, or None for all.
        seed: Seed of the draw.

    Raises:
        ConfigError: there are not so many, or so few can't show every label; says how many it takes.
    """
    if sample is None:
        return data
    task, whole = data.task, data.splits["train"]
    drawn = draw(sample, seed=seed, strata=[task.stratum(one) for one in whole], essentials=task.essentials(whole))
    part = [whole[index] for index in drawn.indices]
    note = f"train: {len(part):,} of {many(len(whole), 'example')} are trained on ({drawn.how}, sample seed {seed})"
    return replace(
        data,
        task=task.refit(part),
        splits={**data.splits, "train": part},
        notes=[*data.notes, note],
        drawn=drawn,
    )


def target_counts(task: Task, examples: Sequence[Example]) -> dict[str, int] | None:
    """How often each label occurs, where targets have labels."""
    counts = Counter(label for example in examples for label in task.labels_in(example))
    return dict(sorted(counts.items())) if counts else None


def read_data(config: Asked, sources: Mapping[str, Any] | None = None) -> Data:
    """All records, judged and split.

    Args:
        config: Checked configuration.
        sources: Data in memory for `train`, `validation`, `test`, in place of the configured files.

    Raises:
        ConfigError: no training data are named, or a column can't be found.
        DataError: records can't be used; all problems of all files together.
    """
    data, problems = gather(config, sources)
    if problems:
        bad = [one for some in chain(*data.left_out.values()) for one in some]
        spare = problems == bad and not any(one.code in SWALLOWS for one in bad) and any(data.splits.values())
        raise DataError(problems, hint="--on-bad-row skip or quarantine goes on without these records" if spare else "")
    notes = data.notes
    if config.data.unseen == "count":
        notes = [*notes, *counted_notes(data.task, data.splits)]
    return replace(data, notes=notes)


def gather(config: Asked, sources: Mapping[str, Any] | None = None) -> tuple[Data, list[Problem]]:
    """Everything that can be used, and everything that is wrong with the rest.

    Records become examples as they are read, so that no more than the examples is in memory.

    Raises:
        ConfigError: no training data are named, or a column can't be found.
        DataError: no record of a file can be used.
    """
    sources = sources or {}
    given = {name: sources.get(name, getattr(config.data, name)) for name in ("train", "validation", "test")}
    given = {name: source for name, source in given.items() if source is not None}
    if "train" not in given:
        raise ConfigError("data.train: name the training data (--train FILE)")
    named = set(given)
    given, heard = with_splits(given)
    asked = config.make_task()
    problems: list[Problem] = []
    started = {name: peek(records(config, source, name, problems, heard.append)) for name, source in given.items()}
    if any(not rows_of(head) for head, _ in started.values()):
        raise DataError([*problems, *(one for head, _ in started.values() for one in head if isinstance(one, Problem))])
    try:
        task, started["train"] = choose(columns_for(asked), *started["train"])
    except ConfigError as error:
        head = rows_of(started["train"][0])
        fitting = [] if asked.name not in names() or suits(type(asked), head) else tasks_for(head, asked)
        raise ConfigError([*suggestion(fitting), *error.problems]) from None
    if "task" not in config.model_fields_set and not config.options:
        refuse_other_task(rows_of(started["train"][0]), asked)
    for name in set(started) - {"train"}:
        try:
            _, started[name] = choose(columns_for(task), *started[name])
        except ConfigError as error:
            if name not in named:  # a test file whose labels are kept secret, as those of public contests
                heard.append(f"{name}: {given.pop(name)} is left out; {error.problems[0]}")
                del started[name]
                continue
            raise ConfigError([f"{name} data: {problem}" for problem in error.problems]) from None
    by = beside(config.data, drawn="validation" not in given)
    if by is not None:
        _, started["train"] = choose(partial(having, *by), *started["train"])
    first = rows_of(started["train"][0])
    heard += ungrouped(config.data.group_by, started)
    notes = [f"columns: {columns_note(task, columns_of(first))}", *task.remarks(first)]
    splits, left_out, values = {}, {}, list[Any]()
    mode = config.data.on_bad_row
    for name in given:
        keep = (lambda row: values.append(value_of(row, by))) if by is not None and name == "train" else None
        items, group = chain(*started.pop(name)), config.data.group_by
        splits[name], left_out[name] = examples_of(task, items, keep=keep, group=group)
        fatal = [one for bad in left_out[name] for one in bad if mode == "error" or one.code in SWALLOWS]
        problems += fatal
        if left_out[name] and not fatal:
            notes.append(left_out_note(name, len(splits[name]), left_out[name], mode))
    notes = [*dict.fromkeys(heard), *notes]
    if not all(splits.values()):
        raise DataError(problems or [one for bad in chain(*left_out.values()) for one in bad])
    data = Data(task, splits, {name: words_of(source) for name, source in given.items()}, notes, left_out)
    # What a part of the records teaches would only lead to more complaints.
    return (data, problems) if problems else settled(config, data, values)


def words_of(source: Any) -> str:
    """Where data come from, for people."""
    return str(source) if isinstance(source, str | Path | Files) else "given in memory"


def settled(config: Asked, data: Data, values: Sequence[Any] = ()) -> tuple[Data, list[Problem]]:
    """The splits drawn, the task fitted, and what the splits have against one another.

    Args:
        config: Checked configuration.
        data: The splits as they were given.
        values: The group or the time of each training example, where a part is held out by them.
    """
    task, splits, words, notes = data.task, dict(data.splits), dict(data.sources), list(data.notes)
    division = None
    try:
        task = task.fit(splits["train"])
        if "validation" not in splits:
            whole = splits["train"]
            division = divide(config.data, task, task.adapt(whole)[0], values)
            splits["train"] = [whole[index] for index in division.train]
            splits["validation"] = [whole[index] for index in division.held]
            words["validation"] = f"held out of {words['train']}"
            notes += division.notes
            task = task.fit(splits["train"])
    except DataError as error:
        return data, error.problems
    if division is not None:
        division = replace(division, whole=task.adapt(division.whole)[0])
    for name, examples in splits.items():
        splits[name], heard = task.adapt(examples)
        notes += [f"{name}: {one}" for one in heard]
    count = config.data.unseen == "count"
    problems = [one for one in unseen(task, splits) if not (count and one.code == COUNTABLE)]
    found = ", ".join(f"{name} = {value}" for name, value in task.found.items())
    notes += [f"found: {found}"] if found else []
    notes += [f"{name}: {many(len(examples), 'example')}, {words[name]}" for name, examples in splits.items()]
    data = replace(data, task=task, splits=splits, sources=words, notes=notes, division=division)
    return (data if problems else sampled(data, config.data.sample, seed=config.data.sample_seed)), problems


def records(
    config: Asked, source: Any, name: str, problems: list[Problem], note: Callable[[str], None]
) -> Iterator[Row | Problem]:
    """The records of one part of the data; what ends them early is added to the problems."""
    data = config.data
    reading = {form: getattr(data, form) for form in ("encoding", "delimiter", "quote", "format", "sheet")}
    try:
        items = read(source, name=name, columns=data.header, note=note, **reading)
        yield from long_tables.for_task(config.make_task(), items, note)
    except DataError as error:  # the rest of the file can't be read
        problems += error.problems


def examples_of(
    task: Task,
    items: Iterable[Row | Problem],
    *,
    keep: Callable[[Row], None] | None = None,
    group: str | None = None,
) -> tuple[list[Example], list[Bad]]:
    """The records that can be used, as examples, and those that can't.

    Args:
        task: With its columns.
        items: Rows, and problems in place of rows.
        keep: Takes what else is needed of each row that gives an example, and may refuse the row.
        group: Column of the groups of examples, where there is one.
    """
    used: list[Example] = []
    bad: list[Bad] = []
    for item in items:
        read = example_of(task, item, keep=keep, group=group)
        if isinstance(read, Example):
            used.append(read)
        else:
            bad.append(read)
    return used, bad


def example_of(
    task: Task,
    item: Row | Problem,
    *,
    labelled: bool = True,
    keep: Callable[[Row], None] | None = None,
    group: str | None = None,
) -> Example | Bad:
    """A record as an example, or everything that is wrong with it, with its bytes."""
    if isinstance(item, Problem):
        return (item,)
    try:
        example = task.read(item, labelled=labelled)
        if keep is not None:
            keep(item)
        return example if group is None else replace(example, group=group_in(item, group))
    except DataError as error:
        # What has no bytes of its own (a record in memory, a branch of a JSON file) is kept as a line of JSON.
        raw = item.raw or (json.dumps(dict(item.values), ensure_ascii=False, default=str) + "\n").encode()
        return tuple(replace(problem, raw=raw) for problem in error.problems)


def read_examples(
    task: Task, items: Iterable[Row | Problem], *, group: str | None = None
) -> tuple[list[Example], list[Problem]]:
    """Records to examples, in groups by a column where there is one, and what is wrong with those that give none."""
    used, bad = examples_of(task, items, group=group)
    return used, list(chain(*bad))


def left_out_note(name: str, used: int, bad: Sequence[Bad], mode: str) -> str:
    """How much is left out of a part of the data."""
    how = "skipped" if mode == "skip" else "kept in the run's folder, not used"
    return f"{name}: {many(used + len(bad), 'record')}, {used:,} used, {len(bad):,} {how}"


def unseen(task: Task, splits: Mapping[str, Sequence[Example]]) -> list[Problem]:
    """Targets of validation and test that the training data did not teach."""
    checked = (task.check(example) for name in ("validation", "test") for example in splits.get(name, ()))
    return [problem for problem in checked if problem is not None]


def counted_notes(task: Task, splits: Mapping[str, Sequence[Example]]) -> list[str]:
    """What is left in though training lacks its label, part by part."""
    notes = []
    for name in ("validation", "test"):
        found = [problem for example in splits.get(name, ()) if (problem := task.check(example)) is not None]
        if found:
            notes.append(
                f"{name}: {many(len(found), 'example')} with a label that training lacks, counted as missed; "
                f"the first: {found[0].place}: {found[0].message}"
            )
    return notes


def columns_note(task: Task, names: Sequence[str] = ()) -> str:
    """The chosen columns and those that are left, for the log.

    Args:
        task: With its columns.
        names: The columns of the data.
    """
    chosen = task.options.chosen
    used = {*chain(*chosen.values()), *task.options.also}
    shown = ", ".join(
        f"{role} = {listed(columns)}" + (" (0 or 1 in each)" if len(columns) > 1 else "")
        for role, columns in chosen.items()
    )
    left = listed(name for name in names if name not in used)
    return shown + (f"; not used: {left}" if left else "")
