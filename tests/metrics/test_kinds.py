"""What the kinds of metrics are worth on small tables."""

from __future__ import annotations

import numpy as np
import pytest

from afina.metrics.kinds import Biased, Proportion, Smooth, share


def test_a_share_is_the_mean_of_its_column() -> None:
    metric = share(lambda table: table["right"])
    assert metric({"right": np.array([1.0, 0.5, 0, 0])}) == 0.375
    assert np.isnan(metric({"right": np.zeros(0)}))


@pytest.mark.parametrize("f1", [False, True])
def test_examples_without_items_have_the_score_that_the_metric_says(f1: bool) -> None:
    metric = Proportion(lambda table: (table["part"], table["whole"]), empty=0.25, f1=f1)
    nothing = np.zeros(3)
    assert metric({"part": nothing, "whole": nothing}) == 0.25
    assert np.isnan(metric({"part": nothing[:0], "whole": nothing[:0]}))


def test_f1_counts_hits_twice() -> None:
    """Three hits, five gold and four predicted items, so that six are in either."""
    metric = Proportion(lambda table: (table["hits"], table["either"]), f1=True)
    assert metric({"hits": np.array([2, 1]), "either": np.array([4, 2])}) == pytest.approx(2 * 3 / (5 + 4))


def test_smooth_and_biased_metrics_are_their_scores() -> None:
    table = {"x": np.array([1.0, 3.0])}
    assert Smooth(lambda table: float(table["x"].mean()), "error")(table) == 2
    assert Biased(lambda table: float(table["x"].max()), "why")(table) == 3
