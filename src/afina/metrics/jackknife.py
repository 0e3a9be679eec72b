"""Intervals of smooth scores from the scores without one part of the examples, and no resamples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit, logit, stdtrit

from ..printing import many
from .kinds import Array, Metric, Smooth, Table
from .proportions import NoInterval, check_number
from .resampling import columns_of, summed

PARTS = 200
"""Most parts of the examples that are left out one after the other."""
SCALES: dict[str, tuple[Callable[[Array], Array], Callable[[float], float]]] = {
    "share": (logit, lambda value: float(expit(value))),
    "correlation": (np.arctanh, lambda value: float(np.tanh(value))),
    "error": (np.log, lambda value: float(np.exp(value))),
    "explained": (lambda value: -np.log1p(-value), lambda value: float(-np.expm1(-value))),
}
"""By the kind of a score, the scale on which it is nearly normal, and the way back."""


def interval_of_smooth(
    table: Table, metric: Smooth, *, groups: Array | None = None, level: float = 0.95
) -> tuple[float, float]:
    """Bounds g(T) -+ t s, taken back to the score's own scale, of a score T (Tukey 1958; Miller 1974).

    g is the scale of the metric's kind: logit for shares, Fisher's z for correlations, ln for errors, -ln(1 - T) for
    explained variance. s^2 is the jackknife's variance over m parts of the examples, (m - 1) / m sum (g_i - mean)^2,
    where g_i is the score without part i: each example or group where there are at most 200, else 200 parts by lot.
    The degrees of freedom of t are those of s^2 by the kurtosis k of the g_i, 2 m / (k - 1), at most m - 1
    (Satterthwaite 1946), so that the interval is wide where a few examples decide.

    Of an error, whose distribution is skewed, the centre is the jackknife's estimate without bias (Quenouille 1956),
    and the upper bound gets what the skewness c of the g_i adds to a studentised mean (Johnson 1978; Hall 1992), less
    what the logarithm takes: s c (2 t^2 + 1) / (6 sqrt(m)) - s^2 t^2 / 2, if that is positive.

    Raises:
        NoInterval: too few examples, groups or examples of a class, a bound in place of a value, or a score that hardly
            varies.
    """
    check_support(table, metric, groups)
    forward, back = SCALES[metric.kind]
    with np.errstate(all="ignore"):
        score = metric(table)
        value = float(forward(np.array(score)))
        without = left_out(table, metric, groups)
        scaled = np.asarray(forward(without))
    if np.isnan(without).any():
        raise NoInterval("it is not defined without some of the examples")
    if not (np.isfinite(value) and np.isfinite(scaled).all()):
        raise NoInterval(_at_the_limit(score, metric))
    m = len(scaled)
    deviations = scaled.mean() - scaled  # as the influence of the parts
    squares = float(deviations @ deviations)
    if squares <= 1e-20 * m:
        raise NoInterval("it hardly varies")
    error = float(np.sqrt((m - 1) / m * squares))
    kurtosis = m * float((deviations**4).sum()) / squares**2
    freedom = max(1.0, min(m - 1.0, 2 * m / max(kurtosis - 1, 1e-9)))
    t = float(stdtrit(freedom, (1 + level) / 2))
    centre, more = value, 0.0
    if metric.kind == "error":
        centre = m * value - (m - 1) * float(scaled.mean())
        skewness = float(np.sqrt(m) * (deviations**3).sum() / squares**1.5)
        normal = float(stdtrit(m - 1, (1 + level) / 2))
        more = max(0.0, error * skewness * (2 * normal**2 + 1) / (6 * np.sqrt(m)) - (error * normal) ** 2 / 2)
    return back(centre - t * error), back(centre + t * error + more)


def parts_of(n: int, groups: Array | None) -> Array:
    """A part for each of n examples: each group or example is one, or at most 200 parts hold about as many. [n]"""
    owner = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(owner.max()) + 1
    if units <= PARTS:
        return owner
    part: Array = np.random.default_rng(0).permutation(units)[owner] % PARTS
    return part


def left_out(table: Table, metric: Metric, groups: Array | None) -> Array:
    """The score without each part of the examples. [m]"""
    owner = parts_of(len(next(iter(table.values()))), groups)
    units, found = int(owner.max()) + 1, columns_of([table], metric)
    if found is not None and units > 1:
        sums, (columns,) = found
        parts = summed(columns, owner, units)
        with np.errstate(all="ignore"):
            return sums.score(parts.sum(axis=0) - parts)
    kept = (owner != part for part in range(units))
    return np.array([metric({name: column[rows] for name, column in table.items()}) for rows in kept])


def _at_the_limit(score: float, metric: Smooth) -> str:
    """Why the scale has no value for a score, or for the score without one part."""
    if np.isinf(score):
        return "one example makes it infinite"
    if score == (0 if metric.kind == "error" else 1):
        return "every example is right"
    return "every example is wrong" if score in (0, -1) else "too few examples are wrong"


def check_support(table: Table, metric: Smooth, groups: Array | None) -> None:
    """Refuse where the simulations of docs/statistics.md show that the interval does not cover."""
    check_number(len(next(iter(table.values()))), groups, least=metric.least)
    if metric.classes is not None:
        rare = int((metric.classes(table) < metric.rare).sum())
        if rare:
            raise NoInterval(f"{rare} label{'s have' if rare > 1 else ' has'} fewer than {metric.rare} examples")
    if metric.cut is not None and (cut := int(metric.cut(table).sum())):
        raise NoInterval(f"{many(cut, 'example')} with a gold label of probability 0, whose loss is infinite")
