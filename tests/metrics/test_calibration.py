"""Calibration errors and reliability tables against scikit-learn and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from afina.metrics.calibration import calibration_error, reliability
from afina.metrics.proportions import wilson_of_counts
from afina.metrics.scores import expected_calibration_error


def drawn(n: int = 500) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    confidence = random.beta(4, 2, n)
    return confidence, random.random(n) < confidence**2


def test_the_bins_are_those_of_scikit_learn() -> None:
    confidence, right = drawn()
    for equal, strategy in (("width", "uniform"), ("count", "quantile")):
        bins = reliability(confidence, right, bins=10, equal=equal)  # type: ignore[arg-type]
        accuracy, mean = calibration_curve(right, confidence, n_bins=10, strategy=strategy)
        tolerance = 1e-12 if equal == "width" else 0.05  # its quantiles lie between two values
        np.testing.assert_allclose([one.accuracy for one in bins], accuracy, atol=tolerance)
        np.testing.assert_allclose([one.confidence for one in bins], mean, atol=tolerance)
        assert sum(one.count for one in bins) == len(right)
        gaps = sum(one.count * abs(one.accuracy - one.confidence) for one in bins) / len(right)
        assert calibration_error(confidence, right, bins=10, equal=equal) == pytest.approx(gaps)  # type: ignore[arg-type]


def test_the_error_is_that_of_the_score_and_bins_of_equal_counts_are() -> None:
    confidence, right = drawn()
    table = {"confidence": confidence, "gold": right.astype(int), "predicted": np.ones(len(right), int)}
    assert calibration_error(confidence, right) == pytest.approx(expected_calibration_error(table))
    counts = [one.count for one in reliability(confidence, right, equal="count")]
    assert (min(counts), max(counts), len(counts)) == (33, 34, 15)


def test_edges_equal_values_and_nothing() -> None:
    found = reliability(np.array([1 / 15, 1.0, 1.0]), np.array([False, True, True]))
    assert [(one.count, one.accuracy) for one in found] == [(1, 0.0), (2, 1.0)]
    assert found[0].high == pytest.approx(1 / 15)
    assert found[1].interval == wilson_of_counts(2, 2)
    same = reliability(np.full(40, 0.7), np.arange(40) % 2 == 0, equal="count")
    assert [(one.count, one.accuracy) for one in same] == [(40, 0.5)]
    assert reliability(np.zeros(0), np.zeros(0, bool)) == []
    assert math.isnan(calibration_error(np.zeros(0), np.zeros(0, bool)))
