"""What a search asks for and concludes, apart from training: made results of known scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from afina.metrics.kinds import Array
from afina.studies.results import Result, Results
from afina.studies.summaries import Summary
from afina.studies.sweep import STARTUP, Space, floors_of, history, summary, sweep
from afina.studies.trials import Trial
from afina.training.rundir import RunFolder
from tests.studies import made
from tests.studies.test_strategies import Made, study, trials, worse

SPACE = {"training.learning_rate": Space.read("training.learning_rate", "1e-5..1e-3")}


class Searched(Made):
    """A trial of a search, whose validation score rises over three epochs to a value."""

    reached: float | None = None

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        values = [] if self.reached is None else [share * self.reached for share in (0.5, 0.8, 1.0)]
        return [
            {"step": i, "epoch": i, "loss": 0.5, "training_loss": 0.5, "metrics": {"accuracy": value}}
            for i, value in enumerate(values, 1)
        ]


def tried(number: int, reached: float | None, **settings: Any) -> Result:
    """A trial of the search; None for one that diverged."""
    asked = {"training.learning_rate": 1e-5 * (number + 1), **settings}
    state = "diverged" if reached is None else "done"
    one = Searched(Trial(f"trial {number}", 0, asked), state, RunFolder(Path("none")))  # type: ignore[arg-type]
    object.__setattr__(one, "reached", reached)
    return one


def concluded(found: Sequence[Mapping[str, Array]], defaults: Sequence[Mapping[str, Array]], **lost: int) -> Summary:
    """The conclusion where the search led to some scores, and the defaults to others."""
    search = [tried(0, 0.7), tried(1, None), tried(2, 0.9), tried(3, 0.8)]
    both = [*trials("found", found, **lost), *trials("defaults", defaults)]
    results = Results({one.trial.name: one for one in (*search, *both)})
    return summary(results, study(), SPACE, best=search[2], margin=0.01, level=0.95)


def test_settings_that_hold_are_recommended() -> None:
    found = concluded(made.tables(0.9, 3, n=1000), made.tables(0.8, 3, n=1000))
    (verdict,) = found.verdicts
    assert (verdict.answer, verdict.decide) == ("confirmed", "")
    assert verdict.sentence.startswith("Test accuracy 0.8930, ")
    assert ", of the defaults 0." in verdict.sentence
    assert found.recommended == {"training.learning_rate": pytest.approx(3e-5)}
    assert found.notes[0].startswith("the best of 3 trials reached accuracy 0.9000 on the validation data")
    assert list(found.figures[0].series[0].y) == [0.7, 0.9, 0.9]


@pytest.mark.parametrize(("reached", "answer"), [(0.7, "not confirmed"), (0.8, "not confirmed")])
def test_settings_that_were_lucky_are_not(reached: float, answer: str) -> None:
    found = concluded(made.tables(reached, 5, n=20_000), made.tables(0.8, 5, n=20_000))
    assert found.verdicts[0].answer == answer
    assert not found.recommended


def test_few_examples_leave_it_undecided() -> None:
    some = made.tables(0.8, 3, n=60)
    found = concluded(some, worse(some, by=2))
    (verdict,) = found.verdicts
    assert verdict.answer == "undecided"
    assert "to compare on" in verdict.decide or "--seeds" in verdict.decide
    assert not found.recommended


def test_diverged_and_collapsed_trials_are_counted_and_shown() -> None:
    found = concluded(made.tables(0.9, 3), made.tables(0.8, 3), diverged=1, constant=1)
    assert "trial 1: its only trial diverged" in found.notes
    assert "found: 1 of 4 trials diverged and counts in no mean" in found.notes
    assert "found: 1 of 4 trials gives one answer to all inputs" in found.notes
    (board,) = [one for one in found.boards if one.title.startswith("search")]
    assert [row[0] for row in board.rows] == ["trial 2", "trial 3", "trial 0", "trial 1"]
    assert [row[-1] for row in board.rows] == [0.9, 0.8, 0.7, None]
    assert board.rows[-1][-2] == "diverged"
    gone = concluded([], made.tables(0.8, 3), diverged=3)
    assert gone.verdicts[0].sentence == "No trial of the comparison came to its end."
    assert gone.verdicts[0].answer == "undecided"


def test_scores_below_zero_keep_their_sign() -> None:
    (row,) = history(Results({"a": tried(0, -0.2)}), SPACE, study()).rows
    assert row[-1] == -0.1  # the best of its three evaluations


def test_a_search_in_which_all_diverges_says_so() -> None:
    pytest.importorskip("optuna", reason="the extra sweep is not installed (pip install 'afina[sweep]')")
    about = study()
    about.config = type("Config", (), {"seed": 0})
    work = sweep(about, search={"training.learning_rate": "1e-5..1e-3"}, trials=3)
    asked = next(work)
    try:
        while True:
            own = [one for one in asked if isinstance(one, Trial)]
            asked = work.send(Results({one.name: replace(tried(0, None), trial=one) for one in own}))
    except StopIteration as end:
        (verdict,) = end.value.verdicts
    assert len(asked) == 3
    assert (verdict.answer, verdict.sentence) == ("undecided", "No trial of the search came to its end.")
    assert verdict.decide == "lower rates (--search learning_rate=1e-6..1e-4)"


def test_the_same_results_lead_to_the_same_proposals() -> None:
    pytest.importorskip("optuna", reason="the extra sweep is not installed (pip install 'afina[sweep]')")
    about = study()
    about.config = type("Config", (), {"seed": 0})

    def proposed() -> list[Any]:
        work, known = sweep(about, search={"training.learning_rate": "1e-5..1e-3"}, trials=4, batch=2), {}
        asked = list(next(work))
        for _ in range(2):
            for number, one in enumerate(asked):
                found = tried(number, 0.5 + number / 10)
                object.__setattr__(found, "trial", one)
                known[one.name] = found
            asked = list(work.send(Results(dict(known))))
        work.close()
        return asked

    first, again = proposed(), proposed()
    assert first == again
    assert [one.recipe for one in first] == [f"trial {i}" for i in range(4)] + ["found"] * 3 + ["defaults"] * 3
    assert {one.seed for one in first[4:]} == {1, 2, 3}  # seeds that chose nothing
    assert all(1e-5 <= one.settings["training.learning_rate"] <= 1e-3 for one in first[:4])


def test_trials_are_given_up_below_the_median_of_those_with_the_same_strategy() -> None:
    scores = [0.5, 0.6, 0.7, 0.8, 0.9]
    known = [tried(i, value, strategy="full") for i, value in enumerate(scores)]
    results = Results({one.trial.name: one for one in known})
    floors = floors_of({"strategy": "full"}, results, study())
    assert [epoch for epoch, _ in floors] == [1, 2, 3]
    assert [floor for _, floor in floors] == pytest.approx([0.35, 0.56, 0.7])
    assert floors_of({"strategy": "head"}, results, study()) == []
    few = Results({one.trial.name: one for one in known[: STARTUP - 1]})
    assert floors_of({"strategy": "full"}, few, study()) == []
    assert not math.isnan(floors[0][1])
