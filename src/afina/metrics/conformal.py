"""Split-conformal prediction: sets of labels, and intervals, that hold what is right with a wanted probability.

Scores say how strange what is right looks to the model, for labelled data that are drawn as new data are. Among n of
them and one new one every rank is equally likely, so that the new one is at most the k-th smallest of the n with
probability k / (n + 1) or more, whatever the model and the data (Vovk et al. 2005; Papadopoulos et al. 2002).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from .kinds import Array

KEPT = 999
"""Most scores that are kept. With 999 the quantiles of all alphas in thousandths are those of all scores."""


def rank(n: int, alpha: float) -> int:
    """The rank k = ceil((n + 1) (1 - alpha)) of the score that bounds a new one with probability 1 - alpha.

    It is n + 1 where n scores are too few. What the arithmetic of alpha adds in its last bits does not count.
    """
    return math.ceil((n + 1) * (1 - alpha) - 1e-9)


def quantile(scores: Sequence[float] | Array, alpha: float) -> float:
    """The score that at most a share alpha of new ones exceed; inf where there are too few scores to say.

    Args:
        scores: Scores of labelled data, smallest first. [n]
        alpha: Probability of what is right being left out.
    """
    k = rank(len(scores), alpha)
    return math.inf if k > len(scores) else float(scores[max(k, 1) - 1])


def kept_scores(scores: Array) -> list[float]:
    """At most `KEPT` scores that serve as a sample in place of all, smallest first, rounded up to six digits.

    Of more than that, those of the ranks ceil((n + 1) j / 1000) are taken: the j-th of them bounds a new score with
    probability j / 1000 or more, as the j-th of 999 scores does.
    """
    ordered, n = np.sort(scores), len(scores)
    if n > KEPT:
        ranks = np.ceil((n + 1) * np.arange(1, KEPT + 1) / (KEPT + 1) - 1e-9).astype(int)
        ordered = ordered[ranks - 1]
    return [math.ceil(score * 1e6 - 1e-6) / 1e6 for score in ordered.tolist()]


def label_set(probabilities: Mapping[str, float], bound: float, *, single: bool) -> list[str]:
    """The labels whose score 1 - p is at most a bound, the likeliest first (LAC, Sadinle et al. 2019).

    No other sets that hold the right label as often are smaller on average, where the probabilities are right.

    Args:
        probabilities: Probability of each label.
        bound: Quantile of the scores of labelled data.
        single: Whether exactly one label is right. The likeliest then stands in the set whatever the bound, so that no
            set is empty and none contradicts the answer; the right label can only be in it more often.
    """
    order = sorted(probabilities, key=lambda label: -probabilities[label])
    chosen = [label for label in order if 1 - probabilities[label] <= bound]
    return chosen or order[: int(single)]
