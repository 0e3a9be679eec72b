"""Finished runs compared on the same rows, from what their scores are made of.

Single runs are compared by paired approximate randomisation and the paired bootstrap over rows (`intervals.paired`);
recipes with several seeds over seeds and rows (`recipes.compare`). A test over rows alone says whether two *runs*
differ, which two seeds of one recipe do, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import ConfigError, printable
from ..metrics import recipes
from ..metrics.decisions import decide
from ..metrics.gates import holm_of_known
from ..metrics.intervals import interval, paired
from ..metrics.kinds import Array, Metric, Proportion, Table
from ..metrics.recipes import Difference, Mean
from ..metrics.resampling import pick
from ..metrics.scores import higher_is_better
from ..printing import many
from ..tasks.base import Task
from .alignment import aligned, groups_of
from .gate import Gate, Rule, checks
from .gate import parse as parse_gate
from .grouping import Recipe, recipes_of, settings_of
from .labels import LABEL_METRICS, label_tables
from .report import Contrast, Entry, LabelChange, Report
from .runs import ScoredRun, check_alike, metric_of, opened

BEST = "best"
"""In place of a baseline: the recipe with the best score."""
LABEL_METRIC = "f1"
"""The score by which labels are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The common rows of some runs.

    Attributes:
        task: The task of all of them.
        tables: The score table of each run, of the same examples in the same order.
        groups: The group of each row; None where every row stands alone. [m]
    """

    task: Task
    tables: Sequence[Table]
    groups: Array | None

    def of(self, recipe: Recipe) -> list[Table]:
        """The tables of a recipe's runs."""
        return [self.tables[place] for place in recipe.members]

    def __len__(self) -> int:
        return len(next(iter(self.tables[0].values())))


def compare(
    folders: Sequence[str | Path],
    *,
    split: str = "test",
    metric: str | None = None,
    baseline: str | None = None,
    margin: float = 0.0,
    gate: str | None = None,
) -> Report:
    """Compare finished runs on the same rows.

    Args:
        folders: Folders of two or more runs.
        split: `test` or `validation`.
        metric: Name of the metric; by default the one that chose the epoch of all runs.
        baseline: Folder of the run with which all others are compared, or `best`; by default the first.
        margin: Difference of the score that does not matter, in its units.
        gate: What the last run may lose against the baseline, as `gate.parse` reads it.

    Raises:
        ConfigError: a run can't be used, the runs have no rows in common, or an argument is wrong.
    """
    rules = None if gate is None else parse_gate(gate)
    if len(folders) < 2:
        raise ConfigError("compare: name two runs or more: afina compare RUN RUN")
    if split not in ("test", "validation"):
        raise ConfigError(f"split: expected test or validation, found {printable(split)}")
    if not margin >= 0:
        raise ConfigError(f"margin: expected a number of 0 or more, found {printable(margin)}")
    runs = [opened(Path(folder), split) for folder in folders]
    check_alike(runs)
    name = metric_of(runs, metric)
    rows, notes = common_rows(runs, split)
    compared = recipes_of(runs)
    entries = [entry_of(recipe, runs, rows, name) for recipe in compared]
    first = baseline_of(compared, entries, runs, name=baseline, higher=higher_is_better(name))
    order = [compared[first], *(recipe for place, recipe in enumerate(compared) if place != first)]
    contrasts = contrasts_of(order, runs, rows, name, margin=margin)
    result = None if rules is None else gated(rules, order[0], order[-1], rows)
    notes = [*dict.fromkeys(note for run in runs for note in run.notes), *notes, *remarks(compared, runs, split)]
    if baseline == BEST:
        notes.append("the baseline is the best on these very rows, so that its lead is flattered")
    return Report(split, name, len(rows), entries, first, contrasts, margin, tuple(notes), result)


def common_rows(runs: Sequence[ScoredRun], split: str) -> tuple[Rows, list[str]]:
    """The rows that all runs were scored on, and what is to be said of them.

    Raises:
        ConfigError: there are none.
    """
    keys = [run.scored.examples for run in runs]
    places = aligned(keys)
    count, counts = len(places[0]), [len(own) for own in keys]
    if not count:
        raise ConfigError(
            f"compare: the runs were scored on different {split} data, with no row in common (a row is the same where "
            "its texts and its gold answer are); score them on one file: --test FILE"
        )
    notes = []
    if any(count < own for own in counts):
        shown = ", ".join(f"{run.name} {own:,}" for run, own in zip(runs, counts, strict=True))
        notes.append(f"scored on partly different {split} data ({shown}): compared on the {count:,} in common")
    elif any((own != np.arange(count)).any() for own in places):
        notes.append("the same rows in another order: aligned by their texts and gold answers")
    groups = groups_of(runs, places)
    if groups is not None:
        notes.append(f"rows of one group are right or wrong together: {many(len(np.unique(groups)), 'group')}")
    tables = [pick(run.scored.table, own) for run, own in zip(runs, places, strict=True)]
    return Rows(runs[0].task, tables, groups), notes


def remarks(compared: Sequence[Recipe], runs: Sequence[ScoredRun], split: str) -> list[str]:
    """What should be known before anything is concluded."""
    found = []
    if split == "validation":
        found.append("validation scores are optimistic: these data chose the epoch of each run")
    if all(len(recipe.members) == 1 for recipe in compared):
        alike = all(settings_of(run) == settings_of(runs[0]) for run in runs)
        seeds = {run.config.seed for run in runs}
        if not alike:
            found.append(
                "single runs: a difference may be that of two seeds; three seeds or more of each tell recipes from luck"
            )
        elif len(seeds) > 1:
            found.append("these runs differ by their seed alone: what differs between them is chance, and no recipe")
    return found


def baseline_of(
    compared: Sequence[Recipe], entries: Sequence[Entry], runs: Sequence[ScoredRun], *, name: str | None, higher: bool
) -> int:
    """The place of the recipe with which all others are compared.

    Raises:
        ConfigError: no run has the name.
    """
    if name is None:
        return 0
    if name == BEST:
        return max(range(len(entries)), key=lambda i: entries[i].score if higher else -entries[i].score)
    for place, recipe in enumerate(compared):
        if any(Path(name).absolute() == runs[member].run.path.absolute() for member in recipe.members):
            return place
    known = ", ".join(run.name for run in runs)
    raise ConfigError(f"baseline: {printable(name)} is none of the compared runs; there are: {known}, or {BEST}")


def entry_of(recipe: Recipe, runs: Sequence[ScoredRun], rows: Rows, name: str) -> Entry:
    """The score of a recipe with its interval."""
    tables, metric = rows.of(recipe), rows.task.metrics[name]
    if len(tables) == 1:
        alone = interval(tables[0], metric, groups=rows.groups)
        score = Mean(alone.value, alone.low, alone.high, alone.level, reason=alone.reason)
    else:
        score = recipes.mean_score(tables, metric, groups=rows.groups)
    own = [runs[place] for place in recipe.members]
    seeds = tuple(run.config.seed for run in own)
    return Entry(recipe.name, tuple(run.name for run in own), seeds, score.value, score.low, score.high, score.reason)


def contrasts_of(
    compared: Sequence[Recipe], runs: Sequence[ScoredRun], rows: Rows, name: str, *, margin: float
) -> list[Contrast]:
    """Each recipe but the first against the first, with p-values adjusted for all of these comparisons."""
    first, *others = compared
    metric, higher = rows.task.metrics[name], higher_is_better(name)
    alike = [sameness(first, other, runs, rows) for other in others]
    differences = [
        (recipes.compare if same else difference_of)(rows.of(other), rows.of(first), metric, groups=rows.groups)
        for other, same in zip(others, alike, strict=True)
    ]
    adjusted = holm_of_known([difference.p_value for difference in differences])
    found = []
    for other, difference, p_value, same in zip(others, differences, adjusted, alike, strict=True):
        single = len(first.members) == len(other.members) == 1  # which `remarks` says once
        told = replace(difference, note="") if single else difference
        decision = decide(told, margin=margin, higher=higher, p_value=p_value)
        answer, phrase = ("same", same) if same else (decision.answer, decision.phrase)
        gained, lost = flips(rows.of(first), rows.of(other), rows.task)
        labels = [] if same else label_changes(rows.of(other), rows.of(first), rows)
        found.append(Contrast(other.name, first.name, difference, p_value, answer, phrase, gained, lost, labels))
    return found


def difference_of(
    first: Sequence[Table], second: Sequence[Table], metric: Metric, *, groups: Array | None
) -> Difference:
    """The first recipe's mean score minus the second's; of two single runs by resamples and swaps of rows."""
    difference = recipes.compare(first, second, metric, groups=groups)
    if len(first) > 1 or len(second) > 1 or difference.reason:
        return difference
    found = paired(first[0], second[0], metric, groups=groups)
    return replace(difference, low=found.low, high=found.high, p_value=found.p_value)


def sameness(first: Recipe, second: Recipe, runs: Sequence[ScoredRun], rows: Rows) -> str:
    """That the runs of two recipes say the same, in words; empty where they don't."""
    one, other = rows.of(first), rows.of(second)
    if len(one) != len(other) or not all(equal(a, b) for a, b in zip(one, other, strict=True)):
        return ""
    pairs = zip(first.members, second.members, strict=True)
    same = all(said(runs[a]) == said(runs[b]) for a, b in pairs)
    return "the same predictions" if same else "the same score on every row, from different predictions"


def said(run: ScoredRun) -> list[str]:
    """The predictions of a run, without the places of their rows and whatever their order."""
    lines = ({**line, "place": None} for line in run.run.predictions())
    return sorted(str(line) for line in lines)


def equal(first: Table, second: Table) -> bool:
    """Whether two tables hold the same values."""
    return all(np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f") for name in first)


def flips(first: Sequence[Table], second: Sequence[Table], task: Task) -> tuple[int, int] | tuple[None, None]:
    """How many rows only the second recipe has right, and how many only the first; None where no row is right or wrong.

    A row is right where all its items are, by the first metric of the task that is a share of items, in more than half
    of a recipe's runs.
    """
    metric = next((one for one in task.metrics.values() if isinstance(one, Proportion)), None)
    if metric is None:
        return None, None

    def right(tables: Sequence[Table]) -> Array:
        counts = [metric.counts(table) for table in tables]
        mostly: Array = np.mean([part == whole for part, whole in counts], axis=0) > 0.5
        return mostly

    before, after = right(first), right(second)
    return int((after & ~before).sum()), int((before & ~after).sum())


def label_changes(second: Sequence[Table], first: Sequence[Table], rows: Rows) -> list[LabelChange]:
    """How the score of each label differs, with p-values adjusted for all labels."""
    new, old = ([label_tables(rows.task, table) for table in tables] for tables in (second, first))
    metric = LABEL_METRICS[LABEL_METRIC]
    labels = [label for label in old[0] if all(label in tables for tables in (*new, *old))]
    differences = [
        recipes.compare([own[label] for own in new], [own[label] for own in old], metric, groups=rows.groups)
        for label in labels
    ]
    adjusted = holm_of_known([difference.p_value for difference in differences])
    support = [int(old[0][label]["support"].sum()) for label in labels]
    return [LabelChange(*line) for line in zip(labels, support, differences, adjusted, strict=True)]


def gated(rules: Sequence[Rule], older: Recipe, newer: Recipe, rows: Rows) -> Gate:
    """What the rules of a gate say of the newer recipe against the older one."""
    found = checks(rules, rows.task, older=rows.of(older), newer=rows.of(newer), groups=rows.groups)
    return Gate(older.name, newer.name, tuple(found))
