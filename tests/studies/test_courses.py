"""What the courses of trainings say, on courses that were made up."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.studies.courses import HEADLINE, SHARES, Course, Courses, Gain, floor_of, mean_steps, race, summary_of
from afina.studies.curves import Reach
from afina.studies.summaries import Summary
from tests.studies import made

STEPS = list(range(10, 210, 10))


def course(speed: float, *, best: float = 0.9, floor: float = 0.5, shift: float = 0.0, sign: int = 1) -> Course:
    """A training whose gain is 1 - exp(-steps / speed) of the whole."""
    scores = [sign * (floor + (best - floor) * (1 - math.exp(-step / speed)) + shift) for step in STEPS]
    losses = [math.exp(-step / speed) for step in STEPS]
    return Course(STEPS, scores, losses, losses, flops=2e9, seconds=0.1)


def concluded(own: Courses, random: Courses, *, constant: float = 0.5, error: bool = False) -> Summary:
    return summary_of(
        made.study(error=error), "pre-trained", "random weights", [own, random], [], constant=constant, level=0.95
    )


def seeds(speed: float, *, sign: int = 1) -> list[Course]:
    return [course(speed * factor, sign=sign) for factor in (0.9, 1.0, 1.1)]


@pytest.mark.parametrize("sign", [1, -1])
def test_faster_is_confirmed(sign: int) -> None:
    summary = concluded(seeds(10, sign=sign), seeds(40, sign=sign), constant=sign * 0.5, error=sign < 0)
    (verdict,) = summary.verdicts
    assert verdict.answer == "confirmed"
    target = "0.8800" if sign > 0 else "-0.8800"
    assert f" is {target}. It takes 31 steps from pre-trained weights." in verdict.sentence
    assert "From random weights it takes 3.9 times as many (" in verdict.sentence
    steps, finals = summary.boards
    assert [row[0] for row in steps.rows] == ["90%", "95%", "99%"]
    assert steps.rows[1][2] == "31 steps"
    assert [row[4] for row in finals.rows] == [200, 200]
    assert [row[5] for row in finals.rows] == [0.4, 0.4]
    (seconds,) = summary.times
    assert seconds.rows[1][1] == "3.1"
    titles = [figure.title for figure in summary.figures]
    assert len(titles) == 4
    assert titles[1].endswith("by arithmetic")
    assert summary.figures[1].series[0].x[0] == pytest.approx(10 * 2e9 / 1e12)
    assert "seconds" not in str(summary.record())


def test_what_is_never_reached_is_a_bound() -> None:
    slow = [course(10 * factor, best=0.7) for factor in (0.9, 1.0, 1.1)]
    (verdict,) = concluded(seeds(10), slow).verdicts
    assert verdict.answer == "confirmed"
    assert "Random weights never got there in 200 steps: at least 6.5 times as many (" in verdict.sentence
    assert "or more)" in verdict.sentence
    assert "For 95% of their own gain random weights take 1.0 times as many steps" in verdict.sentence
    mixed = concluded(seeds(10), [*seeds(40)[:2], slow[0]])
    assert "(1 of 3 seeds never got there)" in mixed.verdicts[0].sentence
    assert "(1 of 3 never)" in mixed.boards[0].rows[1][3]


def test_slower_equal_and_single() -> None:
    assert concluded(seeds(40), seeds(10)).verdicts[0].answer == "not confirmed"
    assert concluded(seeds(20), seeds(20)[::-1]).verdicts[0].answer == "undecided"
    one = concluded([course(10)], [course(40)]).verdicts[0]
    assert one.answer == "undecided"
    assert "it takes 4.0 times as many." in one.sentence
    assert "--seeds" in one.decide


def test_a_model_that_learns_nothing_and_one_that_diverges() -> None:
    flat = [course(10, best=0.5)] * 3
    (verdict,) = concluded(flat, seeds(10)).verdicts
    assert verdict.answer == "undecided"
    assert "is not better than the constant answer (accuracy 0.5000)" in verdict.sentence
    (gone,) = concluded([None, None], [course(10), None]).verdicts
    assert gone.sentence == "The pre-trained model diverged."
    some = concluded([None, course(9), course(10)], [course(40), course(39), course(41)])
    assert some.verdicts[0].answer == "confirmed"
    assert [row[1:3] for row in some.boards[1].rows] == [[2, 1], [3, 0]]
    assert str(concluded(seeds(10), [None, None, None]))


@given(st.floats(5, 60), st.floats(1.1, 3), st.sampled_from(SHARES))
def test_the_ratio_of_scaled_courses_is_their_scale(speed: float, factor: float, share: float) -> None:
    """Steps that are factor times as long take factor times as many of the same."""
    own = course(speed)
    other = Course([factor * step for step in STEPS], own.scores, own.losses, own.losses)  # type: ignore[misc]
    found = race([own], [other], share, floor=0.5, sign=1, level=0.95)
    if found.first[0].bound:
        assert math.isnan(found.ratio.value)  # both got there before the first evaluation
    else:
        assert found.ratio.value == pytest.approx(factor)
        assert found.own_ratio.value == pytest.approx(factor)


def test_gains_count_from_the_constant_answer() -> None:
    assert Gain(0.5, 0.9).at(HEADLINE) == pytest.approx(0.88)
    assert Gain(-1.0, -0.2).at(0.5) == pytest.approx(-0.6)
    assert math.isnan(Gain(0.5, 0.5).at(0.9))
    some: Sequence[Course | None] = [course(10), None]
    assert floor_of(0.5, some, higher=True) == 0.5
    assert floor_of(0.5, some, higher=False) == -0.5
    assert floor_of(math.nan, some, higher=True) == 0.0
    assert floor_of(math.nan, some, higher=False) == -max(course(10).scores)


def test_steps_in_words() -> None:
    assert mean_steps([Reach(10), Reach(40)]) == "20 steps"
    assert mean_steps([Reach(10, "most"), Reach(40)]) == "20 steps or fewer"
    assert mean_steps([Reach(10), Reach(40, "least")]) == "20 steps or more"
    assert mean_steps([Reach(1)]) == "1 step"
    assert mean_steps([Reach(math.nan)]) == "-"
