"""Runs are compared on the rows that they share, and what is said follows the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from afina.comparison.comparison import compare
from afina.errors import ConfigError
from tests.comparison.made import FITTED, made, rights

N = 120


@pytest.mark.parametrize("task", sorted(FITTED))
def test_a_run_beside_its_copy_says_the_same(task: str, tmp_path: Path) -> None:
    first = made(tmp_path / "first", task, right=rights(N, 0.7))
    copy = Path(shutil.copytree(first, tmp_path / "copy"))
    for other in (copy, first):
        (contrast,) = compare([first, other]).contrasts
        assert (contrast.difference.value, contrast.answer, contrast.phrase) == (0.0, "same", "the same predictions")
        assert (contrast.gained, contrast.lost) in ((0, 0), (None, None))
        assert contrast.labels == []


@pytest.mark.parametrize("task", sorted(FITTED))
def test_a_better_run_is_better_by_every_task(task: str, tmp_path: Path) -> None:
    weak = rights(N, 0.5)
    strong = [one or i % 2 == 0 for i, one in enumerate(weak)]
    runs = [made(tmp_path / name, task, right=own, strategy=name) for name, own in (("head", weak), ("full", strong))]
    report = compare(runs)
    (contrast,) = report.contrasts
    assert contrast.answer == "better"
    assert contrast.difference.value == pytest.approx(report.entries[1].score - report.entries[0].score)
    assert 0 < contrast.difference.low < contrast.difference.value < contrast.difference.high
    assert contrast.p_value < 0.01
    gained = sum(one and not other for one, other in zip(strong, weak, strict=True))
    assert (contrast.gained, contrast.lost) == ((None, None) if task == "regression" else (gained, 0))
    assert len(contrast.labels) == len(FITTED[task].get("labels", FITTED[task].get("types", ())))
    assert any("single runs: a difference may be that of two seeds" in note for note in report.notes)


def test_rows_in_another_order_are_the_same_rows(tmp_path: Path) -> None:
    right = rights(N, 0.6)
    order = np.random.default_rng(1).permutation(N).tolist()
    first = made(tmp_path / "first", right=right)
    other = made(tmp_path / "other", right=[right[i] for i in order], order=order)
    report = compare([first, other])
    assert report.contrasts[0].answer == "same"
    assert "the same rows in another order: aligned by their texts and gold answers" in report.notes


def test_partly_different_rows_are_compared_where_they_overlap(tmp_path: Path) -> None:
    first = made(tmp_path / "first", right=rights(100, 0.5))
    other = made(tmp_path / "other", right=[True] * 80, order=range(40, 120))
    report = compare([first, other])
    assert report.rows == 60
    assert report.entries[1].score == 1.0
    assert report.entries[0].score == pytest.approx(np.mean(rights(100, 0.5)[40:]))
    assert any(f"({first} 100, {other} 80): compared on the 60 in common" in note for note in report.notes)
    nothing = made(tmp_path / "nothing", right=[True] * 10, order=range(200, 210))
    with pytest.raises(ConfigError, match=r"different test data, with no row in common .* --test FILE"):
        compare([first, nothing])


def test_seeds_are_gathered_and_recipes_compared_over_them(tmp_path: Path) -> None:
    """Two recipes that are alike, of seeds that differ: over rows alone they would differ."""
    shares = {"head": (0.5, 0.8, 0.65), "full": (0.78, 0.52, 0.66)}
    runs = [
        made(tmp_path / f"{strategy}-{seed}", right=rights(N, share, seed=seed), strategy=strategy, seed=seed)
        for strategy, own in shares.items()
        for seed, share in enumerate(own)
    ]
    report = compare(runs)
    assert [entry.name for entry in report.entries] == ["strategy head (3 seeds)", "strategy full (3 seeds)"]
    assert [entry.seeds for entry in report.entries] == [(0, 1, 2), (0, 1, 2)]
    (contrast,) = report.contrasts
    assert contrast.answer == "undecided"
    assert contrast.difference.high - contrast.difference.low > 0.3
    assert compare([runs[0], runs[3]]).contrasts[0].answer == "better"
    assert not any("single runs" in note for note in report.notes)


def test_two_seeds_of_one_recipe_are_told_to_be_that(tmp_path: Path) -> None:
    runs = [made(tmp_path / str(seed), right=rights(N, 0.5 + 0.3 * seed, seed=seed), seed=seed) for seed in (0, 1)]
    report = compare(runs)
    assert len(report.entries) == 2
    assert any("differ by their seed alone: what differs between them is chance" in note for note in report.notes)


def test_many_comparisons_are_adjusted(tmp_path: Path) -> None:
    strategies = ("full", "head", "last-1", "last-2")
    runs = [
        made(tmp_path / name, right=rights(N, 0.55 + 0.03 * i, seed=i), strategy=name)
        for i, name in enumerate(strategies)
    ]
    report = compare(runs)
    raw = [one.difference.p_value for one in report.contrasts]
    adjusted = [one.p_value for one in report.contrasts]
    assert len(raw) == 3
    assert min(adjusted) == pytest.approx(min(1, 3 * min(raw)))
    assert all(one >= other for one, other in zip(adjusted, raw, strict=True))
    best = compare(runs[1:3], baseline="best")
    assert best.entries[best.baseline].score == max(entry.score for entry in best.entries)
    assert best.contrasts[0].difference.value < 0
    assert any("the best on these very rows" in note for note in best.notes)
    chosen = compare(runs[1:3], baseline=str(runs[2]))
    assert [(one.name, one.baseline) for one in chosen.contrasts] == [(str(runs[1]), str(runs[2]))]
    with pytest.raises(ConfigError, match=r"baseline: 'nowhere' is none of the compared runs; there are: "):
        compare(runs, baseline="nowhere")


def test_a_margin_tells_not_worse_from_undecided(tmp_path: Path) -> None:
    right = rights(400, 0.8)
    other = [not one if i % 100 == 0 else one for i, one in enumerate(right)]
    runs = [made(tmp_path / "first", right=right), made(tmp_path / "other", right=other, strategy="head")]
    assert compare(runs).contrasts[0].answer == "undecided"
    assert compare(runs, margin=0.05).contrasts[0].answer == "not worse"


def test_a_lower_error_is_better(tmp_path: Path) -> None:
    runs = [made(tmp_path / str(share), "regression", right=rights(N, share)) for share in (0.2, 0.9)]
    assert compare(runs[::-1], metric="mean_squared_error").contrasts[0].answer == "worse"
    report = compare(runs, metric="mean_squared_error")
    assert report.contrasts[0].difference.value < 0
    assert report.contrasts[0].answer == "better"
    best = compare(runs, metric="mean_squared_error", baseline="best")
    assert best.baseline == 1


def test_groups_make_intervals_wider(tmp_path: Path) -> None:
    weak = [i // 10 % 2 == 0 for i in range(N)]
    strong = [one or i // 10 % 3 == 0 for i, one in enumerate(weak)]
    alone = [made(tmp_path / f"a{i}", right=own) for i, own in enumerate((weak, strong))]
    groups = [str(i // 5) for i in range(N)]
    # One of two runs that knows groups is enough.
    grouped = [made(tmp_path / "g0", right=weak), made(tmp_path / "g1", right=strong, groups=groups)]
    differences = [compare(runs).contrasts[0].difference for runs in (alone, grouped)]
    widths = [one.high - one.low for one in differences]
    assert widths[1] > 1.5 * widths[0]
    assert "rows of one group are right or wrong together: 24 groups" in compare(grouped).notes


def test_what_can_not_be_compared_says_why(tmp_path: Path) -> None:
    first = made(tmp_path / "first", right=rights(40, 0.5))
    with pytest.raises(ConfigError, match="name two runs or more"):
        compare([first])
    with pytest.raises(ConfigError, match="split: expected test or validation, found 'train'"):
        compare([first, first], split="train")
    with pytest.raises(ConfigError, match="margin: expected a number of 0 or more, found -1"):
        compare([first, first], margin=-1)
    with pytest.raises(ConfigError, match="metric: classification has no metric 'f1'; there are: accuracy, "):
        compare([first, first], metric="f1")
    other = made(tmp_path / "other", right=rights(40, 0.5), metric="macro_f1")
    with pytest.raises(ConfigError, match=r"different metrics chose .* name one: --metric accuracy"):
        compare([first, other])
    assert compare([first, other], metric="accuracy").metric == "accuracy"


def test_validation_scores_are_said_to_be_optimistic(tmp_path: Path) -> None:
    runs = [made(tmp_path / name, right=rights(N, 0.6), splits=("validation",)) for name in "ab"]
    with pytest.raises(ConfigError, match=r"was not scored on test data; --split validation compares"):
        compare(runs)
    report = compare(runs, split="validation")
    assert any("validation scores are optimistic" in note for note in report.notes)


@pytest.mark.slow
def test_two_seeds_are_called_different_as_often_as_the_level_says(tmp_path: Path) -> None:
    """A/A: pairs of runs whose answers are right by one and the same chance."""
    called = 0
    for trial in range(200):
        runs = [
            made(tmp_path / f"{trial}-{i}", right=rights(N, 0.7, seed=2 * trial + i), strategy=("full", "head")[i])
            for i in range(2)
        ]
        called += compare(runs).contrasts[0].answer != "undecided"
        for run in runs:
            shutil.rmtree(run)
    assert 1 <= called <= 20
