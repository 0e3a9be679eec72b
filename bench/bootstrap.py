"""How long a paired test and a bootstrap of ten thousand examples take.

    python bench/bootstrap.py [examples] [resamples]

Prints seconds of `paired` (as many resamples again are swaps), and of the bootstrap of one table, by metric.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

import numpy as np

from afina.metrics import entities, scores
from afina.metrics.intervals import interval_of_resamples, paired
from afina.metrics.kinds import Array, Metric


def tables(kind: str, n: int, generator: np.random.Generator) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
    """Two systems on the same n examples."""
    if kind == "entities":
        gold = generator.poisson(1.2, (n, 4))
        hits = [generator.binomial(gold, share) for share in (0.85, 0.83)]
        first, second = (
            {"correct": hit, "gold_count": gold, "predicted_count": hit + generator.poisson(0.1, (n, 4))}
            for hit in hits
        )
    elif kind == "labels":
        gold = generator.integers(0, 10, n)
        first, second = (
            {"gold": gold, "predicted": np.where(generator.random(n) < share, gold, generator.integers(0, 10, n))}
            for share in (0.85, 0.83)
        )
    else:
        gold = np.round(5 * generator.random(n), 1)
        first, second = ({"gold": gold, "predicted": gold + sd * generator.standard_normal(n)} for sd in (1.0, 1.1))
    return first, second


METRICS: Mapping[str, tuple[str, Metric]] = {
    "entity F1": ("entities", entities.entity_f1),
    "entity macro-F1": ("entities", entities.entity_macro_f1),
    "accuracy": ("labels", scores.accuracy),
    "macro-F1, 10 labels": ("labels", scores.macro_f1),
    "Matthews, 10 labels": ("labels", scores.matthews),
    "Pearson": ("numbers", scores.pearson),
    "Spearman (by rows)": ("numbers", scores.spearman),
}


def seconds(work: Callable[[], object]) -> str:
    """Wall time of some work, and its processor time."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return f"{time.perf_counter() - start:6.2f} ({time.process_time() - used:.2f} of the processor)"


def timed(kind: str, metric: Metric, n: int, *, resamples: int) -> tuple[str, str]:
    """Seconds of a paired test, and of a bootstrap."""
    first, second = tables(kind, n, np.random.default_rng(0))
    return (
        seconds(lambda: paired(first, second, metric, resamples=resamples)),
        seconds(lambda: interval_of_resamples(first, metric, resamples=resamples)),
    )


def main(n: int = 10_000, resamples: int = 2000) -> None:
    """Print the table."""
    print(f"{n:,} examples, {resamples:,} resamples; seconds")
    for name, (kind, metric) in METRICS.items():
        both, alone = timed(kind, metric, n, resamples=resamples)
        print(f"{name:22} paired {both}   bootstrap {alone}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
