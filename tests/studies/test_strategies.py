"""What the study of strategies concludes, apart from training: made results of known scores and costs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest

from afina.metrics.decisions import Decision
from afina.metrics.kinds import Array
from afina.metrics.scores import accuracy
from afina.studies import strategies
from afina.studies.comparisons import board_of
from afina.studies.results import Result, Results
from afina.studies.strategies import Way, summary
from afina.studies.summaries import Summary
from afina.studies.trials import Trial
from afina.studies.words import what_decides
from afina.training.rundir import RunFolder
from tests.studies import made


@dataclass(frozen=True)
class Made(Result):
    """A result with a table of its own."""

    own: Mapping[str, Array] | None = None
    cost: float = 1.0
    constant: bool = False

    @property
    def record(self) -> dict[str, Any]:
        warnings = [{"code": "constant-prediction"}] if self.constant else []
        best, training = {"step": 1}, {"training": self.cost}
        return {"best": best, "flops": training, "parameters": {"trained": 10}, "warnings": warnings}

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        return [{"step": 1, "epoch": 1, "loss": 0.5, "training_loss": 0.25}]

    def score(self, split: str, metric: str) -> float:
        return math.nan if self.own is None else float(accuracy(self.own))

    def table(self, split: str) -> dict[str, Array]:
        assert self.own is not None
        return dict(self.own)

    def groups(self, split: str) -> Array | None:
        return None


def study(split: str = "test") -> Any:
    """What the conclusion asks of a study."""
    whole = made.study()
    whole.split = split
    whole.oriented = lambda value: -math.inf if math.isnan(value) else value
    whole.baselines = lambda *_: SimpleNamespace(tables={split: {}}, constant=None)
    return whole


def trials(
    recipe: str, tables: Sequence[Mapping[str, Array]], *, cost: float = 1.0, diverged: int = 0, constant: int = 0
) -> list[Result]:
    """The results of a recipe, those that diverged last."""
    states: list[Literal["done", "diverged"]] = [*["done"] * len(tables), *["diverged"] * diverged]  # type: ignore[list-item]
    return [
        Made(
            Trial(recipe, seed), state, RunFolder(Path("none")),
            own=tables[seed] if state == "done" else None, cost=cost, constant=seed < constant,
        )
        for seed, state in enumerate(states)
    ]  # fmt: skip


def worse(tables: Sequence[Mapping[str, Array]], *, by: int) -> list[dict[str, Array]]:
    """Tables with so many of the right answers wrong."""
    found = [{name: values.copy() for name, values in table.items()} for table in tables]
    for table in found:
        table["predicted"][np.flatnonzero(table["predicted"] == table["gold"])[:by]] = 1
    return found


def concluded(*recipes: Sequence[Result], split: str = "test") -> Summary:
    """The conclusion from some recipes."""
    results = Results({one.trial.name: one for own in recipes for one in own})
    ways = {recipe: Way(recipe, {"strategy": recipe}) for recipe in results.recipes}
    return summary(results, study(split), ways, margin=0.03, level=0.95)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategies, "settings_of", lambda result: {})


def test_a_cheaper_strategy_that_is_as_good_is_recommended() -> None:
    same = made.tables(0.9, 5, n=2000)
    found = concluded(trials("full", same, cost=100.0), trials("last-1", same, cost=25.0))
    # Equal scores: whichever counts as the best, the cheap one is enough.
    assert found.recommended["strategy"] in ("full", "last-1")
    less = worse(same, by=2)
    found = concluded(trials("full", same, cost=100.0), trials("last-1", less, cost=25.0))
    (verdict,) = found.verdicts
    assert verdict.answer == "confirmed", verdict
    assert "25% of the arithmetic" in verdict.sentence
    assert found.recommended["strategy"] == "last-1"


def test_a_cheaper_strategy_that_is_worse_is_not() -> None:
    found = concluded(
        trials("full", made.tables(0.9, 5, n=1000), cost=9.0), trials("head", made.tables(0.6, 5, n=1000), cost=1.0)
    )
    (verdict,) = found.verdicts
    assert (verdict.answer, verdict.decide) == ("not confirmed", "")
    assert found.recommended["strategy"] == "full"
    assert [row[0] for row in found.boards[0].rows] == ["head", "full"]  # the cheapest first


def test_few_examples_leave_it_undecided_and_say_what_would_decide() -> None:
    some = made.tables(0.8, 3, n=60)
    found = concluded(trials("full", some, cost=9.0), trials("head", worse(some, by=2), cost=1.0))
    (verdict,) = found.verdicts
    assert verdict.answer == "undecided"
    assert re.fullmatch(r"about [\d,]+ examples to compare on", verdict.decide)
    assert verdict.sentence.count("ndecided") == 0
    assert found.recommended["strategy"] == "full"


def test_without_an_interval_nothing_is_said_to_decide_but_more_data() -> None:
    few = concluded(
        trials("full", made.tables(0.8, 2, n=8), cost=9.0), trials("head", made.tables(0.5, 2, n=8), cost=1.0)
    )
    assert few.verdicts[0].answer == "undecided"
    assert few.verdicts[0].decide == "more examples to compare on"
    assert what_decides([Decision("better", "")]) == ""


def test_an_unknown_cost_is_not_a_low_one() -> None:
    known = trials("full", made.tables(0.9, 3, n=1000), cost=9.0)
    unknown = trials("other", made.tables(0.9, 3, n=1000, seed=1), cost=math.nan)
    found = concluded(unknown, known)
    assert [row[0] for row in found.boards[0].rows] == ["full", "other"]
    neither = concluded(unknown, trials("full", made.tables(0.6, 3, n=1000), cost=math.nan))
    assert neither.verdicts[0].answer == "undecided"
    assert "cheapest" not in neither.verdicts[0].sentence


def test_diverged_and_constant_trials_are_counted_and_shown() -> None:
    found = concluded(
        trials("full", made.tables(0.9, 3), cost=9.0, diverged=2), trials("head", made.tables(0.6, 3), constant=1)
    )
    rows = {row[0]: row for row in found.boards[0].rows}
    assert rows["full"][-3:] == [3, 2, 0]
    assert rows["head"][-3:] == [3, 0, 1]
    assert any("full: 2 of 5 trials diverged and count in no mean" in note for note in found.notes)
    assert any("head: 1 of 3 trials gives one answer" in note for note in found.notes)
    nothing = concluded(trials("full", [], diverged=3))
    assert nothing.verdicts[0].answer == "undecided"
    assert not nothing.recommended


def test_validation_data_that_chose_are_told() -> None:
    one = trials("full", made.tables(0.9, 3))
    assert any("also chose" in note for note in concluded(one, split="validation").notes)
    assert not concluded(one).notes


def test_the_same_results_give_the_same_bytes_in_any_order() -> None:
    first = trials("full", made.tables(0.9, 3), cost=9.0, diverged=1)
    second = trials("head", made.tables(0.85, 3, seed=1), cost=1.0)
    found = json.dumps(concluded(first, second).record())
    assert found == json.dumps(concluded(first, second).record())
    assert found == json.dumps(concluded(first[::-1], second[::-1]).record())


def test_baselines_stand_on_boards_that_ask_for_them() -> None:
    about = study()
    table = made.tables(0.5, 1)[0]
    about.baselines = lambda *_: SimpleNamespace(tables={"test": {"TF-IDF linear": table}}, constant=None)
    about.task = SimpleNamespace(metrics={"accuracy": accuracy})
    results = Results({one.trial.name: one for one in trials("full", made.tables(0.9, 3))})
    with_them = board_of(results, about, ["full"], level=0.95)
    without = board_of(results, about, ["full"], level=0.95, baselines=False)
    assert [row[0] for row in with_them.rows] == ["full", "TF-IDF linear"]
    assert [row[0] for row in without.rows] == ["full"]


def test_the_test_data_choose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, own = made.tables(0.9, 5, n=2000), Made.score
    validation = {"full": 0.95, "last-1": 0.5}

    def score(self: Made, split: str, metric: str) -> float:
        return validation[self.trial.recipe] if split == "validation" else own(self, split, metric)

    monkeypatch.setattr(Made, "score", score)
    found = concluded(trials("full", worse(tables, by=10), cost=1.0), trials("last-1", tables, cost=100.0))
    assert found.verdicts[0].sentence.startswith("The best on the validation data is full: test ")
    assert found.recommended["strategy"] == "full"
