"""A power law is found, foretells, and is not believed where a curve has a kink."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.studies.extrapolation import fit, outlook

SIZES = [50, 100, 250, 500, 1000, 2500, 5000]
NOTHING = [0.0] * 7


@settings(deadline=None, max_examples=30)
@given(st.floats(0.5, 1.0), st.floats(0.2, 3.0), st.floats(0.1, 1.5))
def test_a_power_law_is_found_and_followed(a: float, b: float, c: float) -> None:
    scores = [a - b * n**-c for n in SIZES]
    law = fit(SIZES, scores)
    rise = max(scores) - min(scores)
    assert law(10_000) == pytest.approx(a - b * 10_000**-c, abs=0.005 * rise)
    found = outlook(SIZES, scores, noise=NOTHING)
    assert not found.reason
    assert found.amount == 10_000
    assert found.score == pytest.approx(a - b * 10_000**-c, abs=0.005 * rise)
    assert [check.amount for check in found.checks] == [2500, 5000]
    assert [check.fitted for check in found.checks] == [5, 6]
    assert found.error <= 0.01 * rise


def test_a_kink_is_refused() -> None:
    scores = [0.5, 0.57, 0.66, 0.73, 0.8, 0.8, 0.8]
    found = outlook(SIZES, scores, noise=NOTHING)
    assert found.reason.startswith("from the 5 smaller sizes a power law foretells 0.88")
    assert found.reason.endswith("for 2,500 labels, where 0.8000 was measured")
    assert math.isnan(found.score)
    assert found.error > 0.01
    late = outlook(SIZES, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9], noise=NOTHING)
    assert "0.9000 was measured" in late.reason


def test_noise_excuses_some_but_not_everything() -> None:
    scores = [0.9 - 2 * n**-0.5 for n in SIZES]
    bent = [*scores[:-1], scores[-1] - 0.1 * (max(scores) - min(scores))]
    assert outlook(SIZES, bent, noise=NOTHING).reason
    assert not outlook(SIZES, bent, noise=[1.0] * 7).reason
    far = [*scores[:-1], scores[-1] - 0.3 * (max(scores) - min(scores))]
    assert outlook(SIZES, far, noise=[1.0] * 7).reason


def test_few_sizes_fewer_scores_and_falling_ones() -> None:
    assert "3 sizes of at most half" in outlook([100, 200, 400], [0.5, 0.6, 0.7], noise=[0.0] * 3).reason
    assert "3 sizes of at most half" in outlook([100, 300, 400, 500], [0.5, 0.6, 0.7, 0.8], noise=[0.0] * 4).reason
    assert outlook([], [], noise=[]).reason
    gaps = outlook([*SIZES, 6000], [*(0.9 - 2 * n**-0.5 for n in SIZES), math.nan], noise=[math.nan] * 8)
    assert (gaps.amount, gaps.reason) == (10_000, "")
    falling = outlook(SIZES, [0.9 + 2 * n**-0.5 for n in SIZES], noise=NOTHING)
    assert falling.reason == "the scores do not rise with more labels"


def test_a_score_has_a_limit() -> None:
    scores = list(np.log(SIZES) / math.log(5000) * 0.999)
    assert outlook(SIZES, scores, noise=NOTHING, limit=1.0).score == 1.0
    assert outlook(SIZES, scores, noise=NOTHING).score > 1.0
