"""What can be read of a model: verdicts follow the tests, and a study ends in the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from afina.metrics.kinds import Array
from afina.studies import pooling_verdicts
from afina.studies.events import Concluded, Ended, Started
from afina.studies.folder import StudyFolder
from afina.studies.pooling import Asking, best_depth, pooling
from afina.studies.pooling_verdicts import Compared, as_good, opposite, read_as_pair
from afina.studies.results import Results
from afina.studies.runner import stream_study
from afina.studies.study import Study, opened
from afina.studies.summaries import Summary
from afina.studies.trials import Measurement, Trial
from tests import tiny as made
from tests.runs import ROWS, configured
from tests.studies.designs import tiny_study

PAIRS = [
    {"sentence1": f"the {animal} {verb}", "sentence2": f"a {state} {thing}", "label": label}
    for animal, verb in (("cat", "sleeps"), ("dog", "barks"))
    for thing in ("film", "room", "meal")
    for state, label in (("great", "good"), ("poor", "bad"))
]
COUNT = 2000


@pytest.fixture
def study(tiny: Callable[[str], Path], tmp_path: Path) -> Study:
    """A tiny study, whose metric is the accuracy."""
    return tiny_study(tiny("bert"), tmp_path / "study")[0]


def recipe(name: str, accuracy: float, *, seeds: int = 0, n: int = COUNT, shared: int = 0) -> Compared:
    """A recipe that answers so many of n examples rightly; without seeds it has no randomness.

    Args:
        name: Its name.
        accuracy: Share of right answers.
        seeds: Number of runs.
        n: Number of examples.
        shared: Recipes with the same number make their mistakes among the same examples.
    """
    hard = np.random.default_rng(shared).random(n)

    def table(seed: int) -> dict[str, Array]:
        noise = np.random.default_rng([shared, seed, len(name)]).random(n)
        wrong = np.argsort(hard + 0.3 * noise)[: round((1 - accuracy) * n)]
        predicted = np.zeros(n, np.int64)
        predicted[wrong] = 1
        return {"gold": np.zeros(n, np.int64), "predicted": predicted}

    return Compared(name, [table(seed) for seed in range(max(1, seeds))], fixed=seeds == 0)


@pytest.mark.parametrize(
    ("others", "answer"),
    [
        ({"mean": 0.80, "max": 0.70}, "confirmed"),
        ({"mean": 0.795, "max": 0.60}, "confirmed"),
        ({"mean": 0.87, "max": 0.70}, "not confirmed"),
        ({"mean": 0.87, "max": 0.80}, "not confirmed"),
        ({"mean": 0.81}, "undecided"),
    ],
)
@pytest.mark.parametrize("seeds", [0, 3])
def test_as_good_is_not_worse_than_any(others: Mapping[str, float], answer: str, seeds: int, study: Study) -> None:
    n = 200 if answer == "undecided" else COUNT
    mine, *rest = (recipe(name, one, seeds=seeds, n=n) for name, one in {"[CLS]": 0.8, **others}.items())
    found = as_good("c", mine, rest, study, margin=0.02, level=0.95)
    assert found.answer == answer
    assert found.sentence.startswith("[CLS]: accuracy 0.8000 (0.7")
    assert all(f"gainst {name}: " in found.sentence for name in others)
    assert bool(found.decide) == (answer == "undecided")


def test_the_only_pooling_is_the_best(study: Study) -> None:
    found = as_good("c", recipe("[CLS]", 0.8), [], study, margin=0.01, level=0.95)
    assert found.answer == "confirmed"
    assert "It is the best itself" in found.sentence


@pytest.mark.parametrize(
    ("scores", "answer"),
    [
        ({"first": 0.6, "second": 0.7, "swapped": 0.8, "joined": 0.79}, "confirmed"),
        ({"first": 0.6, "second": 0.8}, "not confirmed"),
        ({"first": 0.6, "second": 0.9}, "not confirmed"),
        ({"first": 0.785, "second": 0.6}, "undecided"),
    ],
)
def test_a_pair_is_read_as_one_where_each_text_is_missed(
    scores: Mapping[str, float], answer: str, study: Study
) -> None:
    n = 300 if answer == "undecided" else COUNT
    ways = {"both": recipe("both texts", 0.8, n=n), **{way: recipe(way, one, n=n) for way, one in scores.items()}}
    found = read_as_pair("c", ways, study, margin=0.02, level=0.95)
    assert found.answer == answer
    assert all(f"gainst {way}: " in found.sentence for way in scores)


def test_a_pair_without_a_score_is_undecided(study: Study) -> None:
    found = read_as_pair("c", {"both": recipe("both texts", 0.8)}, study, margin=0.01, level=0.95)
    assert (found.answer, found.decide) == ("undecided", "a lower learning rate")


def test_the_opposite_of_a_difference(study: Study) -> None:
    one, other = recipe("a", 0.8), recipe("bb", 0.7)
    ((forward,), (back,)) = (
        [*pooling_verdicts.differences(*pair, study, level=0.95).values()] for pair in ((one, [other]), (other, [one]))
    )
    turned = opposite(forward)
    for name in ("value", "low", "high", "p_value", "first", "second", "error"):
        assert getattr(turned, name) == pytest.approx(getattr(back, name))


def test_the_best_layer_is_that_of_the_lowest_loss() -> None:
    losses = {("mean", 0): 0.5, ("mean", 1): 0.3, ("mean", 2): 0.3, ("first", 2): 0.1, ("mean", 3): None}
    whole = {"heads": [{"pooling": kind, "layer": layer, "loss": loss} for (kind, layer), loss in losses.items()]}
    assert (best_depth(whole, "mean"), best_depth(whole, "first")) == (1, 2)


# ---------------------------------------------------------------------------------------------------------------------
# Whole studies.


def run(study: Study, **options: Any) -> Summary:
    """A whole study on a tiny model."""
    last = list(stream_study("pooling", {"seeds": 1, **options}, study))[-1]
    assert isinstance(last, Concluded)
    return last.summary


def asked_by(study: Study, **options: Any) -> tuple[list[Trial], list[Measurement]]:
    """What the design asks for first."""
    wanted = next(pooling(study, **options))
    trials = [one for one in wanted if isinstance(one, Trial)]
    return trials, [one for one in wanted if isinstance(one, Measurement)]


def paired(model: Path, out: Path, **more: Any) -> Study:
    """A tiny study of pairs."""
    return opened(
        configured(model, out, **more), out, {"train": PAIRS, "validation": PAIRS[::2] + PAIRS[1::4], "test": PAIRS}
    )[0]


def test_a_study_of_single_texts(tmp_path: Path) -> None:
    model, out = made.tiny_model(tmp_path / "model", masked=False), tmp_path / "study"
    summary = run(tiny_study(model, out, training__epochs=1)[0])
    assert len(summary.verdicts) == 2
    best, layers, tuned = summary.boards
    assert [row[0] for row in best.rows][:7] == ["[CLS]", "[CLS]", "mean", "mean", "max", "max", "own pooler"]
    assert [row[0] for row in best.rows][7:] == ["commonest label (good)", "TF-IDF linear"]
    assert layers.columns == ["layer", "[CLS]", "mean", "max", "own pooler"]
    assert [row[-1] is None for row in layers.rows] == [True, True, True, False]
    assert [row[0] for row in tuned.rows][:4] == ["native", "linear", "mean", "max"]
    assert [series.name for series in summary.figures[0].series] == ["[CLS]", "mean", "max", "own pooler"]
    before = (out / "summary.json").read_bytes()
    again = list(stream_study("pooling", {"seeds": 1}, tiny_study(model, out, training__epochs=1)[0]))
    assert not any(isinstance(event, (Started, Ended)) for event in again)
    assert (out / "summary.json").read_bytes() == before
    json.loads(before)


def test_a_study_of_pairs(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study = paired(tiny("bert"), tmp_path / "study", training__epochs=1)
    trials, measurements = asked_by(study, seeds=2)
    assert len(trials) == 2 * (4 + 4)
    assert [one.name for one in measurements] == [
        "frozen", "frozen first", "frozen second", "frozen swapped", "frozen joined"
    ]  # fmt: skip
    assert len(asked_by(study, seeds=1, fine_tuned_pairs=False)[0]) == 4
    assert asked_by(study, fine_tuned=False)[0] == []
    summary = run(study)
    assert len(summary.verdicts) == 4
    rows = summary.boards[-1].rows
    assert [row[0] for row in rows][:3] == ["both texts", "the first alone", "the second alone"]
    assert all(len(row) == 4 and None not in row for row in rows)
    runs = {one.trial.settings.get("options.pair_as", "both") for one in results_of(study)}
    assert runs == {"both", "first", "second", "swapped", "joined"}


def results_of(study: Study) -> Results:
    """The results of a finished study's trials."""
    folder = StudyFolder(study.folder)
    found = {trial.name: folder.result(trial) for trial in asked_by(study, seeds=1)[0]}
    return Results({name: one for name, one in found.items() if one is not None})


def test_a_pair_of_which_less_is_read_anyway_is_no_pair(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study = paired(tiny("bert"), tmp_path / "study", options__pair_as="joined")
    assert not Asking(study, "full", 1, 0.01, 0.95).paired
    assert len(asked_by(study)[1]) == 1


@pytest.mark.parametrize("task", ["tokens", "answers"])
def test_a_task_about_tokens_compares_layers(task: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study = tiny_study(tiny("bert"), tmp_path / "study", task, training__epochs=1)[0]
    summary = run(study)
    assert "layer" in summary.verdicts[0].claim
    assert [row[0] for row in summary.boards[0].rows][:2] == ["each token", "each token"]
    assert len(summary.boards[1].rows) == 4


def test_the_embedded_model_is_told_apart(embedded: str, tmp_path: Path) -> None:
    rows: Sequence[Mapping[str, Any]] = ROWS["classification"]
    study = opened(configured(Path(embedded), tmp_path), tmp_path, {"train": rows, "validation": rows[::3]})[0]
    summary = run(study, fine_tuned=False)
    assert any("sentence encoder on the mean of its tokens" in note for note in summary.notes)
    assert len(summary.boards[1].rows) == 7
    assert "own pooler" in summary.boards[1].columns
