"""Conformal sets and intervals hold what they promise, whatever the model."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.metrics.conformal import KEPT, kept_scores, label_set, quantile, rank
from afina.metrics.temperature import LabelledLogits, fit_temperature, softmax


def test_ranks_by_hand() -> None:
    assert [rank(n, 0.1) for n in (8, 9, 10, 19, 99)] == [9, 9, 10, 18, 90]
    assert quantile([0.1, 0.2], 0.1) == math.inf
    assert quantile([0.1 * i for i in range(9)], 0.1) == pytest.approx(0.8)


def test_numbers_are_covered_as_promised() -> None:
    """In the mean over draws of calibration data and of new data: between 1 - alpha and 1 - alpha + 1 / (n + 1)."""
    random = np.random.default_rng(0)
    scores = np.sort(np.abs(random.standard_t(3, (2000, 99))), axis=1)
    new = np.abs(random.standard_t(3, (2000, 50)))
    for alpha in (0.05, 0.1, 0.3):
        bounds = np.array([quantile(row, alpha) for row in scores])
        assert np.mean(new <= bounds[:, None]) == pytest.approx(1 - alpha, abs=0.01)


@pytest.mark.parametrize("fitted", [False, True])
def test_labels_are_covered_as_promised(fitted: bool) -> None:
    """By an overconfident model; also where its temperature is fitted to the same data as its scores."""
    random = np.random.default_rng(1)
    held, sizes = [], []
    for _ in range(150):
        logits = random.normal(0, 2, (600, 4))
        gold = np.array([random.choice(4, p=p) for p in softmax(logits)])
        logits = 3 * logits
        temperature = fit_temperature(LabelledLogits(logits[:200], gold[:200])).temperature if fitted else 1.0
        probabilities = softmax(logits, temperature)
        strange = 1 - probabilities[np.arange(600), gold]
        bound = quantile(kept_scores(strange[:200]), 0.1)
        inside = 1 - probabilities[200:] <= bound
        held.append(inside[np.arange(400), gold[200:]].mean())
        sizes.append(inside.sum(axis=1).mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.01)
    assert 1 < np.mean(sizes) < 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.02, 0.5))
def test_kept_scores_bound_what_all_scores_do(scores: list[float], alpha: float) -> None:
    kept = kept_scores(np.array(scores))
    assert kept == sorted(kept)
    assert quantile(kept, alpha) >= quantile(sorted(scores), alpha) - 1e-12
    assert quantile(kept, alpha) <= quantile(sorted(scores), alpha) + 2e-6


def test_of_many_scores_some_serve_for_all() -> None:
    scores = np.random.default_rng(2).random(5432)
    kept = kept_scores(scores)
    assert len(kept) == KEPT
    ordered = np.sort(scores)
    for alpha in (0.001, 0.01, 0.1, 0.123, 0.5):
        assert quantile(kept, alpha) == pytest.approx(quantile(ordered, alpha), abs=2e-6)
    assert quantile(kept, 0.1234) >= quantile(ordered, 0.1234)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6), st.floats(0, 1), st.floats(0, 1))
def test_sets_grow_with_their_bound(chances: list[float], first: float, second: float) -> None:
    probabilities = {str(i): chance for i, chance in enumerate(chances)}
    low, high = sorted((first, second))
    for single in (True, False):
        small, large = (label_set(probabilities, bound, single=single) for bound in (low, high))
        assert small == large[: len(small)]
        assert bool(small) or not single
