"""What makes the score of a recipe vary: its seeds, the examples, and each run's own errors on them.

Seeds and examples are crossed random effects. Of a value D, a mean score or the difference of two,

    V = V_examples + max(V_seeds - V_both, -V_both / 4)

estimates the variance. V_seeds is the sum over the recipes of s^2 / S, where s^2 is the variance of the scores of S
seeds. V_examples is the jackknife's variance of D over m parts of the examples, from the influence values of each run,
averaged over its seeds. Both of them hold V_both, the mean square of what remains of the influence values without the
effects of seeds and of examples, as in an analysis of variance. The degrees of freedom nu are those for which the
intervals hold what they promise in the simulations of docs/statistics.md:

    1 / nu = (V_examples / V)^2 / nu_examples + (V_seeds / V)^(2 - 3 / (2 nu_seeds)) / nu_seeds

without the second term where V_seeds <= V_both. With the exponent 2 it would be that of Satterthwaite (1946), whose
intervals are too short where few seeds decide. nu_examples is 2 m / (kurtosis - 1), at most m - 1, and
nu_seeds + 1 = V_seeds^2 / sum (s^2 / S)^2 / S, at most its value for equal variances (after Welch 1947).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .jackknife import left_out
from .kinds import Array, Metric, Table

BELOW = 0.25
"""Share of V_both by which the variance may fall below V_examples, where seeds vary less than runs' own errors must."""
FEW = 5
"""Fewest parts of the examples with a part in a difference from which its variance over examples is taken as it is."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What makes a value of one or two recipes vary, as parts that add up to its variance.

    Attributes:
        seeds: What the seeds of each recipe add: another run scores otherwise, on whichever examples.
        examples: What the examples add: some are harder, or suit one of two recipes.
        both: What each run's own errors add, of each recipe. They fade with more seeds and with more examples.
        counts: Number of seeds of each recipe.
        units: Number of examples, or of groups where there are any.
        grouped: Whether there are groups.
    """

    seeds: tuple[float, ...]
    examples: float
    both: tuple[float, ...]
    counts: tuple[int, ...]
    units: int
    grouped: bool = False

    @property
    def variance(self) -> float:
        """The variance of the value."""
        return self.at()

    def at(self, *, seeds: int | None = None, units: float | None = None) -> float:
        """The variance with at least so many seeds of each recipe, or with another number of examples or groups."""
        more = 1.0 if units is None else self.units / units
        parts = zip(self.counts, self.seeds, self.both, strict=True)
        runs = sum(n / max(n, seeds or 0) * (own + more * both) for n, own, both in parts)
        return runs + self.of_examples(units)

    def of_examples(self, units: float | None = None) -> float:
        """What the examples add, with another number of examples or groups."""
        return self.examples if units is None else self.examples * self.units / units


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a recipe.

    Attributes:
        scores: Score of each of S runs. [S]
        values: Influence value (pseudo-value) of each part of the examples on each score. [S, m]
    """

    scores: Array
    values: Array


def runs_of(tables: Sequence[Table], metric: Metric, groups: Array | None) -> Runs:
    """The scores of runs, and the pseudo-values m T - (m - 1) T_i of m parts of the examples (Tukey 1958)."""
    scores = np.array([metric(table) for table in tables], np.float64)
    without = np.array([left_out(table, metric, groups) for table in tables], np.float64)  # [S, m]
    m = without.shape[1]
    return Runs(scores, m * scores[:, None] - (m - 1) * without)


def spread_of(
    recipes: Sequence[Runs], *, units: int, grouped: bool = False, least: float = 0.0
) -> tuple[Spread, float]:
    """The variance of the mean score of one recipe, or of the first one's minus the second one's, and its freedom.

    Args:
        recipes: One or two, with the same parts of the examples.
        units: Number of examples, or of groups where there are any.
        grouped: Whether there are groups.
        least: Variance over examples that there is at least where fewer than five parts of them make the difference.

    Returns:
        The parts of the variance, and its degrees of freedom.
    """
    m = recipes[0].values.shape[1]
    means = [runs.values.mean(axis=0) for runs in recipes]  # [m] each
    centred = means[0] - means[-1] if len(recipes) > 1 else means[0].copy()
    few = np.count_nonzero(np.abs(centred) > 1e-9 * np.abs(means[0]).max()) < FEW
    centred -= centred.mean()
    squares = float(centred @ centred)
    examples = max(least if few else 0.0, squares / (m * (m - 1)))
    by_seed = tuple(_variance_of_mean(runs.scores) for runs in recipes)
    own = tuple(_own(runs.values) for runs in recipes)
    counts = tuple(len(runs.scores) for runs in recipes)
    seeds, both = sum(by_seed), sum(own)
    more = max(seeds - both, -BELOW * min(both, examples))
    variance = examples + more
    kurtosis = m * float((centred**4).sum()) / squares**2 if squares > 0 else 3.0
    freedom = max(1.0, min(m - 1.0, 2 * m / max(kurtosis - 1, 1e-9)))
    inverse = (examples / variance) ** 2 / freedom if variance > 0 else 1.0
    if seeds > both:
        few_seeds = _freedom_of_seeds(by_seed, counts)
        inverse += share_of_seeds(seeds / variance, few_seeds)
    known = Spread(by_seed, examples, own, counts, units, grouped)
    return _split(known, more), max(1.0, 1 / inverse)


def share_of_seeds(share: float, freedom: float) -> float:
    """What seeds add to one over the degrees of freedom.

    Args:
        share: Share of the variance in which their variance is.
        freedom: Degrees of freedom of their own variance.
    """
    return math.pow(share, 2 - 1.5 / freedom) / freedom


def _variance_of_mean(scores: Array) -> float:
    """s^2 / S of S scores; 0 of a single one, whose variance is unknown."""
    return float(scores.var(ddof=1)) / len(scores) if len(scores) > 1 else 0.0


def _own(values: Array) -> float:
    """What runs' own errors add to the variance of their mean: the mean square of the interaction, by S m.

    Args:
        values: Influence values of m parts on S scores. [S, m]
    """
    count, m = len(values), values[0].size
    if count < 2:
        return 0.0
    rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    squares = float(np.sum(rest * rest))
    return squares / float((count - 1) * (m - 1) * count * m)


def _freedom_of_seeds(by_seed: Sequence[float], counts: Sequence[int]) -> float:
    """Degrees of freedom of the sum of the recipes' variances over seeds, by these variances."""
    known = [(part, n - 1) for part, n in zip(by_seed, counts, strict=True) if n > 1]
    total = sum(part for part, _ in known)
    least, most = min(freedom for _, freedom in known), sum(freedom for _, freedom in known)
    estimate = total**2 / sum(part**2 / (freedom + 1) for part, freedom in known) - 1
    return float(min(max(estimate, least), most))


def _split(found: Spread, more: float) -> Spread:
    """The variance by where it comes from, without parts below 0.

    Args:
        found: The estimates: `seeds` and `examples` both hold `both`.
        more: What the seeds add to the variance over examples.
    """
    seeds, both = sum(found.seeds), sum(found.both)
    known, alone = max(0.0, more), max(0.0, found.examples - both)
    rest = found.examples + more - known - alone
    return replace(
        found,
        seeds=tuple(known * part / seeds if seeds > 0 else 0.0 for part in found.seeds),
        examples=alone,
        both=tuple(rest * part / both if both > 0 else 0.0 for part in found.both),
    )
