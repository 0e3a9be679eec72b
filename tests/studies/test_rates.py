"""What the study of learning rates asks for and concludes, apart from training: made results of known scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from afina.studies import rates as design
from afina.studies.rates import rates
from afina.studies.results import Result, Results
from afina.studies.strategies import Way
from afina.studies.summaries import Summary, Verdict
from afina.studies.trials import Trial
from afina.training.rundir import RunFolder
from tests.studies import made
from tests.studies.test_strategies import Made, study

USUAL = 1e-3
LOST, ONE_ANSWER = "diverged", "one answer"
Outcome = float | str
"""A score, or what became of a trial that has none."""


class Given(Made):
    """A result with a score of its own."""

    value: float

    def score(self, split: str, metric: str) -> float:
        return self.value if self.done else math.nan


def result(trial: Trial, outcome: Outcome) -> Result:
    """A trial that ended in this way."""
    one = Given(
        trial, "diverged" if outcome == LOST else "done", RunFolder(Path("none")),
        own=made.tables(0.7, 1, n=50)[0], constant=outcome == ONE_ANSWER,
    )  # fmt: skip
    object.__setattr__(one, "value", outcome if isinstance(outcome, float) else 0.5)
    return one


@pytest.fixture(autouse=True)
def without_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates of one strategy whose usual rate is known; nothing is read from runs."""

    def way_of(study: Any, name: str, factors: list[float]) -> Way:
        return Way(name, {"strategy": name}, [USUAL * factor for factor in factors], usual=USUAL)

    monkeypatch.setattr(design, "way_of", way_of)
    monkeypatch.setattr(design, "settings_of", lambda result: dict(result.trial.settings))
    monkeypatch.setattr(design, "constant_score", lambda study: 0.5)


def followed(outcome: Callable[[float, int], Outcome], **options: Any) -> tuple[Summary, dict[float, int]]:
    """The conclusion where trials of a factor and a seed end so, and the number of seeds of each factor."""
    about = study()
    about.config = None
    work = rates(about, names=["full"], factors=options.pop("factors", [1.0, 0.2, 5.0, 0.04, 25.0]), **options)
    asked = next(work)
    try:
        while True:
            known = {}
            for trial in asked:
                assert isinstance(trial, Trial)
                factor = round(float(trial.settings["training.learning_rate"]) / USUAL, 6)
                known[trial.name] = result(trial, outcome(factor, trial.seed))
            asked = work.send(Results(known))
    except StopIteration as end:
        counts: dict[float, int] = {}
        for one in known.values():
            factor = round(float(one.trial.settings["training.learning_rate"]) / USUAL, 6)
            counts[factor] = counts.get(factor, 0) + 1
        return end.value, dict(sorted(counts.items()))


def by_factor(scores: Mapping[float, Outcome]) -> Callable[[float, int], Outcome]:
    """The same outcome for every seed of a factor."""
    return lambda factor, seed: scores[factor]


def verdict_of(outcome: Callable[[float, int], Outcome], **options: Any) -> Verdict:
    return followed(outcome, **options)[0].verdicts[0]


USUALLY: dict[float, Outcome] = {0.04: 0.6, 0.2: 0.885, 1.0: 0.9, 5.0: 0.87, 25.0: LOST}


def test_too_high_and_too_low_are_confirmed_by_two_seeds_a_side() -> None:
    summary, seeds = followed(by_factor(USUALLY))
    (verdict,) = summary.verdicts
    assert (verdict.answer, verdict.decide) == ("confirmed", "")
    assert verdict.sentence == (
        "Stable: 0.0002 to 0.001. Best: 0.001 (validation accuracy 0.9000, the mean of 3 seeds). "
        "Of 4 trials at higher rates 2 diverged, the others scored 0.8700. "
        "2 trials at lower rates scored 0.6000."
    )
    # The ends have a second seed; the others are halved.
    assert seeds == {0.04: 2, 0.2: 3, 1.0: 3, 5.0: 2, 25.0: 2}
    assert summary.recommended == {"strategy": "full", "training.learning_rate": 0.001}


def test_one_trial_a_side_confirms_nothing() -> None:
    verdict = verdict_of(by_factor({0.2: 0.6, 1.0: 0.9, 5.0: LOST}), factors=[0.2, 1.0, 5.0], seeds=1)
    assert (verdict.answer, verdict.decide) == ("undecided", "a second seed (--seeds 2)")
    assert "The only trial at higher rates diverged. The only trial at lower rates scored 0.6000." in verdict.sentence
    more, seeds = followed(by_factor({0.2: 0.6, 1.0: 0.9, 5.0: LOST}), factors=[0.2, 1.0, 5.0], seeds=2)
    assert more.verdicts[0].answer == "confirmed"
    assert seeds == {0.2: 2, 1.0: 2, 5.0: 2}


def test_a_side_without_failing_rates_leaves_it_undecided() -> None:
    scores: dict[float, Outcome] = {0.04: 0.6, 0.2: 0.8, 1.0: 0.9, 5.0: 0.9}
    verdict = verdict_of(by_factor(scores), factors=list(scores))
    assert verdict.answer == "undecided"
    assert "No higher rate was tried that fails. 3 trials at lower rates scored 0.6000 to 0.8000." in verdict.sentence
    assert verdict.decide == "higher rates (--option factors=0.04,0.2,1,5,25)"


def test_a_lucky_seed_does_not_beat_three() -> None:
    def outcome(factor: float, seed: int) -> Outcome:
        if factor == 25:
            return LOST
        scores = {0.04: [0.6] * 3, 0.2: [0.89, 0.9, 0.91], 1.0: [0.95, 0.80, 0.80], 5.0: [0.92, 0.94, 0.93]}
        return scores[factor][seed]

    # After one seed 1.0 leads with 0.95; after two it is third, and stays there with two seeds of a mean of 0.875.
    summary, seeds = followed(outcome)
    assert seeds == {0.04: 2, 0.2: 3, 1.0: 2, 5.0: 3, 25.0: 2}
    assert summary.recommended["training.learning_rate"] == 0.005
    only = {0.04: 0.7, 0.2: 0.8, 1.0: 0.85, 5.0: 0.9, 25.0: 0.99, 120.0: 0.5}

    def lucky(factor: float, seed: int) -> Outcome:
        return only[factor] if seed == 0 or factor < 25 else LOST

    summary, seeds = followed(lucky, seeds=2)
    assert summary.recommended["training.learning_rate"] == 0.005
    assert "highest" not in " ".join(summary.notes)


def test_rates_are_judged_on_the_seeds_that_they_share_with_the_best() -> None:
    def outcome(factor: float, seed: int) -> Outcome:
        # The first seed is a hard one for all rates.
        scores: dict[float, Outcome] = {0.04: 0.6, 0.2: 0.70, 1.0: 0.71, 5.0: 0.705, 25.0: LOST}
        found = scores[factor]
        return found + 0.2 * (seed > 0) if isinstance(found, float) else found

    summary, _ = followed(outcome)
    assert summary.verdicts[0].sentence.startswith("Stable: 0.0002 to 0.005. Best: 0.001 ")


def test_collapsed_and_diverged_rates_are_neither_stable_nor_recommended() -> None:
    summary, _ = followed(by_factor({**USUALLY, 5.0: ONE_ANSWER}))
    (verdict,) = summary.verdicts
    assert "Of 3 trials at higher rates 2 diverged, 1 gave one answer." in verdict.sentence
    assert any("its only trial gives one answer to all inputs" in note for note in summary.notes)
    states = {row[0]: row[1:] for row in summary.boards[1].rows}
    assert states["0.025"] == [2, 0, 0, 2]
    assert states["0.005"] == [1, 0, 1, 0]

    def late(factor: float, seed: int) -> Outcome:
        return LOST if factor == 1.0 and seed == 1 else USUALLY[factor]

    assert followed(late)[0].recommended["training.learning_rate"] == 0.0002


def test_where_no_rate_is_stable_lower_ones_would_decide() -> None:
    summary, _ = followed(lambda factor, seed: LOST)
    (verdict,) = summary.verdicts
    assert verdict.answer == "undecided"
    assert verdict.sentence.startswith("No rate was stable")
    assert verdict.decide == "lower rates (--option factors=0.001,0.005,0.02)"
    assert not summary.recommended


def test_the_range_goes_on_where_the_best_rate_lies_at_its_end() -> None:
    def outcome(factor: float, seed: int) -> Outcome:
        return LOST if factor > 100 else 0.5 + factor / 250

    summary, seeds = followed(outcome, factors=[0.2, 1.0, 5.0])
    assert list(seeds) == [0.2, 1.0, 5.0, 25.0, 120.0]
    assert summary.recommended["training.learning_rate"] == 0.025
    (verdict,) = summary.verdicts
    assert verdict.answer == "confirmed"
    rising, seeds = followed(lambda factor, seed: 0.5 + factor / 10_000, factors=[0.2, 1.0, 5.0])
    assert len(seeds) == 6
    assert rising.verdicts[0].decide == "higher rates (--option factors=0.2,1,5,25,120,580,2900)"
    assert any("is the highest that was tried" in note for note in rising.notes)
    flat, seeds = followed(lambda factor, seed: 0.5 + factor / 100_000, factors=[0.2, 1.0, 5.0])
    assert len(seeds) == 6
    assert flat.verdicts[0].decide.endswith("or higher rates (--option factors=0.2,1,5,25,120,580,2900)")


def test_where_hardly_anything_is_learned_rates_are_not_told_apart() -> None:
    summary, counts = followed(by_factor({0.04: 0.519, 0.2: 0.516, 1.0: 0.5, 5.0: 0.49, 25.0: LOST}))
    (verdict,) = summary.verdicts
    assert verdict.answer == "undecided"
    assert verdict.sentence.startswith("Hardly anything is learned at any rate. Best: 4e-05 (validation ")
    assert "the constant answer has 0.5" in verdict.sentence
    assert "--epochs" in verdict.decide
    assert set(counts) == {0.04, 0.2, 1.0, 5.0, 25.0}  # no rate beyond the range was tried
    assert not summary.recommended
    assert not any("is the lowest that was tried" in note for note in summary.notes)
