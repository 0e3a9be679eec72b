"""How often intervals hold the truth, in small and skewed worlds whose truth is known.

`python -m tests.metrics.test_coverage` prints the table of docs/statistics.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from afina.metrics import answers, entities, scores
from afina.metrics.intervals import interval
from afina.metrics.kinds import Metric

Data = dict[str, np.ndarray]
Draw = Callable[[np.random.Generator, int], Data]


@dataclass(frozen=True)
class World:
    """A distribution of examples.

    Attributes:
        name: What it is.
        metric: The score.
        draw: A table of n examples; a column `groups` is the group of each.
        sizes: Numbers of examples.
        border: Whether the score lies so near its limit that more than 97 % may be covered.
        least: Coverage that it reaches.
    """

    name: str
    metric: Metric
    draw: Draw
    sizes: tuple[int, ...]
    border: bool = False
    least: float = 0.93


def right(share: float) -> Draw:
    return lambda generator, n: {"gold": np.ones(n, int), "predicted": (generator.random(n) < share).astype(int)}


def partly(share: float) -> Draw:
    """Answers that are right, wrong (half of the others) or have some right words."""

    def draw(generator: np.random.Generator, n: int) -> Data:
        chance = generator.random(n)
        other = np.where(chance < (1 + share) / 2, 0.0, generator.random(n))
        return {"f1": np.where(chance < share, 1.0, other)}

    return draw


def clusters(share: float, alike: float) -> Draw:
    """Questions of n passages with one to ten each, whose shares of right ones are beta distributed."""

    def draw(generator: np.random.Generator, n: int) -> Data:
        groups = np.repeat(np.arange(n), generator.integers(1, 11, size=n))
        spread = (1 - alike) / alike
        chance = generator.beta(share * spread, (1 - share) * spread, size=n)[groups]
        return {"exact": (generator.random(len(groups)) < chance).astype(float), "groups": groups}

    return draw


def sentences(recall: float, empty: float) -> Draw:
    """Entities of sentences: geometric counts, hard and easy sentences, a share of them without entities."""

    def draw(generator: np.random.Generator, n: int) -> Data:
        gold = generator.negative_binomial(1, 1 / 3, size=n) * (generator.random(n) >= empty)
        hits = generator.binomial(gold, generator.beta(4 * recall, 4 * (1 - recall), size=n))
        wrong = generator.poisson(0.3 * (1 - recall) * (0.3 + gold))
        return {"correct": hits, "gold_count": gold, "predicted_count": hits + wrong}

    return draw


def labels(k: int, skew: float, share: float) -> Draw:
    """Labels whose frequencies fall by a factor; the rarer half is harder."""
    weights = skew ** np.arange(k) / (skew ** np.arange(k)).sum()

    def draw(generator: np.random.Generator, n: int) -> Data:
        gold, other = (generator.choice(k, size=n, p=weights) for _ in range(2))
        return {"gold": gold, "predicted": np.where(generator.random(n) < share - 0.2 * (gold > k / 2), gold, other)}

    return draw


def pairs(kind: str, correlation: float) -> Draw:
    def draw(generator: np.random.Generator, n: int) -> Data:
        gold, noise = generator.standard_normal((2, n))
        predicted = correlation * gold + np.sqrt(1 - correlation**2) * noise
        if kind == "log-normal":
            gold, predicted = np.exp(gold), np.exp(predicted)
        return {"gold": np.clip(np.round(gold + 3.8), 1, 5) if kind == "ordinal" else gold, "predicted": predicted}

    return draw


def errors(kind: str) -> Draw:
    def draw(generator: np.random.Generator, n: int) -> Data:
        gold = generator.standard_normal(n)
        noise = {
            "normal": generator.standard_normal(n),
            "t5": generator.standard_t(5, n),
            "log-normal": np.exp(generator.standard_normal(n)),
        }
        return {"gold": gold, "predicted": gold + noise[kind] / 2}

    return draw


def losses(generator: np.random.Generator, n: int) -> Data:
    return {"log_probability": -np.log1p(np.exp(-(2.5 + 1.5 * generator.standard_normal(n))))}


WORLDS = [
    *(World(f"accuracy {p}", scores.accuracy, right(p), (10, 30, 100, 1000), border=p >= 0.9, least=0.92)
      for p in (0.5, 0.7, 0.9, 0.99)),
    *(World(f"answer F1, {p} right", answers.answer_f1, partly(p), (10, 30, 200), border=True)
      for p in (0.3, 0.7, 0.9)),
    *(World(f"exact match {p}, passages alike {a}", answers.exact_match, clusters(p, a), (10, 20, 50), border=p > 0.8)
      for p, a in ((0.6, 0.1), (0.6, 0.4), (0.9, 0.4), (0.97, 0.4))),
    *(World(f"entity F1, recall {r}, {e:.0%} empty", entities.entity_f1, sentences(r, e), (20, 50, 200), border=True)
      for r in (0.6, 0.85, 0.97) for e in (0, 0.5)),
    *(World(f"macro-F1, {k} labels, {p} right", scores.macro_f1, labels(k, s, p), (100, 300), border=True)
      for k, s in ((2, 0.25), (4, 0.6), (10, 0.8)) for p in (0.7, 0.9)),
    World("balanced accuracy, 4 labels", scores.balanced_accuracy, labels(4, 0.6, 0.7), (50, 300)),
    World("Matthews, 4 labels", scores.matthews, labels(4, 0.6, 0.7), (30, 300), border=True),
    *(World(f"Pearson {c}, {kind}", scores.pearson, pairs(kind, c), (10, 30, 100), border=True)
      for kind in ("normal", "ordinal", "log-normal") for c in (0.5, 0.9)),
    World("Spearman 0.7, ordinal", scores.spearman, pairs("ordinal", 0.7), (20, 100), border=True),
    World("R², normal", scores.r2, errors("normal"), (30, 100)),
    World("mean squared error, normal", scores.mean_squared_error, errors("normal"), (50, 200)),
    World("mean squared error, t5", scores.mean_squared_error, errors("t5"), (50, 200), least=0.90),
    World("mean absolute error, t5", scores.mean_absolute_error, errors("t5"), (50, 200)),
    World("mean absolute error, log-normal", scores.mean_absolute_error, errors("log-normal"), (50, 200)),
    World("log loss", scores.log_loss, losses, (50, 200)),
    World("plain function (BCa), normal", lambda table: float(np.abs(table["predicted"]).mean()), pairs("normal", 0.5),
          (50, 200), least=0.92),
]  # fmt: skip


def coverage(world: World, n: int, *, times: int, seed: int = 0) -> tuple[float, float]:
    """Share of intervals that hold the truth, and share of tables that get one."""
    generator = np.random.default_rng(seed)
    truth = float(world.metric(world.draw(np.random.default_rng(99), 400_000)))
    held = given = 0
    for _ in range(times):
        table = world.draw(generator, n)
        groups = table.pop("groups", None)
        found = interval(table, world.metric, groups=groups, resamples=1000)
        given += not found.reason
        held += found.low <= truth <= found.high
        assert found.reason or found.low <= found.value <= found.high
    return held / max(1, given), given / times


def cases() -> Iterator[tuple[World, int]]:
    return ((world, n) for world in WORLDS for n in world.sizes)


@pytest.mark.slow
@pytest.mark.parametrize(("world", "n"), list(cases()), ids=lambda part: getattr(part, "name", str(part)))
def test_the_interval_covers_as_often_as_it_says(world: World, n: int) -> None:
    held, given = coverage(world, n, times=1000)
    if given > 0.2:
        noise = 2 * np.sqrt(0.05 * 0.95 / (1000 * given))
        assert held >= world.least - noise
        assert held <= 0.97 + noise or world.border


@pytest.mark.parametrize("world", [WORLDS[1], WORLDS[6], WORLDS[10], WORLDS[-2]], ids=lambda world: world.name)
def test_the_interval_covers_about_as_often_as_it_says(world: World) -> None:
    held, _ = coverage(world, world.sizes[1], times=200)
    assert held >= 0.90


def main() -> None:
    """The table of docs/statistics.md."""
    print("| world | n | covered | given |\n|---|---|---|---|")
    for world, n in cases():
        held, given = coverage(world, n, times=int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
        print(f"| {world.name} | {n} | {held:.1%} | {given:.0%} |", flush=True)


if __name__ == "__main__":
    main()
