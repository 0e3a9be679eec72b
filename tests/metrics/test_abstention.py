"""Abstention: the curve by hand, and a threshold whose promise is simulated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import beta

from afina.metrics.abstention import curve, lower_bound, risk_area, sizes_to_try, threshold_for


def drawn(random: np.random.Generator, n: int, power: float = 0.35) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, uniform, and answers that are right with probability confidence ** power."""
    confidence = random.random(n)
    return confidence, random.random(n) < confidence**power


def test_the_curve_by_hand() -> None:
    confidence = np.array([0.9, 0.5, 0.5, 0.8])
    right = np.array([True, False, True, True])
    points = curve(confidence, right)
    assert [(one.count, one.precision, one.threshold) for one in points] == [
        (4, 0.75, 0.5),
        (2, 1.0, 0.8),
        (1, 1.0, 0.9),
    ]
    assert risk_area(confidence, right) == pytest.approx((0 + 0 + 0.5 / 3 + 1 / 4) / 4)
    assert risk_area(np.array([0.9, 0.1]), np.array([False, True])) == pytest.approx((1 + 0.5) / 2)
    assert curve(np.zeros(0), np.zeros(0, bool)) == []
    assert math.isnan(risk_area(np.zeros(0), np.zeros(0, bool)))


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    right = np.arange(100) < 97
    assert lower_bound(right, 0.05) == pytest.approx(beta.ppf(0.05, 97, 4))
    assert lower_bound(np.zeros(5), 0.05) == 0.0
    assert lower_bound(np.ones(59), 0.05) == pytest.approx(0.05 ** (1 / 59))
    together = np.repeat(np.arange(20), 5)
    assert lower_bound(np.ones(100), 0.05, groups=together) == pytest.approx(0.05 ** (1 / 20))


def test_too_few_answers_prove_nothing() -> None:
    assert sizes_to_try(58, 0.95, 0.05) == []
    assert sizes_to_try(59, 0.95, 0.05) == [59]
    found = threshold_for(np.ones(58), np.ones(58, bool), wanted=0.95)
    assert math.isnan(found.value)
    assert found.reason == "58 of the at least 59 answers that could prove it, were they all right"
    assert threshold_for(np.ones(59), np.ones(59, bool), wanted=0.95).count == 59
    wrong = threshold_for(np.linspace(0, 1, 500), np.zeros(500, bool), wanted=0.95)
    assert "none of the 10 thresholds" in wrong.reason


def test_a_threshold_holds_as_often_as_it_promises() -> None:
    """Whatever threshold is chosen, its true precision is the wanted one in 95 of 100 draws or more."""
    random = np.random.default_rng(0)
    broken = given = 0
    for _ in range(1000):
        found = threshold_for(*drawn(random, 600), wanted=0.9)
        if not math.isnan(found.value):
            assert found.bound >= 0.9
            given += 1
            # The mean of c ** 0.35 over c from the threshold to 1.
            true = (1 - found.value**1.35) / 1.35 / (1 - found.value)
            broken += true < 0.9
    assert given > 600
    assert broken <= 1000 * 0.05


def test_equally_sure_answers_are_given_together() -> None:
    confidence = np.repeat([0.99, 0.5], 200)
    found = threshold_for(confidence, confidence > 0.6, wanted=0.9)
    assert (found.count, found.precision) == (200, 1.0)
    assert found.value <= 0.99
