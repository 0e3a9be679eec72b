"""The spread of recipes over seeds, against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from afina.metrics.seeds import spread_test

scores = st.lists(st.integers(-1000, 1000), min_size=3, max_size=12, unique=True)


@given(scores, scores)
def test_it_is_that_of_scipy(first: list[int], second: list[int]) -> None:
    found, expected = spread_test(first, second), stats.levene(first, second, center="median").pvalue
    assert found == pytest.approx(expected, nan_ok=True) or math.isnan(found)


def test_three_recipes_equal_scipy() -> None:
    values = [np.random.default_rng(seed).standard_normal(4 + seed) * (1 + seed) for seed in range(3)]
    assert spread_test(*map(list, values)) == pytest.approx(stats.levene(*values, center="median").pvalue)


def test_a_less_stable_recipe_is_found_and_equal_ones_are_not() -> None:
    generator = np.random.default_rng(0)

    def share(times: float) -> float:
        draws = generator.standard_normal((400, 2, 10)) * np.array([1.0, times])[:, None]
        return float(np.mean([spread_test(*pair) < 0.05 for pair in draws]))

    assert share(1.0) <= 0.07
    assert share(4.0) >= 0.8


def test_recipes_that_do_not_vary_have_no_p_value() -> None:
    assert math.isnan(spread_test([0.5, 0.5, 0.5], [0.7, 0.7, 0.7]))
    assert math.isnan(spread_test([0.5, 0.6], [0.7, 0.9]))


def test_a_single_seed_is_refused() -> None:
    with pytest.raises(ValueError, match=r"were: \[3, 1\]"):
        spread_test([0.1, 0.2, 0.3], [0.2])
