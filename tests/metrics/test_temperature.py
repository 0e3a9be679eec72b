"""Temperatures: the likelihood's best one, the same answers, the same probabilities as by other formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from afina.metrics.temperature import (
    LabelledLogits,
    fit_temperature,
    moved_threshold,
    sigmoid,
    softmax,
    tempered,
)

Kind = pytest.mark.parametrize("kind", ["one", "several", "first"])


def world(seed: int, *, n: int = 400, k: int = 3, temperature: float = 2.0) -> LabelledLogits:
    """Labels that are drawn by the probabilities of logits at a temperature."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 3, (n, k))
    probabilities = softmax(logits, temperature)
    return LabelledLogits(logits, np.array([random.choice(k, p=p) for p in probabilities]))


def other(kind: str) -> LabelledLogits:
    """Logits whose likelihood has another form."""
    one = world(1)
    if kind == "several":
        drawn = np.random.default_rng(2).random(one.logits.shape) < sigmoid(one.logits, 2.0)
        return LabelledLogits(one.logits, drawn, "several")
    return LabelledLogits(one.logits, one.logits.argmax(axis=1) == one.gold, "first") if kind == "first" else one


def test_softmax_and_sigmoid_do_not_overflow() -> None:
    assert softmax(np.array([1e4, 0.0])).tolist() == [1.0, 0.0]
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
    assert sigmoid(np.array([0.7, -3.0]), 2.5) == pytest.approx(1 / (1 + np.exp(-np.array([0.7, -3.0]) / 2.5)))


def test_the_loss_is_that_of_scikit_learn() -> None:
    one = world(0)
    for temperature in (0.5, 1.0, 3.0):
        expected = log_loss(one.gold, softmax(one.logits, temperature))
        assert one.log_loss(temperature) == pytest.approx(expected)
        squares = np.square(softmax(one.logits, temperature) - np.eye(3)[one.gold]).sum(axis=1).mean()
        assert one.squared_error(temperature) == pytest.approx(squares)
    several = other("several")
    expected = log_loss(several.gold.ravel(), sigmoid(several.logits, 1.5).ravel())
    assert several.log_loss(1.5) == pytest.approx(expected)
    first = other("first")
    sure = softmax(first.logits, 1.5).max(axis=1)
    assert first.log_loss(1.5) == pytest.approx(log_loss(first.gold, sure))
    assert first.squared_error(1.5) == pytest.approx(np.mean((sure - first.gold) ** 2))


@Kind
def test_the_temperature_is_that_of_another_search(kind: str) -> None:
    labelled = other(kind)
    found = fit_temperature(labelled)
    expected = minimize_scalar(labelled.log_loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-8})
    assert found.reason == ""
    assert found.temperature == pytest.approx(expected.x, abs=2e-4)
    assert 1.5 < found.temperature < 2.7  # that of the world is 2
    assert labelled.log_loss(found.temperature) < labelled.log_loss(1.0)


def test_bits_do_not_change_a_temperature() -> None:
    one = world(3)
    moved = LabelledLogits(one.logits * (1 + 1e-9), one.gold)
    assert fit_temperature(one) == fit_temperature(moved)


def test_without_errors_or_with_few_rows_there_is_no_temperature() -> None:
    one = world(4)
    right = LabelledLogits(one.logits, one.logits.argmax(axis=1))
    assert fit_temperature(right).temperature == 1.0
    assert "0 wrong of the at least 5" in fit_temperature(right).reason
    few = LabelledLogits(one.logits[:49], one.gold[:49])
    assert "49 of the at least 50" in fit_temperature(few).reason
    none = LabelledLogits(np.zeros((0, 3)), np.zeros(0, np.int64))
    assert math.isnan(none.log_loss())
    assert fit_temperature(none).temperature == 1.0


Rows = st.lists(st.lists(st.floats(-30, 30, width=32), min_size=3, max_size=3), min_size=1, max_size=5).map(np.array)


@given(Rows, st.floats(0.2, 20))
def test_what_is_said_stays_and_powers_are_the_same(logits: np.ndarray, temperature: float) -> None:
    found = softmax(logits, temperature)
    best = logits.argmax(axis=1)
    assert (found[np.arange(len(found)), best] == found.max(axis=1)).all()
    np.testing.assert_allclose(tempered(softmax(logits), temperature), found, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


@given(Rows, st.floats(0.01, 0.99), st.floats(0.3, 5), st.floats(0.3, 5))
def test_a_moved_threshold_gives_the_same_labels(
    logits: np.ndarray, threshold: float, first: float, second: float
) -> None:
    moved = moved_threshold(threshold, second, before=first)
    border = math.log(threshold / (1 - threshold)) * first
    far = np.abs(logits - border) > 1e-6
    assert ((sigmoid(logits, first) >= threshold) == (sigmoid(logits, second) >= moved))[far].all()
