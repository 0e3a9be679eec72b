"""Pooling: the first token, [CLS], carries the sequence, for one text and for a pair of texts.

A head reads the last state of [CLS] in Devlin et al. (2019); the mean or the maximum of all tokens are the usual others
(Reimers and Gurevych 2019). The layers of an encoder differ in what they hold (Tenney et al. 2019), so that a linear
head is fitted to the frozen states of each. Whether a pair is read as a pair shows in what is lost when one of its
texts is missing (Gururangan et al. 2018).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator

from .. import strategies
from ..model.families import EMBEDDED
from ..printing import many
from .arms import failures
from .base import Asked, Level, Margin, Seeds
from .comparisons import baseline_scores, finite
from .frozen import NATIVE, TOKENS, Frozen, Place
from .pooling_verdicts import Compared, as_good, compared, read_as_pair
from .results import Results
from .study import Study
from .summaries import Board, Figure, Series, Summary, Verdict
from .trials import Measurement, Trial
from .words import ranged

CLS = "linear"
"""The head on [CLS] alone."""
FIRST = "first"
"""The pooling that it reads."""
NAMES = {"first": "[CLS]", "mean": "mean", "max": "max", NATIVE: "own pooler", TOKENS: "each token"}
"""Poolings, as they are called."""
WAYS = ("first", "second", "swapped", "joined")
"""What else is read of a pair (`options.pair_as`)."""
WORDS = {
    "both": "both texts", "first": "the first alone", "second": "the second alone", "swapped": "swapped",
    "joined": "as one text, without a separator",
}  # fmt: skip
FEW = 2000
"""Training examples up to which pairs are also fine-tuned without one of their texts."""


def known_strategy(name: str) -> str:
    """The name of a strategy.

    Raises:
        ValueError: there is none of that name.
    """
    if not strategies.is_known(name):
        raise ValueError(strategies.expected())
    return name


def pooling(
    study: Study,
    *,
    fine_tuned: bool = True,
    fine_tuned_pairs: bool | None = None,
    strategy: Annotated[str, AfterValidator(known_strategy)] = "full",
    seeds: Seeds = 3,
    margin: Margin = 0.01,
    level: Level = 0.95,
) -> Generator[Sequence[Asked], Results, Summary]:
    """Compare what can be read of a model: poolings, layers and, for pairs, parts of them; frozen and fine-tuned.

    Args:
        study: What it is about.
        fine_tuned: Whether heads are also compared with the encoder fine-tuned.
        fine_tuned_pairs: Whether parts of pairs are, too; by default where the training examples are few.
        strategy: What trains then.
        seeds: Seeds of each head.
        margin: Difference of the score that does not matter.
        level: Confidence level of the intervals.
    """
    asked = Asking(study, strategy, seeds, margin, level)
    paired = asked.paired
    tuned_pairs = paired and fine_tuned and (study.examples <= FEW if fine_tuned_pairs is None else fine_tuned_pairs)
    frozen = {"both": Frozen(study, "frozen")}
    frozen |= {way: Frozen(study, f"frozen {way}", {"options.pair_as": way}, every=False) for way in WAYS if paired}
    heads = asked.heads if fine_tuned else []
    ways = WAYS if tuned_pairs else ()
    measured = [Measurement(one.name, one.compute) for one in frozen.values()]
    trials = [asked.trial(head, "both", seed) for head in heads for seed in range(seeds)]
    trials += [asked.trial(CLS, way, seed) for way in ways for seed in range(seeds)]
    results = yield [*measured, *trials]
    return summary(asked, results, frozen, heads=heads, ways=ways)


@dataclass(frozen=True, slots=True)
class Asking:
    """What was asked for.

    Attributes:
        study: The study.
        strategy: What trains.
        seeds: Seeds of each head.
        margin: Difference of the score that does not matter.
        level: Confidence level.
    """

    study: Study
    strategy: str
    seeds: int
    margin: float
    level: float

    @property
    def by_token(self) -> bool:
        """Whether the task reads every token, so that nothing is pooled."""
        return self.study.task.level == "token"

    @property
    def paired(self) -> bool:
        """Whether the examples are pairs of texts, both of which are read."""
        first = self.study.data.splits["train"][0]
        return first.pair is not None and getattr(self.study.task.options, "pair_as", "") == "both"

    @property
    def heads(self) -> list[str]:
        """The heads that are fine-tuned."""
        return ["native", CLS] if self.by_token else ["native", CLS, "mean", "max"]

    def recipe(self, head: str, way: str) -> str:
        """A head and what it reads, in words."""
        name = f"{head} head, {self.strategy}"
        return name if way == "both" else f"{name}, {WORDS[way]}"

    def trial(self, head: str, way: str, seed: int) -> Trial:
        """A training."""
        settings: dict[str, Any] = {"model.head": head, "strategy": self.strategy}
        return Trial(self.recipe(head, way), seed, settings if way == "both" else {**settings, "options.pair_as": way})


# ---------------------------------------------------------------------------------------------------------------------
# What follows.


def summary(
    asked: Asking, results: Results, frozen: dict[str, Frozen], *, heads: Sequence[str], ways: Sequence[str]
) -> Summary:
    """What the measurements and the trials say."""
    whole = results.measured["frozen"]
    verdicts = [frozen_verdict(asked, whole, frozen["both"])]
    verdicts += tuned_verdicts(asked, results, heads)
    boards = [best_board(asked, whole, frozen["both"]), layers_board(asked, whole, frozen["both"])]
    boards += [tuned_board(asked, results, heads)] if heads else []
    if asked.paired:
        verdicts += pair_verdicts(asked, results, frozen, ways)
        boards.append(pairs_board(asked, results, frozen, ways))
    return Summary(
        verdicts,
        boards,
        [depths_figure(asked, whole, frozen["both"])],
        times=[times_board(results)],
        notes=[*notes(asked, whole), *(note for one in results.recipes for note in failures(results, [one], one))],
    )


def frozen_scores(asked: Asking, frozen: Frozen, place: Place) -> Compared:
    """The frozen states of a pooling at a depth, as a recipe without randomness."""
    found = frozen.read(asked.study.split, place)
    return Compared(NAMES[place[0]], [found.table], found.groups, fixed=True)


def tuned_scores(asked: Asking, results: Results, recipe: str, name: str) -> Compared | None:
    """The trials of a recipe; None where none came to its end."""
    done = results.done(recipe)
    if not done:
        return None
    split = asked.study.split
    return Compared(name, [one.table(split) for one in done], done[0].groups(split))


def frozen_verdict(asked: Asking, whole: Any, frozen: Frozen) -> Verdict:
    """Whether the last state of [CLS] or, of each token, the last layer, is as good as the others."""
    study, last = asked.study, whole["depth"]
    if asked.by_token:
        best = best_depth(whole, TOKENS)
        claim = "Frozen, the last layer serves each token as well as the layer that is best on the validation data"
        mine = frozen_scores(asked, frozen, (TOKENS, last)).named(f"layer {last}")
        others = [frozen_scores(asked, frozen, (TOKENS, best)).named(f"layer {best}")] if best != last else []
    else:
        claim = "Frozen, [CLS] of the last layer serves as well as the other poolings"
        mine = frozen_scores(asked, frozen, (FIRST, last))
        kinds = [one["pooling"] for one in whole["heads"] if one["layer"] == last and one["pooling"] != FIRST]
        others = [frozen_scores(asked, frozen, (kind, last)) for kind in kinds]
    return as_good(claim, mine, others, study, margin=asked.margin, level=asked.level)


def tuned_verdicts(asked: Asking, results: Results, heads: Sequence[str]) -> list[Verdict]:
    """Whether a linear head on [CLS] is as good as the others once the encoder is fine-tuned."""
    if not heads:
        return []
    known = {head: tuned_scores(asked, results, asked.recipe(head, "both"), head) for head in heads}
    mine = known.pop(CLS)
    what = "a linear head" if asked.by_token else "a linear head on [CLS]"
    claim = f"Fine-tuned, {what} serves as well as the others"
    others = [one for one in known.values() if one is not None]
    if mine is None:
        return [Verdict(claim, "undecided", "No trial of it came to its end.", "a lower learning rate")]
    return [as_good(claim, mine.named(what), others, asked.study, margin=asked.margin, level=asked.level)]


def pair_verdicts(asked: Asking, results: Results, frozen: dict[str, Frozen], ways: Sequence[str]) -> list[Verdict]:
    """Whether both texts of a pair bring more than either alone."""
    claim = "{}, a pair is read as a pair: both texts bring more than either alone"
    last = results.measured["frozen"]["depth"]
    still = {way: frozen_scores(asked, one, (FIRST, last)).named(WORDS[way]) for way, one in frozen.items()}
    found = [read_as_pair(claim.format("Frozen"), still, asked.study, margin=asked.margin, level=asked.level)]
    if ways:
        moving = {
            way: one
            for way in ("both", *ways)
            if (one := tuned_scores(asked, results, asked.recipe(CLS, way), WORDS[way])) is not None
        }
        found.append(
            read_as_pair(claim.format("Fine-tuned"), moving, asked.study, margin=asked.margin, level=asked.level)
        )
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Tables and figures.


def kinds_of(whole: Any) -> list[str]:
    """The poolings that were measured."""
    return list(dict.fromkeys(one["pooling"] for one in whole["heads"]))


def best_depth(whole: Any, kind: str) -> int:
    """The depth with the lowest loss on the validation data; of equal ones the lowest."""
    mine = [one for one in whole["heads"] if one["pooling"] == kind]
    return int(min(mine, key=lambda one: (one["loss"] is None, one["loss"], one["layer"]))["layer"])


def best_board(asked: Asking, whole: Any, frozen: Frozen) -> Board:
    """Each pooling at the last layer, and at the layer that the validation data choose."""
    study, last = asked.study, whole["depth"]
    held = {(one["pooling"], one["layer"]): one["validation"] for one in whole["heads"]}
    rows = []
    for kind in kinds_of(whole):
        chosen = [] if kind == NATIVE else [("lowest validation loss", best_depth(whole, kind))]
        for what, depth in (("last", last), *chosen):
            mean = compared(frozen_scores(asked, frozen, (kind, depth)), study, level=asked.level)
            rows.append([NAMES[kind], f"{depth} ({what})", ranged(mean), held[kind, depth]])
    rows += [
        [name, None, None if finite(value) is None else f"{value:.4f}", None]
        for name, value in baseline_scores(study).items()
    ]
    columns = ["pooling", "layer", f"{study.split} {study.metric}", f"validation {study.metric}"]
    if study.split == "validation":
        rows, columns = [row[:-1] for row in rows], columns[:-1]
    return Board("linear heads on frozen states", columns, rows)


def tuned_board(asked: Asking, results: Results, heads: Sequence[str]) -> Board:
    """The heads with the encoder fine-tuned."""
    study = asked.study
    rows = []
    for head in heads:
        recipe = asked.recipe(head, "both")
        one = tuned_scores(asked, results, recipe, head)
        mean = None if one is None else compared(one, study, level=asked.level)
        held = finite(results.mean(recipe, "validation", study.metric))
        rows.append([head, ranged(mean), held, len(results.done(recipe))])
    columns = ["head", f"{study.split} {study.metric}", f"validation {study.metric}", "seeds"]
    return Board(f"fine-tuned, strategy {asked.strategy}", columns, rows)


def layers_board(asked: Asking, whole: Any, frozen: Frozen) -> Board:
    """The score of each pooling at each depth."""
    kinds = kinds_of(whole)
    known = {(one["pooling"], one["layer"]) for one in whole["heads"]}
    rows = [
        [
            "embeddings" if depth == 0 else str(depth),
            *(finite(frozen_value(asked, frozen, (kind, depth))) if (kind, depth) in known else None for kind in kinds),
        ]
        for depth in range(whole["depth"] + 1)
    ]
    title = f"{asked.study.metric} of linear heads on frozen states by layer, {asked.study.split}"
    return Board(title, ["layer", *(NAMES[kind] for kind in kinds)], rows)


def frozen_value(asked: Asking, frozen: Frozen, place: Place) -> float:
    """The score of a pooling at a depth."""
    return float(asked.study.score(frozen.read(asked.study.split, place).table))


def depths_figure(asked: Asking, whole: Any, frozen: Frozen) -> Figure:
    """Score against depth, a line a pooling, with the bands of the intervals."""
    series = []
    for kind in kinds_of(whole):
        depths = sorted(one["layer"] for one in whole["heads"] if one["pooling"] == kind)
        means = [
            compared(frozen_scores(asked, frozen, (kind, depth)), asked.study, level=asked.level) for depth in depths
        ]
        bounded = [one for one in means if finite(one.low) is not None and finite(one.high) is not None]
        low, high = (
            ([one.low for one in means], [one.high for one in means]) if len(bounded) == len(means) else ([], [])
        )
        series.append(Series(NAMES[kind], depths, [one.value for one in means], low, high))
    return Figure(
        "frozen states by layer", "layer (0: embeddings)", f"{asked.study.split} {asked.study.metric}", series
    )


def pairs_board(asked: Asking, results: Results, frozen: dict[str, Frozen], ways: Sequence[str]) -> Board:
    """What is read of a pair, and what that is worth."""
    study, last = asked.study, results.measured["frozen"]["depth"]
    rows = []
    for way, one in frozen.items():
        known: list[Compared | None] = [frozen_scores(asked, one, (kind, last)) for kind in (FIRST, "mean")]
        known += [tuned_scores(asked, results, asked.recipe(CLS, way), way)] if ways else []
        cells = [None if each is None else ranged(compared(each, study, level=asked.level)) for each in known]
        rows.append([WORDS[way], *cells])
    columns = ["read", "frozen [CLS]", "frozen mean", *(["fine-tuned [CLS]"] if ways else [])]
    return Board(f"what is read of a pair, {study.split} {study.metric}", columns, rows)


def times_board(results: Results) -> Board:
    """Seconds of each measurement, by part of the work."""
    parts = {"pass": "pass over train and validation", "heads": "fitting heads", "test": "test"}
    rows = [
        [name, *(round(found["seconds"].get(part, 0.0), 1) for part in parts)]
        for name, found in results.measured.items()
    ]
    return Board("time of frozen measurements, s", ["measurement", *parts.values()], rows)


def notes(asked: Asking, whole: Any) -> list[str]:
    """What should be known of the frozen states."""
    study, last = asked.study, whole["depth"]
    found = []
    if study.split == "validation":
        found.append(
            "there are no test data: scores are those of the validation data, which also chose heads and epochs"
        )
    for name, count in whole["examples"].items():
        if count < whole["of"][name]:
            found.append(
                f"frozen: {count:,} of {many(whole['of'][name], f'{name} example')}, drawn at random, for want of room"
            )
    if study.config.model.name == EMBEDDED and not asked.by_token:
        found.append(
            "the embedded encoder was trained as a sentence encoder on the mean of its tokens, and its [CLS] was never "
            "what is pooled: of single texts, its frozen mean should be ahead. Other encoders may differ (--model)"
        )
    kinds = [TOKENS] if asked.by_token else [kind for kind in kinds_of(whole) if kind != NATIVE]
    losses = {kind: best_depth(whole, kind) for kind in kinds}
    by_place = {(one["pooling"], one["layer"]): one["loss"] for one in whole["heads"]}
    kind = min(kinds, key=lambda one: (by_place[one, losses[one]] is None, by_place[one, losses[one]]))
    depth = losses[kind]
    if depth < last:
        found.append(
            f"frozen, {NAMES[kind]} of layer {depth} has the lowest validation loss of all: an encoder cut there does "
            f"{depth / last:.0%} of the arithmetic of its layers"
        )
    return found
