"""What trainings from several starts say, on tables that were made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from afina.studies.starts import Start, summary_of
from afina.studies.summaries import Summary
from tests.studies import made


def start(name: str, score: float, *, seeds: int = 3, seed: int = 0, error: bool = False) -> Start:
    found = (made.errors if error else made.tables)(score, seeds, seed=seed)
    return Start(name, f"models/{name}", seeds, found, rate=2e-4)


def concluded(*others: float, base: float = 0.8, random: float = 0.6, **study: Any) -> Summary:
    error = bool(study.get("error"))
    starts = [start("pre-trained", base, error=error), start("random weights", random, seed=1, error=error)]
    starts += [start(f"model {i}", score, seed=i + 2, error=error) for i, score in enumerate(others)]
    return summary_of(made.study(**study), starts, ["a note"], margin=0.01, level=0.95)


def test_each_start_gets_a_verdict() -> None:
    summary = concluded(0.9, 0.8, 0.7)
    claims = [verdict.claim for verdict in summary.verdicts]
    assert claims == [
        "The configured model is a better start than random weights",
        "Model 0 is a better start than the configured model",
        "Model 1 is a better start than the configured model",
        "Model 2 is a better start than the configured model",
    ]
    answers = [verdict.answer for verdict in summary.verdicts]
    assert answers[:2] == ["confirmed", "confirmed"]
    assert answers[2] in ("undecided", "not confirmed")
    assert answers[3] == "not confirmed"
    assert dict(summary.recommended) == {"model.name": "models/model 0"}
    (board,) = summary.boards
    assert [row[0] for row in board.rows] == ["pre-trained", "random weights", "model 0", "model 1", "model 2"]
    assert [row[5] is None for row in board.rows] == [False, True, False, False, False]
    assert [row[6] is None for row in board.rows] == [True, True, False, False, False]
    assert [row[7] is None for row in board.rows] == [False, True, False, False, False]
    assert summary.notes == ["a note"]


def test_less_is_better_of_errors() -> None:
    summary = concluded(0.1, base=0.3, random=0.6, error=True)
    assert [verdict.answer for verdict in summary.verdicts] == ["confirmed", "confirmed"]
    assert "against 0.6" in summary.verdicts[0].sentence
    assert ": a gain of 0." in summary.verdicts[0].sentence
    assert concluded(base=0.6, random=0.3, error=True).verdicts[0].answer == "not confirmed"


def test_what_diverged_is_undecided() -> None:
    base, random = start("pre-trained", 0.8), Start("random weights", "minilm", 3, [])
    (verdict,) = summary_of(made.study(), [base, random], [], margin=0.01, level=0.95).verdicts
    assert (verdict.answer, verdict.sentence) == ("undecided", "All trainings from random weights diverged.")


def test_what_learned_nothing_is_not_compared() -> None:
    base, random = (replace(start(name, 0.6), constant=3) for name in ("pre-trained", "random weights"))
    (verdict,) = summary_of(made.study(), [base, random], [], margin=0.01, level=0.95).verdicts
    assert verdict.answer == "undecided"
    assert "one answer to every input" in verdict.sentence
    better = start("pre-trained", 0.8)
    assert summary_of(made.study(), [better, random], [], margin=0.01, level=0.95).verdicts[0].answer == "confirmed"


def test_equal_starts_are_not_called_better() -> None:
    """Gains of less than the margin are refuted, and wide intervals leave it open."""
    wide = concluded(base=0.8, random=0.8)
    assert wide.verdicts[0].answer in ("undecided", "not confirmed")
    near = [start("pre-trained", 0.02, error=True), start("random weights", 0.02, seed=1, error=True)]
    (verdict,) = summary_of(made.study(error=True), near, [], margin=0.01, level=0.95).verdicts
    assert verdict.answer == "not confirmed"
    few = {"pre-trained": made.tables(0.8, n=60), "random weights": made.tables(0.79, n=60, seed=3)}
    close = [Start(name, "minilm", 3, found) for name, found in few.items()]
    (verdict,) = summary_of(made.study(), close, [], margin=0.0, level=0.95).verdicts
    assert verdict.answer == "undecided"
    assert " seeds (--seeds " in verdict.decide
    one = [start("pre-trained", 0.8, seeds=1), start("random weights", 0.79, seeds=1, seed=1)]
    (verdict,) = summary_of(made.study(), one, [], margin=0.01, level=0.95).verdicts
    assert "one seed does not tell how another would score" in verdict.sentence
