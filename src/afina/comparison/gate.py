"""What a newer run may lose: `entity_f1 -0.5, recall per label -2`.

    METRIC -POINTS              the metric of all rows
    METRIC per label -POINTS    precision, recall or f1 of every label
    METRIC of LABEL -POINTS     of one label, in quotes where its name holds commas or blanks at its ends

A point is a hundredth, for metrics that are shares or correlations. Errors and losses are better when they are lower:
for them, what they may rise by stands in their own units, `log_loss +0.02`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import ConfigError, listed, printable
from ..metrics import recipes
from ..metrics.decisions import p_not_worse
from ..metrics.gates import holm_of_known, p_worse
from ..metrics.kinds import Array, Metric, Proportion, Smooth, Table
from ..metrics.recipes import Difference
from ..metrics.scores import higher_is_better
from ..printing import many
from ..tasks.base import Task
from .labels import LABEL_METRICS, label_tables

ITEM = re.compile(
    r"""\s*(?P<metric>[^\s,]+)
    (?:\s+(?:(?P<each>per\s+label)|of\s+(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>[^,]+?))))?
    \s+(?P<amount>[-+]?\d+(?:\.\d+)?)\s*(?:,|$)""",
    re.VERBOSE,
)
EXPECTED = "expected METRIC -POINTS, METRIC per label -POINTS or METRIC of LABEL -POINTS, with commas between them"
POINTS = 100
"""Points of a metric that is a share or a correlation."""
Answer = Literal["held", "failed", "undecided"]
FEWEST = 5
"""Fewest gold items of a label for which anything is decided."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a gate.

    Attributes:
        metric: Name of the metric.
        amount: What it may change by: below 0 for a fall, above for a rise.
        each: Whether it is about every label.
        label: The label that it is about; None for all rows or for every label.
    """

    metric: str
    amount: float
    each: bool = False
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What became of a rule, or of one label of it.

    Attributes:
        name: The metric, and the label where it is of one.
        allowed: How much worse the newer run may be, in the units of the metric.
        points: Whether these units are hundredths of a point.
        difference: The newer score minus the older one.
        p_value: Of the hypothesis that no more is lost than is allowed, adjusted for all checks; nan if it is unknown.
        answer: `failed` where the newer run is significantly worse by more, `held` where it is not worse by as much,
            else `undecided`.
        reason: Why nothing can be decided; empty where it can.
    """

    name: str
    allowed: float
    points: bool
    difference: Difference
    p_value: float
    answer: Answer
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a gate says.

    Attributes:
        older: Name of the older recipe.
        newer: Name of the newer one.
        checks: What became of each rule.
    """

    older: str
    newer: str
    checks: tuple[Check, ...]

    def named(self, answer: str) -> list[str]:
        """The checks with an answer."""
        return [check.name for check in self.checks if check.answer == answer]

    def passes(self, *, undecided: bool = True) -> bool:
        """Whether nothing failed.

        Args:
            undecided: Whether what is undecided passes.
        """
        return not self.named("failed") and (undecided or not self.named("undecided"))


def parse(text: str) -> list[Rule]:
    """The rules of a gate.

    Raises:
        ConfigError: it is not written as it should be.
    """
    rules, place = [], 0
    while place < len(text):
        match = ITEM.match(text, place)
        if match is None:
            raise ConfigError(f"gate: {EXPECTED}, found {printable(text[place:].strip())}")
        label = next((match[name] for name in ("double", "single", "plain") if match[name] is not None), None)
        rules.append(Rule(match["metric"], float(match["amount"]), match["each"] is not None, label))
        place = match.end()
    if not rules:
        raise ConfigError(f"gate: {EXPECTED}, found nothing")
    return rules


@dataclass(frozen=True, slots=True)
class Measured:
    """The difference that a rule is about, or of one label of it.

    Attributes:
        name: The metric, and the label where it is of one.
        allowed: How much worse the newer run may be, in the units of the metric.
        points: Whether these units are hundredths of a point.
        higher: Whether a larger score is better.
        difference: The newer score minus the older one.
        reason: Why nothing can be decided; empty where it can.
        same: Whether both have the same score on every row.
    """

    name: str
    allowed: float
    points: bool
    higher: bool
    difference: Difference
    reason: str
    same: bool

    @property
    def p_value(self) -> float:
        """Of the hypothesis that no more is lost than is allowed; nan where it is unknown."""
        return math.nan if self.reason else p_worse(self.difference, self.allowed, higher=self.higher)

    def answered(self, p_value: float) -> Check:
        """What becomes of it, given its adjusted p-value."""
        alpha = 1 - self.difference.level
        answer: Answer = "undecided"
        if self.same:
            return Check(self.name, self.allowed, self.points, self.difference, math.nan, "held")
        if p_value < alpha:
            answer = "failed"
        elif not self.reason and p_not_worse(self.difference, self.allowed, higher=self.higher) < alpha:
            answer = "held"
        return Check(self.name, self.allowed, self.points, self.difference, p_value, answer, self.reason)


def checks(
    rules: Sequence[Rule], task: Task, *, older: Sequence[Table], newer: Sequence[Table], groups: Array | None
) -> list[Check]:
    """What becomes of each rule. P-values are adjusted for all of them together.

    Args:
        rules: The rules.
        task: The task of both recipes.
        older: Score tables of the runs of the older recipe, of the same rows.
        newer: Those of the newer one.
        groups: The group of each row. [n]

    Raises:
        ConfigError: there is no such metric or label, or a rule allows a change for the better only.
    """
    for rule in rules:
        check_sign(rule, metric_of(rule, task))
    by_label: list[dict[str, Sides]] = []
    if any(rule.each or rule.label is not None for rule in rules):
        tables = [[label_tables(task, table) for table in side] for side in (newer, older)]
        labels = [label for label in tables[1][0] if all(label in own for side in tables for own in side)]
        by_label.append({label: ([t[label] for t in tables[0]], [t[label] for t in tables[1]]) for label in labels})
    found = []
    for rule in rules:
        sides = named_sides(rule, task, (newer, older), by_label[0] if by_label else {})
        found += [measured(name, rule, metric_of(rule, task), side, groups=groups) for name, side in sides.items()]
    adjusted = holm_of_known([one.p_value for one in found])
    return [one.answered(p_value) for one, p_value in zip(found, adjusted, strict=True)]


Sides = tuple[Sequence[Table], Sequence[Table]]
"""Tables of the newer recipe's runs, and of the older one's."""


def named_sides(rule: Rule, task: Task, whole: Sides, by_label: Mapping[str, Sides]) -> dict[str, Sides]:
    """The tables that a rule is about, by the name of the check.

    Args:
        rule: The rule.
        task: The task.
        whole: The score tables.
        by_label: The tables of each label.

    Raises:
        ConfigError: there is no such label.
    """
    if not rule.each and rule.label is None:
        return {rule.metric: whole}
    if not by_label:
        raise ConfigError(f"gate: {rule.metric} of labels: the task {task.name} has none that can be counted")
    if rule.label is None:  # a label without gold items says nothing
        return {f"{rule.metric} of {label}": sides for label, sides in by_label.items() if gold_of(sides)}
    if rule.label not in by_label:
        known = listed(by_label, near=[rule.label])
        raise ConfigError(f"gate: there is no label {printable(rule.label)}; there are: {known}")
    return {f"{rule.metric} of {rule.label}": by_label[rule.label]}


def gold_of(sides: Sides) -> int:
    """Number of gold items of a label."""
    return int(sides[1][0]["support"].sum())


def measured(name: str, rule: Rule, metric: Metric, sides: Sides, *, groups: Array | None) -> Measured:
    """The difference of the newer tables from the older ones."""
    newer, older = sides
    difference = recipes.compare(newer, older, metric, groups=groups)
    reason = difference.reason
    if (rule.each or rule.label is not None) and gold_of(sides) < FEWEST:
        reason = f"{many(gold_of(sides), 'gold item')}, and {FEWEST} are needed"
    pairs = zip(newer, older, strict=False)
    same = len(newer) == len(older) and all(np.array_equal(one[key], other[key]) for one, other in pairs for key in one)
    points, higher = in_points(metric), higher_is_better(rule.metric)
    allowed = abs(rule.amount) / POINTS if points else abs(rule.amount)
    return Measured(name, allowed, points, higher, difference, reason, same)


def metric_of(rule: Rule, task: Task) -> Metric:
    """The metric of a rule.

    Raises:
        ConfigError: there is none of its name; lists those that there are.
    """
    of_labels = rule.each or rule.label is not None
    known: Mapping[str, Metric] = LABEL_METRICS if of_labels else task.metrics
    if rule.metric in known:
        return known[rule.metric]
    own, single = ", ".join(task.metrics), ", ".join(LABEL_METRICS)
    raise ConfigError(
        f"gate: there is no metric {printable(rule.metric)} of {'labels' if of_labels else 'all rows'}; "
        f"of all rows there are: {own}; of labels: {single} (recall per label -2)"
    )


def check_sign(rule: Rule, metric: Metric) -> None:
    """See that a rule allows a change for the worse.

    Raises:
        ConfigError: it allows one for the better.
    """
    higher = higher_is_better(rule.metric)
    if rule.amount and (rule.amount > 0) == higher:
        unit = "in points" if in_points(metric) else "in its own units"
        what, sign = ("higher", "-") if higher else ("lower", "+")
        raise ConfigError(
            f"gate: {rule.metric} is better when it is {what}: write what it may lose {unit}, "
            f"{rule.metric} {sign}{abs(rule.amount):g}"
        )


def in_points(metric: Metric) -> bool:
    """Whether a metric is a share or a correlation, of which a point is a hundredth."""
    return isinstance(metric, Proportion) or (isinstance(metric, Smooth) and metric.kind != "error")
