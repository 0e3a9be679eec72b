"""What the study of regularisation asks for and concludes, apart from training: made results of known scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from afina.metrics.kinds import Array
from afina.studies import regularization as design
from afina.studies.regularization import NONE, amounts, recipe, regularization, summary
from afina.studies.results import Result, Results
from afina.studies.summaries import Summary
from afina.studies.trials import Trial
from tests.studies import made
from tests.studies.test_strategies import study, trials, worse

KINDS = ["none", "dropout", "weight decay", "early stopping", "all"]
SIZE = 800


def concluded(tables: Mapping[str, Sequence[Mapping[str, Array]]], **lost: Mapping[str, int]) -> Summary:
    """The conclusion from the tables of each kind; `diverged` and `constant` count trials by kind."""
    results: list[Result] = []
    for kind, own in tables.items():
        counts = {name: by_kind.get(kind, 0) for name, by_kind in lost.items()}
        results += trials(recipe(kind, SIZE), own, **counts)
    about = study()
    return summary(
        Results({one.trial.name: one for one in results}), about, [SIZE], list(tables), margin=0.01, level=0.95
    )


def test_what_helps_what_does_not_and_what_harms() -> None:
    base = made.tables(0.8, 5, n=4000)
    found = concluded({
        "none": worse(base, by=400), "dropout": base, "weight decay": worse(base, by=401),
        "early stopping": worse(base, by=1000),
    })  # fmt: skip
    helps, same, harms = found.verdicts
    assert (helps.claim, helps.answer, helps.decide) == ("Dropout helps (800 examples)", "confirmed", "")
    assert "without any 0.70" in helps.sentence
    assert " better, p < 0.001. Over seeds its standard deviation is " in helps.sentence
    assert (same.claim, same.answer) == ("Weight decay helps (800 examples)", "not confirmed")
    assert "not worse by 0.01 or more (from " in same.sentence
    assert harms.answer == "not confirmed"
    assert " worse, p < 0.001." in harms.sentence
    board = found.boards[1]
    assert [row[0] for row in board.rows] == [recipe(kind, SIZE) for kind in KINDS[1:4]]
    assert not found.recommended


def test_few_examples_leave_it_undecided() -> None:
    base = made.tables(0.8, 3, n=60)
    (verdict,) = concluded({"none": worse(base, by=2), "all": base}).verdicts
    assert (verdict.claim, verdict.answer) == ("All three together help (800 examples)", "undecided")
    assert verdict.decide.endswith("to compare on")
    assert "ndecided" not in verdict.sentence


def test_one_seed_has_no_spread() -> None:
    base = made.tables(0.8, 1, n=400)
    (verdict,) = concluded({"none": worse(base, by=40), "dropout": base}).verdicts
    assert "one seed does not tell how another would score" in verdict.sentence
    assert "standard deviation" not in verdict.sentence
    assert "nan" not in str(verdict)


def test_diverged_and_collapsed_trials_are_counted() -> None:
    base = made.tables(0.8, 3, n=1000)
    found = concluded(
        {"none": base, "dropout": base, "all": []}, diverged={"dropout": 1, "all": 2}, constant={"none": 1}
    )
    assert [verdict.claim for verdict in found.verdicts] == ["Dropout helps (800 examples)"]
    rows = {row[0]: row[-3:] for row in found.boards[0].rows}
    assert rows[recipe("dropout", SIZE)] == [3, 1, 0]
    assert rows[recipe("none", SIZE)] == [3, 0, 1]
    assert rows[recipe("all", SIZE)] == [0, 2, 0]
    assert "dropout, 800 examples: 1 of 4 trials diverged and counts in no mean" in found.notes
    assert "none, 800 examples: 1 of 3 trials gives one answer to all inputs" in found.notes


def test_without_a_reference_nothing_is_said() -> None:
    found = concluded({"none": [], "dropout": made.tables(0.8, 2)}, diverged={"none": 2})
    (verdict,) = found.verdicts
    assert (verdict.answer, verdict.sentence) == ("undecided", "No trial came to its end.")
    assert str(found)


@pytest.mark.parametrize(
    ("examples", "little", "sizes"),
    [(2000, None, [200, 2000]), (500, None, [100, 500]), (150, None, [150]), (150, 20, [20, 150]), (20, 20, [20])],
)
def test_little_data_and_all(examples: int, little: int | None, sizes: list[int]) -> None:
    assert amounts(made.study(examples=examples), little) == sizes


def test_each_kind_is_tried_alone_and_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(design, "usual_epochs", lambda study, size: 3)
    about = made.study(examples=2000)
    asked = next(regularization(about, seeds=2))
    found = {one.recipe: dict(one.settings) for one in asked if isinstance(one, Trial)}
    assert len(asked) == 2 * 5 * 2
    none, everything = found[recipe(NONE, 200)], found[recipe("all", 200)]
    assert none["data.sample"] == 200
    assert "data.sample" not in found[recipe(NONE, 2000)]
    assert none["training.keep"] == "last"
    assert {name for name in none if everything[name] != none[name]} == {
        "model.dropout", "model.head_dropout", "training.weight_decay", "training.keep",
    }  # fmt: skip
    assert everything["training.patience"] == 2
    alone = found[recipe("dropout", 200)]
    assert {name for name in none if alone[name] != none[name]} == {"model.dropout", "model.head_dropout"}
    assert all(one["training.epochs"] == 6 for one in found.values())


def test_losses_are_drawn_by_epoch() -> None:
    found = concluded({"none": made.tables(0.8, 2), "dropout": made.tables(0.8, 2)})
    assert [figure.y for figure in found.figures] == ["validation loss", "training loss"]
    for figure, loss in zip(found.figures, (0.5, 0.25), strict=True):
        assert [(line.name, list(line.y)) for line in figure.series] == [("none", [loss]), ("dropout", [loss])]
    empty: Any = SimpleNamespace(evaluations=[])
    assert math.isnan(design.mean_at([empty], 1, "loss"))
