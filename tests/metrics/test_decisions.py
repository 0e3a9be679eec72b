"""What is said of a difference follows its tests, and the numbers beside it never say otherwise."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from afina.metrics.answers import answer_f1
from afina.metrics.components import Spread
from afina.metrics.decisions import Decision, Needed, decide, needed, p_not_worse
from afina.metrics.recipes import Difference, compare


def difference(value: float, error: float, *, df: float = 20.0, level: float = 0.95) -> Difference:
    """A difference with a standard error, whose parts are half seeds, a quarter examples and a quarter both."""
    half = float(stats.t.ppf((1 + level) / 2, df)) * error
    parts = [error**2 * share for share in (0.3, 0.2, 0.25, 0.15, 0.1)]
    spread = Spread((parts[0], parts[1]), parts[2], (parts[3], parts[4]), (5, 5), 500)
    p_value = float(2 * stats.t.sf(abs(value) / error, df))
    return Difference(value, value - half, value + half, p_value, level, 0.8 + value, 0.8, error, df, spread)


values = st.one_of(st.floats(-0.2, 0.2), st.floats(-40, 40), st.sampled_from([0.0, 0.01, -0.01, 1e-6]))
errors = st.floats(1e-6, 0.1)
margins = st.sampled_from([0.0, 0.005, 0.01, 0.1])


def shown(text: str) -> list[float]:
    """The value and the bounds that a phrase begins with."""
    found = re.match(r"([\d.]+) \[([\d.]+), ([\d.]+)\] ", text)
    assert found
    return [float(one) for one in found.groups()]


@given(values, errors, margins, st.booleans(), st.floats(1, 20), st.sampled_from([0.9, 0.95, 0.99]))
def test_words_and_numbers_never_contradict(
    value: float, error: float, margin: float, higher: bool, times: float, level: float
) -> None:
    found = difference(value, error, level=level)
    adjusted = min(1.0, times * found.p_value)
    decision = decide(found, margin=margin, higher=higher, p_value=adjusted)
    low, high = (found.low, found.high) if higher else (-found.high, -found.low)
    phrase = decision.phrase
    if decision.answer == "better":
        assert low > 0
        assert re.search(r"\] better, p ", phrase)
    elif decision.answer == "worse":
        assert high < 0
        assert low <= -margin
        assert re.search(r"\] worse, p ", phrase)
    elif decision.answer == "not worse":
        assert low > -margin
        assert phrase.startswith("not worse by") or " worse, p " in phrase
    else:
        assert phrase.startswith("undecided: ")
        assert margin == 0 or low <= -margin
        assert low <= 0 <= high or adjusted >= 1 - level
    if decision.answer in ("better", "worse"):
        middle, least, most = shown(phrase)
        assert 0 < least <= middle <= most
    p = re.search(r"p = (\d\.\d+)", phrase)
    if p:
        assert (float(p[1]) < 1 - level) == (not phrase.startswith("undecided"))


@given(values, errors, st.sampled_from([0.005, 0.01, 0.1]))
def test_what_is_shown_as_worst_is_within_the_margin(value: float, error: float, margin: float) -> None:
    decision = decide(difference(value, error), margin=margin)
    bounds = re.search(r"from (\d+\.\d+) (worse|better) to (\d+\.\d+) (worse|better)", decision.phrase)
    if bounds and decision.answer == "not worse":
        assert bounds[2] == "better" or float(bounds[1]) < margin
    if bounds:
        low, high = (float(bounds[i]) * (1 if bounds[i + 1] == "better" else -1) for i in (1, 3))
        assert low <= high
    if "but by less than" in decision.phrase:
        assert shown(decision.phrase)[2] < margin


@given(values, errors, margins, st.booleans())
def test_the_second_recipe_is_worse_where_the_first_is_better(
    value: float, error: float, margin: float, higher: bool
) -> None:
    one, other = decide(difference(value, error), higher=higher), decide(difference(-value, error), higher=higher)
    turned = decide(difference(-value, error), higher=not higher)
    opposite = {"better": "worse", "worse": "better"}
    assert other.answer == opposite.get(one.answer, one.answer)
    assert turned == one
    assert (decide(difference(value, error), margin=margin).answer == "not worse") <= (
        p_not_worse(difference(value, error), margin) < 0.05
    )


@pytest.mark.parametrize(
    ("value", "error", "margin", "expected"),
    [
        (0.012, 0.0038, 0.0, Decision("better", "0.012 [0.004, 0.020] better, p = 0.005")),
        (-0.012, 0.0038, 0.0, Decision("worse", "0.012 [0.004, 0.020] worse, p = 0.005")),
        (-0.002, 0.002, 0.01, Decision("not worse", "not worse by 0.01 or more (from 0.006 worse to 0.002 better)")),
        (-0.004, 0.001, 0.01, Decision("not worse", "0.004 [0.002, 0.006] worse, p < 0.001, but by less than 0.01")),
        (1e-4, 2e-5, 0.0, Decision("better", "0.0001 [0.0001, 0.0001] better, p < 0.001")),
    ],
)
def test_what_is_said(value: float, error: float, margin: float, expected: Decision) -> None:
    assert decide(difference(value, error), margin=margin) == expected


def test_what_would_decide_is_said() -> None:
    found = decide(difference(-0.005, 0.012), margin=0.01)
    assert found.answer == "undecided"
    assert re.fullmatch(
        r"undecided: it may be anything from 0\.030 worse to 0\.020 better; [\w ,]+ would decide", found.phrase
    )
    assert str(Needed(7, 4000)) == "about 7 seeds or 4,000 examples"
    assert str(Needed(None, 80, "group")) == "about 80 groups"
    assert str(Needed(None, None)) == "neither more seeds nor more examples alone"


def test_many_comparisons_are_named() -> None:
    found = decide(difference(0.012, 0.0038), p_value=0.08)
    assert found.finding == "0.012 [0.004, 0.020] better, but p = 0.080 among all comparisons"
    assert found.phrase.startswith(f"undecided: {found.finding}; about ")


def test_no_number_decides_where_there_is_nothing_to_find() -> None:
    assert needed(difference(0.0, 0.01)) == Needed(None, None)
    assert needed(difference(0.0, 0.01), margin=0.03) != Needed(None, None)


@given(st.floats(0.001, 0.05), st.floats(0.001, 0.05), margins)
def test_what_is_needed_decides_and_less_does_not(value: float, error: float, margin: float) -> None:
    """A test with power 0.8 has (t + 0.84) standard errors between an estimate and what it is tested against."""
    found = difference(value, error, df=1e6)
    spread = found.spread
    assert spread is not None
    more = needed(found, margin=margin)
    distance = value + margin
    if more.seeds is not None:
        assert distance / math.sqrt(spread.at(seeds=more.seeds)) >= 1.959 + 0.841
        assert more.seeds == 6 or distance / math.sqrt(spread.at(seeds=more.seeds // 2)) < 3.5
    if more.examples is not None:
        assert distance / math.sqrt(spread.at(units=more.examples)) >= 1.959 + 0.841
        assert more.examples <= 510 or distance / math.sqrt(spread.at(units=more.examples / 1.2)) < 3.5


def test_more_seeds_decide_as_often_as_promised() -> None:
    """Recipes whose spread is as estimated, with the number of seeds that is said to be enough."""
    generator = np.random.default_rng(0)
    hard = generator.standard_normal(60)

    def runs(count: int, mean: float) -> list[dict[str, np.ndarray]]:
        return [{"f1": 0.5 + 0.1 * (hard + mean + one)} for one in 0.5 * generator.standard_normal(count)]

    spread = Spread((0.0025 / 5, 0.0025 / 5), 0.0, (0.0, 0.0), (5, 5), 60)
    found = Difference(0.05, -0.016, 0.116, 0.12, 0.95, 0.55, 0.5, math.sqrt(spread.variance), 8.0, spread)
    count = needed(found).seeds
    assert count is not None
    decided = [decide(compare(runs(count, 0.5), runs(count, 0.0), answer_f1)).answer for _ in range(100)]
    assert 0.7 <= decided.count("better") / 100 <= 0.92


def test_a_seed_alone_names_no_number_of_seeds() -> None:
    generator = np.random.default_rng(1)
    tables = [[{"f1": row}] for row in generator.random((2, 60))]
    found = compare(tables[0], tables[1], answer_f1)
    decision = decide(found)
    assert found.note
    assert found.note in decision.phrase
    assert needed(found).seeds is None


def test_without_an_interval_nothing_is_decided() -> None:
    table = {"f1": np.ones(5)}
    found = compare([table], [table], answer_f1)
    assert decide(found, margin=0.1) == Decision("undecided", "no interval (5 examples are too few for an interval)")
    assert math.isnan(p_not_worse(found, 0.1))
    with pytest.raises(ValueError, match="5 examples are too few"):
        needed(found)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match=r"a margin must be 0 or more, was: -0\.1"):
        decide(difference(0.1, 0.1), margin=-0.1)
    with pytest.raises(ValueError, match=r"a p-value must be between 0 and 1, was: 1\.5"):
        decide(difference(0.1, 0.1), p_value=1.5)
