"""What curves of score against labels say, on curves that were made up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from afina.metrics.recipes import mean_score
from afina.studies.labels import Curve, Point, against_all, fewer_labels, gains_of, outlook_of, ratios_of, summary_of
from afina.studies.summaries import Summary
from tests.studies import made

SIZES = [50, 100, 200, 400, 800]


def curve(study: Any, name: str, means: Sequence[float], *, seeds: int = 3, seed: int = 0) -> Curve:
    """A curve with these scores, or errors."""
    make = made.tables if study.higher_is_better else made.errors
    points = []
    for i, (labels, mean) in enumerate(zip(SIZES, means, strict=True)):
        found = make(mean, seeds, seed=100 * seed + i)
        points.append(Point(labels, made.scores(study.score, found), mean_score(found, study.score), found))
    return Curve(name, points)


def concluded(own: Sequence[float], random: Sequence[float], **study: Any) -> Summary:
    about = made.study(**study)
    curves = [curve(about, "pre-trained", own), curve(about, "random weights", random, seed=1)]
    return summary_of(about, curves, [], margin=0.01, level=0.95)


def test_fewer_labels_are_confirmed() -> None:
    summary = concluded([0.7, 0.75, 0.8, 0.83, 0.86], [0.5, 0.52, 0.56, 0.64, 0.75])
    fewer = summary.verdicts[0]
    assert fewer.answer == "confirmed"
    assert "Random weights with all 800 labels have accuracy 0.7" in fewer.sentence
    assert "times fewer" in fewer.sentence
    assert "it is already significantly better" in fewer.sentence
    needs = summary.boards[1]
    assert needs.rows[0][2].isdigit()
    assert needs.rows[-1][2] == "beyond the data (800 or more)"
    assert needs.rows[-1][3].startswith("at least 1")


def test_random_weights_that_learned_nothing_give_no_ratio() -> None:
    about = made.study()
    own = curve(about, "pre-trained", [0.5, 0.52, 0.56, 0.64, 0.75])
    random = curve(about, "random weights", [0.5, 0.5, 0.5, 0.5, 0.5], seed=1)
    for constant, said in ((0.6, "no more than the constant answer (0.6000)"), (0.2, "The pre-trained model")):
        summary = summary_of(about, [own, random], [], margin=0.01, level=0.95, constant=constant)
        fewer = summary.verdicts[0]
        assert fewer.answer == "confirmed"
        assert said in fewer.sentence
        assert ("times fewer" in fewer.sentence) == (constant == 0.2)
        assert "it is already significantly better" in fewer.sentence


def test_a_ratio_over_seeds_confirms_nothing_that_the_examples_do_not() -> None:
    about = made.study()
    own = curve(about, "pre-trained", [0.5, 0.55, 0.6, 0.65, 0.70])
    random = curve(about, "random weights", [0.5, 0.52, 0.55, 0.6, 0.65], seed=1)
    ratio, _ = ratios_of(own, random, higher=True, level=0.95)
    alike = [*against_all(about, random, random, level=0.95)]
    fewer = fewer_labels(about, own, random, replace(ratio, low=1.5, high=3.0), alike)
    assert fewer.answer == "undecided"
    assert fewer.sentence.endswith("With no number of labels it is significantly better.")
    gains = gains_of(about, own, curve(about, "random weights", [0.3] * 5, seed=1), level=0.95)
    fewer = fewer_labels(about, own, random, replace(ratio, low=1.5, high=3.0), alike, gains)
    assert fewer.answer == "confirmed"
    assert "With 800 labels each it is significantly better, by 0.3842" in fewer.sentence


def test_fewer_labels_are_confirmed_where_less_is_better() -> None:
    summary = concluded([0.30, 0.25, 0.2, 0.17, 0.15], [0.5, 0.45, 0.4, 0.3, 0.2], error=True)
    assert summary.verdicts[0].answer == "confirmed"
    assert "The pre-trained model needs about 2" in summary.verdicts[0].sentence
    assert summary.boards[1].rows[-1][2] == "beyond the data (800 or more)"


def test_random_weights_that_are_better_refute_it() -> None:
    summary = concluded([0.5, 0.52, 0.56, 0.6, 0.62], [0.6, 0.65, 0.7, 0.75, 0.8])
    fewer = summary.verdicts[0]
    assert fewer.answer == "not confirmed"
    assert "The pre-trained model needs about 800 labels for that or more." in fewer.sentence


def test_equal_curves_leave_it_open() -> None:
    means = [0.6, 0.65, 0.7, 0.74, 0.77]
    fewer = concluded(means, means).verdicts[0]
    assert fewer.answer == "undecided"
    assert "--seeds" in fewer.decide


def test_one_seed_and_curves_that_lie_far_above() -> None:
    study = made.study()
    own = curve(study, "pre-trained", [0.8, 0.82, 0.84, 0.86, 0.88], seeds=1)
    random = curve(study, "random weights", [0.5, 0.5, 0.5, 0.5, 0.6], seeds=1, seed=1)
    summary = summary_of(study, [own, random], [], margin=0.01, level=0.95)
    sentence = summary.verdicts[0].sentence
    assert "scores as much with 50 labels or fewer: at least 16 times fewer." in sentence
    assert summary.verdicts[0].answer == "confirmed"


def test_ratios_are_those_of_shifted_curves() -> None:
    """Random weights are the pre-trained model with a fourth of the labels."""
    values = {size: 0.1 * math.log(size) for size in (12.5, 25, *SIZES)}
    own = Curve("a", [Point(n, [values[n]] * 2, None) for n in SIZES])
    random = Curve("b", [Point(n, [values[n / 4]] * 2, None) for n in SIZES])
    ratio, per_size = ratios_of(own, random, higher=True, level=0.95)
    assert (ratio.value, ratio.low) == pytest.approx((4, 4))
    assert ratio.bound == ""
    assert [one.value for one in per_size] == pytest.approx([4, 4, 4, 2, 1])
    assert [one.bound for one in per_size] == ["", "", "", "least", "least"]
    turned, _ = ratios_of(random, own, higher=True, level=0.95)
    assert turned.value == pytest.approx(1)
    assert turned.bound == "most"
    turned_over = [
        Curve(one.name, [Point(at.labels, [-score for score in at.scores], None) for at in one.points])
        for one in (own, random)
    ]
    lower, _ = ratios_of(turned_over[0], turned_over[1], higher=False, level=0.95)
    assert lower.value == pytest.approx(4)


def test_diverged_trainings_leave_gaps() -> None:
    study = made.study()
    own = curve(study, "pre-trained", [0.7, 0.75, 0.8, 0.83, 0.86])
    random = curve(study, "random weights", [0.5, 0.52, 0.56, 0.64, 0.75], seed=1)
    lost = [Point(point.labels, [math.nan] * 3, None) for point in random.points]
    gone = Curve("random weights", [*random.points[:-1], lost[-1]])
    ratio, _ = ratios_of(own, gone, higher=True, level=0.95)
    verdict = fewer_labels(study, own, gone, ratio, [])
    assert verdict.answer == "undecided"
    assert "diverged" in verdict.sentence
    summary = summary_of(study, [own, Curve("random weights", lost)], [], margin=0.01, level=0.95)
    assert [row[2] for row in summary.boards[0].rows] == [None] * 5
    assert str(summary)


def test_more_labels_help_where_the_law_holds() -> None:
    study = made.study()
    law = [0.9 - 2 * n**-0.5 for n in SIZES]
    flat = [0.9 - 20 * n**-1.5 for n in SIZES]
    kink = [0.5, 0.58, 0.66, 0.74, 0.74]
    answers = {}
    for name, means in (("law", law), ("flat", flat), ("kink", kink)):
        own = Curve(
            "a", [Point(n, [mean, mean + 1e-4, mean - 1e-4], None) for n, mean in zip(SIZES, means, strict=True)]
        )
        random = curve(study, "b", [0.5] * 5)
        answers[name] = summary_of(study, [own, random], [], margin=0.01, level=0.95)
    verdicts = {name: summary.verdicts[1] for name, summary in answers.items()}
    assert verdicts["law"].answer == "confirmed"
    assert "With 1,600 labels, twice as many, accuracy would be about 0.85" in verdicts["law"].sentence
    assert verdicts["flat"].answer == "not confirmed"
    assert verdicts["kink"].answer == "undecided"
    assert "can't be told: from the 4 smaller sizes" in verdicts["kink"].sentence
    assert [board.title.startswith("back-test") for board in answers["kink"].boards] == [False, False, True]
    assert answers["law"].figures[0].series[-1].name == "forecast"
    assert answers["kink"].figures[0].series[-1].name == "b"
    error = Curve("a", [Point(n, [1 - mean] * 2, None) for n, mean in zip(SIZES, law, strict=True)])
    assert outlook_of(error, higher=False, level=0.95).score == pytest.approx(-(1 - 0.9 + 2 * 1600**-0.5), abs=1e-4)
