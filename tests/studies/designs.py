"""A small design, in the place of the package's own, and studies on tiny models."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from afina.studies.base import Asked
from afina.studies.results import Results
from afina.studies.runner import stream_study
from afina.studies.study import Study, opened
from afina.studies.summaries import Board, Summary, Verdict
from afina.studies.trials import Measurement, Trial
from afina.work import Work
from tests import runs


def small(
    study: Study, *, seeds: int = 2, rates: Sequence[float] = (1e-3, 1e-2)
) -> Generator[Sequence[Asked], Results, Summary]:
    """Some rates; then the better one with another seed; and a measurement."""

    def count() -> Work[Any]:
        yield 0.5
        return {"examples": study.examples}

    def trial(rate: float, seed: int) -> Trial:
        return Trial(f"rate {rate:g}", seed, {"training.learning_rate": rate})

    results = yield [*(trial(rate, seed) for rate in rates for seed in range(seeds)), Measurement("count", count)]
    best = max(results.recipes, key=lambda recipe: results.mean(recipe, "validation", study.metric))
    rate = float(best.split()[1])
    results = yield [trial(rate, seeds)]
    rows = [[one.trial.recipe, one.trial.seed, one.score("validation", study.metric)] for one in results]
    verdict = Verdict("The better rate is better", "undecided", f"{best} of {results.measured['count']}", "more seeds")
    return Summary([verdict], [Board("trials", ["recipe", "seed", "score"], rows)], recommended={"x": rate})


def tiny_study(model: Path, out: Path, task: str = "classification", **more: Any) -> tuple[Study, list[str]]:
    """A study of the tests' rows on a tiny model."""
    config = runs.configured(model, out, task, **more)
    rows = runs.ROWS[task]
    return opened(config, out, {"train": rows, "validation": rows[::3], "test": rows[::4]})


__all__ = ["small", "stream_study", "tiny_study"]
