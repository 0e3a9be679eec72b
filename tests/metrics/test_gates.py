"""A loss of more than is allowed, against a t-test and against chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from afina.metrics import recipes
from afina.metrics.decisions import p_not_worse
from afina.metrics.gates import holm_of_known, p_worse
from afina.metrics.intervals import holm
from afina.metrics.scores import accuracy

N = 200


def difference(lost: int) -> recipes.Difference:
    """The first recipe is wrong in so many rows that the second has right, and right in three others."""
    gold = np.zeros(N, np.int64)
    first, second = (gold.copy() for _ in range(2))
    first[:lost] = 1
    second[-3:] = 1
    return recipes.compare([{"gold": gold, "predicted": first}], [{"gold": gold, "predicted": second}], accuracy)


@pytest.mark.parametrize("lost", [10, 25, 40])
@pytest.mark.parametrize("allowed", [0.0, 0.01, 0.1])
def test_the_p_value_is_that_of_a_t_test(lost: int, allowed: float) -> None:
    found = difference(lost)
    expected = stats.t.cdf((found.value + allowed) / found.error, found.df)
    assert p_worse(found, allowed) == pytest.approx(min(1, 2 * expected))
    assert (p_worse(found, allowed) < 0.05) == (found.high < -allowed)
    assert p_worse(found, allowed) >= 1 or p_not_worse(found, allowed) >= 1  # never both


def test_the_direction_follows_the_metric() -> None:
    found = difference(40)
    assert p_worse(found, 0.0) < 0.01
    assert p_worse(found, 0.0, higher=False) == 1.0


def test_nothing_is_known_without_an_interval_and_nothing_negative_is_allowed() -> None:
    tables = [{"gold": np.zeros(5, int), "predicted": np.arange(5)}]
    few = recipes.compare(tables, tables, accuracy)
    assert few.reason
    assert math.isnan(p_worse(few, 0.1))
    with pytest.raises(ValueError, match="must be 0 or more, was: -1"):
        p_worse(difference(3), -1)


def test_what_is_unknown_is_no_test() -> None:
    found = holm_of_known([0.04, math.nan, 0.01, math.nan])
    assert found[::2] == holm([0.04, 0.01])
    assert math.isnan(found[1])
    assert math.isnan(found[3])
    assert holm_of_known([]) == []
