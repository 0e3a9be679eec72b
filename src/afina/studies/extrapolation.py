"""What more labels would bring: a power law, believed only where it foretold what was measured already.

Scores follow a - b n^-c over a wide range of amounts n (Hestness et al. 2017; Rosenfeld et al. 2020), but not where a
curve still lies at chance, or has a kink. Therefore the law is first fitted to the smaller amounts alone and must
foretell the larger ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..metrics.kinds import Array
from ..printing import many

FEWEST = 3
"""Amounts that a fit takes, as many as the law has parameters."""
EXPONENTS = np.geomspace(0.02, 4.0, 200)
"""Exponents that are tried."""
SLACK, MOST_SLACK = 0.05, 0.15
"""Shares of a curve's whole rise by which a forecast may be wrong: in any case, and where noise explains as much."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """The law a - b n^-c.

    Attributes:
        a: The score of endless data.
        b: What one example lacks of it.
        c: How fast the rest shrinks.
    """

    a: float
    b: float
    c: float

    def __call__(self, amount: float) -> float:
        """The score at an amount."""
        return float(self.a - self.b * amount**-self.c)


@dataclass(frozen=True, slots=True)
class Check:
    """A forecast of something that was measured.

    Attributes:
        amount: The amount for which it was made.
        fitted: Number of smaller amounts that it was made from.
        forecast: What the law said.
        measured: What was measured.
        allowed: The error that it may have.
    """

    amount: float
    fitted: int
    forecast: float
    measured: float
    allowed: float

    @property
    def error(self) -> float:
        """Forecast minus measurement."""
        return self.forecast - self.measured

    @property
    def passed(self) -> bool:
        """Whether the forecast was good enough."""
        return abs(self.error) <= self.allowed


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a larger amount would bring, or why nobody can tell.

    Attributes:
        amount: The larger amount.
        score: The score there; nan where the law is not believed.
        gain: What it is above the law's score at the largest amount that was tried; nan as above.
        error: Largest error of the checks; nan without any.
        checks: Forecasts of what was measured.
        reason: Why the law is not believed; empty where it is.
    """

    amount: float
    score: float
    gain: float
    error: float
    checks: Sequence[Check]
    reason: str = ""


def fit(amounts: Sequence[float], scores: Sequence[float]) -> PowerLaw:
    """The law that is nearest to some scores by least squares: the exponent by search, the rest in closed form.

    Args:
        amounts: Three or more, above 0.
        scores: The score at each.
    """
    n, y = np.array(amounts, float), np.array(scores, float)
    laws = [law_of(n / n[0], y, float(c)) for c in EXPONENTS]
    best = int(np.argmin([error for _, error in laws]))
    close = np.geomspace(EXPONENTS[max(0, best - 1)], EXPONENTS[min(best + 1, len(EXPONENTS) - 1)], 50)
    law, _ = min((law_of(n / n[0], y, float(c)) for c in close), key=lambda one: one[1])
    return PowerLaw(law.a, law.b * float(n[0]) ** law.c, law.c)


def law_of(n: Array, y: Array, c: float) -> tuple[PowerLaw, float]:
    """The nearest law of an exponent, and its summed squared error."""
    powers = n**-c
    centred = powers - powers.mean()
    b = -float(centred @ (y - y.mean())) / float(centred @ centred)
    a = float(y.mean() + b * powers.mean())
    return PowerLaw(a, b, c), float(((a - b * powers - y) ** 2).sum())


def outlook(
    amounts: Sequence[float],
    scores: Sequence[float],
    *,
    noise: Sequence[float],
    factor: float = 2.0,
    limit: float = math.inf,
    sign: int = 1,
) -> Outlook:
    """What `factor` times the largest amount would bring.

    The one or two largest amounts are foretold from those that are at most a `factor`th of them, as far as three are
    left. Each forecast may be wrong by the noise of what was measured (`SLACK`).

    Args:
        amounts: Ascending, above 0.
        scores: The mean score at each, higher is better.
        noise: Half the width of the interval of each; not finite where there is none.
        factor: How much more there would be.
        limit: The best score that there is.
        sign: -1 where scores had their sign changed, so that they are told as they were measured.
    """
    known = [i for i, score in enumerate(scores) if math.isfinite(score)]
    n, y = [float(amounts[i]) for i in known], [float(scores[i]) for i in known]
    widths = [noise[i] if math.isfinite(noise[i]) else 0.0 for i in known]
    most = factor * n[-1] if n else math.nan
    checks = checked(n, y, widths, factor=factor)
    error = max((abs(check.error) for check in checks), default=math.nan)
    reason = refusal(n, checks, sign=sign)
    if not reason:
        law = fit(n, y)
        if law.b <= 0:
            reason = "the scores do not rise with more labels"
        else:
            score = min(law(most), limit)
            return Outlook(most, score, max(0.0, score - law(n[-1])), error, checks)
    return Outlook(most, math.nan, math.nan, error, checks, reason)


def checked(n: Sequence[float], y: Sequence[float], widths: Sequence[float], *, factor: float) -> list[Check]:
    """Forecasts of the two largest amounts, as far as there are enough smaller ones."""
    checks = []
    for i in range(max(0, len(n) - 2), len(n)):
        before = [j for j in range(i) if n[j] * factor <= n[i] * (1 + 1e-9)]
        if len(before) < FEWEST:
            continue
        law = fit([n[j] for j in before], [y[j] for j in before])
        rise = max(y) - min(y)
        checks.append(Check(n[i], len(before), law(n[i]), y[i], max(SLACK * rise, min(widths[i], MOST_SLACK * rise))))
    return checks


def refusal(n: Sequence[float], checks: Sequence[Check], *, sign: int) -> str:
    """Why a curve is not followed further; empty where it is."""
    if not checks or checks[-1].amount != n[-1]:
        return f"a check takes {FEWEST} sizes of at most half the largest one"
    failed = [check for check in checks if not check.passed]
    if failed:
        worst = max(failed, key=lambda check: abs(check.error))
        return (
            f"from the {worst.fitted} smaller sizes a power law foretells {sign * worst.forecast:.4f} for "
            f"{many(round(worst.amount), 'label')}, where {sign * worst.measured:.4f} was measured"
        )
    return ""
